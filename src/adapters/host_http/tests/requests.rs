//! What exactly goes out: paths, methods, bodies.

use super::{Far, good};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{
    ChannelSpec, GroupSpec, NewAccount, NewUser, OfferSpec, PricingEntry, ResponsesMode,
};
use cockpit_domain::secret::Secret;
use cockpit_engine::ports::HostApi;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The one request a call makes.
macro_rules! sent {
    ($api:ident => $call:expr) => {{
        let far = Far::answering(|_| {
            good(&json!({ "id": 1, "name": "x", "email": "x", "user_id": 1, "group_id": 1 }))
        });
        let $api = far.api();
        assert!($call.await.is_ok());
        let seen = far.seen();
        assert_eq!(seen.len(), 1);
        seen[0].clone()
    }};
}

fn no_body() -> Value {
    Value::Null
}

fn account() -> NewAccount {
    NewAccount {
        name: "deepseek-1a2b".to_owned(),
        platform: "openai".to_owned(),
        base_url: "https://up.lab".to_owned(),
        api_key: Secret::new("sk-lab-good-0001-aaaa"),
        model_mapping: BTreeMap::from([("m".to_owned(), "M".to_owned())]),
        responses_mode: ResponsesMode::ForceChatCompletions,
        group_ids: vec![RemoteId(3)],
        concurrency: 10,
        priority: 1,
    }
}

#[tokio::test]
async fn a_group_always_has_its_multiplier_and_never_a_limit() {
    let spec = GroupSpec {
        name: "g".to_owned(),
        platform: "openai".to_owned(),
        subscription_type: "subscription".to_owned(),
        rate_multiplier: 1.0,
        is_exclusive: false,
    };
    let seen = sent!(api => api.create_group(&spec));
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("POST", "/api/v1/admin/groups")
    );
    assert_eq!(
        seen.body,
        json!({
            "name": "g", "platform": "openai", "subscription_type": "subscription",
            "rate_multiplier": 1.0, "is_exclusive": false,
        })
    );
}

#[tokio::test]
async fn a_channel_is_sent_whole_both_times() {
    let spec = ChannelSpec {
        name: "c".to_owned(),
        group_ids: vec![RemoteId(3)],
        model_pricing: vec![PricingEntry {
            platform: "openai".to_owned(),
            models: vec!["m".to_owned()],
            billing_mode: "token".to_owned(),
            input_price: Some(0.000_001),
            output_price: None,
        }],
        model_mapping: BTreeMap::new(),
        billing_model_source: "channel_mapped".to_owned(),
        restrict_models: true,
    };
    let body = json!({
        "name": "c", "group_ids": [3], "model_mapping": {},
        "model_pricing": [{
            "platform": "openai", "models": ["m"], "billing_mode": "token",
            "input_price": 0.000_001, "output_price": null,
        }],
        "billing_model_source": "channel_mapped", "restrict_models": true,
    });
    let made = sent!(api => api.create_channel(&spec));
    assert_eq!(made.body, body);
    // An update replaces the prices whole: what is not modelled of them is read and goes back.
    let far = Far::answering(|_| {
        good(&json!({
            "id": 4, "name": "c",
            "model_pricing": [
                {"id": 8, "platform": "openai", "models": ["other"], "cache_read_price": 9.0},
                {
                    "id": 9, "platform": "openai", "models": ["m", "n"], "input_price": 7.0,
                    "cache_read_price": 0.5, "cache_write_price": null,
                    "intervals": [{"id": 3, "min_tokens": 0, "max_tokens": null, "input_price": 0.1}],
                },
            ],
        }))
    });
    let api = far.api();
    assert!(api.update_channel(RemoteId(4), &spec).await.is_ok());
    let seen = far.seen();
    let asked: Vec<_> = seen
        .iter()
        .map(|row| (row.method.as_str(), row.path.as_str()))
        .collect();
    let path = "/api/v1/admin/channels/4";
    assert_eq!(asked, [("GET", path), ("PUT", path)]);
    let mut kept = body;
    kept["model_pricing"][0]["cache_read_price"] = json!(0.5);
    kept["model_pricing"][0]["intervals"] =
        json!([{"min_tokens": 0, "max_tokens": null, "input_price": 0.1}]);
    assert_eq!(seen[1].body, kept);
}

#[tokio::test]
async fn an_account_is_made_with_its_mode_in_the_same_call() {
    let seen = sent!(api => api.create_account(&account(), "once-7"));
    assert_eq!(seen.header("idempotency-key"), Some("once-7"));
    assert_eq!(
        seen.body,
        json!({
            "name": "deepseek-1a2b", "platform": "openai", "type": "apikey",
            "credentials": {
                "base_url": "https://up.lab", "api_key": "sk-lab-good-0001-aaaa",
                "model_mapping": { "m": "M" },
            },
            "extra": { "openai_responses_mode": "force_chat_completions" },
            "group_ids": [3], "concurrency": 10, "priority": 1,
        })
    );
}

#[tokio::test]
async fn binding_touches_nothing_but_the_groups() {
    let seen = sent!(api => api.bind_account(RemoteId(9), &[RemoteId(3), RemoteId(4)]));
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("PUT", "/api/v1/admin/accounts/9")
    );
    assert_eq!(seen.body, json!({ "group_ids": [3, 4] }));
    let none = sent!(api => api.bind_account(RemoteId(9), &[]));
    assert_eq!(none.body, json!({ "group_ids": [] }));
}

#[tokio::test]
async fn a_password_goes_alone() {
    let seen = sent!(api => api.set_password(RemoteId(5), &Secret::new("new password")));
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("PUT", "/api/v1/admin/users/5")
    );
    assert_eq!(seen.body, json!({ "password": "new password" }));
}

#[tokio::test]
async fn an_offer_says_that_it_is_not_for_sale_and_counts_days() {
    let spec = OfferSpec {
        name: "o".to_owned(),
        group_id: RemoteId(3),
        price: 1.0,
        validity_days: 30,
        for_sale: false,
    };
    let seen = sent!(api => api.create_offer(&spec));
    assert_eq!(
        seen.body,
        json!({
            "name": "o", "group_id": 3, "price": 1.0, "validity_days": 30,
            "validity_unit": "day", "for_sale": false,
        })
    );
}

#[tokio::test]
async fn a_user_gets_balance_and_groups_at_once() {
    let new = NewUser {
        email: "u@lab.test".to_owned(),
        password: Secret::new("derived password"),
        balance: 5.0,
        allowed_groups: vec![RemoteId(3)],
    };
    let seen = sent!(api => api.create_user(&new));
    assert_eq!(
        seen.body,
        json!({
            "email": "u@lab.test", "password": "derived password", "balance": 5.0,
            "allowed_groups": [3],
        })
    );
}

#[tokio::test]
async fn a_balance_is_set_and_never_added() {
    let seen = sent!(api => api.set_balance(RemoteId(5), 5.0));
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("POST", "/api/v1/admin/users/5/balance")
    );
    assert_eq!(
        seen.body,
        json!({ "balance": 5.0, "operation": "set", "notes": "relay-cockpit" })
    );
}

#[tokio::test]
async fn the_small_calls_go_where_the_contract_says() {
    let id = RemoteId(9);
    for (seen, method, path, body) in [
        (
            sent!(api => api.set_schedulable(id, false)),
            "POST",
            "/accounts/9/schedulable",
            json!({ "schedulable": false }),
        ),
        (
            sent!(api => api.delete_account(id)),
            "DELETE",
            "/accounts/9",
            no_body(),
        ),
        (
            sent!(api => api.delete_group(id)),
            "DELETE",
            "/groups/9",
            no_body(),
        ),
        (
            sent!(api => api.delete_channel(id)),
            "DELETE",
            "/channels/9",
            no_body(),
        ),
        (
            sent!(api => api.delete_offer(id)),
            "DELETE",
            "/payment/plans/9",
            no_body(),
        ),
        (
            sent!(api => api.delete_user(id)),
            "DELETE",
            "/users/9",
            no_body(),
        ),
        (
            sent!(api => api.revoke_subscription(id)),
            "DELETE",
            "/subscriptions/9",
            no_body(),
        ),
        (
            sent!(api => api.bind_key(id, Some(RemoteId(3)))),
            "PUT",
            "/api-keys/9",
            json!({ "group_id": 3 }),
        ),
        (
            sent!(api => api.extend_subscription(id, 30, "once")),
            "POST",
            "/subscriptions/9/extend",
            json!({ "days": 30 }),
        ),
        (
            sent!(api => api.upstream_models(id)),
            "POST",
            "/accounts/9/models/sync-upstream",
            no_body(),
        ),
    ] {
        assert_eq!(
            (seen.method.as_str(), seen.path.as_str()),
            (method, format!("/api/v1/admin{path}").as_str())
        );
        assert_eq!(seen.body, body, "{path}");
    }
}

#[tokio::test]
async fn identity_asks_nothing_that_changes_or_phones_home() {
    let far = Far::answering(|seen| match seen.path.as_str() {
        "/health" => super::said(200, &json!({ "status": "ok" })),
        "/api/v1/settings/public" => good(&json!({
            "version": "0.1.129", "turnstile_enabled": true, "backend_mode_enabled": null,
        })),
        _ => good(&json!({ "items": [], "total": 0, "page": 1, "page_size": 1, "pages": 1 })),
    });
    let identity = far.api().identity().await.unwrap();
    assert_eq!(identity.version, "0.1.129");
    assert!(identity.captcha && !identity.backend_mode);
    assert_eq!(identity.credential, "admin key");
    let paths: Vec<_> = far.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(
        paths,
        ["/health", "/api/v1/settings/public", "/api/v1/admin/groups"]
    );
    let seen = far.seen();
    assert_eq!(seen[0].header("x-api-key"), None);
    assert_eq!(seen[1].header("x-api-key"), None);
}

#[tokio::test]
async fn a_revoked_subscription_that_a_newer_host_still_lists_is_not_there() {
    let far = Far::answering(|_| {
        good(&json!([
            { "id": 1, "user_id": 7, "group_id": 3, "status": "revoked" },
            { "id": 2, "user_id": 7, "group_id": 3, "status": "active" },
        ]))
    });
    let rows = far.api().subscriptions(RemoteId(7)).await.unwrap();
    let ids: Vec<RemoteId> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids, [RemoteId(2)]);
}
