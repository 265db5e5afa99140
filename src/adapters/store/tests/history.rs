//! The history of checks and what is put aside, against a real file.

use super::*;
use cockpit_domain::baseline::{CheckHistory, Verdict, Waiver, WaiverSubject};
use cockpit_engine::ports::CheckLook;

const DAY: i64 = 86_400_000;

fn pack() -> PackId {
    PackId::new("stable").unwrap()
}

fn look(verdict: Verdict, found: &str, at_ms: i64) -> CheckLook {
    CheckLook {
        check: "entry.no-key".to_owned(),
        verdict,
        found: found.to_owned(),
        at_ms,
    }
}

fn audit(request: &str) -> AuditRow {
    AuditRow {
        at_ms: NOW,
        who: "ann@jump".to_owned(),
        host: host(),
        batch: None,
        plan_hash: String::new(),
        request: request.to_owned(),
        answer: "done".to_owned(),
        reason: "known".to_owned(),
    }
}

#[tokio::test]
async fn looks_that_come_to_the_same_are_one_stretch_and_another_fault_is_another() {
    let folder = folder();
    let store = open(&folder);
    for (at, (verdict, found)) in [
        (Verdict::Ok, "401 in 7 ms"),
        (Verdict::Ok, "401 in 9 ms"),
        (Verdict::Fail, "404"),
        (Verdict::Fail, "404"),
        (Verdict::Fail, "500"),
        (Verdict::Ok, "401"),
    ]
    .into_iter()
    .enumerate()
    {
        let at_ms = NOW + i64::try_from(at).unwrap() * 1000;
        let other = CheckLook {
            check: "other".to_owned(),
            ..look(Verdict::Ok, "", at_ms)
        };
        let looks = [look(verdict, found, at_ms), other];
        store.keep_looks(&pack(), &looks).await.unwrap();
    }
    // Another process reads the same.
    let store = open(&folder);
    let rows = store
        .stretches(&pack(), Some("entry.no-key"), NOW)
        .await
        .unwrap();
    let told: Vec<(&str, &str, u64)> = rows
        .iter()
        .map(|(_, row)| (row.verdict.as_str(), row.found.as_str(), row.looks))
        .collect();
    assert_eq!(
        told,
        [
            ("ok", "401 in 9 ms", 2),
            ("fail", "404", 2),
            ("fail", "500", 1),
            ("ok", "401", 1)
        ]
    );
    let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
    let history = CheckHistory::of(&pack(), "entry.no-key", &rows, NOW).unwrap();
    assert_eq!((history.flaps, history.since_ms), (2, NOW + 5000));
    let all = store.stretches(&pack(), None, NOW).await.unwrap();
    assert_eq!(all.iter().filter(|(check, _)| check == "other").count(), 1);
}

#[tokio::test]
async fn a_history_is_bounded_by_number_and_by_age() {
    let folder = folder();
    let store = open(&folder);
    // As many in one run as fill the history and more: each finds something else.
    let looks: Vec<CheckLook> = (0..1_010)
        .map(|at| look(Verdict::Fail, &format!("fault {at}"), NOW + at))
        .collect();
    store.keep_looks(&pack(), &looks).await.unwrap();
    let rows = store.stretches(&pack(), None, 0).await.unwrap();
    assert_eq!(rows.len(), 1_000);
    assert_eq!(rows[0].1.found, "fault 10", "the oldest went");
    let newest = store.stretches(&pack(), None, NOW + 1_008).await.unwrap();
    assert!(newest.len() < 30, "a window is not the whole history");
    let later = look(Verdict::Ok, "", NOW + 181 * DAY);
    store.keep_looks(&pack(), &[later]).await.unwrap();
    let rows = store.stretches(&pack(), None, 0).await.unwrap();
    assert_eq!(rows.len(), 1, "half a year later only the new look is left");
}

#[tokio::test]
async fn what_was_found_and_why_it_is_put_aside_are_redacted() {
    let folder = folder();
    let store = open(&folder);
    let key = "sk-aaaabbbbccccddddeeeeffff";
    let looks = [look(Verdict::Fail, &format!("refused {key}"), NOW)];
    store.keep_looks(&pack(), &looks).await.unwrap();
    let waiver = Waiver {
        subject: WaiverSubject::parse("machine/web1").unwrap(),
        reason: format!("waits for {key}"),
        owner: "ann".to_owned(),
        since_ms: NOW,
        until_ms: NOW + DAY,
    };
    store.put_waiver(&waiver, &audit("waive")).await.unwrap();
    let rows = store.stretches(&pack(), None, 0).await.unwrap();
    let kept = store.waivers().await.unwrap();
    assert!(rows[0].1.found.starts_with("refused "));
    assert!(!rows[0].1.found.contains(key), "{rows:?}");
    assert!(!kept[0].reason.contains(key), "{kept:?}");
}

#[tokio::test]
async fn a_waiver_takes_the_place_of_the_earlier_one_and_leaves_its_lines_in_the_audit() {
    let folder = folder();
    let store = open(&folder);
    let waiver = |until_ms| Waiver {
        subject: WaiverSubject::parse("check/stable/entry.no-key").unwrap(),
        reason: "known".to_owned(),
        owner: "ann".to_owned(),
        since_ms: NOW,
        until_ms,
    };
    store
        .put_waiver(&waiver(NOW + 1), &audit("one"))
        .await
        .unwrap();
    store
        .put_waiver(&waiver(NOW + 2), &audit("two"))
        .await
        .unwrap();
    assert_eq!(store.waivers().await.unwrap(), [waiver(NOW + 2)]);
    assert_eq!(store.remembered().await.unwrap().waivers.len(), 1);
    let subject = waiver(0).subject;
    assert!(store.clear_waiver(&subject, &audit("three")).await.unwrap());
    assert!(!store.clear_waiver(&subject, &audit("four")).await.unwrap());
    assert!(store.waivers().await.unwrap().is_empty());
    let lines = store.audit(10).await.unwrap();
    let lines: Vec<&str> = lines.iter().map(|row| row.request.as_str()).collect();
    assert_eq!(
        lines,
        ["three", "two", "one"],
        "what changed nothing leaves no line"
    );
}
