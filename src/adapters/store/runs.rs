//! Walks along runbooks: saved whole, with a revision, so that no two processes take one step.

use super::error::{Result, StoreError, failure};
use super::guard::Guard;
use super::schema::{json, to_json};
use super::{SqliteStore, results};
use cockpit_domain::ids::RunId;
use cockpit_domain::runbook::Run;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::AuditRow;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

/// Parts of a step that are acted upon later: no text in them may be cut.
const EXACT: [&str; 7] = ["id", "deed", "back", "looks_at", "take", "checks", "when"];

impl SqliteStore {
    pub(super) async fn add_new_run(&self, run: &Run) -> Outcome<RunId> {
        let (run, body) = (run.clone(), body(&self.guard, run)?);
        self.write(move |db| {
            db.prepare(
                "INSERT INTO runs (revision, name, state, started_ms, updated_ms, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                run.revision,
                run.name,
                run.state.as_str(),
                run.started_ms,
                run.updated_ms,
                body,
            ])?;
            Ok(RunId(db.last_insert_rowid()))
        })
        .await
    }

    pub(super) async fn replace_run(&self, run: &Run, audit: Option<&AuditRow>) -> Outcome<()> {
        let (run, body) = (run.clone(), body(&self.guard, run)?);
        let audit = audit.map(|audit| results::guarded(audit, &self.guard));
        self.write(move |db| {
            let changed = db
                .prepare(
                    "UPDATE runs SET revision = revision + 1, state = ?3, updated_ms = ?4, body = ?5
                     WHERE id = ?1 AND revision = ?2",
                )?
                .execute(params![
                    run.id.0,
                    run.revision,
                    run.state.as_str(),
                    run.updated_ms,
                    body,
                ])?;
            if changed == 0 {
                let message = format!("{} was gone on with by somebody else", run.id);
                return Err(StoreError::from(
                    Failure::new(FailureKind::Conflict, message).hint(format!(
                        "look where it stands: `cockpit runbook runs {}`",
                        run.id.0
                    )),
                ));
            }
            match &audit {
                Some(audit) => results::add_audit(db, audit),
                None => Ok(()),
            }
        })
        .await
    }
}

/// The row's body: what is shown is redacted, what is acted upon is refused instead.
fn body(guard: &Guard, run: &Run) -> Outcome<String> {
    let whole = to_json(run).map_err(|error| match error {
        StoreError::Ready(failure) => *failure,
        StoreError::Sqlite(error) => failure(error.to_string()),
    })?;
    let shown = guard.json(&whole);
    let steps = |value: &Value| -> Vec<Value> {
        let rows = value["steps"].as_array().cloned().unwrap_or_default();
        let parts = rows
            .iter()
            .flat_map(|row| EXACT.map(|part| row[part].clone()));
        parts.collect()
    };
    if whole["values"] != shown["values"] || steps(&whole) != steps(&shown) {
        return Err(
            failure("a value or a word of this runbook looks like a secret")
                .hint("a runbook's values are kept and shown: leave secrets to the machine"),
        );
    }
    Ok(shown.to_string())
}

pub(super) fn find(db: &Connection, id: RunId) -> Result<Option<Run>> {
    let row = db
        .prepare("SELECT id, revision, body FROM runs WHERE id = ?1")?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    row.map(|row| read(&row)).transpose()
}

pub(super) fn list(db: &Connection, most: usize) -> Result<Vec<Run>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = db.prepare("SELECT id, revision, body FROM runs ORDER BY id DESC LIMIT ?1")?;
    let rows = rows.query_map([most], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.map(|row| read(&row?)).collect()
}

fn read((id, revision, body): &(i64, i64, String)) -> Result<Run> {
    let mut run: Run = json("a run of a runbook", body)?;
    run.id = RunId(*id);
    run.revision = *revision;
    Ok(run)
}
