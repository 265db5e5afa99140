//! Asking an account again that was put aside: why it is not chosen, whether asking can help, what
//! that costs, and which writes follow a good answer (`host-contract.md` 4.3.5, 7.7).

use super::{Pool, Reason, Seat, WhyNot};
use crate::canonical::hash_of;
use crate::host::Role;
use crate::ids::{HostId, PackId, RemoteId};
use crate::inventory::{Account, ResponsesMode};
use crate::plan::{Change, FieldChange, Sign, Totals, expiry};
use crate::resource::ResourceKind;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How an account is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// The host's account test with the smoke model: one short answer, and a good one clears what
    /// was held against it.
    Test,
    /// The upstream's model list with the account's own key: chat-only upstreams cannot pass the
    /// test of this host version. Costs no tokens; the host is told to forget afterwards.
    List,
}

/// What is known of the account when it is to be asked.
pub struct RecoverInput<'a> {
    /// Host.
    pub host: &'a HostId,
    /// Its role decides expiry.
    pub role: Role,
    /// Provider.
    pub provider: &'a PackId,
    /// The model that it is asked with, as clients call it.
    pub model: &'a str,
    /// The account as stored.
    pub account: &'a Account,
    /// The pool and the seat it has there.
    pub seat: (&'a Pool, &'a Seat),
    /// UTC ms.
    pub now_ms: i64,
}

/// A plan. Its hash is over this value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoverPlan {
    /// Host.
    pub host: HostId,
    /// Provider.
    pub provider: PackId,
    /// Its group.
    pub group: String,
    /// The account.
    pub account: RemoteId,
    /// Its name.
    pub name: String,
    /// Why it is not chosen.
    pub why: Vec<WhyNot>,
    /// How it is asked.
    pub ask: Ask,
    /// The model.
    pub model: String,
    /// What asking costs.
    pub cost: String,
    /// Whether a good answer is followed by telling the host to forget what it holds against it.
    pub reset: bool,
    /// Whether it is switched on again then.
    pub switch_on: bool,
    /// What would be done.
    pub changes: Vec<Change>,
    /// Totals of the changes.
    pub totals: Totals,
    /// Why it cannot be carried out; empty when it can.
    pub blockers: Vec<String>,
    /// What stays in the way, and who else writes to this host.
    pub warnings: Vec<String>,
    /// Hash of what it read.
    pub revision: String,
    /// UTC ms after which it is refused, on production.
    pub expires_ms: Option<i64>,
}

/// Whether a good answer of the upstream takes this reason away.
fn is_healed(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Error
            | Reason::Inactive
            | Reason::SwitchedOff
            | Reason::CoolingDown
            | Reason::RateLimited
            | Reason::Overloaded
    )
}

/// Makes the plan.
pub fn plan_recover(input: &RecoverInput<'_>) -> RecoverPlan {
    let (account, (pool, seat)) = (input.account, input.seat);
    let holds = |reason| seat.why_not.iter().any(|why| why.reason == reason);
    let chat_only = account.responses_mode == ResponsesMode::ForceChatCompletions
        || (account.responses_mode == ResponsesMode::Auto
            && account.responses_supported == Some(false));
    let ask = if chat_only { Ask::List } else { Ask::Test };
    let model = input.model.to_owned();
    let upstream = account.model_mapping.get(&model).unwrap_or(&model);
    let cost = match ask {
        Ask::Test => format!("one short answer of `{upstream}`, about 20 tokens of this key"),
        Ask::List => {
            "no tokens, the upstream's model list with this account's key; the next request of a user is the real try".to_owned()
        }
    };
    // The test clears what an answer of the upstream did, and not what a person set.
    let reset = ask == Ask::List || holds(Reason::Inactive);
    let switch_on = holds(Reason::SwitchedOff);
    let blockers = blockers(seat);
    let mut changes = Vec::new();
    if blockers.is_empty() {
        let (kind, name) = (ResourceKind::Account, &account.name);
        let asked = match ask {
            Ask::Test => format!("asked again by the host's own test: {cost}"),
            Ask::List => format!("asked again: {cost}"),
        };
        changes.push(Change::new(Sign::Attention, kind, name, asked).at(account.id));
        let mut fields = Vec::new();
        let mut put = |field: &str, from: serde_json::Value, to: serde_json::Value| {
            fields.push(FieldChange {
                field: field.to_owned(),
                from,
                to,
            });
        };
        if account.status != "active" {
            put("status", json!(account.status), json!("active"));
        }
        let waits = [
            (
                "temp_unschedulable_until",
                &account.temp_unschedulable_until,
            ),
            ("rate_limit_reset_at", &account.rate_limit_reset_at),
            ("overload_until", &account.overload_until),
        ];
        for (field, until) in waits {
            if let Some(until) = until {
                put(field, json!(until), json!(null));
            }
        }
        if switch_on {
            put("schedulable", json!(false), json!(true));
        }
        let reason = "only if the answer is good; a bad one leaves it as it is";
        changes.push(
            Change::new(Sign::Change, kind, name, reason)
                .at(account.id)
                .fields(fields),
        );
    }
    let stays = seat.why_not.iter().filter(|why| !is_healed(why.reason));
    RecoverPlan {
        host: input.host.clone(),
        provider: input.provider.clone(),
        group: pool.group_name.clone(),
        account: account.id,
        name: account.name.clone(),
        why: seat.why_not.clone(),
        ask,
        model,
        cost,
        reset,
        switch_on,
        totals: Totals::of(&changes),
        changes,
        warnings: stays
            .map(|why| format!("{} stays in the way: {}", why.reason, why.fix))
            .collect(),
        blockers,
        revision: revision(account),
        expires_ms: expiry(input.role, input.now_ms),
    }
}

/// Hash of the fields that decide.
fn revision(account: &Account) -> String {
    hash_of(&json!([
        account.id,
        account.name,
        account.status,
        account.schedulable,
        account.platform,
        account.base_url,
        account.group_ids,
        account.responses_mode,
    ]))
    .unwrap_or_default()
}

fn blockers(seat: &Seat) -> Vec<String> {
    if seat.why_not.is_empty() {
        return vec!["it would be chosen now: there is nothing to ask".to_owned()];
    }
    let off = seat
        .why_not
        .iter()
        .any(|why| why.reason == Reason::SwitchedOff);
    if let Some(batch) = seat.parked_by.filter(|_| off) {
        return vec![format!(
            "{batch} parked it because its own accounts took its place: taking {batch} back switches it on again"
        )];
    }
    let ended = |why: &&WhyNot| matches!(why.reason, Reason::Expired | Reason::Quota);
    let lasting: Vec<String> = seat
        .why_not
        .iter()
        .filter(ended)
        .map(|why| format!("{}: {}", why.reason, why.fix))
        .collect();
    if !lasting.is_empty() || seat.why_not.iter().any(|why| is_healed(why.reason)) {
        return lasting;
    }
    let fixes: Vec<String> = seat
        .why_not
        .iter()
        .map(|why| format!("{}: {}", why.reason, why.fix))
        .collect();
    vec![format!(
        "asking it does not change why it is passed over: {}",
        fixes.join("; ")
    )]
}
