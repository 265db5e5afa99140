//! Repairs as text: what would be written, with the call, and what the same checks say afterwards.

use super::baseline::baseline;
use super::plans::{changes, ending, warnings};
use super::put;
use cockpit_engine::reconcile::Mended;
use cockpit_engine::repair::{PlannedRepair, Repaired};

pub(super) fn repair(planned: &PlannedRepair) -> String {
    let plan = &planned.plan;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "plan {} to repair {} on {}",
            planned.id.0, plan.check, plan.host
        ),
    );
    put(
        &mut text,
        format_args!("  found       {}", plan.found.replace('\n', "; ")),
    );
    changes(&mut text, &plan.changes);
    for field in plan.changes.iter().flat_map(|change| &change.fields) {
        put(
            &mut text,
            format_args!("      {}: {} -> {}", field.field, field.from, field.to),
        );
    }
    warnings(&mut text, &plan.warnings);
    if let Some(call) = &plan.call {
        put(&mut text, format_args!("  call        {call}"));
    }
    put(&mut text, format_args!("{}", plan.totals.line()));
    ending(&mut text, "repair", planned);
    text
}

pub(super) fn repaired(done: &Repaired) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} repair of {}: {}, {} write(s) done",
            done.batch.id, done.check, done.batch.batch_status, done.done
        ),
    );
    for (head, rows) in [
        ("x not proven", &done.unproven),
        ("x changed, not by this repair", &done.disturbed),
    ] {
        for row in rows {
            put(
                &mut text,
                format_args!("  {head}: {}", row.replace('\n', "; ")),
            );
        }
    }
    text.push_str(&baseline(&done.report));
    text
}

pub(super) fn mended(done: &Mended) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} repair of {} on {}: {}, {} write(s) done",
            done.batch.id,
            done.report.batch_id,
            done.batch.host,
            done.batch.batch_status,
            done.done
        ),
    );
    for (head, rows) in [
        ("x not proven", &done.unproven),
        ("! left", &done.left),
        ("x changed, not by this repair", &done.disturbed),
    ] {
        for row in rows {
            put(
                &mut text,
                format_args!("  {head}: {}", row.replace('\n', "; ")),
            );
        }
    }
    put(
        &mut text,
        format_args!(
            "reconciled again: {}; cockpit rollback plan {} puts back what was before",
            done.report.status, done.batch.id.0
        ),
    );
    text
}
