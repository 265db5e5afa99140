//! Each reason with what decides it, and what could not be looked at.

use super::*;
use crate::inventory::{GroupLimits, GroupSpec};
use crate::secret::Secret;

const NOW: i64 = 1_800_000_000_000;

fn key(group: Option<i64>) -> (Option<User>, ApiKey) {
    let key = ApiKey {
        id: RemoteId(9),
        user_id: RemoteId(7),
        name: "k".to_owned(),
        key: Secret::new("sk-aaaabbbbccccdddd"),
        group_id: group.map(RemoteId),
        status: "active".to_owned(),
    };
    (None, key)
}

fn disabled() -> (Option<User>, ApiKey) {
    let (user, mut key) = key(Some(4));
    "disabled".clone_into(&mut key.status);
    (user, key)
}

fn group(subscription_type: &str) -> Group {
    Group {
        id: RemoteId(4),
        spec: GroupSpec {
            name: "g".to_owned(),
            platform: "openai".to_owned(),
            subscription_type: subscription_type.to_owned(),
            rate_multiplier: 1.0,
            is_exclusive: false,
        },
        status: "active".to_owned(),
        limits: GroupLimits::default(),
    }
}

fn account(models: &[&str]) -> Account {
    let models: serde_json::Map<String, serde_json::Value> = models
        .iter()
        .map(|at| ((*at).to_owned(), (*at).into()))
        .collect();
    serde_json::from_value(serde_json::json!({
        "id": 7, "name": "a", "platform": "openai", "type": "apikey", "base_url": "http://u",
        "model_mapping": models, "responses_mode": "auto", "responses_supported": true,
        "concurrency": 1, "priority": 1, "status": "active", "error_message": "",
        "schedulable": true, "temp_unschedulable_until": null,
        "temp_unschedulable_reason": "", "rate_limit_reset_at": null,
        "overload_until": null, "expires_at": null, "auto_pause_on_expired": false,
        "quota_limit": 0.0, "quota_used": 0.0, "group_ids": [4],
    }))
    .unwrap()
}

fn ended() -> Subscription {
    Subscription {
        id: RemoteId(3),
        user_id: RemoteId(7),
        group_id: RemoteId(4),
        status: "active".to_owned(),
        starts_at: "2020-01-01T00:00:00Z".to_owned(),
        expires_at: "2020-02-01T00:00:00Z".to_owned(),
        notes: String::new(),
    }
}

fn seen(holds_key: bool, url: &str) -> (String, Result<ProfileSeen, String>) {
    let seen = ProfileSeen {
        at: "web1:/p".to_owned(),
        holds_key,
        base_url: url.to_owned(),
        wanted_url: "https://relay/v1".to_owned(),
    };
    (seen.at.clone(), Ok(seen))
}

type Change = fn(&mut KeyFacts<'_>);

#[test]
fn each_reason_is_decided_by_its_own_look_and_what_was_not_seen_is_said() {
    let host = HostId::new("prod").unwrap();
    let profiles = [seen(false, "https://relay/v1")];
    let wanted = ["big".to_owned()];
    let elsewhere = [(HostId::new("old").unwrap(), Ok(Some(RemoteId(5))))];
    let rows: [(&str, Change, Option<KeyReason>, usize); 15] = [
        ("nothing is wrong", |_| {}, None, 0),
        (
            "another host",
            |at| at.owner = Ok(None),
            Some(KeyReason::OtherHost),
            0,
        ),
        (
            "no group",
            |at| at.owner = Ok(Some(key(None))),
            Some(KeyReason::NoGroup),
            0,
        ),
        (
            "no account",
            |at| at.accounts = Ok(Vec::new()),
            Some(KeyReason::GroupWithoutAccount),
            0,
        ),
        (
            "a closed account",
            |at| {
                let mut closed = account(&["big"]);
                closed.schedulable = false;
                at.accounts = Ok(vec![closed]);
            },
            Some(KeyReason::GroupWithoutAccount),
            0,
        ),
        (
            "over",
            |at| {
                at.group = Ok(Some(group("subscription")));
                at.subscriptions = Ok(vec![ended()]);
            },
            Some(KeyReason::SubscriptionExpired),
            0,
        ),
        (
            "old models",
            |at| at.accounts = Ok(vec![account(&["small"])]),
            Some(KeyReason::OldMapping),
            0,
        ),
        (
            "nobody answers",
            |at| at.owner = Err("no way".to_owned()),
            None,
            5,
        ),
        (
            "accounts not seen",
            |at| at.accounts = Err("no way".to_owned()),
            None,
            2,
        ),
        ("nothing to compare with", |at| at.wanted = &[], None, 1),
        (
            "a right of another group only",
            |at| {
                let mut other = ended();
                other.group_id = RemoteId(5);
                "2099-01-01T00:00:00Z".clone_into(&mut other.expires_at);
                at.group = Ok(Some(group("subscription")));
                at.subscriptions = Ok(vec![other]);
            },
            Some(KeyReason::SubscriptionExpired),
            0,
        ),
        (
            "a right that is alive",
            |at| {
                let mut alive = ended();
                "2099-01-01T00:00:00Z".clone_into(&mut alive.expires_at);
                at.group = Ok(Some(group("subscription")));
                at.subscriptions = Ok(vec![ended(), alive]);
            },
            None,
            0,
        ),
        (
            "dates that nobody can read",
            |at| {
                let mut odd = ended();
                "soon".clone_into(&mut odd.expires_at);
                at.group = Ok(Some(group("subscription")));
                at.subscriptions = Ok(vec![odd]);
            },
            None,
            1,
        ),
        (
            "models by their head",
            |at| at.accounts = Ok(vec![account(&["bi*"])]),
            None,
            0,
        ),
        (
            "only a closed account maps it",
            |at| {
                let mut closed = account(&["big"]);
                closed.schedulable = false;
                at.accounts = Ok(vec![closed, account(&["small"])]);
            },
            Some(KeyReason::OldMapping),
            0,
        ),
    ];
    for (name, change, reason, unknown) in rows {
        let mut facts = KeyFacts {
            host: &host,
            shown: "sk-..dddd",
            owner: Ok(Some(key(Some(4)))),
            looked_for: "by its last letters",
            elsewhere: &elsewhere,
            group: Ok(Some(group("standard"))),
            accounts: Ok(vec![account(&["big", "small"])]),
            subscriptions: Ok(Vec::new()),
            profiles: &profiles,
            wanted: &wanted,
            now_ms: NOW,
        };
        change(&mut facts);
        let looks = reasons(&facts);
        assert_eq!(decided(&looks), reason, "{name}: {looks:#?}");
        let blind = looks.iter().filter(|at| at.holds == Holds::Unknown);
        assert_eq!(blind.count(), unknown, "{name}: {looks:#?}");
        for at in &looks {
            assert!(
                !at.asked.is_empty() && !at.found.is_empty(),
                "{name}: {at:?}"
            );
            let wants = matches!(at.holds, Holds::Yes | Holds::Unknown);
            assert_eq!(wants, !at.next.is_empty(), "{name}: {at:?}");
        }
    }
}

#[test]
fn the_first_reason_decides_and_another_host_is_named_where_one_has_the_key() {
    let host = HostId::new("prod").unwrap();
    let old = HostId::new("old").unwrap();
    let profiles = [seen(true, "http://127.0.0.1:1/v1")];
    for (elsewhere, told) in [
        (Ok(Some(RemoteId(5))), "it is key 5 of `old`"),
        (Ok(None), "nor does another host"),
        (Err("no way".to_owned()), "not asked: `old`: no way"),
    ] {
        let elsewhere = [(old.clone(), elsewhere)];
        let facts = KeyFacts {
            host: &host,
            shown: "sk-..dddd",
            owner: Ok(None),
            looked_for: "by its last letters",
            elsewhere: &elsewhere,
            group: Ok(None),
            accounts: Ok(Vec::new()),
            subscriptions: Ok(Vec::new()),
            profiles: &profiles,
            wanted: &[],
            now_ms: NOW,
        };
        let looks = reasons(&facts);
        assert_eq!(decided(&looks), Some(KeyReason::OldProfile), "{looks:#?}");
        let other = &looks[1];
        assert_eq!(other.reason, KeyReason::OtherHost);
        assert_eq!(other.holds, Holds::Yes);
        assert!(other.found.contains(told), "{told}: {}", other.found);
    }
}

#[test]
fn a_profile_is_old_when_it_sends_elsewhere_or_keeps_a_key_that_is_none_of_this_host() {
    let host = HostId::new("prod").unwrap();
    for (profile, owner, holds) in [
        (
            seen(true, "http://127.0.0.1:1/v1"),
            Some(key(Some(4))),
            Holds::Yes,
        ),
        (seen(true, "https://relay/v1/"), None, Holds::Yes),
        (
            seen(true, "https://relay/v1/"),
            Some(key(Some(4))),
            Holds::No,
        ),
        (
            seen(true, "https://relay/v1/"),
            Some(disabled()),
            Holds::Yes,
        ),
        (seen(false, "https://relay/v1"), None, Holds::No),
        (
            ("p".to_owned(), Err("denied".to_owned())),
            None,
            Holds::Unknown,
        ),
    ] {
        let profiles = [profile];
        let facts = KeyFacts {
            host: &host,
            shown: "sk-..dddd",
            owner: Ok(owner),
            looked_for: "by its last letters",
            elsewhere: &[],
            group: Ok(Some(group("standard"))),
            accounts: Ok(vec![account(&["big"])]),
            subscriptions: Ok(Vec::new()),
            profiles: &profiles,
            wanted: &[],
            now_ms: NOW,
        };
        let looks = reasons(&facts);
        assert_eq!(looks[0].holds, holds, "{:?}", looks[0]);
    }
}
