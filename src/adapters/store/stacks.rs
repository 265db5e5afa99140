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
    stack: Stack,
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
        Ok(Self { stack, body })
    }

    /// Writes it down. One that stands under its name is put in other terms when it is the same
    /// stack: the same machine, port and container.
    pub(super) fn add(&self, db: &Connection, audit: &AuditRow) -> Result<()> {
        let name = self.stack.name.as_str();
        let standing: Option<String> = db
            .query_row(
                "SELECT body FROM stacks WHERE name = ?1 AND ended_ms IS NULL",
                [name],
                |row| row.get(0),
            )
            .optional()?;
        let Some(standing) = standing else {
            db.prepare("INSERT INTO stacks (name, created_ms, body) VALUES (?1, ?2, ?3)")?
                .execute(params![name, self.stack.created_ms, self.body])?;
            return results::add_audit(db, audit);
        };
        let was: Stack = json("a stack", &standing)?;
        let place = |stack: &Stack| (stack.machine.clone(), stack.port, stack.container.clone());
        if place(&was) != place(&self.stack) {
            let message = format!(
                "stack `{name}` is registered already: port {} and container `{}` on `{}`",
                was.port, was.container, was.machine
            );
            return Err(StoreError::from(
                Failure::new(FailureKind::Conflict, message)
                    .hint("clean that one up first, or choose another name"),
            ));
        }
        db.prepare("UPDATE stacks SET body = ?2 WHERE name = ?1 AND ended_ms IS NULL")?
            .execute(params![name, self.body])?;
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
