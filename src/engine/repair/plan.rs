//! Planning a repair: from a check of a baseline to the one write that mends it, or to why there
//! is none and what to do instead.

use crate::baseline;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::neighbours;
use crate::planned::{self, Planned, REPAIR};
use crate::ports::HostApi;
use crate::view::read_view;
use cockpit_domain::finding::suggest;
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::PackId;
use cockpit_domain::import::HostView;
use cockpit_domain::pack::{BaselinePack, Check};
use cockpit_domain::repair::{NoRepair, RepairInput, RepairPlan, can_repair, plan_repair};

/// A repair plan with its id and hash.
pub type PlannedRepair = Planned<RepairPlan>;

/// Plans and saves. Reads only.
pub async fn plan(job: &Job, pack: Option<&PackId>, check: &str) -> Outcome<PlannedRepair> {
    let (pack, host) = baseline::meant(job, pack)?;
    let doing = doing(check);
    let found = pack.check(check).ok_or_else(|| unknown(&pack, check))?;
    can_repair(found).map_err(|why| no_plan(found, &why))?;
    let host = host.ok_or_else(|| {
        let message = format!("no host of the config is judged by `{}`", pack.id);
        Failure::new(FailureKind::Config, message)
            .doing(doing.clone())
            .hint(format!(
                "add `baseline = \"{}\"` to the [host.NAME] this pack is about",
                pack.id
            ))
    })?;
    let host = job.host(&host)?.clone();
    job.say(format!("reading `{}`", host.id));
    let api = job.ports.hosts.api(&host.id).await?;
    let (mut plan, view) = draft(job, api.as_ref(), &host, &pack, found)
        .await
        .map_err(|failure| failure.doing(doing.clone()))?;
    plan.warnings = neighbours::warnings(job, &host, &view).await;
    planned::save(job, REPAIR, plan).await
}

/// Reads the host and plans; with what was read, for the proof.
pub(super) async fn draft(
    job: &Job,
    api: &dyn HostApi,
    host: &HostSettings,
    pack: &BaselinePack,
    check: &Check,
) -> Outcome<(RepairPlan, HostView)> {
    let view = read_view(api, &pack.id).await?;
    let plan = plan_repair(&RepairInput {
        host: &host.id,
        role: host.role,
        pack: &pack.id,
        check,
        view: &view,
        now_ms: job.now_ms(),
    })
    .map_err(|why| no_plan(check, &why))?;
    Ok((plan, view))
}

/// A check of the pack, or the nearest ones.
pub(super) fn unknown(pack: &BaselinePack, check: &str) -> Failure {
    let ids: Vec<&str> = pack.checks.iter().map(|check| check.id.as_str()).collect();
    let message = format!("there is no check `{check}` in pack `{}`", pack.id);
    Failure::new(FailureKind::Usage, message)
        .doing(doing(check))
        .hint(suggest(check, &ids))
}

fn doing(check: &str) -> String {
    format!("planning the repair of `{check}`")
}

/// A check without a repair is refused with what is to be done instead: the pack's own next step.
fn no_plan(check: &Check, why: &NoRepair) -> Failure {
    let next = || {
        if check.next_step.is_empty() {
            "`cockpit baseline run` shows the row".to_owned()
        } else {
            check.next_step.clone()
        }
    };
    let failure = match why {
        NoRepair::NotByApi(kind) => Failure::new(
            FailureKind::Conflict,
            format!(
                "`{}` is a check of kind `{kind}`: nothing that the host's API sets would mend it",
                check.id
            ),
        )
        .hint(next()),
        NoRepair::ForAPerson(found) => {
            Failure::new(FailureKind::Conflict, found.clone()).hint(next())
        }
        NoRepair::NothingWrong(found) => Failure::new(
            FailureKind::Conflict,
            format!("`{}` is as it should be: {found}", check.id),
        )
        .hint("`cockpit baseline run` judges it anew"),
    };
    failure.doing(doing(&check.id))
}
