//! Printing: the only place of the program that writes to standard output and standard error.
//! Everything printed was made harmless and redacted on its way in.

mod json;
mod progress;
mod spoken;
mod text;

pub(crate) use progress::ProgressLine;
pub use spoken::{Spoken, overheard};

use cockpit_domain::baseline::BaselineReport;
use cockpit_domain::finding::Finding;
use cockpit_domain::ids::{BatchId, PackId};
use cockpit_domain::log::{LogLine, LogSource};
use cockpit_domain::runbook::Run;
use cockpit_engine::board::{Board, Known, Trouble};
use cockpit_engine::command::Answer;
use cockpit_engine::context::Settings;
use cockpit_engine::failure::Failure;
use cockpit_engine::ports::{AuditRow, FaultState, PackEntry};
use cockpit_engine::reconcile::Looked;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Prints a line on standard output. A reader that is gone is no reason to panic.
pub(crate) fn line(text: &str) -> bool {
    spoken::out(&format!("{text}\n"))
}

fn pretty(value: &Value) {
    line(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Prints an answer.
pub(crate) fn answer(answer: &Answer, as_json: bool) {
    if as_json {
        pretty(&json::answer(answer));
    } else {
        line(text::answer(answer).trim_end());
    }
}

/// Prints what a look of a watch came to, in a line. `false` when nobody reads any more.
pub(crate) fn look(looked: Looked, as_json: bool) -> bool {
    let answer = Answer::Looked(Box::new(looked));
    line(&if as_json {
        json::answer(&answer).to_string()
    } else {
        text::answer(&answer)
    })
}

/// Prints where failed keys were written, and which were not in the input.
pub(crate) fn failed_keys(
    batch: BatchId,
    written: usize,
    path: &Path,
    missing: &[&str],
    as_json: bool,
) {
    if as_json {
        return pretty(&json!({
            "batch_id": batch, "written": written, "file": path, "missing": missing,
        }));
    }
    line(&format!(
        "{written} failed key(s) of {batch} written to {} (0600)",
        path.display()
    ));
    if !missing.is_empty() {
        line(&format!("! not in the input: {}", missing.join(", ")));
    }
}

/// Prints the hosts of the config with what is known of them.
pub(crate) fn hosts(settings: &Settings, board: &Board, now_ms: i64, as_json: bool) {
    if as_json {
        pretty(&json::hosts(settings, board, now_ms));
    } else {
        line(text::hosts(settings, board, now_ms).trim_end());
    }
}

/// Prints the machines of the config with what is known of them.
pub(crate) fn machines(board: &Board, now_ms: i64, as_json: bool) {
    if as_json {
        pretty(&json::machines(board, now_ms));
    } else {
        line(text::machines(board, now_ms).trim_end());
    }
}

/// Prints the last run of a baseline.
pub(crate) fn last_baseline(
    run: &Known<BaselineReport>,
    newer: Option<&Known<Trouble>>,
    now_ms: i64,
    as_json: bool,
) {
    if as_json {
        pretty(&json::last_baseline(run, newer, now_ms));
    } else {
        line(text::last_baseline(run, newer, now_ms).trim_end());
    }
}

/// Prints the last probes.
pub(crate) fn last_probes(board: &Board, now_ms: i64, as_json: bool) {
    if as_json {
        pretty(&json::last_probes(board, now_ms));
    } else {
        line(text::last_probes(board, now_ms).trim_end());
    }
}

/// Prints lines of the audit.
pub(crate) fn audit(rows: &[AuditRow], as_json: bool) {
    if as_json {
        pretty(&json::audit(rows));
    } else {
        line(text::audit(rows).trim_end());
    }
}

/// Prints the packs at hand.
pub(crate) fn packs(entries: &[PackEntry], as_json: bool) {
    if as_json {
        pretty(&json::packs(entries));
    } else {
        line(text::packs(entries).trim_end());
    }
}

/// Prints what is wrong with packs, or that nothing is, and what the config must say before their
/// commands run.
pub(crate) fn findings(
    checked: usize,
    findings: &[Finding],
    trust: &BTreeMap<PackId, String>,
    as_json: bool,
) {
    if as_json {
        pretty(&json!({"checked": checked, "findings": findings, "trust": trust}));
        return;
    }
    for finding in findings {
        line(&finding.to_string());
    }
    if findings.is_empty() {
        line(&format!("{checked} pack(s) checked, nothing wrong"));
    }
    if !trust.is_empty() {
        line("read their commands; to let them run, write into the config:\n[trust]");
    }
    for (pack, fingerprint) in trust {
        line(&format!("\"{pack}\" = \"{fingerprint}\""));
    }
}

/// Prints the faults.
pub(crate) fn faults(faults: &[FaultState], as_json: bool) {
    if as_json {
        pretty(&json!({"faults": faults}));
    } else {
        line(text::faults(faults).trim_end());
    }
}

/// Prints the sources of log lines.
pub(crate) fn logs(sources: &[LogSource], as_json: bool) {
    if as_json {
        pretty(&json!({"logs": sources}));
    } else {
        line(text::logs(sources).trim_end());
    }
}

/// Prints text of whole lines. `false` when nobody reads any more.
pub(crate) fn raw(lines: &str) -> bool {
    spoken::out(lines)
}

/// Prints log lines: with the name of their source in front, or one JSON object a line. `false`
/// when nobody reads any more.
pub(crate) fn log_lines(lines: &[LogLine], width: usize, as_json: bool) -> bool {
    let mut shown = String::new();
    for line in lines {
        if as_json {
            shown.push_str(&json::log_line(line).to_string());
        } else {
            if width > 0 {
                let name = line.source.as_str();
                shown.push_str(name);
                shown.extend(std::iter::repeat_n(' ', width + 2 - name.len()));
            }
            shown.push_str(&line.text);
        }
        shown.push('\n');
    }
    raw(&shown)
}

/// Prints what is new of a run for a person who is led through it; gives how many steps were told.
pub(crate) fn run_news(run: &Run, told: usize) -> usize {
    let (text, told) = text::news(run, told);
    line(text.trim_end());
    told
}

/// Asks for a line, without ending this one.
pub(crate) fn prompt(text: &str) {
    spoken::begin(text);
}

/// Says something beside the output, on standard error.
pub(crate) fn note(text: &str) {
    spoken::err(&format!("{text}\n"));
}

/// Prints a failure on standard error.
pub(crate) fn failure(failure: &Failure, as_json: bool) {
    let text = if as_json {
        json!({"error": {
            "kind": failure.kind, "doing": failure.doing, "message": failure.message, "hint": failure.hint,
        }})
        .to_string()
    } else {
        text::failure(failure)
    };
    spoken::err(&format!("{text}\n"));
}
