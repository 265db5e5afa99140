//! The repair of a drift that somebody else's hand stopped: a resume does what still stands, leaves what
//! they changed and says how that is planned anew. Nothing that nobody approved is written.

use super::{ACCOUNTS, after, sent, stopped, succeeded};
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::BatchStatus;
use cockpit_domain::ids::BatchId;
use cockpit_engine::command::Command;

#[test]
fn a_stopped_repair_is_resumed_without_what_somebody_changed_and_the_rest_is_planned_anew() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let import = succeeded(&inside).await;
        // The first account is unbound and switched off, the second unbound.
        inside.with(|state| {
            for id in [11, 12] {
                for group in state.groups_of(id) {
                    state.unbind(id, group);
                }
            }
            state.account_mut(12).expect("an account").schedulable = false;
        });
        let planned = inside.reconcile().await;
        let mends = &planned.report.mends;
        assert_eq!(mends.len(), 3, "{mends:?}");
        let second = mends[1].host_resource_id.0;
        assert_ne!(mends[0].host_resource_id.0, second, "{mends:?}");
        let first = format!("{ACCOUNTS}{}", mends[0].host_resource_id.0);
        after(&inside, "PUT", &first, move |state| state.bind(second, 1));
        let command = Command::ReconcileApply {
            plan: planned.id,
            approval: inside.word(&planned.hash),
        };
        let failure = inside.engine().call(command).await.expect_err("moved");
        let repair = BatchId(import.0 + 1);
        for word in ["cockpit batch resume 2", "cockpit reconcile plan --batch 1"] {
            assert!(failure.hint.contains(word), "{failure:?}");
        }
        stopped(&inside, repair, "group_ids was []").await;

        let batch = inside.resume(repair).await;
        assert_eq!(batch.batch_status, BatchStatus::PartiallySucceeded);
        for word in [
            "1 of 3 left as somebody else has it",
            "group_ids was [], is [\"1\"] now",
            "cockpit reconcile plan --batch 1",
        ] {
            assert!(batch.reason.contains(word), "{word}: {}", batch.reason);
        }
        let theirs = format!("{ACCOUNTS}{second}");
        assert_eq!(
            sent(&inside, "PUT", &theirs),
            0,
            "their binding was written over"
        );
        let switched = inside.with(|state| state.account(12).expect("an account").schedulable);
        assert!(switched, "what still stood was left out");

        // What is left is another plan, with their binding in it; then nothing is.
        let planned = inside.reconcile().await;
        assert_eq!(planned.report.mends.len(), 1, "{:?}", planned.report);
        let command = Command::ReconcileApply {
            plan: planned.id,
            approval: inside.word(&planned.hash),
        };
        inside.engine().call(command).await.expect("it is put back");
        let groups = inside.with(|state| state.groups_of(second));
        assert!(groups.len() == 2 && groups.contains(&1), "{groups:?}");
        for (batch, what) in [(BatchId(3), "the second"), (repair, "the first")] {
            let rolled = inside.roll_back(batch).await;
            assert_eq!((rolled.blocked, rolled.remains), (vec![], vec![]), "{what}");
        }
        inside.end().await;
    });
}
