//! A baseline run as text: one row a check, and under a row that is not well what was expected,
//! found, why it matters and what to do next.

use super::put;
use cockpit_domain::baseline::{BaselineReport, Verdict};

/// A second line of a value stands under the first.
const CONTINUED: &str = "\n                ";

/// The glyph of a verdict (`ux.md` 3.2): plain ASCII, the same everywhere.
fn glyph(verdict: Verdict) -> char {
    match verdict {
        Verdict::Ok => '+',
        Verdict::Warn => '~',
        Verdict::Fail => 'x',
        Verdict::Unknown => '?',
        Verdict::Unreachable => '/',
        Verdict::NotJudged => '.',
        Verdict::Waived => '=',
    }
}

pub(super) fn baseline(report: &BaselineReport) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "baseline {}: {} ({} ms)",
            report.pack, report.verdict, report.duration_ms
        ),
    );
    for row in &report.results {
        put(
            &mut text,
            format_args!(
                "{} {:<12} {:<13} {:<26} {}",
                glyph(row.verdict),
                row.verdict.as_str(),
                row.layer.as_str(),
                row.id,
                row.title
            ),
        );
        if !matches!(row.verdict, Verdict::Ok | Verdict::Waived) {
            for (name, value) in [
                ("expected", &row.expected),
                ("found", &row.found),
                ("why", &row.why),
                ("next", &row.next_step),
            ] {
                if !value.is_empty() {
                    put(
                        &mut text,
                        format_args!("      {name:<9} {}", value.replace('\n', CONTINUED)),
                    );
                }
            }
            if row.repair {
                let (check, pack) = (&row.id, &report.pack);
                put(
                    &mut text,
                    format_args!(
                        "      repair    cockpit repair plan --check {check} --pack {pack}"
                    ),
                );
            }
        }
    }
    text
}
