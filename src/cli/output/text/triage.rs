//! Where to look first, as text: how far a request gets, then one block a finding with its reason, what
//! to do next and what it rests on.

use super::put;
use cockpit_domain::baseline::{Origin, Verdict};
use cockpit_domain::text::shorten;
use cockpit_domain::triage::{Evidence, TriageFinding};
use cockpit_engine::triage::Triage;

/// Pieces of evidence that are shown of a finding.
const SHOWN: usize = 5;

pub(super) fn triage(done: &Triage) -> String {
    let report = &done.report;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} triage of {} ({}): {}",
            report.verdict.glyph(),
            done.host,
            done.role.as_str(),
            report.verdict
        ),
    );
    let ladder: Vec<String> = report
        .ladder
        .iter()
        .map(|at| format!("{} {}", at.rung, at.state))
        .collect();
    put(&mut text, format_args!("  {}", ladder.join(", ")));
    for (at, finding) in report.findings.iter().enumerate() {
        one(&mut text, at + 1, finding);
    }
    if report.findings.is_empty() {
        put(
            &mut text,
            format_args!("  nothing to look at: no rule fits what was seen"),
        );
    }
    for what in &done.could_not_look {
        put(&mut text, format_args!("? could not look: {what}"));
    }
    text
}

fn one(text: &mut String, number: usize, finding: &TriageFinding) {
    let times = match finding.count {
        0 | 1 => String::new(),
        count => format!("  ({count} symptoms)"),
    };
    put(
        text,
        format_args!(
            "{number}. [{} / {}] {}{times}",
            finding.rung,
            finding.layer,
            finding.judgement.replace('\n', "; ")
        ),
    );
    if let Some(why) = counts_not(finding.origin) {
        put(text, format_args!("     {why}"));
    }
    put(text, format_args!("     next      {}", finding.next_step));
    if !finding.command.is_empty() {
        put(text, format_args!("     do        {}", finding.command));
    }
    if let Some(book) = &finding.runbook {
        put(
            text,
            format_args!("     runbook   cockpit runbook run {book}"),
        );
    }
    for (at, seen) in finding.evidence.iter().take(SHOWN).enumerate() {
        let label = if at == 0 { "seen" } else { "" };
        put(text, format_args!("     {label:<9} {}", line(seen)));
    }
    let more = finding.evidence.len().saturating_sub(SHOWN);
    if more > 0 {
        put(text, format_args!("               and {more} more"));
    }
    put(text, format_args!("     rule      {}", finding.rule));
}

fn line(seen: &Evidence) -> String {
    let mark = seen.verdict.unwrap_or(Verdict::Warn).glyph();
    let found = seen.found.replace('\n', "; ");
    let times = match seen.times {
        0 | 1 => String::new(),
        times => format!(" ({times} times)"),
    };
    format!("{mark} {}{times}: {}", seen.subject, shorten(&found, 160))
}

/// Why a finding judges nothing.
fn counts_not(origin: Origin) -> Option<&'static str> {
    match origin {
        Origin::Live => None,
        Origin::Acceptance => Some("seen on another host: it judges nothing here"),
        Origin::Historical => Some("of an earlier time: it judges nothing now"),
        Origin::OldKey => Some("about a client's own key: it does not judge the environment"),
    }
}
