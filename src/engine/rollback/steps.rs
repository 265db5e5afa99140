//! The steps of a plan, one write after the other.

use super::fresh::Seen;
use super::login::session_for_keys;
use super::plan::Draft;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::{Restore, RestoreAllowed, RestoreBalance, RestoreKey, UnparkAccount, deletion};
use crate::journal::Journal;
use crate::ports::HostApi;
use crate::repair::{RestoreBinding, RestoreSwitch};
use cockpit_domain::batch::Batch;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::ChannelSpec;
use cockpit_domain::recorded::id_in;
use cockpit_domain::resource::ResourceKind;
use cockpit_domain::rollback::{UndoAct, UndoStep};

/// Carries out what a draft plans, each step on the ground that the draft saw.
pub(super) async fn carry_out(
    job: &Job,
    api: &dyn HostApi,
    journal: &Journal,
    batch: &Batch,
    draft: &Draft,
) -> Outcome<usize> {
    let steps = &draft.plan.steps;
    let session = session_for_keys(job, api, journal, batch, &draft.view, steps).await?;
    let seen = Seen::of(api, &draft.view, &draft.keys, steps);
    let mut done = 0;
    for (index, step) in steps.iter().enumerate() {
        let Some(id) = step.change.host_resource_id else {
            continue;
        };
        if step.blocked.is_some() {
            continue;
        }
        job.count(step.change.line(), index, steps.len());
        let name = &step.change.name;
        match step.act {
            UndoAct::Leave => {}
            UndoAct::Delete => {
                let delete = deletion(api, step.change.kind, id, name, session.as_ref());
                journal.ensure(&seen.whole(step, delete)).await?;
            }
            UndoAct::Unpark => {
                journal
                    .ensure(&UnparkAccount {
                        api,
                        id,
                        name: name.clone(),
                    })
                    .await?;
            }
            UndoAct::Restore if step.change.kind == ResourceKind::Account => {
                restore_account(api, journal, &seen, id, step).await?;
            }
            UndoAct::Restore if step.change.kind == ResourceKind::Key => {
                let restore = RestoreKey::of(api, id, name, &step.before);
                journal
                    .ensure(&seen.only(step, &["group_id"], restore))
                    .await?;
            }
            UndoAct::Restore if step.change.kind == ResourceKind::User => {
                restore_user(api, journal, &seen, id, step).await?;
            }
            UndoAct::Restore => {
                let spec: ChannelSpec = serde_json::from_value(step.before.clone()).map_err(|error| {
                    Failure::new(FailureKind::Store, format!("the before-image of {name} cannot be read: {error}"))
                        .doing("restoring a corrected channel")
                        .hint("put it back by hand from `cockpit batch show`, then plan the rollback again")
                })?;
                let restore = Restore { api, id, spec };
                journal.ensure(&seen.whole(step, restore)).await?;
            }
        }
        job.ports
            .store
            .mark_undone(batch.id, step.change.kind, id)
            .await?;
        done += usize::from(step.act != UndoAct::Leave);
    }
    Ok(done)
}

/// Puts back what a repair changed of an account, and nothing else of it.
async fn restore_account(
    api: &dyn HostApi,
    journal: &Journal,
    seen: &Seen<'_>,
    id: RemoteId,
    step: &UndoStep,
) -> Outcome<()> {
    let name = &step.change.name;
    if step.differs("group_ids") {
        let restore = RestoreBinding::of(api, id, name, &step.before)?;
        journal
            .ensure(&seen.only(step, &["group_ids"], restore))
            .await?;
    }
    if step.differs("schedulable") {
        let schedulable = step.before["schedulable"] == serde_json::Value::Bool(true);
        let name = name.clone();
        let restore = RestoreSwitch {
            api,
            id,
            name,
            schedulable,
        };
        journal
            .ensure(&seen.only(step, &["schedulable"], restore))
            .await?;
    }
    Ok(())
}

/// Puts back what a batch changed of a user, and nothing else of it.
async fn restore_user(
    api: &dyn HostApi,
    journal: &Journal,
    seen: &Seen<'_>,
    id: RemoteId,
    step: &UndoStep,
) -> Outcome<()> {
    let email = || step.change.name.clone();
    if step.differs("balance") {
        let was = step.before["balance"].as_f64().unwrap_or(0.0).max(0.0);
        let restore = RestoreBalance {
            api,
            id,
            email: email(),
            was,
        };
        journal.ensure(&seen.whole(step, restore)).await?;
    }
    if let Some(group) = id_in(&step.before, "granted").filter(|_| step.differs("allowed_groups")) {
        // It reads the list right before it is sent, and takes this one group out of it.
        let restore = RestoreAllowed {
            api,
            id,
            email: email(),
            group,
        };
        journal.ensure(&restore).await?;
    }
    Ok(())
}
