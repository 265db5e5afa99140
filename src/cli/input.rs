//! What a person hands to a command: key files and standard input. Read once, never echoed.

use cockpit_domain::secret::Secret;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use std::io::{IsTerminal, Read};

/// Longest key input taken, bytes.
const MOST: u64 = 4 << 20;

/// Reads the key input from a file, or from standard input for `-`.
pub(crate) fn read_keys(from: &str) -> Outcome<Secret> {
    let doing = "reading the key input";
    let fail = |error: std::io::Error| {
        Failure::new(FailureKind::Usage, format!("`{from}`: {error}"))
            .doing(doing)
            .hint("`--keys` takes a file with one key a line, a table with a column `key`, or JSON; or `-` for standard input")
    };
    let mut text = String::new();
    let read = if from == "-" {
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            // Typed keys would stand on the screen and in its scrollback.
            return Err(Failure::new(
                FailureKind::Usage,
                "standard input is a terminal, where keys would be seen",
            )
            .doing(doing)
            .hint("pipe the keys in, or name a file: `--keys FILE`"));
        }
        stdin.lock().take(MOST + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(from).and_then(|file| file.take(MOST + 1).read_to_string(&mut text))
    };
    read.map_err(fail)?;
    if text.len() as u64 > MOST {
        return Err(
            Failure::new(FailureKind::Usage, format!("`{from}` is larger than 4 MiB"))
                .doing(doing)
                .hint("split it; one import takes up to some ten thousand keys"),
        );
    }
    Ok(Secret::new(text))
}
