//! How what stands on the hosts compares with our records: a row a batch, and the findings of one,
//! each with why and since when.

use super::said::{age, clock};
use crate::content::{Cell, Column, Content, List, Note, Row, field, note};
use crate::model::Model;
use crate::place::Place;
use crate::theme::Role;
use cockpit_domain::batch::BatchStatus;
use cockpit_domain::ids::BatchId;
use cockpit_domain::plan::{Change, Sign};
use cockpit_domain::reconcile::{ReconcileStatus, Since};
use cockpit_engine::board::{DriftSeen, Known};

const COLUMNS: [Column; 9] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.batch-name", 5, 10, 0),
    Column::fit("col.host-name", 4, 14, 0),
    Column::fit("col.provider", 4, 16, 2),
    Column::fit("col.access", 4, 12, 4),
    Column::fit("col.status", 6, 10, 0),
    Column::grow("col.found", 26, 0),
    Column::fit("col.since", 5, 11, 3),
    Column::fit("col.age", 3, 4, 1).right(),
];

/// Batches that were compared and still stand, the worst first, then the newest.
pub(super) fn standing(model: &Model) -> Vec<&Known<DriftSeen>> {
    let board = model.board();
    let stands = |known: &&Known<DriftSeen>| {
        let seen = board.batches.iter();
        let mut seen = seen.filter(|seen| seen.batch.id == known.value.batch);
        // Older batches than the list holds are shown as long as nobody says otherwise.
        seen.all(|seen| {
            !matches!(
                seen.batch.batch_status,
                BatchStatus::RolledBack | BatchStatus::Failed
            )
        })
    };
    let mut rows: Vec<&Known<DriftSeen>> = board.drift.values().filter(stands).collect();
    rows.sort_by_key(|known| std::cmp::Reverse((known.value.status, known.value.batch)));
    rows
}

fn mark(status: ReconcileStatus) -> (&'static str, Role) {
    match status {
        ReconcileStatus::Active => ("+", Role::Ok),
        ReconcileStatus::Degraded => ("~", Role::Warn),
        ReconcileStatus::Drifted => ("d", Role::Drifted),
    }
}

fn state(model: &Model, seen: &DriftSeen) -> String {
    let [missing, changed, extra, noise] = seen.counts.map(|count| count.to_string());
    let probes = seen.probe_notes.len().to_string();
    let status = word(model, seen);
    model.fill(
        "drift-page.state",
        &[
            ("status", &status),
            ("missing", &missing),
            ("changed", &changed),
            ("extra", &extra),
            ("noise", &noise),
            ("probes", &probes),
        ],
    )
}

fn word(model: &Model, seen: &DriftSeen) -> String {
    model.say(&format!("drift.{}", seen.status.as_str()))
}

/// What there is of each sort, in a line.
fn found(model: &Model, seen: &DriftSeen) -> String {
    let [missing, changed, extra, _] = seen.counts;
    let sorts = [
        ("drift-page.missing", missing),
        ("drift-page.changed", changed),
        ("drift-page.extra", extra),
        ("drift-page.probes", seen.probe_notes.len()),
    ];
    let there = sorts.into_iter().filter(|(_, count)| *count > 0);
    let told: Vec<String> = there
        .map(|(key, count)| model.fill(key, &[("count", &count.to_string())]))
        .collect();
    told.join(", ")
}

/// The first moment of what is there now.
fn oldest(seen: &DriftSeen) -> Option<i64> {
    let since = seen.rows.iter().filter_map(|(_, since)| *since);
    since.map(|since| since.since_ms).min()
}

pub(super) fn list(model: &Model) -> Content {
    let rows = standing(model)
        .into_iter()
        .map(|known| {
            let seen = &known.value;
            let (glyph, role) = mark(seen.status);
            let mode = seen.access_mode;
            let mode = mode.map(|mode| model.say(&format!("access-mode.{mode}")));
            let since = oldest(seen).map(|at| clock(model, at)).unwrap_or_default();
            Row::new(
                seen.batch.to_string(),
                vec![
                    Cell::new(glyph, role),
                    Cell::plain(seen.batch.to_string()),
                    Cell::plain(seen.host.as_str()),
                    Cell::plain(seen.provider.as_str()),
                    Cell::muted(mode.unwrap_or_default()),
                    Cell::new(word(model, seen), role),
                    Cell::plain(found(model, seen)),
                    Cell::muted(since),
                    Cell::muted(age(model, known.at_ms)),
                ],
            )
            .broken(seen.status != ReconcileStatus::Active)
            .opens(Place::DriftOf(seen.batch))
        })
        .collect();
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: vec![
            note(model.say("drift-page.empty"), Role::Text),
            note(model.say("drift-page.how"), Role::Key),
        ],
    })
}

pub(super) fn of_batch(model: &Model, batch: BatchId) -> Content {
    let Some(known) = model.board().drift.get(&batch) else {
        return Content::text(vec![
            note(model.say("drift-page.not-compared"), Role::Text),
            note(model.say("drift-page.how"), Role::Key),
        ]);
    };
    let seen = &known.value;
    let (glyph, role) = mark(seen.status);
    let mut lines = vec![
        vec![
            Cell::new(format!("{glyph} "), role),
            Cell::new(batch.to_string(), Role::Title),
            Cell::plain(format!("  {} {}", seen.provider, seen.host)),
        ],
        note(state(model, seen), role),
        field(
            &model.say("field.looked"),
            format!(
                "{} ({})",
                clock(model, known.at_ms),
                age(model, known.at_ms)
            ),
            Role::Muted,
        ),
        Vec::new(),
    ];
    for (change, since) in &seen.rows {
        finding(model, change, *since, &mut lines);
    }
    let more = seen.findings.saturating_sub(seen.rows.len());
    if more > 0 {
        let more = more.to_string();
        let told = model.fill("drift-page.more", &[("count", &more)]);
        lines.push(note(told, Role::Muted));
    }
    for probe in &seen.probe_notes {
        lines.push(field(&model.say("field.probe"), probe.clone(), Role::Warn));
    }
    if seen.rows.is_empty() && seen.probe_notes.is_empty() {
        lines.push(note(model.say("reconcile.empty"), Role::Ok));
    }
    let next = match seen.status {
        _ if seen.mendable => model.say("drift-page.mend"),
        ReconcileStatus::Drifted => model.say("drift-page.by-hand"),
        ReconcileStatus::Active | ReconcileStatus::Degraded => model.say("drift-page.again"),
    };
    lines.push(field(&model.say("field.next"), next, Role::Key));
    let command = format!("cockpit reconcile plan --batch {}", batch.0);
    lines.push(field(&model.say("field.command"), command, Role::Muted));
    Content::text(lines)
}

fn finding(model: &Model, change: &Change, since: Option<Since>, lines: &mut Vec<Note>) {
    let role = match change.sign {
        Sign::Attention => Role::Warn,
        _ => Role::Drifted,
    };
    let id = change.host_resource_id;
    let id = id.map(|id| format!(" #{id}")).unwrap_or_default();
    lines.push(vec![
        Cell::new(format!("{} ", change.sign.as_char()), role),
        Cell::plain(format!("{} {}{id}", change.kind, change.name)),
    ]);
    lines.push(field(
        &model.say("field.why"),
        change.reason.clone(),
        Role::Text,
    ));
    for changed in &change.fields {
        let (is, was) = (changed.from.to_string(), changed.to.to_string());
        let args = [
            ("field", changed.field.as_str()),
            ("is", is.as_str()),
            ("was", was.as_str()),
        ];
        let told = model.fill("drift-page.field", &args);
        lines.push(field("", told, Role::Text));
    }
    if let Some(since) = since {
        let first = clock(model, since.since_ms);
        let told = match since.last_good_ms {
            Some(good) => model.fill(
                "drift-page.since",
                &[("first", &first), ("good", &clock(model, good))],
            ),
            None => model.fill("drift-page.first-look", &[("first", &first)]),
        };
        lines.push(field(&model.say("field.since"), told, Role::Muted));
    }
    lines.push(Vec::new());
}
