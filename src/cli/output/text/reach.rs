//! What has to hold for access, who holds the writers' places, and blocks for the config.

use super::{drawn, plain, put};
use cockpit_domain::import::Holds;
use cockpit_engine::access::AccessPreview;
use cockpit_engine::board::{LeaseSeen, LeaseState};
use cockpit_engine::leases::LeaseTaken;
use cockpit_engine::registry::{HostBlock, HostLines};

/// Every precondition with what was found.
pub(super) fn preview(look: &AccessPreview) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "access to {} on {}, {}: {}",
            look.provider,
            look.host,
            look.access,
            if look.open {
                "nothing stands in the way"
            } else {
                "something has to be done first"
            }
        ),
    );
    for row in &look.preconditions {
        let glyph = match row.holds {
            Holds::Yes => '=',
            Holds::Planned => '+',
            Holds::No => 'x',
            Holds::Unknown => '?',
        };
        put(
            &mut text,
            format_args!("  {glyph} {:<15} {}", row.name, row.found),
        );
        if !row.next.is_empty() {
            put(&mut text, format_args!("    {:<15} {}", "", row.next));
        }
    }
    if look.open {
        put(
            &mut text,
            format_args!(
                "  next: cockpit access prepare plan --host {} --provider {} --access {}",
                look.host, look.provider, look.access
            ),
        );
    }
    text
}

/// The writers' places.
pub(super) fn leases(rows: &[LeaseSeen]) -> String {
    if rows.is_empty() {
        return "nobody holds a lease: every host may be written to".to_owned();
    }
    let mut table = plain(&["lease", "state", "owner", "since", "for"]);
    for row in rows {
        let state = match row.state {
            LeaseState::Held if row.foreign => "held",
            LeaseState::Held => "held by us",
            LeaseState::Left => "left",
            LeaseState::Unreadable => "unreadable",
        };
        let since = jiff::Timestamp::from_millisecond(row.info.since_ms)
            .ok()
            .filter(|_| row.info.since_ms > 0);
        table.add_row([
            format!("{}/{}", row.host, row.provider),
            state.to_owned(),
            row.info.owner.clone(),
            since.map_or_else(String::new, |at| format!("{at:.0}")),
            row.info.reason.clone(),
        ]);
    }
    drawn(&table)
}

/// A lease that was taken over.
pub(super) fn lease_taken(taken: &LeaseTaken) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{}/{} was taken over from {} ({}); the place is free",
            taken.host, taken.provider, taken.was.owner, taken.was.reason
        ),
    );
    for batch in &taken.interrupted {
        put(
            &mut text,
            format_args!(
                "{batch} was left in the middle: cockpit batch resume {0}, or cockpit rollback plan {0}",
                batch.0
            ),
        );
    }
    text
}

/// A block for the config.
pub(super) fn host_block(new: &HostBlock) -> String {
    format!(
        "# {} answers: version {}, {} taken, {} ms. Write this into {}:\n\n{}",
        new.host,
        new.identity.version,
        new.identity.credential,
        new.identity.round_trip_ms,
        new.file,
        new.block
    )
}

/// Lines to take out of the config.
pub(super) fn host_lines(gone: &HostLines) -> String {
    format!(
        "# nothing of ours stands on {}. Take lines {} to {} out of {}:\n\n{}",
        gone.host, gone.first_line, gone.last_line, gone.file, gone.block
    )
}
