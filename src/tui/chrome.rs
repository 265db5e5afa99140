//! What stands around a page: the one thing to do, tabs, crumbs, running work, keys.

use crate::actions::{ACTIONS, Action, Danger};
use crate::content::{Cell, Note, line};
use crate::model::Model;
use crate::panes;
use crate::place::Place;
use crate::target::pointed_at;
use crate::theme::Role;
use crate::update::{Shown, fits, serves, why_not};
use crate::widgets::{clipped, wide, width};
use cockpit_domain::baseline::Verdict;
use cockpit_engine::supervisor::JobState;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Paragraph;

/// Draws everything but the page.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, shown: &Shown) {
    let parts = &shown.geometry;
    put(frame, model, parts.top, &panes::advice(model));
    let (tabs, state) = tabs_and_state(model, usize::from(parts.tabs.width));
    two_ends(frame, model, parts.tabs, &tabs, state);
    two_ends(
        frame,
        model,
        parts.crumbs,
        &crumbs(model),
        beside_crumbs(model, shown),
    );
    put(frame, model, parts.jobs, &work(model));
    put(frame, model, parts.keys, &keys(model, shown));
}

fn put(frame: &mut Frame<'_>, model: &Model, area: Rect, note: &Note) {
    if area.height > 0 {
        let note = clipped(note, usize::from(area.width));
        frame.render_widget(Paragraph::new(line(&note, &model.theme)), area);
    }
}

/// A line with something at both ends; the left end gives way: what may be written to is always
/// said.
fn two_ends(frame: &mut Frame<'_>, model: &Model, area: Rect, left: &Note, right: Note) {
    let room = usize::from(area.width);
    let mut whole = clipped(left, room.saturating_sub(wide(&right) + 1));
    whole.push(Cell::plain(
        " ".repeat(room.saturating_sub(wide(&whole) + wide(&right))),
    ));
    whole.extend(right);
    put(frame, model, area, &whole);
}

/// How much is said of each pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tabs {
    Names,
    Short,
    /// Of the first so many and the open one; of the others the number only.
    First(usize),
}

/// The tabs and the state beside them: as much as there is room for, the state first.
fn tabs_and_state(model: &Model, room: usize) -> (Note, Note) {
    let whole = [
        (Tabs::Names, true),
        (Tabs::Short, true),
        (Tabs::Short, false),
    ];
    let fewer = (0..Place::PANES.len()).rev();
    let fewer = fewer.map(|first| (Tabs::First(first), first == 0));
    for (how, with_clock) in whole.into_iter().chain(fewer) {
        let pair = (tabs(model, how), state(model, with_clock));
        if wide(&pair.0) + wide(&pair.1) < room {
            return pair;
        }
    }
    (tabs(model, Tabs::First(0)), state(model, false))
}

/// The open one stands in brackets: it is seen without colour too.
fn tabs(model: &Model, how: Tabs) -> Note {
    let tab = |(at, place): (usize, &Place)| {
        let open = model.trail.pane() == at;
        let name = match how {
            Tabs::Names => model.say(&format!("pane.{}", place.name())),
            Tabs::First(first) if !open && at >= first => String::new(),
            Tabs::Short | Tabs::First(_) => model.say(&format!("tab.{}", place.name())),
        };
        let said = [(at + 1).to_string(), name, count(model, place)];
        let said: Vec<&str> = said
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        let text = said.join(" ");
        if open {
            Cell::new(format!("[{text}]"), Role::Focus)
        } else {
            Cell::muted(format!(" {text} "))
        }
    };
    let mut tabs: Note = Place::PANES.iter().enumerate().map(tab).collect();
    if let Some(last) = tabs.last_mut() {
        last.text.truncate(last.text.trim_end().len());
    }
    tabs
}

/// What of a pane waits for a person.
fn count(model: &Model, place: &Place) -> String {
    let board = model.board();
    let (mark, count) = match place {
        Place::Baseline => {
            let of = |verdict| {
                let results = board.baselines.values();
                results
                    .flat_map(|known| &known.value.results)
                    .filter(|row| {
                        row.standing(model.now_ms) == verdict && !row.is_stale(model.now_ms)
                    })
                    .count()
            };
            // Where nothing failed, what could not be reached waits for a person.
            match of(Verdict::Fail) {
                0 => ('/', of(Verdict::Unreachable)),
                failed => ('x', failed),
            }
        }
        Place::Hosts => (
            '/',
            board
                .hosts
                .values()
                .filter(|seen| seen.trouble.is_some())
                .count(),
        ),
        Place::Log => ('x', model.logs.stopped().count()),
        Place::Jobs => (
            '>',
            model.seen().jobs.iter().filter(|job| job.is_live()).count(),
        ),
        _ => (' ', 0),
    };
    if count == 0 {
        String::new()
    } else {
        format!("{mark}{count}")
    }
}

/// Lab, frozen picture, the window for writes, time of day.
fn state(model: &Model, with_clock: bool) -> Note {
    // Where there is no room for the clock there is none for margins.
    let pad = if with_clock { " " } else { "" };
    let mut state = Vec::new();
    if model.setup.lab {
        state.push(Cell::new(
            format!("{pad}{}{pad}", model.say("state.lab")),
            Role::Lab,
        ));
        state.push(Cell::plain(" "));
    }
    if model.frozen.is_some() {
        state.push(Cell::new(
            format!("{pad}{}{pad}", model.say("state.frozen")),
            Role::Warn,
        ));
        state.push(Cell::plain(" "));
    }
    match model.armed() {
        Some((host, until)) => {
            let left = (until - model.now_ms).max(0) / 1_000;
            state.push(Cell::new(
                format!(
                    "{pad}{} {host} {:02}:{:02}{pad}",
                    model.say("state.armed"),
                    left / 60,
                    left % 60
                ),
                Role::Armed,
            ));
        }
        None => state.push(Cell::muted(model.say("state.read-only"))),
    }
    if with_clock {
        state.push(Cell::muted(format!(
            "  {}",
            panes::clock(model, model.now_ms)
        )));
    }
    state
}

fn crumbs(model: &Model) -> Note {
    let mut crumbs = Vec::new();
    for view in model.trail.stack() {
        if !crumbs.is_empty() {
            crumbs.push(Cell::muted(" > "));
        }
        crumbs.push(Cell::new(title(model, &view.place), Role::Title));
    }
    let view = model.trail.view();
    if let Some(input) = &model.filter_input {
        crumbs.push(Cell::new(format!("  /{}_", input.value()), Role::Focus));
    } else if !view.filter.is_empty() {
        crumbs.push(Cell::new(format!("  /{}", view.filter), Role::Focus));
    }
    if view.only_broken {
        crumbs.push(Cell::new(
            format!("  !{}", model.say("state.only-broken")),
            Role::Focus,
        ));
    }
    crumbs
}

/// What a page is called.
fn title(model: &Model, place: &Place) -> String {
    let name = model.say(&format!("pane.{}", place.name()));
    let what = match place {
        Place::Check(_, check) | Place::CheckHistory(_, check) => check.clone(),
        Place::Seat(_, _, account) => format!("#{account}"),
        Place::Host(host) | Place::Pool(host) | Place::Stack(host) => host.to_string(),
        Place::Resources(host, provider) => format!("{provider} -> {host}"),
        Place::DriftOf(batch) => batch.to_string(),
        Place::Batch(batch) => return batch.to_string(),
        Place::Item(batch, item) => return format!("{batch}#item{}", item.0),
        Place::Probe(subject, row) => format!("{subject} {row}"),
        Place::LogOf(name) => name.clone(),
        Place::Job(job) => return job.to_string(),
        Place::Plan(plan) => return plan.to_string(),
        _ => return name,
    };
    format!("{name} {what}")
}

/// How many rows are shown, and what is watched.
fn beside_crumbs(model: &Model, shown: &Shown) -> Note {
    let mut said = counts(model, shown);
    let watched = panes::watched(model);
    if !said.is_empty() && !watched.is_empty() {
        said.push(Cell::plain("  "));
    }
    said.extend(watched);
    said
}

fn counts(model: &Model, shown: &Shown) -> Note {
    let view = model.trail.view();
    if shown.matching == shown.total || (view.filter.is_empty() && !view.only_broken) {
        return Vec::new();
    }
    vec![Cell::muted(model.fill(
        "state.n-of-m",
        &[
            ("n", &shown.matching.to_string()),
            ("m", &shown.total.to_string()),
        ],
    ))]
}

/// A message, else what runs; a job that writes is told beside a message that leaves it room.
fn work(model: &Model) -> Note {
    if model.closing {
        return vec![Cell::new(model.say("state.closing"), Role::Warn)];
    }
    let jobs = &model.seen().jobs;
    let live: Vec<_> = jobs.iter().filter(|job| job.is_live()).collect();
    let writing = live.iter().find(|job| job.writes);
    let mut told = Vec::new();
    let first = match &model.toast {
        Some(toast) => {
            told.push(Cell::new(toast.text.clone(), toast.role));
            writing.filter(|job| {
                let taken = width(&toast.text) + width(job.name) + width(&job.subject) + 5;
                taken <= usize::from(model.size.0)
            })
        }
        None => writing.or_else(|| live.first()),
    };
    let Some(job) = first else {
        return told;
    };
    if !told.is_empty() {
        told.push(Cell::plain("  "));
    }
    let beat = ['-', '\\', '|', '/'][usize::from(model.beat % 4)];
    told.push(Cell::new(format!("{beat} "), Role::Warming));
    told.push(Cell::plain(format!("{} {}", job.name, job.subject)));
    told.push(Cell::muted(format!("  {}", panes::stage(model, job))));
    if live.len() > 1 {
        told.push(Cell::muted(format!("  +{}", live.len() - 1)));
    }
    told
}

/// Whether the job that writes is held: the same key lets it go on.
fn is_held(model: &Model) -> bool {
    let mut jobs = model.snapshot.jobs.iter();
    jobs.any(|job| job.writes && job.state == JobState::Paused)
}

/// Whether asking where to look first is the next thing to do: something is broken, and this is a page
/// that shows it.
fn leads_on(model: &Model, place: &Place) -> bool {
    let shows = matches!(
        place,
        Place::Baseline | Place::Check(..) | Place::Hosts | Place::Host(_)
    );
    shows && !count(model, &Place::Baseline).is_empty()
}

/// The keys that fit, the most telling first; one that cannot be used now is grey.
fn keys(model: &Model, shown: &Shown) -> Note {
    let place = &model.trail.view().place;
    let aim = pointed_at(model, shown);
    let mut rows: Vec<_> = ACTIONS
        .iter()
        .filter(|row| row.bar > 0 && fits(row.action, place) && serves(model, row.action, &aim))
        .filter(|row| row.action != Action::Triage || leads_on(model, place))
        .collect();
    rows.sort_by_key(|row| row.bar);
    let mut keys = Vec::new();
    let mut left = usize::from(shown.geometry.keys.width);
    for row in rows {
        let Some(key) = model.keymap.first_key(row.action) else {
            continue;
        };
        let word = match row.action {
            Action::Hold if is_held(model) => model.say("bar.go-on"),
            _ => model.say(&format!("bar.{}", row.name)),
        };
        let text = format!(" {word}  ");
        let wide = width(&key) + width(&text);
        if wide > left {
            continue;
        }
        left -= wide;
        let usable = row.danger == Danger::Look || why_not(model, row.action).is_none();
        keys.push(Cell::new(key, if usable { Role::Key } else { Role::Muted }));
        keys.push(Cell::new(
            text,
            if usable { Role::Text } else { Role::Muted },
        ));
    }
    keys
}
