//! The proof: listed again, nothing of ours remains and nothing of others changed.

use crate::context::Job;
use crate::failure::Outcome;
use crate::ports::HostApi;
use crate::view::{Whose, read_view_of};
use cockpit_domain::batch::Batch;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::HostView;
use cockpit_domain::recorded::{listing, listing_changes};
use cockpit_domain::resource::ResourceKind;
use cockpit_domain::rollback::{RollbackPlan, UndoAct};

/// What the listing afterwards told.
pub(super) struct Proof {
    /// What of ours is still there.
    pub(super) remains: Vec<String>,
    /// What of others is not as it was.
    pub(super) disturbed: Vec<String>,
}

/// Lists again: nothing of ours remains, nothing of others changed (traps 16, 28).
pub(super) async fn prove(
    job: &Job,
    api: &dyn HostApi,
    batch: &Batch,
    plan: &RollbackPlan,
    before: &HostView,
) -> Outcome<Proof> {
    job.say("proving by listing");
    let whose = match &before.user {
        Some(user) => Whose::User(user.id),
        None => Whose::Managed,
    };
    let after = read_view_of(api, &batch.provider, whose).await?;
    let touched = |kind: ResourceKind, id: RemoteId| {
        plan.steps.iter().any(|step| {
            step.change.kind == kind
                && step.change.host_resource_id == Some(id)
                && step.act != UndoAct::Leave
                && step.blocked.is_none()
        })
    };
    let rows = listing(&after);
    let remains = rows
        .keys()
        .filter(|(kind, _, id)| {
            plan.steps.iter().any(|step| {
                step.act == UndoAct::Delete
                    && step.blocked.is_none()
                    && step.change.kind == *kind
                    && step.change.host_resource_id == Some(RemoteId(*id))
            })
        })
        .map(|(kind, name, id)| format!("{kind} {name} #{id}"))
        .collect();
    let keep = |view: &HostView| {
        let mut rows = listing(view);
        rows.retain(|(kind, _, id), _| !touched(*kind, RemoteId(*id)));
        rows
    };
    Ok(Proof {
        remains,
        disturbed: listing_changes(&keep(before), &keep(&after)),
    })
}
