//! What holds for every host and every batch: carried out, the plan leaves each account as it was before
//! the batch, whatever others did since is theirs, and nothing without a record is touched.

use super::tests::plan;
use super::*;
use crate::inventory::Account;
use crate::reconcile::tests::{account, record, settled};
use crate::recorded;
use proptest::prelude::*;
use serde_json::json;

/// The group that the batch binds to, another one, and one that somebody chose later.
const GROUP: RemoteId = RemoteId(5);
const OTHER: RemoteId = RemoteId(7);
const THEIRS: RemoteId = RemoteId(9);

/// What the batch did to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Did {
    Nothing,
    Created,
    Adopted,
    Parked,
    Bound,
}

/// What somebody else did to it since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Nothing,
    Deleted,
    SwitchedOn,
    Moved,
}

fn fates() -> impl Strategy<Value = Vec<(Did, Since)>> {
    let did = prop_oneof![
        Just(Did::Nothing),
        Just(Did::Created),
        Just(Did::Adopted),
        Just(Did::Parked),
        Just(Did::Bound),
    ];
    let since = prop_oneof![
        3 => Just(Since::Nothing),
        1 => Just(Since::Deleted),
        1 => Just(Since::SwitchedOn),
        1 => Just(Since::Moved),
    ];
    prop::collection::vec((did, since), 1..40)
}

/// One account through the batch: before it, behind it, its record, and as it stands now.
struct One {
    before: Option<Account>,
    record: Option<BatchResource>,
    now: Option<Account>,
}

fn one(id: i64, did: Did, since: Since) -> One {
    let name = format!("lab.{id:012x}");
    let mut was = account(id, &name, true);
    if did == Did::Bound {
        was.group_ids = vec![OTHER];
    }
    let mut is = was.clone();
    let (origin, recorded, before) = match did {
        Did::Nothing => (None, Value::Null, Value::Null),
        Did::Created => (
            Some(Origin::Created),
            recorded::of_account(&is),
            Value::Null,
        ),
        Did::Adopted => (
            Some(Origin::Adopted),
            recorded::of_account(&is),
            Value::Null,
        ),
        Did::Parked => {
            is.schedulable = false;
            let before = json!({"schedulable": true});
            (Some(Origin::Parked), json!({"schedulable": false}), before)
        }
        Did::Bound => {
            is.group_ids = vec![OTHER, GROUP];
            let before = json!({"group_ids": [OTHER]});
            (
                Some(Origin::Corrected),
                json!({"group_ids": is.group_ids}),
                before,
            )
        }
    };
    let record = origin.map(|origin| BatchResource {
        before,
        ..record(ResourceKind::Account, id, &name, origin, recorded)
    });
    match since {
        Since::Nothing | Since::Deleted => {}
        Since::SwitchedOn => is.schedulable = true,
        Since::Moved => is.group_ids = vec![THEIRS],
    }
    One {
        before: (did != Did::Created).then_some(was),
        record,
        now: (since != Since::Deleted).then_some(is),
    }
}

/// The host with these accounts and no others.
fn host(accounts: impl Iterator<Item = Account>) -> HostView {
    let (mut view, _) = settled();
    view.accounts = accounts.collect();
    view
}

/// Carries a plan out as the engine does, on a host in memory.
fn carry_out(plan: &RollbackPlan, view: &mut HostView) {
    for step in plan.steps.iter().filter(|step| step.blocked.is_none()) {
        let id = step.change.host_resource_id.unwrap();
        let row = view.accounts.iter_mut().find(|row| row.id == id);
        match step.act {
            UndoAct::Delete => view.accounts.retain(|row| row.id != id),
            UndoAct::Unpark => row.unwrap().schedulable = true,
            UndoAct::Restore => {
                let groups = step.before["group_ids"].clone();
                row.unwrap().group_ids = serde_json::from_value(groups).unwrap();
            }
            UndoAct::Leave => {}
        }
    }
}

fn of(view: &HostView, id: i64) -> Option<Value> {
    let row = view.accounts.iter().find(|row| row.id == RemoteId(id));
    row.map(recorded::of_account)
}

proptest! {
    #[test]
    fn taken_back_each_account_is_as_it_was_and_what_is_others_stays_theirs(
        fates in fates(),
        turned in any::<usize>(),
    ) {
        let all: Vec<(i64, Did, Since)> = (1_000..)
            .zip(&fates)
            .map(|(id, (did, since))| (id, *did, *since))
            .collect();
        let ones: Vec<One> = all.iter().map(|(id, did, since)| one(*id, *did, *since)).collect();
        let records: Vec<BatchResource> = ones.iter().filter_map(|one| one.record.clone()).collect();
        let mut view = host(ones.iter().filter_map(|one| one.now.clone()));
        // The host lists them in any order.
        let turns = turned % view.accounts.len().max(1);
        view.accounts.rotate_left(turns);
        let found = view.clone();

        let made = plan(&view, &records, &[], &[]);
        prop_assert_eq!(made.steps.len(), records.len());
        for step in &made.steps {
            let id = step.change.host_resource_id;
            let mut held = records.iter().filter(|row| Some(row.host_resource_id) == id);
            let origin = held.next().map(|row| row.origin);
            prop_assert!(origin.is_some(), "no record, no step: {:?}", step);
            if step.act == UndoAct::Delete {
                prop_assert_eq!(origin, Some(Origin::Created));
            }
        }
        carry_out(&made, &mut view);
        for ((id, did, since), one) in all.iter().zip(&ones) {
            let was = one.before.as_ref().map(recorded::of_account);
            let left = match (did, since) {
                // Somebody moved it since: putting it back would undo their work.
                (Did::Bound, Since::Moved) | (Did::Nothing | Did::Adopted, _) => of(&found, *id),
                (_, Since::Deleted) | (Did::Created, _) => None,
                // Back in service, in the group that somebody chose.
                (Did::Parked, Since::Moved) => was.map(|mut was| {
                    was["group_ids"] = json!([THEIRS]);
                    was
                }),
                (Did::Parked | Did::Bound, _) => was,
            };
            prop_assert_eq!(of(&view, *id), left, "{} {:?} {:?}", id, did, since);
        }

        // A second plan finds nothing more to do.
        let again = plan(&view, &records, &[], &[]);
        let open = |step: &&UndoStep| step.act != UndoAct::Leave && step.blocked.is_none();
        prop_assert_eq!(again.steps.iter().find(open), None);
    }
}
