//! `src/lab/TRAPS.md`: each trap of the host contract with what shows that it is handled. Checked
//! here: every trap has one row, with a story or why there is none, and every test, recording and
//! story that a row names is in the tree.

use crate::finding::Finding;
use crate::tree::Tree;
use crate::{Outcome, say};

const TABLE: &str = "src/lab/TRAPS.md";
const RECORDINGS: &str = "tests/data/recordings/";
const STORIES: &str = "tests/scenarios/";
const TRAPS: u32 = 37;
/// Cells behind the trap's words: the lab, the client, the story.
const CELLS: usize = 3;
const ELSEWHERE: &str = "not on this surface";

/// Checks the table.
pub(crate) fn run() -> Outcome {
    let found = check(&Tree::read()?);
    for finding in &found {
        say::error(&finding.to_string());
    }
    if found.is_empty() {
        say::line(&format!("{TRAPS} traps, each with what shows it"));
    }
    Ok(found.is_empty())
}

/// One row: number, the trap, columns of the lab, the client and the story.
struct Row<'a> {
    line: usize,
    number: u32,
    shown: Vec<&'a str>,
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
            let number = cells.next()?.parse().ok()?;
            Some(Row {
                line: index + 1,
                number,
                shown: cells.skip(1).filter(|cell| !cell.is_empty()).collect(),
            })
        })
        .collect()
}

/// The names in backquotes.
fn names<'a>(row: &Row<'a>) -> Vec<&'a str> {
    let cells = row.shown.iter();
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect()
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(TABLE) else {
        return vec![Finding::file(TABLE, "the table of traps is missing")];
    };
    let rows = rows(text);
    let mut found = Vec::new();
    for trap in 1..=TRAPS {
        let count = rows.iter().filter(|row| row.number == trap).count();
        if count != 1 {
            let message = format!("trap {trap} has {count} rows, it wants one");
            found.push(Finding::file(TABLE, message));
        }
    }
    for row in &rows {
        let names = names(row);
        let elsewhere = row.shown.iter().any(|cell| cell.contains(ELSEWHERE));
        if names.is_empty() && !elsewhere {
            let message = format!(
                "trap {}: name what shows it, or why nothing does",
                row.number
            );
            found.push(Finding::line(TABLE, row.line, message));
        }
        if row.shown.len() < CELLS {
            let message = format!("trap {}: name a story, or why there is none", row.number);
            found.push(Finding::line(TABLE, row.line, message));
        }
        for name in names.iter().filter(|name| !there(tree, name)) {
            let message = format!("`{name}` is no test, no recording and no story of this tree");
            found.push(Finding::line(TABLE, row.line, message));
        }
        let told = recorded(tree, row.number).into_iter();
        for scenario in told.chain(stories(tree, row.number)) {
            if !names.contains(&scenario.as_str()) {
                let message = format!("trap {}: `{scenario}` says that it shows it", row.number);
                found.push(Finding::line(TABLE, row.line, message));
            }
        }
    }
    found
}

/// A scenario with its recording, a story, or a test function.
fn there(tree: &Tree, name: &str) -> bool {
    if tree.has(&format!("{STORIES}{name}.toml")) {
        return true;
    }
    if let Some(scenario) = name.strip_suffix(".toml") {
        return tree.has(&format!("{RECORDINGS}{name}"))
            && tree.has(&format!("{RECORDINGS}{scenario}.recorded.json"));
    }
    let head = format!("fn {name}(");
    let mut tests = tree
        .ending(".rs")
        .filter(|file| file.text.contains("#[test]") || file.text.contains("#[tokio::test"));
    tests.any(|file| file.lines().any(|(_, line)| line.contains(&head)))
}

/// The stories that name a trap.
fn stories(tree: &Tree, trap: u32) -> Vec<String> {
    let files = tree.ending(".toml");
    let files = files.filter_map(|file| {
        let name = file.path.strip_prefix(STORIES)?.strip_suffix(".toml")?;
        Some((file, name.to_owned()))
    });
    let named = format!("\"trap {trap}\"");
    let naming = files.filter(|(file, _)| {
        let mut lines = file
            .lines()
            .filter_map(|(_, line)| line.strip_prefix("shows = ["));
        lines.any(|list| list.contains(&named))
    });
    naming.map(|(_, name)| name).collect()
}

/// The scenarios that name a trap.
fn recorded(tree: &Tree, trap: u32) -> Vec<String> {
    let files = tree.ending(".toml");
    let files = files.filter(|file| file.path.starts_with(RECORDINGS));
    let naming = files.filter(|file| {
        let mut lists = file
            .lines()
            .filter_map(|(_, line)| line.strip_prefix("traps = ["));
        lists.any(|list| {
            let mut numbers = list.trim_end_matches(']').split(',');
            numbers.any(|number| number.trim().parse() == Ok(trap))
        })
    });
    naming
        .filter_map(|file| Some(file.path.strip_prefix(RECORDINGS)?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trap_names_what_shows_it() {
        let found = check(&Tree::read().unwrap());
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn a_row_that_promises_too_much_is_named() {
        let mut table = String::from("| no | trap | lab | client |\n|---|---|---|---|\n");
        for trap in 1..=TRAPS {
            let shown = match trap {
                1 => "`a_test`, `groups.toml` | `gone_test` | `a_story`",
                2 => "| | none",
                3 => continue,
                5 => "not on this surface: why | why",
                _ => "not on this surface: why | why | none",
            };
            table += &["| ", &trap.to_string(), " | words | ", shown, " |\n"].concat();
        }
        let tree = Tree::of(&[
            (TABLE, &table),
            ("src/a/tests.rs", "#[test]\nfn a_test() {}\n"),
            ("tests/data/recordings/groups.toml", "traps = [1, 4]\n"),
            ("tests/data/recordings/groups.recorded.json", "{}"),
            (
                "tests/scenarios/a_story.toml",
                "shows = [\"trap 1\", \"trap 6\"]\n",
            ),
        ]);
        let found = check(&tree);
        let found: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(found.len(), 7, "{found:?}");
        for words in [
            "trap 3 has 0 rows",
            "`gone_test` is no test",
            "trap 2: name",
            "trap 4: `groups.toml`",
            "trap 5: name a story",
            "trap 6: `a_story`",
        ] {
            assert!(
                found.iter().any(|one| one.contains(words)),
                "{words}: {found:?}"
            );
        }
    }
}
