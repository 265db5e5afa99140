//! Planning an import: from a pack, keys and what a host stores to signed changes. Pure; reading
//! the host and carrying the plan out is the engine's work.

mod access;
mod accounts;
mod frame;
mod request;
mod seen;

use super::keys::KeyInput;
use super::view::HostView;
use crate::batch::{AccessMode, Attempt, ImportMode};
use crate::host::Role;
use crate::ids::{BatchId, HostId, RemoteId};
use crate::pack::ProviderPack;
use crate::plan::{Change, Totals, expiry};
use crate::secret::Fingerprint;
use access::plan_access;
use accounts::{plan_items, plan_parking};
use frame::{plan_channel, plan_group, plan_offer};
pub use seen::{Seen, changed_fields};
use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportRequest {
    /// Host.
    pub host: HostId,
    /// Its role decides expiry and confirmation.
    pub role: Role,
    /// The pack, whole: what was approved is what is carried out, even if the file changes.
    pub pack: ProviderPack,
    /// Strict or partial.
    pub mode: ImportMode,
    /// Access mode.
    pub access: AccessMode,
    /// Fingerprint of the caller's own key, when that is to be proven instead of a managed one.
    pub user_key: Option<Fingerprint>,
    /// The batch whose failed keys are tried again: its good ones stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<BatchId>,
    /// Access is prepared and no key imported: what the user lacks is given, also to somebody else's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prepare: bool,
}

/// How a key stands before the import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Nobody we know of has it.
    New,
    /// The host has our account for it.
    Same,
    /// The host has our account for it, but not as this import wants it: parked, or made otherwise.
    Changed,
    /// The host has our account for it, but not bound to the group.
    Unbound,
    /// The host has it, under another provider.
    OtherProvider,
    /// We know it on another host.
    KnownElsewhere,
}

impl KeyState {
    /// Its word in totals and beside a key.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Same => "same",
            Self::Changed | Self::Unbound => "changed",
            Self::OtherProvider => "on this host under another provider",
            Self::KnownElsewhere => "on another host",
        }
    }
}

/// What the store knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFact {
    /// Which key.
    pub fingerprint: Fingerprint,
    /// On which other hosts: `host accept, provider lab, batch/3`.
    pub elsewhere: Vec<String>,
    /// On this host under another provider: `provider lab, batch/3`, with the account it became.
    pub beside: Vec<(Option<RemoteId>, String)>,
    /// How it fared in earlier batches of this host and provider.
    pub earlier: Vec<Attempt>,
}

/// One key of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanItem {
    /// Line of the input.
    pub line: usize,
    /// The key as shown.
    pub key: String,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The account it becomes.
    pub account_name: String,
    /// How it stands.
    pub state: KeyState,
    /// Whether the input has it more than once.
    #[serde(default)]
    pub repeated: bool,
    /// Remarks: where else it is known, that it was repeated.
    pub notes: Vec<String>,
    /// How it fared in earlier batches of this host and provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Attempt>,
}

/// A whole import plan. Its hash is over this value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportPlan {
    /// What was asked for.
    pub request: ImportRequest,
    /// `version` of the host it was made against.
    pub host_version: String,
    /// Keys in input order.
    pub items: Vec<PlanItem>,
    /// What would be done, in order.
    pub changes: Vec<Change>,
    /// Their totals.
    pub totals: Totals,
    /// Why it cannot be carried out; empty when it can.
    pub blockers: Vec<String>,
    /// Keys of the input that are not tried again, each with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Who else writes to this host.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Revision of what it read.
    pub revision: String,
    /// What it read, field by field.
    #[serde(default)]
    pub seen: Seen,
    /// UTC ms after which it is refused; production plans age (`product.md` 11).
    pub expires_ms: Option<i64>,
}

/// From so many keys on a canary is suggested.
const CANARY_FROM: usize = 11;
/// Keys of a suggested canary: one bad key is then no verdict on the rest.
const CANARY: usize = 3;

/// How many keys stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct KeyTotals {
    /// Nobody we know of has them.
    pub new: usize,
    /// The host has their accounts, as they should be.
    pub same: usize,
    /// The host has their accounts, otherwise than they should be.
    pub changed: usize,
    /// On this host under another provider.
    pub other_provider: usize,
    /// Known on another host.
    pub known_elsewhere: usize,
    /// Given more than once in the input.
    pub repeated: usize,
    /// Tried before on this host.
    pub tried_before: usize,
}

impl KeyTotals {
    /// `10 new, 2 same, 1 repeated`; what there is none of is left away.
    pub fn line(&self) -> String {
        let counts = [
            (self.new, KeyState::New.word()),
            (self.same, KeyState::Same.word()),
            (self.changed, KeyState::Changed.word()),
            (self.other_provider, KeyState::OtherProvider.word()),
            (self.known_elsewhere, KeyState::KnownElsewhere.word()),
            (self.repeated, "repeated in the input"),
            (self.tried_before, "tried before"),
        ];
        let some = counts.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = some
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        words.join(", ")
    }
}

impl ImportPlan {
    /// How many keys stand how.
    pub fn key_totals(&self) -> KeyTotals {
        let mut totals = KeyTotals::default();
        for item in &self.items {
            match item.state {
                KeyState::New => totals.new += 1,
                KeyState::Same => totals.same += 1,
                KeyState::Changed | KeyState::Unbound => totals.changed += 1,
                KeyState::OtherProvider => totals.other_provider += 1,
                KeyState::KnownElsewhere => totals.known_elsewhere += 1,
            }
            totals.repeated += usize::from(item.repeated);
            totals.tried_before += usize::from(!item.earlier.is_empty());
        }
        totals
    }

    /// The keys of a canary by their place in [`Self::items`]: what is new to the host says more
    /// than what serves already, and comes first.
    pub fn canary(&self, most: usize) -> Vec<usize> {
        let known =
            |at: &usize| matches!(self.items[*at].state, KeyState::Same | KeyState::Changed);
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by_key(known);
        order.truncate(most);
        order.sort_unstable();
        order
    }

    /// How many keys should go first; 0 when there are too few to bother.
    pub fn suggested_canary(&self) -> usize {
        if self.items.len() < CANARY_FROM {
            0
        } else {
            CANARY
        }
    }

    /// The keys that are left out, the first ones by name.
    pub fn left_out_line(&self) -> String {
        const TOLD: usize = 4;
        let told = self.left_out.iter().take(TOLD).cloned();
        let more = self.left_out.len().saturating_sub(TOLD);
        let more = (more > 0).then(|| format!("and {more} more"));
        told.chain(more).collect::<Vec<_>>().join("; ")
    }

    /// The keys of a canary in words: `line 1 sk-..9f3a, line 2 sk-..11ab`.
    pub fn canary_line(&self, most: usize) -> String {
        let keys = self.canary(most).into_iter().map(|at| &self.items[at]);
        let words: Vec<String> = keys
            .map(|item| format!("line {} {}", item.line, item.key))
            .collect();
        words.join(", ")
    }
}

/// Makes the plan. `facts` has a row for each key the store knows.
pub fn plan_import(
    request: ImportRequest,
    keys: &KeyInput,
    facts: &[KeyFact],
    view: &HostView,
    now_ms: i64,
) -> ImportPlan {
    let mut changes = Vec::new();
    let mut blockers = Vec::new();
    let group = plan_group(&request, view, &mut changes, &mut blockers);
    plan_channel(&request, view, group, &mut changes, &mut blockers);
    plan_offer(&request, view, group, &mut changes);
    let items = plan_items(
        &request,
        keys,
        facts,
        view,
        group,
        &mut changes,
        &mut blockers,
    );
    plan_parking(&request, &items, view, group, &mut changes);
    plan_access(&request, view, group, now_ms, &mut changes, &mut blockers);
    if !request.pack.to_be_confirmed.is_empty() {
        blockers.push(format!(
            "pack `{}` leaves to be confirmed: {}; confirm them in your own copy of the pack",
            request.pack.id,
            request.pack.to_be_confirmed.join(", ")
        ));
    }
    ImportPlan {
        host_version: view.version.clone(),
        totals: Totals::of(&changes),
        revision: request.revision(view),
        seen: request.seen(view),
        expires_ms: expiry(request.role, now_ms),
        items,
        changes,
        blockers,
        left_out: Vec::new(),
        warnings: Vec::new(),
        request,
    }
}

#[cfg(test)]
mod tests;
