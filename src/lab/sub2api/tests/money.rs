//! Users, keys and subscriptions: who may use what.

use super::{Kit, USER_KEY, smoke};
use crate::sub2api::model::{ApiKey, Group, User};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// A subscription group, a user without balance, and the user's token.
async fn subscriber(kit: &Kit) -> (i64, i64, String) {
    let (group, user) = kit.host.with(|state| {
        let group = state.add_group(Group::new("s", "openai").by_subscription());
        (group, state.add_user(User::new("s@lab", "password")))
    });
    (group, user, kit.token("s@lab", "password").await)
}

#[tokio::test]
async fn a_repeated_assign_never_renews() {
    // trap 7
    let kit = Kit::new().await;
    let (group, user, _) = subscriber(&kit).await;
    let body = json!({ "user_id": user, "group_id": group, "validity_days": 10, "notes": "n" });
    let assign = async |body: Value| kit.admin("POST", "/subscriptions/assign", body).await;
    let first = assign(body.clone()).await.json["data"].clone();
    kit.host.with(|state| state.advance(11 * DAY));
    let again = assign(body.clone()).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json["data"]["expires_at"], first["expires_at"]);
    assert_eq!(again.json["data"]["status"], "expired");
    let mut other = body.clone();
    other["notes"] = json!("m");
    let conflict = assign(other).await;
    assert_eq!(
        (conflict.status, &conflict.json["reason"]),
        (409, &json!("SUBSCRIPTION_ASSIGN_CONFLICT"))
    );
    assert_eq!(
        conflict.json["metadata"]["conflict_reason"],
        "notes_mismatch"
    );
    let path = format!("/subscriptions/{}", first["id"]);
    let shorter = kit
        .admin("POST", &format!("{path}/extend"), json!({ "days": -1 }))
        .await;
    assert_eq!(shorter.json["reason"], "CANNOT_SHORTEN_EXPIRED");
    let extended = kit
        .admin("POST", &format!("{path}/extend"), json!({ "days": 5 }))
        .await;
    assert_eq!(extended.json["data"]["status"], "active");
    let conflict = assign(body.clone()).await;
    assert_eq!(
        conflict.json["metadata"]["conflict_reason"],
        "validity_days_mismatch"
    );
    let end = kit
        .admin("POST", &format!("{path}/extend"), json!({ "days": -5 }))
        .await;
    assert_eq!(end.json["reason"], "ADJUST_WOULD_EXPIRE");
    assert_eq!(kit.admin("DELETE", &path, Value::Null).await.status, 200);
    assert_eq!(kit.admin("DELETE", &path, Value::Null).await.status, 404);
    assert_eq!(assign(body).await.json["data"]["status"], "active");
    let wrong = assign(json!({ "user_id": user, "group_id": 1 })).await;
    assert_eq!(wrong.json["reason"], "GROUP_NOT_SUBSCRIPTION_TYPE");
    let unknown = assign(json!({ "user_id": 4711, "group_id": group })).await;
    assert_eq!(unknown.status, 500);
}

#[tokio::test]
async fn a_subscription_comes_before_the_key() {
    // trap 8
    let kit = Kit::new().await;
    let (group, user, token) = subscriber(&kit).await;
    let body = json!({ "name": "k", "group_id": group });
    let early = kit.user(&token, "POST", "/keys", body.clone()).await;
    assert_eq!(
        (early.status, &early.json["reason"]),
        (403, &json!("GROUP_NOT_ALLOWED"))
    );
    let assign = json!({ "user_id": user, "group_id": group });
    kit.admin("POST", "/subscriptions/assign", assign).await;
    let made = kit.user(&token, "POST", "/keys", body).await;
    assert_eq!(made.status, 200);
    assert!(
        made.json["data"]["key"]
            .as_str()
            .unwrap()
            .starts_with("sk-")
    );
    let groups = kit
        .user(&token, "GET", "/groups/available", Value::Null)
        .await;
    let names: Vec<&Value> = groups.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| &g["name"])
        .collect();
    assert_eq!(names, ["default", "s"]);
}

#[tokio::test]
async fn balance_is_ignored_by_put_and_never_set_to_zero() {
    // trap 9
    let kit = Kit::new().await;
    let body = json!({ "email": "n@lab", "password": "password", "balance": 3 });
    let user = kit.admin("POST", "/users", body.clone()).await;
    let path = format!("/users/{}", user.json["data"]["id"]);
    let put = kit.admin("PUT", &path, json!({ "balance": 99 })).await;
    assert_eq!(
        (put.status, &put.json["data"]["balance"]),
        (200, &json!(3.0))
    );
    let act = async |amount: i64, operation: &str| {
        let body = json!({ "balance": amount, "operation": operation });
        kit.admin("POST", &format!("{path}/balance"), body).await
    };
    assert_eq!(act(0, "set").await.status, 400);
    assert_eq!(act(4, "subtract").await.status, 500);
    assert_eq!(act(4, "add").await.json["data"]["balance"], json!(7.0));
    let twice = kit.admin("POST", "/users", body).await;
    assert_eq!(
        (twice.status, &twice.json["reason"]),
        (409, &json!("EMAIL_EXISTS"))
    );
    assert_eq!(
        kit.admin("DELETE", "/users/1", Value::Null).await.status,
        500
    );
}

#[tokio::test]
async fn an_empty_balance_hides_the_missing_group_and_stops_the_model_list() {
    // trap 10
    let kit = Kit::new().await;
    kit.seed_group();
    let user = kit.host.with(|state| {
        let user = state
            .users
            .values_mut()
            .find(|user| user.email == "u@lab")
            .unwrap();
        user.balance = 0.0;
        user.id
    });
    let heard = kit.gateway("/v1/models", Value::Null).await;
    assert_eq!(
        (heard.status, &heard.json["code"]),
        (403, &json!("INSUFFICIENT_BALANCE"))
    );
    kit.host.with(|state| {
        for key in state.keys.values_mut() {
            key.group_id = None;
        }
    });
    assert_eq!(kit.pong().await.json["code"], "INSUFFICIENT_BALANCE");
    kit.host
        .with(|state| state.users.get_mut(&user).unwrap().balance = 1.0);
    let heard = kit.pong().await;
    assert_eq!(
        (heard.status, &heard.json["error"]["type"]),
        (403, &json!("permission_error"))
    );
}

#[tokio::test]
async fn ip_lists_are_cleared_and_a_deleted_key_gives_its_text_up() {
    // trap 30
    let kit = Kit::new().await;
    kit.host
        .with(|state| state.add_user(User::new("k@lab", "password")));
    let token = kit.token("k@lab", "password").await;
    let custom = "sk-relay-0123456789abcdef";
    let body = json!({ "name": "k", "custom_key": custom, "ip_whitelist": ["127.0.0.0/8"] });
    let made = kit.user(&token, "POST", "/keys", body.clone()).await;
    assert_eq!(made.json["data"]["key"], custom);
    let path = format!("/keys/{}", made.json["data"]["id"]);
    let put = kit
        .user(&token, "PUT", &path, json!({ "name": "k2" }))
        .await;
    assert_eq!(put.json["data"]["ip_whitelist"], Value::Null);
    let twin = kit.user(&token, "POST", "/keys", body.clone()).await;
    assert_eq!(
        (twin.status, &twin.json["reason"]),
        (409, &json!("API_KEY_EXISTS"))
    );
    assert_eq!(
        kit.user(&token, "DELETE", &path, Value::Null).await.status,
        200
    );
    let again = kit.user(&token, "POST", "/keys", body).await;
    assert_eq!(again.status, 200);
    let short = kit
        .user(
            &token,
            "POST",
            "/keys",
            json!({ "name": "k", "custom_key": "short" }),
        )
        .await;
    assert_eq!(short.json["reason"], "API_KEY_TOO_SHORT");
    let odd = json!({ "name": "k", "custom_key": "sk relay 0123456789" });
    assert_eq!(
        kit.user(&token, "POST", "/keys", odd).await.json["reason"],
        "API_KEY_INVALID_CHARS"
    );
    let foreign = kit
        .host
        .with(|state| state.add_key(ApiKey::new(1, "sk-foreign", None)));
    let heard = kit
        .user(&token, "DELETE", &format!("/keys/{foreign}"), Value::Null)
        .await;
    assert_eq!(heard.json["reason"], "INSUFFICIENT_PERMISSIONS");
    let path = format!("/keys/{foreign}");
    let heard = kit.user(&token, "GET", &path, Value::Null).await;
    let reason = &heard.json["reason"];
    assert_eq!((heard.status, reason), (403, &Value::Null));
}

#[tokio::test]
async fn a_key_put_behind_the_hosts_back_stays_unknown_for_thirty_seconds() {
    // trap 30
    let kit = Kit::new().await;
    let heard = kit.pong().await;
    assert_eq!(
        (heard.status, &heard.json["code"]),
        (401, &json!("INVALID_API_KEY"))
    );
    let group = kit.seed_group();
    kit.seed_account(group, "a", "sk-lab-good-1");
    assert_eq!(kit.pong().await.status, 401);
    kit.host
        .with(|state| state.advance(Duration::from_secs(29)));
    assert_eq!(kit.pong().await.status, 401);
    kit.host.with(|state| state.advance(Duration::from_secs(2)));
    assert_eq!(kit.pong().await.status, 200);
}

#[tokio::test]
async fn the_ladder_is_climbed_in_the_hosts_order() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    kit.seed_account(group, "a", "sk-lab-good-1");
    let path = "/v1/chat/completions";
    let none = kit.send("POST", path, &[], &smoke(false)).await.unwrap();
    assert_eq!(
        (none.status, &none.json["code"]),
        (401, &json!("API_KEY_REQUIRED"))
    );
    let query = kit
        .gateway("/v1/chat/completions?key=x", smoke(false))
        .await;
    assert_eq!(
        (query.status, &query.json["code"]),
        (400, &json!("api_key_in_query_deprecated"))
    );
    let user_header = [("x-api-key", USER_KEY)];
    assert_eq!(
        kit.send("POST", path, &user_header, &smoke(false))
            .await
            .unwrap()
            .status,
        200
    );
    // Faults from the bottom of the ladder to its top: each one hides those before it.
    let key = kit
        .host
        .with(|state| state.keys.values().next().unwrap().id);
    let steps: [(fn(&mut crate::sub2api::state::State, i64, i64), u16, &str); 6] = [
        (
            |state, _, _| state.users.get_mut(&2).unwrap().balance = 0.0,
            403,
            "INSUFFICIENT_BALANCE",
        ),
        (
            |state, key, _| state.keys.get_mut(&key).unwrap().quota_used = 1.0,
            403,
            "INSUFFICIENT_BALANCE",
        ),
        (
            |state, key, _| state.keys.get_mut(&key).unwrap().quota = 1.0,
            429,
            "API_KEY_QUOTA_EXHAUSTED",
        ),
        (
            |state, _, group| {
                let row = state.groups.get_mut(&group).unwrap();
                "subscription".clone_into(&mut row.subscription_type);
            },
            403,
            "SUBSCRIPTION_NOT_FOUND",
        ),
        (
            |state, _, group| {
                "inactive".clone_into(&mut state.groups.get_mut(&group).unwrap().status);
            },
            403,
            "GROUP_DISABLED",
        ),
        (
            |state, key, _| "inactive".clone_into(&mut state.keys.get_mut(&key).unwrap().status),
            401,
            "API_KEY_DISABLED",
        ),
    ];
    for (step, status, code) in steps {
        kit.host.with(|state| step(state, key, group));
        let heard = kit.pong().await;
        assert_eq!((heard.status, &heard.json["code"]), (status, &json!(code)));
    }
    assert_eq!(
        kit.host.with(|state| state.users[&2].email.clone()),
        "u@lab"
    );
}

#[tokio::test]
async fn an_admin_bind_grants_an_exclusive_group() {
    let kit = Kit::new().await;
    let (exclusive, sold, key) = kit.host.with(|state| {
        let mut group = Group::new("x", "openai");
        group.is_exclusive = true;
        let exclusive = state.add_group(group);
        let sold = state.add_group(Group::new("s", "openai").by_subscription());
        let user = state.add_user(User::new("b@lab", "password"));
        (
            exclusive,
            sold,
            state.add_key(ApiKey::new(user, "sk-b", None)),
        )
    });
    let path = format!("/api-keys/{key}");
    let heard = kit
        .admin("PUT", &path, json!({ "group_id": exclusive }))
        .await
        .json["data"]
        .clone();
    assert_eq!(heard["auto_granted_group_access"], json!(true));
    assert_eq!(heard["granted_group_id"], json!(exclusive));
    assert_eq!(heard["api_key"]["group_id"], json!(exclusive));
    let heard = kit.admin("PUT", &path, json!({ "group_id": sold })).await;
    assert_eq!(
        (heard.status, &heard.json["reason"]),
        (400, &json!("SUBSCRIPTION_REQUIRED"))
    );
    let heard = kit.admin("PUT", &path, json!({ "group_id": 0 })).await;
    assert_eq!(heard.json["data"]["api_key"]["group_id"], Value::Null);
}

#[tokio::test]
async fn a_key_made_through_the_api_is_known_though_it_was_tried_before() {
    // trap 30
    let kit = Kit::new().await;
    let group = kit.seed_group();
    kit.host
        .with(|state| state.keys.values_mut().for_each(|key| key.key.push('x')));
    assert_eq!(kit.pong().await.json["code"], "INVALID_API_KEY");
    let token = kit.token("u@lab", "user-password").await;
    let body = json!({ "name": "k", "custom_key": super::USER_KEY, "group_id": group });
    assert_eq!(kit.user(&token, "POST", "/keys", body).await.status, 200);
    let heard = kit.gateway("/v1/models", Value::Null).await;
    assert_eq!(heard.status, 200);
}
