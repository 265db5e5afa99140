//! Managed resources, batch by batch.

use super::batches::one;
use super::error::{Result, StoreError};
use super::guard::Guard;
use super::schema::{json, word};
use cockpit_domain::ids::{BatchId, HostId, PackId, RemoteId};
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row as SqlRow, params};

const COLUMNS: &str = "SELECT resources.batch, resources.kind, resources.host_resource_id,
    resources.name, resources.origin, resources.recorded, resources.before, resources.undone
    FROM resources";

/// A resource that went through the guard.
pub(super) struct Row {
    pub(super) resource: BatchResource,
    name: String,
    recorded: String,
    before: String,
}

impl Row {
    pub(super) fn of(resource: &BatchResource, guard: &Guard) -> Outcome<Self> {
        Ok(Self {
            name: guard.exact("name", &resource.name)?,
            recorded: guard.exact_json("recorded", &resource.recorded)?,
            before: guard.exact_json("before", &resource.before)?,
            resource: resource.clone(),
        })
    }

    /// Records it, replacing the batch's row of it.
    pub(super) fn save(&self, db: &Connection) -> Result<()> {
        let resource = &self.resource;
        let saved = db
            .prepare(
                "INSERT INTO resources (batch, host, kind, host_resource_id, name, origin,
                     recorded, before, undone)
                 SELECT id, host, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM batches WHERE id = ?1
                 ON CONFLICT (batch, kind, host_resource_id) DO UPDATE SET
                     name = excluded.name, origin = excluded.origin,
                     recorded = excluded.recorded, before = excluded.before,
                     undone = excluded.undone",
            )?
            .execute(params![
                resource.batch.0,
                resource.kind.as_str(),
                resource.host_resource_id.0,
                self.name,
                resource.origin.as_str(),
                self.recorded,
                self.before,
                resource.undone,
            ]);
        match saved {
            Ok(changed) => one(changed, || format!("there is no {}", resource.batch)),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(self.taken(db)?.unwrap_or_else(|| error.into()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Says which batch made the resource, if that is the trouble.
    fn taken(&self, db: &Connection) -> Result<Option<StoreError>> {
        let resource = &self.resource;
        let maker: Option<(i64, String)> = db
            .prepare(
                "SELECT batch, host FROM resources
                 WHERE kind = ?2 AND host_resource_id = ?3 AND origin = 'created' AND undone = 0
                   AND batch <> ?1 AND host = (SELECT host FROM batches WHERE id = ?1)",
            )?
            .query_row(
                params![
                    resource.batch.0,
                    resource.kind.as_str(),
                    resource.host_resource_id.0
                ],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        Ok(maker.map(|(batch, host)| {
            let maker = BatchId(batch);
            StoreError::from(
                Failure::new(
                    FailureKind::Conflict,
                    format!(
                        "{} {} of `{host}` was made by {maker}; {} cannot have made it too",
                        resource.kind, resource.host_resource_id, resource.batch
                    ),
                )
                .hint(format!(
                    "roll {maker} back first; on a host that was built anew its rollback finds \
                     nothing and frees the record"
                )),
            )
        }))
    }
}

pub(super) fn of_batch(db: &Connection, batch: BatchId) -> Result<Vec<BatchResource>> {
    let mut rows = db.prepare(&format!("{COLUMNS} WHERE batch = ?1 ORDER BY id"))?;
    let rows = rows.query_map([batch.0], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

pub(super) fn held(
    db: &Connection,
    host: &HostId,
    provider: &PackId,
) -> Result<Vec<BatchResource>> {
    let mut rows = db.prepare(&format!(
        "{COLUMNS} JOIN batches ON batches.id = resources.batch
         WHERE batches.host = ?1 AND batches.provider = ?2 AND resources.undone = 0
         ORDER BY resources.id"
    ))?;
    let rows = rows.query_map([host.as_str(), provider.as_str()], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

pub(super) fn mark_undone(
    db: &Connection,
    batch: BatchId,
    kind: ResourceKind,
    id: RemoteId,
) -> Result<()> {
    let changed = db
        .prepare(
            "UPDATE resources SET undone = 1
             WHERE batch = ?1 AND kind = ?2 AND host_resource_id = ?3",
        )?
        .execute(params![batch.0, kind.as_str(), id.0])?;
    one(changed, || format!("{batch} holds no {kind} {id}"))
}

fn read(row: &SqlRow<'_>) -> Result<BatchResource> {
    let text = |column: usize| row.get::<_, String>(column);
    Ok(BatchResource {
        batch: BatchId(row.get(0)?),
        kind: word("a resource's kind", &text(1)?, ResourceKind::parse)?,
        host_resource_id: RemoteId(row.get(2)?),
        name: text(3)?,
        origin: word("a resource's origin", &text(4)?, Origin::parse)?,
        recorded: json("a recorded resource", &text(5)?)?,
        before: json("a before-image", &text(6)?)?,
        undone: row.get(7)?,
    })
}
