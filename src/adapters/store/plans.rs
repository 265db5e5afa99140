//! Plans and their sealed keys.

use super::error::{Result, StoreError};
use super::schema::{json, word};
use super::{SqliteStore, blocking};
use cockpit_domain::ids::{BatchId, HostId, PackId, PlanId};
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{NewPlan, SavedPlan};
use rusqlite::{Connection, OptionalExtension, Row, params};

impl SqliteStore {
    pub(super) async fn save_new_plan(&self, plan: &NewPlan) -> Outcome<PlanId> {
        let body = self.guard.exact_json("plan", &plan.body)?;
        let sealer = self.sealer.clone();
        let cipher = if plan.keys.is_empty() {
            None
        } else {
            Some(blocking(move || sealer.cipher()).await?)
        };
        let plan = plan.clone();
        self.write(move |db| {
            db.prepare(
                "INSERT INTO plans (kind, host, provider, batch, hash, body, created_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                plan.kind,
                plan.host.as_str(),
                plan.provider.as_str(),
                plan.batch.map(|batch| batch.0),
                plan.hash,
                body,
                plan.created_ms,
            ])?;
            let id = PlanId(db.last_insert_rowid());
            if let Some(cipher) = cipher {
                let mut insert =
                    db.prepare("INSERT INTO plan_secrets (plan, idx, sealed) VALUES (?1, ?2, ?3)")?;
                for (index, key) in (0_i64..).zip(&plan.keys) {
                    insert.execute(params![id.0, index, cipher.seal(id, index, key)?])?;
                }
            }
            Ok(id)
        })
        .await
    }

    pub(super) async fn open_plan_keys(&self, id: PlanId) -> Outcome<Vec<Secret>> {
        let sealed = self.read(move |db| sealed_keys(db, id)).await?;
        if sealed.is_empty() {
            return Ok(Vec::new());
        }
        let opens = self.sealer.clone();
        blocking(move || {
            let cipher = opens.opener()?;
            sealed
                .iter()
                .map(|(index, sealed)| cipher.open(id, *index, sealed))
                .collect()
        })
        .await
    }
}

fn sealed_keys(db: &Connection, id: PlanId) -> Result<Vec<(i64, Vec<u8>)>> {
    Ok(db
        .prepare("SELECT idx, sealed FROM plan_secrets WHERE plan = ?1 ORDER BY idx")?
        .query_map([id.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?)
}

pub(super) fn wipe_keys(db: &Connection, id: PlanId) -> Result<()> {
    db.execute("DELETE FROM plan_secrets WHERE plan = ?1", [id.0])?;
    Ok(())
}

pub(super) fn find(db: &Connection, id: PlanId) -> Result<Option<SavedPlan>> {
    let row = db
        .prepare(
            "SELECT kind, host, provider, batch, hash, body, created_ms, used_ms
             FROM plans WHERE id = ?1",
        )?
        .query_row([id.0], |row| Ok(read_plan(id, row)))
        .optional()?;
    row.transpose()
}

fn read_plan(id: PlanId, row: &Row<'_>) -> Result<SavedPlan> {
    let (host, provider, body): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(5)?);
    Ok(SavedPlan {
        id,
        kind: row.get(0)?,
        host: word("the host of a plan", &host, |text| HostId::new(text).ok())?,
        provider: word("the provider of a plan", &provider, |text| {
            PackId::new(text).ok()
        })?,
        batch: row.get::<_, Option<i64>>(3)?.map(BatchId),
        hash: row.get(4)?,
        body: json("a plan", &body)?,
        created_ms: row.get(6)?,
        used_ms: row.get(7)?,
    })
}

/// Marks a plan used, once; `batch` is what an import plan became.
pub(super) fn mark_used(
    db: &Connection,
    id: PlanId,
    at_ms: i64,
    batch: Option<BatchId>,
) -> Result<()> {
    let marked = db.execute(
        "UPDATE plans SET used_ms = ?2, batch = coalesce(?3, batch)
         WHERE id = ?1 AND used_ms IS NULL",
        params![id.0, at_ms, batch.map(|batch| batch.0)],
    )?;
    if marked == 1 {
        return Ok(());
    }
    let Some(plan) = find(db, id)? else {
        return Err(StoreError::from(
            Failure::new(FailureKind::Usage, format!("there is no {id}")).hint("make a plan first"),
        ));
    };
    // A plan to import or to repair becomes its batch; the others are about one.
    let by = match plan.batch {
        Some(batch) if ["import", "repair", "reconcile"].contains(&plan.kind.as_str()) => {
            format!(" by {batch}")
        }
        _ => String::new(),
    };
    Err(StoreError::from(
        Failure::new(
            FailureKind::Conflict,
            format!("{id} was applied before{by}; a plan is applied once"),
        )
        .hint("make a new plan: it sees what is there now"),
    ))
}
