//! What keeps the gate shut, one row a reason.

use super::*;
use crate::pack::GateStep;

fn step(id: &str, act: GateAct) -> GateStep {
    GateStep {
        id: id.to_owned(),
        title: id.to_owned(),
        title_zh: None,
        act,
    }
}

fn gate() -> Gate {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    Gate {
        machine: MachineId::new("edge").unwrap(),
        max_age_s: 3600,
        steps: vec![
            step(
                "lines",
                GateAct::Lines {
                    argv: words("nginx -T"),
                    find: words("proxy_pass"),
                },
            ),
            step("test", GateAct::Run(words("nginx -t"))),
            step("reload", GateAct::Do(words("systemctl reload nginx"))),
        ],
    }
}

#[test]
fn a_step_passes_only_when_its_check_was_seen_to_hold() {
    use crate::baseline::{CheckResult, Verdict};
    let of = |verdict: Verdict| {
        let row = serde_json::json!({
            "id": "c", "layer": "host", "level": "must", "title": "t", "verdict": verdict,
            "expected": "", "found": "", "why": "", "next_step": "look", "evidence": "",
            "duration_ms": 1, "at_ms": 1, "origin": "live",
        });
        let row: CheckResult = serde_json::from_value(row).unwrap();
        GateRow::judged(&gate().steps[1], &row)
    };
    for (verdict, state, next) in [
        (Verdict::Ok, GateState::Passed, ""),
        (Verdict::Warn, GateState::Passed, ""),
        (Verdict::Waived, GateState::Passed, ""),
        (Verdict::Fail, GateState::Failed, "look"),
        (Verdict::Unknown, GateState::CouldNotLook, "look"),
        (Verdict::Unreachable, GateState::CouldNotLook, "look"),
        (Verdict::NotJudged, GateState::CouldNotLook, "look"),
    ] {
        let row = of(verdict);
        assert_eq!(
            (row.state, row.next_step.as_str()),
            (state, next),
            "{verdict}"
        );
    }
}

fn rows(lines: &[&str], states: [GateState; 3]) -> Vec<GateRow> {
    let mut rows: Vec<GateRow> = (gate().steps.iter().zip(states))
        .map(|(step, state)| GateRow::of(step, state, "seen", ""))
        .collect();
    rows[0].lines = lines.iter().map(|line| (*line).to_owned()).collect();
    rows
}

fn record(rows: Vec<GateRow>) -> GateRecord {
    GateRecord {
        pack: PackId::new("p").unwrap(),
        fingerprint: "f".to_owned(),
        host: HostId::new("prod").unwrap(),
        machine: MachineId::new("edge").unwrap(),
        phase: GatePhase::Before,
        at_ms: 1_000_000,
        rows,
        approved: Vec::new(),
    }
}

use GateState::{CouldNotLook, Failed, NotDone, Passed};

#[test]
fn lines_that_an_expression_finds_are_kept_and_compared_in_order() {
    let text = "  location / {\n   proxy_pass http://a;\n # x\n  }\n location /v1 {";
    let find = ["location /v1".to_owned(), "proxy_pass".to_owned()];
    assert_eq!(
        kept_lines(text, &find),
        ["proxy_pass http://a;", "location /v1 {"]
    );
    let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for (was, now, told) in [
        ("a b c", "a b c", vec![]),
        ("a b c", "a x c", vec!["~ b -> x"]),
        ("a b c", "a c", vec!["- b"]),
        ("a c", "a b c d", vec!["+ b", "+ d"]),
        ("a a c", "a c", vec!["- a"]),
    ] {
        assert_eq!(differences(&lines(was), &lines(now)), told, "{was} / {now}");
    }
}

#[test]
fn a_record_before_that_is_missing_old_cut_short_or_of_another_pack_is_no_record() {
    let gate = gate();
    let whole = record(rows(&["a"], [Passed, Passed, NotDone]));
    let at = |seconds: i64| whole.at_ms + seconds * 1000;
    let told = |before: Option<&GateRecord>, print: &str, now| {
        before_faults(&gate, print, before, now).join("; ")
    };
    assert_eq!(told(Some(&whole), "f", at(3600)), "");
    assert!(told(None, "f", at(0)).contains("nothing was recorded"));
    assert!(told(Some(&whole), "f", at(3601)).contains("h old"));
    assert!(told(Some(&whole), "g", at(0)).contains("pack was changed"));
    let mut short = whole.clone();
    short.rows.remove(1);
    assert!(told(Some(&short), "f", at(0)).contains("`test` was left out before"));
    // What failed before was looked at: that it failed is what is compared with.
    let failed = record(rows(&["a"], [Passed, Failed, NotDone]));
    assert_eq!(told(Some(&failed), "f", at(0)), "");
}

#[test]
fn the_gate_is_shut_by_every_step_that_did_not_pass_and_every_line_nobody_approved() {
    let gate = gate();
    let before = record(rows(&["a", "b"], [Passed, Passed, NotDone]));
    let told = |rows: &[GateRow], approved: &[String]| {
        gate_faults(&gate, rows, &compare(&before, rows), approved)
    };
    assert!(told(&rows(&["a", "b"], [Passed; 3]), &[]).is_empty());
    for (state, words) in [
        (Failed, "step `test` failed"),
        (CouldNotLook, "could not be looked at"),
        (NotDone, "was left out"),
    ] {
        let found = told(&rows(&["a", "b"], [Passed, state, Passed]), &[]);
        assert!(found.len() == 1 && found[0].contains(words), "{found:?}");
    }
    let mut short = rows(&["a", "b"], [Passed; 3]);
    short.pop();
    assert_eq!(told(&short, &[]), ["step `reload` is missing"]);
    let moved = rows(&["a", "x"], [Passed; 3]);
    assert_eq!(told(&moved, &[]), ["changed and not approved: ~ b -> x"]);
    assert!(told(&moved, &["~ b -> x".to_owned()]).is_empty());
}

#[test]
fn what_a_deployment_turned_is_told_and_a_do_step_has_no_before() {
    let before = record(rows(&["a"], [Passed, Passed, NotDone]));
    let changes = compare(&before, &rows(&["a"], [Passed, Failed, Passed]));
    let turned = |id: &str| changes.iter().find(|change| change.step == id);
    let test = turned("test").unwrap();
    assert_eq!((test.was, test.now), (Some(Passed), Some(Failed)));
    // A reload that was done where it was not before is what the gate is for.
    assert_eq!(changes.len(), 1, "{changes:?}");
}
