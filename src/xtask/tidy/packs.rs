//! Every folder under `packs/` holds a `pack.toml` and is described: by a README of its own, or by
//! its name in `packs/README.md`.

use crate::finding::Finding;
use crate::tree::Tree;
use std::collections::BTreeSet;

const README: &str = "packs/README.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let readme = tree.text(README).unwrap_or_default();
    let folders: BTreeSet<&str> = tree
        .files
        .iter()
        .filter_map(|file| file.path.strip_prefix("packs/")?.split_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    let mut found = Vec::new();
    for folder in folders {
        let here = format!("packs/{folder}");
        if !tree.has(&format!("{here}/pack.toml")) {
            found.push(Finding::file(&here, "a pack folder without `pack.toml`"));
        }
        let named =
            readme.contains(&format!("`{folder}`")) || readme.contains(&format!("({folder}"));
        if !named && !tree.has(&format!("{here}/README.md")) {
            found.push(Finding::file(
                &here,
                format!("{README} does not mention `{folder}`"),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_nobody_describes_are_named() {
        let tree = Tree::of(&[
            (README, "- `good`: ...\n- [linked](linked/)\n"),
            ("packs/good/pack.toml", ""),
            ("packs/linked/pack.toml", ""),
            ("packs/own/pack.toml", ""),
            ("packs/own/README.md", ""),
            ("packs/silent/pack.toml", ""),
            ("packs/good-but-empty/README.md", ""),
        ]);
        let paths: Vec<String> = check(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(paths, ["packs/good-but-empty", "packs/silent"]);
    }
}
