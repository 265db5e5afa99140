//! The whole port against the simulated host: both were written from the same contract by
//! different hands, so what one misread the other shows.

use super::stage::{GONE, MODEL, account, channel, group, ids, key, stage, subscription};
use super::{FakeTunnels, host, quick};
use crate::host_http::Credential;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{Channel, ChannelSpec, OfferSpec, ResponsesMode};
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::FailureKind;
use cockpit_engine::ports::{AccountTest, HostApi, UsageQuery};
use cockpit_lab::sub2api::state::{DropRule, When};
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test]
async fn identity_by_key_and_by_login() {
    let stage = stage().await;
    let identity = stage.api.identity().await.unwrap();
    assert_eq!(identity.version, "0.1.129");
    assert_eq!(identity.credential, "admin key");
    assert!(!identity.captcha && !identity.backend_mode);
    let ahead = identity.clock_ahead_ms.expect("its answers have a date");
    assert!(ahead.abs() < 2_000, "{ahead}");
    stage
        .sim
        .with(|state| state.advance(Duration::from_hours(3)));
    let ahead = stage.api.identity().await.unwrap().clock_ahead_ms;
    let off = ahead.map(|ms| ms - 3 * 3_600_000);
    assert!(off.is_some_and(|off| off.abs() < 2_000), "{off:?}");

    let login = host(
        FakeTunnels::to(&stage.socket),
        super::admin_login(),
        quick(),
    );
    assert_eq!(login.identity().await.unwrap().credential, "login");

    let wrong = Credential::AdminKey(Secret::new("admin-wrong"));
    let wrong = host(FakeTunnels::to(&stage.socket), wrong, quick());
    let failure = wrong.identity().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(failure.has_reason("INVALID_ADMIN_KEY"), "{failure:?}");
}

#[tokio::test]
async fn groups_are_made_listed_and_deleted_once() {
    let stage = stage().await;
    let api = &stage.api;
    let before = api.groups().await.unwrap();
    assert_eq!(before[0].spec.name, "default");
    let made = stage.group("deepseek", "subscription").await;
    assert_eq!(made.spec, group("deepseek", "subscription"));
    assert_eq!(made.status, "active");
    assert!(api.groups().await.unwrap().contains(&made));
    let limits = stage.sim.with(|state| state.groups[&made.id.0].limits);
    assert_eq!(limits, [None; 3]);

    let again = api.create_group(&made.spec).await.unwrap_err();
    assert!(again.has_reason("GROUP_EXISTS"), "{again:?}");
    assert!(!again.maybe_done);
    let mut zero = group("zero", "standard");
    zero.rate_multiplier = 0.0;
    let bare = api.create_group(&zero).await.unwrap_err();
    assert_eq!((bare.status(), bare.maybe_done), (500, true));

    assert!(api.delete_group(made.id).await.unwrap());
    assert!(!api.delete_group(made.id).await.unwrap());
    assert_eq!(api.groups().await.unwrap(), before);
}

#[tokio::test]
async fn more_groups_than_a_page_are_all_read() {
    let stage = stage().await;
    stage.sim.with(|state| {
        for no in 0..450 {
            let name = format!("g{no:03}");
            state.add_group(cockpit_lab::sub2api::model::Group::new(&name, "openai"));
        }
    });
    assert_eq!(stage.api.groups().await.unwrap().len(), 451);
}

#[tokio::test]
async fn channels_are_made_replaced_and_deleted() {
    let stage = stage().await;
    let api = &stage.api;
    let group = stage.group("deepseek", "standard").await;
    let spec = channel(&[group.id]);
    let made = api.create_channel(&spec).await.unwrap();
    assert_eq!(made.spec, spec);
    assert_eq!(api.channels().await.unwrap(), std::slice::from_ref(&made));
    let again = api.create_channel(&spec).await.unwrap_err();
    assert!(again.has_reason("CHANNEL_EXISTS"), "{again:?}");

    let other = ChannelSpec {
        model_mapping: BTreeMap::new(),
        model_pricing: vec![],
        restrict_models: false,
        billing_model_source: "requested".to_owned(),
        group_ids: vec![],
        ..spec
    };
    let changed: Channel = api.update_channel(made.id, &other).await.unwrap();
    assert_eq!(changed.spec, other, "nothing of the old one is left");
    assert!(api.delete_channel(made.id).await.unwrap());
    assert!(!api.delete_channel(made.id).await.unwrap());
    let gone = api.update_channel(made.id, &other).await.unwrap_err();
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn offers_are_made_listed_and_deleted() {
    let stage = stage().await;
    let api = &stage.api;
    assert!(api.offers().await.unwrap().is_empty());
    let group = stage.group("deepseek", "subscription").await;
    let spec = OfferSpec {
        name: "monthly".to_owned(),
        group_id: group.id,
        price: 1.5,
        validity_days: 30,
        for_sale: false,
    };
    let made = api.create_offer(&spec).await.unwrap();
    assert_eq!(made.spec, spec);
    assert_eq!(api.offers().await.unwrap(), std::slice::from_ref(&made));
    assert!(api.delete_offer(made.id).await.unwrap());
    assert!(!api.delete_offer(made.id).await.unwrap(), "a 500 there");
}

#[tokio::test]
async fn accounts_are_made_bound_switched_and_deleted() {
    let stage = stage().await;
    let api = &stage.api;
    let one = stage.group("one", "standard").await.id;
    let two = stage.group("two", "standard").await.id;
    let mut new = account("deepseek-1", "sk-lab-good-0001-aaaa", &[one]);
    new.responses_mode = ResponsesMode::ForceChatCompletions;
    let made = api.create_account(&new, "once-1").await.unwrap();
    assert_eq!(made.responses_mode, ResponsesMode::ForceChatCompletions);
    assert_eq!(made.model_mapping, new.model_mapping);
    assert_eq!((made.concurrency, made.priority), (10, 1));
    assert_eq!(made.kind, "apikey");
    let replayed = api.create_account(&new, "once-1").await.unwrap();
    assert_eq!(replayed.id, made.id);
    let other = account("deepseek-2", "sk-lab-good-0002-bbbb", &[one]);
    let conflict = api.create_account(&other, "once-1").await.unwrap_err();
    assert!(
        conflict.has_reason("IDEMPOTENCY_KEY_CONFLICT"),
        "{conflict:?}"
    );

    let read = api.account(made.id).await.unwrap().unwrap();
    assert_eq!(read.group_ids, [one]);
    assert!(read.schedulable);
    assert_eq!(
        ids(&api.accounts(Some(one)).await.unwrap(), |row| row.id),
        [made.id]
    );
    assert_eq!(
        ids(&api.accounts(None).await.unwrap(), |row| row.id),
        [made.id]
    );
    assert_eq!(api.accounts_named("deepseek-1").await.unwrap().len(), 1);
    assert!(api.accounts_named("deepseek").await.unwrap().is_empty());
    assert_eq!(api.account(GONE).await.unwrap(), None);

    let kept = stage.sim.with(|state| state.accounts[&made.id.0].clone());
    api.bind_account(made.id, &[one, two]).await.unwrap();
    let bound = api.account(made.id).await.unwrap().unwrap();
    assert_eq!(bound.group_ids, [one, two]);
    api.bind_account(made.id, &[]).await.unwrap();
    assert!(
        api.account(made.id)
            .await
            .unwrap()
            .unwrap()
            .group_ids
            .is_empty()
    );
    let now = stage.sim.with(|state| state.accounts[&made.id.0].clone());
    assert_eq!(now.extra, kept.extra, "binding clobbers nothing");
    assert_eq!(now.credentials, kept.credentials);
    assert_eq!(
        (now.concurrency, now.priority),
        (kept.concurrency, kept.priority)
    );
    let unknown = api.bind_account(made.id, &[GONE]).await.unwrap_err();
    assert!(unknown.has_reason("GROUP_NOT_FOUND"), "{unknown:?}");

    api.set_schedulable(made.id, false).await.unwrap();
    assert!(!api.account(made.id).await.unwrap().unwrap().schedulable);
    api.set_schedulable(made.id, true).await.unwrap();
    assert!(api.account(made.id).await.unwrap().unwrap().schedulable);

    api.delete_account(made.id).await.unwrap();
    api.delete_account(made.id).await.unwrap();
    assert_eq!(api.account(made.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_binding_to_a_group_that_never_was_leaves_an_orphan_and_says_look() {
    let stage = stage().await;
    let new = account("deepseek-1", "sk-lab-good-0001-aaaa", &[GONE]);
    let failure = stage.api.create_account(&new, "once-1").await.unwrap_err();
    assert_eq!((failure.status(), failure.maybe_done), (500, true));
    assert_eq!(
        stage.api.accounts_named("deepseek-1").await.unwrap().len(),
        1
    );
    let blocked = stage.api.create_account(&new, "once-1").await.unwrap_err();
    assert!(
        blocked.has_reason("IDEMPOTENCY_RETRY_BACKOFF"),
        "{blocked:?}"
    );
    assert!(blocked.maybe_done);
}

#[tokio::test]
async fn account_tests_and_upstream_looks_tell_good_from_bad() {
    let stage = stage().await;
    let api = &stage.api;
    let group = stage.group("deepseek", "standard").await.id;
    let good = account("good", "sk-lab-good-0001-aaaa", &[group]);
    let good = api.create_account(&good, "k1").await.unwrap().id;
    assert_eq!(
        api.test_account(good, MODEL).await.unwrap(),
        AccountTest::Passed
    );
    assert_eq!(api.upstream_models(good).await.unwrap(), [MODEL]);

    let bad = account("bad", "sk-lab-dead-0001-aaaa", &[group]);
    let bad = api.create_account(&bad, "k2").await.unwrap().id;
    let AccountTest::Failed(why) = api.test_account(bad, MODEL).await.unwrap() else {
        panic!("a dead key passed");
    };
    assert!(why.contains("API returned 401"), "{why}");
    assert!(!why.contains("sk-lab-dead-0001-aaaa"), "{why}");
    let read = api.account(bad).await.unwrap().unwrap();
    assert_eq!(read.status, "error");
    assert!(read.error_message.contains("401"), "{}", read.error_message);
    let look = api.upstream_models(bad).await.unwrap_err();
    assert!(look.message.contains("401"), "{look:?}");
    assert!(!look.maybe_done);

    let mut chat = account("chat", "sk-lab-good-0002-aaaa", &[group]);
    chat.base_url = "http://chat.upstream.lab".to_owned();
    chat.responses_mode = ResponsesMode::ForceChatCompletions;
    let chat = api.create_account(&chat, "k3").await.unwrap().id;
    let AccountTest::Failed(why) = api.test_account(chat, MODEL).await.unwrap() else {
        panic!("a chat-only upstream passed");
    };
    assert!(why.contains("不支持 OpenAI Responses API"), "{why}");

    let gone = api.test_account(GONE, MODEL).await.unwrap();
    assert_eq!(gone, AccountTest::Failed("Account not found".to_owned()));
}

#[tokio::test]
async fn users_are_made_found_given_a_password_and_deleted() {
    let stage = stage().await;
    let api = &stage.api;
    let made = stage.user(5.0).await;
    assert_eq!(
        (made.role.as_str(), made.status.as_str()),
        ("user", "active")
    );
    assert!((made.balance - 5.0).abs() < 1e-9);
    assert_eq!(
        api.user_by_email("managed@lab.test").await.unwrap(),
        Some(made.clone())
    );
    assert_eq!(api.user_by_email("anaged@lab.test").await.unwrap(), None);
    assert_eq!(api.user(made.id).await.unwrap(), Some(made.clone()));
    assert_eq!(api.user(GONE).await.unwrap(), None);

    let session = stage.session().await;
    assert_eq!(session.user_id, made.id);
    let fresh = Secret::new("another password");
    api.set_password(made.id, &fresh).await.unwrap();
    let kept = api.user(made.id).await.unwrap();
    assert_eq!(kept, Some(made.clone()), "nothing else changed");
    assert_eq!(
        api.login("managed@lab.test", &fresh).await.unwrap().user_id,
        made.id
    );
    let old = api
        .login("managed@lab.test", &Secret::new("derived password"))
        .await
        .unwrap_err();
    assert!(old.has_reason("INVALID_CREDENTIALS"), "{old:?}");
    let revoked = api.delete_key(&session, RemoteId(1)).await.unwrap_err();
    assert_eq!(revoked.kind, FailureKind::Denied, "{revoked:?}");

    assert!(api.delete_user(made.id).await.unwrap());
    assert!(!api.delete_user(made.id).await.unwrap());
    assert_eq!(api.user_by_email("managed@lab.test").await.unwrap(), None);
}

/// Zero cannot be set over there (trap 9).
#[tokio::test]
async fn a_balance_is_set_and_brought_back_to_nothing() {
    let stage = stage().await;
    let api = &stage.api;
    let id = stage.user(0.0).await.id;
    let near = |balance: f64, wanted: f64| (balance - wanted).abs() < 1e-9;
    for amount in [5.0, 5.0, 0.25, 0.0, 0.0] {
        let told = api.set_balance(id, amount).await.unwrap().balance;
        let kept = api.user(id).await.unwrap().unwrap().balance;
        assert!(near(told, amount) && near(kept, amount), "{told} {kept}");
    }
    let nobody = api.set_balance(GONE, 0.0).await.unwrap_err();
    assert!(nobody.message.contains("is gone"), "{nobody:?}");
}

#[tokio::test]
async fn subscriptions_are_assigned_extended_and_revoked() {
    let stage = stage().await;
    let api = &stage.api;
    let group = stage.group("deepseek", "subscription").await.id;
    let user = stage.user(0.0).await.id;
    let spec = subscription(user, group);
    let made = api.assign_subscription(&spec).await.unwrap();
    assert_eq!((made.user_id, made.group_id), (user, group));
    assert_eq!(made.notes, "relay");
    assert_eq!(api.assign_subscription(&spec).await.unwrap(), made);
    assert_eq!(
        api.subscriptions(user).await.unwrap(),
        std::slice::from_ref(&made)
    );
    assert_eq!(
        api.group_subscriptions(group).await.unwrap(),
        std::slice::from_ref(&made)
    );

    let longer = api
        .extend_subscription(made.id, 10, "once-2")
        .await
        .unwrap();
    assert!(longer.expires_at > made.expires_at, "{longer:?}");
    let twice = api
        .extend_subscription(made.id, 10, "once-2")
        .await
        .unwrap();
    assert_eq!(
        twice.expires_at, longer.expires_at,
        "replayed, not repeated"
    );
    let conflict = api.assign_subscription(&spec).await.unwrap_err();
    assert!(
        conflict.has_reason("SUBSCRIPTION_ASSIGN_CONFLICT"),
        "{conflict:?}"
    );

    assert!(api.revoke_subscription(made.id).await.unwrap());
    assert!(!api.revoke_subscription(made.id).await.unwrap());
    assert!(api.subscriptions(user).await.unwrap().is_empty());
    assert!(api.group_subscriptions(group).await.unwrap().is_empty());
}

#[tokio::test]
async fn keys_are_made_as_their_user_bound_used_and_deleted() {
    let stage = stage().await;
    let api = &stage.api;
    let group = stage.group("deepseek", "subscription").await.id;
    let open = stage.group("open", "standard").await.id;
    let new = account("good", "sk-lab-good-0001-aaaa", &[group]);
    let account = api.create_account(&new, "k1").await.unwrap().id;
    let user = stage.user(0.0).await.id;
    let session = stage.session().await;
    let early = api
        .create_key(&session, &key(group), "k2")
        .await
        .unwrap_err();
    assert!(early.has_reason("GROUP_NOT_ALLOWED"), "{early:?}");
    assert_eq!(early.kind, FailureKind::Remote);

    drop(
        api.assign_subscription(&subscription(user, group))
            .await
            .unwrap(),
    );
    let made = api.create_key(&session, &key(group), "k3").await.unwrap();
    assert_eq!(made.key, key(group).custom_key);
    assert_eq!((made.user_id, made.group_id), (user, Some(group)));
    assert_eq!(
        api.create_key(&session, &key(group), "k3").await.unwrap(),
        made
    );
    let taken = api
        .create_key(&session, &key(group), "k4")
        .await
        .unwrap_err();
    assert!(taken.has_reason("API_KEY_EXISTS"), "{taken:?}");
    assert_eq!(
        api.user_keys(user).await.unwrap(),
        std::slice::from_ref(&made)
    );
    assert_eq!(
        api.group_keys(group).await.unwrap(),
        std::slice::from_ref(&made)
    );

    assert_eq!(stage.chat(&made.key).await, 200);
    let query = UsageQuery {
        api_key_id: Some(made.id),
        account_id: Some(account),
        group_id: None,
        most: 5,
    };
    let rows = api.usage(&query).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].account_id, rows[0].model.as_str()),
        (account, MODEL)
    );
    assert!(!rows[0].created_at.is_empty());

    api.bind_key(made.id, Some(open)).await.unwrap();
    assert_eq!(api.user_keys(user).await.unwrap()[0].group_id, Some(open));
    assert!(api.group_keys(group).await.unwrap().is_empty());
    assert!(api.delete_key(&session, made.id).await.unwrap());
    assert!(!api.delete_key(&session, made.id).await.unwrap());
    assert!(api.user_keys(user).await.unwrap().is_empty());
}

#[tokio::test]
async fn logins_the_host_will_not_have_are_explained() {
    let stage = stage().await;
    let user = stage.user(1.0).await.id;
    let password = Secret::new("derived password");
    stage.sim.with(|state| state.settings.captcha = true);
    let captcha = stage.api.login("managed@lab.test", &password).await;
    assert!(captcha.unwrap_err().hint.contains("captcha"));
    stage.sim.with(|state| {
        state.settings.captcha = false;
        state.settings.backend_mode = true;
    });
    let backend = stage.api.login("managed@lab.test", &password).await;
    assert!(backend.unwrap_err().has_reason("BACKEND_MODE_ADMIN_ONLY"));
    assert!(stage.api.identity().await.unwrap().backend_mode);
    stage.sim.with(|state| {
        state.settings.backend_mode = false;
        if let Some(user) = state.users.get_mut(&user.0) {
            user.two_factor = true;
        }
    });
    let factor = stage.api.login("managed@lab.test", &password).await;
    let factor = factor.unwrap_err();
    assert_eq!(factor.kind, FailureKind::Denied);
    assert!(factor.has_reason("REQUIRES_2FA"));
    stage.sim.with(|state| state.settings.logins_per_minute = 0);
    let limit = stage.api.login("managed@lab.test", &password).await;
    let limit = limit.unwrap_err();
    assert_eq!(limit.status(), 429);
    assert!(limit.hint.contains("minute"), "{}", limit.hint);
}

#[tokio::test]
async fn a_lost_answer_is_maybe_done_whether_it_was_or_not() {
    let stage = stage().await;
    for (name, when, done) in [
        ("before", When::BeforeCommit, false),
        ("after", When::AfterCommit, true),
    ] {
        stage.sim.with(|state| {
            state.drop_next = Some(DropRule {
                method: "POST".to_owned(),
                path_prefix: "/api/v1/admin/groups".to_owned(),
                when,
            });
        });
        let failure = stage
            .api
            .create_group(&group(name, "standard"))
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{name}");
        assert!(failure.maybe_done, "{name}");
        let groups = stage.api.groups().await.unwrap();
        assert_eq!(groups.iter().any(|group| group.spec.name == name), done);
    }
}
