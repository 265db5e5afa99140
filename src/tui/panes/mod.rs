//! What each page says, out of what is known. No state of its own: a page is a function of the
//! model and its place.

mod activity;
mod baseline;
mod batches;
mod doctor;
mod drift;
mod gate;
mod history;
mod hosts;
mod jobs;
mod log;
mod matrix;
mod plan;
mod pool;
mod probes;
mod resources;
mod runbooks;
mod said;
mod siblings;
mod stacks;
mod triage;
mod watching;
mod welcome;

pub(crate) use baseline::mendable;
pub(crate) use batches::known as known_batch;
pub(crate) use jobs::stage;
pub(crate) use log::beside as log_beside;
pub(crate) use log::rows as log_rows;
pub(crate) use plan::counted;
pub(crate) use runbooks::{are_read as books_are_read, came_to};
pub(crate) use said::clock;
pub(crate) use triage::{finding_id, finding_of};
pub(crate) use watching::watched;

use crate::content::{Content, Note};
use crate::model::Model;
use crate::place::Place;

/// What a page says.
pub(crate) fn content(model: &Model, place: &Place) -> Content {
    match place {
        Place::Baseline => baseline::list(model),
        Place::Check(pack, check) => baseline::check(model, pack, check),
        Place::CheckHistory(pack, check) => history::page(model, pack, check),
        Place::Hosts => hosts::list(model),
        Place::Host(host) => hosts::host(model, host),
        Place::Pool(host) => pool::list(model, host),
        Place::Seat(host, group, account) => pool::seat(model, host, group, *account),
        Place::Drift => drift::list(model),
        Place::DriftOf(batch) => drift::of_batch(model, *batch),
        Place::Batches => batches::list(model),
        Place::Batch(batch) => batches::batch(model, *batch),
        Place::Item(batch, item) => batches::item(model, *batch, *item),
        Place::Probes => probes::list(model),
        Place::Probe(subject, row) => probes::probe(model, subject, row),
        Place::Log | Place::LogOf(_) => log::page(model),
        Place::LogLine(no) => log::line(model, *no),
        Place::LogSources => log::sources(model),
        Place::Jobs => jobs::list(model),
        Place::Job(job) => jobs::job(model, *job),
        Place::Activity => activity::list(model),
        Place::Written(no) => activity::written(model, *no),
        Place::Plan(plan) => plan::plan(model, *plan),
        Place::Change(plan, at) => plan::change(model, *plan, *at),
        Place::Outcome(plan) => plan::outcome(model, *plan),
        Place::Matrix => matrix::list(model),
        Place::Siblings(a, b) => siblings::page(model, a, b),
        Place::Gate => gate::page(model),
        Place::Stacks => stacks::list(model),
        Place::Stack(name) => stacks::stack(model, name),
        Place::Resources(host, provider) => resources::list(model, host, provider),
        Place::Runbooks => runbooks::list(model),
        Place::Runbook(id) => runbooks::book(model, id),
        Place::Run(run) => runbooks::run(model, *run),
        Place::RunStep(run, at) => runbooks::step(model, *run, *at),
        Place::Doctor => doctor::list(model),
        Place::Triage => triage::list(model),
        Place::Finding(id) => triage::finding(model, id),
        Place::Welcome => welcome::page(model),
    }
}

/// What belongs to a row of a list, shown beside it on a wide screen: the page behind it.
pub(crate) fn beside(model: &Model, opens: Option<&Place>) -> Vec<Note> {
    let Some(place) = opens else {
        return Vec::new();
    };
    let content = content(model, place);
    let mut lines = content.head;
    match content.body {
        crate::content::Body::Text(text) => lines.extend(text),
        crate::content::Body::List(list) => {
            lines.push(Vec::new());
            lines.extend(list.rows.iter().map(crate::content::Row::note));
        }
    }
    lines
}

/// The worst check and what to do about it, or another thing that waits for a person.
pub(crate) fn advice(model: &Model) -> Note {
    baseline::advice(model)
}
