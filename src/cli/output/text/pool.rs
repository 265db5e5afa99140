//! The pool of a provider: who is chosen, who is not, and every reason.

use super::plans::{changes, ending, warnings};
use super::{drawn, plain, put};
use cockpit_domain::pool::{Owner, Pairing, Pool, Seat, WhyNot};
use cockpit_engine::pool::{Held, PlannedPrune, PlannedRecover, Pruned, Recovered, Resources};

pub(super) fn pool(pool: &Pool) -> String {
    let mut text = String::new();
    let glyph = if pool.seats.is_empty() && pool.provider.is_none() {
        // Groups come with every installation: that nobody is bound to one is no fault.
        '.'
    } else if pool.is_well() {
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
    if !pool.seats.is_empty() {
        let serving = &pool.serving;
        put(&mut text, format_args!("  next        {}", serving.told()));
        if let (Some(last), Some(told)) = (&serving.last, serving.last_told()) {
            put(
                &mut text,
                format_args!("  last        {told} at {}", last.at),
            );
        }
    }
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

fn reason(text: &mut String, indent: &str, why: &WhyNot) {
    let until = why
        .next_try
        .as_ref()
        .map_or_else(String::new, |time| format!(", next try {time}"));
    put(
        text,
        format_args!("{indent}{}: {} ({}{until})", why.reason, why.said, why.by),
    );
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
        reason(text, "      ", why);
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

pub(super) fn prune(planned: &PlannedPrune) -> String {
    let plan = &planned.plan;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "plan {} to delete {} parked account(s) of {} on {}",
            planned.id.0,
            plan.doomed.len(),
            plan.provider,
            plan.host
        ),
    );
    changes(&mut text, &plan.changes);
    for stand in &plan.stands {
        let served = stand.served.as_deref().unwrap_or("nobody new has served");
        put(
            &mut text,
            format_args!(
                "  group {} #{}: {} would be chosen without them, floor {}; {served}",
                stand.name, stand.group, stand.choosable, stand.floor
            ),
        );
    }
    warnings(&mut text, &plan.warnings);
    put(&mut text, format_args!("{}", plan.totals.line()));
    if plan.blockers.is_empty() {
        put(
            &mut text,
            format_args!(
                "! a deleted account cannot be brought back: its key has to be imported again"
            ),
        );
    }
    ending(&mut text, "prune", planned);
    text
}

pub(super) fn pruned(done: &Pruned) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} prune of {} on {}: {}, {} account(s) deleted",
            done.batch.id, done.batch.provider, done.batch.host, done.batch.batch_status, done.done
        ),
    );
    for (head, rows) in [
        ("= kept", &done.kept),
        ("x still there", &done.remains),
        ("x changed, not by this", &done.disturbed),
    ] {
        for row in rows {
            put(&mut text, format_args!("  {head}: {row}"));
        }
    }
    if done.remains.is_empty() && done.disturbed.is_empty() {
        put(
            &mut text,
            format_args!("  proven by listing: they are gone, and nothing else changed"),
        );
    }
    text
}

pub(super) fn recover(planned: &PlannedRecover) -> String {
    let plan = &planned.plan;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "plan {} to let account {} #{} of group `{}` on {} in again",
            planned.id.0, plan.name, plan.account, plan.group, plan.host
        ),
    );
    for why in &plan.why {
        reason(&mut text, "  ", why);
    }
    changes(&mut text, &plan.changes);
    if plan.blockers.is_empty() {
        put(&mut text, format_args!("  costs       {}", plan.cost));
    }
    warnings(&mut text, &plan.warnings);
    put(&mut text, format_args!("{}", plan.totals.line()));
    ending(&mut text, "recover", planned);
    text
}

pub(super) fn recovered(done: &Recovered) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} account {} #{} of group `{}` on {}: {}",
            done.batch.id,
            done.name,
            done.account,
            done.group,
            done.batch.host,
            done.account_status
        ),
    );
    put(
        &mut text,
        format_args!("  said        {}", done.account_probe_summary),
    );
    if done.chosen {
        put(&mut text, format_args!("  + it would be chosen now"));
    }
    for why in &done.why_not {
        reason(&mut text, "  x ", why);
    }
    text
}

pub(super) fn resources(found: &Resources) -> String {
    let mut text = String::new();
    if let Some(trouble) = &found.trouble {
        let told = format_args!("? the host could not be looked at: {trouble}");
        put(&mut text, told);
    }
    if found.resources.is_empty() {
        put(
            &mut text,
            format_args!("no standing batch holds anything here"),
        );
    } else {
        text.push_str(&held(&found.resources));
        text.push('\n');
    }
    for row in &found.resources {
        for field in &row.now.fields {
            put(
                &mut text,
                format_args!(
                    "  ~ {} {} #{} {}: is {}, recorded {}",
                    row.resource.kind,
                    row.resource.name,
                    row.resource.host_resource_id,
                    field.field,
                    field.from,
                    field.to
                ),
            );
        }
    }
    if let (Some(provider), false) = (&found.provider, found.unrecorded.is_empty()) {
        put(&mut text, format_args!("there as well, in no record:"));
        changes(&mut text, &found.unrecorded);
        put(
            &mut text,
            format_args!(
                "take it over:  cockpit adopt plan --host {} --provider {provider}",
                found.host
            ),
        );
    }
    text
}

fn held(held: &[Held]) -> String {
    let heads = [
        "type", "id", "name", "provider", "origin", "batch", "since", "now",
    ];
    let mut table = plain(&heads);
    for row in held {
        table.add_row([
            row.resource.kind.to_string(),
            format!("#{}", row.resource.host_resource_id),
            row.resource.name.clone(),
            row.provider.to_string(),
            row.resource.origin.as_str().to_owned(),
            row.batch.to_string(),
            time(row.since_ms),
            row.now.state.to_string().replace('_', " "),
        ]);
    }
    drawn(&table)
}

pub(super) fn matrix(pairs: &[Pairing]) -> String {
    let mut table = plain(&["provider", "host", "proof", "when", "by", "found"]);
    for pair in pairs {
        let when = if pair.at_ms > 0 {
            time(pair.at_ms)
        } else {
            String::new()
        };
        table.add_row([
            pair.provider.to_string(),
            pair.host.to_string(),
            pair.proof.to_string(),
            when,
            pair.by.clone(),
            pair.found.clone(),
        ]);
    }
    drawn(&table)
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(
        |_| String::new(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}
