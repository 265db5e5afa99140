//! What no lint knows, one rule a file. Each rule is a plain function from the tree to findings,
//! with a test that shows that it can fail.

mod blank_docs;
mod card;
mod forgotten;
mod heads;
mod leftovers;
mod links;
mod lock;
mod machine_paths;
mod migrations;
mod packs;
mod pure;
mod sizes;
mod snapshots;
mod system_names;

use crate::finding::Finding;
use crate::tree::Tree;
use crate::{Outcome, say};

/// A rule: what it wants, and how it looks.
struct Rule {
    wants: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule {
        wants: "every Rust file says at its head what lives in it",
        check: heads::check,
    },
    Rule {
        wants: "doc comments say something",
        check: blank_docs::check,
    },
    Rule {
        wants: "files have one subject",
        check: sizes::check,
    },
    Rule {
        wants: "no Rust file is forgotten",
        check: forgotten::check,
    },
    Rule {
        wants: "every snapshot has its test",
        check: snapshots::check,
    },
    Rule {
        wants: "nothing is left for later",
        check: leftovers::check,
    },
    Rule {
        wants: "no path of one computer",
        check: machine_paths::check,
    },
    Rule {
        wants: "packages come from crates.io",
        check: lock::check,
    },
    Rule {
        wants: "no system's name in domain, engine, adapters, cli and tui",
        check: system_names::check,
    },
    Rule {
        wants: "domain and engine do not touch the world",
        check: pure::check,
    },
    Rule {
        wants: "shipped migrations stay as they are",
        check: migrations::check,
    },
    Rule {
        wants: "links lead somewhere",
        check: links::check,
    },
    Rule {
        wants: "every pack is described",
        check: packs::check,
    },
    Rule {
        wants: "the packages the user named are there",
        check: card::check,
    },
];

/// Prints findings, then files worth a second look.
pub(crate) fn run() -> Outcome {
    let tree = Tree::read()?;
    for warning in sizes::worth_a_look(&tree) {
        say::line(&format!("worth a look: {warning}"));
    }
    let wrong = judge(&tree);
    for line in &wrong {
        say::error(line);
    }
    if wrong.is_empty() {
        say::line(&format!(
            "tidy: {} files, {} rules",
            tree.files.len(),
            RULES.len()
        ));
    }
    Ok(wrong.is_empty())
}

fn judge(tree: &Tree) -> Vec<String> {
    let mut lines = Vec::new();
    for rule in RULES {
        let mut findings = (rule.check)(tree);
        findings.sort();
        lines.extend(
            findings
                .iter()
                .map(|finding| format!("{finding} ({})", rule.wants)),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let wrong = judge(&Tree::read().unwrap());
        assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    }

    #[test]
    fn an_empty_repository_is_not() {
        assert!(!judge(&Tree::default()).is_empty());
    }
}
