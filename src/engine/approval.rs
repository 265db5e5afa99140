//! What confirmation an act needs. It sits here, not in a face, so that screen, command line and
//! HTTP cannot differ (`product.md` 7, 8).

use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::SavedPlan;
use cockpit_domain::canonical::hash_matches;
use cockpit_domain::host::{HostSettings, Role};
use serde::{Deserialize, Serialize};

/// What an act can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// It can be taken back.
    Undoable,
    /// Nothing brings back what it takes away.
    Final,
}

impl Risk {
    /// Of a plan, by its kind.
    pub fn of(kind: &str) -> Self {
        match kind {
            "prune" => Self::Final,
            _ => Self::Undoable,
        }
    }

    /// Of a saved plan: a rollback that deletes what was taken over brings nothing back.
    pub fn of_plan(plan: &SavedPlan) -> Self {
        if plan.body["delete"] == true {
            return Self::Final;
        }
        Self::of(&plan.kind)
    }

    /// Whether the host's name has to be typed and a reason given, beside the hash.
    pub fn wants_name(self, production: bool) -> bool {
        production || self == Self::Final
    }
}

/// A person's word for one plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Head of the plan's hash, at least 12 hex digits.
    pub hash: String,
    /// The host's name, typed; wanted for production, and for what cannot be taken back.
    pub host_name: Option<String>,
    /// Why; wanted where the name is.
    pub reason: Option<String>,
}

impl Approval {
    /// Checks the word against the plan and its host.
    pub fn check(&self, plan: &SavedPlan, host: &HostSettings) -> Outcome<()> {
        let refuse = |message: String, hint: String| {
            Err(Failure::new(FailureKind::Denied, message)
                .doing(format!("approving {}", plan.id))
                .hint(hint))
        };
        if !hash_matches(&self.hash, &plan.hash) {
            let found = if self.hash.is_empty() {
                "no approval was given"
            } else {
                "the hash given is not this plan's"
            };
            return refuse(
                found.to_owned(),
                // Never the hash itself: naming it here would arm people who have not read.
                "read the plan; it prints the line that applies it, with `--yes` and 12 or more digits of its hash".to_owned(),
            );
        }
        let risk = Risk::of_plan(plan);
        if !risk.wants_name(host.role == Role::Production) {
            return Ok(());
        }
        let because = match risk {
            Risk::Undoable => format!("`{}` is production", host.id),
            Risk::Final => "this cannot be taken back".to_owned(),
        };
        if self.host_name.as_deref() != Some(host.id.as_str()) {
            return refuse(
                format!("{because}: the name of its host has to be typed"),
                format!("add `--host-name {}`", host.id),
            );
        }
        if self
            .reason
            .as_deref()
            .is_none_or(|reason| reason.trim().is_empty())
        {
            return refuse(
                format!("{because}: a reason has to be given"),
                "add `--reason \"why\"`; it is kept in the audit".to_owned(),
            );
        }
        Ok(())
    }
}

/// What a stale plan's refusal names: lines that are new, then lines that are gone, the first few.
pub(crate) fn changed_since(was: &[String], now: &[String]) -> String {
    let mut told: Vec<String> = now
        .iter()
        .filter(|line| !was.contains(line))
        .map(|line| format!("now: {line}"))
        .collect();
    told.extend(
        was.iter()
            .filter(|line| !now.contains(line))
            .map(|line| format!("no longer: {line}")),
    );
    told.truncate(6);
    if told.is_empty() {
        told.push("a field the plan depends on".to_owned());
    }
    told.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cockpit_domain::ids::{HostId, MachineId, PackId, PlanId};

    fn plan() -> SavedPlan {
        SavedPlan {
            id: PlanId(1),
            kind: "import".to_owned(),
            host: HostId::new("prod").unwrap(),
            provider: PackId::new("lab").unwrap(),
            batch: None,
            hash: "0123456789abcdef".repeat(4),
            body: serde_json::Value::Null,
            created_ms: 0,
            used_ms: None,
        }
    }

    fn host(role: Role) -> HostSettings {
        HostSettings::new(HostId::new("prod").unwrap(), MachineId::local(), "", role)
    }

    #[test]
    fn a_stale_plan_is_told_by_its_lines() {
        let lines = |lines: &[&str]| -> Vec<String> {
            lines.iter().map(|line| (*line).to_owned()).collect()
        };
        let (was, now) = (lines(&["= a", "+ b"]), lines(&["= a", "= b"]));
        assert_eq!(changed_since(&was, &now), "now: = b; no longer: + b");
        assert!(!changed_since(&was, &was).is_empty());
    }

    #[test]
    fn confirmation_grows_with_the_role() {
        let word = |hash: &str, name: Option<&str>, reason: Option<&str>| Approval {
            hash: hash.to_owned(),
            host_name: name.map(str::to_owned),
            reason: reason.map(str::to_owned),
        };
        let cases = [
            (
                "right hash",
                Role::Acceptance,
                word("0123456789ab", None, None),
                true,
            ),
            ("no hash", Role::Acceptance, word("", None, None), false),
            (
                "short hash",
                Role::Acceptance,
                word("0123456789a", None, None),
                false,
            ),
            (
                "other hash",
                Role::Acceptance,
                word("ffffffffffff", None, None),
                false,
            ),
            (
                "production, hash only",
                Role::Production,
                word("0123456789ab", None, None),
                false,
            ),
            (
                "production, wrong name",
                Role::Production,
                word("0123456789ab", Some("accept"), Some("x")),
                false,
            ),
            (
                "production, blank reason",
                Role::Production,
                word("0123456789ab", Some("prod"), Some(" ")),
                false,
            ),
            (
                "production, all",
                Role::Production,
                word("0123456789ab", Some("prod"), Some("key ran out")),
                true,
            ),
        ];
        let mut last = plan();
        "prune".clone_into(&mut last.kind);
        let bare = word("0123456789ab", None, None);
        let found = bare.check(&last, &host(Role::Acceptance)).unwrap_err();
        assert!(found.message.contains("cannot be taken back"), "{found:?}");
        let whole = word("0123456789ab", Some("prod"), Some("spring cleaning"));
        assert!(whole.check(&last, &host(Role::Acceptance)).is_ok());
        for (name, role, approval, good) in cases {
            assert_eq!(approval.check(&plan(), &host(role)).is_ok(), good, "{name}");
        }
    }
}
