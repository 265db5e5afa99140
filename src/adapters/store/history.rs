//! The history of checks, and what is put aside until a time.

use super::error::{Result, damaged};
use super::results::add_audit;
use super::schema::word;
use cockpit_domain::baseline::{RECENT, Stretch, Verdict, Waiver, WaiverSubject};
use cockpit_domain::ids::PackId;
use cockpit_engine::ports::{AuditRow, CheckLook};
use rusqlite::{Connection, OptionalExtension, params};

/// Stretches kept of one check; older ones go.
const STRETCHES: i64 = 1000;
/// How long a stretch is kept after its last look, and a waiver after it ran out: 180 days.
const KEPT_MS: i64 = 180 * 86_400_000;

/// Takes in what the checks of a pack came to. A look that came to the same as the one before
/// lengthens its stretch.
pub(super) fn keep(db: &Connection, pack: &PackId, looks: &[CheckLook]) -> Result<()> {
    let mut newest = db.prepare(
        "SELECT id, verdict, found, from_ms, to_ms, looks FROM check_stretches
         WHERE pack = ?1 AND check_id = ?2 ORDER BY id DESC LIMIT 1",
    )?;
    let mut longer = db.prepare(
        "UPDATE check_stretches SET found = ?2, to_ms = MAX(to_ms, ?3), looks = looks + 1
         WHERE id = ?1",
    )?;
    let mut new = db.prepare(
        "INSERT INTO check_stretches (pack, check_id, verdict, found, from_ms, to_ms, looks)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1)",
    )?;
    let mut old = db.prepare(
        "DELETE FROM check_stretches WHERE pack = ?1 AND check_id = ?2 AND id <= (
             SELECT id FROM check_stretches WHERE pack = ?1 AND check_id = ?2
             ORDER BY id DESC LIMIT 1 OFFSET ?3)",
    )?;
    for look in looks {
        let last = newest
            .query_row(params![pack.as_str(), look.check], |row| {
                Ok((row.get::<_, i64>(0)?, parts(row, 1)?))
            })
            .optional()?;
        let last = last
            .map(|(id, parts)| parts.stretch().map(|stretch| (id, stretch)))
            .transpose()?;
        match last {
            Some((id, stretch)) if stretch.goes_on(look.verdict, &look.found) => {
                longer.execute(params![id, look.found, look.at_ms])?;
            }
            _ => {
                let verdict = look.verdict.as_str();
                new.execute(params![
                    pack.as_str(),
                    look.check,
                    verdict,
                    look.found,
                    look.at_ms
                ])?;
                old.execute(params![pack.as_str(), look.check, STRETCHES])?;
            }
        }
    }
    if let Some(now_ms) = looks.iter().map(|look| look.at_ms).max() {
        db.prepare("DELETE FROM check_stretches WHERE pack = ?1 AND to_ms < ?2")?
            .execute(params![pack.as_str(), now_ms - KEPT_MS])?;
    }
    Ok(())
}

/// Stretches of a pack's checks, or of one, oldest first: those that reach into the window, and the
/// newest of each check.
pub(super) fn stretches(
    db: &Connection,
    pack: &PackId,
    check: Option<&str>,
    since_ms: i64,
) -> Result<Vec<(String, Stretch)>> {
    let mut rows = db.prepare(
        "SELECT check_id, verdict, found, from_ms, to_ms, looks FROM (
             SELECT *, ROW_NUMBER() OVER (PARTITION BY check_id ORDER BY id DESC) AS nth
             FROM check_stretches WHERE pack = ?1 AND (?2 IS NULL OR check_id = ?2))
         WHERE to_ms >= ?3 OR nth <= ?4 ORDER BY check_id, id",
    )?;
    let newest = i64::try_from(RECENT).unwrap_or(i64::MAX);
    let rows = rows.query_map(params![pack.as_str(), check, since_ms, newest], |row| {
        Ok((row.get::<_, String>(0)?, parts(row, 1)?))
    })?;
    rows.map(|row| {
        let (check, parts) = row?;
        Ok((check, parts.stretch()?))
    })
    .collect()
}

/// A stretch before its words were read.
struct Parts {
    verdict: String,
    found: String,
    from_ms: i64,
    to_ms: i64,
    looks: i64,
}

fn parts(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Parts> {
    Ok(Parts {
        verdict: row.get(at)?,
        found: row.get(at + 1)?,
        from_ms: row.get(at + 2)?,
        to_ms: row.get(at + 3)?,
        looks: row.get(at + 4)?,
    })
}

impl Parts {
    fn stretch(self) -> Result<Stretch> {
        Ok(Stretch {
            verdict: word("the verdict of a look", &self.verdict, Verdict::parse)?,
            found: self.found,
            from_ms: self.from_ms,
            to_ms: self.to_ms,
            looks: u64::try_from(self.looks).map_err(|_| damaged("a count of looks"))?,
        })
    }
}

/// Every waiver, also those that have run out, by subject.
pub(super) fn waivers(db: &Connection) -> Result<Vec<Waiver>> {
    let mut rows = db.prepare(
        "SELECT subject, reason, owner, since_ms, until_ms FROM waivers ORDER BY subject",
    )?;
    let rows = rows.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, i64>(3)?,
            row.get::<_, i64>(4)?,
        ))
    })?;
    rows.map(|row| {
        let (subject, reason, owner, since_ms, until_ms) = row?;
        Ok(Waiver {
            subject: word("the subject of a waiver", &subject, WaiverSubject::parse)?,
            reason,
            owner,
            since_ms,
            until_ms,
        })
    })
    .collect()
}

/// Puts a waiver in the place of an earlier one of the same subject, with its line of the audit.
pub(super) fn put(db: &Connection, waiver: &Waiver, audit: &AuditRow) -> Result<()> {
    db.prepare("DELETE FROM waivers WHERE until_ms < ?1")?
        .execute([waiver.since_ms - KEPT_MS])?;
    db.prepare(
        "INSERT OR REPLACE INTO waivers (subject, reason, owner, since_ms, until_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        waiver.subject.to_string(),
        waiver.reason,
        waiver.owner,
        waiver.since_ms,
        waiver.until_ms,
    ])?;
    add_audit(db, audit)
}

/// Takes a waiver away, with its line of the audit. Gives whether there was one.
pub(super) fn clear(db: &Connection, subject: &WaiverSubject, audit: &AuditRow) -> Result<bool> {
    let gone = db
        .prepare("DELETE FROM waivers WHERE subject = ?1")?
        .execute([subject.to_string()])?;
    if gone > 0 {
        add_audit(db, audit)?;
    }
    Ok(gone > 0)
}
