//! What a remote write rests on: what was read of its target when it was planned, and what the host
//! has of it in the moment before it is sent (`product.md` 11, re-read before each step). Where
//! somebody else changed it meanwhile nothing is sent.

use crate::failure::{Failure, FailureKind, Outcome};
use crate::journal::{RemoteWrite, Write};
use crate::ports::HostApi;
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::plan::diff_fields;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use cockpit_domain::text::{clean_line, shorten};
use serde_json::Value;

/// Longest value that is told whole.
const TOLD: usize = 120;

/// The target of a write, then and now.
#[derive(Debug, Clone)]
pub struct Basis {
    /// The fields that the write rests on, as they were read for the plan.
    pub was: Value,
    /// What the host has of it now; `None` when it is gone.
    pub now: Option<Value>,
    /// What somebody made in its place, where there was to be none.
    pub appeared: Option<Appeared>,
}

/// A thing that stands where a write would make one.
#[derive(Debug, Clone)]
pub struct Appeared {
    /// Its name and id.
    pub found: String,
    /// Where it is other than the plan would make it, field by field; empty when it is the same.
    pub other: Vec<String>,
}

impl Basis {
    /// Those of a target's fields that are named in `was`, beside what is there now.
    pub fn of(was: Value, now: Option<Value>) -> Self {
        Self {
            was,
            now,
            appeared: None,
        }
    }

    /// Nothing was there when the plan was read; this is there now.
    pub fn none_was(name: &str, id: RemoteId, found: &Value, wanted: &Value) -> Self {
        let mut fields = diff_fields(found, wanted);
        fields.retain(|field| wanted.get(&field.field).is_some());
        let other = fields.iter().map(|field| {
            let (is, want) = (short(&field.from), short(&field.to));
            format!("{} {is} (the plan makes {want})", field.field)
        });
        Self {
            appeared: Some(Appeared {
                found: format!("{} id {id}", clean_line(name)),
                other: other.collect(),
            }),
            ..Self::of(Value::Null, Some(found.clone()))
        }
    }

    /// Why the write must not be sent, in one sentence; `None` when its ground still stands. Fields
    /// that were not read for the plan may be as they like.
    pub fn moved(&self, target: &str) -> Option<String> {
        if let Some(Appeared { found, other }) = &self.appeared {
            let with = match other.as_slice() {
                [] => "all as the plan makes it".to_owned(),
                fields => fields.join("; "),
            };
            return Some(format!(
                "host moved: {target}: there was none; now there is {found}, with {with}"
            ));
        }
        let Some(now) = &self.now else {
            return Some(format!("host moved: {target} was there, is gone now"));
        };
        let mut fields = diff_fields(&self.was, now);
        fields.retain(|field| self.was.get(&field.field).is_some());
        if fields.is_empty() {
            return None;
        }
        let told: Vec<String> = fields
            .iter()
            .map(|field| {
                let (was, is) = (short(&field.from), short(&field.to));
                format!("{} was {was}, is {is} now", field.field)
            })
            .collect();
        Some(format!("host moved: {target}: {}", told.join("; ")))
    }

    /// Fails when somebody else changed the target.
    pub fn stands(&self, target: &str) -> Outcome<()> {
        match self.moved(target) {
            Some(why) => Err(Failure::new(FailureKind::Conflict, why)),
            None => Ok(()),
        }
    }
}

fn short(value: &Value) -> String {
    shorten(&value.to_string(), TOLD)
}

/// Reads one resource again, on its own where the host has a call for that, in recorded form. Keys
/// and rights are found by their owner, whose id stands in what was recorded of them.
pub(crate) async fn reread(
    api: &dyn HostApi,
    kind: ResourceKind,
    id: RemoteId,
    was: &Value,
) -> Outcome<Option<Value>> {
    let owner = || recorded::id_in(was, "user_id").unwrap_or(RemoteId(0));
    Ok(match kind {
        ResourceKind::Account => api.account(id).await?.as_ref().map(recorded::of_account),
        ResourceKind::User => api.user(id).await?.as_ref().map(recorded::of_user),
        ResourceKind::Group => (api.groups().await?.iter())
            .find(|row| row.id == id)
            .map(recorded::of_group),
        ResourceKind::Channel => (api.channels().await?.iter())
            .find(|row| row.id == id)
            .map(recorded::of_channel),
        ResourceKind::Plan => (api.offers().await?.iter())
            .find(|row| row.id == id)
            .map(recorded::of_offer),
        ResourceKind::Subscription => (api.subscriptions(owner()).await?.iter())
            .find(|row| row.id == id)
            .map(recorded::of_subscription),
        ResourceKind::Key => (api.user_keys(owner()).await?.iter())
            .find(|row| row.id == id)
            .map(recorded::of_key),
    })
}

/// What a write rests on, as it can be read again.
#[async_trait]
pub(crate) trait Ground: Send + Sync {
    /// What was read for the plan, beside what is there now; `None` where it rests on nothing.
    async fn basis(&self) -> Outcome<Option<Basis>>;
}

/// One resource as it was read.
pub(crate) struct Row<'a> {
    /// Where it is read again.
    pub(crate) api: &'a dyn HostApi,
    /// Which.
    pub(crate) of: (ResourceKind, RemoteId),
    /// What was read of it, in recorded form.
    pub(crate) was: &'a Value,
}

#[async_trait]
impl Ground for Row<'_> {
    async fn basis(&self) -> Outcome<Option<Basis>> {
        let (kind, id) = self.of;
        let now = reread(self.api, kind, id, self.was).await?;
        Ok(Some(Basis::of(self.was.clone(), now)))
    }
}

/// A write with the ground it rests on.
pub(crate) struct Resting<G, W> {
    /// The ground.
    pub(crate) on: G,
    /// What is sent.
    pub(crate) write: W,
}

#[async_trait]
impl<G: Ground, W: RemoteWrite> RemoteWrite for Resting<G, W> {
    type Made = W::Made;

    fn write(&self) -> Write {
        self.write.write()
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        self.on.basis().await
    }

    async fn look(&self, key: &str) -> Outcome<Option<W::Made>> {
        self.write.look(key).await
    }

    async fn send(&self, key: &str) -> Outcome<W::Made> {
        self.write.send(key).await
    }

    fn record(&self, made: &W::Made) -> Option<BatchResource> {
        self.write.record(made)
    }

    fn answer(&self, made: &W::Made) -> String {
        self.write.answer(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_was_read_for_the_plan_is_compared() {
        let cases = [
            ("as it was", json!({"a": 1}), Some(json!({"a": 1})), None),
            (
                "a field that nobody read",
                json!({"a": 1}),
                Some(json!({"a": 1, "b": 2})),
                None,
            ),
            (
                "groups in another order",
                json!({"group_ids": ["1", "2"]}),
                Some(json!({"group_ids": ["2", "1"]})),
                None,
            ),
            (
                "a field that somebody changed",
                json!({"a": 1, "b": true}),
                Some(json!({"a": 1, "b": false})),
                Some("host moved: it: b was true, is false now"),
            ),
            (
                "two of them",
                json!({"a": 1, "b": "x"}),
                Some(json!({"a": 2, "b": "y"})),
                Some("host moved: it: a was 1, is 2 now; b was \"x\", is \"y\" now"),
            ),
            (
                "gone",
                json!({"a": 1}),
                None,
                Some("host moved: it was there, is gone now"),
            ),
        ];
        for (name, was, now, told) in cases {
            let moved = Basis::of(was, now).moved("it");
            assert_eq!(moved.as_deref(), told, "{name}");
        }
    }

    #[test]
    fn what_somebody_made_in_the_place_is_named_with_what_is_other_about_it() {
        let wanted = json!({"name": "relay", "platform": "openai", "rate": 1.0});
        let cases = [
            (
                "the same, and a field that the plan does not set",
                json!({"name": "relay", "platform": "openai", "rate": 1, "status": "active"}),
                "all as the plan makes it",
            ),
            (
                "another platform",
                json!({"name": "relay", "platform": "anthropic", "rate": 1}),
                "platform \"anthropic\" (the plan makes \"openai\")",
            ),
        ];
        for (name, found, with) in cases {
            let basis = Basis::none_was("relay", RemoteId(7), &found, &wanted);
            let told = format!(
                "host moved: group relay: there was none; now there is relay id 7, with {with}"
            );
            assert_eq!(basis.moved("group relay"), Some(told), "{name}");
        }
    }
}
