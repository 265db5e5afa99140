//! Deleting parked accounts, cut at every delete: before the host took it, after, and with the
//! effect following late. Each account goes once, nothing else goes, and a new process finishes.

use super::lost::LATE;
use super::scene::{LIMIT, Scene, kill};
use crate::prune::{apply, plan};
use crate::support::inside::{Inside, on_threads, quick};
use crate::support::{has_ssh, wait_until};
use cockpit_domain::batch::{BatchKind, BatchStatus};
use cockpit_domain::ids::BatchId;
use cockpit_domain::journal::StepState;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::context::Timing;
use cockpit_lab::sub2api::state::When;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const KEYS: [&str; 2] = ["sk-lab-good-prune-000001", "sk-lab-good-prune-000002"];

fn once() -> Timing {
    Timing {
        write_tries: 1,
        ..quick()
    }
}

fn path(id: i64) -> String {
    format!("/api/v1/admin/accounts/{id}")
}

/// The batch that was left half way.
async fn interrupted(inside: &Inside) -> BatchId {
    let list = Command::BatchList { host: None };
    let batch = match inside.engine().call(list).await.expect("a list") {
        Answer::Batches(batches) => batches[0].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (batch.kind, batch.batch_status),
        (BatchKind::Prune, BatchStatus::Interrupted)
    );
    batch.id
}

#[test]
fn cut_at_every_delete_each_account_goes_once_and_nothing_else() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let mut inside = Inside::start("accept", quick()).await;
        let imported = inside.import(&KEYS).await;
        assert_eq!(imported.batch_status, BatchStatus::Succeeded);
        inside.restart(once()).await;
        let planned = plan(&inside).await;
        let doomed: Vec<i64> = planned
            .plan
            .doomed
            .iter()
            .map(|one| one.account.0)
            .collect();
        assert_eq!(doomed.len(), 10);
        let (mut cuts, mut batch, mut begun) = (0, None, Instant::now());
        for id in &doomed {
            // First the host never took it, then it did and did not say so, or does so later.
            let after = if id % 3 == 0 {
                When::CommitAfter(LATE)
            } else {
                When::AfterCommit
            };
            for when in [When::BeforeCommit, after] {
                inside.lose("DELETE", &path(*id), when);
                begun = Instant::now();
                let failed = match batch {
                    None => apply(&inside, &planned).await.map(drop),
                    Some(batch) => {
                        let command = Command::BatchResume { batch };
                        inside.engine().call(command).await.map(drop)
                    }
                };
                let failure = failed.expect_err("no answer");
                assert!(failure.hint.contains("batch resume"), "{failure:?}");
                assert!(inside.lost(), "nothing asked DELETE {}", path(*id));
                cuts += 1;
                inside.restart(once()).await;
                batch = Some(interrupted(&inside).await);
            }
        }
        assert_eq!(cuts, 2 * doomed.len());
        let batch = inside.resume(batch.expect("a batch")).await;
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        tokio::time::sleep_until((begun + LATE + Duration::from_millis(500)).into()).await;
        let living: BTreeSet<i64> = inside.lab.host("accept").with(|state| {
            let rows = state.accounts.values();
            rows.filter(|row| row.deleted_at.is_none())
                .map(|row| row.id)
                .collect()
        });
        assert_eq!(
            living,
            BTreeSet::from([11, 12]),
            "the new ones and nobody else"
        );
        let journal = inside.show(batch.id).await.journal;
        assert_eq!(journal.len(), doomed.len(), "one row a delete: {journal:?}");
        assert!(
            journal.iter().all(|row| row.state == StepState::Done),
            "{journal:?}"
        );
        let rolled = inside.roll_back(imported.id).await;
        assert_eq!(
            (rolled.blocked, rolled.remains, rolled.disturbed),
            (vec![], vec![], vec![])
        );
        inside.end().await;
    });
}

#[test]
fn killed_between_deletes_it_is_resumed_whole() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start("accept", 2, Duration::from_millis(60));
    let words = scene.planned();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(scene.run(&words).code, 0);
    let ran = scene.run(&["prune", "plan", "--host", "accept", "--provider", "lab"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let words = scene.apply("prune", &ran.json());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut child = scene.begin(&words);
    wait_until("four of ten are gone", LIMIT, || {
        (scene.older_accounts().len() <= 6).then_some(())
    });
    kill(&mut child);
    scene.nothing_runs_on();
    let left = scene.older_accounts();
    assert!(!left.is_empty(), "it was killed in the middle");
    let listed = scene.run(&["batch", "list"]).json();
    assert_eq!(listed["batches"][0]["status"], "interrupted", "{listed}");
    assert_eq!(listed["batches"][0]["kind"], "prune", "{listed}");
    let resumed = scene.run(&["batch", "resume", "2"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(scene.older_accounts(), BTreeSet::new());
    assert_eq!(scene.own_accounts().len(), 2);
    for id in left.iter().skip(1) {
        assert_eq!(
            scene.asked("DELETE", &path(*id)),
            1,
            "#{id} is asked for once"
        );
    }
    scene.nothing_is_left();
}
