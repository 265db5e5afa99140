//! Files that can be read and followed: `cat`, `tail`, `journalctl`.

use super::answer::{Follow, last};
use super::{Answer, Growing, JOURNAL, Line, LivingLog, Machine, Output};
use std::sync::Arc;

/// Counts and flags of `tail` and `journalctl`.
struct Asked<'a> {
    count: usize,
    follow: bool,
    unit: Option<&'a str>,
    paths: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(arguments: &[&'a str], count: usize) -> Result<Self, &'a str> {
        let mut asked = Self {
            count,
            follow: false,
            unit: None,
            paths: Vec::new(),
        };
        let mut rest = arguments.iter().copied();
        while let Some(argument) = rest.next() {
            match argument {
                "-f" | "-F" | "--follow" | "--follow=name" => asked.follow = true,
                "-q" | "--quiet" | "--no-pager" | "--retry" | "--" => {}
                "-n" | "--lines" => asked.count = number(rest.next())?,
                "-u" | "--unit" => asked.unit = rest.next(),
                "-o" | "--output" | "-p" | "-S" | "--since" => {
                    rest.next();
                }
                other => {
                    if let Some(count) = other.strip_prefix("--lines=") {
                        asked.count = number(Some(count))?;
                    } else if let Some(unit) = other.strip_prefix("--unit=") {
                        asked.unit = Some(unit);
                    } else if let Some(count) = other.strip_prefix("-n") {
                        asked.count = number(Some(count))?;
                    } else if other.starts_with("--output=") || other.starts_with("--since=") {
                    } else if other.starts_with('-') {
                        return Err(other);
                    } else {
                        asked.paths.push(other);
                    }
                }
            }
        }
        Ok(asked)
    }
}

fn number(text: Option<&str>) -> Result<usize, &str> {
    match text {
        Some("all") => Ok(usize::MAX),
        // `+1`: from the first line on. Other starts are not needed here.
        Some(text) if text.starts_with('+') => Ok(usize::MAX),
        Some(text) => text.parse().map_err(|_| text),
        None => Err("-n"),
    }
}

impl Machine {
    pub(super) fn cat(&self, arguments: &[&str]) -> Output {
        let mut output = Output::default();
        for path in arguments.iter().filter(|argument| **argument != "--") {
            if let Some(text) = self.text_of(path) {
                output = output.and_out(text);
            } else {
                output = output.and_err(format!("cat: {path}: No such file or directory\n"));
                output.code = 1;
            }
        }
        output
    }

    pub(super) fn tail(&self, arguments: &[&str]) -> Answer {
        let asked = match Asked::read(arguments, 10) {
            Ok(asked) => asked,
            Err(option) => {
                return Output::fail(1, format!("tail: invalid option -- '{option}'\n")).into();
            }
        };
        let [path] = asked.paths.as_slice() else {
            return Output::fail(
                1,
                "tail: name one file (this machine follows one at a time)\n",
            )
            .into();
        };
        let Some(log) = self.file(path).filter(|_| *path != JOURNAL) else {
            let Some(text) = self.text_of(path) else {
                let text =
                    format!("tail: cannot open '{path}' for reading: No such file or directory\n");
                return Output::fail(1, text).into();
            };
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let cut = lines.len().saturating_sub(asked.count);
            return Output::out(lines[cut..].concat()).into();
        };
        show(log.clone(), &asked, |_| true)
    }

    pub(super) fn journalctl(&self, arguments: &[&str]) -> Answer {
        let follows = arguments
            .iter()
            .any(|word| matches!(*word, "-f" | "--follow"));
        let asked = match Asked::read(arguments, if follows { 10 } else { usize::MAX }) {
            Ok(asked) => asked,
            Err(option) => {
                let text = format!("journalctl: unrecognized option '{option}'\n");
                return Output::fail(1, text).into();
            }
        };
        let Some(journal) = self.file(JOURNAL) else {
            return Output::fail(1, "No journal files were found.\n").into();
        };
        let unit = asked
            .unit
            .map(|unit| unit.trim_end_matches(".service").to_owned());
        show(journal.clone(), &asked, move |line| {
            unit.as_ref()
                .is_none_or(|unit| line.text.contains(unit.as_str()))
        })
    }

    /// A file that is not a log: rendered from the state.
    pub(super) fn text_of(&self, path: &str) -> Option<String> {
        if let Some(log) = self.file(path).filter(|_| path != JOURNAL) {
            let (lines, _) = log.lines_from(0);
            return Some(lines.into_iter().map(|line| line.text).collect());
        }
        match path {
            "/etc/hostname" => Some(format!("{}\n", self.name())),
            "/etc/os-release" => {
                Some("PRETTY_NAME=\"Ubuntu 24.04.2 LTS\"\nID=ubuntu\nVERSION_ID=\"24.04\"\n".into())
            }
            "/etc/nginx/sites-available/tksea" | "/etc/nginx/sites-enabled/tksea" => {
                self.site_file()
            }
            path => self.on_disk(path).map(|file| file.text),
        }
    }
}

/// The last lines now and, if asked for, the next ones as they come.
fn show(
    log: Arc<LivingLog>,
    asked: &Asked<'_>,
    keep: impl Fn(&Line) -> bool + Send + Sync + 'static,
) -> Answer {
    let (lines, next) = log.lines_from(0);
    let lines = lines.into_iter().filter(|line| keep(line)).collect();
    let output = Output {
        lines: last(lines, asked.count),
        code: 0,
    };
    if asked.follow {
        Answer::following(output, Follow::new(log, next, keep))
    } else {
        output.into()
    }
}
