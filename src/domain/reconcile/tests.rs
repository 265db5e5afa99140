//! Counts, noise and status (`product.md` 4; the example of `001_…`: raw 15, noise 15, extra 0).

use super::*;
use crate::inventory::{
    Account, Channel, ChannelSpec, Group, GroupLimits, GroupSpec, ResponsesMode,
};
use crate::pack::SubscriptionTemplate;
use std::collections::BTreeMap;

pub(super) const BATCH: BatchId = BatchId(3);

pub(crate) fn pack() -> ProviderPack {
    ProviderPack {
        id: PackId::new("lab").unwrap(),
        title: String::new(),
        fingerprint: String::new(),
        base_url: String::new(),
        platform: "openai".to_owned(),
        models: vec!["m".to_owned()],
        smoke_model: "m".to_owned(),
        model_mapping: BTreeMap::new(),
        responses_mode: ResponsesMode::Auto,
        input_price: None,
        output_price: None,
        concurrency: 1,
        floor: 1,
        priority: 1,
        subscription: SubscriptionTemplate {
            group: "g".to_owned(),
            channel: "c".to_owned(),
            plan: "p".to_owned(),
            rate_multiplier: 1.0,
            price: 1.0,
            validity_days: 30,
        },
        legacy_account_patterns: vec!["^old-lab-".to_owned()],
        to_be_confirmed: Vec::new(),
    }
}

pub(crate) fn account(id: i64, name: &str, schedulable: bool) -> Account {
    Account {
        id: RemoteId(id),
        name: name.to_owned(),
        platform: "openai".to_owned(),
        kind: "apikey".to_owned(),
        base_url: String::new(),
        model_mapping: BTreeMap::new(),
        responses_mode: ResponsesMode::Auto,
        responses_supported: None,
        concurrency: 1,
        priority: 1,
        status: "active".to_owned(),
        error_message: String::new(),
        schedulable,
        temp_unschedulable_until: None,
        temp_unschedulable_reason: String::new(),
        last_used_at: None,
        rate_limit_reset_at: None,
        overload_until: None,
        expires_at: None,
        auto_pause_on_expired: false,
        quota_limit: 0.0,
        quota_used: 0.0,
        group_ids: vec![RemoteId(5)],
    }
}

pub(crate) fn record(
    kind: ResourceKind,
    id: i64,
    name: &str,
    origin: Origin,
    recorded: Value,
) -> BatchResource {
    BatchResource {
        batch: BATCH,
        kind,
        host_resource_id: RemoteId(id),
        name: name.to_owned(),
        origin,
        recorded,
        before: Value::Null,
        undone: false,
    }
}

/// A host that holds exactly what batch 3 recorded: group 5, channel 9, accounts 20 and 21.
pub(crate) fn settled() -> (HostView, Vec<BatchResource>) {
    let group = Group {
        id: RemoteId(5),
        spec: GroupSpec {
            name: "g".to_owned(),
            platform: "openai".to_owned(),
            subscription_type: "subscription".to_owned(),
            rate_multiplier: 1.0,
            is_exclusive: false,
        },
        status: "active".to_owned(),
        limits: GroupLimits::default(),
    };
    let channel = Channel {
        id: RemoteId(9),
        spec: ChannelSpec {
            name: "c".to_owned(),
            group_ids: vec![RemoteId(5)],
            model_pricing: Vec::new(),
            model_mapping: BTreeMap::new(),
            billing_model_source: "channel_mapped".to_owned(),
            restrict_models: true,
        },
        status: "active".to_owned(),
    };
    let accounts = vec![
        account(20, "lab.000000000020", true),
        account(21, "lab.000000000021", true),
    ];
    let mut records = vec![
        record(
            ResourceKind::Group,
            5,
            "g",
            Origin::Created,
            recorded::of_group(&group),
        ),
        record(
            ResourceKind::Channel,
            9,
            "c",
            Origin::Created,
            recorded::of_channel(&channel),
        ),
    ];
    for account in &accounts {
        records.push(record(
            ResourceKind::Account,
            account.id.0,
            &account.name,
            Origin::Created,
            recorded::of_account(account),
        ));
    }
    let view = HostView {
        groups: vec![group],
        channels: vec![channel],
        accounts,
        ..HostView::default()
    };
    (view, records)
}

pub(super) fn run(
    view: &HostView,
    records: &[BatchResource],
    probe_notes: Vec<String>,
) -> ReconcileReport {
    reconcile(ReconcileInput {
        host: &HostId::new("h").unwrap(),
        pack: &pack(),
        batch: BATCH,
        resources: records,
        others: &[],
        peers: &[],
        view,
        keys: &[],
        probe_notes,
        summary: ReconcileSummary {
            access_status: None,
            latest_access_status: None,
        },
    })
}

pub(super) fn counts(report: &ReconcileReport) -> (usize, usize, usize, usize, usize) {
    (
        report.missing_count,
        report.changed_count,
        report.extra_count,
        report.raw_extra_count,
        report.stale_noise_count,
    )
}

#[test]
fn reconcile_of_an_equal_host_is_empty() {
    let (view, records) = settled();
    let report = run(&view, &records, Vec::new());
    assert_eq!(report.status, ReconcileStatus::Active);
    assert_eq!(counts(&report), (0, 0, 0, 0, 0));
    assert!(report.changes.is_empty());
}

#[test]
fn fifteen_leftovers_and_one_failed_probe_are_degraded_not_drifted() {
    let (mut view, records) = settled();
    for n in 0..15 {
        view.accounts
            .push(account(100 + n, &format!("lab.{n:012x}"), true));
    }
    let report = run(&view, &records, vec!["completion 502".to_owned()]);
    assert_eq!(report.status, ReconcileStatus::Degraded);
    assert_eq!(counts(&report), (0, 0, 0, 15, 15));
    assert_eq!(report.probe_failures, 1);
}

#[test]
fn one_deleted_one_edited_one_stranger_and_ten_leftovers_are_told_apart() {
    let (mut view, records) = settled();
    view.accounts.remove(0);
    view.channels[0].spec.restrict_models = false;
    view.accounts.push(account(50, "somebody-else", true));
    for n in 0..10 {
        view.accounts
            .push(account(100 + n, &format!("old-lab-{n}"), false));
    }
    let report = run(&view, &records, Vec::new());
    assert_eq!(report.status, ReconcileStatus::Drifted);
    assert_eq!(counts(&report), (1, 1, 1, 11, 10));
    let edited = report
        .changes
        .iter()
        .find(|change| change.sign == Sign::Change)
        .unwrap();
    assert_eq!(edited.fields.len(), 1);
    assert_eq!(edited.fields[0].field, "restrict_models");
}

#[test]
fn parked_accounts_are_noise_until_somebody_wakes_one() {
    let (mut view, mut records) = settled();
    view.accounts.push(account(60, "lab.000000000060", false));
    records.push(record(
        ResourceKind::Account,
        60,
        "lab.000000000060",
        Origin::Parked,
        serde_json::json!({"schedulable": false}),
    ));
    let report = run(&view, &records, Vec::new());
    assert_eq!(
        (report.status, counts(&report)),
        (ReconcileStatus::Active, (0, 0, 0, 1, 1))
    );
    view.accounts[2].schedulable = true;
    let report = run(&view, &records, Vec::new());
    assert_eq!(
        (report.status, report.changed_count),
        (ReconcileStatus::Drifted, 1)
    );
    view.accounts.remove(2);
    assert_eq!(
        run(&view, &records, Vec::new()).status,
        ReconcileStatus::Active
    );
}

#[test]
fn traffic_changing_an_accounts_status_is_no_drift() {
    let (mut view, records) = settled();
    view.accounts[0].status = "error".to_owned();
    view.accounts[0].error_message = "Authentication failed (401)".to_owned();
    assert_eq!(
        run(&view, &records, Vec::new()).status,
        ReconcileStatus::Active
    );
}

#[test]
fn a_double_of_an_account_of_ours_is_no_noise() {
    let (mut view, records) = settled();
    view.accounts.push(account(77, "lab.000000000020", true));
    let report = run(&view, &records, Vec::new());
    assert_eq!(report.status, ReconcileStatus::Drifted);
    assert_eq!(counts(&report), (0, 0, 1, 1, 0));
    assert!(
        report.changes[0]
            .line()
            .contains("a double of our account #20")
    );
}

/// The group ids of an account as it is recorded.
fn bind(view: &mut HostView, at: usize, groups: &[i64]) {
    view.accounts[at].group_ids = groups.iter().map(|id| RemoteId(*id)).collect();
}

#[test]
fn what_of_a_drift_is_put_back_and_what_is_left_with_its_way_out() {
    type Drift = fn(&mut HostView, &mut Vec<BatchResource>);
    let cases: [(&str, Drift, usize, &str); 9] = [
        (
            "a field of our channel",
            |view, _| view.channels[0].spec.restrict_models = false,
            1,
            "put back",
        ),
        (
            "a channel switched off by hand",
            |view, _| view.channels[0].status = "disabled".to_owned(),
            0,
            "in the host's own pages",
        ),
        (
            "an account unbound and switched off",
            |view, _| {
                bind(view, 0, &[]);
                view.accounts[0].schedulable = false;
            },
            2,
            "put back",
        ),
        (
            "an account in error switched off",
            |view, _| {
                view.accounts[0].schedulable = false;
                view.accounts[0].status = "error".to_owned();
            },
            0,
            "in state `error`",
        ),
        (
            "an account with one more group",
            |view, _| bind(view, 0, &[5, 6]),
            0,
            "takes nothing away",
        ),
        (
            "an account of a group that is gone",
            |view, _| {
                bind(view, 0, &[]);
                view.groups.clear();
            },
            0,
            "group 5 is not on the host any more",
        ),
        (
            "an account that is gone",
            |view, _| drop(view.accounts.remove(0)),
            0,
            "import that key again: `cockpit import plan --host h --provider lab",
        ),
        (
            "a channel that was there before us",
            |view, records| {
                view.channels[0].spec.restrict_models = false;
                records[1].origin = Origin::Adopted;
            },
            0,
            "its owner decides",
        ),
        (
            "an older account somebody woke",
            |_, records| {
                records[2].origin = Origin::Parked;
                records[2].recorded = serde_json::json!({"schedulable": false});
            },
            0,
            "theirs to decide",
        ),
    ];
    for (name, drift, mends, wanted) in cases {
        let (mut view, mut records) = settled();
        drift(&mut view, &mut records);
        let report = run(&view, &records, Vec::new());
        assert_eq!(report.status, ReconcileStatus::Drifted, "{name}");
        assert_eq!(report.mends.len(), mends, "{name}: {report:?}");
        let told: Vec<String> = report.changes.iter().map(Change::line).collect();
        assert!(told.join("; ").contains(wanted), "{name}: {told:?}");
        let sign = if mends > 0 {
            Sign::Change
        } else {
            Sign::Attention
        };
        assert!(report.changes.iter().any(|row| row.sign == sign), "{name}");
    }
}

#[test]
fn an_account_that_another_batch_parked_is_not_switched_on() {
    let (mut view, records) = settled();
    view.accounts[0].schedulable = false;
    let mut parked = records[2].clone();
    (parked.batch, parked.origin) = (BatchId(4), Origin::Parked);
    let host = HostId::new("h").unwrap();
    let report = reconcile(ReconcileInput {
        host: &host,
        pack: &pack(),
        batch: BATCH,
        resources: &records,
        others: &[parked],
        peers: &[],
        view: &view,
        keys: &[],
        probe_notes: Vec::new(),
        summary: ReconcileSummary {
            access_status: None,
            latest_access_status: None,
        },
    });
    assert_eq!(report.mends, Vec::new());
    assert!(report.changes[0].line().contains("batch/4 parked it"));
}

#[test]
fn groups_that_others_gave_stay_when_a_lost_one_comes_back() {
    let (mut view, records) = settled();
    bind(&mut view, 0, &[7]);
    let report = run(&view, &records, Vec::new());
    let [mend] = &report.mends[..] else {
        panic!("{report:?}")
    };
    assert_eq!(mend.to, serde_json::json!({"group_ids": ["5", "7"]}));
    assert_eq!(mend.before, serde_json::json!({"group_ids": ["7"]}));
    let signs: Vec<Sign> = report.changes.iter().map(|row| row.sign).collect();
    assert_eq!(signs, [Sign::Change, Sign::Attention]);
}

#[test]
fn both_writes_of_one_account_hold_one_before_image_and_records_grow_with_them() {
    let (mut view, records) = settled();
    bind(&mut view, 0, &[]);
    view.accounts[0].schedulable = false;
    let report = run(&view, &records, Vec::new());
    let before = serde_json::json!({"group_ids": [], "schedulable": false});
    assert!(report.mends.iter().all(|mend| mend.before == before));
    assert_eq!(
        [0, 1].map(|at| recorded_after(&report.mends, at)),
        [
            serde_json::json!({"group_ids": ["5"]}),
            serde_json::json!({"group_ids": ["5"], "schedulable": true}),
        ]
    );
    // Untouched until its own field moves; done when what it makes is there.
    let now = mended_now(&view, &report.mends[1]).unwrap();
    assert!(report.mends[1].is_untouched(&now) && !report.mends[1].holds(&now));
    view.accounts[0].schedulable = true;
    let now = mended_now(&view, &report.mends[1]).unwrap();
    assert!(!report.mends[1].is_untouched(&now) && report.mends[1].holds(&now));
    assert!(report.mends[0].is_untouched(&now));
}

#[test]
fn putting_back_what_a_plan_names_ends_the_drift() {
    let (mut view, records) = settled();
    let (was, _) = settled();
    view.channels[0].spec.restrict_models = false;
    view.channels[0].spec.billing_model_source = "upstream".to_owned();
    view.accounts[1].schedulable = false;
    let report = run(&view, &records, Vec::new());
    assert_eq!(report.mends.len(), 2, "{report:?}");
    let spec: ChannelSpec = serde_json::from_value(report.mends[0].to.clone()).unwrap();
    assert_eq!(spec, was.channels[0].spec);
    view.channels[0].spec = spec;
    view.accounts[1].schedulable = true;
    let after = run(&view, &records, Vec::new());
    assert_eq!(after.status, ReconcileStatus::Active);
}
