//! Exclusion between handles on one store, and what a dead holder leaves.

use super::*;
use crate::store::batches::GONE;
use cockpit_engine::board::LeaseState;

#[tokio::test]
async fn a_held_lease_is_refused_by_name_to_another_handle_and_free_after_drop() {
    let folder = folder();
    let (one, two) = (open(&folder), open(&folder));
    let held = one
        .lease(&host(), &provider(), &info("ann@jump pid 7", NOW))
        .await
        .unwrap();
    let asker = info("bob@jump pid 8", NOW + 252_000);
    let refused = two.lease(&host(), &provider(), &asker).await.err().unwrap();
    assert_eq!(refused.kind, FailureKind::Busy);
    assert_eq!(
        refused.message,
        "host `lab` provider `good` is held by ann@jump pid 7 since 4m12s for import"
    );
    // The same handle is no exception; another provider is free.
    assert!(one.lease(&host(), &provider(), &asker).await.is_err());
    let other = PackId::new("other").unwrap();
    drop(two.lease(&host(), &other, &asker).await.unwrap());
    drop(held);
    let held = two.lease(&host(), &provider(), &asker).await.unwrap();
    drop(held);
    let left = std::fs::read_dir(folder.path().join("locks"))
        .unwrap()
        .count();
    assert_eq!(left, 0, "a lock file outlived its holder");
}

#[tokio::test]
async fn of_many_askers_one_gets_the_lease() {
    let folder = folder();
    let stores: Vec<_> = (0..4).map(|_| open(&folder)).collect();
    let info = info("ann@jump pid 7", NOW);
    let (host, provider) = (host(), provider());
    let asked = stores
        .iter()
        .map(|store| store.lease(&host, &provider, &info));
    let got = futures_util::future::join_all(asked).await;
    assert_eq!(got.iter().filter(|lease| lease.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_lease_that_cannot_be_read_is_refused() {
    let folder = folder();
    let store = open(&folder);
    std::fs::create_dir(folder.path().join("locks/lab.good.lock")).unwrap();
    let refused = store
        .lease(&host(), &provider(), &info("ann@jump pid 7", NOW))
        .await
        .err()
        .unwrap();
    assert_eq!(refused.kind, FailureKind::Busy);
    assert!(refused.message.starts_with("the lease cannot be read"));
}

#[tokio::test]
async fn a_running_batch_without_a_holder_is_interrupted_and_the_next_holder_says_so() {
    let folder = folder();
    let store = open(&folder);
    let other = open(&folder);
    let held = store
        .lease(&host(), &provider(), &info("ann@jump pid 7", NOW))
        .await
        .unwrap();
    let id = started(&store).await;
    for handle in [&store, &other] {
        let seen = handle.batch(id).await.unwrap().unwrap();
        assert_eq!(seen.batch_status, BatchStatus::Running);
    }
    drop(held);
    for seen in [
        other.batch(id).await.unwrap().unwrap(),
        other.batches(None).await.unwrap().remove(0),
    ] {
        assert_eq!(
            (seen.batch_status, seen.reason.as_str()),
            (BatchStatus::Interrupted, GONE)
        );
    }
    // Reading changed nothing; taking the lease does.
    assert_eq!(stored_status(&other), "running");
    let _held = other
        .lease(&host(), &provider(), &info("bob@jump pid 8", NOW + 9))
        .await
        .unwrap();
    assert_eq!(stored_status(&other), "interrupted");
    let seen = store.batch(id).await.unwrap().unwrap();
    assert_eq!((seen.reason.as_str(), seen.updated_ms), (GONE, NOW + 9));
    let events = store.events(id).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, "interrupted");
    assert!(events[0].text.contains("bob@jump pid 8"));
}

#[tokio::test]
async fn a_place_whose_owner_may_be_alive_is_cleared_by_the_stronger_word_only() {
    let (folder, shared) = (folder(), folder());
    let open = || open(&folder).sharing(Some(shared.path().to_owned()));
    let (one, two) = (open(), open());
    let held = one
        .lease(&host(), &provider(), &info("ann@jump pid 7", NOW))
        .await
        .unwrap();
    let id = started(&one).await;
    let taker = info("bob@far pid 8", NOW + 9);
    let refused = two.take_over(&host(), &provider(), &taker, false).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Busy);
    let left = two.take_over(&host(), &provider(), &taker, true).await;
    assert_eq!(left.unwrap(), [id]);
    assert_eq!(stored_status(&two), "interrupted");
    // Whoever comes next has it, also when the one it was taken from ends at last.
    let next = two.lease(&host(), &provider(), &taker).await.unwrap();
    drop(held);
    let refused = one.lease(&host(), &provider(), &taker).await.err();
    assert_eq!(refused.unwrap().kind, FailureKind::Busy);
    drop(next);
}

#[tokio::test]
async fn who_holds_a_place_in_the_shared_folder_holds_it_whatever_our_own_folder_says() {
    let (folder, theirs, shared) = (folder(), folder(), folder());
    let store = open(&folder).sharing(Some(shared.path().to_owned()));
    let other = open(&theirs).sharing(Some(shared.path().to_owned()));
    let held = other
        .lease(&host(), &provider(), &info("ann@jump pid 7", NOW))
        .await
        .unwrap();
    let note = r#"{"owner": "bob@jump pid 8", "reason": "import", "since_ms": 1}"#;
    std::fs::write(folder.path().join("locks/lab.good.lock"), note).unwrap();
    let seen = store.leases().await.unwrap();
    let told: Vec<_> = (seen.iter())
        .map(|row| (row.state, row.info.owner.as_str()))
        .collect();
    assert_eq!(told, [(LeaseState::Held, "ann@jump pid 7")]);
    drop(held);
    let seen = store.leases().await.unwrap();
    let told: Vec<_> = (seen.iter())
        .map(|row| (row.state, row.info.owner.as_str()))
        .collect();
    assert_eq!(told, [(LeaseState::Left, "bob@jump pid 8")]);
}

fn stored_status(store: &SqliteStore) -> String {
    Connection::open(store.database())
        .unwrap()
        .query_row("SELECT status FROM batches", [], |row| row.get(0))
        .unwrap()
}

/// Run as a process of its own by the test below; does nothing otherwise.
#[tokio::test]
async fn helper_that_holds_a_lease_until_it_is_killed() {
    let Ok(state_dir) = std::env::var("COCKPIT_TEST_HOLD") else {
        return;
    };
    let store = SqliteStore::open(Path::new(&state_dir), Redactor::new()).unwrap();
    let _held = store
        .lease(&host(), &provider(), &info("child pid 9", NOW))
        .await
        .unwrap();
    started(&store).await;
    std::fs::write(Path::new(&state_dir).join("ready"), "").unwrap();
    std::future::pending::<()>().await;
}

/// Starts the helper above on this folder.
pub(super) fn holder(folder: &TempDir) -> std::process::Child {
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["store::tests::lease::helper_that_holds_a_lease_until_it_is_killed"])
        .args(["--exact", "--nocapture"])
        .env("COCKPIT_TEST_HOLD", folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn killing_the_holder_frees_the_lease_and_interrupts_its_batch() {
    let folder = folder();
    let store = open(&folder);
    let mut child = holder(&folder);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !folder.path().join("ready").exists() {
        assert!(std::time::Instant::now() < until, "the child never held it");
        assert!(child.try_wait().unwrap().is_none(), "the child ended");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let asker = info("bob@jump pid 8", NOW + 1000);
    let refused = store.lease(&host(), &provider(), &asker).await.err();
    assert!(refused.unwrap().message.contains("child pid 9 since 1s"));
    let running = store.batch(BatchId(1)).await.unwrap().unwrap();
    assert_eq!(running.batch_status, BatchStatus::Running);

    child.kill().unwrap();
    child.wait().unwrap();
    let seen = store.batch(BatchId(1)).await.unwrap().unwrap();
    assert_eq!(seen.batch_status, BatchStatus::Interrupted);
    drop(store.lease(&host(), &provider(), &asker).await.unwrap());
}
