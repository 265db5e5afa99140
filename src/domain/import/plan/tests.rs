//! What a plan says of hosts in different states.

use super::*;
use crate::batch::AccountStatus;
use crate::ids::ItemId;
use crate::ids::PackId;
use crate::ids::RemoteId;
use crate::import::account_name;
use crate::import::read_keys;
use crate::inventory::{Account, Channel, Group, GroupLimits, PricingEntry, ResponsesMode, User};
use crate::pack::SubscriptionTemplate;
use crate::plan::Sign;
use crate::resource::ResourceKind;
use std::collections::BTreeMap;

fn pack() -> ProviderPack {
    ProviderPack {
        id: PackId::new("lab").unwrap(),
        title: "Lab".to_owned(),
        fingerprint: "f".to_owned(),
        base_url: "http://good.upstream.lab".to_owned(),
        platform: "openai".to_owned(),
        models: vec!["lab-chat".to_owned(), "gpt-5.4".to_owned()],
        smoke_model: "lab-chat".to_owned(),
        model_mapping: BTreeMap::new(),
        responses_mode: ResponsesMode::Auto,
        input_price: None,
        output_price: None,
        concurrency: 10,
        floor: 1,
        priority: 50,
        subscription: SubscriptionTemplate {
            group: "relay-lab".to_owned(),
            channel: "relay-lab".to_owned(),
            plan: "relay-lab-monthly".to_owned(),
            rate_multiplier: 1.0,
            price: 1.0,
            validity_days: 30,
        },
        legacy_account_patterns: vec!["^lab-old-[0-9]+$".to_owned()],
        to_be_confirmed: Vec::new(),
    }
}

fn request() -> ImportRequest {
    ImportRequest {
        host: HostId::new("accept").unwrap(),
        role: Role::Acceptance,
        pack: pack(),
        mode: ImportMode::Partial,
        access: AccessMode::Subscription,
        user_key: None,
        retry_of: None,
        prepare: false,
    }
}

fn account(id: i64, name: &str) -> Account {
    Account {
        id: RemoteId(id),
        name: name.to_owned(),
        platform: "openai".to_owned(),
        kind: "apikey".to_owned(),
        base_url: String::new(),
        model_mapping: BTreeMap::new(),
        responses_mode: ResponsesMode::Auto,
        responses_supported: None,
        concurrency: 10,
        priority: 50,
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
        group_ids: vec![RemoteId(5)],
    }
}

/// An account as an import makes it.
fn made(id: i64, name: &str) -> Account {
    Account {
        base_url: request().pack.base_url,
        model_mapping: request().account_models(),
        ..account(id, name)
    }
}

/// A host with the group, a half-made channel, ten older accounts, one legacy one and a stranger.
fn used_host() -> HostView {
    let request = request();
    let mut channel = request.channel_spec(RemoteId(5));
    channel.model_pricing.clear();
    let mut accounts: Vec<Account> = (1..=10)
        .map(|n| account(n, &format!("lab.{n:012x}")))
        .collect();
    accounts.push(account(11, "lab-old-7"));
    accounts.push(account(12, "somebody-else"));
    HostView {
        version: "0.1.129".to_owned(),
        groups: vec![Group {
            id: RemoteId(5),
            spec: request.group_spec(),
            status: "active".to_owned(),
            limits: GroupLimits::default(),
        }],
        channels: vec![Channel {
            id: RemoteId(9),
            spec: channel,
            status: "active".to_owned(),
        }],
        accounts,
        ..HostView::default()
    }
}

fn lines(plan: &ImportPlan, sign: Sign) -> Vec<String> {
    plan.changes
        .iter()
        .filter(|change| change.sign == sign)
        .map(Change::line)
        .collect()
}

#[test]
fn an_empty_host_gets_everything_made() {
    let plan = plan_import(
        request(),
        &read_keys("sk-lab-good-0001"),
        &[],
        &HostView::default(),
        0,
    );
    let made: Vec<ResourceKind> = plan.changes.iter().map(|change| change.kind).collect();
    assert_eq!(made, ResourceKind::ALL);
    assert_eq!(
        plan.totals,
        Totals {
            create: 7,
            ..Totals::default()
        }
    );
    assert!(plan.blockers.is_empty());
}

#[test]
fn ten_older_accounts_and_a_legacy_one_are_parked_and_a_stranger_is_left() {
    let plan = plan_import(
        request(),
        &read_keys("sk-lab-good-0001"),
        &[],
        &used_host(),
        0,
    );
    let parked = lines(&plan, Sign::Remove);
    assert_eq!(parked.len(), 11);
    assert!(!parked.iter().any(|line| line.contains("somebody-else")));
}

#[test]
fn a_half_made_channel_is_corrected_and_the_field_is_named() {
    let plan = plan_import(
        request(),
        &read_keys("sk-lab-good-0001"),
        &[],
        &used_host(),
        0,
    );
    let change = plan
        .changes
        .iter()
        .find(|change| change.sign == Sign::Change)
        .unwrap();
    assert_eq!(change.kind, ResourceKind::Channel);
    assert_eq!(change.fields.len(), 1);
    assert_eq!(change.fields[0].field, "model_pricing");
}

#[test]
fn correcting_a_channel_leaves_what_others_put_there() {
    let mut view = used_host();
    view.channels[0].spec.group_ids.push(RemoteId(77));
    view.channels[0].spec.model_pricing.push(PricingEntry {
        platform: "anthropic".to_owned(),
        models: vec!["claude".to_owned()],
        billing_mode: "token".to_owned(),
        input_price: Some(1.0),
        output_price: None,
    });
    let spec = request().corrected_channel(&view.channels[0], RemoteId(5));
    assert!(spec.group_ids.contains(&RemoteId(77)));
    assert_eq!(spec.model_pricing.len(), 2);
    let again = Channel {
        id: RemoteId(9),
        spec,
        status: String::new(),
    };
    assert_eq!(
        request()
            .corrected_channel(&again, RemoteId(5))
            .model_pricing
            .len(),
        2
    );
}

#[test]
fn the_same_key_again_makes_no_second_account() {
    let input = read_keys("sk-lab-good-0001\nsk-lab-good-0001");
    let name = account_name(&request().pack.id, &input.keys[0].key.fingerprint());
    let mut view = used_host();
    view.accounts.push(made(20, &name));
    let plan = plan_import(request(), &input, &[], &view, 0);
    assert_eq!(plan.items.len(), 1);
    assert_eq!(plan.items[0].state, KeyState::Same);
    assert_eq!(plan.items[0].notes, ["repeated on line 2"]);
    view.accounts.last_mut().unwrap().group_ids.clear();
    assert_eq!(
        plan_import(request(), &input, &[], &view, 0).items[0].state,
        KeyState::Unbound
    );
    view.accounts.push(account(21, &name));
    assert_eq!(
        plan_import(request(), &input, &[], &view, 0).blockers.len(),
        1
    );
}

#[test]
fn each_key_says_how_it_stands_and_the_totals_count_them() {
    let input = read_keys(
        "sk-lab-good-0001\nsk-lab-good-0002\nsk-lab-good-0003\nsk-lab-good-0004\nsk-lab-good-0005\nsk-lab-good-0001",
    );
    let print = |at: usize| input.keys[at].key.fingerprint();
    let name = |at: usize| account_name(&request().pack.id, &print(at));
    let mut view = used_host();
    view.accounts.push(made(20, &name(1)));
    let mut parked = made(21, &name(2));
    parked.schedulable = false;
    view.accounts.push(parked);
    let mut other = made(22, &name(3));
    other.base_url = "http://elsewhere.invalid".to_owned();
    view.accounts.push(other);
    let fact = |at: usize, elsewhere: &[&str], earlier: Vec<Attempt>| KeyFact {
        fingerprint: print(at),
        elsewhere: elsewhere.iter().map(|&place| place.to_owned()).collect(),
        beside: Vec::new(),
        earlier,
    };
    let failed = Attempt {
        batch: BatchId(3),
        item: ItemId(7),
        account_status: Some(AccountStatus::Failed),
        summary: "401".to_owned(),
    };
    let facts = [
        fact(4, &["host prod, provider lab, batch/2"], Vec::new()),
        fact(2, &[], vec![failed]),
    ];
    let plan = plan_import(request(), &input, &facts, &view, 0);
    let states: Vec<KeyState> = plan.items.iter().map(|item| item.state).collect();
    assert_eq!(
        states,
        [
            KeyState::New,
            KeyState::Same,
            KeyState::Changed,
            KeyState::Changed,
            KeyState::KnownElsewhere
        ]
    );
    assert_eq!(
        plan.key_totals().line(),
        "1 new, 1 same, 2 changed, 1 on another host, 1 repeated in the input, 1 tried before"
    );
    assert_eq!(
        plan.items[2].notes,
        ["tried before: batch/3#item7 failed: 401"]
    );
    let change = |at: usize| {
        let mut rows = plan.changes.iter();
        rows.find(|row| row.name == name(at)).unwrap()
    };
    assert_eq!(change(2).sign, Sign::Change);
    assert_eq!(change(2).fields[0].field, "schedulable");
    assert_eq!(
        change(3).sign,
        Sign::Attention,
        "an import changes no account"
    );
    assert_eq!(change(3).fields[0].field, "base_url");
    assert_eq!(plan.canary(2), [0, 4], "what is new goes first");
}

#[test]
fn a_key_that_this_host_has_under_another_provider_stands_apart_from_one_on_another_host() {
    let input = read_keys("sk-lab-good-0001\nsk-lab-good-0002\nsk-lab-good-0003\nsk-lab-good-0004");
    let print = |at: usize| input.keys[at].key.fingerprint();
    let mut view = used_host();
    // By record, by record of an account that is gone since, and by its name alone.
    view.accounts.push(made(20, "other-anything"));
    view.accounts.push(made(21, &format!("elder.{}", print(2))));
    let fact = |at: usize, account: i64| KeyFact {
        fingerprint: print(at),
        elsewhere: Vec::new(),
        beside: vec![(
            Some(RemoteId(account)),
            "provider other, batch/3".to_owned(),
        )],
        earlier: Vec::new(),
    };
    let plan = plan_import(request(), &input, &[fact(0, 20), fact(1, 99)], &view, 0);
    let states: Vec<KeyState> = plan.items.iter().map(|item| item.state).collect();
    let other = KeyState::OtherProvider;
    assert_eq!(states, [other, KeyState::New, other, KeyState::New]);
    assert_eq!(
        plan.key_totals().line(),
        "2 new, 2 on this host under another provider"
    );
    let rows = |at: usize| -> Vec<String> {
        let name = account_name(&request().pack.id, &print(at));
        let rows = plan.changes.iter().filter(|row| row.name == name);
        rows.map(Change::line).collect()
    };
    assert!(rows(0)[0].starts_with("+ account") && rows(0)[1].starts_with("! account"));
    assert!(
        rows(0)[1].contains("provider other, batch/3, account #20"),
        "{:?}",
        rows(0)
    );
    assert!(rows(2)[1].contains("account `elder."), "{:?}", rows(2));
    assert_eq!((rows(1).len(), plan.totals.attention), (1, 2));
}

#[test]
fn a_stale_plan_names_each_field_as_it_was_and_as_it_is() {
    let view = used_host();
    let plan = planned(request(), &view);
    let mut now = used_host();
    now.channels[0].spec.restrict_models = false;
    now.accounts[0].schedulable = false;
    drop(now.accounts.remove(9));
    now.accounts.push(account(30, "made-since"));
    // Traffic changes this by itself: it is nobody's work.
    now.accounts[2].temp_unschedulable_reason = "429".to_owned();
    let told = changed_fields(&plan.seen, &planned(request(), &now).seen);
    assert_eq!(
        told,
        [
            "account lab.000000000001 #1 schedulable: then true, now false",
            "account made-since #30 is new",
            "channel relay-lab #9 restrict_models: then true, now false",
            "account lab.00000000000a #10 is gone",
        ]
    );
    assert!(changed_fields(&plan.seen, &plan.seen).is_empty());
}

#[test]
fn keys_that_are_tried_again_replace_nobody() {
    let input = read_keys("sk-lab-good-0001");
    let mut again = request();
    again.retry_of = Some(BatchId(3));
    let plan = plan_import(again, &input, &[], &used_host(), 0);
    assert_eq!(plan.totals.remove, 0);
    let first = plan_import(request(), &input, &[], &used_host(), 0);
    assert_eq!(
        first.totals.remove, 11,
        "the first time older ones are parked"
    );
}

#[test]
fn a_group_of_another_kind_blocks() {
    let mut view = used_host();
    view.groups[0].spec.subscription_type = "standard".to_owned();
    view.groups[0].spec.platform = "anthropic".to_owned();
    let plan = plan_import(request(), &read_keys("sk-lab-good-0001"), &[], &view, 0);
    assert_eq!(plan.blockers.len(), 2);
}

#[test]
fn the_revision_ignores_what_traffic_changes_and_sees_what_people_change() {
    let revision = |view: &HostView| view.revision("relay-lab", "relay-lab", "relay-lab-monthly");
    let before = used_host();
    let mut traffic = used_host();
    traffic.accounts[0].status = "error".to_owned();
    traffic.accounts[1].rate_limit_reset_at = Some("2026-01-01T00:00:00Z".to_owned());
    assert_eq!(revision(&before), revision(&traffic));
    let mut person = used_host();
    person.accounts[0].schedulable = false;
    assert_ne!(revision(&before), revision(&person));
    let mut person = used_host();
    person.channels[0].spec.restrict_models = false;
    assert_ne!(revision(&before), revision(&person));
}

#[test]
fn production_plans_age_and_open_questions_block() {
    let mut asked = request();
    asked.role = Role::Production;
    asked.pack.to_be_confirmed = vec!["smoke_model".to_owned()];
    let plan = plan_import(
        asked,
        &read_keys("sk-lab-good-0001"),
        &[],
        &used_host(),
        1_000,
    );
    assert_eq!(plan.expires_ms, Some(1_000 + 900_000));
    assert!(plan.blockers[0].contains("smoke_model"));
}

#[test]
fn a_host_on_which_no_user_can_log_in_blocks_before_anything_is_made() {
    for (captcha, backend_mode, word) in [(true, false, "captcha"), (false, true, "backend mode")] {
        let view = HostView {
            captcha,
            backend_mode,
            ..used_host()
        };
        let plan = plan_import(request(), &read_keys("sk-lab-good-0001"), &[], &view, 0);
        assert_eq!(plan.blockers.len(), 1);
        assert!(plan.blockers[0].contains(word));
    }
}

fn self_service() -> ImportRequest {
    ImportRequest {
        pack: pack().for_access(AccessMode::SelfService),
        access: AccessMode::SelfService,
        ..request()
    }
}

fn managed_user(balance: f64) -> User {
    User {
        id: RemoteId(30),
        email: "relay-lab@cockpit.invalid".to_owned(),
        role: "user".to_owned(),
        status: "active".to_owned(),
        balance,
        allowed_groups: Vec::new(),
    }
}

fn planned(request: ImportRequest, view: &HostView) -> ImportPlan {
    plan_import(request, &read_keys("sk-lab-good-0001"), &[], view, 0)
}

#[test]
fn self_service_stands_beside_a_subscription_and_sets_the_balance() {
    let plan = planned(self_service(), &used_host());
    let made: Vec<_> = plan.changes.iter().map(|at| (at.sign, at.kind)).collect();
    use {ResourceKind as K, Sign::Change as Changed, Sign::Create};
    let wanted = [
        (Create, K::Group),
        (Create, K::Channel),
        (Create, K::Account),
        (Create, K::User),
        (Changed, K::User),
        (Create, K::Key),
    ];
    assert_eq!(made, wanted, "no offer, no subscription, nobody parked");
    assert_eq!(plan.changes[0].name, "relay-lab-self-service");
    assert_eq!(plan.changes[1].name, "relay-lab-self-service");
    let money = &plan.changes[4];
    assert_eq!(money.fields[0].to, serde_json::json!(5.0));
    assert!(
        money.line().contains("from 0.00 USD to 5.00 USD"),
        "{money:?}"
    );
    assert_eq!(self_service().group_spec().subscription_type, "standard");
    assert!(plan.blockers.is_empty());
}

#[test]
fn a_balance_that_is_enough_is_left_alone_and_the_revision_sees_when_it_is_not() {
    let view = |balance| HostView {
        user: Some(managed_user(balance)),
        ..used_host()
    };
    let money = |balance| {
        let plan = planned(self_service(), &view(balance));
        plan.changes
            .iter()
            .any(|at| !at.fields.is_empty() && at.kind == ResourceKind::User)
    };
    assert!(!money(1.0) && !money(80.0));
    assert!(money(0.99) && money(0.0) && money(-1.0));
    let revision = |balance| self_service().revision(&view(balance));
    assert_eq!(revision(5.0), revision(4.99));
    assert_ne!(revision(5.0), revision(0.0));
    let by_subscription = |balance| request().revision(&view(balance));
    assert_eq!(by_subscription(5.0), by_subscription(0.0));
}

#[test]
fn each_precondition_of_self_service_is_named() {
    let mut group = Group {
        id: RemoteId(6),
        spec: self_service().group_spec(),
        status: "active".to_owned(),
        limits: GroupLimits::default(),
    };
    let blockers = |group: &Group, user: User| {
        let mut view = HostView {
            user: Some(user),
            ..used_host()
        };
        view.groups.push(group.clone());
        planned(self_service(), &view).blockers
    };
    assert!(blockers(&group, managed_user(5.0)).is_empty());
    group.spec.is_exclusive = true;
    let told = blockers(&group, managed_user(5.0));
    assert!(
        told.len() == 1 && told[0].contains("is exclusive"),
        "{told:?}"
    );
    let allowed = User {
        allowed_groups: vec![RemoteId(6)],
        ..managed_user(5.0)
    };
    assert!(blockers(&group, allowed).is_empty());
    group.spec.is_exclusive = false;
    group.spec.subscription_type = "subscription".to_owned();
    let told = blockers(&group, managed_user(5.0));
    assert!(
        told.len() == 1 && told[0].contains("`standard`"),
        "{told:?}"
    );
    group.spec.subscription_type = "standard".to_owned();
    let disabled = User {
        status: "disabled".to_owned(),
        ..managed_user(5.0)
    };
    let told = blockers(&group, disabled);
    assert!(told.len() == 1 && told[0].contains("disabled"), "{told:?}");
}
