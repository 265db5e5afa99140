//! Whether a saved import plan may be carried out now: approval, age, and the world as it saw it.

use super::caller::sealed_parts;
use super::plan::ACCESS;
use crate::approval::{Approval, changed_since};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{HostApi, SavedPlan};
use crate::view::{Whose, read_view_of};
use cockpit_domain::ids::PlanId;
use cockpit_domain::import::{
    HostView, ImportPlan, KeyInput, KeyLine, changed_fields, plan_import,
};
use cockpit_domain::plan::Change;
use cockpit_domain::secret::Secret;

/// The keys of a plan in item order, and the caller's own.
pub(super) type Sealed = (Vec<Secret>, Option<Secret>);

/// Loads a plan and checks everything that needs no host.
pub(super) async fn load(
    job: &Job,
    kind: &str,
    id: PlanId,
    approval: &Approval,
) -> Outcome<(SavedPlan, ImportPlan, Sealed)> {
    let doing = format!("applying {id}");
    let saved = job.ports.store.plan(id).await?.ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("there is no {id}"))
            .doing(doing.clone())
            .hint("`cockpit import plan` makes one and prints its id and hash")
    })?;
    if saved.kind != kind {
        return Err(
            Failure::new(FailureKind::Usage, format!("{id} is a {} plan", saved.kind))
                .doing(doing)
                .hint(match saved.kind.as_str() {
                    ACCESS => "use `cockpit access prepare apply`".to_owned(),
                    other => format!("use `cockpit {other} apply`"),
                }),
        );
    }
    approval.check(&saved, job.host(&saved.host)?)?;
    let plan: ImportPlan = serde_json::from_value(saved.body.clone()).map_err(|error| {
        Failure::new(
            FailureKind::Store,
            format!("the saved plan cannot be read: {error}"),
        )
        .doing(doing.clone())
        .hint("make the plan again")
    })?;
    if let Some(batch) = saved.batch.filter(|_| saved.used_ms.is_some()) {
        return Err(Failure::new(
            FailureKind::Conflict,
            format!("{id} was applied already, as {batch}"),
        )
        .doing(doing)
        .hint(format!(
            "`cockpit batch show {}`; make a new plan for a new import",
            batch.0
        )));
    }
    if plan.expires_ms.is_some_and(|end| job.now_ms() > end) {
        return Err(Failure::new(
            FailureKind::Conflict,
            "the plan is older than 15 minutes, too old for production",
        )
        .doing(doing)
        .hint("make the plan again and read it again"));
    }
    if !plan.blockers.is_empty() {
        return Err(
            Failure::new(FailureKind::Conflict, plan.blockers.join("; "))
                .doing(doing)
                .hint("a plan with blockers is never applied; mend what it names and plan again"),
        );
    }
    let keys = job.ports.store.plan_keys(id).await?;
    let sealed = sealed_parts(&plan, keys).ok_or_else(|| {
        Failure::new(FailureKind::Conflict, "the keys of this plan were wiped")
            .doing(doing)
            .hint("make the plan again from the key file")
    })?;
    Ok((saved, plan, sealed))
}

/// Reads the host again and refuses a plan that no longer fits it, naming what changed since.
pub(super) async fn fresh_view(
    job: &Job,
    api: &dyn HostApi,
    plan: &ImportPlan,
    (keys, caller): &Sealed,
) -> Outcome<HostView> {
    let provider = &plan.request.pack.id;
    let whose = caller.as_ref().map_or(Whose::Managed, Whose::Caller);
    let view = read_view_of(api, provider, whose).await?;
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
    Err(Failure::new(
        FailureKind::Conflict,
        format!("the host changed since the plan was made: {told}"),
    )
    .doing(format!(
        "checking that `{}` is as the plan saw it",
        plan.request.host
    ))
    .hint("make the plan again and read it again; nothing was written"))
}
