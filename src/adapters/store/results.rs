//! Results kept for history, and the audit.

use super::error::{Result, damaged};
use super::guard::Guard;
use super::schema::json;
use cockpit_domain::ids::{BatchId, HostId};
use cockpit_engine::ports::{AuditRow, KeptResult, ResultKind};
use rusqlite::{Connection, params};

/// Results kept of one subject; older ones go.
const KEPT: i64 = 2000;
/// Whole runs of a baseline: what its checks came to is kept for longer, by check.
const KEPT_RUNS: i64 = 50;

pub(super) fn kind_word(kind: ResultKind) -> &'static str {
    match kind {
        ResultKind::Baseline => "baseline",
        ResultKind::Probe => "probe",
        ResultKind::Reconcile => "reconcile",
        ResultKind::Drift => "drift",
        ResultKind::Host => "host",
        ResultKind::Access => "access",
        ResultKind::Machine => "machine",
        ResultKind::Recover => "recover",
        ResultKind::Trouble => "trouble",
        ResultKind::Gate => "gate",
        ResultKind::Sample => "sample",
    }
}

pub(super) fn keep(
    db: &Connection,
    kind: ResultKind,
    subject: &str,
    at_ms: i64,
    body: &str,
) -> Result<()> {
    let most = match kind {
        ResultKind::Baseline => KEPT_RUNS,
        _ => KEPT,
    };
    let kind = kind_word(kind);
    db.prepare("INSERT INTO results (kind, subject, at_ms, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![kind, subject, at_ms, body])?;
    db.prepare(
        "DELETE FROM results WHERE kind = ?1 AND subject = ?2 AND id <= (
             SELECT id FROM results WHERE kind = ?1 AND subject = ?2
             ORDER BY id DESC LIMIT 1 OFFSET ?3)",
    )?
    .execute(params![kind, subject, most])?;
    Ok(())
}

pub(super) fn kept(
    db: &Connection,
    kind: ResultKind,
    subject: &str,
    most: usize,
) -> Result<Vec<KeptResult>> {
    let mut rows = db.prepare(
        "SELECT at_ms, body FROM results WHERE kind = ?1 AND subject = ?2
         ORDER BY id DESC LIMIT ?3",
    )?;
    let rows = rows.query_map(params![kind_word(kind), subject, limit(most)], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    rows.map(|row| {
        let (at_ms, body) = row?;
        Ok(KeptResult {
            at_ms,
            body: json("a kept result", &body)?,
        })
    })
    .collect()
}

/// SQLite counts in signed numbers.
fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// An audit line with its words redacted.
pub(super) fn guarded(audit: &AuditRow, guard: &Guard) -> AuditRow {
    AuditRow {
        who: guard.prose(&audit.who),
        request: guard.prose(&audit.request),
        answer: guard.prose(&audit.answer),
        reason: guard.prose(&audit.reason),
        ..audit.clone()
    }
}

pub(super) fn add_audit(db: &Connection, audit: &AuditRow) -> Result<()> {
    db.prepare(
        "INSERT INTO audit (at_ms, who, host, batch, plan_hash, request, answer, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        audit.at_ms,
        audit.who,
        audit.host.as_str(),
        audit.batch.map(|batch| batch.0),
        audit.plan_hash,
        audit.request,
        audit.answer,
        audit.reason,
    ])?;
    Ok(())
}

pub(super) fn audit(db: &Connection, most: usize) -> Result<Vec<AuditRow>> {
    let mut rows = db.prepare(
        "SELECT at_ms, who, host, batch, plan_hash, request, answer, reason
         FROM audit ORDER BY id DESC LIMIT ?1",
    )?;
    let rows = rows.query_map([limit(most)], |row| {
        Ok((
            row.get::<_, String>(2)?,
            AuditParts {
                at_ms: row.get(0)?,
                who: row.get(1)?,
                batch: row.get::<_, Option<i64>>(3)?.map(BatchId),
                plan_hash: row.get(4)?,
                request: row.get(5)?,
                answer: row.get(6)?,
                reason: row.get(7)?,
            },
        ))
    })?;
    rows.map(|row| {
        let (host, parts) = row?;
        let host = HostId::new(host).map_err(|_| damaged("the host of an audit line"))?;
        Ok(parts.at(host))
    })
    .collect()
}

/// An audit row before its host was checked.
struct AuditParts {
    at_ms: i64,
    who: String,
    batch: Option<BatchId>,
    plan_hash: String,
    request: String,
    answer: String,
    reason: String,
}

impl AuditParts {
    fn at(self, host: HostId) -> AuditRow {
        AuditRow {
            at_ms: self.at_ms,
            who: self.who,
            host,
            batch: self.batch,
            plan_hash: self.plan_hash,
            request: self.request,
            answer: self.answer,
            reason: self.reason,
        }
    }
}
