//! Whether an import plan that was opened may be carried out now: its keys, and the host as it saw it.

use super::caller::sealed_parts;
use crate::approval::changed_since;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::planned::Open;
use crate::view::{Whose, read_view_of};
use cockpit_domain::import::{
    HostView, ImportPlan, KeyInput, KeyLine, changed_fields, plan_import,
};
use cockpit_domain::plan::Change;
use cockpit_domain::secret::Secret;

/// The keys of a plan in item order, and the caller's own.
pub(super) type Sealed = (Vec<Secret>, Option<Secret>);

/// The sealed parts of a plan that is about to be applied.
pub(super) async fn sealed(job: &Job, open: &Open<ImportPlan>) -> Outcome<Sealed> {
    let keys = job.ports.store.plan_keys(open.saved.id).await?;
    sealed_parts(&open.plan, keys).ok_or_else(|| {
        Failure::new(FailureKind::Conflict, "the keys of this plan were wiped")
            .doing(&open.doing)
            .hint("make the plan again from the key file")
    })
}

/// Reads the host again and refuses a plan that no longer fits it, naming what changed since.
pub(super) async fn fresh_view(
    job: &Job,
    open: &Open<ImportPlan>,
    (keys, caller): &Sealed,
) -> Outcome<HostView> {
    let plan = &open.plan;
    let provider = &plan.request.pack.id;
    let whose = caller.as_ref().map_or(Whose::Managed, Whose::Caller);
    let view = read_view_of(open.api.as_ref(), provider, whose).await?;
    if plan.request.revision(&view) == plan.revision {
        return Ok(view);
    }
    let input = KeyInput {
        keys: plan
            .items
            .iter()
            .zip(keys)
            .map(|(item, key)| KeyLine {
                line: item.line,
                key: key.clone(),
            })
            .collect(),
        ..KeyInput::default()
    };
    let now = plan_import(plan.request.clone(), &input, &[], &view, job.now_ms());
    let lines = |changes: &[Change]| -> Vec<String> { changes.iter().map(Change::line).collect() };
    let fields = changed_fields(&plan.seen, &now.seen);
    // What has no field of its own, such as a balance that ran out, is seen in what would be done.
    let told = if fields.is_empty() || plan.seen.is_empty() {
        changed_since(&lines(&plan.changes), &lines(&now.changes))
    } else {
        fields.join("; ")
    };
    Err(open
        .stale("the host", &told)
        .hint("make the plan again and read it again; nothing was written"))
}
