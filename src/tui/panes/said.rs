//! Words and marks that several panes use: ages, times, states.

use crate::content::{Cell, Note};
use crate::model::Model;
use crate::theme::Role;
use cockpit_domain::baseline::{Verdict, Waiver};
use cockpit_domain::batch::{Batch, BatchStatus, Interruption};
use jiff::{Timestamp, Zoned};

/// A result older than this says nothing about now.
const FRESH_MS: i64 = 15 * 60_000;

/// Whether something is too old to say how things are.
pub(crate) fn is_stale(model: &Model, at_ms: i64) -> bool {
    model.now_ms - at_ms > FRESH_MS
}

/// How long ago, coarse: a screen that counts seconds is never quiet.
pub(super) fn age(model: &Model, at_ms: i64) -> String {
    crate::widgets::span(model.now_ms - at_ms)
}

/// Time of day in the configured zone; with the date when it is not today.
pub(crate) fn clock(model: &Model, at_ms: i64) -> String {
    let (at, now) = (zoned(model, at_ms), zoned(model, model.now_ms));
    let format = if at.date() == now.date() {
        "%H:%M"
    } else {
        "%m-%d %H:%M"
    };
    at.strftime(format).to_string()
}

/// Time of day to the second.
pub(super) fn seconds(model: &Model, at_ms: i64) -> String {
    zoned(model, at_ms).strftime("%H:%M:%S").to_string()
}

/// Date and time to the second.
pub(super) fn moment(model: &Model, at_ms: i64) -> String {
    let format = "%Y-%m-%d %H:%M:%S %Z";
    zoned(model, at_ms).strftime(format).to_string()
}

fn zoned(model: &Model, at_ms: i64) -> Zoned {
    Timestamp::from_millisecond(at_ms)
        .unwrap_or_default()
        .to_zoned(model.setup.zone.clone())
}

/// Glyph, word and meaning of a verdict.
pub(super) fn verdict_cell(model: &Model, verdict: Verdict) -> (Cell, Cell) {
    let glyph = verdict.glyph();
    let role = crate::widgets::role_of_mark(glyph);
    let word = model.say(&format!("verdict.{}", verdict.as_str()));
    (Cell::new(glyph, role), Cell::new(word, role))
}

/// The newest looks at a check, oldest first, each in its colour.
pub(super) fn marks(recent: &[Verdict]) -> Note {
    recent
        .iter()
        .map(|verdict| {
            let mark = verdict.glyph();
            Cell::new(mark, crate::widgets::role_of_mark(mark))
        })
        .collect()
}

/// Until when, by whom and why something is put aside.
pub(super) fn excused(model: &Model, waiver: &Waiver) -> String {
    let key = if waiver.subject.is_maintenance() {
        "waiver.maintenance"
    } else {
        "waiver.waived"
    };
    let said = [
        ("until", clock(model, waiver.until_ms)),
        ("owner", waiver.owner.clone()),
        ("reason", waiver.reason.replace('\n', " ")),
    ];
    let said: Vec<_> = said
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    model.fill(key, &said)
}

/// Glyph, word and meaning of a batch's state.
pub(super) fn state_of_batch(model: &Model, batch: &Batch) -> (Cell, Cell) {
    let status = batch.batch_status;
    let by_person = matches!(
        batch.interrupted_by,
        Some(Interruption::Canary | Interruption::Paused)
    );
    let (glyph, role) = match status {
        // Where a person wanted it: it waits for a word, nothing is broken.
        BatchStatus::Interrupted if by_person => ("=", Role::Warn),
        BatchStatus::Running => (">", Role::Warming),
        BatchStatus::Succeeded => ("+", Role::Ok),
        BatchStatus::PartiallySucceeded => ("~", Role::Warn),
        BatchStatus::Failed => ("x", Role::Fail),
        BatchStatus::Interrupted => ("!", Role::Fail),
        BatchStatus::RolledBack => ("=", Role::Waived),
    };
    let word = model.say(&format!("batch.{status}"));
    (Cell::new(glyph, role), Cell::new(word, role))
}
