//! Which operation a command is.

use crate::command::{Answer, Command};
use crate::context::Job;
use crate::failure::Outcome;
use crate::view::read_view;
use crate::{
    access, adopt, baseline, batches, doctor, explain, gate, import, leases, pool, probe,
    reconcile, registry, repair, rollback, runbook, stacks, triage,
};
use cockpit_domain::recorded::listing;

pub(super) async fn carry_out(job: &Job, command: Command) -> Outcome<Answer> {
    Ok(match command {
        Command::BaselineRun { pack, due } => {
            Answer::Baseline(baseline::command(job, pack.as_ref(), due).await?)
        }
        Command::BaselineHistory { pack, check, since } => {
            let told = baseline::history(job, pack.as_ref(), check.as_deref(), since);
            Answer::History(Box::new(told.await?))
        }
        Command::BaselineDraft { of } => {
            Answer::Draft(Box::new(baseline::draft_of(job, &of).await?))
        }
        Command::BaselineDiff { a, b } => {
            Answer::Diff(Box::new(baseline::diff(job, &a, &b).await?))
        }
        Command::BaselineWaivers => Answer::Waivers(Box::new(baseline::waivers(job).await?)),
        Command::BaselineWaive { wish } => {
            Answer::Waivers(Box::new(baseline::waive(job, &wish).await?))
        }
        Command::BaselineClear { aside } => {
            Answer::Waivers(Box::new(baseline::clear(job, &aside).await?))
        }
        Command::HostProbe { host } => Answer::Host(probe::host(job, &host).await?),
        Command::MachineCheck { machine } => Answer::Machine(probe::machine(job, &machine).await?),
        Command::HostListing { host, provider } => {
            let api = job.ports.hosts.api(&host).await?;
            Answer::Listing(listing(&read_view(api.as_ref(), &provider).await?))
        }
        Command::ImportPlan {
            host,
            provider,
            keys,
            mode,
            access,
            user_key,
        } => {
            let wish = import::Wish {
                mode,
                access,
                user_key,
                retry_of: None,
                left_out: Vec::new(),
            };
            let planned = import::plan(job, &host, &provider, &keys, &wish).await?;
            Answer::Import(Box::new(planned))
        }
        Command::ImportApply {
            plan,
            approval,
            canary,
        } => Answer::Batch(Box::new(import::apply(job, plan, &approval, canary).await?)),
        Command::BatchRetry { batch, keys } => {
            Answer::Import(Box::new(import::retry(job, batch, &keys).await?))
        }
        Command::BatchList { host } => Answer::Batches(batches::list(job, host.as_ref()).await?),
        Command::BatchShow { batch } => Answer::Detail(Box::new(batches::show(job, batch).await?)),
        Command::BatchResume { batch } => {
            Answer::Batch(Box::new(Box::pin(batches::resume(job, batch)).await?))
        }
        Command::AccessPreview {
            host,
            provider,
            access,
            user_key,
        } => {
            let looked = access::preview(job, &host, &provider, access, user_key.as_ref());
            Answer::Preview(Box::new(looked.await?))
        }
        Command::AccessPlan {
            host,
            provider,
            access,
            user_key,
        } => Answer::AccessPlan(Box::new(
            import::plan_access(job, &host, &provider, access, user_key).await?,
        )),
        Command::AccessApply { plan, approval } => {
            Answer::Batch(Box::new(import::apply_access(job, plan, &approval).await?))
        }
        Command::LeaseList => Answer::Leases(leases::list(job).await?),
        Command::LeaseTake {
            host,
            provider,
            reason,
            even_if_alive,
        } => {
            let taken = leases::take(job, &host, &provider, &reason, even_if_alive);
            Answer::LeaseTaken(Box::new(taken.await?))
        }
        Command::HostAdd { new } => Answer::HostBlock(Box::new(registry::add(job, &new).await?)),
        Command::HostRemove { host } => {
            Answer::HostLines(Box::new(registry::remove(job, &host).await?))
        }
        Command::AccessStatus { batch } => {
            Answer::Access(Box::new(access::status(job, batch).await?))
        }
        Command::ProviderStatus { host, provider } => {
            Answer::Pools(pool::status(job, &host, provider.as_ref()).await?)
        }
        Command::ReconcilePlan { scope } => {
            Answer::Reconcile(Box::new(reconcile::plan(job, &scope).await?))
        }
        Command::ReconcileLook {
            host,
            provider,
            since_ms,
        } => {
            let looked = reconcile::look(job, &host, provider.as_ref(), since_ms);
            Answer::Looked(Box::new(looked.await?))
        }
        Command::ReconcileApply { plan, approval } => {
            Answer::Mended(Box::new(reconcile::apply(job, plan, &approval).await?))
        }
        Command::RepairPlan { pack, check } => {
            Answer::Repair(Box::new(repair::plan(job, pack.as_ref(), &check).await?))
        }
        Command::RepairApply { plan, approval } => {
            Answer::Repaired(Box::new(repair::apply(job, plan, &approval).await?))
        }
        Command::RollbackPlan { batch, delete } => {
            Answer::Rollback(Box::new(rollback::plan(job, batch, delete).await?))
        }
        Command::RollbackApply { plan, approval } => {
            Answer::RolledBack(Box::new(rollback::apply(job, plan, &approval).await?))
        }
        Command::ProviderResources { host, provider } => {
            let found = pool::resources(job, &host, provider.as_ref()).await?;
            Answer::Resources(Box::new(found))
        }
        Command::ProviderList => Answer::Matrix(pool::matrix(job).await?),
        Command::AdoptPlan { host, provider } => {
            Answer::Adopt(Box::new(adopt::plan(job, &host, &provider).await?))
        }
        Command::AdoptApply { plan, approval } => {
            Answer::Adopted(Box::new(adopt::apply(job, plan, &approval).await?))
        }
        Command::PrunePlan { host, provider } => {
            Answer::Prune(Box::new(pool::plan_prune(job, &host, &provider).await?))
        }
        Command::PruneApply { plan, approval } => {
            Answer::Pruned(Box::new(pool::apply_prune(job, plan, &approval).await?))
        }
        Command::RecoverPlan {
            host,
            account,
            provider,
        } => Answer::Recover(Box::new(
            pool::plan_recover(job, &host, account, provider.as_ref()).await?,
        )),
        Command::RecoverApply { plan, approval } => {
            Answer::Recovered(Box::new(pool::apply_recover(job, plan, &approval).await?))
        }
        Command::ProbeRun { host, provider } => {
            Answer::Probes(probe::run(job, &host, provider.as_ref()).await?)
        }
        Command::ProbeSplit {
            host,
            provider,
            key,
            here,
        } => Answer::Split(Box::new(
            probe::split(job, &host, &provider, &key, here).await?,
        )),
        Command::RunbookList => Answer::Runbooks(runbook::books(job).await?),
        Command::RunbookShow { book } => Answer::Runbook(Box::new(runbook::book(job, &book)?)),
        Command::RunbookRun { walk } => {
            let run = runbook::start(job, &walk).await?;
            Answer::Run(Box::new(if walk.begin_only {
                run
            } else {
                runbook::go_on(job, run.id).await?
            }))
        }
        Command::RunbookRuns { run: None } => Answer::Runs(runbook::runs(job).await?),
        Command::RunbookRuns { run: Some(run) } => {
            Answer::Run(Box::new(runbook::find(job, run).await?))
        }
        Command::RunbookResume { run, word } => {
            Answer::Run(Box::new(runbook::say(job, run, &word).await?))
        }
        Command::RunbookBack { run } => {
            let back = runbook::back(job, run).await?;
            Answer::Run(Box::new(runbook::go_on(job, back.id).await?))
        }
        Command::GateBefore { pack } => {
            Answer::Gate(Box::new(gate::before(job, pack.as_ref()).await?))
        }
        Command::GateAfter { pack } => {
            Answer::Gate(Box::new(gate::after(job, pack.as_ref()).await?))
        }
        Command::GateShow { pack } => Answer::Gate(Box::new(gate::show(job, pack.as_ref()).await?)),
        Command::GateAnswer { pack, said } => {
            Answer::Gate(Box::new(gate::settle(job, pack.as_ref(), said).await?))
        }
        Command::GateApply { plan, approval } => {
            Answer::Gate(Box::new(gate::apply(job, plan, &approval).await?))
        }
        Command::StackList => Answer::Stacks(stacks::list(job).await?),
        Command::StackShow { stack } => {
            Answer::StackLook(Box::new(stacks::look(job, &stack).await?))
        }
        Command::StackClean { stack } => Answer::Run(Box::new(stacks::clean(job, &stack).await?)),
        Command::StackRegister { new } => {
            Answer::Stack(Box::new(stacks::register(job, &new).await?))
        }
        Command::ExplainKey { host, key } => {
            Answer::Explained(Box::new(explain::explain(job, host.as_ref(), &key).await?))
        }
        Command::Triage { host, look } => {
            Answer::Triage(Box::new(triage::triage(job, host.as_ref(), look).await?))
        }
        Command::Doctor => Answer::Doctor(doctor::examine(job).await),
    })
}
