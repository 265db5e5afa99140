//! A knife for the journal: the program ends at one boundary of one row, as far as its store and its
//! host can tell. From that moment on the store takes nothing any more, so no later word of the
//! process is kept and nothing more is sent; what is on its way to the host arrives late.

use crate::support::inside::Inside;
use cockpit_domain::ids::BatchId;
use cockpit_lab::sub2api::state::When;
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;

/// How long after the end of the process a request on its way takes effect.
pub(super) const ARRIVES: Duration = Duration::from_millis(400);

/// Where a row of the journal can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cut {
    /// The intent is durable, nothing was sent.
    Unsent,
    /// Sent, and the host has not taken it yet.
    Unanswered,
    /// Done and answered; the answer was not written down.
    Unrecorded,
}

impl Cut {
    pub(super) const ALL: [Self; 3] = [Self::Unsent, Self::Unanswered, Self::Unrecorded];

    /// The state that the row is found in.
    const fn leaves(self) -> &'static str {
        match self {
            Self::Unsent => "intended",
            Self::Unanswered | Self::Unrecorded => "sent",
        }
    }
}

/// A knife that lies on one row.
pub(super) struct Knife {
    row: i64,
    cut: Cut,
}

/// Everything that a process writes down.
const WRITTEN: [&str; 7] = [
    "journal",
    "batches",
    "items",
    "events",
    "resources",
    "plans",
    "audit",
];

fn open(inside: &Inside) -> Connection {
    connect(&inside.database())
}

fn connect(at: &Path) -> Connection {
    let db = Connection::open(at).expect("the store opens");
    db.busy_timeout(Duration::from_secs(10)).expect("a timeout");
    db
}

/// How many rows the journal has.
pub(super) fn rows(inside: &Inside) -> i64 {
    let count = "SELECT count(*) FROM journal";
    open(inside)
        .query_row(count, [], |row| row.get(0))
        .expect("a count")
}

fn state(db: &Connection, row: i64) -> Option<String> {
    let nth = "SELECT state FROM journal ORDER BY id LIMIT 1 OFFSET ?1";
    db.query_row(nth, [row - 1], |row| row.get(0)).ok()
}

/// From where `dead` holds, the store takes nothing any more.
fn stop_writing(db: &Connection, dead: &str) {
    for table in WRITTEN {
        for act in ["INSERT", "UPDATE", "DELETE"] {
            let trigger = format!(
                "CREATE TRIGGER knife_{table}_{act} BEFORE {act} ON {table} WHEN {dead}
                 BEGIN SELECT RAISE(ABORT, 'the process has ended'); END"
            );
            db.execute_batch(&trigger).expect("a trigger");
        }
    }
}

fn write_again(db: &Connection) {
    for table in WRITTEN {
        for act in ["INSERT", "UPDATE", "DELETE"] {
            db.execute_batch(&format!("DROP TRIGGER knife_{table}_{act}"))
                .expect("it was there");
        }
    }
}

/// The program ends behind so many records of a batch: for work that only writes down.
pub(super) fn stop_behind_records(inside: &Inside, batch: BatchId, records: usize) {
    let held = format!("(SELECT count(*) FROM resources WHERE batch = {})", batch.0);
    stop_writing(&open(inside), &format!("{held} >= {records}"));
}

/// Takes such a knife away.
pub(super) fn go_on_writing(inside: &Inside) {
    write_again(&open(inside));
}

impl Knife {
    /// Lays the knife on row `row` (from 1) of the journal.
    pub(super) fn lay(inside: &Inside, row: i64, cut: Cut) -> Self {
        let db = open(inside);
        let dead = format!(
            "(SELECT state FROM journal ORDER BY id LIMIT 1 OFFSET {}) = '{}'",
            row - 1,
            cut.leaves()
        );
        stop_writing(&db, &dead);
        if cut == Cut::Unanswered {
            let looks = connect(&inside.database());
            let losing = move |method: &str, _: &str| {
                let on_its_way = state(&looks, row).as_deref() == Some("sent");
                (method != "GET" && on_its_way).then_some(When::CommitAfter(ARRIVES))
            };
            inside.with(|state| state.losing = Some(Box::new(losing)));
        }
        Self { row, cut }
    }

    /// Takes it away, and says whether it had cut.
    pub(super) fn lift(self, inside: &Inside) -> bool {
        inside.with(|state| state.losing = None);
        let db = open(inside);
        let cut = state(&db, self.row).as_deref() == Some(self.cut.leaves());
        write_again(&db);
        cut
    }
}
