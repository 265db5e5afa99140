//! Everything that has to pass before a change lands: named steps, in order, stopped at the first
//! failure. `.ci/run` and the workflow call this and nothing else.

mod scan;

use crate::{Outcome, docs, repo, say};
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a step is carried out.
enum Act {
    /// A tool has to end well.
    Tool(Command),
    /// Tests have to pass, and on CI none may be left out.
    Tests(Command),
    /// A task of ours.
    Task(fn() -> Outcome),
}

struct Step {
    name: &'static str,
    act: Act,
}

/// Runs all steps.
pub(crate) fn run() -> Outcome {
    let strict = std::env::var_os("CI").is_some_and(|value| is_true(&value));
    let mut done: Vec<(&str, Duration)> = Vec::new();
    for Step { name, act } in steps() {
        say::line(&format!("\n== {name}"));
        let began = Instant::now();
        let well = match act {
            Act::Tool(mut command) => command.stdin(Stdio::null()).status()?.success(),
            Act::Tests(command) => scan::run(command, strict)?,
            Act::Task(task) => task()?,
        };
        let took = began.elapsed();
        if !well {
            say::error(&format!("\n== {name}: failed after {}", seconds(took)));
            return Ok(false);
        }
        done.push((name, took));
    }
    say::line("\n== all steps passed");
    for (name, took) in done {
        say::line(&format!("{:>9}  {name}", seconds(took)));
    }
    Ok(true)
}

fn steps() -> Vec<Step> {
    let tool = |name, words: &str| Step {
        name,
        act: Act::Tool(cargo(words)),
    };
    let mut docs = cargo("doc --no-deps --workspace --document-private-items --locked");
    docs.env("RUSTDOCFLAGS", "-Dwarnings");
    let mut lock = repo::git();
    lock.args(["diff", "--exit-code", "--", "Cargo.lock"]);
    vec![
        tool("format", "fmt --all --check"),
        tool("layers and tidy", "test -p xtask --locked"),
        tool(
            "lints",
            "clippy --workspace --all-targets --locked -- -D warnings",
        ),
        // What the README tells people to run; the flag only shows what passing tests print.
        Step {
            name: "tests",
            act: Act::Tests(cargo("test --locked -- --show-output")),
        },
        tool("drill", "run --release --locked -- drill"),
        Step {
            name: "documentation",
            act: Act::Tool(docs),
        },
        Step {
            name: "generated blocks",
            act: Act::Task(docs::check),
        },
        Step {
            name: "lock file",
            act: Act::Tool(lock),
        },
    ]
}

/// `cargo` with these words. Snapshots are compared, never rewritten.
fn cargo(words: &str) -> Command {
    let mut command = repo::cargo();
    command.args(words.split(' ')).env("INSTA_UPDATE", "no");
    command
}

fn is_true(value: &OsString) -> bool {
    value == "true" || value == "1"
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheap_steps_come_first_and_the_tests_are_the_readme_s() {
        let steps = steps();
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        assert_eq!(names[..3], ["format", "layers and tidy", "lints"]);
        let tests: Vec<String> = steps
            .iter()
            .filter_map(|step| match &step.act {
                Act::Tests(command) => Some(command),
                _ => None,
            })
            .map(|command| {
                command
                    .get_args()
                    .map(|word| word.to_string_lossy())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(tests, ["test --locked -- --show-output"]);
    }

    #[test]
    fn ci_is_strict_when_it_says_so() {
        assert!(is_true(&"true".into()) && is_true(&"1".into()));
        assert!(!is_true(&"false".into()) && !is_true(&"".into()));
    }
}
