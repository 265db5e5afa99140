//! A baseline run for other programs: JUnit for a build, Prometheus text for a collector that reads
//! files. A file is there whole or not at all.

use cockpit_domain::baseline::{BaselineReport, CheckResult, Verdict};
use cockpit_domain::pack::Layer;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use prometheus::{Encoder, GaugeVec, Opts, Registry, TextEncoder};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// The run as JUnit: a suite a layer, a case a check. What gates is a failure, what could not be seen
/// an error, what is put aside or explained by a parent is skipped with the reason.
pub(crate) fn junit(report: &BaselineReport) -> Outcome<String> {
    let mut whole = Report::new(format!("baseline {}", report.pack));
    whole.set_time(Duration::from_millis(report.duration_ms));
    for layer in Layer::ALL {
        let rows = report.results.iter().filter(|row| row.layer == layer);
        let mut suite = TestSuite::new(format!("{}.{layer}", report.pack));
        let took: u64 = rows.clone().map(|row| row.duration_ms).sum();
        suite.set_time(Duration::from_millis(took));
        suite
            .extra
            .insert("timestamp".into(), moment(report.started_ms).into());
        suite.add_test_cases(rows.map(|row| case(report, row)));
        if !suite.test_cases.is_empty() {
            whole.add_test_suite(suite);
        }
    }
    whole
        .to_string()
        .map_err(|error| internal(&error.to_string()))
}

fn case(report: &BaselineReport, row: &CheckResult) -> TestCase {
    let told = |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        status
            .set_type(row.verdict.as_str())
            .set_message(plain(&row.found));
        status.set_description(plain(&format!(
            "expected: {}\nfound: {}\nwhy: {}\nnext: {}",
            row.expected, row.found, row.why, row.next_step
        )));
        status
    };
    let skipped = |message: String| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(plain(&message));
        status
    };
    let status = match row.verdict {
        Verdict::NotJudged => skipped(match &row.muted_by {
            Some(parent) => format!("not judged: {parent} explains it"),
            None => "not judged".to_owned(),
        }),
        Verdict::Waived => skipped(excused(row)),
        // It gates nothing: it is told, not failed.
        _ if row.gate().is_none_or(|gate| gate == Verdict::Ok) => TestCaseStatus::success(),
        Verdict::Unknown | Verdict::Unreachable => told(NonSuccessKind::Error),
        Verdict::Ok | Verdict::Warn | Verdict::Fail => told(NonSuccessKind::Failure),
    };
    let mut case = TestCase::new(row.id.as_str(), status);
    case.set_classname(format!("{}.{}", report.pack, row.layer));
    case.set_time(Duration::from_millis(row.duration_ms));
    if row.verdict != Verdict::Ok {
        case.set_system_out(plain(&format!(
            "{}: {}\n{}",
            row.verdict, row.found, row.evidence
        )));
    }
    case
}

/// Without the two characters that no XML may hold and the writer lets through.
fn plain(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "")
}

/// Who put a row aside, until when, and why.
fn excused(row: &CheckResult) -> String {
    row.excused_by().map_or_else(String::new, |waiver| {
        format!(
            "waived until {} by {}: {}",
            moment(waiver.until_ms),
            waiver.owner,
            waiver.reason
        )
    })
}

fn moment(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| format!("{at:.0}"))
}

/// The run as Prometheus text, for a collector that reads files.
pub(crate) fn prometheus(report: &BaselineReport) -> Outcome<String> {
    encoded(report).map_err(|error| internal(&error.to_string()))
}

fn encoded(report: &BaselineReport) -> Result<String, Box<dyn std::error::Error>> {
    let registry = Registry::new();
    let gauge = |name: &str, help: &str, labels: &[&str]| {
        let gauge = GaugeVec::new(Opts::new(name, help), labels)?;
        registry.register(Box::new(gauge.clone()))?;
        Ok::<_, prometheus::Error>(gauge)
    };
    let of_check = ["pack", "check", "layer", "level"];
    let ok = gauge(
        "cockpit_check_ok",
        "1 when the check was looked at and found as expected; waivers change nothing here.",
        &of_check,
    )?;
    let verdict = gauge(
        "cockpit_check_verdict",
        "1 for what the check counts as: ok, warn, fail, unknown, unreachable, not_judged, waived.",
        &["pack", "check", "layer", "level", "verdict"],
    )?;
    let took = gauge(
        "cockpit_check_duration_seconds",
        "Time the look took.",
        &of_check,
    )?;
    let flaps = gauge(
        "cockpit_check_flaps",
        "How often the check turned to another verdict within a day.",
        &of_check,
    )?;
    let waived = gauge(
        "cockpit_check_waived_until_timestamp_seconds",
        "Until when a waiver puts the check aside.",
        &of_check,
    )?;
    for row in &report.results {
        let (pack, id) = (report.pack.as_str(), row.id.as_str());
        let (layer, level) = (row.layer.as_str(), row.level.as_str());
        let labels = [pack, id, layer, level];
        let good = row.judged() == Verdict::Ok;
        ok.with_label_values(&labels).set(f64::from(u8::from(good)));
        let labels_of_verdict = [pack, id, layer, level, row.verdict.as_str()];
        verdict.with_label_values(&labels_of_verdict).set(1.0);
        took.with_label_values(&labels)
            .set(Duration::from_millis(row.duration_ms).as_secs_f64());
        if let Some(history) = &row.history {
            let count = u32::try_from(history.flaps).unwrap_or(u32::MAX);
            flaps.with_label_values(&labels).set(f64::from(count));
        }
        if let Some(waiver) = row.excused_by() {
            waived
                .with_label_values(&labels)
                .set(seconds(waiver.until_ms));
        }
    }
    let whole = [report.pack.as_str()];
    let well = report.verdict == Verdict::Ok;
    gauge(
        "cockpit_baseline_ok",
        "1 when the whole baseline is well, waivers counted.",
        &["pack"],
    )?
    .with_label_values(&whole)
    .set(f64::from(u8::from(well)));
    gauge(
        "cockpit_baseline_last_run_timestamp_seconds",
        "When the run began.",
        &["pack"],
    )?
    .with_label_values(&whole)
    .set(seconds(report.started_ms));
    gauge(
        "cockpit_baseline_duration_seconds",
        "Time the whole run took.",
        &["pack"],
    )?
    .with_label_values(&whole)
    .set(Duration::from_millis(report.duration_ms).as_secs_f64());
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text)?;
    Ok(String::from_utf8(text)?)
}

fn seconds(at_ms: i64) -> f64 {
    // A moment is never before 1970.
    Duration::from_millis(u64::try_from(at_ms).unwrap_or(0)).as_secs_f64()
}

fn internal(found: &str) -> Failure {
    Failure::new(FailureKind::Internal, found).doing("writing the run for another program")
}

/// Puts a file in the place of an earlier one, whole: whoever reads it meanwhile reads the old one. The
/// name it has on the way is one that no collector reads.
#[expect(
    clippy::disallowed_methods,
    reason = "the file is the person's own, named on the command line; it is put in place whole"
)]
pub(crate) fn write(path: &Path, text: &str) -> Outcome<()> {
    let failed = |error: &std::io::Error| {
        Failure::new(FailureKind::Usage, format!("`{}`: {error}", path.display()))
            .doing("writing the run to a file")
            .hint("name a file in a folder that can be written to; the run itself is kept")
    };
    let Some(name) = path.file_name() else {
        return Err(failed(&std::io::Error::other("names no file")));
    };
    let on_the_way = path.with_file_name(format!(
        ".{}.{}.tmp",
        name.to_string_lossy(),
        std::process::id()
    ));
    let written = put(&on_the_way, text).and_then(|()| std::fs::rename(&on_the_way, path));
    written.map_err(|error| {
        drop(std::fs::remove_file(&on_the_way));
        failed(&error)
    })
}

/// Others may read it: a collector runs as somebody else.
fn put(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
