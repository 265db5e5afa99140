//! Relative links of Markdown files lead to a file or folder of the repository.

use crate::finding::Finding;
use crate::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.ending(".md") {
        for (number, target) in targets(file) {
            let path = target.split('#').next().unwrap_or_default();
            let leads = resolve(&file.path, path).is_some_and(|path| tree.has(&path));
            if !leads {
                let message = format!("the link `{target}` leads nowhere");
                found.push(Finding::line(&file.path, number, message));
            }
        }
    }
    found
}

/// Targets of relative links, with their lines; none inside code.
fn targets(file: &File) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(in_line(line).map(|target| (number, target)));
        }
    }
    found
}

fn in_line(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(at, _)| {
        // Inside a code span the number of backticks before it is odd.
        if line[..at].matches('`').count() % 2 == 1 && !line[..at].ends_with('`') {
            return None;
        }
        let rest = &line[at + 2..];
        let target = rest[..rest.find(')')?].split_whitespace().next()?;
        let elsewhere =
            target.contains("://") || target.starts_with('#') || target.starts_with("mailto:");
        (!elsewhere).then_some(target)
    })
}

/// A link's path from the root; `None` when it leaves the repository.
fn resolve(from: &str, link: &str) -> Option<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_nowhere_are_named() {
        let text = "[a](../src) [b](../src/x.rs#L1) [c](https://example.org/) [d](#here)\n\
                    [bad](gone.md) `[code](gone.md)` [`bad too`](../../out.md)\n\
                    ```\n[fenced](gone.md)\n```\n";
        let tree = Tree::of(&[("docs/a.md", text), ("src/x.rs", "")]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "docs/a.md:2: the link `gone.md` leads nowhere",
                "docs/a.md:2: the link `../../out.md` leads nowhere",
            ]
        );
    }
}
