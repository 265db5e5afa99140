//! No secret lies in the files in the clear. Each test first shows that it would find one.

use super::*;

const KEY: &str = "sk-planted-Zq81kLm2Vx94";

/// Whether the database or its log holds these bytes anywhere, free pages included.
fn lies_in_the_files(folder: &TempDir, bytes: &[u8]) -> bool {
    ["cockpit.db", "cockpit.db-wal"].iter().any(|name| {
        std::fs::read(folder.path().join(name))
            .is_ok_and(|content| content.windows(bytes.len()).any(|window| window == bytes))
    })
}

async fn sealed_bytes(store: &SqliteStore) -> Vec<u8> {
    store
        .read(|db| Ok(db.query_row("SELECT sealed FROM plan_secrets", [], |row| row.get(0))?))
        .await
        .unwrap()
}

#[tokio::test]
async fn planted_keys_are_never_in_the_files_and_sealed_ones_leave_the_free_pages() {
    let sealed_folder = folder();
    let store = open(&sealed_folder);
    let plan = store.save_plan(&new_plan(&[KEY])).await.unwrap();
    let sealed = sealed_bytes(&store).await;
    assert!(!lies_in_the_files(&sealed_folder, KEY.as_bytes()));
    assert!(lies_in_the_files(&sealed_folder, &sealed));
    store.wipe_plan_keys(plan).await.unwrap();
    assert!(!lies_in_the_files(&sealed_folder, KEY.as_bytes()));
    assert!(!lies_in_the_files(&sealed_folder, &sealed));

    // Without sealing the key would be found, and the wipe alone would still remove it.
    let bare_folder = folder();
    let mut store = open(&bare_folder);
    store.sealer.bypassed = true;
    let plan = store.save_plan(&new_plan(&[KEY])).await.unwrap();
    assert!(lies_in_the_files(&bare_folder, KEY.as_bytes()));
    store.wipe_plan_keys(plan).await.unwrap();
    assert!(!lies_in_the_files(&bare_folder, KEY.as_bytes()));

    // Without wiping of free pages it would stay there.
    let plan = store.save_plan(&new_plan(&[KEY])).await.unwrap();
    store
        .write(|db| Ok(db.execute_batch("PRAGMA secure_delete = OFF")?))
        .await
        .unwrap();
    store.wipe_plan_keys(plan).await.unwrap();
    assert!(lies_in_the_files(&bare_folder, KEY.as_bytes()));
}

#[tokio::test]
async fn a_wipe_leaves_no_trace_although_another_handle_reads_meanwhile() {
    let folder = folder();
    let (store, other) = (open(&folder), open(&folder));
    let plan = store.save_plan(&new_plan(&[KEY])).await.unwrap();
    let sealed = sealed_bytes(&store).await;
    let reading = async {
        for _ in 0..20 {
            other.plan(plan).await.unwrap();
        }
    };
    let (wiped, ()) = tokio::join!(store.wipe_plan_keys(plan), reading);
    wiped.unwrap();
    assert!(!lies_in_the_files(&folder, &sealed));
}

#[tokio::test]
async fn keys_open_only_in_their_place_and_under_their_key() {
    let folder = folder();
    let store = open(&folder);
    let first = store.save_plan(&new_plan(&[KEY])).await.unwrap();
    let second = store.save_plan(&new_plan(&[])).await.unwrap();
    store
        .write(move |db| {
            db.execute("UPDATE plan_secrets SET plan = ?1", [second.0])?;
            Ok(())
        })
        .await
        .unwrap();
    let refused = store.plan_keys(second).await.unwrap_err();
    assert!(
        refused
            .message
            .contains("the keys of plan/2 were sealed with another key")
    );

    store
        .write(move |db| {
            db.execute("UPDATE plan_secrets SET plan = ?1", [first.0])?;
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(store.plan_keys(first).await.unwrap(), [Secret::new(KEY)]);

    let key_file = folder.path().join("seal.key");
    std::fs::write(&key_file, "00".repeat(32)).unwrap();
    let refused = store.plan_keys(first).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Store);
    assert!(
        refused.message.contains("sealed with another key"),
        "{refused}"
    );
    assert!(refused.hint.contains("seal.key"));

    std::fs::remove_file(&key_file).unwrap();
    let refused = store.plan_keys(first).await.unwrap_err();
    assert!(refused.message.contains("is missing"), "{refused}");
    assert!(!key_file.exists(), "a fresh key opens nothing");
}

#[tokio::test]
async fn no_way_into_the_store_lets_a_known_secret_through() {
    const KNOWN: &str = "correct horse battery staple";
    let folder = folder();
    let redactor = Redactor::new();
    redactor.learn(&Secret::new(KNOWN));
    let store = SqliteStore::open(folder.path(), redactor).unwrap();
    let plan = store.save_plan(&new_plan(&[KNOWN])).await.unwrap();

    let mut batch = new_batch(plan);
    batch.reason = format!("host said {KNOWN}");
    batch.gateway.completion_preview = format!("{KNOWN}!");
    let mut item = new_item(1, KNOWN);
    item.account_probe_summary = format!("refused {KNOWN}");
    item.upstream.upstream_chat_preview = KNOWN.to_owned();
    let id = store.create_batch(&batch, &[item]).await.unwrap();
    batch.id = id;
    store.save_batch(&batch).await.unwrap();
    let items = store.items(id).await.unwrap();
    assert_eq!(items[0].account_probe_summary, "refused ..aple");
    store
        .add_event(
            id,
            &BatchEvent {
                at_ms: NOW,
                item: None,
                kind: "said".to_owned(),
                text: format!("it said {KNOWN}"),
            },
        )
        .await
        .unwrap();
    let step = store.intend(&intent(id)).await.unwrap();
    let mut line = audit(id);
    line.answer = KNOWN.to_owned();
    line.reason = format!("because {KNOWN}");
    store
        .settle(step, StepState::Failed, KNOWN, None, &line)
        .await
        .unwrap();
    let result = KeptResult {
        at_ms: NOW,
        body: json!({"rows": [{"evidence": format!("\"{KNOWN}\"")}], KNOWN: 1}),
    };
    store
        .keep(ResultKind::Baseline, "tksea", &result)
        .await
        .unwrap();
    let holder = LeaseInfo {
        owner: KNOWN.to_owned(),
        reason: KNOWN.to_owned(),
        since_ms: NOW,
    };
    let _held = store.lease(&host(), &provider(), &holder).await.unwrap();

    // What the program acts upon later is refused, not changed.
    let mut leaking = new_plan(&[]);
    leaking.body = json!({"note": KNOWN});
    assert!(store.save_plan(&leaking).await.is_err());
    let mut leaking = intent(id);
    leaking.before = json!({"note": KNOWN});
    assert!(store.intend(&leaking).await.is_err());
    let mut leaking = group(id, 1, Origin::Adopted);
    leaking.recorded = json!({"password": "hunter22"});
    assert!(store.record(&leaking).await.is_err());

    assert!(!lies_in_the_files(&folder, KNOWN.as_bytes()));
    let note = std::fs::read_to_string(folder.path().join("locks/lab.good.lock")).unwrap();
    assert!(!note.contains(KNOWN), "{note}");

    // The same look finds it where the guard is not asked.
    store
        .write(|db| {
            db.execute("INSERT INTO meta VALUES ('planted', ?1)", [KNOWN])?;
            Ok(())
        })
        .await
        .unwrap();
    assert!(lies_in_the_files(&folder, KNOWN.as_bytes()));
}
