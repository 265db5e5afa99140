//! Packages come from crates.io and nowhere else: a mirror or a private registry of one computer
//! must not reach the repository.

use crate::finding::Finding;
use crate::tree::Tree;

const SOURCE: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &tree.files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        for (number, line) in file.lines() {
            let line = line.trim();
            let bad = match name {
                "Cargo.lock" => line.starts_with("source = ") && line != SOURCE,
                "config.toml" if file.path.contains(".cargo/") => {
                    ["[source", "[registr", "registry", "replace-with"]
                        .iter()
                        .any(|word| line.starts_with(word))
                }
                "Cargo.toml" => {
                    line.starts_with("[patch")
                        || ["registry = ", "registry-index", "git = "]
                            .iter()
                            .any(|word| line.contains(word))
                }
                _ => false,
            };
            if bad {
                let message = format!("`{line}`: packages come from crates.io");
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
    fn other_registries_are_named() {
        let cases = [
            (
                "Cargo.lock",
                "source = \"registry+https://mirror.example/index\"",
                1,
            ),
            ("Cargo.lock", SOURCE, 0),
            (".cargo/config.toml", "[source.crates-io]", 1),
            (".cargo/config.toml", "[alias]", 0),
            (
                "src/a/Cargo.toml",
                "x = { git = \"https://example.org/x\" }",
                1,
            ),
            ("src/a/Cargo.toml", "x = { workspace = true }", 0),
        ];
        for (path, line, wrong) in cases {
            assert_eq!(
                check(&Tree::of(&[(path, line)])).len(),
                wrong,
                "{path}: {line}"
            );
        }
    }
}
