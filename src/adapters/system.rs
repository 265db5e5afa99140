//! The real clock, and who runs this program.

use cockpit_domain::text::clean_line;
use cockpit_engine::ports::Clock;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's own time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn uuid(&self) -> String {
        uuid::Uuid::now_v7().to_string()
    }
}

/// Who runs this program, for leases and the audit: `user@machine pid N`.
pub fn owner_string() -> String {
    let user = first_variable(&["USER", "LOGNAME"])
        .or_else(|| answer_of("id", &["-un"]))
        .unwrap_or_else(|| "somebody".to_owned());
    let machine = ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| word(&std::fs::read_to_string(path).ok()?))
        .or_else(|| answer_of("hostname", &[]))
        .or_else(|| first_variable(&["HOSTNAME"]))
        .unwrap_or_else(|| "somewhere".to_owned());
    format!("{user}@{machine} pid {}", std::process::id())
}

fn first_variable(names: &[&str]) -> Option<String> {
    names
        .iter()
        .find_map(|name| word(&std::env::var(name).ok()?))
}

fn answer_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    word(&String::from_utf8_lossy(&output.stdout))
}

/// The first line as one harmless word, if there is one.
fn word(text: &str) -> Option<String> {
    let line = clean_line(text.lines().next()?.trim()).replace(' ', "_");
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_with_time_and_the_clock_is_in_this_century() {
        let (first, second) = (SystemClock.uuid(), SystemClock.uuid());
        assert!(first < second, "{first} {second}");
        assert_eq!((first.len(), &first[14..15]), (36, "7"));
        assert!(SystemClock.now_ms() > 1_700_000_000_000);
    }

    #[test]
    fn the_owner_names_user_machine_and_process() {
        let owner = owner_string();
        let (who, pid) = owner.split_once(" pid ").unwrap();
        let (user, machine) = who.split_once('@').unwrap();
        assert!(!user.is_empty() && !machine.is_empty(), "{owner}");
        assert_eq!(pid, std::process::id().to_string());
    }
}
