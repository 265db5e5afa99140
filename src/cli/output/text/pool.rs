//! The pool of a provider: who is chosen, who is not, and every reason.

use super::put;
use cockpit_domain::pool::{Owner, Pool, Seat};

pub(super) fn pool(pool: &Pool) -> String {
    let mut text = String::new();
    let glyph = if pool.is_well() {
        '+'
    } else if pool.serves() {
        '!'
    } else {
        'x'
    };
    let of = pool.provider.as_ref().map_or_else(
        || format!("group `{}`", pool.group_name),
        |provider| format!("{provider}, group `{}`", pool.group_name),
    );
    let group = pool
        .group
        .map_or_else(String::new, |group| format!(" #{group}"));
    let model = pool
        .smoke_model
        .as_ref()
        .map_or_else(String::new, |model| format!(" for `{model}`"));
    put(
        &mut text,
        format_args!(
            "{glyph} {of}{group} on {}: {} of {} account(s) would be chosen{model}",
            pool.host,
            pool.choosable,
            pool.seats.len(),
        ),
    );
    for blocker in &pool.blockers {
        put(&mut text, format_args!("  x {blocker}"));
    }
    if pool.serves() && !pool.is_well() {
        put(
            &mut text,
            format_args!("  ! no spare: one account serves all"),
        );
    }
    for seat in &pool.seats {
        one(&mut text, seat);
    }
    text
}

fn one(text: &mut String, seat: &Seat) {
    let glyph = if seat.is_choosable() { '+' } else { 'x' };
    let owner = match seat.owner {
        Owner::Batch(batch) => batch.to_string(),
        Owner::Leftover => "no batch of ours holds it".to_owned(),
        Owner::Other => "not ours".to_owned(),
    };
    put(
        text,
        format_args!(
            "  {glyph} {} #{}  {owner}, priority {}",
            seat.name, seat.account, seat.priority
        ),
    );
    for why in &seat.why_not {
        let until = why
            .next_try
            .as_ref()
            .map_or_else(String::new, |time| format!(", next try {time}"));
        put(
            text,
            format_args!("      {}: {} ({}{until})", why.reason, why.said, why.by),
        );
        put(text, format_args!("        {}", why.fix));
    }
    for line in &seat.declared {
        put(text, format_args!("      differs: {line}"));
    }
    if let Some(probed) = &seat.probed {
        put(
            text,
            format_args!(
                "      judged {} by {}: {}",
                probed.status, probed.batch, probed.summary
            ),
        );
    }
}
