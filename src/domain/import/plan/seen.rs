//! What a plan read of the host, kept with it: a plan that no longer fits is refused with each field
//! that changed since, as it was then and as it is now.

use super::ImportRequest;
use crate::import::HostView;
use crate::plan::diff_fields;
use crate::recorded;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Fields by resource: `channel relay-lab #9`.
pub type Seen = BTreeMap<String, Value>;

/// Differences that are told at most.
const MOST: usize = 6;
/// Letters of a value that are told at most.
const WIDE: usize = 80;

impl ImportRequest {
    /// What this import's plan depends on: the same as its revision, field by field.
    pub fn seen(&self, view: &HostView) -> Seen {
        let names = &self.pack.subscription;
        let mut seen = Seen::new();
        let group = view.group(&names.group);
        let group_id = group.map(|group| group.id);
        if let Some(group) = group {
            let name = format!("group {} #{}", group.spec.name, group.id);
            let mut fields = json!(group.spec);
            fields["status"] = json!(group.status);
            seen.insert(name, fields);
        }
        for channel in &view.channels {
            let ours = channel.spec.name == names.channel
                || group_id.is_some_and(|id| channel.spec.group_ids.contains(&id));
            if ours {
                let name = format!("channel {} #{}", channel.spec.name, channel.id);
                seen.insert(name, json!(channel.spec));
            }
        }
        for offer in view.offers.iter().filter(|row| row.spec.name == names.plan) {
            seen.insert(
                format!("plan {} #{}", offer.spec.name, offer.id),
                json!(offer.spec),
            );
        }
        for account in &view.accounts {
            if group_id.is_some_and(|id| account.group_ids.contains(&id)) {
                let name = format!("account {} #{}", account.name, account.id);
                seen.insert(name, recorded::of_account(account));
            }
        }
        if let Some(user) = &view.user {
            let name = format!("user {} #{}", user.email, user.id);
            seen.insert(name, json!({"role": user.role, "status": user.status}));
        }
        for row in &view.subscriptions {
            if Some(row.group_id) == group_id {
                let fields = json!({"expires_at": row.expires_at, "notes": row.notes});
                seen.insert(format!("subscription #{}", row.id), fields);
            }
        }
        seen
    }
}

/// What differs: `channel relay-lab #9 restrict_models: then true, now false`.
pub fn changed_fields(then: &Seen, now: &Seen) -> Vec<String> {
    let mut told = Vec::new();
    for (name, is) in now {
        match then.get(name) {
            None => told.push(format!("{name} is new")),
            Some(was) => told.extend(diff_fields(was, is).iter().map(|field| {
                format!(
                    "{name} {}: then {}, now {}",
                    field.field,
                    short(&field.from),
                    short(&field.to)
                )
            })),
        }
    }
    let gone = then.keys().filter(|name| !now.contains_key(*name));
    told.extend(gone.map(|name| format!("{name} is gone")));
    if told.len() > MOST {
        let more = told.len() - MOST;
        told.truncate(MOST);
        told.push(format!("and {more} more"));
    }
    told
}

fn short(value: &Value) -> String {
    crate::text::shorten(&value.to_string(), WIDE)
}
