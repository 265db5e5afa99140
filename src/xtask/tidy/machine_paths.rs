//! Paths of the computer that something was written on mean nothing elsewhere.

use crate::finding::Finding;
use crate::tree::Tree;

// Written in halves, so that this file does not find itself.
const FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];
const HOMES: &str = concat!("/ho", "me/");

/// Owners of homes that are no one's here: `ubuntu` is the account of the production machines, the
/// others are invented for examples.
const INVENTED: &[&str] = &["ubuntu", "a", "ann", "b", "me", "you", "user", "oncall"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &tree.files {
        for (number, line) in file.lines() {
            if let Some(path) = machine_path(line) {
                let message = format!("`{path}` is a path of one computer");
                found.push(Finding::line(&file.path, number, message));
            }
        }
    }
    found
}

fn machine_path(line: &str) -> Option<String> {
    let folder = FOLDERS
        .iter()
        .find(|folder| starts(line, folder).next().is_some());
    if let Some(folder) = folder {
        return Some((*folder).to_owned());
    }
    starts(line, HOMES)
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
            &rest[..end.unwrap_or(rest.len())]
        })
        .find(|owner| !owner.is_empty() && !INVENTED.contains(owner))
        .map(|owner| format!("{HOMES}{owner}"))
}

/// What follows each place where an absolute path begins with `folder`.
fn starts<'a>(line: &'a str, folder: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(folder).filter_map(|(at, _)| {
        let before = line[..at].chars().next_back();
        let inside = before.is_some_and(|c| c.is_alphanumeric() || "._-~/}*$".contains(c));
        (!inside).then(|| &line[at + folder.len()..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_computer_are_named() {
        let bad = [
            format!("see {}main", FOLDERS[0]),
            format!("\"{}.cargo\"", FOLDERS[1]),
            format!("{HOMES}jane/x"),
        ];
        for line in bad {
            let tree = Tree::of(&[("a.toml", &format!("\n{line}\n"))]);
            let found = check(&tree);
            assert_eq!(
                (found.len(), found.first().map(|f| f.line)),
                (1, Some(2)),
                "{line}"
            );
        }
        let good = [
            format!("{HOMES}ubuntu/crm"),
            format!("/srv{}x", FOLDERS[0]),
            format!("{HOMES}<name>"),
            "src/work/x".to_owned(),
        ];
        for line in good {
            assert!(check(&Tree::of(&[("a.toml", &line)])).is_empty(), "{line}");
        }
    }
}
