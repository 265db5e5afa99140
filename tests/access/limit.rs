//! The host's login limit is waited out by what cannot go on without a login, with a countdown; a
//! limit that stays ends as before: interrupted, to be resumed.

use super::KEY;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, BatchStatus};
use cockpit_engine::command::Answer;
use cockpit_engine::context::Timing;
use std::time::Duration;

fn allow(inside: &Inside, logins: usize) {
    inside.with(|state| state.settings.logins_per_minute = logins);
}

/// Waits until a job says that it waits for the limit, with the time of its end.
async fn waits(inside: &Inside) {
    let mut seen = inside.engine().watch();
    let told = seen.wait_for(|snapshot| {
        let mut said = snapshot.jobs.iter().filter_map(|job| job.progress.as_ref());
        said.any(|line| line.text.contains("login limit") && line.until_ms.is_some())
    });
    let told = tokio::time::timeout(Duration::from_secs(20), told).await;
    drop(told.expect("the job tells of the limit").expect("it lives"));
}

#[test]
fn a_login_limit_is_waited_out_by_an_import_and_by_its_way_back() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let listing = inside.listing().await;
        let planned = inside.plan_import(AccessMode::Subscription, &[KEY]).await;
        allow(&inside, 0);
        let started = inside.engine().send(inside.apply(&planned, 0));
        waits(&inside).await;
        allow(&inside, 20);
        let batch = match started.answer().await.expect("it ends") {
            Answer::Batch(batch) => *batch,
            other => panic!("{other:?}"),
        };
        let end = (batch.batch_status, batch.reason.as_str());
        assert_eq!(end, (BatchStatus::Succeeded, ""));

        allow(&inside, 0);
        let back = inside.roll_back(batch.id);
        let free = async {
            waits(&inside).await;
            allow(&inside, 20);
        };
        let (rolled, ()) = tokio::join!(back, free);
        assert_eq!(rolled.remains, Vec::<String>::new());
        assert_eq!(inside.listing().await, listing);
        inside.end().await;
    });
}

#[test]
fn a_login_limit_that_stays_interrupts_the_import_and_a_resume_goes_on() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let timing = Timing {
            login_limit: Duration::from_millis(300),
            ..quick()
        };
        let inside = Inside::start("accept", timing).await;
        let planned = inside.plan_import(AccessMode::Subscription, &[KEY]).await;
        allow(&inside, 0);
        let batch = inside.apply_import(&planned).await;
        assert_eq!(batch.batch_status, BatchStatus::Interrupted);
        assert!(batch.reason.contains("answers 429"), "{}", batch.reason);
        allow(&inside, 20);
        let whole = inside.resume(batch.id).await;
        let end = (whole.batch_status, whole.reason.as_str());
        assert_eq!(end, (BatchStatus::Succeeded, ""));
        inside.end().await;
    });
}
