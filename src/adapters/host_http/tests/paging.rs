//! Lists are whole or an error.

use super::{Far, Seen, good};
use axum::body::Body;
use axum::http::Response;
use cockpit_domain::ids::RemoteId;
use cockpit_engine::ports::{HostApi, UsageQuery};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

fn number(seen: &Seen, name: &str) -> u64 {
    seen.asks(name).unwrap().parse().unwrap()
}

fn rows(ids: std::ops::Range<u64>) -> Vec<Value> {
    ids.map(|id| json!({ "id": id, "name": format!("g{id}") }))
        .collect()
}

fn page(items: &[Value], total: u64, page: u64, size: u64) -> Response<Body> {
    good(&json!({
        "items": items, "total": total, "page": page, "page_size": size,
        "pages": total.div_ceil(size).max(1),
    }))
}

/// A host with `total` rows and a page size it may cap.
fn host_of(total: u64, cap: u64) -> Far {
    Far::answering(move |seen| {
        let asked = number(seen, "page_size");
        let size = if asked > cap { 20 } else { asked };
        let at = number(seen, "page");
        let first = ((at - 1) * size).min(total);
        let items = rows(first + 1..(first + size).min(total) + 1);
        page(&items, total, at, size)
    })
}

#[tokio::test]
async fn all_pages_are_read() {
    let far = host_of(450, 1000);
    assert_eq!(far.api().groups().await.unwrap().len(), 450);
    assert_eq!(far.seen().len(), 3);
    assert!(
        far.seen()
            .iter()
            .all(|seen| number(seen, "page_size") == 200)
    );
}

#[tokio::test]
async fn an_empty_list_is_one_page_and_may_be_null() {
    let far = Far::answering(|_| good(&json!({ "items": null, "total": 0, "pages": 1 })));
    assert!(far.api().groups().await.unwrap().is_empty());
    assert_eq!(far.seen().len(), 1);
}

#[tokio::test]
async fn a_host_that_silently_gives_20_is_still_read_whole() {
    let far = host_of(45, 100);
    assert_eq!(far.api().groups().await.unwrap().len(), 45);
    assert_eq!(far.seen().len(), 3);
}

#[tokio::test]
async fn a_page_size_that_changes_in_between_is_an_error() {
    let far = Far::answering(|seen| match number(seen, "page") {
        1 => page(&rows(1..201), 220, 1, 200),
        at => page(&rows(21..41), 220, at, 20),
    });
    let failure = far.api().groups().await.unwrap_err();
    assert!(
        failure.message.contains("page size went from 200 to 20"),
        "{failure}"
    );
    assert!(!failure.hint.is_empty());
}

#[tokio::test]
async fn rows_that_shift_between_pages_are_read_again_and_kept_once() {
    // While the first reading goes on, a new row pushes 200 onto page two.
    let count = AtomicU64::new(0);
    let far = Far::answering(move |seen| {
        let at = number(seen, "page");
        if count.fetch_add(1, Ordering::SeqCst) == 1 {
            return page(&rows(200..301), 301, at, 200);
        }
        let items = match at {
            1 => rows(1..201),
            _ => rows(201..302),
        };
        page(&items, 301, at, 200)
    });
    let groups = far.api().groups().await.unwrap();
    assert_eq!(groups.len(), 301);
    assert_eq!(far.seen().len(), 4, "two readings of two pages");
    assert!(groups.windows(2).all(|pair| pair[0].id < pair[1].id));
}

#[tokio::test]
async fn a_list_that_never_fits_its_total_is_an_error_and_no_part() {
    for (name, answer) in [
        (
            "too few rows",
            (|_: &Seen| page(&rows(1..4), 5, 1, 200)) as fn(&Seen) -> Response<Body>,
        ),
        ("the same row twice", |_| {
            page(
                &[json!({"id":1,"name":"a"}), json!({"id":1,"name":"a"})],
                2,
                1,
                200,
            )
        }),
        ("a page that is empty", |seen| match number(seen, "page") {
            1 => page(&rows(1..201), 500, 1, 200),
            at => page(&[], 500, at, 200),
        }),
        ("another page than asked for", |_| {
            page(&rows(1..201), 500, 1, 200)
        }),
        ("a total that moves", |seen| {
            // 399 rows in all, as the first page promised; the second knows of one more.
            let at = number(seen, "page");
            page(&rows(at * 1000..at * 1000 + 201 - at), 398 + at, at, 200)
        }),
        ("more rows than the total", |_| {
            page(&rows(1..10), 3, 1, 200)
        }),
    ] {
        let far = Far::answering(answer);
        let failure = far.api().groups().await.unwrap_err();
        assert!(
            failure.message.contains("does not fit together"),
            "{name}: {failure}"
        );
        assert!(!failure.maybe_done, "{name}");
    }
}

#[tokio::test]
async fn a_row_without_an_id_is_an_error() {
    let far = Far::answering(|_| page(&[json!({ "name": "a" })], 1, 1, 200));
    let failure = far.api().groups().await.unwrap_err();
    assert!(failure.message.contains("no id"), "{failure}");
}

#[tokio::test]
async fn an_exact_name_is_picked_out_of_a_search() {
    let far = Far::answering(|seen| {
        assert_eq!(seen.asks("search").as_deref(), Some("deep&seek"));
        page(
            &[
                json!({"id":1,"name":"deep&seek-2"}),
                json!({"id":2,"name":"deep&seek"}),
                json!({"id":3,"name":"deep&seek"}),
            ],
            3,
            1,
            200,
        )
    });
    let found = far.api().accounts_named("deep&seek").await.unwrap();
    let ids: Vec<_> = found.iter().map(|account| account.id).collect();
    assert_eq!(ids, [RemoteId(2), RemoteId(3)]);
}

#[tokio::test]
async fn an_exact_mail_is_picked_out_of_a_search() {
    let far = Far::answering(|_| {
        page(
            &[
                json!({"id":1,"email":"relay-a@lab.test"}),
                json!({"id":2,"email":"a@lab.test","allowed_groups":null}),
            ],
            2,
            1,
            200,
        )
    });
    let api = far.api();
    let user = api.user_by_email("a@lab.test").await.unwrap().unwrap();
    assert_eq!(user.id, RemoteId(2));
    assert_eq!(api.user_by_email("b@lab.test").await.unwrap(), None);
}

#[tokio::test]
async fn usage_rows_come_newest_first_and_no_more_than_asked() {
    let far = Far::answering(|seen| {
        assert_eq!(seen.asks("api_key_id").as_deref(), Some("4"));
        let size = number(seen, "page_size");
        let at = number(seen, "page");
        let newest = 1000 - (at - 1) * size;
        let items: Vec<_> = (0..size)
            .map(|step| json!({"id": newest - step, "api_key_id": 4, "account_id": null}))
            .collect();
        page(&items, 900, at, size)
    });
    let query = UsageQuery {
        api_key_id: Some(RemoteId(4)),
        account_id: None,
        group_id: None,
        most: 3,
    };
    let rows = far.api().usage(&query).await.unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row.id.0).collect();
    assert_eq!(ids, [1000, 999, 998]);
    assert_eq!(far.seen().len(), 1);
    let none = UsageQuery::default();
    assert!(far.api().usage(&none).await.unwrap().is_empty());
    assert_eq!(far.seen().len(), 1, "nothing asked for is not asked");
}
