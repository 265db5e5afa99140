//! A repair whose one answer never comes: it is seen as interrupted, and gone on with or taken
//! back, with at most one effect.

use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{BatchKind, BatchStatus};
use cockpit_domain::ids::BatchId;
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::context::Timing;
use cockpit_lab::fleet::{PROD_ACCOUNT, PROD_GROUP, PROD_SUBSCRIPTION_GROUP};
use cockpit_lab::sub2api::state::When;

const PATH: &str = "/api/v1/admin/accounts/7";

/// Breaks the binding, repairs it with the answer lost, and starts a new process.
async fn interrupted(when: When) -> (Inside, BatchId) {
    let timing = Timing {
        write_tries: 1,
        ..quick()
    };
    let mut inside = Inside::start("prod", timing).await;
    inside.lab.set_fault("binding-lost").expect("a fault");
    let command = Command::RepairPlan {
        pack: None,
        check: "binding.account-7-group-3".to_owned(),
    };
    let planned = match inside.engine().call(command).await.expect("a plan") {
        Answer::Repair(planned) => planned,
        other => panic!("{other:?}"),
    };
    inside.lose("PUT", PATH, when);
    let command = Command::RepairApply {
        plan: planned.id,
        approval: Approval {
            hash: planned.hash.clone(),
            host_name: Some("prod".to_owned()),
            reason: Some("a test".to_owned()),
        },
    };
    let failure = inside.engine().call(command).await.expect_err("no answer");
    assert!(failure.hint.contains("batch resume"), "{failure:?}");
    assert!(inside.lost(), "nothing asked PUT {PATH}");
    inside.restart(quick()).await;
    let list = Command::BatchList { host: None };
    let batch = match inside.engine().call(list).await.expect("a list") {
        Answer::Batches(batches) => batches[0].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (batch.kind, batch.batch_status),
        (BatchKind::Repair, BatchStatus::Interrupted)
    );
    (inside, batch.id)
}

fn groups(inside: &Inside) -> Vec<i64> {
    let host = inside.lab.host("prod");
    host.with(|state| state.groups_of(PROD_ACCOUNT))
}

fn binds(inside: &Inside) -> usize {
    let rows = inside.writes();
    rows.iter().filter(|row| row.path == PATH).count()
}

#[test]
fn a_repair_whose_answer_was_lost_is_found_again_or_sent_again() {
    if !has_ssh() {
        return;
    }
    for (when, sent) in [(When::BeforeCommit, 2), (When::AfterCommit, 1)] {
        on_threads(async {
            let (inside, batch) = interrupted(when).await;
            let batch = inside.resume(batch).await;
            assert_eq!(
                batch.batch_status,
                BatchStatus::Succeeded,
                "{}",
                batch.reason
            );
            assert_eq!(groups(&inside), [PROD_GROUP, PROD_SUBSCRIPTION_GROUP]);
            assert_eq!(binds(&inside), sent, "{when:?}");
            inside.end().await;
        });
    }
}

#[test]
fn a_repair_whose_answer_was_lost_can_be_taken_back_from_its_intent() {
    if !has_ssh() {
        return;
    }
    for when in [When::BeforeCommit, When::AfterCommit] {
        on_threads(async {
            let (inside, batch) = interrupted(when).await;
            let rolled = inside.roll_back(batch).await;
            assert_eq!(rolled.batch.batch_status, BatchStatus::RolledBack);
            assert_eq!(
                (rolled.blocked, rolled.remains, rolled.disturbed),
                (vec![], vec![], vec![])
            );
            assert_eq!(groups(&inside), [PROD_SUBSCRIPTION_GROUP], "{when:?}");
            inside.end().await;
        });
    }
}
