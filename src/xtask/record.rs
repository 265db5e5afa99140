//! Takes the recordings again from a running host. The tests know how to play a scenario; this
//! only names the host to them.

use crate::{Outcome, repo, say};
use std::path::Path;

const USAGE: &str = "cargo xtask record --base URL --admin-key FILE --upstream URL --chat-upstream URL [SCENARIO …]";

/// What the words after `record` say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    /// Variables for the tests.
    env: Vec<(&'static str, String)>,
    /// Scenarios; all if none.
    scenarios: Vec<String>,
}

const OPTIONS: [(&str, &str); 4] = [
    ("--base", "COCKPIT_RECORD_BASE"),
    ("--admin-key", "COCKPIT_RECORD_ADMIN_KEY_FILE"),
    ("--upstream", "COCKPIT_RECORD_UPSTREAM"),
    ("--chat-upstream", "COCKPIT_RECORD_CHAT_UPSTREAM"),
];

/// Plays the scenarios against a host and keeps its answers.
pub(crate) fn run(words: &[&str]) -> Outcome {
    let wanted = match read(words) {
        Ok(wanted) => wanted,
        Err(why) => {
            say::error(&format!("{why}\n\n{USAGE}"));
            return Ok(false);
        }
    };
    let mut cargo = repo::cargo();
    cargo.args(["test", "--locked", "--test", "blackbox", "recordings::"]);
    // One after the other: they share the host.
    cargo.args(["--", "--test-threads=1"]);
    cargo.env("COCKPIT_RECORD_ONLY", wanted.scenarios.join(","));
    cargo.envs(wanted.env);
    Ok(cargo.status()?.success())
}

fn read(words: &[&str]) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.starts_with("--") {
            wanted.scenarios.push((*word).to_owned());
            continue;
        }
        let known = OPTIONS.iter().find(|(option, _)| option == word);
        let (option, variable) = known.ok_or_else(|| format!("`{word}` is no option"))?;
        let value = words
            .next()
            .ok_or_else(|| format!("{option} wants a value"))?;
        let value = match *option {
            // The tests run in another folder.
            "--admin-key" => std::path::absolute(Path::new(value))
                .map_err(|error| format!("{value}: {error}"))?
                .display()
                .to_string(),
            _ => (*value).to_owned(),
        };
        wanted.env.push((variable, value));
    }
    for (option, variable) in OPTIONS {
        if !wanted.env.iter().any(|(name, _)| *name == variable) {
            return Err(format!("{option} is missing"));
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_whole_or_not_at_all() {
        let all = [
            "--base",
            "http://h",
            "groups",
            "--admin-key",
            "/k",
            "--upstream",
            "http://u",
            "--chat-upstream",
            "http://c",
        ];
        let wanted = read(&all).unwrap();
        assert_eq!(wanted.scenarios, ["groups"]);
        let base = ("COCKPIT_RECORD_BASE", "http://h".to_owned());
        let file = ("COCKPIT_RECORD_ADMIN_KEY_FILE", "/k".to_owned());
        assert!(wanted.env.contains(&base) && wanted.env.contains(&file));
        assert_eq!(read(&all[2..]).unwrap_err(), "--base is missing");
        assert_eq!(read(&["--base"]).unwrap_err(), "--base wants a value");
        assert_eq!(read(&["--what", "x"]).unwrap_err(), "`--what` is no option");
    }
}
