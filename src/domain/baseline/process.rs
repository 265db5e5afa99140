//! Processes: the list that `ps` prints, what one of them holds, and what a pack expects of them.

use super::glob::matches_glob;
use super::judgement::Judgement;
use crate::pack::ProcessLook;

/// A line of `ps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent's.
    pub parent: u32,
    /// Seconds since it was started.
    pub age_s: u64,
    /// Its whole command line.
    pub command: String,
}

impl Process {
    fn label(&self) -> String {
        format!("{} {}", self.pid, self.command)
    }
}

/// What a process holds; what could not be seen is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Insides {
    /// Path of the program it runs.
    pub executable: Option<String>,
    /// Working folder.
    pub cwd: Option<String>,
    /// Paths of open files.
    pub open_files: Vec<String>,
}

/// The words that list every process, on every system: number, parent, age, command line.
pub const LIST: [&str; 11] = [
    "ps", "-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "etime=", "-o", "args=",
];

/// Reads what [`LIST`] prints.
///
/// # Errors
/// One sentence when a line is no process.
pub fn read_processes(text: &str) -> Result<Vec<Process>, String> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| read_line(line).ok_or_else(|| format!("`{}` is no process", line.trim())))
        .collect()
}

fn read_line(line: &str) -> Option<Process> {
    let (pid, rest) = line.trim_start().split_once(char::is_whitespace)?;
    let (parent, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    // A process that is just ending may have no command line.
    let (age, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    Some(Process {
        pid: pid.parse().ok()?,
        parent: parent.parse().ok()?,
        age_s: elapsed(age)?,
        command: command.trim().to_owned(),
    })
}

/// `[[days-]hours:]minutes:seconds`.
fn elapsed(text: &str) -> Option<u64> {
    let (days, clock) = text.split_once('-').unwrap_or(("0", text));
    let parts: Vec<u64> = clock
        .split(':')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let seconds = match parts.as_slice() {
        [hours, minutes, seconds] => hours * 3600 + minutes * 60 + seconds,
        [minutes, seconds] => minutes * 60 + seconds,
        _ => return None,
    };
    days.parse::<u64>()
        .ok()?
        .checked_mul(86_400)?
        .checked_add(seconds)
}

/// The processes that a look means. `holders` are the numbers of those that hold its port.
pub fn meant<'p>(look: &ProcessLook, seen: &'p [Process], holders: &[u32]) -> Vec<&'p Process> {
    seen.iter()
        .filter(|process| look.wants_some() && matches(look, process, holders))
        .collect()
}

fn matches(look: &ProcessLook, process: &Process, holders: &[u32]) -> bool {
    let command = look.command.as_ref();
    command.is_none_or(|pattern| matches_glob(pattern, &process.command))
        && (look.port.is_none() || holders.contains(&process.pid))
}

/// Judges the processes that are meant, each with what it holds. `file_age_s` is how long ago the
/// file of `started_after` was changed.
pub fn judge_processes(
    look: &ProcessLook,
    seen: &[Process],
    meant: &[(&Process, Insides)],
    file_age_s: Option<u64>,
) -> Judgement {
    let mut faults = Vec::new();
    if look.wants_some() {
        match (look.count, meant.len()) {
            (None, 0) => faults.push(format!("nothing runs {}", what(look))),
            (Some(count), found) if found != count => {
                faults.push(format!("{found} run {}, expected {count}", what(look)));
            }
            _ => {}
        }
    }
    for (process, insides) in meant {
        let mut wrong = |text: String| faults.push(format!("pid {}: {text}", process.pid));
        if let Some(path) = &look.executable {
            match insides.executable.as_deref() {
                Some(found) if found == path => {}
                Some(found) if found.strip_suffix(" (deleted)") == Some(path.as_str()) => {
                    wrong("its program was replaced on disk since it was started".to_owned());
                }
                found => wrong(format!(
                    "runs {}, expected {path}",
                    found.unwrap_or("nothing that can be seen")
                )),
            }
        }
        if let Some(path) = &look.cwd
            && insides.cwd.as_ref() != Some(path)
        {
            let found = insides
                .cwd
                .as_deref()
                .unwrap_or("no folder that can be seen");
            wrong(format!("works in {found}, expected {path}"));
        }
        for path in &look.open_files {
            if !insides.open_files.contains(path) {
                wrong(format!("does not have {path} open"));
            }
        }
        if let (Some(path), Some(file)) = (&look.started_after, file_age_s)
            && process.age_s > file
        {
            wrong(format!(
                "was started {} before {path} was changed",
                span(process.age_s - file)
            ));
        }
    }
    for process in seen {
        let banned = look
            .banned
            .iter()
            .find(|pattern| matches_glob(pattern, &process.command));
        if let Some(pattern) = banned {
            faults.push(format!("banned by `{pattern}`: pid {}", process.label()));
        }
    }
    let evidence: Vec<String> = meant
        .iter()
        .map(|(process, insides)| evidence(process, insides))
        .collect();
    let good = match meant {
        [] => format!("none of {} processes is banned", seen.len()),
        [(one, _)] => format!("pid {} runs for {}", one.pid, span(one.age_s)),
        many => format!("{} run", many.len()),
    };
    Judgement::of_faults(expectation(look), &faults, &good, &evidence.join("\n"))
}

fn evidence(process: &Process, insides: &Insides) -> String {
    let mut line = format!("{} for {}", process.label(), span(process.age_s));
    for (name, value) in [("runs", &insides.executable), ("in", &insides.cwd)] {
        if let Some(value) = value {
            line = format!("{line}; {name} {value}");
        }
    }
    line
}

/// A span as people say it, in its largest unit.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn what(look: &ProcessLook) -> String {
    match (&look.command, look.port) {
        (Some(command), Some(port)) => format!("`{command}` on port {port}"),
        (Some(command), None) => format!("`{command}`"),
        (None, Some(port)) => format!("on port {port}"),
        (None, None) => String::new(),
    }
}

pub(super) fn expectation(look: &ProcessLook) -> String {
    let mut parts = Vec::new();
    if look.wants_some() {
        let count = look
            .count
            .map_or(String::new(), |count| format!("{count} "));
        parts.push(format!("{count}runs {}", what(look)));
    }
    let named = [
        ("program", &look.executable),
        ("folder", &look.cwd),
        ("started after", &look.started_after),
    ];
    for (name, value) in named {
        parts.extend(value.as_ref().map(|value| format!("{name} {value}")));
    }
    parts.extend(look.open_files.iter().map(|path| format!("{path} open")));
    if !look.banned.is_empty() {
        parts.push(format!("nothing runs {}", look.banned.join(", ")));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Verdict;

    const PS: &str = "    1     0 41-03:12:09 /sbin/init\n  702     1    01:02:03 sshd: /usr/sbin/sshd -D\n\
                      2417     1       02:00 /srv/crm/server --port 18190\n 3000  2417       00:01 \n";

    #[test]
    fn lines_of_ps_are_read_with_their_ages() {
        let ages: Vec<(u32, u32, u64, String)> = read_processes(PS)
            .unwrap()
            .into_iter()
            .map(|row| (row.pid, row.parent, row.age_s, row.command))
            .collect();
        let expected = [
            (1, 0, 41 * 86_400 + 3 * 3600 + 12 * 60 + 9, "/sbin/init"),
            (702, 1, 3723, "sshd: /usr/sbin/sshd -D"),
            (2417, 1, 120, "/srv/crm/server --port 18190"),
            (3000, 2417, 1, ""),
        ];
        assert_eq!(
            ages,
            expected.map(|(pid, parent, age, command)| (pid, parent, age, command.to_owned()))
        );
        for strange in ["ps: illegal option", "1 x 00:01 a", "1 0 yesterday a"] {
            assert!(read_processes(strange).is_err(), "{strange}");
        }
    }

    fn crm() -> ProcessLook {
        ProcessLook {
            command: Some("/srv/crm/server*".to_owned()),
            port: Some(18190),
            count: Some(1),
            executable: Some("/srv/crm/server".to_owned()),
            cwd: Some("/srv/crm".to_owned()),
            started_after: Some("/srv/crm/server".to_owned()),
            open_files: vec!["/srv/crm/crm.db".to_owned()],
            banned: vec!["*crm-verify-*".to_owned()],
        }
    }

    fn insides() -> Insides {
        Insides {
            executable: Some("/srv/crm/server".to_owned()),
            cwd: Some("/srv/crm".to_owned()),
            open_files: vec!["/srv/crm/crm.db".to_owned(), "/dev/null".to_owned()],
        }
    }

    fn judged(
        look: &ProcessLook,
        text: &str,
        holders: &[u32],
        insides: &Insides,
        file: u64,
    ) -> String {
        let seen = read_processes(text).unwrap();
        let rows: Vec<_> = meant(look, &seen, holders)
            .into_iter()
            .map(|process| (process, insides.clone()))
            .collect();
        let judgement = judge_processes(look, &seen, &rows, Some(file));
        assert_eq!(
            judgement.verdict == Verdict::Ok,
            judgement.found.contains("runs for")
        );
        judgement.found
    }

    #[test]
    fn everything_that_is_pinned_of_a_process_is_judged() {
        let with = |change: fn(&mut Insides)| {
            let mut insides = insides();
            change(&mut insides);
            insides
        };
        let rows = [
            ("good", 2417, insides(), 500, "pid 2417 runs for 2 min"),
            (
                "another holds the port",
                702,
                insides(),
                500,
                "0 run `/srv/crm/server*` on port 18190, expected 1",
            ),
            (
                "an older program than the file",
                2417,
                insides(),
                60,
                "pid 2417: was started 60 s before /srv/crm/server was changed",
            ),
            (
                "another program",
                2417,
                with(|all| all.executable = Some("/tmp/server".to_owned())),
                500,
                "pid 2417: runs /tmp/server, expected /srv/crm/server",
            ),
            (
                "a replaced program",
                2417,
                with(|all| all.executable = Some("/srv/crm/server (deleted)".to_owned())),
                500,
                "pid 2417: its program was replaced on disk since it was started",
            ),
            (
                "another folder",
                2417,
                with(|all| all.cwd = Some("/".to_owned())),
                500,
                "pid 2417: works in /, expected /srv/crm",
            ),
            (
                "another database",
                2417,
                with(|all| all.open_files = vec!["/tmp/crm.db".to_owned()]),
                500,
                "pid 2417: does not have /srv/crm/crm.db open",
            ),
        ];
        for (name, holder, insides, file, found) in rows {
            assert_eq!(
                judged(&crm(), PS, &[holder], &insides, file),
                found,
                "{name}"
            );
        }
    }

    #[test]
    fn a_second_one_and_a_banned_one_are_named() {
        let two = format!("{PS} 2500 1 00:10 /srv/crm/server --port 18190\n");
        assert_eq!(
            judged(&crm(), &two, &[2417, 2500], &insides(), 500),
            "2 run `/srv/crm/server*` on port 18190, expected 1"
        );
        let banned = format!("{PS} 2600 1 00:10 /opt/crm-verify-7/server\n");
        assert_eq!(
            judged(&crm(), &banned, &[2417], &insides(), 500),
            "banned by `*crm-verify-*`: pid 2600 /opt/crm-verify-7/server"
        );
    }
}
