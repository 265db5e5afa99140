//! Letting one account in again: it is asked once, a good answer clears what was held against it,
//! a bad one leaves it as it is and says why.

use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccountStatus, BatchStatus};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::pool::{Ask, Pool, Reason};
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::Outcome;
use cockpit_engine::pool::{PlannedRecover, Recovered};
use cockpit_lab::sub2api::model::Account;
use cockpit_lab::sub2api::state::{Afterwards, State, When};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// An account of the provider that the lab's acceptance host has.
const ACCOUNT: i64 = 3;

pub(crate) async fn plan(inside: &Inside, account: i64) -> Outcome<PlannedRecover> {
    let command = Command::RecoverPlan {
        host: inside.host_id(),
        account: RemoteId(account),
        provider: None,
    };
    match inside.engine().call(command).await? {
        Answer::Recover(planned) => Ok(*planned),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn apply(inside: &Inside, planned: &PlannedRecover) -> Outcome<Recovered> {
    let approval = Approval {
        hash: planned.hash.clone(),
        host_name: Some(inside.host_id().to_string()),
        reason: Some("a test".to_owned()),
    };
    let plan = planned.id;
    let command = Command::RecoverApply { plan, approval };
    match inside.engine().call(command).await? {
        Answer::Recovered(recovered) => Ok(*recovered),
        other => panic!("{other:?}"),
    }
}

/// What the pool page says of the account: reasons, and how it was judged last.
async fn told(inside: &Inside, account: i64) -> (Vec<Reason>, Option<AccountStatus>) {
    let command = Command::ProviderStatus {
        host: inside.host_id(),
        provider: None,
    };
    let pools: Vec<Pool> = match inside.engine().call(command).await.expect("pools") {
        Answer::Pools(pools) => pools,
        other => panic!("{other:?}"),
    };
    let mut seats = pools.iter().flat_map(|pool| &pool.seats);
    let seat = seats
        .find(|seat| seat.account.0 == account)
        .expect("a seat");
    let reasons = seat.why_not.iter().map(|why| why.reason).collect();
    (reasons, seat.probed.as_ref().map(|probed| probed.status))
}

fn later() -> Timestamp {
    Timestamp::now() + SignedDuration::from_mins(30)
}

fn with_account(inside: &Inside, change: impl FnOnce(&mut Account)) {
    let host = inside.lab.host("accept");
    host.with(|state: &mut State| change(state.account_mut(ACCOUNT).expect("an account")));
}

type Case = (&'static str, fn(&mut Account), Reason);

#[test]
fn whatever_put_it_aside_one_good_answer_lets_it_in_again() {
    if !has_ssh() {
        return;
    }
    let cases: [Case; 6] = [
        (
            "401",
            |row| {
                "error".clone_into(&mut row.status);
                "Authentication failed (401): bad key".clone_into(&mut row.error_message);
            },
            Reason::Error,
        ),
        (
            "403",
            |row| row.temp_unschedulable_until = Some(later()),
            Reason::CoolingDown,
        ),
        (
            "429",
            |row| row.rate_limit_reset_at = Some(later()),
            Reason::RateLimited,
        ),
        (
            "529",
            |row| row.overload_until = Some(later()),
            Reason::Overloaded,
        ),
        (
            "a person",
            |row| row.schedulable = false,
            Reason::SwitchedOff,
        ),
        (
            "a person's status",
            |row| "inactive".clone_into(&mut row.status),
            Reason::Inactive,
        ),
    ];
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        for (what, put_aside, reason) in cases {
            with_account(&inside, put_aside);
            assert_eq!(told(&inside, ACCOUNT).await.0, [reason], "{what}");
            let planned = plan(&inside, ACCOUNT).await.expect("a plan");
            assert_eq!(planned.plan.blockers, Vec::<String>::new(), "{what}");
            assert_eq!(planned.plan.ask, Ask::Test, "{what}");
            assert!(planned.plan.cost.contains("tokens"), "{what}");
            let recovered = apply(&inside, &planned).await.expect("it is asked");
            assert!(recovered.chosen, "{what}: {recovered:?}");
            assert_eq!(
                recovered.batch.batch_status,
                BatchStatus::Succeeded,
                "{what}"
            );
            let after = told(&inside, ACCOUNT).await;
            assert_eq!(after, (vec![], Some(AccountStatus::Passed)), "{what}");
        }
        inside.end().await;
    });
}

#[test]
fn a_bad_answer_changes_nothing_and_stands_on_its_row_with_the_next_try() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        with_account(&inside, |row| {
            row.temp_unschedulable_until = Some(later());
            row.schedulable = false;
        });
        inside.lab.set_fault("upstream-quota").expect("a fault");
        let planned = plan(&inside, ACCOUNT).await.expect("a plan");
        let recovered = apply(&inside, &planned).await.expect("it is asked");
        assert_eq!(recovered.batch.batch_status, BatchStatus::Failed);
        let words = &recovered.account_probe_summary;
        assert!(
            words.contains("quota is not enough"),
            "the upstream's own words: {words}"
        );
        assert!(recovered.next_try.is_some(), "{recovered:?}");
        let (reasons, judged) = told(&inside, ACCOUNT).await;
        assert_eq!(reasons, [Reason::SwitchedOff, Reason::CoolingDown]);
        assert_eq!(judged, Some(AccountStatus::Failed));
        inside.end().await;
    });
}

#[test]
fn what_asking_cannot_mend_is_refused_with_what_does() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let planned = plan(&inside, ACCOUNT).await.expect("a plan");
        assert!(
            planned.plan.blockers[0].contains("nothing to ask"),
            "{planned:?}"
        );
        with_account(&inside, |row| {
            row.expires_at = Some(Timestamp::now() - SignedDuration::from_mins(1));
            row.auto_pause_on_expired = true;
        });
        let planned = plan(&inside, ACCOUNT).await.expect("a plan");
        assert!(planned.plan.blockers[0].contains("expired"), "{planned:?}");
        with_account(&inside, |row| row.expires_at = None);

        let batch = inside.import(&["sk-lab-good-recover-00001"]).await;
        let planned = plan(&inside, ACCOUNT).await.expect("a plan");
        let blocker = &planned.plan.blockers[0];
        assert!(
            blocker.contains(&format!("{} parked it", batch.id)),
            "{blocker}"
        );
        let refused = apply(&inside, &planned).await.expect_err("it is blocked");
        assert!(refused.message.contains("parked it"), "{refused:?}");
        assert_eq!(inside.parked(), 10);
        let unknown = plan(&inside, 4711).await.expect_err("no such account");
        assert!(unknown.message.contains("no account #4711"), "{unknown:?}");
        inside.end().await;
    });
}

#[test]
fn an_account_without_responses_is_asked_for_its_models_and_costs_no_tokens() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        with_account(&inside, |row| {
            row.extra
                .insert("openai_responses_supported".to_owned(), json!(false));
            row.temp_unschedulable_until = Some(later());
        });
        let planned = plan(&inside, ACCOUNT).await.expect("a plan");
        assert_eq!(planned.plan.ask, Ask::List);
        assert!(planned.plan.cost.starts_with("no tokens"), "{planned:?}");
        let recovered = apply(&inside, &planned).await.expect("it is asked");
        assert!(recovered.chosen, "{recovered:?}");
        inside.end().await;
    });
}

#[test]
fn a_switch_whose_answer_was_lost_is_found_again_and_the_batch_gone_on_with() {
    if !has_ssh() {
        return;
    }
    for when in [When::BeforeCommit, When::AfterCommit] {
        on_threads(async {
            let timing = cockpit_engine::context::Timing {
                write_tries: 1,
                ..quick()
            };
            let mut inside = Inside::start("accept", timing).await;
            with_account(&inside, |row| row.schedulable = false);
            let planned = plan(&inside, ACCOUNT).await.expect("a plan");
            let path = format!("/api/v1/admin/accounts/{ACCOUNT}/schedulable");
            inside.lose("POST", &path, when);
            let failure = apply(&inside, &planned).await.expect_err("no answer");
            assert!(failure.hint.contains("batch resume"), "{failure:?}");
            assert!(inside.lost());
            inside.restart(quick()).await;
            let list = Command::BatchList { host: None };
            let batch = match inside.engine().call(list).await.expect("a list") {
                Answer::Batches(batches) => batches[0].id,
                other => panic!("{other:?}"),
            };
            let batch = inside.resume(batch).await;
            assert_eq!(
                batch.batch_status,
                BatchStatus::Succeeded,
                "{}",
                batch.reason
            );
            assert_eq!(inside.parked(), 0);
            inside.end().await;
        });
    }
}

#[test]
fn what_somebody_changes_while_it_is_asked_is_not_let_in_as_it_was_planned() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        with_account(&inside, |row| {
            row.temp_unschedulable_until = Some(later());
            row.schedulable = false;
        });
        let planned = plan(&inside, ACCOUNT).await.expect("a plan");
        // Somebody gives it another priority right after it answered.
        let hand = Afterwards {
            method: "POST".to_owned(),
            path_prefix: format!("/api/v1/admin/accounts/{ACCOUNT}/test"),
            act: Box::new(|state| {
                state.account_mut(ACCOUNT).expect("an account").priority = 77;
            }),
        };
        inside.with(|state| state.afterwards.push(hand));
        let failure = apply(&inside, &planned).await.expect_err("moved");
        assert!(failure.message.contains("host moved"), "{failure:?}");
        assert!(failure.message.contains("priority was"), "{failure:?}");
        let (reasons, _) = told(&inside, ACCOUNT).await;
        assert!(reasons.contains(&Reason::SwitchedOff), "{reasons:?}");
        inside.end().await;
    });
}
