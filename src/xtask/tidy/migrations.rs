//! A migration that people's databases have run is never edited: a new one is added. The list of
//! their checksums is read by `sha256sum --check` as well.

use crate::finding::Finding;
use crate::tree::Tree;
use sha2::{Digest, Sha256};
use std::fmt::Write;

const FOLDER: &str = "src/adapters/store/migrations/";
const LIST: &str = "src/xtask/migrations.sha256";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let listed: Vec<(&str, &str)> = tree
        .text(LIST)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once("  "))
        .collect();
    let mut found: Vec<Finding> = listed
        .iter()
        .filter(|(_, path)| tree.text(path).is_none())
        .map(|(_, path)| Finding::file(path, "a shipped migration is gone"))
        .collect();
    let migrations = tree
        .ending(".sql")
        .filter(|file| file.path.starts_with(FOLDER));
    for file in migrations {
        let sum = sha256(&file.text);
        let message = match listed.iter().find(|(_, path)| *path == file.path) {
            Some((known, _)) if *known == sum => continue,
            Some(_) => format!(
                "a listed migration was edited: undo that and add a new one (only before its first \
                 release may {LIST} get the line `{sum}  {}`)",
                file.path
            ),
            None => format!("add the line `{sum}  {}` to {LIST}", file.path),
        };
        found.push(Finding::file(&file.path, message));
    }
    found
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edited_new_and_lost_migrations_are_named() {
        let path = |name: &str| format!("{FOLDER}{name}.sql");
        let list = format!(
            "{}  {}\n{}  {}\n{}  {}\n",
            sha256("a"),
            path("a"),
            sha256("b"),
            path("b"),
            sha256("c"),
            path("c")
        );
        let tree = Tree::of(&[
            (LIST, &list),
            (&path("a"), "a"),
            (&path("b"), "changed"),
            (&path("d"), "new"),
        ]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].contains("c.sql: a shipped migration is gone"),
            "{found:?}"
        );
        assert!(
            found[1].contains("b.sql: a listed migration was edited"),
            "{found:?}"
        );
        assert!(found[2].contains(&sha256("new")), "{found:?}");
    }

    #[test]
    fn the_sum_is_sha256() {
        assert!(sha256("abc").starts_with("ba7816bf8f01cfea"));
    }
}
