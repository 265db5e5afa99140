//! From the command string of an exec request to program and arguments. No shell runs: words are
//! split as a shell would split them, and the usual prefixes are peeled off. The one script that
//! is understood is a keeper: `sh -c '… "$@" …' sh PROGRAM ARGUMENTS`, which runs its arguments
//! and ends them when its input is closed.

/// A command as the machine is asked to run it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Program and arguments; the first word is the program.
    Words {
        /// The words.
        words: Vec<String>,
        /// A keeper ends the program when the client closes its input.
        kept: bool,
    },
    /// Needs a shell or cannot be split: what `sh` would say instead.
    Unusable(String),
}

/// Splits and peels `exec`, assignments, `env`, `sudo -n`, `command`, `nice`, `timeout 5`.
pub(crate) fn read(command: &str) -> Asked {
    let mut words = match shell_words::split(command) {
        Ok(words) => words,
        Err(error) => return Asked::Unusable(format!("sh: 1: Syntax error: {error}\n")),
    };
    let shell = |word: &String| {
        matches!(
            word.as_str(),
            "|" | "||" | "&&" | ";" | "&" | ">" | ">>" | "<" | "2>&1" | "2>/dev/null"
        )
    };
    if let Some(word) = words.iter().find(|word| shell(word)) {
        return Asked::Unusable(format!(
            "sh: 1: `{word}` needs a shell, and this machine runs none\n"
        ));
    }
    let mut kept = false;
    while let Some(count) = prefix(&words) {
        kept |= is_keeper(&words);
        words.drain(..count);
    }
    Asked::Words { words, kept }
}

/// `sh -c SCRIPT sh …` whose script runs the words after it.
fn is_keeper(words: &[String]) -> bool {
    match words {
        [shell, flag, script, _, _, ..] => {
            matches!(shell.as_str(), "sh" | "/bin/sh" | "bash")
                && flag == "-c"
                && script.contains("\"$@\"")
        }
        _ => false,
    }
}

/// How many leading words are a prefix, if any.
fn prefix(words: &[String]) -> Option<usize> {
    let first = words.first()?;
    if is_assignment(first) {
        return Some(1);
    }
    if is_keeper(words) {
        return Some(4);
    }
    let options = |from: usize, with_value: &[&str]| {
        let mut at = from;
        while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
            at += 1;
            if word == "--" {
                break;
            }
            if with_value.contains(&word.as_str()) {
                at += 1;
            }
        }
        at.min(words.len())
    };
    match first.rsplit('/').next().unwrap_or(first) {
        "exec" | "nohup" => Some(1),
        "env" => Some(options(1, &["-u", "-C"])),
        "sudo" => Some(options(1, &["-u", "-g", "-C"])),
        "nice" => Some(options(1, &["-n"])),
        "timeout" => Some((options(1, &["-k", "-s"]) + 1).min(words.len())),
        // `command -v` is a question about programs, not a prefix.
        "command" if words.get(1).is_none_or(|word| word != "-v") => Some(1),
        _ => None,
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let mut chars = name.chars();
        chars
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str) -> Vec<String> {
        match read(command) {
            Asked::Words { words, .. } => words,
            Asked::Unusable(text) => panic!("unusable: {text}"),
        }
    }

    #[test]
    fn usual_prefixes_are_peeled_off() {
        for command in [
            "docker ps -a",
            "exec docker ps -a",
            "PATH=/opt/bin:$PATH docker ps -a",
            "env PATH=/opt/bin LC_ALL=C docker ps -a",
            "sudo -n docker ps -a",
            "exec sudo -n -- env LC_ALL=C timeout 5 docker ps -a",
            "LC_ALL=C command docker ps -a",
        ] {
            assert_eq!(words(command), ["docker", "ps", "-a"], "{command}");
        }
    }

    #[test]
    fn a_keeper_is_peeled_off_and_remembered() {
        let command = r#"sh -c 'exec 3<&0; "$@" & wait' sh env PATH=/x docker logs -f sub2api"#;
        let Asked::Words { words, kept } = read(command) else {
            panic!("unusable");
        };
        assert_eq!(words, ["docker", "logs", "-f", "sub2api"]);
        assert!(kept);
        assert!(matches!(
            read("docker ps"),
            Asked::Words { kept: false, .. }
        ));
        assert_eq!(words_of_script(), ["sh", "-c", "docker ps; true"]);
    }

    fn words_of_script() -> Vec<String> {
        words("sh -c 'docker ps; true'")
    }

    #[test]
    fn a_quoted_template_stays_one_word() {
        assert_eq!(
            words("docker ps --format '{{json .}}'"),
            ["docker", "ps", "--format", "{{json .}}"]
        );
    }

    #[test]
    fn shell_syntax_is_refused_and_named() {
        assert!(matches!(read("docker ps | head"), Asked::Unusable(text) if text.contains("`|`")));
        assert!(matches!(read("echo 'open"), Asked::Unusable(_)));
    }

    #[test]
    fn a_bare_prefix_leaves_nothing() {
        assert_eq!(words("sudo -n"), Vec::<String>::new());
        assert_eq!(words(""), Vec::<String>::new());
    }
}
