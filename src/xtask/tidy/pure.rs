//! Domain and engine are given time, files and connections; they do not reach for them. Clippy
//! bans the functions one by one (`.clippy.toml` of each crate), but there it cannot leave tests
//! alone, which read recorded files: so this rule says the rest.

use crate::finding::Finding;
use crate::tree::Tree;

/// What neither may name.
const BOTH: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "std::io::",
    "std::os::",
    "SystemTime",
    "std::time::Instant",
    "Timestamp::now",
    "Zoned::now",
    "tokio::fs",
    "tokio::net",
    "tokio::process",
    "unbounded_channel",
    "println!",
    "eprintln!",
];
/// What the domain may not do, either.
const DOMAIN: &[&str] = &["async fn", ".await", "Instant::now"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.ending(".rs") {
        let words: Vec<&str> = match file.path.split('/').nth(1) {
            Some("domain") => BOTH.iter().chain(DOMAIN).copied().collect(),
            Some("engine") => BOTH.to_vec(),
            _ => continue,
        };
        for (number, line) in file.shipped_lines() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = words.iter().find(|word| code.contains(**word)) {
                let message = format!("`{word}`: let the caller pass it in, or ask a port");
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
    fn reaching_for_the_world_is_found() {
        let tree = Tree::of(&[
            ("src/domain/a.rs", "//! A.\nasync fn a() {}\n"),
            (
                "src/domain/b.rs",
                "//! B.\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
            ),
            (
                "src/engine/c.rs",
                "//! C.\nasync fn c() {}\nuse std::env;\n// std::fs\n",
            ),
            ("src/adapters/d.rs", "//! D.\nuse std::fs;\n"),
        ]);
        let found: Vec<(String, usize)> = check(&tree)
            .into_iter()
            .map(|finding| (finding.path, finding.line))
            .collect();
        assert_eq!(
            found,
            [
                ("src/domain/a.rs".to_owned(), 2),
                ("src/engine/c.rs".to_owned(), 3)
            ]
        );
    }
}
