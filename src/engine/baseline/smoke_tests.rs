//! Which way the answers of a smoke took, over scripted far ends.

use super::fakes::Fakes;
use super::tests::{SMOKE, check, good_world, pack, run_all};
use crate::failure::{Failure, FailureKind};
use cockpit_domain::baseline::{CheckResult, Verdict};
use cockpit_domain::ids::RemoteId;
use std::time::Duration;
use tokio::time::Instant;

async fn smoked(fakes: &Fakes, more: &str) -> CheckResult {
    let look = SMOKE.replace(" }", &format!("{more} }}"));
    let pack = pack(&[check("a", "here", &look)]);
    run_all(fakes, &pack).await.results.remove(0)
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_the_host_is_traced_by_what_the_host_booked() {
    let fakes = good_world();
    let row = smoked(&fakes, ", accounts = [7], channel = 1").await;
    assert_eq!(row.verdict, Verdict::Ok, "{row:#?}");
    assert_eq!(
        row.found,
        "big, small answer `pong`: key 11 of group 3, account 7, channel 1"
    );
    let traced = row.provenance.unwrap();
    assert_eq!((traced.key, traced.group), (RemoteId(11), RemoteId(3)));
    let models: Vec<&str> = traced.served.iter().map(|it| it.model.as_str()).collect();
    assert_eq!(models, ["big", "small"]);
    // What was booked before the smoke proves nothing.
    fakes.world().serves = Some(9);
    let row = smoked(&fakes, ", accounts = [7]").await;
    assert_eq!(row.verdict, Verdict::Fail);
    assert!(
        row.found.contains("big: served by account 9, expected 7"),
        "{}",
        row.found
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_host_never_booked_came_from_elsewhere() {
    let fakes = good_world();
    smoked(&fakes, "").await;
    fakes.world().serves = None;
    let begun = Instant::now();
    let row = smoked(&fakes, "").await;
    assert_eq!(row.verdict, Verdict::Fail, "{row:#?}");
    assert!(
        row.found
            .contains("small: answered, and left no usage row on this host"),
        "{}",
        row.found
    );
    // A moment is given to it, within the check's own limit.
    let took = begun.elapsed();
    let moment = Duration::from_secs(7)..Duration::from_secs(10);
    assert!(moment.contains(&took), "{took:?}");
    fakes.world().usage_fail = Some(Failure::new(FailureKind::Remote, "500"));
    let row = smoked(&fakes, "").await;
    assert_eq!(row.verdict, Verdict::Unknown, "{row:#?}");
    assert_eq!(row.provenance, None);
}
