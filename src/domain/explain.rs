//! Why a key fails although the environment is well: the six reasons, each decided by a look of its
//! own. What could not be looked at is said; a reason that an earlier one makes meaningless is not
//! asked (`product.md` 5, `000_…` old keys).

use crate::batch::words;
use crate::ids::{HostId, RemoteId};
use crate::inventory::{Account, ApiKey, Group, Standing, Subscription, User};
use crate::pool::why_not;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

words! {
    /// Why an old key fails.
    KeyReason {
        /// It belongs to the database of another host.
        OtherHost = "other_host",
        /// It is bound to no group.
        NoGroup = "no_group",
        /// Its group has no account that would be chosen.
        GroupWithoutAccount = "group_without_account",
        /// The subscription behind it is over.
        SubscriptionExpired = "subscription_expired",
        /// It is kept in a client's profile that is not of this time.
        OldProfile = "old_profile",
        /// Its group serves an older set of models.
        OldMapping = "old_mapping",
    }
}

words! {
    /// What a look came to.
    Holds {
        /// This is a reason.
        Yes = "yes",
        /// This is none.
        No = "no",
        /// It could not be looked at.
        Unknown = "unknown",
        /// Another reason decides before it.
        Moot = "moot",
    }
}

/// One reason and the look that decides it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonLook {
    /// The reason.
    pub reason: KeyReason,
    /// Whether it holds.
    pub holds: Holds,
    /// What was asked, of whom.
    pub asked: String,
    /// What was found.
    pub found: String,
    /// What to do, when it holds or could not be looked at.
    pub next: String,
}

/// A client's profile that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileSeen {
    /// Machine and path.
    pub at: String,
    /// Whether it holds this very key.
    pub holds_key: bool,
    /// Where it sends to.
    pub base_url: String,
    /// Where it has to send to.
    pub wanted_url: String,
}

/// What an ordinary request with the key was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatewaySaid {
    /// Status of `/v1/models`.
    pub status: u16,
    /// Models it lists, or the reason it gives.
    pub found: String,
}

/// What was looked at. An `Err` says why something could not be.
#[derive(Debug, Clone)]
pub struct KeyFacts<'a> {
    /// The host that is asked about.
    pub host: &'a HostId,
    /// The key as it is shown.
    pub shown: &'a str,
    /// The key and its owner as this host has them.
    pub owner: Result<Option<(Option<User>, ApiKey)>, String>,
    /// How it was looked for.
    pub looked_for: &'a str,
    /// Other hosts of the config, and the id the key has there.
    pub elsewhere: &'a [(HostId, Result<Option<RemoteId>, String>)],
    /// The key's group there.
    pub group: Result<Option<Group>, String>,
    /// Accounts of that group.
    pub accounts: Result<Vec<Account>, String>,
    /// Subscriptions of the owner.
    pub subscriptions: Result<Vec<Subscription>, String>,
    /// Profiles that the baseline knows; empty when it knows none.
    pub profiles: &'a [(String, Result<ProfileSeen, String>)],
    /// Models that the baseline's smoke wants.
    pub wanted: &'a [String],
    /// UTC ms.
    pub now_ms: i64,
}

/// Judges the six reasons, in the order in which one makes the next meaningless.
pub fn reasons(facts: &KeyFacts<'_>) -> Vec<ReasonLook> {
    let here = facts.owner.as_ref().ok().and_then(Option::as_ref);
    vec![
        profile(facts, here),
        other_host(facts, here),
        no_group(facts, here),
        subscription(facts, here),
        without_account(facts, here),
        mapping(facts, here),
    ]
}

/// The reason that decides: the first that holds.
pub fn decided(looks: &[ReasonLook]) -> Option<KeyReason> {
    let first = looks.iter().find(|look| look.holds == Holds::Yes);
    first.map(|look| look.reason)
}

type Here<'a> = Option<&'a (Option<User>, ApiKey)>;

fn look(reason: KeyReason, asked: impl Into<String>) -> ReasonLook {
    ReasonLook {
        reason,
        holds: Holds::Unknown,
        asked: asked.into(),
        found: String::new(),
        next: String::new(),
    }
}

impl ReasonLook {
    fn is(mut self, holds: Holds, found: impl Into<String>) -> Self {
        self.holds = holds;
        self.found = found.into();
        self
    }

    fn do_next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    fn moot(self) -> Self {
        self.is(Holds::Moot, "not asked: the host does not have this key")
    }

    fn blind(self, why: &str) -> Self {
        self.is(Holds::Unknown, format!("could not look: {why}"))
            .do_next("`cockpit doctor` names the hop that is down; ask again then")
    }
}

fn profile(facts: &KeyFacts<'_>, here: Here<'_>) -> ReasonLook {
    let names: Vec<&str> = facts.profiles.iter().map(|(at, _)| at.as_str()).collect();
    let at = look(
        KeyReason::OldProfile,
        format!("which profile keeps this key: {}", names.join(", ")),
    );
    if facts.profiles.is_empty() {
        return at
            .is(
                Holds::Unknown,
                "the host's baseline names no client profile",
            )
            .do_next("add a `profile` check to the baseline pack of the host");
    }
    let mut blind = Vec::new();
    for (name, seen) in facts.profiles {
        match seen {
            Err(why) => blind.push(format!("{name}: {why}")),
            Ok(seen) if seen.holds_key => {
                let same =
                    seen.base_url.trim_end_matches('/') == seen.wanted_url.trim_end_matches('/');
                let active = here.is_some_and(|(_, key)| key.status == "active");
                if !same {
                    let found = format!(
                        "{name} keeps it and sends to {}, not to {}",
                        seen.base_url, seen.wanted_url
                    );
                    return at.is(Holds::Yes, found).do_next(format!(
                        "put {} and an active key of `{}` into the profile",
                        seen.wanted_url, facts.host
                    ));
                }
                if facts.owner.is_ok() && !active {
                    let found = format!(
                        "{name} keeps it, and `{}` has no active key like it",
                        facts.host
                    );
                    return at.is(Holds::Yes, found).do_next(format!(
                        "put an active key of `{}` into the profile",
                        facts.host
                    ));
                }
                return at.is(
                    Holds::No,
                    format!(
                        "{name} keeps it, sends to {} and is of this time",
                        seen.base_url
                    ),
                );
            }
            Ok(_) => {}
        }
    }
    if blind.is_empty() {
        at.is(Holds::No, "no profile keeps it")
    } else {
        at.blind(&blind.join("; "))
    }
}

fn other_host(facts: &KeyFacts<'_>, here: Here<'_>) -> ReasonLook {
    let at = look(
        KeyReason::OtherHost,
        format!(
            "`{}` and the other hosts of the config: {}",
            facts.host, facts.looked_for
        ),
    );
    if let Some((_, key)) = here {
        return at.is(
            Holds::No,
            format!(
                "it is key {} of user {} on `{}`",
                key.id, key.user_id, facts.host
            ),
        );
    }
    if let Err(why) = &facts.owner {
        return at.blind(why);
    }
    let known = facts.elsewhere.iter().find_map(|(host, seen)| match seen {
        Ok(Some(id)) => Some((host, *id)),
        _ => None,
    });
    if let Some((host, id)) = known {
        return at
            .is(
                Holds::Yes,
                format!(
                    "`{}` does not have it; it is key {id} of `{host}`",
                    facts.host
                ),
            )
            .do_next(format!("give the client a key of `{}`", facts.host));
    }
    let blind: Vec<String> = facts
        .elsewhere
        .iter()
        .filter_map(|(host, seen)| seen.as_ref().err().map(|why| format!("`{host}`: {why}")))
        .collect();
    let mut found = format!(
        "`{}` does not have it, nor does another host that was asked",
        facts.host
    );
    if !blind.is_empty() {
        found = format!("{found}; not asked: {}", blind.join("; "));
    }
    at.is(Holds::Yes, found).do_next(format!(
        "it is of a host that is gone: give the client a key of `{}`",
        facts.host
    ))
}

fn no_group(facts: &KeyFacts<'_>, here: Here<'_>) -> ReasonLook {
    let at = look(
        KeyReason::NoGroup,
        format!("the key's row on `{}`: `group_id`", facts.host),
    );
    match (&facts.owner, here) {
        (Err(why), _) => at.blind(why),
        (Ok(_), None) => at.moot(),
        (Ok(_), Some((_, key))) => match key.group_id {
            Some(group) => at.is(Holds::No, format!("key {} is in group {group}", key.id)),
            None => at
                .is(Holds::Yes, format!("key {} is in no group", key.id))
                .do_next("its owner or an admin puts it into a group again, on the host"),
        },
    }
}

/// The key's group, or the look as it ends without one.
fn in_group<'f>(
    at: ReasonLook,
    facts: &'f KeyFacts<'_>,
    here: Here<'_>,
) -> Result<(ReasonLook, RemoteId, Option<&'f Group>), ReasonLook> {
    if let Err(why) = &facts.owner {
        return Err(at.blind(why));
    }
    let Some((_, key)) = here else {
        return Err(at.moot());
    };
    let Some(id) = key.group_id else {
        return Err(at.is(Holds::Moot, "not asked: the key is in no group"));
    };
    match &facts.group {
        Err(why) => Err(at.blind(why)),
        Ok(group) => Ok((at, id, group.as_ref())),
    }
}

fn subscription(facts: &KeyFacts<'_>, here: Here<'_>) -> ReasonLook {
    let at = look(
        KeyReason::SubscriptionExpired,
        format!("subscriptions of the key's owner on `{}`", facts.host),
    );
    let (at, id, group) = match in_group(at, facts, here) {
        Ok(found) => found,
        Err(at) => return at,
    };
    let by_subscription = group.is_none_or(|group| group.spec.subscription_type == "subscription");
    if !by_subscription {
        return at.is(
            Holds::No,
            format!("group {id} is a standard one: no subscription is wanted"),
        );
    }
    let mine: Vec<&Subscription> = match &facts.subscriptions {
        Err(why) => return at.blind(why),
        Ok(rows) => rows.iter().filter(|row| row.group_id == id).collect(),
    };
    if mine.is_empty() {
        return at
            .is(
                Holds::Yes,
                format!("its owner has no subscription of group {id}"),
            )
            .do_next("assign the subscription again, on the host or by `cockpit access prepare`");
    }
    let alive = mine
        .iter()
        .find(|row| row.standing(facts.now_ms) == Some(Standing::Alive));
    if let Some(row) = alive {
        return at.is(
            Holds::No,
            format!("subscription {} is good until {}", row.id, row.until()),
        );
    }
    let told: Vec<String> = mine
        .iter()
        .map(|row| match row.standing(facts.now_ms) {
            Some(Standing::Suspended) => format!("subscription {} is `{}`", row.id, row.status),
            Some(Standing::OverThere) => format!("subscription {} {}", row.id, row.over_there()),
            _ => format!("subscription {} ended {}", row.id, row.until()),
        })
        .collect();
    let unread = mine.iter().all(|row| row.standing(facts.now_ms).is_none());
    if unread {
        return at.blind(&format!(
            "{}: the host's dates cannot be read",
            told.join("; ")
        ));
    }
    at.is(Holds::Yes, told.join("; "))
        .do_next("extend or assign the subscription again, on the host")
}

fn without_account(facts: &KeyFacts<'_>, here: Here<'_>) -> ReasonLook {
    let at = look(
        KeyReason::GroupWithoutAccount,
        format!(
            "accounts of the key's group on `{}`: which would be chosen",
            facts.host
        ),
    );
    let (at, id, _) = match in_group(at, facts, here) {
        Ok(found) => found,
        Err(at) => return at,
    };
    let accounts = match &facts.accounts {
        Err(why) => return at.blind(why),
        Ok(accounts) => accounts,
    };
    let next = "bind an account to the group, or let one in again: `cockpit provider status` says why none is chosen";
    if accounts.is_empty() {
        return at
            .is(Holds::Yes, format!("group {id} has no account"))
            .do_next(next);
    }
    let closed: Vec<String> = accounts
        .iter()
        .filter_map(|account| {
            let why = why_not(account, facts.now_ms);
            let words: Vec<&str> = why.iter().map(|why| why.reason.as_str()).collect();
            (!why.is_empty()).then(|| format!("account {} {}", account.id, words.join(", ")))
        })
        .collect();
    if closed.len() == accounts.len() {
        return at
            .is(
                Holds::Yes,
                format!("none of group {id} is chosen: {}", closed.join("; ")),
            )
            .do_next(next);
    }
    let open = accounts.len() - closed.len();
    at.is(
        Holds::No,
        format!(
            "{open} of {} accounts of group {id} would be chosen",
            accounts.len()
        ),
    )
}

fn mapping(facts: &KeyFacts<'_>, here: Here<'_>) -> ReasonLook {
    let at = look(
        KeyReason::OldMapping,
        format!(
            "models that the accounts of the key's group map: {}",
            facts.wanted.join(", ")
        ),
    );
    let (at, id, _) = match in_group(at, facts, here) {
        Ok(found) => found,
        Err(at) => return at,
    };
    let accounts = match &facts.accounts {
        Err(why) => return at.blind(why),
        Ok(accounts) => accounts,
    };
    if facts.wanted.is_empty() {
        return at
            .is(
                Holds::Unknown,
                "the host's baseline names no models to compare with",
            )
            .do_next("add a `smoke` check to the baseline pack of the host");
    }
    let open = accounts
        .iter()
        .filter(|at| why_not(at, facts.now_ms).is_empty());
    let offered: BTreeSet<&str> = open
        .flat_map(|account| account.model_mapping.keys().map(String::as_str))
        .collect();
    if accounts
        .iter()
        .all(|at| !why_not(at, facts.now_ms).is_empty())
    {
        return at.is(
            Holds::Moot,
            format!("not asked: no account of group {id} is chosen"),
        );
    }
    let has = |model: &str| {
        offered.iter().any(|name| match name.strip_suffix('*') {
            Some(head) => model.starts_with(head),
            None => *name == model,
        })
    };
    let lacking: Vec<&str> = facts
        .wanted
        .iter()
        .map(String::as_str)
        .filter(|at| !has(at))
        .collect();
    let offers = offered.iter().copied().collect::<Vec<_>>().join(", ");
    if lacking.is_empty() {
        return at.is(Holds::No, format!("group {id} maps {offers}"));
    }
    let offers = if offers.is_empty() { "none" } else { &offers };
    at.is(
        Holds::Yes,
        format!("group {id} maps {offers}; it lacks {}", lacking.join(", ")),
    )
    .do_next(format!(
        "put the key into the group that serves {}, or give the group's accounts today's mapping",
        lacking.join(", ")
    ))
}

#[cfg(test)]
mod tests;
