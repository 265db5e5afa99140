//! Groups, channels and plans.

use super::{Kit, USER_KEY};
use crate::sub2api::model_sales::Subscription;
use serde_json::{Value, json};

fn group(name: &str) -> Value {
    json!({ "name": name, "platform": "openai", "rate_multiplier": 1.0 })
}

#[tokio::test]
async fn an_update_without_limits_clears_them_and_null_is_zero() {
    // trap 11
    let kit = Kit::new().await;
    let mut body = group("g");
    body["daily_limit_usd"] = json!("12.5");
    body["weekly_limit_usd"] = json!(-1);
    let made = kit.admin("POST", "/groups", body).await.json["data"].clone();
    assert_eq!(made["daily_limit_usd"], json!(12.5));
    assert_eq!(made["weekly_limit_usd"], Value::Null);
    let path = format!("/groups/{}", made["id"]);
    let body = json!({ "name": "g2", "monthly_limit_usd": null });
    let changed = kit.admin("PUT", &path, body).await.json["data"].clone();
    assert_eq!(changed["daily_limit_usd"], Value::Null);
    assert_eq!(changed["monthly_limit_usd"], json!(0.0));
}

#[tokio::test]
async fn names_of_groups_are_unique_among_the_living() {
    let kit = Kit::new().await;
    let made = kit.admin("POST", "/groups", group("g")).await;
    assert_eq!(made.status, 200);
    let again = kit.admin("POST", "/groups", group("g")).await;
    assert_eq!(
        (again.status, &again.json["reason"]),
        (409, &json!("GROUP_EXISTS"))
    );
    let path = format!("/groups/{}", made.json["data"]["id"]);
    assert_eq!(kit.admin("DELETE", &path, Value::Null).await.status, 200);
    assert_eq!(kit.admin("DELETE", &path, Value::Null).await.status, 404);
    assert_eq!(kit.admin("POST", "/groups", group("g")).await.status, 200);
}

#[tokio::test]
async fn a_deleted_group_leaves_keys_channels_and_plans_pointing_at_it() {
    // trap 17
    let kit = Kit::new().await;
    let at = kit.seed_group();
    kit.seed_account(at, "a", "sk-lab-good-1");
    let channel = json!({ "name": "c", "group_ids": [at] });
    let channel = kit.admin("POST", "/channels", channel).await.json["data"]["id"].clone();
    assert_eq!(kit.pong().await.status, 200);
    kit.admin("DELETE", &format!("/groups/{at}"), Value::Null)
        .await;
    let heard = kit.pong().await;
    assert_eq!(
        (heard.status, &heard.json["code"]),
        (403, &json!("GROUP_DELETED"))
    );
    let path = format!("/channels/{channel}");
    let kept = kit.admin("GET", &path, Value::Null).await;
    assert_eq!(kept.json["data"]["group_ids"], json!([at]));
    let key = kit
        .host
        .with(|state| state.keys.values().find(|row| row.key == USER_KEY).cloned());
    assert_eq!(key.unwrap().group_id, Some(at));
    assert!(kit.host.with(|state| state.account_groups.is_empty()));
}

#[tokio::test]
async fn a_subscription_group_takes_its_subscriptions_along() {
    let kit = Kit::new().await;
    let sub = kit.host.with(|state| {
        let group = crate::sub2api::model::Group::new("s", "openai").by_subscription();
        let group = state.add_group(group);
        (
            group,
            state.add_subscription(Subscription::new(1, group, 30, "n")),
        )
    });
    kit.admin("DELETE", &format!("/groups/{}", sub.0), Value::Null)
        .await;
    let gone = kit
        .admin("GET", &format!("/subscriptions/{}", sub.1), Value::Null)
        .await;
    assert_eq!(gone.status, 404);
}

#[tokio::test]
async fn pricing_defaults_to_anthropic_and_a_restriction_then_blocks_everything() {
    // traps 24 and 25
    let kit = Kit::new().await;
    let at = kit.seed_group();
    kit.seed_account(at, "a", "sk-lab-good-1");
    let entry = json!({ "models": ["lab-*"], "input_price": 0.000_001 });
    let body = json!({ "name": "c", "group_ids": [at], "restrict_models": true,
        "model_pricing": [entry] });
    let made = kit.admin("POST", "/channels", body).await.json["data"].clone();
    assert_eq!(made["model_pricing"][0]["platform"], "anthropic");
    let blocked = kit.pong().await;
    assert_eq!(blocked.status, 503);
    assert_eq!(
        blocked.json["error"]["message"],
        "Service temporarily unavailable"
    );
    let lines = kit.host.log_lines().since(0);
    let told = |text: &str| {
        lines
            .iter()
            .any(|line| line.text.contains(text) && line.stderr)
    };
    assert!(told("channel pricing restriction blocked request"));
    assert!(told("openai_chat_completions.account_select_failed"));
    let entry = json!({ "platform": "openai", "models": ["lab-*"], "input_price": 0.000_001 });
    let path = format!("/channels/{}", made["id"]);
    kit.admin("PUT", &path, json!({ "model_pricing": [entry] }))
        .await;
    assert_eq!(kit.pong().await.status, 200);
}

#[tokio::test]
async fn a_group_is_in_one_channel_and_bad_channels_have_reasons() {
    let kit = Kit::new().await;
    let at = kit.seed_group();
    kit.admin(
        "POST",
        "/channels",
        json!({ "name": "c", "group_ids": [at] }),
    )
    .await;
    let cases = [
        (json!({ "name": "c" }), 409, json!("CHANNEL_EXISTS")),
        (
            json!({ "name": "d", "group_ids": [at] }),
            409,
            json!("GROUP_ALREADY_IN_CHANNEL"),
        ),
        (json!({ "name": "d", "group_ids": [999] }), 500, Value::Null),
        (json!({}), 400, json!("VALIDATION_ERROR")),
        (
            json!({ "name": "d", "model_pricing": [{ "models": ["a", "a"] }] }),
            400,
            json!("MODEL_PATTERN_CONFLICT"),
        ),
        (
            json!({ "name": "d", "model_pricing": [{ "models": ["a"], "input_price": -1 }] }),
            400,
            json!("NEGATIVE_PRICE"),
        ),
    ];
    for (body, status, reason) in cases {
        let heard = kit.admin("POST", "/channels", body.clone()).await;
        assert_eq!(
            (heard.status, &heard.json["reason"]),
            (status, &reason),
            "{body}"
        );
    }
}

#[tokio::test]
async fn channel_times_are_local_with_a_false_z() {
    // trap 28
    let kit = Kit::new().await;
    let made = kit.admin("POST", "/channels", json!({ "name": "c" })).await;
    let told: jiff::Timestamp = made.json["data"]["created_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let true_time = kit.host.with(|state| state.now());
    let hours = told.duration_since(true_time).as_secs_f64() / 3600.0;
    assert!((hours - 8.0).abs() < 0.1, "{hours}");
}

#[tokio::test]
async fn plans_are_201_bare_and_without_zero_values() {
    // traps 16 and 32
    let kit = Kit::new().await;
    let body = json!({ "group_id": 77, "name": "p", "price": 9.9, "validity_days": 30,
        "validity_unit": "day", "for_sale": false });
    let made = kit.admin("POST", "/payment/plans", body.clone()).await;
    assert_eq!(made.status, 201);
    let data = &made.json["data"];
    assert!(data.get("for_sale").is_none() && data.get("sort_order").is_none());
    assert!(data.get("description").is_none());
    kit.admin("POST", "/payment/plans", body).await;
    let list = kit.admin("GET", "/payment/plans", Value::Null).await;
    assert_eq!(list.json["data"].as_array().unwrap().len(), 2);
    let path = format!("/payment/plans/{}", data["id"]);
    assert_eq!(kit.admin("DELETE", &path, Value::Null).await.status, 200);
    assert_eq!(kit.admin("DELETE", &path, Value::Null).await.status, 500);
    let free = json!({ "group_id": 1, "name": "p", "validity_days": 1, "validity_unit": "day" });
    let heard = kit.admin("POST", "/payment/plans", free).await;
    assert_eq!(heard.json["reason"], "PLAN_PRICE_INVALID");
}

#[tokio::test]
async fn an_entry_without_models_is_taken_and_overlapping_patterns_are_not() {
    let kit = Kit::new().await;
    let entry = |models: Value| json!({ "platform": "openai", "models": models });
    let body = json!({ "name": "empty", "model_pricing": [entry(json!([]))] });
    assert_eq!(kit.admin("POST", "/channels", body).await.status, 200);
    let twice = json!([entry(json!(["m"])), entry(json!(["m*"]))]);
    let body = json!({ "name": "twice", "model_pricing": twice });
    let heard = kit.admin("POST", "/channels", body).await;
    assert_eq!(
        (heard.status, &heard.json["reason"]),
        (400, &json!("MODEL_PATTERN_CONFLICT"))
    );
}
