//! The journal: intent before a remote write, outcome after it.

use super::batches::one;
use super::error::{Result, StoreError, damaged};
use super::schema::{json, word};
use cockpit_domain::ids::{BatchId, RemoteId, StepId};
use cockpit_domain::journal::{Intent, JournalRow, StepKind, StepState};
use cockpit_domain::resource::ResourceKind;
use cockpit_engine::failure::{Failure, FailureKind};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Writes an intent; `target` and `before` went through the guard.
pub(super) fn intend(
    db: &Connection,
    intent: &Intent,
    target: &str,
    before: &str,
) -> Result<StepId> {
    db.prepare(
        "INSERT INTO journal (batch, host, kind, resource, target, request_digest,
             idempotency_key, before, state, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'intended', ?9)",
    )?
    .execute(params![
        intent.batch.0,
        intent.host.as_str(),
        intent.kind.as_str(),
        intent.resource.as_str(),
        target,
        intent.request_digest,
        intent.idempotency_key,
        before,
        intent.at_ms,
    ])?;
    Ok(StepId(db.last_insert_rowid()))
}

fn state_of(db: &Connection, step: StepId) -> Result<StepState> {
    let state: Option<String> = db
        .prepare("SELECT state FROM journal WHERE id = ?1")?
        .query_row([step.0], |row| row.get(0))
        .optional()?;
    match state {
        Some(state) => word("a step's state", &state, StepState::parse),
        None => one(0, || format!("there is no {step}")).and(Err(damaged("the journal"))),
    }
}

/// A step that took effect stays so: undoing it is a step of its own.
fn refuse_rewriting(step: StepId, from: StepState, to: StepState) -> Result<()> {
    if from == StepState::Done && to != StepState::Done {
        return Err(StoreError::from(Failure::new(
            FailureKind::Internal,
            format!("{step} is done and cannot become `{to}`"),
        )));
    }
    Ok(())
}

pub(super) fn mark_sent(db: &Connection, step: StepId) -> Result<()> {
    refuse_rewriting(step, state_of(db, step)?, StepState::Sent)?;
    let changed = db
        .prepare("UPDATE journal SET state = 'sent', sends = sends + 1 WHERE id = ?1")?
        .execute([step.0])?;
    one(changed, || format!("there is no {step}"))
}

pub(super) fn settle(
    db: &Connection,
    step: StepId,
    state: StepState,
    answer: &str,
    resource: Option<RemoteId>,
    at_ms: i64,
) -> Result<()> {
    refuse_rewriting(step, state_of(db, step)?, state)?;
    let changed = db
        .prepare(
            "UPDATE journal SET state = ?2, answer = ?3, settled_ms = ?5,
                 lost_ms = CASE ?2 WHEN 'unknown' THEN ?5 ELSE lost_ms END,
                 host_resource_id = coalesce(?4, host_resource_id) WHERE id = ?1",
        )?
        .execute(params![
            step.0,
            state.as_str(),
            answer,
            resource.map(|id| id.0),
            at_ms
        ])?;
    one(changed, || format!("there is no {step}"))
}

pub(super) fn of_batch(db: &Connection, batch: BatchId) -> Result<Vec<JournalRow>> {
    let mut rows = db.prepare(
        "SELECT id, kind, resource, target, state, host_resource_id, idempotency_key,
                request_digest, before, answer, at_ms, sends, lost_ms
         FROM journal WHERE batch = ?1 ORDER BY id",
    )?;
    let rows = rows.query_map([batch.0], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

fn read(row: &Row<'_>) -> Result<JournalRow> {
    let text = |column: usize| row.get::<_, String>(column);
    Ok(JournalRow {
        id: StepId(row.get(0)?),
        kind: word("a step's kind", &text(1)?, StepKind::parse)?,
        resource: word("a step's resource", &text(2)?, ResourceKind::parse)?,
        target: text(3)?,
        state: word("a step's state", &text(4)?, StepState::parse)?,
        host_resource_id: row.get::<_, Option<i64>>(5)?.map(RemoteId),
        idempotency_key: text(6)?,
        request_digest: text(7)?,
        before: json("a before-image", &text(8)?)?,
        answer: text(9)?,
        at_ms: row.get(10)?,
        sends: row.get(11)?,
        lost_ms: row.get(12)?,
    })
}
