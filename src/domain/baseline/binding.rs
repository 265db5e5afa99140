//! Stored bindings: an account, a channel or a key and its groups.

use super::judgement::Judgement;
use super::verdict::Verdict;
use crate::ids::RemoteId;
use crate::inventory::Account;
use crate::pack::BindingLook;
use crate::pool::{Reason, why_not};

/// An account as the host has it, and the time it was looked at.
#[derive(Debug, Clone, Copy)]
pub struct AccountSeen<'a> {
    /// The account; `None` when there is none with this id.
    pub account: Option<&'a Account>,
    /// UTC milliseconds.
    pub now_ms: i64,
}

/// Judges an account: bound to the groups, and open for scheduling where that is expected.
pub fn judge_account(look: &BindingLook, seen: AccountSeen<'_>) -> Judgement {
    let id = look.account.unwrap_or_default();
    let Some(account) = seen.account else {
        return gone("account", id, look);
    };
    let mut faults = missing_groups("account", id, &account.group_ids, look);
    let unbound = !faults.is_empty();
    let mut warnings = Vec::new();
    if look.schedulable {
        match closed(account, seen.now_ms) {
            Some((Verdict::Warn, reason)) => warnings.push(reason),
            Some((_, reason)) => faults.push(reason),
            None => {}
        }
    }
    let evidence = format!(
        "account {id} `{}`: groups {}, status {}, schedulable {}\n{}{}",
        account.name,
        list(&account.group_ids),
        account.status,
        account.schedulable,
        account.error_message,
        account.temp_unschedulable_reason
    );
    let expected = expectation("account", id, look);
    if faults.is_empty() && !warnings.is_empty() {
        return Judgement::new(Verdict::Warn, expected, &warnings.join("\n"), &evidence);
    }
    let good = format!("groups {}", list(&account.group_ids));
    Judgement::of_faults(expected, &faults, &good, &evidence).repairable(unbound)
}

/// Why an account is not open for scheduling, apart from its groups.
pub(crate) fn why_closed(account: &Account, now_ms: i64) -> Option<String> {
    closed(account, now_ms).map(|(_, reason)| reason)
}

/// Judges a channel or a key by the groups it is bound to; `None` when it is not there.
pub fn judge_members(
    what: &str,
    id: i64,
    look: &BindingLook,
    groups: Option<&[RemoteId]>,
) -> Judgement {
    let Some(groups) = groups else {
        return gone(what, id, look);
    };
    let faults = missing_groups(what, id, groups, look);
    let good = format!("groups {}", list(groups));
    // A user's key has one group at a time: giving it another takes the first away.
    Judgement::of_faults(expectation(what, id, look), &faults, &good, &good)
        .repairable(look.key.is_none())
}

fn gone(what: &str, id: i64, look: &BindingLook) -> Judgement {
    let fault = format!("there is no {what} {id} on this host");
    Judgement::of_faults(expectation(what, id, look), &[fault], "", "")
}

fn missing_groups(what: &str, id: i64, bound: &[RemoteId], look: &BindingLook) -> Vec<String> {
    look.groups
        .iter()
        .filter(|group| !bound.contains(&RemoteId(**group)))
        .map(|group| {
            format!(
                "{what} {id} is not bound to group {group} (bound: {})",
                list(bound)
            )
        })
        .collect()
}

/// The first reason why the scheduler passes an account over. Short cool-downs only warn.
fn closed(account: &Account, now_ms: i64) -> Option<(Verdict, String)> {
    let id = account.id;
    let why = why_not(account, now_ms).into_iter().next()?;
    let said = words(&why.said);
    let until = why.next_try.unwrap_or_default();
    let (verdict, text) = match why.reason {
        Reason::Error | Reason::Inactive => {
            let said = words(&account.error_message);
            (Verdict::Fail, format!("is `{}`{said}", account.status))
        }
        Reason::SwitchedOff => (Verdict::Fail, "is switched off for scheduling".to_owned()),
        Reason::CoolingDown => (
            Verdict::Fail,
            format!("is out of scheduling until {until}{said}"),
        ),
        Reason::RateLimited => (Verdict::Warn, format!("is rate limited until {until}")),
        Reason::Overloaded => (
            Verdict::Warn,
            format!("cools down from overload until {until}"),
        ),
        other => (Verdict::Fail, format!("is not chosen, {other}{said}")),
    };
    Some((verdict, format!("account {id} {text}")))
}

fn words(reason: &str) -> String {
    if reason.trim().is_empty() {
        String::new()
    } else {
        format!(": {}", reason.trim())
    }
}

fn list(ids: &[RemoteId]) -> String {
    if ids.is_empty() {
        return "none".to_owned();
    }
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}

pub(super) fn expectation(what: &str, id: i64, look: &BindingLook) -> String {
    let groups: Vec<String> = look.groups.iter().map(i64::to_string).collect();
    let open = if look.schedulable {
        ", schedulable"
    } else {
        ""
    };
    format!("{what} {id} -> group {}{open}", groups.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::ResponsesMode;
    use std::collections::BTreeMap;

    /// 2026-06-04T00:00:00Z
    const NOW: i64 = 1_780_531_200_000;

    fn account() -> Account {
        Account {
            id: RemoteId(7),
            name: "relay".to_owned(),
            platform: "openai".to_owned(),
            kind: "apikey".to_owned(),
            base_url: String::new(),
            model_mapping: BTreeMap::new(),
            responses_mode: ResponsesMode::Auto,
            responses_supported: None,
            concurrency: 0,
            priority: 1,
            status: "active".to_owned(),
            error_message: String::new(),
            schedulable: true,
            temp_unschedulable_until: None,
            temp_unschedulable_reason: String::new(),
            last_used_at: None,
            rate_limit_reset_at: None,
            overload_until: None,
            expires_at: None,
            auto_pause_on_expired: false,
            quota_limit: 0.0,
            quota_used: 0.0,
            group_ids: vec![RemoteId(3), RemoteId(4)],
        }
    }

    fn later() -> String {
        "2026-06-04T00:10:00Z".to_owned()
    }

    fn earlier() -> String {
        "2026-06-03T23:59:00Z".to_owned()
    }

    type Change = fn(&mut Account);

    #[test]
    fn an_account_is_judged_by_its_groups_and_by_the_scheduler() {
        let look = BindingLook {
            account: Some(7),
            groups: vec![3],
            schedulable: true,
            ..BindingLook::default()
        };
        let rows: [(&str, Change, Verdict, &str); 8] = [
            ("bound and open", |_| {}, Verdict::Ok, "groups 3, 4"),
            (
                "not bound",
                |a| a.group_ids = vec![RemoteId(4)],
                Verdict::Fail,
                "account 7 is not bound to group 3 (bound: 4)",
            ),
            (
                "bound to nothing",
                |a| a.group_ids.clear(),
                Verdict::Fail,
                "account 7 is not bound to group 3 (bound: none)",
            ),
            (
                "in error",
                |a| {
                    a.status = "error".to_owned();
                    a.error_message = "Authentication failed (401)".to_owned();
                },
                Verdict::Fail,
                "account 7 is `error`: Authentication failed (401)",
            ),
            (
                "switched off",
                |a| a.schedulable = false,
                Verdict::Fail,
                "account 7 is switched off for scheduling",
            ),
            (
                "out for quota",
                |a| {
                    a.temp_unschedulable_until = Some(later());
                    a.temp_unschedulable_reason = "insufficient_user_quota".to_owned();
                },
                Verdict::Fail,
                "account 7 is out of scheduling until 2026-06-04T00:10:00Z: insufficient_user_quota",
            ),
            (
                "an old cool-down is over",
                |a| a.temp_unschedulable_until = Some(earlier()),
                Verdict::Ok,
                "groups 3, 4",
            ),
            (
                "rate limited for a moment",
                |a| a.rate_limit_reset_at = Some(later()),
                Verdict::Warn,
                "account 7 is rate limited until 2026-06-04T00:10:00Z",
            ),
        ];
        for (name, change, verdict, found) in rows {
            let mut account = account();
            change(&mut account);
            let judgement = judge_account(
                &look,
                AccountSeen {
                    account: Some(&account),
                    now_ms: NOW,
                },
            );
            assert_eq!(
                (judgement.verdict, judgement.found.as_str()),
                (verdict, found),
                "{name}"
            );
            assert_eq!(judgement.repair, found.contains("not bound"), "{name}");
        }
        let gone = judge_account(
            &look,
            AccountSeen {
                account: None,
                now_ms: NOW,
            },
        );
        assert_eq!(gone.found, "there is no account 7 on this host");
        assert_eq!((gone.verdict, gone.repair), (Verdict::Fail, false));
    }

    #[test]
    fn channels_and_keys_are_judged_by_their_groups() {
        let look = BindingLook {
            channel: Some(1),
            groups: vec![3],
            ..BindingLook::default()
        };
        let bound = [RemoteId(3)];
        assert_eq!(
            judge_members("channel", 1, &look, Some(&bound)).verdict,
            Verdict::Ok
        );
        assert_eq!(
            judge_members("channel", 1, &look, Some(&[])).verdict,
            Verdict::Fail
        );
        assert_eq!(
            judge_members("channel", 1, &look, None).found,
            "there is no channel 1 on this host"
        );
    }
}
