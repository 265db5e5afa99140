//! Access for ordinary users (`product.md` 4, access closure): whose key proves it, what has to hold
//! first, and what becomes of rights that ran out.

mod limit;
mod prepare;
mod preview;
mod rights;
mod shared;
mod user_key;

use crate::support::inside::Inside;
use cockpit_domain::batch::{AccessMode, ImportMode};
use cockpit_domain::resource::ResourceKind;
use cockpit_domain::secret::Secret;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::Outcome;
use cockpit_engine::import::{CallerKey, PlannedImport};
use cockpit_lab::sub2api::model::{ApiKey, Group, User};

/// The managed user of the provider under test.
const MANAGED: &str = "relay-lab@cockpit.invalid";

pub(crate) const KEY: &str = "sk-lab-good-access-000001";
/// A key that the host issued to somebody.
pub(crate) const OWN: &str = "sk-live-lin-00000000000000000000c0ffee";

/// A user of the host with a key of their own, bound to a group of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) user: i64,
    pub(crate) key: i64,
    pub(crate) group: i64,
}

/// Gives the host such a user.
pub(crate) fn caller(inside: &Inside, balance: f64) -> Caller {
    inside.with(|state| {
        let group = state.add_group(Group::new("everyday", "openai"));
        let user =
            state.add_user(User::new("lin@example.com", "lab-user-password").with_balance(balance));
        // Somebody whose key only ends alike.
        let other = state.add_user(User::new("wang@example.com", "lab-user-password"));
        state.add_key(ApiKey::new(
            other,
            "sk-live-wang-0000000000000000c0ffee",
            None,
        ));
        let mut key = ApiKey::new(user, OWN, Some(group));
        "laptop".clone_into(&mut key.name);
        let key = state.add_key(key);
        Caller { user, key, group }
    })
}

/// The group a key is bound to, read from the host's rows.
pub(crate) fn bound_to(inside: &Inside, key: i64) -> Option<i64> {
    inside.with(|state| state.key(key).and_then(|row| row.group_id))
}

/// Plans an import that is to be proven with a caller's own key.
pub(crate) async fn plan(
    inside: &Inside,
    access: AccessMode,
    own: Option<&str>,
) -> Outcome<PlannedImport> {
    let command = Command::ImportPlan {
        host: inside.host_id(),
        provider: Inside::provider(),
        keys: Secret::new(KEY),
        mode: ImportMode::Partial,
        access,
        user_key: own.map(|key| CallerKey::Given(Secret::new(key))),
    };
    match inside.engine().call(command).await? {
        Answer::Import(planned) => Ok(*planned),
        other => panic!("{other:?}"),
    }
}

/// The signs of a plan's changes of one kind.
pub(crate) fn signs(planned: &PlannedImport, kind: ResourceKind) -> String {
    let changes = planned.plan.changes.iter();
    changes
        .filter(|change| change.kind == kind)
        .map(|change| change.sign.as_char())
        .collect()
}
