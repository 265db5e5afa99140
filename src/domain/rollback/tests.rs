//! Order, blockers and what is left alone.

use super::*;
use crate::inventory::User;
use crate::reconcile::tests::{account, record, settled};
use crate::secret::Secret;
use serde_json::json;

fn key(id: i64, user: i64, group: i64) -> ApiKey {
    ApiKey {
        id: RemoteId(id),
        user_id: RemoteId(user),
        name: format!("key {id}"),
        key: Secret::new(format!("sk-relay-{id:020}")),
        group_id: Some(RemoteId(group)),
        status: "active".to_owned(),
    }
}

pub(super) fn plan(
    view: &HostView,
    records: &[BatchResource],
    others: &[BatchResource],
    keys: &[ApiKey],
) -> RollbackPlan {
    plan_rollback(&RollbackInput {
        host: &HostId::new("h").unwrap(),
        provider: &PackId::new("lab").unwrap(),
        batch: BatchId(3),
        resources: records,
        others,
        view,
        keys,
        subscriptions: &[],
        expires_ms: None,
        delete: None,
    })
}

fn acts(plan: &RollbackPlan) -> Vec<(UndoAct, ResourceKind, bool)> {
    plan.steps
        .iter()
        .map(|step| (step.act, step.change.kind, step.blocked.is_some()))
        .collect()
}

/// The settled host plus a managed user with our key.
fn closed() -> (HostView, Vec<BatchResource>, Vec<ApiKey>) {
    let (mut view, mut records) = settled();
    view.user = Some(User {
        id: RemoteId(30),
        email: "relay-lab@cockpit.invalid".to_owned(),
        role: "user".to_owned(),
        status: "active".to_owned(),
        balance: 0.0,
        allowed_groups: Vec::new(),
    });
    records.push(record(
        ResourceKind::User,
        30,
        "relay-lab@cockpit.invalid",
        Origin::Created,
        json!({}),
    ));
    records.push(record(
        ResourceKind::Key,
        40,
        "key 40",
        Origin::Created,
        json!({}),
    ));
    (view, records, vec![key(40, 30, 5)])
}

#[test]
fn own_work_goes_in_the_order_that_nothing_dangles() {
    let (view, records, keys) = closed();
    use {ResourceKind as K, UndoAct::Delete};
    assert_eq!(
        acts(&plan(&view, &records, &[], &keys)),
        [
            (Delete, K::Key, false),
            (Delete, K::Account, false),
            (Delete, K::Account, false),
            (Delete, K::Channel, false),
            (Delete, K::Group, false),
            (Delete, K::User, false),
        ]
    );
}

#[test]
fn a_strangers_key_in_the_group_blocks_the_group_only() {
    let (view, records, mut keys) = closed();
    keys.push(key(41, 99, 5));
    let plan = plan(&view, &records, &[], &keys);
    let blocked: Vec<_> = plan
        .steps
        .iter()
        .filter(|step| step.blocked.is_some())
        .collect();
    assert_eq!(blocked.len(), 1);
    assert_eq!(blocked[0].change.kind, ResourceKind::Group);
    assert!(blocked[0].blocked.as_deref().unwrap().contains("key #41"));
    assert_eq!(plan.totals.remove, 5);
}

#[test]
fn what_another_batch_uses_stays() {
    let (view, records, keys) = closed();
    let mut other = records[0].clone();
    other.batch = BatchId(4);
    let plan = plan(&view, &records, &[other], &keys);
    let group = plan
        .steps
        .iter()
        .find(|step| step.change.kind == ResourceKind::Group)
        .unwrap();
    assert!(group.blocked.as_deref().unwrap().contains("batch/4"));
}

#[test]
fn parked_accounts_wake_first_and_adopted_ones_stay() {
    let (mut view, mut records) = settled();
    view.accounts.push(account(60, "lab.000000000060", false));
    records.push(record(
        ResourceKind::Account,
        60,
        "lab.000000000060",
        Origin::Parked,
        json!({"schedulable": false}),
    ));
    records[0].origin = Origin::Adopted;
    let plan = plan(&view, &records, &[], &[]);
    assert_eq!(plan.steps[0].act, UndoAct::Unpark);
    let group = plan
        .steps
        .iter()
        .find(|step| step.change.kind == ResourceKind::Group)
        .unwrap();
    assert_eq!(group.act, UndoAct::Leave);
}

#[test]
fn a_corrected_channel_goes_back_unless_somebody_changed_it_since() {
    let (mut view, mut records) = settled();
    records[1].origin = Origin::Corrected;
    records[1].before = json!({"restrict_models": false});
    let step = |plan: RollbackPlan| {
        plan.steps
            .into_iter()
            .find(|step| step.change.kind == ResourceKind::Channel)
            .unwrap()
    };
    let restore = step(plan(&view, &records, &[], &[]));
    assert_eq!((restore.act, restore.blocked), (UndoAct::Restore, None));
    view.channels[0].spec.billing_model_source = "requested".to_owned();
    assert!(step(plan(&view, &records, &[], &[])).blocked.is_some());
}

#[test]
fn what_is_gone_already_needs_nothing() {
    let (mut view, records) = settled();
    view.accounts.clear();
    let plan = plan(&view, &records, &[], &[]);
    let left = plan
        .steps
        .iter()
        .filter(|step| step.act == UndoAct::Leave)
        .count();
    assert_eq!(left, 2);
}

#[test]
fn a_batch_that_parked_the_accounts_of_an_earlier_one_can_be_taken_back_and_so_can_the_earlier_one()
{
    let (mut view, records) = settled();
    let mut parked = records[2].clone();
    view.accounts[0].schedulable = false;
    parked.batch = BatchId(4);
    parked.origin = Origin::Parked;
    parked.recorded = json!({"schedulable": false});
    let later = plan(&view, std::slice::from_ref(&parked), &records, &[]);
    assert_eq!(
        acts(&later),
        [(UndoAct::Unpark, ResourceKind::Account, false)]
    );
    let earlier = plan(&view, &records, std::slice::from_ref(&parked), &[]);
    assert!(
        earlier.steps.iter().all(|step| step.blocked.is_none()),
        "{:?}",
        acts(&earlier)
    );
    let mut third = parked.clone();
    third.batch = BatchId(5);
    let blocked = plan(&view, &[parked], &[third], &[]);
    assert!(
        blocked.steps[0]
            .blocked
            .as_deref()
            .unwrap()
            .contains("batch/5")
    );
}

/// The records of a batch that found the user there and set its balance.
fn paid(was: f64) -> Vec<BatchResource> {
    let email = "relay-lab@cockpit.invalid";
    let mut row = record(ResourceKind::User, 30, email, Origin::Corrected, json!({}));
    row.before = json!({"balance": was});
    vec![row]
}

#[test]
fn a_balance_goes_back_to_what_it_was_and_never_up() {
    let (mut view, _, _) = closed();
    let mut of = |was, now| {
        if let Some(user) = &mut view.user {
            user.balance = now;
        }
        let step = plan(&view, &paid(was), &[], &[]).steps.remove(0);
        (step.act, step.blocked.is_some())
    };
    assert_eq!(of(0.0, 4.9), (UndoAct::Restore, false));
    assert_eq!(of(0.5, 4.9), (UndoAct::Restore, false));
    assert_eq!(of(0.5, 0.4), (UndoAct::Leave, false), "spent stays spent");
    assert_eq!(of(0.0, 0.0), (UndoAct::Leave, false));
    assert_eq!(
        of(0.0, 80.0),
        (UndoAct::Restore, true),
        "somebody else paid in"
    );
}

#[test]
fn what_was_changed_goes_back_although_an_earlier_batch_made_it() {
    let (mut view, _, _) = closed();
    if let Some(user) = &mut view.user {
        user.balance = 5.0;
    }
    let email = "relay-lab@cockpit.invalid";
    let mut maker = record(ResourceKind::User, 30, email, Origin::Created, json!({}));
    maker.batch = BatchId(2);
    let earlier = plan(&view, &paid(0.0), &[maker.clone()], &[]);
    assert_eq!(earlier.steps[0].blocked, None);
    maker.batch = BatchId(4);
    maker.origin = Origin::Adopted;
    let later = plan(&view, &paid(0.0), &[maker], &[]);
    let why = later.steps[0].blocked.as_deref().unwrap();
    assert!(why.contains("batch/4"), "{why}");
}

#[test]
fn an_account_bound_by_an_import_leaves_its_new_group_whatever_else_was_changed() {
    let (mut view, mut records) = settled();
    let at = records
        .iter()
        .position(|row| row.kind == ResourceKind::Account)
        .unwrap();
    records[at].origin = Origin::Corrected;
    records[at].before = json!({"group_ids": [1]});
    let id = records[at].host_resource_id;
    let step = |view: &HostView| {
        let steps = plan(view, &records, &[], &[]).steps;
        let of = |step: &UndoStep| step.change.host_resource_id == Some(id);
        let mut steps = steps.into_iter();
        steps.find(|step| of(step) && step.change.kind == ResourceKind::Account)
    };
    let account = |view: &mut HostView| view.accounts.iter().position(|row| row.id == id);
    let row = account(&mut view).unwrap();
    view.accounts[row].priority += 1;
    let restore = step(&view).unwrap();
    assert_eq!((restore.act, restore.blocked), (UndoAct::Restore, None));
    view.accounts[row].group_ids.push(RemoteId(77));
    assert!(step(&view).unwrap().blocked.is_some());
}

#[test]
fn what_was_taken_over_goes_on_request_and_a_group_that_stays_keeps_what_serves_it() {
    let (view, mut records, keys) = closed();
    for record in &mut records {
        record.origin = Origin::Adopted;
    }
    let with = |keys: &[ApiKey], delete: Option<Floor>| {
        plan_rollback(&RollbackInput {
            host: &HostId::new("h").unwrap(),
            provider: &PackId::new("lab").unwrap(),
            batch: BatchId(3),
            resources: &records,
            others: &[],
            view: &view,
            keys,
            subscriptions: &[],
            expires_ms: None,
            delete,
        })
    };
    let released = with(&keys, None);
    assert_eq!((released.totals.remove, released.delete), (0, false));
    let floor = |floor| Some(Floor { floor, now_ms: 0 });
    let all = with(&keys, floor(1));
    assert_eq!((all.totals.remove, all.delete), (records.len(), true));
    assert!(all.will_not_undo[0].contains("cannot be brought back"));
    assert!(all.steps.iter().all(|step| step.blocked.is_none()));

    // A stranger's key keeps the group, and the group keeps its accounts and its channel.
    let mut others = keys;
    others.push(key(41, 99, 5));
    let kinds = |plan: &RollbackPlan| -> Vec<ResourceKind> {
        let steps = plan.steps.iter().filter(|step| step.blocked.is_some());
        steps.map(|step| step.change.kind).collect()
    };
    use ResourceKind::{Account, Channel, Group};
    let kept = with(&others, floor(1));
    assert_eq!(kinds(&kept), [Account, Account, Channel, Group]);
    assert_eq!(kinds(&with(&others, floor(0))), [Channel, Group]);
}

#[test]
fn only_accounts_that_would_be_chosen_count_for_the_floor_of_a_group_that_stays() {
    let (mut view, mut records, mut keys) = closed();
    for record in &mut records {
        record.origin = Origin::Adopted;
    }
    keys.push(key(41, 99, 5));
    let kept = |view: &HostView| -> Vec<RemoteId> {
        let plan = plan_rollback(&RollbackInput {
            host: &HostId::new("h").unwrap(),
            provider: &PackId::new("lab").unwrap(),
            batch: BatchId(3),
            resources: &records,
            others: &[],
            view,
            keys: &keys,
            subscriptions: &[],
            expires_ms: None,
            delete: Some(Floor {
                floor: 1,
                now_ms: 0,
            }),
        });
        let steps = plan.steps.into_iter();
        let kept = steps
            .filter(|step| step.blocked.is_some() && step.change.kind == ResourceKind::Account);
        kept.filter_map(|step| step.change.host_resource_id)
            .collect()
    };
    let mut ours = kept(&view);
    ours.sort();
    assert_eq!(ours.len(), 2, "{ours:?}");
    // One of somebody else's serves the group as well: ours may go.
    let mut theirs = view.accounts[0].clone();
    theirs.id = RemoteId(900);
    view.accounts.push(theirs);
    assert_eq!(kept(&view), []);
    // Switched off it serves nobody.
    let last = view.accounts.len() - 1;
    view.accounts[last].schedulable = false;
    assert_eq!(kept(&view).len(), 2);
    // What serves nobody now is missed by nobody.
    for account in &mut view.accounts {
        account.schedulable &= account.id != ours[0];
    }
    assert_eq!(kept(&view), [ours[1]]);
}
