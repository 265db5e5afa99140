//! Why the scheduler passes an account over. Every reason that holds is named, not the first one:
//! taking one away must not bring up a surprise.

use crate::batch::words;
use crate::inventory::{Account, Channel, Group};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

words! {
    /// Why an account is not chosen.
    Reason {
        /// Not bound to the group.
        NotBound = "not_bound",
        /// Another platform than the group's.
        PlatformMismatch = "platform_mismatch",
        /// Neither active nor in error: switched inactive.
        Inactive = "inactive",
        /// Put aside after an answer of its upstream, until a test passes.
        Error = "error",
        /// The operator's switch, or ours when it was parked.
        SwitchedOff = "switched_off",
        /// Cooling down after an answer of its upstream.
        CoolingDown = "cooling_down",
        /// Its upstream asked to slow down.
        RateLimited = "rate_limited",
        /// Its upstream was overloaded.
        Overloaded = "overloaded",
        /// Past its end.
        Expired = "expired",
        /// Its own limit of spending is reached.
        Quota = "quota",
        /// The model is not in its mapping.
        ModelNotMapped = "model_not_mapped",
    }
}

/// One reason, with who, until when, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyNot {
    /// The reason.
    pub reason: Reason,
    /// In the host's words where it has some, redacted.
    pub said: String,
    /// Who did it, as far as it can be told.
    pub by: String,
    /// When the host tries again by itself, RFC 3339; `None` when it never does.
    pub next_try: Option<String>,
    /// What takes it away.
    pub fix: String,
}

impl WhyNot {
    fn new(reason: Reason, said: impl Into<String>, by: &str, fix: &str) -> Self {
        Self {
            reason,
            said: said.into(),
            by: by.to_owned(),
            next_try: None,
            fix: fix.to_owned(),
        }
    }

    fn until(mut self, time: &str) -> Self {
        self.next_try = Some(whole_seconds(time));
        self
    }
}

/// A host's moment without its fraction of a second, which no reader wants; what is none stays as it
/// was said.
pub fn whole_seconds(time: &str) -> String {
    time.parse::<Timestamp>()
        .ok()
        .and_then(|at| Timestamp::from_second(at.as_second()).ok())
        .map_or_else(|| time.to_owned(), |at| at.to_string())
}

const BY_HOST: &str = "the host, after an answer of the upstream";

/// Every reason of the account itself, the lasting ones first.
pub fn why_not(account: &Account, now_ms: i64) -> Vec<WhyNot> {
    let mut found = Vec::new();
    let test =
        "mend what the upstream says, then ask it again (`recover`): a good answer clears it";
    match account.status.as_str() {
        "active" => {}
        "error" => found.push(WhyNot::new(
            Reason::Error,
            account.error_message.clone(),
            BY_HOST,
            test,
        )),
        other => found.push(WhyNot::new(
            Reason::Inactive,
            format!("status is `{other}`"),
            "a person, on the host",
            "set its status to active in the host's console",
        )),
    }
    let is_expired = account
        .expires_at
        .is_some_and(|end| end.saturating_mul(1_000) <= now_ms);
    if is_expired && account.auto_pause_on_expired {
        let end = account
            .expires_at
            .and_then(|end| Timestamp::from_second(end).ok());
        found.push(WhyNot::new(
            Reason::Expired,
            end.map_or_else(String::new, |end| format!("ended {end}")),
            "the host, at its end",
            "set a later end in the host's console, then switch it on again",
        ));
    }
    if !account.schedulable {
        found.push(WhyNot::new(
            Reason::SwitchedOff,
            "schedulable is off",
            "a person or a tool, on the host",
            "once you know why it is off, ask it again (`recover`): a good answer switches it on",
        ));
    }
    if account.quota_limit > 0.0 && account.quota_used >= account.quota_limit {
        found.push(WhyNot::new(
            Reason::Quota,
            format!("used {} of {} USD", account.quota_used, account.quota_limit),
            "the host, by the account's own limit",
            "raise or reset the account's quota in the host's console",
        ));
    }
    let wait = "wait, or ask it again now (`recover`): a good answer clears it";
    let cooldowns = [
        (
            Reason::CoolingDown,
            &account.temp_unschedulable_until,
            account.temp_unschedulable_reason.as_str(),
        ),
        (
            Reason::RateLimited,
            &account.rate_limit_reset_at,
            "the upstream asked to slow down",
        ),
        (
            Reason::Overloaded,
            &account.overload_until,
            "the upstream was overloaded",
        ),
    ];
    for (reason, until, said) in cooldowns {
        if let Some(until) = until.as_deref().filter(|until| is_later(until, now_ms)) {
            found.push(WhyNot::new(reason, said, BY_HOST, wait).until(until));
        }
    }
    found
}

/// Reasons between an account and its group.
pub(super) fn of_group(account: &Account, group: &Group) -> Vec<WhyNot> {
    let mut found = Vec::new();
    if !account.group_ids.contains(&group.id) {
        found.push(WhyNot::new(
            Reason::NotBound,
            format!("bound to {:?}, not to group {}", ids(account), group.id),
            "a person or a tool, on the host",
            "bind it to the group again, and keep its other groups",
        ));
    }
    if account.platform != group.spec.platform {
        found.push(WhyNot::new(
            Reason::PlatformMismatch,
            format!(
                "platform `{}`, the group's is `{}`",
                account.platform, group.spec.platform
            ),
            "whoever made it",
            "make it anew with the group's platform: it cannot be changed",
        ));
    }
    found
}

/// The reason between an account and a model. Accounts are chosen by the name that the client wrote:
/// what a channel makes of it comes later (`host-contract.md` 5).
pub(super) fn of_model(account: &Account, model: &str) -> Option<WhyNot> {
    let mapping = &account.model_mapping;
    let maps = mapping.is_empty()
        || mapping.keys().any(|name| match name.strip_suffix('*') {
            Some(head) => model.starts_with(head),
            None => name == model,
        });
    (!maps).then(|| {
        WhyNot::new(
            Reason::ModelNotMapped,
            format!("its mapping has no `{model}`"),
            "whoever made it",
            "add the model to the account's mapping",
        )
    })
}

/// Whether a channel keeps a model out: it lets only priced models through, and only a price of the
/// group's platform counts (trap 25).
pub(super) fn is_restricted(channel: &Channel, platform: &str, model: &str) -> bool {
    let priced = channel.spec.model_pricing.iter().any(|price| {
        price.platform == platform
            && price
                .models
                .iter()
                .any(|name| match name.strip_suffix('*') {
                    Some(head) => model.starts_with(head),
                    None => name == model,
                })
    });
    channel.status == "active" && channel.spec.restrict_models && !priced
}

fn ids(account: &Account) -> Vec<i64> {
    account.group_ids.iter().map(|id| id.0).collect()
}

/// Whether a time of the host is in the future. An unreadable one counts: it is set for a reason.
fn is_later(until: &str, now_ms: i64) -> bool {
    until
        .parse::<Timestamp>()
        .map_or(true, |time| time.as_millisecond() > now_ms)
}
