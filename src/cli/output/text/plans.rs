//! Plans, and what came of them, as text: signs, reasons, totals, and the line that applies it.

use super::known::moment;
use super::put;
use cockpit_domain::ids::{HostId, PlanId};
use cockpit_domain::plan::{Change, PlanBody};
use cockpit_domain::reconcile::{ReconcileReport, Since};
use cockpit_engine::approval::Risk;
use cockpit_engine::import::PlannedImport;
use cockpit_engine::planned::Planned;
use cockpit_engine::reconcile::{Looked, PlannedReconcile, Reconciled};
use cockpit_engine::rollback::{PlannedRollback, RolledBack};

/// Prints changes, folding those of one cause into one row.
pub(super) fn changes(text: &mut String, rows: &[Change]) {
    for rows in rows.chunk_by(same_cause) {
        match rows {
            [first, .., last] if rows.len() > FOLD_OVER => put(
                text,
                format_args!(
                    "  {} {} {} x {} .. {}  {}",
                    first.sign.as_char(),
                    rows.len(),
                    first.kind,
                    first.name,
                    last.name,
                    first.reason
                ),
            ),
            rows => {
                for change in rows {
                    put(text, format_args!("  {}", change.line()));
                }
            }
        }
    }
}

/// Who else writes to the host of a plan.
pub(super) fn warnings(text: &mut String, rows: &[String]) {
    for row in rows {
        put(text, format_args!("  ! {row}"));
    }
}

/// How a plan ends: why it cannot be applied, or the line that applies it.
pub(super) fn ending<P: PlanBody>(text: &mut String, command: &str, planned: &Planned<P>) {
    let plan = &planned.plan;
    for blocker in plan.blockers() {
        put(
            text,
            format_args!("x blocked: {}", blocker.replace('\n', "; ")),
        );
    }
    if plan.blockers().is_empty() {
        let risk = Risk::of(command);
        // On production a plan ages.
        let named = risk.wants_name(plan.expires_ms().is_some());
        let named = named.then(|| plan.host());
        apply_line(text, command, planned.id, &planned.hash, named);
    }
}

/// The line that applies a plan. `named` is the host whose name has to be typed with it.
fn apply_line(text: &mut String, command: &str, id: PlanId, hash: &str, named: Option<&HostId>) {
    let more = named.map_or_else(String::new, |host| {
        format!(" --host-name {host} --reason \"...\"")
    });
    put(
        text,
        format_args!(
            "apply it:  cockpit {command} apply {} --yes {}{more}",
            id.0,
            &hash[..12]
        ),
    );
}

/// Rows of one cause are folded when there are more than this many.
const FOLD_OVER: usize = 4;

fn same_cause(one: &Change, two: &Change) -> bool {
    one.sign == two.sign
        && one.kind == two.kind
        && one.reason == two.reason
        && one.fields.is_empty()
        && two.fields.is_empty()
}

/// A plan that prepares access.
pub(super) fn access(planned: &PlannedImport) -> String {
    let plan = &planned.plan;
    let request = &plan.request;
    let head = format!(
        "plan {} to prepare access to {} on {} ({}, version {}), {}",
        planned.id.0,
        request.pack.id,
        request.host,
        request.role.as_str(),
        plan.host_version,
        request.access
    );
    told(planned, &head, "access prepare")
}

pub(super) fn import(planned: &PlannedImport) -> String {
    let plan = &planned.plan;
    let request = &plan.request;
    let head = format!(
        "plan {} to import {} key(s) of {} into {} ({}, version {}), {}, {}",
        planned.id.0,
        plan.items.len(),
        request.pack.id,
        request.host,
        request.role.as_str(),
        plan.host_version,
        request.mode,
        request.access
    );
    told(planned, &head, "import")
}

fn told(planned: &PlannedImport, head: &str, command: &str) -> String {
    let plan = &planned.plan;
    let request = &plan.request;
    let mut text = String::new();
    put(&mut text, format_args!("{head}"));
    changes(&mut text, &plan.changes);
    let keys = plan.key_totals().line();
    if !keys.is_empty() {
        put(&mut text, format_args!("  keys: {keys}"));
    }
    if let Some(batch) = request.retry_of {
        put(
            &mut text,
            format_args!("  the failed keys of {batch} again; those that passed stay as they are"),
        );
    }
    if !plan.left_out.is_empty() {
        put(
            &mut text,
            format_args!("  left out: {}", plan.left_out_line()),
        );
    }
    for item in plan.items.iter().filter(|item| !item.notes.is_empty()) {
        put(
            &mut text,
            format_args!(
                "  ! line {} {} {} {}: {}",
                item.line,
                item.key,
                item.fingerprint,
                item.state.word(),
                item.notes.join("; ")
            ),
        );
    }
    warnings(&mut text, &plan.warnings);
    put(&mut text, format_args!("{}", plan.totals.line()));
    ending(&mut text, command, planned);
    let canary = plan.suggested_canary();
    if canary > 0 && plan.blockers.is_empty() {
        put(
            &mut text,
            format_args!(
                "  --canary {canary}  carries {} first, end to end, then stops and waits for your word",
                plan.canary_line(canary)
            ),
        );
    }
    text
}

/// A block a batch, and a line for what could not be compared.
pub(super) fn reconcile(done: &Reconciled) -> String {
    let blocks: Vec<String> = done.plans.iter().map(compared).collect();
    let mut text = blocks.join("\n");
    for left in &done.left_out {
        put(
            &mut text,
            format_args!("! {} is not compared: {}", left.batch, left.why),
        );
    }
    text
}

fn compared(planned: &PlannedReconcile) -> String {
    let report = &planned.report;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} on {}, {}{}: {}",
            report.provider,
            report.host,
            report.batch_id,
            report
                .access_mode
                .map(|mode| format!(" ({mode})"))
                .unwrap_or_default(),
            report.status
        ),
    );
    put(
        &mut text,
        format_args!(
            "  missing {}, changed {}, extra {} (raw {}, of them noise {}), failed probes {}",
            report.missing_count,
            report.changed_count,
            report.extra_count,
            report.raw_extra_count,
            report.stale_noise_count,
            report.probe_failures
        ),
    );
    changes(&mut text, &report.changes);
    for (at, change) in report.changes.iter().enumerate() {
        for field in &change.fields {
            put(
                &mut text,
                format_args!(
                    "      {} {}: is {}, recorded {}",
                    change.name, field.field, field.from, field.to
                ),
            );
        }
        if let Some(since) = report.since.get(at) {
            put(
                &mut text,
                format_args!("      {}", since_line(change, *since)),
            );
        }
    }
    for note in &report.probe_notes {
        put(&mut text, format_args!("  x probe: {note}"));
    }
    if report.mends.is_empty() {
        return text;
    }
    warnings(&mut text, &report.warnings);
    for mend in &report.mends {
        put(&mut text, format_args!("  call        {}", mend.call));
    }
    let production = if report.expires_ms.is_some() {
        format!(" --host-name {} --reason \"...\"", report.host)
    } else {
        String::new()
    };
    put(
        &mut text,
        format_args!(
            "put it back:  cockpit reconcile apply {} --yes {}{production}",
            planned.id.0,
            &planned.hash[..12]
        ),
    );
    text
}

/// Findings told in the line of a look.
const TOLD: usize = 3;

/// A look of a watch in one line.
pub(super) fn looked_line(looked: &Looked) -> String {
    let at = moment(looked.at_ms);
    let Some(status) = looked.status else {
        let batch = looked.paused.as_ref().map(|paused| paused.batch);
        let batch = batch.map(|batch| batch.to_string()).unwrap_or_default();
        return format!(
            "{at} {} PAUSED: {batch} is being taken back, or was; start the watch again to go on",
            looked.host
        );
    };
    let sum =
        |count: fn(&ReconcileReport) -> usize| looked.batches.iter().map(count).sum::<usize>();
    let mut line = format!(
        "{at} {} {status}: {} compared, missing {}, changed {}, extra {}, failed probes {}",
        looked.host,
        looked.batches.len(),
        sum(|report| report.missing_count),
        sum(|report| report.changed_count),
        sum(|report| report.extra_count),
        sum(|report| report.probe_failures),
    );
    let found = looked.batches.iter().flat_map(|report| {
        let batch = report.batch_id;
        let changes = report.changes.iter().map(Change::line);
        let told = changes.chain(report.probe_notes.iter().cloned());
        told.map(move |told| format!("{batch} {told}"))
    });
    let left = looked.left_out.iter();
    let left = left.map(|left| format!("{} not compared: {}", left.batch, left.why));
    let told: Vec<String> = found.chain(left).collect();
    for told in told.iter().take(TOLD) {
        line.push_str("; ");
        line.push_str(&told.replace('\n', " "));
    }
    match told.len().saturating_sub(TOLD) {
        0 => line,
        more => format!("{line}; and {more} more"),
    }
}

/// When a finding was seen first, and the last look that did not find it.
fn since_line(change: &Change, since: Since) -> String {
    let first = moment(since.since_ms);
    match since.last_good_ms {
        Some(good) => format!("{} since {first}, not yet at {}", change.name, moment(good)),
        None => format!("{} found at {first}, by the first look at it", change.name),
    }
}

pub(super) fn rollback(planned: &PlannedRollback) -> String {
    let plan = &planned.plan;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "plan {} to {} {} of {} on {}",
            planned.id.0,
            if plan.delete {
                "DELETE what was taken over by"
            } else {
                "take back"
            },
            plan.batch,
            plan.provider,
            plan.host
        ),
    );
    for step in &plan.steps {
        put(&mut text, format_args!("  {}", step.change.line()));
        if let Some(why) = &step.blocked {
            put(&mut text, format_args!("      blocked: {why}"));
        }
    }
    warnings(&mut text, &plan.warnings);
    put(&mut text, format_args!("{}", plan.totals.line()));
    put(&mut text, format_args!("it will not undo:"));
    for line in &plan.will_not_undo {
        put(&mut text, format_args!("  {line}"));
    }
    let named = (plan.delete || plan.expires_ms.is_some()).then_some(&plan.host);
    apply_line(&mut text, "rollback", planned.id, &planned.hash, named);
    text
}

pub(super) fn rolled_back(rolled: &RolledBack) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{}: {}, {} step(s) done",
            rolled.batch.id, rolled.batch.batch_status, rolled.done
        ),
    );
    for (head, rows) in [
        ("x blocked", &rolled.blocked),
        ("x still there", &rolled.remains),
        ("x changed, not ours", &rolled.disturbed),
    ] {
        for row in rows {
            put(&mut text, format_args!("  {head}: {row}"));
        }
    }
    if rolled.blocked.is_empty() && rolled.remains.is_empty() && rolled.disturbed.is_empty() {
        put(
            &mut text,
            format_args!(
                "  proven by listing: nothing of this batch remains, nothing of others changed"
            ),
        );
    }
    text
}
