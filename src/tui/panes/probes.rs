//! Probe results: host x provider x protocol, the upstream beside the host, the first bad hop
//! marked.

use super::said::{age, clock, is_stale};
use crate::content::{Cell, Column, Content, List, Row, field, note};
use crate::model::Model;
use crate::place::Place;
use crate::theme::Role;
use cockpit_engine::probe::{ProbeClass, first_bad, is_bad};

const COLUMNS: [Column; 8] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.path-name", 8, 28, 0),
    Column::fit("col.hop", 4, 8, 2),
    Column::fit("col.protocol", 6, 8, 1),
    Column::fit("col.class", 4, 14, 0),
    Column::fit("col.ms", 3, 7, 4).right(),
    Column::grow("col.found", 20, 0),
    Column::fit("col.age", 3, 4, 3).right(),
];

fn mark(class: ProbeClass) -> (&'static str, Role) {
    match class {
        ProbeClass::Ok => ("+", Role::Ok),
        ProbeClass::Unreachable => ("/", Role::Unreachable),
        ProbeClass::Skipped => (".", Role::Muffled),
        ProbeClass::RateLimited => ("~", Role::Warn),
        ProbeClass::Auth
        | ProbeClass::Quota
        | ProbeClass::NoAccount
        | ProbeClass::ModelMissing
        | ProbeClass::Unexpected => ("x", Role::Fail),
    }
}

fn word(model: &Model, class: ProbeClass) -> String {
    let name = serde_json::to_value(class).unwrap_or_default();
    model.say(&format!("class.{}", name.as_str().unwrap_or_default()))
}

pub(super) fn list(model: &Model) -> Content {
    let mut rows = Vec::new();
    for (subject, known) in &model.board().probes {
        let first = first_bad(&known.value);
        for (at, probe) in known.value.iter().enumerate() {
            let (mut glyph, mut role) = mark(probe.class);
            if is_stale(model, known.at_ms) {
                (glyph, role) = ("?", Role::Unknown);
            }
            let mut found = probe.found.clone();
            if first == Some(at) {
                found = format!("{} {found}", model.say("probe.first-bad"));
            }
            rows.push(
                Row::new(
                    format!("{subject} {} {}", probe.hop, probe.protocol),
                    vec![
                        Cell::new(glyph, role),
                        Cell::plain(subject.clone()),
                        Cell::plain(probe.hop.clone()),
                        Cell::plain(probe.protocol.clone()),
                        Cell::new(word(model, probe.class), role),
                        Cell::muted(probe.duration_ms.to_string()),
                        Cell::new(
                            found,
                            if is_bad(probe) {
                                Role::Text
                            } else {
                                Role::Muted
                            },
                        ),
                        Cell::muted(age(model, known.at_ms)),
                    ],
                )
                .broken(is_bad(probe))
                .opens(Place::Probe(
                    subject.clone(),
                    format!("{} {}", probe.hop, probe.protocol),
                )),
            );
        }
    }
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: vec![
            note(model.say("probes.empty"), Role::Text),
            note(model.say("probes.empty-next"), Role::Muted),
        ],
    })
}

pub(super) fn probe(model: &Model, subject: &str, row: &str) -> Content {
    let found = model.board().probes.get(subject).and_then(|known| {
        known
            .value
            .iter()
            .find(|probe| format!("{} {}", probe.hop, probe.protocol) == row)
            .map(|probe| (known.at_ms, probe))
    });
    let Some((at_ms, probe)) = found else {
        return Content::text(vec![note(model.say("probe.gone"), Role::Muted)]);
    };
    let (glyph, role) = mark(probe.class);
    let provider = subject
        .split_once('/')
        .map_or_else(String::new, |(_, provider)| {
            format!(" --provider {provider}")
        });
    Content::text(vec![
        vec![
            Cell::new(format!("{glyph} {}", word(model, probe.class)), role),
            Cell::new(format!("  {subject}  {row}"), Role::Title),
        ],
        Vec::new(),
        field(&model.say("field.found"), probe.found.clone(), Role::Text),
        field(
            &model.say("field.status"),
            format!(
                "HTTP {}, {} ms  {}",
                probe.status, probe.duration_ms, probe.content_type
            ),
            Role::Text,
        ),
        field(
            &model.say("field.looked"),
            format!("{} ({})", clock(model, at_ms), age(model, at_ms)),
            Role::Muted,
        ),
        field(
            &model.say("field.command"),
            format!("cockpit probe run --host {}{provider}", probe.host),
            Role::Muted,
        ),
    ])
}
