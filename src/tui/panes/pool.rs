//! The accounts of a host, group by group: who would be chosen, who would not, and every reason.

use super::said::{age, clock};
use crate::content::{Cell, Column, Content, List, Note, Row, field, note};
use crate::model::Model;
use crate::place::Place;
use crate::theme::Role;
use cockpit_domain::ids::{HostId, RemoteId};
use cockpit_domain::pool::{Owner, Pool, Reason, Seat, WhyNot};

const COLUMNS: [Column; 6] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.group", 4, 14, 1),
    Column::fit("col.account-name", 8, 22, 0),
    Column::fit("col.owner", 4, 10, 2),
    Column::fit("col.priority", 4, 5, 3).right(),
    Column::grow("col.chosen", 26, 0),
];

pub(super) fn list(model: &Model, host: &HostId) -> Content {
    let seen = model.pools.get(host);
    let trouble = seen.and_then(|seen| seen.trouble.as_ref());
    let mut head = Vec::new();
    if let Some(failure) = trouble {
        head.push(note(format!("/ {}", failure.message), Role::Unreachable));
        head.push(note(failure.hint.clone(), Role::Key));
    }
    let Some(known) = seen.and_then(|seen| seen.look.as_ref()) else {
        let empty = trouble
            .is_none()
            .then(|| note(model.say("pool.empty"), Role::Muted));
        return Content::list(List {
            columns: COLUMNS.to_vec(),
            rows: Vec::new(),
            empty: empty.into_iter().collect(),
        })
        .head(head);
    };
    let mut rows = Vec::new();
    for pool in &known.value {
        if pool.seats.is_empty() {
            rows.push(vacant(model, pool));
        }
        let seats = pool.seats.iter();
        rows.extend(seats.map(|seat| row(model, host, pool, seat)));
    }
    rows.sort_by_key(|row| rank(&row.cells[0].text));
    let looked = model.fill(
        "pool.head",
        &[
            ("host", host.as_str()),
            ("time", &clock(model, known.at_ms)),
            ("age", &age(model, known.at_ms)),
        ],
    );
    head.extend(who_serves(model, &known.value));
    head.push(note(looked, Role::Muted));
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: vec![note(model.say("pool.no-group"), Role::Muted)],
    })
    .head(head)
}

/// Groups whose server is told above the list; each account's own row stands below.
const TOLD: usize = 3;

/// Who serves, group by group: those that nobody serves first.
fn who_serves(model: &Model, pools: &[Pool]) -> Vec<Note> {
    let mut manned: Vec<&Pool> = pools.iter().filter(|pool| !pool.seats.is_empty()).collect();
    manned.sort_by_key(|pool| pool.serving.next.is_some());
    let more = manned.len().saturating_sub(TOLD);
    let told = manned.into_iter().take(TOLD);
    let mut told: Vec<Note> = told.map(|pool| serves(model, pool)).collect();
    if more > 0 {
        let text = model.fill("serves.more", &[("count", &more.to_string())]);
        told.push(note(text, Role::Muted));
    }
    told
}

/// Who serves a group now and why, and who served last.
fn serves(model: &Model, pool: &Pool) -> Note {
    let serving = &pool.serving;
    let name = serving.next.map_or_else(
        || model.say("serves.nobody"),
        |id| format!("{} #{id}", serving.name),
    );
    let because = model.fill(
        &format!("because.{}", serving.because),
        &[
            ("priority", &serving.priority.to_string()),
            ("equals", &serving.equals.to_string()),
        ],
    );
    let role = if serving.next.is_some() {
        Role::Ok
    } else {
        Role::Fail
    };
    let last = serving.last.as_ref().map(|last| {
        let at = last.at.parse::<jiff::Timestamp>();
        let at = at.map_or_else(|_| last.at.clone(), |at| clock(model, at.as_millisecond()));
        let by = format!("#{}", last.account);
        model.fill("serves.last", &[("time", &at), ("account", &by)])
    });
    vec![
        Cell::muted(model.fill("serves.group", &[("group", &pool.group_name)])),
        Cell::new(name, role),
        Cell::plain(format!("  {because}{}", last.unwrap_or_default())),
    ]
}

/// What needs a person comes first.
fn rank(glyph: &str) -> usize {
    ["x", "!", "+", "=", "."]
        .iter()
        .position(|known| *known == glyph)
        .unwrap_or(0)
}

/// A group that nobody is bound to. Groups come with every installation, so this alone is no fault.
fn vacant(model: &Model, pool: &Pool) -> Row {
    Row::new(
        pool.group_name.clone(),
        vec![
            Cell::new(".", Role::Muffled),
            Cell::muted(pool.group_name.clone()),
            Cell::muted("-"),
            Cell::muted(""),
            Cell::muted(""),
            Cell::muted(model.say("pool.vacant")),
        ],
    )
}

fn row(model: &Model, host: &HostId, pool: &Pool, seat: &Seat) -> Row {
    let (glyph, role) = mark(pool, seat);
    let chosen = match seat.why_not.first() {
        None if pool.choosable == 1 => model.say("pool.no-spare"),
        None => model.say("pool.chosen"),
        Some(why) => told(model, why),
    };
    Row::new(
        format!("{} {}", pool.group_name, seat.account),
        vec![
            Cell::new(glyph, role),
            Cell::plain(pool.group_name.clone()),
            Cell::plain(format!("{} #{}", seat.name, seat.account)),
            Cell::muted(owner(model, seat.owner)),
            Cell::muted(seat.priority.to_string()),
            Cell::new(chosen, role),
        ],
    )
    .broken(matches!(role, Role::Fail | Role::Warn))
    .copies(seat.name.clone())
    .opens(Place::Seat(
        host.clone(),
        pool.group_name.clone(),
        seat.account,
    ))
}

/// Whether somebody wants it aside: parked, or switched inactive.
fn is_meant(seat: &Seat) -> bool {
    let mut reasons = seat.why_not.iter().map(|why| why.reason);
    seat.parked_by.is_some()
        || reasons.any(|at| matches!(at, Reason::SwitchedOff | Reason::Inactive))
}

/// Who is meant to stand aside is no fault where others serve; who fell out is, and who comes back
/// by itself is to be watched.
fn mark(pool: &Pool, seat: &Seat) -> (&'static str, Role) {
    match (seat.is_choosable(), pool.serves()) {
        (true, _) if pool.choosable == 1 => ("!", Role::Warn),
        (true, _) => ("+", Role::Ok),
        (false, true) if is_meant(seat) => ("=", Role::Waived),
        (false, true) if seat.why_not.iter().all(|why| why.next_try.is_some()) => ("!", Role::Warn),
        (false, _) => ("x", Role::Fail),
    }
}

fn owner(model: &Model, owner: Owner) -> String {
    match owner {
        Owner::Batch(batch) => batch.to_string(),
        Owner::Leftover => model.say("pool.leftover"),
        Owner::Other => model.say("pool.other"),
    }
}

/// A reason in a line: its word, until when, in whose words.
pub(super) fn told(model: &Model, why: &WhyNot) -> String {
    let word = model.say(&format!("reason.{}", why.reason));
    let until = why
        .next_try
        .as_deref()
        .map(|time| format!(" {}", until(model, time)));
    let said = if why.said.is_empty() {
        String::new()
    } else {
        format!(": {}", why.said)
    };
    format!("{word}{}{said}", until.unwrap_or_default())
}

fn until(model: &Model, time: &str) -> String {
    let at = time.parse::<jiff::Timestamp>();
    let at = at.map_or_else(|_| time.to_owned(), |at| clock(model, at.as_millisecond()));
    model.fill("pool.until", &[("time", &at)])
}

/// One account whole.
pub(super) fn seat(model: &Model, host: &HostId, group: &str, account: RemoteId) -> Content {
    let found = model.pools.get(host).and_then(|seen| {
        let known = seen.look.as_ref()?;
        let pool = known.value.iter().find(|pool| pool.group_name == group)?;
        let seat = pool.seats.iter().find(|seat| seat.account == account)?;
        Some((pool, seat, known.at_ms))
    });
    let Some((pool, seat, at_ms)) = found else {
        return Content::text(vec![note(model.say("pool.gone"), Role::Muted)]);
    };
    let (glyph, role) = mark(pool, seat);
    let mut lines = vec![
        vec![
            Cell::new(format!("{glyph} "), role),
            Cell::new(format!("{} #{}", seat.name, seat.account), Role::Title),
            Cell::plain(format!("  {}  {host}", pool.group_name)),
        ],
        Vec::new(),
    ];
    if seat.is_choosable() {
        lines.push(note(model.say("pool.chosen"), Role::Ok));
    }
    for why in &seat.why_not {
        lines.push(vec![Cell::new(told(model, why), role)]);
        lines.push(field(&model.say("field.who"), why.by.clone(), Role::Text));
        lines.push(field(&model.say("field.next"), why.fix.clone(), Role::Key));
        lines.push(Vec::new());
    }
    for blocker in &pool.blockers {
        lines.push(field(
            &model.say("field.blocked"),
            blocker.clone(),
            Role::Fail,
        ));
    }
    for line in &seat.declared {
        lines.push(field(
            &model.say("field.expected"),
            line.clone(),
            Role::Drifted,
        ));
    }
    if let Some(probed) = &seat.probed {
        let text = format!("{} ({}): {}", probed.status, probed.batch, probed.summary);
        lines.push(field(&model.say("field.evidence"), text, Role::Text));
    }
    lines.push(field(
        &model.say("col.owner"),
        owner(model, seat.owner),
        Role::Text,
    ));
    let looked = format!("{} ({})", clock(model, at_ms), age(model, at_ms));
    lines.push(field(&model.say("field.looked"), looked, Role::Muted));
    let command = format!("cockpit provider status --host {host}");
    lines.push(field(&model.say("field.command"), command, Role::Muted));
    Content::text(lines)
}
