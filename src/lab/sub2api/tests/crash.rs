//! Lost answers, late effects and idempotency keys with their weak points.

use super::{ADMIN, Kit, account_body, until};
use crate::sub2api::State;
use crate::sub2api::model::User;
use crate::sub2api::state::{DropRule, When};
use serde_json::{Value, json};
use std::time::Duration;

fn drop_next(kit: &Kit, prefix: &str, when: When) {
    kit.host.with(|state| {
        state.drop_next = Some(DropRule {
            method: "POST".to_owned(),
            path_prefix: prefix.to_owned(),
            when,
        });
    });
}

async fn lost(kit: &Kit, mark: Option<&str>, path: &str, body: &Value) -> bool {
    let path = format!("/api/v1/admin{path}");
    let mut headers = vec![("x-api-key", ADMIN)];
    headers.extend(mark.map(|mark| ("idempotency-key", mark)));
    kit.send("POST", &path, &headers, body).await.is_err()
}

fn accounts(kit: &Kit) -> usize {
    kit.host.with(|state| state.accounts.len())
}

#[tokio::test]
async fn a_dropped_request_closes_the_connection_before_or_after_its_effect() {
    let kit = Kit::new().await;
    let body = account_body("a", "good", "sk-lab-good-1");
    for (when, left) in [(When::BeforeCommit, 0), (When::AfterCommit, 1)] {
        drop_next(&kit, "/api/v1/admin/accounts", when);
        assert!(lost(&kit, None, "/accounts", &body).await, "{when:?}");
        assert_eq!(accounts(&kit), left, "{when:?}");
    }
    // The rule is used up.
    assert_eq!(kit.admin("POST", "/accounts", body).await.status, 200);
    let rows = kit.log.since(0);
    let cut = rows
        .iter()
        .filter(|row| row.service == "host:prod" && row.status == 0);
    assert_eq!(cut.count(), 2);
}

#[tokio::test]
async fn a_rule_waits_for_its_method_and_path() {
    let kit = Kit::new().await;
    drop_next(&kit, "/api/v1/admin/groups", When::BeforeCommit);
    assert_eq!(kit.admin("GET", "/groups", Value::Null).await.status, 200);
    assert_eq!(kit.admin("POST", "/users", json!({})).await.status, 400);
    assert!(lost(&kit, None, "/groups", &json!({})).await);
}

#[tokio::test]
async fn a_late_effect_comes_after_the_connection_is_gone() {
    let kit = Kit::new().await;
    let body = json!({ "name": "g", "rate_multiplier": 1 });
    drop_next(
        &kit,
        "/api/v1/admin/groups",
        When::CommitAfter(Duration::from_millis(300)),
    );
    assert!(lost(&kit, None, "/groups", &body).await);
    let there = || {
        kit.host
            .with(|state| state.groups.values().any(|row| row.name == "g"))
    };
    assert!(!there(), "a lookup right after the loss finds nothing");
    until("the late group", there).await;
}

#[tokio::test]
async fn a_replay_gives_the_first_answer_again() {
    let kit = Kit::new().await;
    let body = account_body("a", "good", "sk-lab-good-1");
    let first = kit.once("/accounts", "key-1", body.clone()).await;
    let again = kit.once("/accounts", "key-1", body).await;
    assert!(!first.replayed && again.replayed);
    assert_eq!(
        (again.status, &again.json["data"]["id"]),
        (200, &first.json["data"]["id"])
    );
    assert_eq!(accounts(&kit), 1);
    let other = account_body("b", "good", "sk-lab-good-1");
    let conflict = kit.once("/accounts", "key-1", other).await;
    assert_eq!(
        (conflict.status, &conflict.json["reason"]),
        (409, &json!("IDEMPOTENCY_KEY_CONFLICT"))
    );
    let bad = kit
        .once("/accounts", "with space", account_body("c", "good", "k"))
        .await;
    assert_eq!(
        (bad.status, &bad.json["reason"]),
        (400, &json!("IDEMPOTENCY_KEY_INVALID"))
    );
}

#[tokio::test]
async fn a_failed_idempotent_call_blocks_its_key_for_five_seconds() {
    // trap 31
    let kit = Kit::new().await;
    let mut body = account_body("a", "good", "sk-lab-good-1");
    body["group_ids"] = json!([4711]);
    assert_eq!(
        kit.once("/accounts", "key-1", body.clone()).await.status,
        500
    );
    let blocked = kit.once("/accounts", "key-1", body.clone()).await;
    assert_eq!(
        (blocked.status, &blocked.json["reason"]),
        (409, &json!("IDEMPOTENCY_RETRY_BACKOFF"))
    );
    assert_eq!(accounts(&kit), 1);
    kit.host.with(|state| state.advance(Duration::from_secs(6)));
    // Executed again: a second orphan.
    assert_eq!(kit.once("/accounts", "key-1", body).await.status, 500);
    assert_eq!(accounts(&kit), 2);
    // A body that could not be bound leaves no record.
    assert_eq!(kit.once("/accounts", "key-2", json!({})).await.status, 400);
    let good = account_body("a", "good", "sk-lab-good-1");
    assert_eq!(kit.once("/accounts", "key-2", good).await.status, 200);
}

#[tokio::test]
async fn a_running_call_is_in_progress_until_it_has_ended() {
    let kit = Kit::new().await;
    let body = account_body("a", "good", "sk-lab-good-1");
    let late = When::CommitAfter(Duration::from_millis(400));
    drop_next(&kit, "/api/v1/admin/accounts", late);
    assert!(lost(&kit, Some("key-1"), "/accounts", &body).await);
    until("the claim", || {
        kit.host.with(|state| !state.idempotency.is_empty())
    })
    .await;
    let again = kit.once("/accounts", "key-1", body.clone()).await;
    assert_eq!(
        (again.status, &again.json["reason"]),
        (409, &json!("IDEMPOTENCY_IN_PROGRESS"))
    );
    assert!(again.json["metadata"]["retry_after"].is_string());
    until("the late account", || accounts(&kit) == 1).await;
    until("its answer", || !kit.host.with(State::is_at_work)).await;
    let replayed = kit.once("/accounts", "key-1", body).await;
    assert_eq!((replayed.status, replayed.replayed), (200, true));
    assert_eq!(accounts(&kit), 1);
}

#[tokio::test]
async fn a_call_whose_client_went_away_stays_in_progress_for_a_day_and_another_key_is_free() {
    let kit = Kit::new().await;
    let body = account_body("a", "good", "sk-lab-good-1");
    drop_next(&kit, "/api/v1/admin/accounts", When::Stuck);
    assert!(lost(&kit, Some("key-1"), "/accounts", &body).await);
    until("the claim", || kit.host.with(State::is_at_work)).await;
    for seconds in [0, 31, 3_600] {
        kit.host
            .with(|state| state.advance(Duration::from_secs(seconds)));
        let again = kit.once("/accounts", "key-1", body.clone()).await;
        assert_eq!(
            (again.status, &again.json["reason"]),
            (409, &json!("IDEMPOTENCY_IN_PROGRESS")),
            "after {seconds} s"
        );
    }
    assert_eq!(accounts(&kit), 0);
    let other = kit.once("/accounts", "key-2", body.clone()).await;
    assert_eq!((other.status, accounts(&kit)), (200, 1));
    kit.host
        .with(|state| state.advance(Duration::from_hours(24)));
    assert_eq!(kit.once("/accounts", "key-1", body).await.status, 200);
}

#[tokio::test]
async fn the_header_is_ignored_where_it_is_not_supported() {
    // trap 31
    let kit = Kit::new().await;
    let plan = json!({ "group_id": 1, "name": "p", "price": 1, "validity_days": 1, "validity_unit": "day" });
    kit.once("/payment/plans", "key-1", plan.clone()).await;
    let again = kit.once("/payment/plans", "key-1", plan).await;
    assert_eq!((again.status, again.replayed), (201, false));
    assert_eq!(
        kit.host.with(|state| state.plans.len()),
        2,
        "a silent duplicate"
    );
    let group = json!({ "name": "g", "rate_multiplier": 1 });
    kit.once("/groups", "key-2", group.clone()).await;
    let again = kit.once("/groups", "key-2", group).await;
    assert_eq!(
        (again.status, &again.json["reason"]),
        (409, &json!("GROUP_EXISTS"))
    );
}

#[tokio::test]
async fn a_strict_host_wants_a_key_on_the_supported_routes_only() {
    let kit = Kit::new().await;
    kit.host
        .with(|state| state.settings.idempotency_required = true);
    let heard = kit
        .admin("POST", "/accounts", account_body("a", "good", "k"))
        .await;
    assert_eq!(
        (heard.status, &heard.json["reason"]),
        (400, &json!("IDEMPOTENCY_KEY_REQUIRED"))
    );
    let group = json!({ "name": "g", "rate_multiplier": 1 });
    assert_eq!(kit.admin("POST", "/groups", group).await.status, 200);
}

#[tokio::test]
async fn a_replayed_user_key_still_shows_the_key() {
    let kit = Kit::new().await;
    kit.host
        .with(|state| state.add_user(User::new("u@lab", "password")));
    let bearer = format!("Bearer {}", kit.token("u@lab", "password").await);
    let headers = [
        ("authorization", bearer.as_str()),
        ("idempotency-key", "k-1"),
    ];
    let body = json!({ "name": "k" });
    let first = kit
        .send("POST", "/api/v1/keys", &headers, &body)
        .await
        .unwrap();
    let again = kit
        .send("POST", "/api/v1/keys", &headers, &body)
        .await
        .unwrap();
    assert!(again.replayed);
    assert_eq!(again.json["data"]["key"], first.json["data"]["key"]);
    assert_eq!(kit.host.with(|state| state.keys.len()), 1);
}

#[tokio::test]
async fn the_request_log_has_fingerprints_and_no_keys() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    kit.seed_account(group, "a", "sk-lab-good-1");
    kit.pong().await;
    kit.gateway("/v1/models?api_key=sk-secret", Value::Null)
        .await;
    let rows = kit.log.since(0);
    let text = format!("{rows:?}");
    assert!(!text.contains("sk-"), "{text}");
    let fp = cockpit_domain::secret::Secret::new("sk-lab-good-1").fingerprint();
    let seen = rows
        .iter()
        .find(|row| row.service == "upstream:good")
        .unwrap();
    assert_eq!(
        (seen.key_fingerprint.as_str(), seen.model.as_str()),
        (fp.as_str(), "lab-chat")
    );
}
