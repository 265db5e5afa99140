//! The packages the user named for this program stay named in the workspace's manifest.

use crate::finding::Finding;
use crate::tree::Tree;

const MANIFEST: &str = "Cargo.toml";
const PACKAGES: &[&str] = &[
    "ratatui",
    "crossterm",
    "tokio",
    "reqwest",
    "rusqlite",
    "serde",
    "tui-input",
    "tracing-appender",
    "directories",
    "color-eyre",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let named: Vec<&str> = tree
        .text(MANIFEST)
        .unwrap_or_default()
        .lines()
        .skip_while(|line| line.trim() != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim())
        .collect();
    PACKAGES
        .iter()
        .filter(|package| !named.contains(package))
        .map(|package| {
            Finding::file(
                MANIFEST,
                format!("[workspace.dependencies] does not name `{package}`"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_went_is_named() {
        let all = PACKAGES.join(" = \"1\"\n") + " = \"1\"\n";
        let manifest = |packages: &str| {
            format!("[dependencies]\nx = \"1\"\n[workspace.dependencies]\n{packages}[lints]\n")
        };
        assert!(check(&Tree::of(&[(MANIFEST, &manifest(&all))])).is_empty());
        let less = all.replace("tui-input", "tui-inputs");
        let found = check(&Tree::of(&[(MANIFEST, &manifest(&less))]));
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("tui-input"));
        assert_eq!(check(&Tree::default()).len(), PACKAGES.len());
    }
}
