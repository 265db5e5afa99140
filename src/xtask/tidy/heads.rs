//! Every Rust file begins with `//!`: what lives here, what does not.

use crate::finding::Finding;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.ending(".rs")
        .filter_map(|file| {
            let head = file.text.lines().next().unwrap_or_default();
            let words = head.strip_prefix("//!").map_or("", str::trim);
            let message = if words.is_empty() {
                "begin with a `//!` line: what lives here"
            } else if ["placeholder", "To be filled"]
                .iter()
                .any(|mark| words.contains(mark))
            {
                "the head is still a placeholder"
            } else {
                return None;
            };
            Some(Finding::line(&file.path, 1, message))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_head_is_named() {
        let tree = Tree::of(&[
            ("good.rs", "//! What lives here.\n"),
            ("none.rs", "use std::fmt;\n"),
            ("blank.rs", "//!\n"),
            ("empty.rs", ""),
            ("later.rs", "//! placeholder\n"),
            ("blanker.rs", "//! To be filled.\n"),
        ]);
        let paths: Vec<String> = check(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(
            paths,
            ["none.rs", "blank.rs", "empty.rs", "later.rs", "blanker.rs"]
        );
    }
}
