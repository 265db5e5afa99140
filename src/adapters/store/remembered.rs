//! What a board is begun from, in one read: newest results, batches with their keys counted, and
//! the leases that are held.

use super::error::{Result, damaged};
use super::lease::Locks;
use super::results::kind_word;
use super::schema::{json, word};
use super::{SqliteStore, batches, history, schema};
use cockpit_domain::batch::{AccountStatus, Batch, ItemStage};
use cockpit_engine::board::{LeaseSeen, Tally};
use cockpit_engine::failure::Outcome;
use cockpit_engine::ports::{KeptResult, Remembered, ResultKind};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// Ended batches that are read; those that still run or were interrupted all are.
const BATCHES: i64 = 100;

/// Kinds whose newest result a board shows.
const KINDS: [ResultKind; 6] = [
    ResultKind::Baseline,
    ResultKind::Drift,
    ResultKind::Host,
    ResultKind::Machine,
    ResultKind::Probe,
    ResultKind::Trouble,
];

impl SqliteStore {
    pub(super) async fn remember(&self) -> Outcome<Remembered> {
        let locks = self.locks();
        // Not one transaction: a batch that ends while this is read is looked at a second time.
        self.read(move |db| {
            Ok(Remembered {
                results: newest(db)?,
                batches: counted(db, &locks)?,
                leases: locks.held(db)?,
                waivers: history::waivers(db)?,
            })
        })
        .await
    }

    pub(super) async fn held_leases(&self) -> Outcome<Vec<LeaseSeen>> {
        let locks = self.locks();
        self.read(move |db| locks.held(db)).await
    }
}

/// The newest result of each subject. Jumps from subject to subject over the index: what it costs
/// does not grow with the history that is kept.
fn newest(db: &Connection) -> Result<Vec<(ResultKind, String, KeptResult)>> {
    let mut rows = db.prepare(
        "WITH RECURSIVE subjects (subject) AS (
             SELECT MIN(subject) FROM results WHERE kind = ?1
             UNION ALL
             SELECT (SELECT MIN(subject) FROM results
                     WHERE kind = ?1 AND results.subject > subjects.subject)
             FROM subjects WHERE subjects.subject IS NOT NULL
         )
         SELECT results.subject, at_ms, body FROM subjects JOIN results ON results.id = (
             SELECT MAX(id) FROM results
             WHERE kind = ?1 AND results.subject = subjects.subject)",
    )?;
    let mut found = Vec::new();
    for kind in KINDS {
        let read = rows.query_map([kind_word(kind)], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
            ))
        })?;
        for row in read {
            let (subject, at_ms, body) = row?;
            let body = json("a kept result", &body)?;
            found.push((kind, subject, KeptResult { at_ms, body }));
        }
    }
    Ok(found)
}

/// The newest batches and all that are not ended, newest first, each with its keys counted.
fn counted(db: &Connection, locks: &Locks) -> Result<Vec<(Batch, Tally)>> {
    let mut ids = db.prepare(
        "SELECT id FROM (SELECT id FROM batches ORDER BY id DESC LIMIT ?1)
         UNION SELECT id FROM batches WHERE status IN ('running', 'interrupted')
         ORDER BY id DESC",
    )?;
    let ids: Vec<i64> = ids
        .query_map([BATCHES], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let asked = schema::to_json(&ids)?.to_string();
    let mut tallies: BTreeMap<i64, Tally> = BTreeMap::new();
    let mut counts = db.prepare(
        "SELECT batch, stage, account_status, COUNT(*) FROM json_each(?1) AS asked
         JOIN items ON items.batch = asked.value
         GROUP BY batch, stage, account_status",
    )?;
    let mut rows = counts.query(params![asked])?;
    while let Some(row) = rows.next()? {
        let stage: String = row.get(1)?;
        let status: Option<String> = row.get(2)?;
        let stage = word("the stage of a key", &stage, ItemStage::parse)?;
        let status = status
            .map(|status| word("the status of a key", &status, AccountStatus::parse))
            .transpose()?;
        let keys = usize::try_from(row.get::<_, i64>(3)?).map_err(|_| damaged("a count"))?;
        let tally = tallies.entry(row.get(0)?).or_default();
        tally.count(stage, status, keys);
    }
    let batches = batches::of_ids(db, locks, &ids)?;
    Ok(batches
        .into_iter()
        .map(|batch| {
            let tally = tallies.get(&batch.id.0).copied().unwrap_or_default();
            (batch, tally)
        })
        .collect())
}
