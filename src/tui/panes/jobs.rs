//! Jobs: what runs, at which stage, since when; what ended, and how.

use super::said::{age, clock};
use crate::content::{Cell, Column, Content, List, Row, field, note};
use crate::model::Model;
use crate::place::Place;
use crate::theme::Role;
use cockpit_domain::ids::JobId;
use cockpit_engine::supervisor::{JobState, JobView};

const COLUMNS: [Column; 6] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.job-name", 6, 18, 0),
    Column::fit("col.subject", 4, 24, 1),
    Column::fit("col.status", 4, 10, 2),
    Column::grow("col.stage", 12, 0),
    Column::fit("col.age", 3, 4, 3).right(),
];

fn mark(job: &JobView) -> (&'static str, Role, &'static str) {
    match job.state {
        JobState::Running => (">", Role::Warming, "job.running"),
        JobState::Paused => ("=", Role::Waived, "job.paused"),
        JobState::Stopping => ("~", Role::Warn, "job.stopping"),
        JobState::Done => ("+", Role::Ok, "job.done"),
        JobState::Failed => ("x", Role::Fail, "job.failed"),
    }
}

/// How far a job is, in a few words: what it counts and how fast, what it waits for and how long.
pub(crate) fn stage(model: &Model, job: &JobView) -> String {
    let told = at(model, job);
    if job.state == JobState::Paused {
        return format!("{}  {told}", model.say("job.paused"));
    }
    told
}

/// The same where the state stands beside it.
fn at(model: &Model, job: &JobView) -> String {
    if let Some(failure) = &job.failure {
        return failure.message.clone();
    }
    let Some(progress) = &job.progress else {
        return String::new();
    };
    let mut parts = Vec::new();
    if progress.total > 0 {
        parts.push(format!("{}/{}", progress.done, progress.total));
    }
    if let Some(pace) = job
        .pace(model.now_ms)
        .filter(|_| job.state == JobState::Running)
    {
        let steps = format!("{:.1}", pace.steps_per_second);
        let left = left(pace.left_ms);
        parts.push(model.fill("job.pace", &[("steps", &steps), ("left", &left)]));
    }
    if let Some(left_ms) = job.left_ms(model.now_ms).filter(|_| job.is_live()) {
        let left = left(left_ms);
        parts.push(model.fill("job.left", &[("left", &left)]));
    }
    parts.push(progress.text.clone());
    parts.join("  ")
}

/// A time to come: `45s`, `3m05s`.
fn left(ms: i64) -> String {
    let seconds = (ms + 999) / 1_000;
    if seconds < 60 {
        format!("{seconds}s")
    } else {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    }
}

pub(super) fn list(model: &Model) -> Content {
    let mut jobs: Vec<&JobView> = model.seen().jobs.iter().collect();
    jobs.sort_by_key(|job| (!job.is_live(), std::cmp::Reverse(job.id)));
    let rows = jobs
        .into_iter()
        .map(|job| {
            let (glyph, role, word) = mark(job);
            Row::new(
                job.id.to_string(),
                vec![
                    Cell::new(glyph, role),
                    Cell::plain(job.name),
                    Cell::plain(job.subject.clone()),
                    Cell::new(model.say(word), role),
                    Cell::muted(at(model, job)),
                    Cell::muted(age(model, job.ended_ms.unwrap_or(job.started_ms))),
                ],
            )
            .broken(job.state == JobState::Failed)
            .copies(job.command_line.clone())
            .opens(
                // A plan that came back is more than what is left to say of its job.
                (model.planned.get(&job.id)).map_or(Place::Job(job.id), |plan| Place::Plan(*plan)),
            )
        })
        .collect();
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: vec![note(model.say("jobs.empty"), Role::Muted)],
    })
}

pub(super) fn job(model: &Model, id: JobId) -> Content {
    let Some(job) = model.seen().jobs.iter().find(|job| job.id == id) else {
        return Content::text(vec![note(model.say("job.gone"), Role::Muted)]);
    };
    let (glyph, role, word) = mark(job);
    let mut lines = vec![
        vec![
            Cell::new(format!("{glyph} {}", model.say(word)), role),
            Cell::new(format!("  {id}  {} {}", job.name, job.subject), Role::Title),
        ],
        Vec::new(),
        field(&model.say("field.stage"), at(model, job), Role::Text),
        field(
            &model.say("field.since"),
            format!(
                "{}, {} {}",
                clock(model, job.started_ms),
                model.say("job.stage-since"),
                clock(model, job.stage_since_ms)
            ),
            Role::Muted,
        ),
    ];
    if let Some(failure) = &job.failure {
        lines.push(field(
            &model.say("field.doing"),
            failure.doing.clone(),
            Role::Text,
        ));
        lines.push(field(
            &model.say("field.next"),
            failure.hint.clone(),
            Role::Key,
        ));
    }
    lines.push(field(
        &model.say("field.command"),
        job.command_line.clone(),
        Role::Muted,
    ));
    Content::text(lines)
}
