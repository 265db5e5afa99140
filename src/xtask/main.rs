//! Developer tasks: `cargo xtask ci | layers | tidy | docs [--check] | record | shots | traps`.
//! Reads files and runs tools; no other crate depends on it, and it depends on none of ours, so it
//! builds in seconds.

mod ci;
mod docs;
mod finding;
mod layers;
mod record;
mod repo;
mod say;
mod shots;
mod tidy;
mod traps;
mod tree;

use std::process::ExitCode;

/// What a task comes to: whether all was well, or why it could not be told.
type Outcome = Result<bool, Box<dyn std::error::Error>>;

const USAGE: &str = "\
cargo xtask TASK

  ci              everything that has to pass before a change lands, in order
  layers          which crate may name which
  tidy            what no lint knows: sizes, heads, forgotten files, links, names
  docs            rewrite the generated blocks of the documentation
  docs --check    fail when a generated block is out of date
  record …        take the recordings again from a running host
  shots …         take the pictures of the screen again
  traps           every trap of the host contract has its test or recording";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["ci"] => ci::run(),
        ["layers"] => layers::run(),
        ["tidy"] => tidy::run(),
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::check(),
        ["record", ref words @ ..] => record::run(words),
        ["shots", ref words @ ..] => shots::run(words),
        ["traps"] => traps::run(),
        [] | ["help" | "--help" | "-h"] => {
            say::line(USAGE);
            Ok(true)
        }
        _ => {
            say::error(&format!(
                "there is no task `{}`\n\n{USAGE}",
                words.join(" ")
            ));
            Ok(false)
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say::error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}
