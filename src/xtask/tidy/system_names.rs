//! The systems that are operated are data in `packs/`: a sixth one needs a folder and no Rust. So
//! the code that ships knows none of them by name. Tests and the lab may.

use crate::finding::Finding;
use crate::tree::Tree;
use std::collections::BTreeSet;

const CRATES: &[&str] = &[
    "src/domain/",
    "src/engine/",
    "src/adapters/",
    "src/cli/",
    "src/tui/",
];
const ENDINGS: &[&str] = &[".rs", ".sql"];
const NAMES: &[&str] = &[
    "tksea",
    "remote43",
    "moziplus",
    "celestial",
    "openclaw",
    "relay-manager",
    "crm-only",
    "wechat",
];

/// Ids that are words of the cockpit's own.
const OWN_WORDS: &[&str] = &["lab"];

/// What the packs of the repository are called, and what they call the things they are about.
fn pack_names(tree: &Tree) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in &tree.files {
        let rest = file.path.strip_prefix("packs/");
        let Some((id, "pack.toml")) = rest.and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        names.insert(id.to_lowercase());
        let vars = file.text.lines().skip_while(|line| line.trim() != "[vars]");
        let values = vars
            .skip(1)
            .take_while(|line| !line.starts_with('['))
            .filter_map(|line| {
                line.split_once('=')?
                    .1
                    .trim()
                    .strip_prefix('"')?
                    .split_once('"')
            })
            .map(|(value, _)| value.to_lowercase());
        names.extend(values.filter(|value| value.len() > 3));
    }
    names.retain(|name| !OWN_WORDS.contains(&name.as_str()));
    names
}

/// Whether a line has a name as a word of its own.
fn names_it(line: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let of_packs = pack_names(tree);
    let mut found = Vec::new();
    let ours = tree.files.iter().filter(|file| {
        CRATES.iter().any(|crate_| file.path.starts_with(crate_))
            && ENDINGS.iter().any(|ending| file.path.ends_with(ending))
    });
    for file in ours {
        for (number, line) in file.shipped_lines() {
            let line = line.to_lowercase();
            let system = NAMES.iter().copied().find(|name| line.contains(name));
            let mut packs = of_packs.iter().map(String::as_str);
            if let Some(name) = system.or_else(|| packs.find(|name| names_it(&line, name))) {
                let message = format!("`{name}` is a system's name: it belongs into a pack");
                found.push(Finding::line(&file.path, number, message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_of_the_repository_is_found_by_its_id_and_by_what_it_is_about() {
        let tree = Tree::of(&[
            (
                "packs/post/pack.toml",
                "title = \"Post\"\n[vars]\nmachine = \"sorter9\"\n\n[[check]]\nid = \"health\"\n",
            ),
            ("src/tui/a.rs", "//! A.\nlet pack = \"post\";\n"),
            ("src/engine/b.rs", "//! B.\nlet machine = \"Sorter9\";\n"),
            (
                "src/engine/c.rs",
                "//! C.\nlet posted = post_it(\"health\", \"poster\");\n",
            ),
        ]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_system_by_name_is_found() {
        let tree = Tree::of(&[
            (
                "src/engine/a.rs",
                "//! A.\nconst BASE: &str = \"https://sub.TKSEA.top\";\n",
            ),
            (
                "src/adapters/config/read.rs",
                "//! A.\nlet ssh = \"remote43\";\n",
            ),
            (
                "src/domain/b.rs",
                "//! B.\n#[cfg(test)]\nmod tests {\n    // remote43\n}\n",
            ),
            ("src/engine/c/tests.rs", "// remote43\n"),
            ("src/lab/machines.rs", "// remote43\n"),
            ("packs/tksea/pack.toml", "tksea\n"),
        ]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].starts_with("src/engine/a.rs:2: `tksea`"),
            "{found:?}"
        );
    }
}
