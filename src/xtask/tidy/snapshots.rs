//! A snapshot whose test is gone is a picture of nothing. `crate__module__name.snap` says where it
//! comes from: `source:` names the file, and the file must still speak of `name`.

use crate::finding::Finding;
use crate::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let orphans = tree
        .ending(".snap")
        .filter_map(|file| orphan(tree, file).map(|message| Finding::file(&file.path, message)));
    let pending = tree
        .ending(".snap.new")
        .map(|file| Finding::file(&file.path, "accept this snapshot or delete it"));
    orphans.chain(pending).collect()
}

fn orphan(tree: &Tree, file: &File) -> Option<String> {
    let Some(source) = file
        .text
        .lines()
        .find_map(|line| line.strip_prefix("source: "))
    else {
        return Some("no `source:` line says which test made it".to_owned());
    };
    let source = source.trim().trim_matches('"');
    let Some(text) = tree.text(source) else {
        return Some(format!("its test file `{source}` is gone"));
    };
    let name = file.path.rsplit('/').next()?.trim_end_matches(".snap");
    let name = name.rsplit("__").next()?;
    let unnumbered = name
        .rsplit_once('-')
        .filter(|(_, number)| number.parse::<u32>().is_ok());
    let stem = unnumbered.map_or(name, |(stem, _)| stem);
    (!text.contains(name) && !text.contains(stem))
        .then(|| format!("`{source}` has no test `{name}` any more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orphans_are_named() {
        let tree = Tree::of(&[
            ("src/a/tests.rs", "fn full() {} fn again() {}"),
            (
                "src/a/snapshots/a__tests__full.snap",
                "---\nsource: src/a/tests.rs\n---\n",
            ),
            (
                "src/a/snapshots/a__tests__again-2.snap",
                "---\nsource: src/a/tests.rs\n---\n",
            ),
            (
                "src/a/snapshots/a__tests__lost.snap",
                "---\nsource: src/a/tests.rs\n---\n",
            ),
            (
                "src/a/snapshots/a__b__full.snap",
                "---\nsource: src/a/b.rs\n---\n",
            ),
            ("src/a/snapshots/bare.snap", "---\n---\n"),
            ("src/a/snapshots/a__tests__full.snap.new", ""),
        ]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].contains("no test `lost`"), "{found:?}");
        assert!(found[1].contains("`src/a/b.rs` is gone"), "{found:?}");
        assert!(found[2].contains("source:"), "{found:?}");
        assert!(found[3].contains("accept"), "{found:?}");
    }
}
