//! Batches with their items and events.

use super::error::{Result, StoreError, damaged, failure};
use super::guard::Guard;
use super::schema::{json, to_json};
use super::{SqliteStore, lease, plans};
use cockpit_domain::batch::{AccountStatus, Batch, BatchEvent, BatchStatus, Interruption, Item};
use cockpit_domain::ids::{BatchId, HostId, ItemId, PackId, RemoteId};
use cockpit_domain::secret::Fingerprint;
use cockpit_engine::failure::Outcome;
use cockpit_engine::ports::KeyUse;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

/// Why a batch reads as interrupted although nobody said so.
pub(super) const GONE: &str = "the process that ran it is gone";

/// A value's body for its row: redacted, without the id, which is the row's own.
fn body<T: serde::Serialize>(value: &T, guard: &Guard) -> Result<String> {
    let mut body = guard.json(&to_json(value)?);
    if let Value::Object(fields) = &mut body {
        fields.remove("id");
    }
    Ok(body.to_string())
}

/// Reads a body back, putting the row's id where it belongs.
fn value<T: serde::de::DeserializeOwned>(what: &str, id: i64, body: &str) -> Result<T> {
    let mut body: Value = json(what, body)?;
    if let Value::Object(fields) = &mut body {
        fields.insert("id".to_owned(), Value::from(id));
    }
    serde_json::from_value(body).map_err(|error| {
        tracing::warn!(what, %error, "unreadable row");
        damaged(what)
    })
}

impl SqliteStore {
    pub(super) async fn make_batch(&self, batch: &Batch, items: &[Item]) -> Outcome<BatchId> {
        let at = |error: StoreError| error.at(&self.database);
        let batch_body = body(batch, &self.guard).map_err(at)?;
        let item_bodies = items
            .iter()
            .map(|item| body(item, &self.guard))
            .collect::<Result<Vec<_>>>()
            .map_err(at)?;
        let batch = batch.clone();
        self.write(move |db| {
            db.execute(
                "INSERT INTO batches (host, provider, plan, body) VALUES (?1, ?2, ?3, ?4)",
                params![
                    batch.host.as_str(),
                    batch.provider.as_str(),
                    batch.plan.0,
                    batch_body
                ],
            )?;
            let id = BatchId(db.last_insert_rowid());
            plans::mark_used(db, batch.plan, batch.created_ms, Some(id))?;
            let mut insert = db.prepare("INSERT INTO items (batch, body) VALUES (?1, ?2)")?;
            for item in &item_bodies {
                insert.execute(params![id.0, item])?;
            }
            Ok(id)
        })
        .await
    }

    pub(super) async fn replace_batch(&self, batch: &Batch) -> Outcome<()> {
        let id = batch.id;
        let mut batch = batch.clone();
        if batch.batch_status != BatchStatus::Interrupted {
            // What sort of stop it was is said of one that stands still, and of no other.
            batch.interrupted_by = None;
        }
        let body = body(&batch, &self.guard).map_err(|error| error.at(&self.database))?;
        self.write(move |db| {
            let changed = db
                .prepare("UPDATE batches SET body = ?2 WHERE id = ?1")?
                .execute(params![id.0, body])?;
            one(changed, || format!("there is no {id}"))
        })
        .await
    }

    pub(super) async fn replace_item(&self, item: &Item) -> Outcome<()> {
        let id = item.id;
        let body = body(item, &self.guard).map_err(|error| error.at(&self.database))?;
        self.write(move |db| {
            let changed = db
                .prepare("UPDATE items SET body = ?2 WHERE id = ?1")?
                .execute(params![id.0, body])?;
            one(changed, || format!("there is no {id}"))
        })
        .await
    }

    pub(super) async fn find_batch(&self, id: BatchId) -> Outcome<Option<Batch>> {
        let locks = self.locks();
        self.read(move |db| {
            let Some(batch) = find(db, id)? else {
                return Ok(None);
            };
            if !abandoned(&locks, &batch) {
                return Ok(Some(batch));
            }
            // It may have ended between the two looks: what it saved last decides.
            Ok(find(db, id)?.map(as_interrupted))
        })
        .await
    }

    pub(super) async fn list_batches(&self, host: Option<&HostId>) -> Outcome<Vec<Batch>> {
        let locks = self.locks();
        let host = host.cloned();
        self.read(move |db| {
            let batches = list(db, host.as_ref())?;
            looked_at(db, &locks, batches)
        })
        .await
    }
}

/// The batches of these ids, in their order.
pub(super) fn of_ids(db: &Connection, locks: &lease::Locks, ids: &[i64]) -> Result<Vec<Batch>> {
    let mut rows = db.prepare("SELECT body FROM batches WHERE id = ?1")?;
    let batches = ids
        .iter()
        .map(|id| {
            let body: String = rows.query_row([id], |row| row.get(0))?;
            value("a batch", *id, &body)
        })
        .collect::<Result<Vec<Batch>>>()?;
    looked_at(db, locks, batches)
}

/// Batches with those that nobody runs any more read as interrupted. One may have ended between
/// the two looks: what it saved last decides.
fn looked_at(db: &Connection, locks: &lease::Locks, mut batches: Vec<Batch>) -> Result<Vec<Batch>> {
    for batch in &mut batches {
        if abandoned(locks, batch)
            && let Some(now) = find(db, batch.id)?
        {
            *batch = as_interrupted(now);
        }
    }
    Ok(batches)
}

/// Whether exactly one row was meant and met.
pub(super) fn one(changed: usize, missing: impl FnOnce() -> String) -> Result<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::from(failure(missing())))
    }
}

fn abandoned(locks: &lease::Locks, batch: &Batch) -> bool {
    batch.batch_status == BatchStatus::Running && locks.is_free(&batch.host, &batch.provider)
}

fn as_interrupted(mut batch: Batch) -> Batch {
    if batch.batch_status == BatchStatus::Running {
        batch.batch_status = BatchStatus::Interrupted;
        GONE.clone_into(&mut batch.reason);
        batch.interrupted_by = Some(Interruption::Killed);
    }
    batch
}

fn find(db: &Connection, id: BatchId) -> Result<Option<Batch>> {
    db.prepare("SELECT body FROM batches WHERE id = ?1")?
        .query_row([id.0], |row| row.get::<_, String>(0))
        .optional()?
        .map(|body| value("a batch", id.0, &body))
        .transpose()
}

fn list(db: &Connection, host: Option<&HostId>) -> Result<Vec<Batch>> {
    let mut rows =
        db.prepare("SELECT id, body FROM batches WHERE ?1 IS NULL OR host = ?1 ORDER BY id DESC")?;
    let rows = rows.query_map([host.map(HostId::as_str)], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    rows.map(|row| {
        let (id, body) = row?;
        value("a batch", id, &body)
    })
    .collect()
}

/// The batches of (host, provider) that are written down as running.
pub(super) fn running(db: &Connection, host: &HostId, provider: &PackId) -> Result<Vec<BatchId>> {
    let mut rows = db.prepare(
        "SELECT id FROM batches WHERE host = ?1 AND provider = ?2 AND status = 'running' ORDER BY id",
    )?;
    let rows = rows.query_map([host.as_str(), provider.as_str()], |row| row.get(0))?;
    Ok(rows
        .collect::<rusqlite::Result<Vec<i64>>>()?
        .into_iter()
        .map(BatchId)
        .collect())
}

/// Marks the running batches of (host, provider) as interrupted, with an event each. For whoever
/// holds the lease: then nobody runs them.
pub(super) fn interrupt_stale(
    db: &Connection,
    host: &HostId,
    provider: &PackId,
    at_ms: i64,
    finder: &str,
) -> Result<()> {
    let stale: Vec<i64> = db
        .prepare("SELECT id FROM batches WHERE host = ?1 AND provider = ?2 AND status = 'running'")?
        .query_map([host.as_str(), provider.as_str()], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in stale {
        db.execute(
            "UPDATE batches SET body = json_set(body, '$.status', 'interrupted',
                 '$.reason', ?2, '$.updated_ms', ?3, '$.interrupted_by', ?4) WHERE id = ?1",
            params![id, GONE, at_ms, Interruption::Killed.as_str()],
        )?;
        let event = BatchEvent {
            at_ms,
            item: None,
            kind: "interrupted".to_owned(),
            text: format!("{GONE}; found by {finder}"),
        };
        add_event(db, BatchId(id), &event)?;
    }
    Ok(())
}

pub(super) fn items(db: &Connection, batch: BatchId) -> Result<Vec<Item>> {
    let mut rows = db.prepare("SELECT id, body FROM items WHERE batch = ?1 ORDER BY id")?;
    let rows = rows.query_map([batch.0], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    rows.map(|row| {
        let (id, body) = row?;
        let mut item: Item = value("an item", id, &body)?;
        item.batch = batch;
        Ok(item)
    })
    .collect()
}

pub(super) fn add_event(db: &Connection, batch: BatchId, event: &BatchEvent) -> Result<()> {
    db.prepare("INSERT INTO events (batch, item, at_ms, kind, text) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            batch.0,
            event.item.map(|item| item.0),
            event.at_ms,
            event.kind,
            event.text
        ])?;
    Ok(())
}

pub(super) fn events(db: &Connection, batch: BatchId) -> Result<Vec<BatchEvent>> {
    Ok(db
        .prepare("SELECT at_ms, item, kind, text FROM events WHERE batch = ?1 ORDER BY id")?
        .query_map([batch.0], |row| {
            Ok(BatchEvent {
                at_ms: row.get(0)?,
                item: row.get::<_, Option<i64>>(1)?.map(ItemId),
                kind: row.get(2)?,
                text: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?)
}

pub(super) fn key_uses(db: &Connection, fingerprints: &[Fingerprint]) -> Result<Vec<KeyUse>> {
    let mut rows = db.prepare(
        "SELECT items.fingerprint, batches.host, batches.provider, batches.id,
                CAST(items.body ->> '$.account_id' AS INTEGER), items.id,
                items.body ->> '$.account_status', items.body ->> '$.account_probe_summary'
         FROM json_each(?1) AS asked
         JOIN items ON items.fingerprint = asked.value
         JOIN batches ON batches.id = items.batch
         WHERE batches.status <> 'rolled_back'
         ORDER BY asked.key, items.id",
    )?;
    let rows = rows.query_map([to_json(&fingerprints)?.to_string()], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, i64>(3)?,
            row.get::<_, Option<i64>>(4)?,
            row.get::<_, i64>(5)?,
            row.get::<_, Option<String>>(6)?,
            row.get::<_, Option<String>>(7)?,
        ))
    })?;
    rows.map(|row| {
        let (fingerprint, host, provider, batch, account, item, status, summary) = row?;
        let unreadable = || damaged("a key's use");
        Ok(KeyUse {
            fingerprint: Fingerprint::parse(&fingerprint).ok_or_else(unreadable)?,
            host: HostId::new(host).map_err(|_| unreadable())?,
            provider: PackId::new(provider).map_err(|_| unreadable())?,
            batch: BatchId(batch),
            account: account.map(RemoteId),
            item: ItemId(item),
            account_status: status.as_deref().and_then(AccountStatus::parse),
            summary: summary.unwrap_or_default(),
        })
    })
    .collect()
}
