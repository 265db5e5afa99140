//! Durability, file modes, migration, and words for what cannot be opened.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// What a crash at this very moment would leave: the database and its log as they are.
fn after_a_crash(folder: &TempDir) -> TempDir {
    let copy = self::folder();
    for name in ["cockpit.db", "cockpit.db-wal"] {
        let from = folder.path().join(name);
        if from.exists() {
            std::fs::copy(from, copy.path().join(name)).unwrap();
        }
    }
    copy
}

#[tokio::test]
async fn an_intent_survives_a_crash_from_the_moment_its_future_is_ready() {
    let folder = folder();
    let store = open(&folder);
    let batch = started(&store).await;
    let step = store.intend(&intent(batch)).await.unwrap();
    let crashed = after_a_crash(&folder);
    let journal = open(&crashed).journal(batch).await.unwrap();
    assert_eq!(
        (journal[0].id, journal[0].state),
        (step, StepState::Intended)
    );

    store.mark_sent(step).await.unwrap();
    let crashed = after_a_crash(&folder);
    let reopened = open(&crashed);
    assert_eq!(
        reopened.journal(batch).await.unwrap()[0].state,
        StepState::Sent
    );
    // And from the disk's point of view: every commit is synced.
    let synchronous: i64 = store
        .write(|db| Ok(db.query_row("PRAGMA synchronous", [], |row| row.get(0))?))
        .await
        .unwrap();
    assert_eq!(synchronous, 2);
}

#[tokio::test]
async fn many_writes_at_once_are_all_there_after_a_crash() {
    let folder = folder();
    let (one, two) = (open(&folder), open(&folder));
    let batch = started(&one).await;
    let intent = intent(batch);
    let writes = (0..200).map(|n| if n % 2 == 0 { &one } else { &two }.intend(&intent));
    let mut steps: Vec<_> = futures_util::future::join_all(writes)
        .await
        .into_iter()
        .map(|step| step.unwrap())
        .collect();
    steps.sort();
    let crashed = after_a_crash(&folder);
    let journal = open(&crashed).journal(batch).await.unwrap();
    let found: Vec<_> = journal.iter().map(|row| row.id).collect();
    assert_eq!(found, steps);
    assert_eq!(found.len(), 200);
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_committed() {
    let folder = folder();
    let store = open(&folder);
    let batch = started(&store).await;
    // Somebody else's transaction holds every commit up.
    let other = Connection::open(store.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let intent = intent(batch);
    let mut asking = Box::pin(store.intend(&intent));
    let early = tokio::time::timeout(std::time::Duration::from_millis(200), &mut asking).await;
    assert!(early.is_err(), "answered while the commit was held up");
    assert_eq!(store.journal(batch).await.unwrap(), []);
    other.execute_batch("COMMIT").unwrap();
    let step = asking.await.unwrap();
    assert_eq!(store.journal(batch).await.unwrap()[0].id, step);
}

#[tokio::test]
async fn two_handles_may_open_an_empty_folder_at_the_same_time() {
    let folder = folder();
    let path = folder.path().to_owned();
    let opening: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || SqliteStore::open(&path, Redactor::new()).map(drop))
        })
        .collect();
    for opened in opening {
        opened.join().unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_asker_who_gave_up_does_not_stop_the_writer() {
    let folder = folder();
    let store = open(&folder);
    let batch = started(&store).await;
    let intent = intent(batch);
    for _ in 0..20 {
        let mut asking = Box::pin(store.intend(&intent));
        assert!(futures_util::poll!(asking.as_mut()).is_pending());
    }
    store.intend(&intent).await.unwrap();
    assert!(!store.journal(batch).await.unwrap().is_empty());
}

/// Run under `umask 000` by the test below; does nothing otherwise.
#[tokio::test]
async fn helper_that_makes_every_file() {
    let Ok(state_dir) = std::env::var("COCKPIT_TEST_FILES") else {
        return;
    };
    let store = SqliteStore::open(Path::new(&state_dir), Redactor::new()).unwrap();
    store
        .save_plan(&new_plan(&["sk-one-00000000001"]))
        .await
        .unwrap();
    store.local_key().await.unwrap();
    let held = store
        .lease(&host(), &provider(), &info("ann@jump pid 7", NOW))
        .await
        .unwrap();
    // Ends without closing anything: the files stay to be looked at.
    std::mem::forget((held, store));
}

#[test]
fn every_file_is_0600_and_every_folder_0700_under_umask_000() {
    let folder = folder();
    let state_dir = folder.path().join("deep/state");
    let made = std::process::Command::new("sh")
        .args(["-c", "umask 000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "store::tests::files::helper_that_makes_every_file",
            "--exact",
        ])
        .env("COCKPIT_TEST_FILES", &state_dir)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    assert_eq!(mode(&state_dir), 0o700);
    assert_eq!(mode(&state_dir.join("locks")), 0o700);
    for name in [
        "cockpit.db",
        "cockpit.db-wal",
        "cockpit.db-shm",
        "seal.key",
        "local.key",
        "locks/lab.good.lock",
    ] {
        assert_eq!(mode(&state_dir.join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_folder_of_somebody_else_is_refused_and_our_own_is_tightened() {
    let folder = folder();
    set_mode(folder.path(), 0o755);
    std::fs::write(folder.path().join("letters"), "").unwrap();
    let refused = SqliteStore::open(folder.path(), Redactor::new())
        .err()
        .unwrap();
    assert!(refused.message.contains("open to other users"), "{refused}");
    assert!(refused.hint.contains("chmod 700"));
    assert_eq!(mode(folder.path()), 0o755);

    let ours = self::folder();
    drop(open(&ours));
    set_mode(ours.path(), 0o755);
    set_mode(&ours.path().join("cockpit.db"), 0o644);
    drop(open(&ours));
    assert_eq!(mode(ours.path()), 0o700);
    assert_eq!(mode(&ours.path().join("cockpit.db")), 0o600);
}

#[test]
fn an_empty_database_is_migrated_and_a_newer_one_refused_unchanged() {
    let folder = folder();
    let database = folder.path().join("cockpit.db");
    drop(Connection::open(&database).unwrap());
    drop(open(&folder));
    let raw = Connection::open(&database).unwrap();
    let version: i64 = raw
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 6);
    raw.execute_batch("PRAGMA user_version = 7").unwrap();
    drop(raw);
    let before = std::fs::read(&database).unwrap();
    let refused = SqliteStore::open(folder.path(), Redactor::new())
        .err()
        .unwrap();
    assert_eq!(refused.kind, FailureKind::Store);
    assert!(
        refused
            .message
            .contains("written by a newer cockpit: its schema is 7, this one knows 6"),
        "{refused}"
    );
    assert_eq!(std::fs::read(&database).unwrap(), before);
}

#[test]
fn every_migration_is_valid_sql() {
    schema::migrations().validate().unwrap();
}

#[test]
fn a_damaged_database_is_named_with_what_to_do() {
    let folder = folder();
    std::fs::write(
        folder.path().join("cockpit.db"),
        "not a database at all, ".repeat(99),
    )
    .unwrap();
    let refused = SqliteStore::open(folder.path(), Redactor::new())
        .err()
        .unwrap();
    assert!(refused.message.contains("is damaged"), "{refused}");
    assert!(refused.hint.contains("move `"), "{}", refused.hint);
}

#[tokio::test]
async fn keys_in_files_are_refused_when_others_could_read_them() {
    let folder = folder();
    let store = open(&folder);
    let key = store.local_key().await.unwrap();
    assert_eq!(key.expose().len(), 64);
    assert_eq!(open(&folder).local_key().await.unwrap(), key);

    let file = folder.path().join("local.key");
    set_mode(&file, 0o640);
    let refused = store.local_key().await.unwrap_err();
    assert!(refused.message.contains("has mode 0640"), "{refused}");
    assert!(refused.hint.contains("chmod 600"));

    set_mode(&file, 0o600);
    std::fs::write(&file, "short").unwrap();
    let refused = store.local_key().await.unwrap_err();
    assert!(refused.message.contains("does not hold a key"), "{refused}");

    // Only root can give a file away.
    if std::os::unix::fs::chown(&file, Some(12_345), None).is_ok() {
        let refused = store.local_key().await.unwrap_err();
        assert!(
            refused.message.contains("belongs to user 12345"),
            "{refused}"
        );
    }
}
