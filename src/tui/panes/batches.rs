//! Import batches: the list, a batch with its keys, resources, events and journal, one key.

use super::said::{age, clock, state_of_batch};
use crate::content::{Body, Cell, Column, Content, List, Note, Row, field, note};
use crate::model::Model;
use crate::place::Place;
use crate::theme::Role;
use cockpit_domain::batch::{AccountStatus, Batch, BatchKind, BatchStatus, Item, UpstreamEvidence};
use cockpit_domain::ids::{BatchId, ItemId};
use cockpit_engine::batches::BatchDetail;

const LIST: [Column; 7] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.batch-name", 5, 10, 0),
    Column::fit("col.status", 6, 20, 0),
    Column::fit("col.provider", 6, 20, 1),
    Column::fit("col.host", 4, 16, 2),
    Column::grow("col.keys", 14, 4),
    Column::fit("col.age", 3, 4, 3).right(),
];

pub(super) fn list(model: &Model) -> Content {
    let rows = model
        .board()
        .batches
        .iter()
        .map(|seen| {
            let batch = &seen.batch;
            let (glyph, word) = state_of_batch(model, batch);
            let counts = seen.tally;
            let tally = model.fill(
                "batch.tally",
                &[
                    ("done", &counts.done.to_string()),
                    ("total", &counts.total.to_string()),
                    ("passed", &counts.passed.to_string()),
                    ("warning", &counts.warning.to_string()),
                    ("failed", &counts.failed.to_string()),
                ],
            );
            // What has no keys is told by its kind.
            let mut keys = match batch.kind {
                BatchKind::Import => tally,
                kind => model.say(&format!("batch.is-{kind}")),
            };
            if seen.foreign {
                keys = format!("{keys}  {}", batch.owner);
            } else if !batch.reason.is_empty() {
                keys = format!("{keys}  {}", batch.reason);
            }
            let waits = batch.batch_status == BatchStatus::Interrupted;
            let broken = waits || matches!(glyph.text.as_str(), "x" | "~");
            Row::new(
                batch.id.to_string(),
                vec![
                    glyph,
                    Cell::plain(batch.id.to_string()),
                    word,
                    Cell::plain(batch.provider.as_str()),
                    Cell::plain(batch.host.as_str()),
                    Cell::muted(keys),
                    Cell::muted(age(model, batch.updated_ms)),
                ],
            )
            .broken(broken)
            .opens(Place::Batch(batch.id))
        })
        .collect();
    Content::list(List {
        columns: LIST.to_vec(),
        rows,
        empty: vec![
            note(model.say("batches.empty"), Role::Text),
            note(model.say("batches.empty-next"), Role::Muted),
        ],
    })
}

/// A batch as it is known, listed or read.
pub(crate) fn known(model: &Model, id: BatchId) -> Option<&Batch> {
    let detail = model.details.get(&id).map(|(_, detail)| &detail.batch);
    let listed = model
        .board()
        .batches
        .iter()
        .find(|seen| seen.batch.id == id)
        .map(|seen| &seen.batch);
    listed.or(detail)
}

/// What the vendor said when asked with the key itself. A status of 0 is no answer of anybody: what
/// was not asked is not spoken of.
fn asked_directly(model: &Model, said: &UpstreamEvidence, what: &str) -> String {
    let models = said.upstream_models_status.to_string();
    let chat = said.upstream_chat_status.to_string();
    let mut parts = Vec::new();
    if said.upstream_models_status != 0 {
        parts.push(model.fill("batch.asked-models", &[("models", &models)]));
    }
    if said.upstream_chat_status != 0 {
        parts.push(model.fill("batch.asked-chat", &[("chat", &chat)]));
    }
    let asked = parts.join(", ");
    match (asked.as_str(), what) {
        (_, "") => asked,
        ("", _) => what.to_owned(),
        _ => format!("{asked}: {what}"),
    }
}

/// The lines above a batch's sections, also what an act came to.
pub(super) fn head(model: &Model, batch: &Batch) -> Vec<Note> {
    let (mut glyph, word) = state_of_batch(model, batch);
    glyph.text.push(' ');
    let mut lines = vec![vec![
        glyph,
        word,
        Cell::new(format!("  {}", batch.id), Role::Title),
        Cell::plain(match batch.kind {
            BatchKind::Import => {
                let mode = model.say(&format!("mode.{}", batch.mode));
                format!("  {} -> {}  {mode}", batch.provider, batch.host)
            }
            kind => format!(
                "  {} {} -> {}",
                model.say(&format!("batch.is-{kind}")),
                batch.provider,
                batch.host
            ),
        }),
    ]];
    if let Some(by) = batch.interrupted_by {
        lines.push(field(
            &model.say("field.stopped"),
            model.say(&format!("stopped.{by}")),
            Role::Warn,
        ));
    }
    if !batch.reason.is_empty() {
        lines.push(field(
            &model.say("field.reason"),
            batch.reason.clone(),
            Role::Warn,
        ));
    }
    if batch.batch_status == BatchStatus::RolledBack {
        // What was proven once says nothing of what is gone.
        lines.push(field(
            &model.say("field.access"),
            model.say("batch.taken-back"),
            Role::Muted,
        ));
    } else if let Some(access) = batch.latest_access_status.or(batch.access_status) {
        let gateway = &batch.gateway;
        let served = match (gateway.served_by_account, gateway.served_by_ours) {
            (Some(id), true) => model.fill("batch.served-ours", &[("id", &id.to_string())]),
            (Some(id), false) => model.fill("batch.served-other", &[("id", &id.to_string())]),
            (None, _) => model.say("batch.served-none"),
        };
        lines.push(field(
            &model.say("field.access"),
            model.fill(
                "batch.gateway",
                &[
                    ("access", &model.say(&format!("access.{access}"))),
                    ("models", &gateway.status_code.to_string()),
                    ("completion", &gateway.completion_status.to_string()),
                    ("served", &served),
                ],
            ),
            Role::Text,
        ));
    }
    if let Some(class) = batch.completion_classification {
        lines.push(field(
            &model.say("field.upstream"),
            asked_directly(
                model,
                &batch.upstream,
                &model.say(&format!("upstream.{class}")),
            ),
            Role::Text,
        ));
    }
    lines.push(field(
        &model.say("field.owner"),
        format!("{}, {}", batch.owner, clock(model, batch.created_ms)),
        Role::Muted,
    ));
    lines
}

pub(super) fn batch(model: &Model, id: BatchId) -> Content {
    let Some(batch) = known(model, id) else {
        return Content::text(vec![note(model.say("batch.gone"), Role::Muted)]);
    };
    let mut head = head(model, batch);
    head.push(field(
        &model.say("field.command"),
        format!("cockpit batch show {}", id.0),
        Role::Muted,
    ));
    let Some((_, detail)) = model.details.get(&id) else {
        return Content::text(vec![note(model.say("batch.reading"), Role::Muted)]).head(head);
    };
    let sections: &[&str] = match batch.kind {
        BatchKind::Import => &["items", "resources", "events", "journal"],
        BatchKind::Repair | BatchKind::Adopt | BatchKind::Access => {
            &["resources", "events", "journal"]
        }
        // They hold nothing on the host: what they did stands in the journal.
        BatchKind::Prune | BatchKind::Recover => &["events", "journal"],
    };
    let section = model.trail.view().section;
    let mut list = match sections.get(section) {
        Some(&"resources") => resources(model, detail),
        Some(&"events") => events(model, detail),
        Some(&"journal") => journal(model, detail),
        _ => items(model, detail),
    };
    if list.empty.is_empty() {
        list.empty = vec![note(model.say("batch.nothing-yet"), Role::Muted)];
    }
    Content {
        head,
        sections: sections
            .iter()
            .map(|name| model.say(&format!("section.{name}")))
            .collect(),
        body: Body::List(list),
    }
}

fn item_mark(item: &Item) -> (&'static str, Role) {
    match item.account_status {
        Some(AccountStatus::Passed) => ("+", Role::Ok),
        Some(AccountStatus::Warning) => ("~", Role::Warn),
        Some(AccountStatus::Failed) => ("x", Role::Fail),
        None => (">", Role::Warming),
    }
}

fn items(model: &Model, detail: &BatchDetail) -> List {
    let rows = detail
        .items
        .iter()
        .map(|item| {
            let (glyph, role) = item_mark(item);
            let status = item.account_status.map_or_else(String::new, |status| {
                model.say(&format!("account.{status}"))
            });
            Row::new(
                item.id.0.to_string(),
                vec![
                    Cell::new(glyph, role),
                    Cell::muted(item.line.to_string()),
                    Cell::plain(item.key.clone()),
                    Cell::plain(model.say(&format!("stage.{}", item.stage))),
                    Cell::new(status, role),
                    Cell::muted(item.account_probe_summary.clone()),
                ],
            )
            .broken(item.account_status == Some(AccountStatus::Failed))
            .copies(item.fingerprint.to_string())
            .hidden(format!("{} {}", item.fingerprint, item.account_name))
            .opens(Place::Item(detail.batch.id, item.id))
        })
        .collect();
    List {
        columns: vec![
            Column::fit("", 1, 1, 0),
            Column::fit("col.line", 4, 6, 3).right(),
            Column::fit("col.key-name", 8, 16, 0),
            Column::fit("col.stage", 5, 12, 2),
            Column::fit("col.status", 6, 10, 0),
            Column::grow("col.summary", 12, 1),
        ],
        rows,
        empty: Vec::new(),
    }
}

fn resources(model: &Model, detail: &BatchDetail) -> List {
    let rows = detail
        .resources
        .iter()
        .map(|row| {
            let undone = if row.undone {
                model.say("resource.undone")
            } else {
                String::new()
            };
            Row::new(
                format!("{}/{}", row.kind, row.host_resource_id),
                vec![
                    Cell::plain(row.kind.to_string()),
                    Cell::muted(format!("#{}", row.host_resource_id)),
                    Cell::plain(row.name.clone()),
                    Cell::plain(model.say(&format!("origin.{}", row.origin.as_str()))),
                    Cell::muted(undone),
                ],
            )
        })
        .collect();
    List {
        columns: vec![
            Column::fit("col.type", 5, 12, 0),
            Column::fit("col.id", 3, 8, 0),
            Column::grow("col.resource-name", 12, 0),
            Column::fit("col.origin", 6, 10, 1),
            Column::fit("", 0, 10, 2),
        ],
        rows,
        empty: vec![note(model.say("resource.none"), Role::Muted)],
    }
}

fn events(model: &Model, detail: &BatchDetail) -> List {
    let rows = detail
        .events
        .iter()
        .enumerate()
        .rev()
        .map(|(at, event)| {
            Row::new(
                at.to_string(),
                vec![
                    Cell::muted(clock(model, event.at_ms)),
                    Cell::plain(event.kind.clone()),
                    Cell::plain(event.text.clone()),
                ],
            )
        })
        .collect();
    List {
        columns: vec![
            Column::fit("col.at", 5, 11, 0),
            Column::fit("col.event-name", 8, 22, 0),
            Column::grow("col.text", 12, 0),
        ],
        rows,
        empty: Vec::new(),
    }
}

fn journal(model: &Model, detail: &BatchDetail) -> List {
    let rows = detail
        .journal
        .iter()
        .map(|row| {
            Row::new(
                row.id.0.to_string(),
                vec![
                    Cell::muted(clock(model, row.at_ms)),
                    Cell::plain(format!("{} {}", row.kind.as_str(), row.resource)),
                    Cell::plain(row.target.clone()),
                    Cell::new(
                        model.say(&format!("step.{}", row.state)),
                        if row.is_open() {
                            Role::Warn
                        } else {
                            Role::Muted
                        },
                    ),
                    Cell::muted(row.answer.clone()),
                ],
            )
            .broken(row.is_open())
        })
        .collect();
    List {
        columns: vec![
            Column::fit("col.at", 5, 11, 2),
            Column::fit("col.step-name", 8, 22, 0),
            Column::fit("col.target", 8, 30, 1),
            Column::fit("col.state", 4, 10, 0),
            Column::grow("col.answer", 8, 3),
        ],
        rows,
        empty: Vec::new(),
    }
}

pub(super) fn item(model: &Model, batch: BatchId, id: ItemId) -> Content {
    let known = model.details.get(&batch).and_then(|(_, detail)| {
        let item = detail.items.iter().find(|item| item.id == id)?;
        Some((detail, item))
    });
    let Some((detail, item)) = known else {
        return Content::text(vec![note(model.say("batch.reading"), Role::Muted)]);
    };
    let (glyph, role) = item_mark(item);
    let mut lines = vec![
        vec![
            Cell::new(format!("{glyph} "), role),
            Cell::new(format!("{batch}#item{}", item.id.0), Role::Title),
            Cell::plain(format!("  {}  {}", item.key, item.fingerprint)),
        ],
        Vec::new(),
    ];
    let mut say = |key: &str, text: String, role: Role| {
        if !text.is_empty() {
            lines.push(field(&model.say(key), text, role));
        }
    };
    say(
        "field.stage",
        model.say(&format!("stage.{}", item.stage)),
        Role::Text,
    );
    say("field.found", item.account_probe_summary.clone(), role);
    let account = item
        .account_id
        .map_or_else(String::new, |account| format!("#{account} "));
    say(
        "field.account",
        format!("{account}{}", item.account_name),
        Role::Text,
    );
    say(
        "field.upstream",
        asked_directly(
            model,
            &item.upstream,
            format!(
                "{}  {}",
                item.upstream.upstream_chat_type, item.upstream.upstream_chat_preview
            )
            .trim(),
        ),
        Role::Text,
    );
    say("field.tried", tried(model, item), Role::Text);
    for attempt in &item.earlier {
        say("field.earlier", attempt.to_string(), Role::Muted);
    }
    lines.push(Vec::new());
    lines.push(stages(model, detail, item));
    for event in detail.events.iter().filter(|event| event.item == Some(id)) {
        lines.push(vec![
            Cell::muted(format!("{}  ", clock(model, event.at_ms))),
            Cell::plain(event.text.clone()),
        ]);
    }
    Content::text(lines)
}

/// How often a key was taken up, when that was more than once.
fn tried(model: &Model, item: &Item) -> String {
    let times = item.earlier.len() + usize::try_from(item.attempts).unwrap_or(0);
    if times < 2 {
        return String::new();
    }
    model.fill("item.tried", &[("count", &times.to_string())])
}

/// The way of a key and how far it is: account, judged, probe, access.
fn stages(model: &Model, detail: &BatchDetail, item: &Item) -> Note {
    let batch = &detail.batch;
    let good = item
        .account_status
        .map(|status| status != AccountStatus::Failed);
    let asked =
        item.upstream.upstream_models_status != 0 || item.upstream.upstream_chat_status != 0;
    let probed = asked.then(|| {
        let said = &item.upstream;
        matches!(said.upstream_models_status, 0 | 200)
            && matches!(said.upstream_chat_status, 0 | 200)
    });
    let looked = batch.gateway.tries > 0 && good.is_some();
    let ready = batch.gateway.completion_ok && batch.gateway.served_by_ours;
    let access = looked.then_some(ready && good == Some(true));
    let parts = [
        ("way.account", item.account_id.map(|_| true)),
        ("way.judged", good),
        ("way.probe", probed),
        ("way.access", access),
    ];
    let mut line = Vec::new();
    for (name, state) in parts {
        if !line.is_empty() {
            line.push(Cell::muted(" > "));
        }
        let (glyph, role) = match state {
            Some(true) => ("+", Role::Ok),
            Some(false) => ("x", Role::Fail),
            None => (".", Role::Muffled),
        };
        line.push(Cell::new(format!("{glyph} {}", model.say(name)), role));
    }
    line
}
