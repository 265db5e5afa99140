//! What checks came to over time, and what is put aside, as text.

use super::known::{age, moment};
use super::{drawn, plain, put};
use cockpit_domain::baseline::{CheckHistory, Verdict};
use cockpit_domain::siblings::Comparison;
use cockpit_engine::baseline::{Histories, Waivers};

/// Stretches of one check that are shown; JSON has them all.
const STRETCHES: usize = 30;

/// The newest looks as a row of glyphs, oldest first.
fn marks(recent: &[Verdict]) -> String {
    recent.iter().map(|verdict| verdict.glyph()).collect()
}

/// One row a check; of a single check every stretch.
pub(super) fn history(told: &Histories) -> String {
    if told.checks.is_empty() {
        return format!(
            "no run of `{}` is kept; `cockpit baseline run` makes one",
            told.pack
        );
    }
    if let [only] = told.checks.as_slice() {
        return one(told, only);
    }
    let mut table = plain(&[
        "check",
        "now",
        "since",
        "flaps",
        "last change",
        "newest looks",
    ]);
    for row in &told.checks {
        table.add_row([
            row.check.clone(),
            format!("{} {}", row.verdict.glyph(), row.verdict),
            moment(row.since_ms),
            row.flaps.to_string(),
            row.turned_ms.map(moment).unwrap_or_default(),
            marks(&row.recent),
        ]);
    }
    format!(
        "history of {} since {}\n{}",
        told.pack,
        moment(told.since_ms),
        drawn(&table)
    )
}

fn one(told: &Histories, row: &CheckHistory) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} of {}: {} {} since {}",
            row.check,
            told.pack,
            row.verdict.glyph(),
            row.verdict,
            moment(row.since_ms)
        ),
    );
    let turned = row.turned_ms.map_or_else(
        || "it did not turn".to_owned(),
        |turned| {
            format!(
                "it turned {} time(s), last at {}",
                row.flaps,
                moment(turned)
            )
        },
    );
    put(
        &mut text,
        format_args!(
            "since {}: {turned}; newest looks {}",
            moment(told.since_ms),
            marks(&row.recent)
        ),
    );
    let mut table = plain(&["from", "for", "looks", "verdict", "found"]);
    for stretch in row.stretches.iter().take(STRETCHES) {
        table.add_row([
            moment(stretch.from_ms),
            age(stretch.from_ms, stretch.to_ms),
            stretch.looks.to_string(),
            format!("{} {}", stretch.verdict.glyph(), stretch.verdict),
            stretch.found.clone(),
        ]);
    }
    text.push_str(&drawn(&table));
    if row.stretches.len() > STRETCHES {
        let more = row.stretches.len() - STRETCHES;
        put(
            &mut text,
            format_args!("\n.. and {more} older; `--json` has them"),
        );
    }
    text
}

/// Two beside each other: what differs, and how much is alike.
pub(super) fn diff(told: &Comparison) -> String {
    let mut text = String::new();
    let alike = told.rows.len() - told.differences;
    put(
        &mut text,
        format_args!(
            "{} and {}: {} difference(s), {alike} alike",
            told.a, told.b, told.differences
        ),
    );
    for (whose, kind, why) in &told.unseen {
        put(
            &mut text,
            format_args!("? {kind} of {whose} could not be looked at: {why}"),
        );
    }
    if told.differences == 0 {
        return text;
    }
    let mut table = plain(&["", "what", "name", &told.a, &told.b]);
    for row in told.rows.iter().filter(|row| !row.same) {
        let glyph = match (&row.a, &row.b) {
            (None, _) => ">",
            (_, None) => "<",
            _ => "~",
        };
        let value = |value: &Option<String>| match value {
            Some(text) if text.is_empty() => "+".to_owned(),
            Some(text) => text.clone(),
            None => "-".to_owned(),
        };
        table.add_row([
            glyph.to_owned(),
            row.kind.to_string(),
            row.name.clone(),
            value(&row.a),
            value(&row.b),
        ]);
    }
    text + &drawn(&table)
}

/// What is put aside, and what was changed about it.
pub(super) fn waivers(told: &Waivers) -> String {
    let mut text = String::new();
    if let Some(made) = &told.made {
        put(
            &mut text,
            format_args!(
                "put aside: {} until {} ({} answers for it)",
                made.subject,
                moment(made.until_ms),
                made.owner
            ),
        );
    }
    if let Some(cleared) = &told.cleared {
        put(&mut text, format_args!("cleared: {cleared} counts again"));
    }
    if told.waivers.is_empty() {
        text.push_str("nothing is put aside");
        return text;
    }
    let mut table = plain(&["what", "state", "until", "owner", "reason"]);
    for waiver in &told.waivers {
        let state = match (
            waiver.is_in_force(told.at_ms),
            waiver.subject.is_maintenance(),
        ) {
            (true, true) => "= maintenance",
            (true, false) => "= waived",
            (false, _) => "x run out",
        };
        table.add_row([
            waiver.subject.to_string(),
            state.to_owned(),
            moment(waiver.until_ms),
            waiver.owner.clone(),
            waiver.reason.clone(),
        ]);
    }
    text + &drawn(&table)
}
