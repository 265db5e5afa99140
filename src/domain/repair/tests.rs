//! What is added, what stays, what blocks, and what is no matter of a repair.

use super::*;
use crate::inventory::{
    Account, Channel, ChannelSpec, Group, GroupLimits, GroupSpec, ResponsesMode,
};
use crate::pack::{BindingLook, HttpLook, Layer, Level, Place};
use crate::plan::Sign;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

fn check(look: Look) -> Check {
    Check {
        id: "binding.seven".to_owned(),
        layer: Layer::Binding,
        level: Level::Must,
        vantage: Place::Here,
        parents: Vec::new(),
        title: String::new(),
        title_zh: None,
        why: String::new(),
        why_zh: None,
        next_step: "the pack's step".to_owned(),
        next_step_zh: None,
        time_limit: Duration::from_secs(10),
        pace: crate::pack::Pace::default(),
        look,
    }
}

fn of_account() -> Check {
    check(Look::Binding(BindingLook {
        account: Some(7),
        groups: vec![3],
        schedulable: true,
        ..BindingLook::default()
    }))
}

fn of_channel() -> Check {
    check(Look::Binding(BindingLook {
        channel: Some(1),
        groups: vec![3],
        ..BindingLook::default()
    }))
}

fn account(id: i64, platform: &str, groups: &[i64]) -> Account {
    Account {
        id: RemoteId(id),
        name: format!("relay-{id}"),
        platform: platform.to_owned(),
        kind: "apikey".to_owned(),
        base_url: String::new(),
        model_mapping: BTreeMap::new(),
        responses_mode: ResponsesMode::Auto,
        responses_supported: None,
        concurrency: 1,
        priority: 1,
        status: "active".to_owned(),
        error_message: String::new(),
        schedulable: true,
        temp_unschedulable_until: None,
        temp_unschedulable_reason: String::new(),
        last_used_at: None,
        rate_limit_reset_at: None,
        overload_until: None,
        expires_at: None,
        auto_pause_on_expired: false,
        quota_limit: 0.0,
        quota_used: 0.0,
        group_ids: groups.iter().map(|id| RemoteId(*id)).collect(),
    }
}

fn group(id: i64, platform: &str) -> Group {
    Group {
        id: RemoteId(id),
        spec: GroupSpec {
            name: format!("group-{id}"),
            platform: platform.to_owned(),
            subscription_type: "standard".to_owned(),
            rate_multiplier: 1.0,
            is_exclusive: false,
        },
        status: "active".to_owned(),
        limits: GroupLimits::default(),
    }
}

fn channel(id: i64, groups: &[i64]) -> Channel {
    Channel {
        id: RemoteId(id),
        spec: ChannelSpec {
            name: format!("channel-{id}"),
            group_ids: groups.iter().map(|id| RemoteId(*id)).collect(),
            model_pricing: Vec::new(),
            model_mapping: BTreeMap::new(),
            billing_model_source: "requested".to_owned(),
            restrict_models: false,
        },
        status: "active".to_owned(),
    }
}

/// Account 7 and channel 1 without group 3.
fn broken() -> HostView {
    HostView {
        groups: vec![group(3, "openai"), group(4, "openai")],
        accounts: vec![account(7, "openai", &[5, 4])],
        channels: vec![channel(1, &[4])],
        ..HostView::default()
    }
}

fn plan(check: &Check, view: &HostView, role: Role) -> Result<RepairPlan, NoRepair> {
    plan_repair(&RepairInput {
        host: &HostId::new("h").unwrap(),
        role,
        pack: &PackId::new("base").unwrap(),
        check,
        view,
        now_ms: 1_000,
    })
}

#[test]
fn a_missing_group_is_added_and_the_others_stay() {
    let plan = plan(&of_account(), &broken(), Role::Production).unwrap();
    assert_eq!(plan.changes.len(), 1, "{plan:?}");
    let change = &plan.changes[0];
    assert_eq!(
        change.line(),
        "~ account relay-7 #7 [group_ids]  group 3 is missing; 4, 5 kept"
    );
    assert_eq!(change.fields[0].from, json!(["4", "5"]));
    assert_eq!(change.fields[0].to, json!(["3", "4", "5"]));
    assert_eq!(
        plan.call.as_deref(),
        Some("PUT /api/v1/admin/accounts/7 group_ids [3, 4, 5]")
    );
    assert_eq!(plan.expires_ms, Some(901_000));
    assert_eq!(plan.blockers, Vec::<String>::new());
}

#[test]
fn a_channel_gets_its_group_back_unless_another_channel_has_it() {
    let mut view = broken();
    let good = plan(&of_channel(), &view, Role::Acceptance).unwrap();
    assert_eq!(good.rebind.unwrap().groups, [RemoteId(3), RemoteId(4)]);
    assert_eq!((good.expires_ms, good.blockers.len()), (None, 0));
    view.channels.push(channel(2, &[3]));
    let taken = plan(&of_channel(), &view, Role::Acceptance).unwrap();
    assert_eq!(
        taken.blockers,
        ["group 3 is in channel `channel-2` #2 already; a group is in one channel only"]
    );
}

type Change = fn(&mut HostView);

#[test]
fn what_would_serve_nobody_blocks() {
    let rows: [(&str, Change, &str); 5] = [
        (
            "no account",
            |view| view.accounts.clear(),
            "there is no account 7 on this host",
        ),
        (
            "no group",
            |view| view.groups.retain(|group| group.id != RemoteId(3)),
            "there is no group 3 on this host",
        ),
        (
            "another platform",
            |view| view.groups[0].spec.platform = "gemini".to_owned(),
            "the host would bind it and never choose it",
        ),
        (
            "a mix that is confirmed by a person",
            |view| {
                view.groups[0].spec.platform = "anthropic".to_owned();
                view.accounts[0].platform = "anthropic".to_owned();
                view.accounts.push(account(8, "antigravity", &[3]));
            },
            "is confirmed on the host by a person",
        ),
        (
            "no channel",
            |view| view.channels.clear(),
            "there is no channel 1 on this host",
        ),
    ];
    for (name, change, wanted) in rows {
        let mut view = broken();
        change(&mut view);
        let check = if name == "no channel" {
            of_channel()
        } else {
            of_account()
        };
        let plan = plan(&check, &view, Role::Acceptance).unwrap();
        assert_eq!(plan.blockers.len(), 1, "{name}: {plan:?}");
        assert!(plan.blockers[0].contains(wanted), "{name}: {plan:?}");
    }
}

#[test]
fn what_is_right_or_a_persons_word_has_no_plan() {
    let mut view = broken();
    view.accounts[0].group_ids.push(RemoteId(3));
    let right = plan(&of_account(), &view, Role::Acceptance).unwrap_err();
    assert!(matches!(right, NoRepair::NothingWrong(_)), "{right:?}");
    view.accounts[0].schedulable = false;
    let off = plan(&of_account(), &view, Role::Acceptance).unwrap_err();
    assert!(matches!(off, NoRepair::ForAPerson(_)), "{off:?}");
    let key = check(Look::Binding(BindingLook {
        key: Some(11),
        groups: vec![3],
        ..BindingLook::default()
    }));
    let key = plan(&key, &view, Role::Acceptance).unwrap_err();
    assert!(matches!(key, NoRepair::ForAPerson(_)), "{key:?}");
    let page = check(Look::Http(HttpLook {
        url: "https://example.com/".to_owned(),
        status: 200,
        ..HttpLook::default()
    }));
    let page = plan(&page, &view, Role::Acceptance).unwrap_err();
    assert_eq!(page, NoRepair::NotByApi("http"));
}

#[test]
fn an_account_that_is_closed_as_well_is_bound_and_left_closed() {
    let mut view = broken();
    view.accounts[0].schedulable = false;
    view.groups[0].status = "inactive".to_owned();
    let plan = plan(&of_account(), &view, Role::Acceptance).unwrap();
    let signs: Vec<Sign> = plan.changes.iter().map(|change| change.sign).collect();
    assert_eq!(signs, [Sign::Change, Sign::Attention, Sign::Attention]);
    assert_eq!(plan.blockers, Vec::<String>::new());
}

#[test]
fn the_revision_moves_with_what_was_read_and_with_nothing_else() {
    let revision = |view: &HostView| {
        plan(&of_account(), view, Role::Acceptance)
            .unwrap()
            .revision
    };
    let before = revision(&broken());
    let mut view = broken();
    view.accounts[0].temp_unschedulable_reason = "asked to slow down".to_owned();
    view.accounts.push(account(9, "openai", &[3]));
    view.accounts[0].group_ids.reverse();
    assert_eq!(revision(&view), before);
    for change in [
        (|view| view.accounts[0].group_ids.push(RemoteId(6))) as Change,
        |view| view.accounts[0].schedulable = false,
        |view| view.groups[0].status = "inactive".to_owned(),
    ] {
        let mut view = broken();
        change(&mut view);
        assert_ne!(revision(&view), before);
    }
}

#[test]
fn only_what_a_fresh_write_explains_is_asked_again() {
    for (found, again) in [
        ("gpt-5.4: 503 no available accounts", true),
        ("/v1/models is 503, expected 200", true),
        ("/v1/models lacks gpt-5.4", true),
        ("gpt-5.4: 403 insufficient_user_quota", false),
        ("gpt-5.4: answered `ping`, expected `pong`", false),
    ] {
        assert_eq!(may_be_warming(found), again, "{found}");
    }
}
