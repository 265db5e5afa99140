//! The register of temporary stacks.

use super::error::{Result, StoreError};
use super::guard::Guard;
use super::results;
use super::schema::json;
use cockpit_domain::ids::HostId;
use cockpit_domain::stack::Stack;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::ports::AuditRow;
use rusqlite::{Connection, OptionalExtension, params};

/// Those that stand, by name.
pub(super) fn standing(db: &Connection) -> Result<Vec<Stack>> {
    let mut rows = db.prepare("SELECT body FROM stacks WHERE ended_ms IS NULL ORDER BY name")?;
    let rows = rows.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|body| json("a stack", &body?)).collect()
}

/// A stack as it is written.
pub(super) struct Row {
    name: HostId,
    created_ms: i64,
    body: String,
}

impl Row {
    /// Its prose with the secrets cut out.
    pub(super) fn of(stack: &Stack, guard: &Guard) -> std::result::Result<Self, Failure> {
        let stack = Stack {
            reason: guard.prose(&stack.reason),
            ..stack.clone()
        };
        let body = serde_json::to_string(&stack)
            .map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
        Ok(Self {
            name: stack.name,
            created_ms: stack.created_ms,
            body,
        })
    }

    pub(super) fn add(&self, db: &Connection, audit: &AuditRow) -> Result<()> {
        let standing: Option<i64> = db
            .query_row(
                "SELECT 1 FROM stacks WHERE name = ?1 AND ended_ms IS NULL",
                [self.name.as_str()],
                |row| row.get(0),
            )
            .optional()?;
        if standing.is_some() {
            let message = format!("stack `{}` is registered already", self.name);
            return Err(StoreError::from(
                Failure::new(FailureKind::Conflict, message).hint(
                    "`cockpit stack list` shows it; clean it up first, or choose another name",
                ),
            ));
        }
        db.prepare("INSERT INTO stacks (name, created_ms, body) VALUES (?1, ?2, ?3)")?
            .execute(params![self.name.as_str(), self.created_ms, self.body])?;
        results::add_audit(db, audit)
    }
}

/// Ends one; says whether there was one.
pub(super) fn end(db: &Connection, name: &HostId, audit: &AuditRow) -> Result<bool> {
    let ended = db
        .prepare("UPDATE stacks SET ended_ms = ?2 WHERE name = ?1 AND ended_ms IS NULL")?
        .execute(params![name.as_str(), audit.at_ms])?;
    if ended > 0 {
        results::add_audit(db, audit)?;
    }
    Ok(ended > 0)
}
