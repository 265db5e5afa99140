//! Work left for later: unfinished code and tests switched off. A test that cannot run here says
//! so when it runs (`tests/README.md`).

use crate::finding::Finding;
use crate::tree::Tree;

// Written in halves, so that this file does not find itself.
const MARKS: &[(&str, &str)] = &[
    (concat!("todo", "!("), "finish it or leave it out"),
    (concat!("unimplemented", "!("), "finish it or leave it out"),
    (
        concat!("#[ign", "ore"),
        "a test runs, or prints that it was left out",
    ),
    (
        concat!("dbg", "!("),
        "a look while developing, not for the repository",
    ),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.ending(".rs") {
        for (number, line) in file.lines() {
            for (mark, reason) in MARKS {
                if line.contains(mark) {
                    found.push(Finding::line(
                        &file.path,
                        number,
                        format!("`{mark}`: {reason}"),
                    ));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_found() {
        for (mark, _) in MARKS {
            let tree = Tree::of(&[("tests/a.rs", &format!("fn a() {{}}\n    {mark}"))]);
            let found = check(&tree);
            assert_eq!((found.len(), found[0].line), (1, 2), "{mark}");
        }
        assert!(check(&Tree::of(&[("a.rs", "fn todo() {}\n")])).is_empty());
    }
}
