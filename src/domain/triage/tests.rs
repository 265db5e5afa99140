//! Folding and ranking, over rules of their own.

use super::*;
use crate::pack::{Pack, Rung, read};
use std::collections::BTreeMap;

const RULES: &str = r#"
schema = 1
kind = "triage"
title = "t"

[[rule]]
id = "door"
rung = "502"
layer = "entry"
judgement = "the door is shut"
next_step = "open it"
explains = ["no-answer"]
[[rule.when]]
check = "entry.*"

[[rule]]
id = "lost"
rung = "completion"
layer = "binding"
judgement = "lost"
next_step = "bind it"
action = "repair"
explains = ["none-left"]
[[rule.when]]
check = "binding.*"
found = 'not bound'

[[rule]]
id = "none-left"
rung = "completion"
layer = "binding"
sort = "symptom"
judgement = "none left"
next_step = "look"
explains = ["no-answer"]
[[rule.when]]
log = 'no accounts'

[[rule]]
id = "no-answer"
rung = "completion"
layer = "entry"
sort = "symptom"
judgement = "no answer"
next_step = "look"
[[rule.when]]
log = '50[0-9]'

[[rule]]
id = "go-on"
rung = "401"
layer = "entry"
sort = "step"
judgement = "the door is open"
next_step = "go on"
[[rule.when]]
check = "entry.*"
verdict = ["ok"]

[[rule]]
id = "full"
rung = "beside"
layer = "hygiene"
judgement = "the disk is full"
next_step = "make room"
[[rule.when]]
log = 'no space left'

[[rule]]
id = "blind"
rung = "beside"
layer = "hygiene"
judgement = "nobody could look"
next_step = "look"
[[rule.when]]
check = "*"
verdict = ["unreachable"]
"#;

fn rules() -> TriagePack {
    let id = PackId::new("t").unwrap();
    match read(&id, "pack.toml", RULES, &BTreeMap::new()) {
        Ok(Pack::Triage(pack)) => pack,
        other => panic!("{other:?}"),
    }
}

fn piece(seen: Seen, subject: &str, found: &str) -> Evidence {
    Evidence {
        seen,
        subject: subject.to_owned(),
        verdict: None,
        found: found.to_owned(),
        more: String::new(),
        times: 1,
        level: Level::Should,
        layer: None,
        origin: Origin::Live,
        at_ms: 100,
        muted_by: None,
        link: Link::None,
        next_step: String::new(),
    }
}

fn check(id: &str, verdict: Verdict, found: &str) -> Evidence {
    let mut at = piece(Seen::Check, id, found);
    at.verdict = Some(verdict);
    at.level = Level::Must;
    at.layer = Some(Layer::Binding);
    at.link = Link::Check(PackId::new("b").unwrap(), id.to_owned(), true);
    at
}

fn log(found: &str) -> Evidence {
    piece(Seen::Log, "log host", found)
}

fn judged(evidence: &[Evidence]) -> TriageReport {
    triage(&TriageInput {
        packs: &[rules()],
        evidence,
        now_ms: 1_000,
    })
}

fn names(report: &TriageReport) -> Vec<(&str, usize)> {
    let findings = report.findings.iter();
    findings.map(|at| (at.rule.as_str(), at.count)).collect()
}

#[test]
fn a_storm_is_one_finding_with_a_count() {
    let mut muted = check("upstream.smoke", Verdict::NotJudged, "503");
    muted.muted_by = Some("binding.one".to_owned());
    let mut many = log("no accounts for 1");
    many.times = 40;
    let report = judged(&[
        log("502 GET /"),
        many,
        muted,
        check("binding.one", Verdict::Fail, "7 is not bound to 3"),
        check("entry.page", Verdict::Ok, "401"),
    ]);
    assert_eq!(names(&report), [("lost", 43), ("go-on", 1)]);
    assert_eq!(report.findings[0].folded, ["none-left", "no-answer"]);
    assert_eq!(report.findings[0].evidence[0].subject, "binding.one");
    assert_eq!(report.verdict, Verdict::Fail);
    let states: Vec<RungState> = report.ladder.iter().map(|at| at.state).collect();
    assert_eq!(
        states,
        [
            RungState::Holds,
            RungState::Holds,
            RungState::Holds,
            RungState::Broken
        ]
    );
}

#[test]
fn the_lowest_rung_comes_first_and_what_explains_nothing_here_stays_apart() {
    let report = judged(&[
        check("binding.one", Verdict::Fail, "7 is not bound to 3"),
        log("502 GET /"),
        check("entry.page", Verdict::Fail, "502"),
    ]);
    assert_eq!(names(&report), [("door", 2), ("lost", 1)]);
    let rungs: Vec<Rung> = report.findings.iter().map(|at| at.rung).collect();
    assert_eq!(rungs, [Rung::Entry, Rung::Completion]);
    assert_eq!(report.ladder[1].state, RungState::Open);
}

#[test]
fn what_was_not_seen_here_and_now_never_changes_the_verdict() {
    for origin in [Origin::Acceptance, Origin::Historical, Origin::OldKey] {
        let mut elsewhere = check("binding.one", Verdict::Fail, "7 is not bound to 3");
        elsewhere.origin = origin;
        let fine = check("entry.page", Verdict::Ok, "401");
        let report = judged(&[elsewhere.clone(), fine, log("no accounts")]);
        assert_ne!(report.verdict, Verdict::Fail, "{origin:?}");
        let last = report.findings.last().unwrap();
        assert_eq!((last.rule.as_str(), last.origin), ("lost", origin));
        // A line of a minute before the checks were well is of an earlier time too.
        assert!(
            last.folded.is_empty(),
            "{origin:?}: it explains nothing here"
        );
        let alone = judged(&[elsewhere]);
        assert_eq!(alone.verdict, Verdict::Unknown, "nothing was judged");
    }
}

#[test]
fn a_symptom_of_before_a_good_run_is_of_an_earlier_time() {
    let mut before = log("no accounts");
    before.at_ms = 50;
    let fine = check("binding.one", Verdict::Ok, "bound");
    let report = judged(&[before.clone(), fine.clone()]);
    assert_eq!(report.findings[0].origin, Origin::Historical);
    assert_eq!(report.verdict, Verdict::Ok);
    before.at_ms = 150;
    let report = judged(&[before, fine]);
    assert_eq!(report.findings[0].origin, Origin::Live);
    assert_eq!(report.verdict, Verdict::Warn);
}

#[test]
fn a_line_of_before_is_live_where_it_names_a_cause_or_something_that_must_hold_fails() {
    let mut cause = log("no space left on device");
    cause.at_ms = 50;
    let report = judged(&[cause, check("binding.one", Verdict::Ok, "bound")]);
    assert_eq!(report.findings[0].origin, Origin::Live, "a cause");
    assert_eq!(report.verdict, Verdict::Warn);
    let mut symptom = log("no accounts");
    symptom.at_ms = 50;
    let report = judged(&[symptom, check("portal.page", Verdict::Fail, "404")]);
    let found = report.findings.iter().find(|at| at.rule == "none-left");
    let found = found.expect("a finding of the line");
    assert_eq!(found.origin, Origin::Live, "something fails");
}

#[test]
fn the_same_thing_here_and_elsewhere_are_two_findings() {
    let mut elsewhere = check("binding.two", Verdict::Fail, "8 is not bound to 3");
    elsewhere.origin = Origin::Acceptance;
    let here = check("binding.one", Verdict::Fail, "7 is not bound to 3");
    let report = judged(&[elsewhere, here]);
    assert_eq!(names(&report), [("lost", 1), ("lost", 1)]);
    let origins: Vec<Origin> = report.findings.iter().map(|at| at.origin).collect();
    assert_eq!(origins, [Origin::Live, Origin::Acceptance]);
}

#[test]
fn what_must_hold_comes_before_the_rung_the_rung_before_the_cause_and_that_before_the_count() {
    let lost = |level, times| {
        let mut at = check("binding.one", Verdict::Fail, "7 is not bound to 3");
        (at.level, at.times) = (level, times);
        at
    };
    let door = |level| {
        let mut at = check("entry.page", Verdict::Fail, "502");
        at.level = level;
        at
    };
    let order = |evidence: &[Evidence]| -> Vec<String> {
        let report = judged(evidence);
        report.findings.into_iter().map(|at| at.rule).collect()
    };
    let rows = [lost(Level::Must, 1), door(Level::Should)];
    assert_eq!(order(&rows), ["lost", "door"], "the heavier one");
    let rows = [lost(Level::Must, 9), door(Level::Must)];
    assert_eq!(order(&rows), ["door", "lost"], "the lower rung");
    let mut symptom = log("no accounts");
    (symptom.level, symptom.times) = (Level::Must, 40);
    let mut cause = check("upstream.smoke", Verdict::Fail, "500");
    cause.layer = Some(Layer::Upstream);
    let rows = [symptom, cause.clone()];
    assert_eq!(order(&rows), ["upstream.smoke", "none-left"], "the cause");
    let mut other = check("upstream.again", Verdict::Fail, "500");
    other.layer = Some(Layer::Upstream);
    let rows = [cause, other, lost(Level::Must, 5)];
    assert_eq!(order(&rows)[0], "lost", "the most seen");
}

#[test]
fn nobody_could_look_is_one_finding_and_says_nothing_of_the_environment() {
    let blind: Vec<Evidence> = (0..30)
        .map(|at| check(&format!("binding.{at}"), Verdict::Unreachable, "no answer"))
        .collect();
    let report = judged(&blind);
    assert_eq!(names(&report), [("blind", 30)]);
    assert!(report.findings[0].is_blind());
    assert_eq!(report.verdict, Verdict::Unreachable);
    assert!(report.ladder.iter().all(|at| at.state == RungState::Open));
}

#[test]
fn a_red_row_that_no_rule_knows_speaks_for_itself() {
    let mut row = check("portal.page", Verdict::Fail, "404");
    row.next_step = "look at the alias".to_owned();
    let report = judged(&[row]);
    assert_eq!(names(&report), [("portal.page", 1)]);
    assert_eq!(report.findings[0].next_step, "look at the alias");
}
