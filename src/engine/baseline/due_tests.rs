//! Rounds that look at what is due, counted in looks.

use super::fakes::{Fakes, answer};
use super::run;
use super::tests::{check, pack};
use cockpit_domain::baseline::{BaselineReport, CheckResult, Verdict};
use cockpit_domain::pack::BaselinePack;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Three pages looked at seldom, two comparisons that share one of them, a page that is always due.
fn compared() -> (Fakes, BaselinePack) {
    let fakes = Fakes::default();
    for page in ["a", "b", "c", "always"] {
        let mut world = fakes.world();
        world
            .web
            .insert(format!("GET /{page}"), answer(200, "text/plain", "same"));
    }
    let page = |id: &str, pace: &str| {
        let look = format!("http = {{ url = \"http://x.lab/{id}\", status = 200 }}");
        check(id, "here", &format!("{pace}\n{look}"))
    };
    let compare = |id: &str, this: &str, that: &str| {
        let look = format!(
            "compare = {{ this = \"{this}:body\", is = \"equal\", that = \"{that}:body\" }}"
        );
        check(id, "here", &look)
    };
    let seldom = "every_s = 600";
    let pack = pack(&[
        page("a", seldom),
        page("b", seldom),
        page("c", seldom),
        compare("a-b", "a", "b"),
        compare("b-c", "b", "c"),
        page("always", ""),
    ]);
    (fakes, pack)
}

/// A round after another one, and the pages that it looked at.
async fn round(
    fakes: &Fakes,
    pack: &BaselinePack,
    before: Option<&BaselineReport>,
) -> (BaselineReport, Vec<String>) {
    fakes.world().asked.clear();
    let mut context = fakes.context();
    context.before = before.cloned().map(Arc::new);
    let quiet = |_: &CheckResult| {};
    let report = run(&context, pack, &CancellationToken::new(), &quiet).await;
    let mut asked: Vec<String> = fakes
        .world()
        .asked
        .iter()
        .map(|request| {
            request
                .url
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    asked.sort();
    (report, asked)
}

fn aged(report: &BaselineReport, id: &str, seconds: i64) -> BaselineReport {
    let mut report = report.clone();
    let row = report.results.iter_mut().find(|row| row.id == id).unwrap();
    row.at_ms -= seconds * 1000;
    report
}

#[tokio::test(start_paused = true)]
async fn what_is_compared_is_looked_at_once_a_round_and_only_when_it_is_due() {
    let (fakes, pack) = compared();
    let (first, asked) = round(&fakes, &pack, None).await;
    assert_eq!(asked, ["a", "always", "b", "c"], "one look a check");
    assert_eq!(first.verdict, Verdict::Ok, "{first:#?}");
    let (second, asked) = round(&fakes, &pack, Some(&first)).await;
    assert_eq!(asked, ["always"], "the comparisons stand with their sides");
    assert_eq!(second.verdict, Verdict::Ok);
    // A side that is due takes the other one along, and both those of its neighbours.
    for (due, expected) in [
        ("a", vec!["a", "always", "b", "c"]),
        ("c", vec!["a", "always", "b", "c"]),
        ("always", vec!["always"]),
    ] {
        let (report, asked) = round(&fakes, &pack, Some(&aged(&first, due, 601))).await;
        assert_eq!(asked, expected, "{due}");
        assert_eq!(report.verdict, Verdict::Ok, "{due}");
    }
    // A comparison that is too old to say how things are is made anew, though its sides are not due.
    let stale = aged(&first, "a-b", 1201);
    let row = stale.results.iter().find(|row| row.id == "a-b").unwrap();
    assert!(row.is_stale(first.started_ms));
    let (report, asked) = round(&fakes, &pack, Some(&stale)).await;
    assert_eq!(asked, ["a", "always", "b", "c"]);
    let row = report.results.iter().find(|row| row.id == "a-b").unwrap();
    assert_eq!((row.verdict, row.at_ms), (Verdict::Ok, first.started_ms));
    // What changed between two rounds is seen by the round that looks.
    fakes
        .world()
        .web
        .insert("GET /b".to_owned(), answer(200, "text/plain", "other"));
    let (report, _) = round(&fakes, &pack, Some(&aged(&first, "b", 601))).await;
    assert_eq!(report.count(Verdict::Fail), 2, "{report:#?}");
}
