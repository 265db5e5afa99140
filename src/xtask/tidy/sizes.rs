//! The file that grows past reason is always the hub: past the limit it has a second subject.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// Lines of any Rust file, tests included.
const MOST: usize = 600;
/// Lines without tests, from which a file is worth a look.
const LOOK: usize = 400;
/// Hubs, with a limit of their own.
const HUBS: &[(&str, usize)] = &[("main.rs", 150), ("lib.rs", 80)];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.ending(".rs")
        .filter_map(|file| {
            let (lines, most) = (file.text.lines().count(), limit(file));
            let message = format!("{lines} lines, at most {most}: move the second subject out");
            (lines > most).then(|| Finding::file(&file.path, message))
        })
        .collect()
}

fn limit(file: &File) -> usize {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    HUBS.iter()
        .find(|(hub, _)| *hub == name)
        .map_or(MOST, |(_, most)| *most)
}

/// Files that are not wrong, but long.
pub(super) fn worth_a_look(tree: &Tree) -> Vec<Finding> {
    tree.ending(".rs")
        .filter_map(|file| {
            let lines = file.shipped_lines().len();
            let message = format!("{lines} lines without tests, is there a second subject?");
            (lines > LOOK).then(|| Finding::file(&file.path, message))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_and_hubs_are_named() {
        let lines = |count: usize| "x\n".repeat(count);
        let tree = Tree::of(&[
            ("src/a/long.rs", &lines(601)),
            ("src/a/full.rs", &lines(600)),
            ("src/a/lib.rs", &lines(81)),
            ("src/main.rs", &lines(151)),
        ]);
        let paths: Vec<String> = check(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(paths, ["src/a/long.rs", "src/a/lib.rs", "src/main.rs"]);
    }

    #[test]
    fn tests_do_not_make_a_file_worth_a_look() {
        let long = "x\n".repeat(401);
        let tested = format!("x\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let tree = Tree::of(&[
            ("src/a/long.rs", &long),
            ("src/a/b.rs", &tested),
            ("tests/c.rs", &long),
        ]);
        let paths: Vec<String> = worth_a_look(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(paths, ["src/a/long.rs"]);
    }
}
