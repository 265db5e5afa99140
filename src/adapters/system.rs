//! The real clock, and who runs this program.

use cockpit_domain::text::clean_line;
use cockpit_engine::ports::Clock;
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
        .or_else(name_of_user)
        .unwrap_or_else(|| "somebody".to_owned());
    let machine = nix::unistd::gethostname()
        .ok()
        .and_then(|name| word(&name.to_string_lossy()))
        .or_else(|| first_variable(&["HOSTNAME"]))
        .unwrap_or_else(|| "somewhere".to_owned());
    format!("{user}@{machine} pid {}", std::process::id())
}

fn first_variable(names: &[&str]) -> Option<String> {
    names
        .iter()
        .find_map(|name| word(&std::env::var(name).ok()?))
}

/// As the system's list of users has it: no program is started, the first frame waits for this.
fn name_of_user() -> Option<String> {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok()??;
    word(&user.name)
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

    #[test]
    fn the_system_knows_the_user_by_name() {
        let told = std::process::Command::new("id")
            .arg("-un")
            .output()
            .unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        assert_eq!(name_of_user().as_deref(), Some(told.trim()));
    }
}
