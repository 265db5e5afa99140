//! The systems that are operated are data in `packs/`: a sixth one needs a folder and no Rust. So
//! the code that ships knows none of them by name. Tests and the lab may.

use crate::finding::Finding;
use crate::tree::Tree;

const CRATES: &[&str] = &["src/domain/", "src/engine/", "src/adapters/", "src/cli/"];
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

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let ours = tree.files.iter().filter(|file| {
        CRATES.iter().any(|crate_| file.path.starts_with(crate_))
            && ENDINGS.iter().any(|ending| file.path.ends_with(ending))
    });
    for file in ours {
        for (number, line) in file.shipped_lines() {
            let line = line.to_lowercase();
            if let Some(name) = NAMES.iter().find(|name| line.contains(**name)) {
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
