//! Reads the program's own help, command by command, and makes a table of it.

use std::error::Error;

/// Asks the program for the help of a command.
type Ask<'a> = &'a dyn Fn(&[String]) -> Result<String, Box<dyn Error>>;

/// Commands nested deeper than this are a loop.
const DEEPEST: usize = 4;

/// The table of all commands that do something themselves.
pub(super) fn table(ask: Ask<'_>) -> Result<String, Box<dyn Error>> {
    let mut rows = vec![
        "| command | what it does |".to_owned(),
        "|---|---|".to_owned(),
    ];
    collect(ask, &mut Vec::new(), &mut rows)?;
    Ok(rows.join("\n"))
}

fn collect(
    ask: Ask<'_>,
    words: &mut Vec<String>,
    rows: &mut Vec<String>,
) -> Result<(), Box<dyn Error>> {
    let text = ask(words)?;
    let commands = if words.len() < DEEPEST {
        commands(&text)
    } else {
        Vec::new()
    };
    // A group that wants a word after it does nothing itself.
    if commands.is_empty() || !usage(&text).contains("<COMMAND>") {
        rows.push(row(&text));
    }
    for command in commands {
        words.push(command);
        collect(ask, words, rows)?;
        words.pop();
    }
    Ok(())
}

/// Names under `Commands:`, without `help`.
fn commands(text: &str) -> Vec<String> {
    text.lines()
        .skip_while(|line| line.trim_end() != "Commands:")
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        // Names stand two spaces in; wrapped words stand deeper.
        .filter_map(|line| {
            line.strip_prefix("  ")
                .filter(|rest| !rest.starts_with(' '))
        })
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn usage(text: &str) -> &str {
    text.lines()
        .find_map(|line| line.trim().strip_prefix("Usage: "))
        .map_or("?", str::trim)
}

fn row(text: &str) -> String {
    let usage = usage(text);
    let about = text
        .lines()
        .take_while(|line| !line.trim().is_empty() && !line.starts_with("Usage:"))
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ");
    // A bar inside a cell would end it.
    format!(
        "| `{}` | {} |",
        usage.replace('|', "\\|"),
        about.replace('|', "\\|")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_a_row() {
        let ask = |words: &[String]| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            Ok(match words[..] {
                [] => {
                    "Cockpit\n\nUsage: cockpit [OPTIONS] [COMMAND]\n\nCommands:\n  batch   Batches\n          \
                     wrapped\n  doctor  Looks\n  help    Print this\n\nOptions:\n  -h  Help\n"
                }
                ["batch"] => "Batches\n\nUsage: cockpit batch <COMMAND>\n\nCommands:\n  show  One\n",
                ["batch", "show"] => "Shows one,\nwhole\n\nUsage: cockpit batch show <BATCH>\n",
                _ => "Looks at a|b\n\nUsage: cockpit doctor\n",
            }
            .to_owned())
        };
        let table = table(&ask).unwrap();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| `cockpit [OPTIONS] [COMMAND]` | Cockpit |",
                "| `cockpit batch show <BATCH>` | Shows one, whole |",
                "| `cockpit doctor` | Looks at a\\|b |",
            ]
        );
    }

    #[test]
    fn a_program_that_does_not_answer_is_an_error() {
        assert!(table(&|_: &[String]| Err("no".into())).is_err());
    }
}
