//! A doc comment without words pleases a lint and nobody else. A blank line between two paragraphs
//! of one comment is fine.

use crate::finding::Finding;
use crate::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.ending(".rs").flat_map(blank).collect()
}

fn blank(file: &File) -> Vec<Finding> {
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let says = |index: Option<usize>| {
        index
            .and_then(|index| lines.get(index))
            .and_then(|line| line.strip_prefix("///"))
            .is_some_and(|words| !words.trim().is_empty())
    };
    (0..lines.len())
        .filter(|at| lines[*at] == "///")
        .filter(|at| !(says(at.checked_sub(1)) && says(at.checked_add(1))))
        .map(|at| Finding::line(&file.path, at + 1, "a doc comment without words"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_without_words_is_named() {
        let tree = Tree::of(&[
            ("a.rs", "/// A\n///\n/// B\nfn good() {}\n"),
            (
                "b.rs",
                "    ///\n    fn bad() {}\n/// A\n///\nfn bad_too() {}\n",
            ),
        ]);
        let found: Vec<(String, usize)> = check(&tree)
            .into_iter()
            .map(|finding| (finding.path, finding.line))
            .collect();
        assert_eq!(found, [("b.rs".to_owned(), 1), ("b.rs".to_owned(), 4)]);
    }
}
