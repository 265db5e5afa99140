//! What a board is begun from, who holds what, and hearing of another's writes.

use super::*;
use cockpit_domain::batch::AccountStatus;
use cockpit_engine::board::LeaseState;
use cockpit_engine::board::Tally;
use std::time::Duration;

async fn keep(store: &SqliteStore, kind: ResultKind, subject: &str, at_ms: i64) {
    let body = json!({"of": subject, "at": at_ms});
    let result = KeptResult { at_ms, body };
    store.keep(kind, subject, &result).await.unwrap();
}

/// Waits until the store was heard to change and `look` is content.
async fn heard<T>(
    what: &str,
    changes: &mut watch::Receiver<u64>,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let waiting = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            changes.changed().await.unwrap();
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    waited.unwrap_or_else(|_| panic!("never heard: {what}"))
}

/// Waits for the next change that is told.
async fn moved(changes: &mut watch::Receiver<u64>) -> u64 {
    let waited = tokio::time::timeout(Duration::from_secs(30), changes.changed()).await;
    waited.expect("no change was told").unwrap();
    *changes.borrow_and_update()
}

#[tokio::test]
async fn of_every_subject_the_newest_result_is_remembered() {
    let folder = folder();
    let store = open(&folder);
    for at_ms in 1..=3 {
        for subject in ["prod", "accept", "prod/good"] {
            keep(&store, ResultKind::Probe, subject, at_ms).await;
        }
        keep(&store, ResultKind::Host, "prod", at_ms * 10).await;
        keep(&store, ResultKind::Reconcile, "batch/1", at_ms).await;
        keep(&store, ResultKind::Drift, "batch/1", at_ms).await;
    }
    let remembered = store.remembered().await.unwrap();
    let mut seen: Vec<_> = remembered
        .results
        .iter()
        .map(|(kind, subject, result)| (format!("{kind:?} {subject}"), result.at_ms))
        .collect();
    seen.sort();
    let wanted = [
        ("Drift batch/1", 3),
        ("Host prod", 30),
        ("Probe accept", 3),
        ("Probe prod", 3),
        ("Probe prod/good", 3),
    ];
    assert_eq!(seen, wanted.map(|(what, at_ms)| (what.to_owned(), at_ms)));
    assert_eq!(remembered.batches, Vec::new());
}

#[tokio::test]
async fn batches_are_remembered_newest_first_with_their_keys_counted() {
    let folder = folder();
    let store = open(&folder);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let plan = store.save_plan(&new_plan(&[])).await.unwrap();
        let items: Vec<Item> = (0..4_usize)
            .map(|line| new_item(line, &format!("sk-key-number-{line}")))
            .collect();
        let batch = new_batch(plan);
        ids.push(store.create_batch(&batch, &items).await.unwrap());
    }
    let mut items = store.items(ids[1]).await.unwrap();
    let fates = [
        (ItemStage::Done, Some(AccountStatus::Passed)),
        (ItemStage::Done, Some(AccountStatus::Failed)),
        (ItemStage::Validate, Some(AccountStatus::Warning)),
    ];
    for (item, (stage, status)) in items.iter_mut().zip(fates) {
        item.stage = stage;
        item.account_status = status;
        store.save_item(item).await.unwrap();
    }
    let batches = store.remembered().await.unwrap().batches;
    let seen: Vec<_> = batches
        .iter()
        .map(|(batch, tally)| (batch.id, *tally))
        .collect();
    let untouched = Tally {
        total: 4,
        ..Tally::default()
    };
    let counted = Tally {
        total: 4,
        done: 2,
        passed: 1,
        warning: 1,
        failed: 1,
    };
    assert_eq!(seen, [(ids[1], counted), (ids[0], untouched)]);
    // Nobody holds the lease: they read as they do one by one.
    assert_eq!(
        Some(&batches[0].0),
        store.batch(ids[1]).await.unwrap().as_ref()
    );
    assert_eq!(batches[0].0.batch_status, BatchStatus::Interrupted);
}

#[tokio::test]
async fn a_held_lease_is_listed_with_its_holder_and_whose_it_is() {
    let folder = folder();
    let (one, two) = (open(&folder), open(&folder));
    let ann = info("ann@jump pid 7", NOW);
    let held = one.lease(&host(), &provider(), &ann).await.unwrap();
    for (store, foreign) in [(&one, false), (&two, true)] {
        let seen = store.leases().await.unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!((&seen[0].info, seen[0].foreign), (&ann, foreign));
        assert_eq!((&seen[0].host, &seen[0].provider), (&host(), &provider()));
    }
    // Looking took nothing over.
    assert!(two.lease(&host(), &provider(), &ann).await.is_err());
    drop(held);
    assert_eq!(two.leases().await.unwrap(), Vec::new());
}

#[tokio::test]
async fn a_lease_that_cannot_be_looked_at_is_listed_and_says_so() {
    let folder = folder();
    let store = open(&folder);
    std::fs::create_dir(folder.path().join("locks/lab.good.lock")).unwrap();
    let seen = store.leases().await.unwrap();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].foreign);
    let reason = &seen[0].info.reason;
    assert!(reason.starts_with("the lease cannot be read"), "{reason}");
}

#[tokio::test]
async fn a_commit_of_another_handle_is_heard_and_reading_is_not() {
    let folder = folder();
    let (one, two) = (open(&folder), open(&folder));
    let mut changes = one.changes().unwrap();
    for _ in 0..20 {
        two.remembered().await.unwrap();
    }
    keep(&two, ResultKind::Host, "prod", 1).await;
    assert_eq!(moved(&mut changes).await, 1);
    let results = one.remembered().await.unwrap().results;
    assert_eq!(results.len(), 1);
    // Our own count, too.
    keep(&one, ResultKind::Host, "prod", 2).await;
    assert_eq!(moved(&mut changes).await, 2);
}

#[tokio::test]
async fn another_process_is_followed_until_it_is_killed() {
    let folder = folder();
    let store = open(&folder);
    let mut changes = store.changes().unwrap();
    let mut child = super::lease::holder(&folder);
    let id = heard("the batch of another process", &mut changes, async || {
        let remembered = store.remembered().await.unwrap();
        let (batch, _) = remembered.batches.first()?;
        let lease = remembered.leases.first()?;
        assert_eq!(batch.batch_status, BatchStatus::Running);
        assert_eq!(
            (lease.info.owner.as_str(), lease.foreign),
            ("child pid 9", true)
        );
        Some(batch.id)
    })
    .await;
    changes.borrow_and_update();
    child.kill().unwrap();
    child.wait().unwrap();
    // It wrote nothing when it died.
    moved(&mut changes).await;
    let remembered = store.remembered().await.unwrap();
    // What it left says so until somebody takes it.
    let states: Vec<LeaseState> = remembered.leases.iter().map(|row| row.state).collect();
    assert_eq!(states, [LeaseState::Left]);
    let (batch, _) = &remembered.batches[0];
    assert_eq!(
        (batch.id, batch.batch_status),
        (id, BatchStatus::Interrupted)
    );
}
