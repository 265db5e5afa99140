//! What would be taken over, and what came of it, as text.

use super::plans::{changes, ending, warnings};
use super::put;
use cockpit_engine::adopt::{Adopted, PlannedAdopt};

pub(super) fn adopt(planned: &PlannedAdopt) -> String {
    let plan = &planned.plan;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "plan {} to take over {} resource(s) of {} on {}; nothing is written to the host",
            planned.id.0,
            plan.adoptions.len(),
            plan.provider,
            plan.host
        ),
    );
    changes(&mut text, &plan.changes);
    warnings(&mut text, &plan.warnings);
    put(
        &mut text,
        format_args!(
            "+{} to record, !{} left alone",
            plan.totals.create, plan.totals.attention
        ),
    );
    ending(&mut text, "adopt", planned);
    text
}

pub(super) fn adopted(done: &Adopted) -> String {
    let batch = &done.batch;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} took over {} resource(s) of {} on {}: {}",
            batch.id, done.done, batch.provider, batch.host, batch.batch_status
        ),
    );
    put(
        &mut text,
        format_args!(
            "cockpit reconcile plan --batch {} compares them; cockpit rollback plan {} releases them",
            batch.id.0, batch.id.0
        ),
    );
    text
}
