//! Read-only until armed: with a screen in front of it the engine itself refuses every act that
//! writes, whatever a face would let through.

use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, BatchStatus};
use cockpit_domain::ids::{HostId, PlanId, RemoteId};
use cockpit_domain::runbook::RunState;
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::FailureKind;
use cockpit_engine::runbook::{NewWalk, Word};
use std::time::Duration;

const KEYS: [&str; 2] = ["sk-lab-good-armed-000001", "sk-lab-good-armed-000002"];
const ANOTHER: &str = "sk-lab-good-armed-000003";
const CHECK: &str = "binding.account-7-group-3";

/// Plans, and gives what has to be approved.
async fn planned(inside: &Inside, command: Command) -> (PlanId, String) {
    let name = command.name();
    match inside.engine().call(command).await {
        Ok(Answer::Import(plan) | Answer::AccessPlan(plan)) => (plan.id, plan.hash),
        Ok(Answer::Adopt(plan)) => (plan.id, plan.hash),
        Ok(Answer::Prune(plan)) => (plan.id, plan.hash),
        Ok(Answer::Recover(plan)) => (plan.id, plan.hash),
        Ok(Answer::Repair(plan)) => (plan.id, plan.hash),
        Ok(Answer::Rollback(plan)) => (plan.id, plan.hash),
        Ok(Answer::Gate(report)) => {
            let plan = report.plan.expect("something to approve");
            (plan.id, plan.hash)
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn word(host: &str, hash: &str) -> Approval {
    Approval {
        hash: hash.to_owned(),
        host_name: Some(host.to_owned()),
        reason: Some("a test".to_owned()),
    }
}

/// A run of a runbook that waits for a person's word, and that word.
async fn approving(inside: &Inside, book: &str) -> Command {
    let walk = NewWalk {
        book: book.to_owned(),
        ..NewWalk::default()
    };
    let answer = inside.engine().call(Command::RunbookRun { walk }).await;
    let Ok(Answer::Run(run)) = answer else {
        panic!("{book}: {answer:?}")
    };
    assert_eq!(run.state, RunState::Confirms, "{run:?}");
    let plan = run.current().and_then(|step| step.plan.clone());
    let hash = plan.expect("a plan").plan_hash;
    Command::RunbookResume {
        run: run.id,
        word: Word::Approve(word("prod", &hash)),
    }
}

/// Every act that writes, planned and with everything that its approval wants.
async fn every_act(inside: &Inside) -> Vec<(&'static str, Command)> {
    let (accept, provider) = (inside.host_id(), Inside::provider());
    let mut acts = Vec::new();
    let gate = Command::GateBefore { pack: None };
    inside.engine().call(gate).await.expect("a look before");
    let (plan, hash) = planned(inside, Command::GateAfter { pack: None }).await;
    let approval = word("prod", &hash);
    acts.push(("prod", Command::GateApply { plan, approval }));
    acts.push(("prod", approving(inside, "reload-nginx").await));
    inside.lab.set_fault("binding-lost").expect("a fault");
    acts.push(("prod", approving(inside, "completion-fails").await));
    let check = CHECK.to_owned();
    let (plan, hash) = planned(inside, Command::RepairPlan { pack: None, check }).await;
    let approval = word("prod", &hash);
    acts.push(("prod", Command::RepairApply { plan, approval }));

    let command = Command::AccessPlan {
        host: accept.clone(),
        provider: provider.clone(),
        access: AccessMode::SelfService,
        user_key: None,
    };
    let (plan, hash) = planned(inside, command).await;
    let approval = word("accept", &hash);
    acts.push(("accept", Command::AccessApply { plan, approval }));
    let command = Command::AdoptPlan {
        host: accept.clone(),
        provider: provider.clone(),
    };
    let (plan, hash) = planned(inside, command).await;
    let approval = word("accept", &hash);
    acts.push(("accept", Command::AdoptApply { plan, approval }));
    let batch = inside.import(&KEYS).await;
    let (status, why) = (batch.batch_status, &batch.reason);
    assert_eq!(status, BatchStatus::Succeeded, "{why}");
    let command = Command::PrunePlan {
        host: accept.clone(),
        provider: provider.clone(),
    };
    let (plan, hash) = planned(inside, command).await;
    let approval = word("accept", &hash);
    acts.push(("accept", Command::PruneApply { plan, approval }));
    let import = inside
        .plan_import(AccessMode::Subscription, &[ANOTHER])
        .await;
    acts.push(("accept", inside.apply(&import, 0)));
    inside.with(|state| {
        for group in state.groups_of(11) {
            state.unbind(11, group);
        }
        let account = state.account_mut(12).expect("an account");
        "error".clone_into(&mut account.status);
    });
    let drift = inside.reconcile().await;
    let (plan, approval) = (drift.id, inside.word(&drift.hash));
    acts.push(("accept", Command::ReconcileApply { plan, approval }));
    let command = Command::RecoverPlan {
        host: accept,
        account: RemoteId(12),
        provider: Some(provider),
    };
    let (plan, hash) = planned(inside, command).await;
    let approval = word("accept", &hash);
    acts.push(("accept", Command::RecoverApply { plan, approval }));
    let delete = false;
    let batch = batch.id;
    let (plan, hash) = planned(inside, Command::RollbackPlan { batch, delete }).await;
    let approval = word("accept", &hash);
    acts.push(("accept", Command::RollbackApply { plan, approval }));
    acts
}

#[test]
fn no_act_that_writes_is_let_through_while_its_host_is_read_only() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let acts = every_act(&inside).await;
        let mark = inside.lab.log().last();
        inside.engine().require_arming();
        for armed in [None, Some("the other one")] {
            for (host, act) in &acts {
                let name = act.name();
                assert!(act.writes(), "{name}");
                if armed.is_some() {
                    let other = if *host == "prod" { "accept" } else { "prod" };
                    let other = HostId::new(other).expect("a name");
                    let time = Duration::from_mins(5);
                    inside.engine().arm(other, time).await.expect("armed");
                }
                let failure = inside.engine().call(act.clone()).await;
                let failure = failure.expect_err(name);
                assert_eq!(failure.kind, FailureKind::Denied, "{name}: {failure:?}");
                assert!(failure.message.contains("armed"), "{name}: {failure:?}");
                assert!(failure.hint.contains(":arm "), "{name}: {failure:?}");
            }
        }
        let seen = inside.lab.log().since(mark).into_iter();
        let changes = seen.filter(|row| row.method != "GET");
        let changes: Vec<String> = changes.map(|row| row.path).collect();
        assert_eq!(changes, Vec::<String>::new(), "something was sent");
        // The same plans are still good: nothing was used up by being refused.
        let accept = inside.host_id();
        let time = Duration::from_mins(5);
        inside.engine().arm(accept, time).await.expect("armed");
        let (_, rollback) = acts.last().expect("acts").clone();
        let answer = inside.engine().call(rollback).await;
        assert!(matches!(answer, Ok(Answer::RolledBack(_))), "{answer:?}");
        inside.end().await;
    });
}
