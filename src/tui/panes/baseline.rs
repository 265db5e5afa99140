//! The production baseline: every check, worst first; a check with what was expected, what was
//! found, why it matters and what to do next; and the one thing to do.

use super::said::{age, clock, excused, marks, verdict_cell};
use crate::content::{Cell, Column, Content, List, Note, Row, field, note};
use crate::model::Model;
use crate::place::Place;
use crate::theme::Role;
use crate::widgets::{cut, width};
use crate::words::Lang;
use cockpit_domain::baseline::{Brief, CheckResult, Verdict, Waiver};
use cockpit_domain::batch::{BatchKind, BatchStatus, Interruption};
use cockpit_domain::ids::PackId;
use cockpit_domain::pack::Layer;
use cockpit_engine::runbook::BookRow;

const COLUMNS: [Column; 8] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.verdict", 4, 12, 3),
    Column::fit("col.check-name", 12, 28, 0),
    Column::grow("col.found", 24, 0),
    Column::fit("col.newest", 4, 16, 5).marks(),
    Column::fit("col.flaps", 3, 5, 7).right(),
    Column::fit("col.since", 5, 6, 4).right(),
    Column::fit("col.age", 3, 4, 2).right(),
];

/// Cells that what to do next may claim of the top line, and the fewest in which what was found
/// still says something.
const NEXT: usize = 40;
/// Looks that a row shows.
const NEWEST: usize = 10;
const FOUND: usize = 12;

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Unreachable => 1,
        Verdict::Warn => 2,
        Verdict::Unknown => 3,
        Verdict::NotJudged => 4,
        Verdict::Waived => 5,
        Verdict::Ok => 6,
    }
}

/// A text of a pack in the language in force; English where the pack has no other.
fn worded(model: &Model, english: &str, chinese: Option<&String>) -> String {
    match (chinese, model.lang) {
        (Some(text), Lang::ZhCn) => text.clone(),
        _ => english.to_owned(),
    }
}

fn title(model: &Model, row: &CheckResult) -> String {
    worded(model, &row.title, row.title_zh.as_ref())
}

fn next_step(model: &Model, row: &CheckResult) -> String {
    worded(model, &row.next_step, row.next_step_zh.as_ref())
}

/// Glyph and word of a row; what is bad and may still pass is told from what could not be seen.
fn verdict_of(model: &Model, row: &CheckResult) -> (Cell, Cell) {
    let verdict = row.standing(model.now_ms);
    let (glyph, mut word) = verdict_cell(model, verdict);
    if row.pending && verdict == Verdict::Unknown {
        word.text = model.say("verdict.pending");
    }
    (glyph, word)
}

/// Every row of every pack, worst first, from the outside in.
fn rows(model: &Model) -> Vec<(&PackId, &CheckResult)> {
    let mut rows: Vec<(&PackId, &CheckResult)> = model
        .board()
        .baselines
        .iter()
        .flat_map(|(pack, known)| known.value.results.iter().map(move |row| (pack, row)))
        .collect();
    let now = model.now_ms;
    rows.sort_by_key(|(_, row)| {
        let rank = rank(row.standing(now));
        (rank, std::cmp::Reverse(row.level), row.layer)
    });
    rows
}

/// The worst check that can be mended through the host's API.
pub(crate) fn mendable(model: &Model) -> Option<(PackId, String)> {
    let rows = rows(model);
    let mut rows = rows.into_iter();
    let found = rows.find(|(_, row)| row.repair && row.excuse(model.now_ms).is_none());
    found.map(|(pack, row)| (pack.clone(), row.id.clone()))
}

/// The newest looks as glyphs, as many as a narrow column shows.
fn drawn(history: &Brief) -> String {
    let from = history.recent.len().saturating_sub(NEWEST);
    history.recent[from..]
        .iter()
        .map(|verdict| verdict.glyph())
        .collect()
}

/// Maintenance windows that are open now.
fn windows(model: &Model) -> Vec<Note> {
    let waivers = model.board().waivers.iter();
    waivers
        .filter(|waiver| waiver.subject.is_maintenance() && waiver.is_in_force(model.now_ms))
        .map(|waiver| {
            let what = format!("{}: {}", waiver.subject, excused(model, waiver));
            vec![Cell::new("= ", Role::Waived), Cell::plain(what)]
        })
        .collect()
}

/// Since when a waiver puts nothing aside any more.
fn lapsed(model: &Model, waiver: &Waiver) -> String {
    let at = clock(model, waiver.until_ms);
    model.fill("waiver.lapsed", &[("at", &at), ("owner", &waiver.owner)])
}

/// Rows under the names of their layers, each with how many are not well: the layer of the worst row
/// first, and in it the worst row first. What is looked for or broken is shown in what is folded, too.
fn by_layer(model: &Model, rows: Vec<(Layer, Row)>) -> Vec<Row> {
    let mut layers: Vec<(Layer, Vec<Row>)> = Vec::new();
    for (layer, row) in rows {
        match layers.iter_mut().find(|(known, _)| *known == layer) {
            Some((_, rows)) => rows.push(row),
            None => layers.push((layer, vec![row])),
        }
    }
    let view = model.trail.view();
    let sought = !view.filter.is_empty() || view.only_broken;
    let mut listed = Vec::new();
    for (layer, rows) in layers {
        let id = format!("layer/{layer}");
        let folded = !sought && model.folded.contains(&id);
        let all = rows.len().to_string();
        let bad = rows.iter().filter(|row| row.broken).count().to_string();
        // Rows of a layer stand worst first: its first mark is that of the whole.
        let worst = rows.iter().find(|row| row.broken);
        let role = worst.map_or(Role::Muted, |row| row.cells[0].role);
        let count = match worst {
            Some(_) => model.fill("baseline.not-well", &[("bad", &bad), ("all", &all)]),
            None => all,
        };
        let name = model.say(&format!("layer.{}", layer.as_str()));
        let mut cells = vec![Cell::new(name, Role::Title), Cell::new(count, role)];
        if folded {
            cells.push(Cell::muted(model.say("baseline.folded")));
        }
        listed.push(Row::heading(id, cells, folded));
        if !folded {
            listed.extend(rows);
        }
    }
    listed
}

pub(super) fn list(model: &Model) -> Content {
    let rows = rows(model)
        .into_iter()
        .map(|(pack, row)| {
            let layer = row.layer;
            let stale = row.is_stale(model.now_ms);
            let verdict = row.standing(model.now_ms);
            let (glyph, mut word) = verdict_of(model, row);
            let seen = if verdict == Verdict::Ok || row.found.is_empty() {
                title(model, row)
            } else {
                row.found.replace('\n', " ")
            };
            let found = match (row.excuse(model.now_ms), row.lapsed(model.now_ms)) {
                // Until when and why stands above the list, once for all its rows.
                (Some(waiver), _) if waiver.subject.is_maintenance() => {
                    word.text = model.say("verdict.maintenance");
                    seen
                }
                (Some(waiver), _) => excused(model, waiver),
                (None, Some(waiver)) => format!("{}; {seen}", lapsed(model, waiver)),
                (None, None) => seen,
            };
            let history = row.history.as_ref();
            let flaps = history.map_or(0, |history| history.flaps);
            let (glyph, word) = if stale {
                (
                    Cell::new("?", Role::Unknown),
                    Cell::new(model.say("verdict.stale"), Role::Unknown),
                )
            } else {
                (glyph, word)
            };
            let quiet = matches!(verdict, Verdict::Ok | Verdict::NotJudged | Verdict::Waived);
            let row = Row::new(
                format!("{pack}/{}", row.id),
                vec![
                    glyph,
                    word,
                    Cell::plain(row.id.clone()),
                    if quiet {
                        Cell::muted(found)
                    } else {
                        Cell::plain(found)
                    },
                    Cell::plain(history.map(drawn).unwrap_or_default()),
                    Cell::muted(if flaps > 0 {
                        flaps.to_string()
                    } else {
                        String::new()
                    }),
                    Cell::muted(match row.since_ms {
                        Some(since) if !quiet => age(model, since),
                        _ => String::new(),
                    }),
                    Cell::muted(age(model, row.at_ms)),
                ],
            )
            .broken(!quiet || stale)
            .copies(row.id.clone())
            .hidden(format!("{} {}", row.title, title(model, row)))
            .opens(Place::Check(pack.clone(), row.id.clone()));
            (layer, row)
        })
        .collect();
    let rows = by_layer(model, rows);
    let mut head = windows(model);
    let troubles = model
        .board()
        .baseline_troubles
        .iter()
        .flat_map(|(pack, trouble)| {
            let what = format!(
                "{pack}: {} ({})",
                trouble.value.message,
                age(model, trouble.at_ms)
            );
            [
                vec![Cell::new("/ ", Role::Unreachable), Cell::plain(what)],
                field(
                    &model.say("field.next"),
                    trouble.value.hint.clone(),
                    Role::Key,
                ),
            ]
        });
    head.extend(troubles);
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: vec![
            note(model.say("baseline.empty"), Role::Text),
            note(model.say("baseline.empty-next"), Role::Muted),
        ],
    })
    .head(head)
}

pub(super) fn check(model: &Model, pack: &PackId, id: &str) -> Content {
    let found = model
        .board()
        .baselines
        .get(pack)
        .and_then(|known| known.value.results.iter().find(|row| row.id == id));
    let Some(row) = found else {
        return Content::text(vec![note(model.say("check.gone"), Role::Muted)]);
    };
    let stale = row.is_stale(model.now_ms);
    let verdict = row.standing(model.now_ms);
    let (mut glyph, mut word) = verdict_of(model, row);
    let was = word.text.clone();
    if stale {
        glyph = Cell::new("?", Role::Unknown);
        word = Cell::new(model.say("verdict.stale"), Role::Unknown);
    }
    glyph.text.push(' ');
    let mut lines: Vec<Note> = vec![
        vec![glyph, word, Cell::new(format!("  {}", row.id), Role::Title)],
        note(title(model, row), Role::Text),
        Vec::new(),
    ];
    let mut say = |key: &str, text: &str, role: Role| {
        if !text.is_empty() {
            lines.push(field(&model.say(key), text, role));
        }
    };
    let found_role = match verdict {
        Verdict::Fail if !stale => Role::Fail,
        Verdict::Warn if !stale => Role::Warn,
        _ => Role::Text,
    };
    if stale {
        say("field.was", &was, Role::Unknown);
    }
    if let Some(since) = row.since_ms {
        let text = format!("{} ({})", clock(model, since), age(model, since));
        say("field.since", &text, Role::Text);
    }
    if let Some(waiver) = row.excuse(model.now_ms) {
        say("field.aside", &excused(model, waiver), Role::Waived);
        let judged = model.say(&format!("verdict.{}", row.judged().as_str()));
        say("field.judged", &judged, Role::Text);
    } else if let Some(waiver) = row.lapsed(model.now_ms) {
        say("field.aside", &lapsed(model, waiver), Role::Fail);
    }
    say("field.expected", &row.expected, Role::Text);
    say("field.found", &row.found, found_role);
    if !matches!(verdict, Verdict::Ok | Verdict::Waived) {
        say("field.next", &next_step(model, row), Role::Key);
    }
    if row.repair {
        say("field.repair", &model.say("check.repair"), Role::Key);
    }
    let quiet = matches!(row.verdict, Verdict::Ok | Verdict::Waived);
    for book in books_for(model, pack, id).filter(|_| !quiet) {
        let title = worded(model, &book.title, book.title_zh.as_ref());
        let words = [("name", book.name.as_str()), ("title", title.as_str())];
        say(
            "field.runbook",
            &model.fill("check.runbook", &words),
            Role::Key,
        );
    }
    let why = worded(model, &row.why, row.why_zh.as_ref());
    say("field.why", &why, Role::Text);
    say("field.evidence", &row.evidence, Role::Muted);
    if let Some(parent) = &row.muted_by {
        say("field.muted-by", parent, Role::Text);
    }
    if let Some(history) = &row.history {
        let mut line = field(&model.say("field.newest"), "", Role::Muted);
        line.extend(marks(&history.recent));
        let flaps = history.flaps.to_string();
        let turned = model.fill("check.turned", &[("count", &flaps)]);
        line.push(Cell::muted(format!("  {turned}")));
        lines.push(line);
    }
    let mut say = |key: &str, text: &str, role: Role| {
        lines.push(field(&model.say(key), text, role));
    };
    let looked = format!(
        "{} ({}), {} ms, {}, {}, {pack}",
        clock(model, row.at_ms),
        age(model, row.at_ms),
        row.duration_ms,
        model.say(&format!("layer.{}", row.layer.as_str())),
        model.say(&format!("level.{}", row.level.as_str())),
    );
    say("field.looked", &looked, Role::Muted);
    say(
        "field.command",
        &format!("cockpit baseline run --pack {pack}"),
        Role::Muted,
    );
    Content::text(lines)
}

/// The runbooks that the trouble of a check calls for, as far as they were read.
fn books_for<'m>(
    model: &'m Model,
    pack: &'m PackId,
    check: &'m str,
) -> impl Iterator<Item = &'m BookRow> {
    let books = model.books.iter().flatten();
    books.filter(move |book| book.pack == *pack && book.checks.iter().any(|id| id == check))
}

/// An import that kept only a part of its keys, when it is the newest of its pair.
fn partial(model: &Model) -> Option<Note> {
    let batches = &model.board().batches;
    let seen = batches.iter().find(|seen| {
        let batch = &seen.batch;
        let newest = batches.iter().find(|other| {
            let other = &other.batch;
            other.kind == BatchKind::Import
                && other.host == batch.host
                && other.provider == batch.provider
                && other.batch_status != BatchStatus::RolledBack
        });
        batch.batch_status == BatchStatus::PartiallySucceeded
            && newest.is_some_and(|newest| newest.batch.id == batch.id)
    })?;
    let (tally, batch) = (&seen.tally, &seen.batch);
    let (name, id) = (batch.id.to_string(), batch.id.0.to_string());
    let (failed, total) = (tally.failed.to_string(), tally.total.to_string());
    let said = [
        ("batch", name.as_str()),
        ("id", id.as_str()),
        ("host", batch.host.as_str()),
        ("failed", failed.as_str()),
        ("total", total.as_str()),
    ];
    let key = if tally.failed > 0 {
        "advice.partial"
    } else {
        "advice.unproven"
    };
    Some(note(format!("~ {}", model.fill(key, &said)), Role::Warn))
}

/// When the first of the windows ends that put something aside.
fn maintained_until(model: &Model, rows: &[(&PackId, &CheckResult)]) -> Option<i64> {
    let excuses = rows.iter().filter_map(|(_, row)| row.excuse(model.now_ms));
    excuses
        .filter(|waiver| waiver.subject.is_maintenance())
        .map(|waiver| waiver.until_ms)
        .min()
}

/// The one thing to do: what was left half done comes first, then the worst check.
pub(super) fn advice(model: &Model) -> Note {
    if model.setup.first_run.is_some() {
        let key = if model.trail.view().place == Place::Welcome {
            "advice.first-run"
        } else {
            "advice.no-config"
        };
        return note(model.say(key), Role::Warn);
    }
    if let Some(seen) = model
        .board()
        .batches
        .iter()
        .find(|seen| seen.batch.batch_status == BatchStatus::Interrupted)
    {
        let host = seen.batch.host.as_str();
        if seen.batch.interrupted_by == Some(Interruption::Canary) {
            let waiting = seen.tally.total.saturating_sub(seen.tally.done).to_string();
            let said = [
                ("batch", seen.batch.id.to_string()),
                ("id", seen.batch.id.0.to_string()),
                ("host", host.to_owned()),
                ("count", waiting),
            ];
            let said: Vec<_> = said
                .iter()
                .map(|(name, text)| (*name, text.as_str()))
                .collect();
            let text = model.fill("advice.canary", &said);
            return note(format!("= {text}"), Role::Warn);
        }
        return note(
            format!(
                "! {}",
                model.fill(
                    "advice.interrupted",
                    &[
                        ("batch", &seen.batch.id.to_string()),
                        ("id", &seen.batch.id.0.to_string()),
                        ("host", host),
                    ]
                )
            ),
            Role::Fail,
        );
    }
    let rows = rows(model);
    let Some((_, worst)) = rows.first() else {
        let trouble = model.board().baseline_troubles.values().next();
        return trouble.map_or_else(
            || note(model.say("advice.looking"), Role::Muted),
            |trouble| {
                let why = [("why", trouble.value.message.as_str())];
                let text = model.fill("advice.trouble", &why);
                note(format!("/ {text}"), Role::Unreachable)
            },
        );
    };
    if worst.is_stale(model.now_ms) {
        let text = model.fill("advice.stale", &[("age", &age(model, worst.at_ms))]);
        return note(format!("? {text}"), Role::Unknown);
    }
    let verdict = worst.standing(model.now_ms);
    let (mut glyph, _) = verdict_cell(model, verdict);
    if rank(verdict) >= rank(Verdict::NotJudged)
        && let Some(partial) = partial(model)
    {
        return partial;
    }
    if let Some(until) = maintained_until(model, &rows)
        && rank(verdict) >= rank(Verdict::NotJudged)
    {
        let text = model.fill("advice.maintenance", &[("until", &clock(model, until))]);
        return note(format!("= {text}"), Role::Waived);
    }
    if rank(verdict) >= rank(Verdict::NotJudged) {
        let text = model.fill(
            "advice.well",
            &[
                ("count", &rows.len().to_string()),
                ("age", &age(model, worst.at_ms)),
            ],
        );
        return note(format!("+ {text}"), Role::Ok);
    }
    let same = rows
        .iter()
        .filter(|(_, row)| row.standing(model.now_ms) == verdict)
        .count();
    glyph.text.push(' ');
    let next = if worst.repair {
        model.say("advice.repair")
    } else {
        next_step(model, worst)
    };
    let next = format!("  {} {next}", model.say("advice.next"));
    // What to do next has its place also where room is short; what was found stands in the list.
    let taken = width(&glyph.text) + width(&worst.id) + 2 + width(&next).min(NEXT);
    let room = usize::from(model.size.0).saturating_sub(taken);
    let mut what = worst.id.clone();
    if room >= FOUND {
        let found = cut(&worst.found.replace('\n', " "), room);
        what = format!("{what}: {found}");
    }
    let role = glyph.role;
    let mut line = vec![glyph, Cell::new(what, role), Cell::plain(next)];
    if same > 1 {
        let more = (same - 1).to_string();
        line.push(Cell::muted(format!(
            "  {}",
            model.fill("advice.more", &[("count", &more)])
        )));
    }
    line
}
