//! A baseline run as text: one row a check under the name of its layer, and under a row that is not
//! well what was expected, found, why it matters and what to do next.

use super::known::moment;
use super::put;
use cockpit_domain::baseline::{BaselineReport, CheckResult, Verdict, Waiver};
use cockpit_domain::pack::Layer;

/// A second line of a value stands under the first.
const CONTINUED: &str = "\n                ";

/// The word of a row's verdict; what is bad and may still pass is told from what could not be seen.
fn word(row: &CheckResult) -> &'static str {
    match row.verdict {
        Verdict::Unknown if row.pending => "pending",
        verdict => verdict.as_str(),
    }
}

/// Who put a row aside, until when and why; or that this has run out.
fn said(waiver: &Waiver, row: &CheckResult) -> String {
    let word = match (row.verdict, waiver.subject.is_maintenance()) {
        (Verdict::Waived, true) => "maintenance until",
        (Verdict::Waived, false) => "waived until",
        // A waiver of a check hides nothing that could not be looked at.
        _ if !waiver.hides(row.verdict) => "not put aside by the waiver until",
        _ => "the waiver ran out at",
    };
    format!(
        "{word} {} by {} (judged {}): {}",
        moment(waiver.until_ms),
        waiver.owner,
        row.judged(),
        waiver.reason
    )
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
    for layer in Layer::ALL {
        let rows = report.results.iter().filter(|row| row.layer == layer);
        let rows: Vec<&CheckResult> = rows.collect();
        if !rows.is_empty() {
            of_layer(&mut text, report, layer, &rows);
        }
    }
    text
}

/// Whether nothing has to be done about a row.
fn is_quiet(row: &CheckResult) -> bool {
    matches!(
        row.verdict,
        Verdict::Ok | Verdict::NotJudged | Verdict::Waived
    )
}

fn of_layer(text: &mut String, report: &BaselineReport, layer: Layer, rows: &[&CheckResult]) {
    let (bad, all) = (rows.iter().filter(|row| !is_quiet(row)).count(), rows.len());
    match bad {
        0 => put(text, format_args!("{layer}  {all}")),
        _ => put(text, format_args!("{layer}  {bad}/{all} not well")),
    }
    for row in rows {
        put(
            text,
            format_args!(
                "{} {:<12} {:<26} {}",
                row.verdict.glyph(),
                word(row),
                row.id,
                row.title
            ),
        );
        let waived = row.verdict == Verdict::Waived;
        let last = || row.waivers.iter().max_by_key(|waiver| waiver.until_ms);
        if let Some(waiver) = row.excused_by().or_else(last)
            && (waived || !matches!(row.verdict, Verdict::Ok | Verdict::NotJudged))
        {
            put(text, format_args!("      {}", said(waiver, row)));
        }
        if waived && !row.found.is_empty() {
            let found = row.found.replace('\n', CONTINUED);
            put(text, format_args!("      found     {found}"));
        }
        if !matches!(row.verdict, Verdict::Ok | Verdict::Waived) {
            for (name, value) in [
                ("expected", &row.expected),
                ("found", &row.found),
                ("why", &row.why),
                ("next", &row.next_step),
            ] {
                if !value.is_empty() {
                    put(
                        text,
                        format_args!("      {name:<9} {}", value.replace('\n', CONTINUED)),
                    );
                }
            }
            if row.repair {
                let (check, pack) = (&row.id, &report.pack);
                put(
                    text,
                    format_args!(
                        "      repair    cockpit repair plan --check {check} --pack {pack}"
                    ),
                );
            }
        }
    }
}
