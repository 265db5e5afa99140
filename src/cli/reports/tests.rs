//! What other programs read: well-formed, complete, and unmoved by hostile text.

use super::*;
use cockpit_domain::baseline::Waiver;
use serde_json::json;

const HOSTILE: &str = "<a&\"b'>\u{1b}[31m]]>\u{0}\u{fffe} 宿主 \\ \"\nnext line";

fn row(id: &str, layer: &str, level: &str, verdict: &str) -> CheckResult {
    serde_json::from_value(json!({
        "id": id, "layer": layer, "level": level, "title": "t", "verdict": verdict,
        "expected": "200", "found": HOSTILE, "why": "w", "next_step": "n", "evidence": HOSTILE,
        "duration_ms": 1500, "at_ms": 1_790_000_000_000_i64, "origin": "live",
        "history": {"recent": ["ok", verdict], "flaps": 3},
    }))
    .unwrap()
}

fn report() -> BaselineReport {
    let mut waived = row("entry.waived", "entry", "must", "fail");
    waived.waivers = vec![
        serde_json::from_value::<Waiver>(json!({
            "subject": "check/p/entry.waived", "reason": HOSTILE, "owner": "ann",
            "since_ms": 1_790_000_000_000_i64, "until_ms": 1_790_000_900_000_i64,
        }))
        .unwrap(),
    ];
    let mut muted = row("upstream.smoke", "upstream", "must", "not_judged");
    muted.muted_by = Some("entry.bad".to_owned());
    let mut report: BaselineReport = serde_json::from_value(json!({
        "pack": "p", "title": "t", "fingerprint": "", "host": null, "verdict": "fail",
        "started_ms": 1_790_000_000_000_i64, "duration_ms": 2000, "cancelled": false, "results": [],
    }))
    .unwrap();
    report.results = vec![
        row("entry.good", "entry", "must", "ok"),
        row("entry.bad", "entry", "must", "fail"),
        row("entry.soft", "entry", "should", "fail"),
        row("host.aside", "host", "info", "fail"),
        row("host.away", "host", "must", "unreachable"),
        waived,
        muted,
    ];
    report.stand(1_790_000_100_000);
    report
}

#[test]
fn a_build_reads_each_check_as_what_it_gates_and_hostile_text_breaks_nothing() {
    let text = junit(&report()).unwrap();
    let read = Report::deserialize_from_str(&text).unwrap();
    assert_eq!((read.tests, read.failures, read.errors), (7, 2, 1));
    let suites: Vec<&str> = read
        .test_suites
        .iter()
        .map(|suite| suite.name.as_str())
        .collect();
    assert_eq!(suites, ["p.entry", "p.host", "p.upstream"]);
    let cases = read.test_suites.iter().flat_map(|suite| &suite.test_cases);
    let found: Vec<(String, String)> = cases
        .map(|case| {
            let status = match &case.status {
                TestCaseStatus::Success { .. } => "good".to_owned(),
                TestCaseStatus::Skipped { message, .. } => {
                    message.as_deref().unwrap_or_default().to_owned()
                }
                TestCaseStatus::NonSuccess { kind, ty, .. } => {
                    format!("{kind:?} {}", ty.as_deref().unwrap_or_default())
                }
            };
            (case.name.to_string(), status)
        })
        .collect();
    let of = |name: &str| {
        let found = found.iter().find(|(id, _)| id == name);
        found.map(|(_, status)| status.clone()).unwrap_or_default()
    };
    assert_eq!(of("entry.good"), "good");
    assert_eq!(of("entry.bad"), "Failure fail");
    assert_eq!(of("entry.soft"), "Failure fail");
    assert_eq!(of("host.aside"), "good", "info gates nothing");
    assert_eq!(of("host.away"), "Error unreachable");
    assert_eq!(of("upstream.smoke"), "not judged: entry.bad explains it");
    let waived = of("entry.waived");
    assert!(
        waived.starts_with("waived until 2026-09-21T14:28:20Z by ann: <a&\"b'>"),
        "{waived}"
    );
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{0}'),
        "no control characters"
    );
}

#[test]
fn a_collector_reads_every_check_with_its_labels() {
    let text = prometheus(&report()).unwrap();
    for line in [
        "cockpit_check_ok{check=\"entry.good\",layer=\"entry\",level=\"must\",pack=\"p\"} 1",
        "cockpit_check_ok{check=\"entry.waived\",layer=\"entry\",level=\"must\",pack=\"p\"} 0",
        "cockpit_check_verdict{check=\"entry.waived\",layer=\"entry\",level=\"must\",pack=\"p\",verdict=\"waived\"} 1",
        "cockpit_check_waived_until_timestamp_seconds{check=\"entry.waived\",layer=\"entry\",level=\"must\",pack=\"p\"} 1790000900",
        "cockpit_check_duration_seconds{check=\"host.away\",layer=\"host\",level=\"must\",pack=\"p\"} 1.5",
        "cockpit_check_flaps{check=\"entry.bad\",layer=\"entry\",level=\"must\",pack=\"p\"} 3",
        "cockpit_baseline_ok{pack=\"p\"} 0",
        "cockpit_baseline_last_run_timestamp_seconds{pack=\"p\"} 1790000000",
        "# TYPE cockpit_check_ok gauge",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert_eq!(text.matches("waived_until_timestamp_seconds{").count(), 1);
    assert!(text.ends_with('\n'));
    assert!(!text.contains('\u{1b}'), "found text is no label");
}

#[test]
fn a_file_is_replaced_whole_and_nothing_is_left_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cockpit.prom");
    write(&path, "one\n").unwrap();
    write(&path, "two\n").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1);
    let failure = write(&folder.path().join("no/such/folder.prom"), "x").unwrap_err();
    assert_eq!(failure.kind, FailureKind::Usage);
}
