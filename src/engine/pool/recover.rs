//! Letting one account in again: ask it once, and only after a good answer tell the host to forget
//! what it holds against it. Plan, apply, and what came of it.

use super::status::{Known, known};
use super::writes::{Reset, TestAgain};
use crate::approval::{Approval, changed_since};
use crate::basis::{Resting, Row};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::UnparkAccount;
use crate::journal::Journal;
use crate::neighbours;
use crate::planned::{self, Open, Planned, RECOVER, Taken, again, begin, ended, stopped, take_up};
use crate::ports::{AccountTest, HostApi, ResultKind};
use crate::view::read_view;
use cockpit_domain::batch::{AccountStatus, Batch, BatchKind, BatchStatus};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::{BatchId, HostId, PackId, PlanId, RemoteId};
use cockpit_domain::import::{HostView, Leftovers};
use cockpit_domain::inventory::Account;
use cockpit_domain::pack::{Pack, ProviderPack, upstream_root};
use cockpit_domain::pool::{
    Ask, Asked, Pool, PoolInput, Probed, Reason, RecoverInput, RecoverPlan, Seat, WhyNot,
    plan_recover as make_plan, pools,
};
use cockpit_domain::recorded;
use cockpit_domain::resource::{Origin, ResourceKind};
use cockpit_domain::text::shorten;
use serde::Serialize;
use serde_json::Value;

/// A plan with its id and hash.
pub type PlannedRecover = Planned<RecoverPlan>;

/// What asking came to.
#[derive(Debug, Clone, Serialize)]
pub struct Recovered {
    /// The batch that records it.
    #[serde(flatten)]
    pub batch: Batch,
    /// The account.
    pub account: RemoteId,
    /// Its name.
    pub name: String,
    /// Its group.
    pub group: String,
    /// How it answered.
    pub account_status: AccountStatus,
    /// In whose words.
    pub account_probe_summary: String,
    /// Whether it would be chosen now.
    pub chosen: bool,
    /// Why not, if not.
    pub why_not: Vec<WhyNot>,
    /// When the host tries it again by itself, RFC 3339.
    pub next_try: Option<String>,
}

/// Plans and saves. Reads only.
pub async fn plan(
    job: &Job,
    host: &HostId,
    account: RemoteId,
    provider: Option<&PackId>,
) -> Outcome<PlannedRecover> {
    let doing = format!("planning to ask account #{account} of `{host}` again");
    let settings = job.host(host)?.clone();
    job.say(format!("reading `{host}`"));
    let api = job.ports.hosts.api(host).await?;
    let drafted = draft(job, api.as_ref(), &settings, account, provider).await;
    let (mut plan, view) = drafted.map_err(|failure| failure.doing(doing))?;
    let others = neighbours::warnings(job, &settings, &view).await;
    plan.warnings.extend(others);
    planned::save(job, RECOVER, plan).await
}

/// Carries out exactly this plan and reads what came of it.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval) -> Outcome<Recovered> {
    let open: Open<RecoverPlan> = planned::open(job, RECOVER, id, approval).await?;
    let (saved, plan, api) = (&open.saved, &open.plan, open.api.as_ref());
    let provider = Some(&saved.provider);
    let (now, view) = draft(job, api, &open.host, plan.account, provider).await?;
    if now.revision != plan.revision || reasons(&now.why) != reasons(&plan.why) {
        return Err(open.stale("the host", &changed_since(&lines(plan), &lines(&now))).hint(format!(
            "nothing was asked; `cockpit recover plan --host {} --account {}` shows it as it is now",
            saved.host, plan.account
        )));
    }
    let what = format!("account {} #{}", plan.name, plan.account);
    let batch = begin(job, BatchKind::Recover, saved, &what).await?;
    let seen = view.accounts.iter().find(|row| row.id == plan.account);
    let seen = seen.map(recorded::of_account).unwrap_or_default();
    let ground = Ground { api, seen: &seen };
    run(job, &ground, batch, plan, &open.reason).await
}

/// Goes on with one that was stopped: the account is asked once more.
pub(crate) async fn resume(job: &Job, id: BatchId) -> Outcome<Batch> {
    let mut taken: Taken<RecoverPlan> = take_up(job, id).await?;
    let api = job.ports.hosts.api(&taken.batch.host).await?;
    again(job, &mut taken.batch).await?;
    // It goes on from what is there now.
    let seen = api.account(taken.plan.account).await?;
    let seen = seen.as_ref().map(recorded::of_account).unwrap_or_default();
    let ground = Ground {
        api: api.as_ref(),
        seen: &seen,
    };
    let recovered = run(job, &ground, taken.batch, &taken.plan, "resume").await?;
    Ok(recovered.batch)
}

fn reasons(why: &[WhyNot]) -> Vec<Reason> {
    why.iter().map(|why| why.reason).collect()
}

fn lines(plan: &RecoverPlan) -> Vec<String> {
    let why = plan.why.iter();
    why.map(|why| format!("{}: {}", why.reason, why.said))
        .chain(plan.blockers.iter().cloned())
        .collect()
}

/// Reads the host and plans.
async fn draft(
    job: &Job,
    api: &dyn HostApi,
    host: &HostSettings,
    id: RemoteId,
    provider: Option<&PackId>,
) -> Outcome<(RecoverPlan, HostView)> {
    let Some(account) = api.account(id).await? else {
        let message = format!("there is no account #{id} on `{}`", host.id);
        let hint = format!("`cockpit provider status --host {}` lists them", host.id);
        return Err(Failure::new(FailureKind::Usage, message).hint(hint));
    };
    let known = known(job, &host.id, None).await?;
    let pack = match provider {
        Some(provider) => job.provider(provider)?,
        None => provider_of(job, &known, &account)?,
    };
    let view = read_view(api, &pack.id).await?;
    let Some((pool, seat)) = seat(&host.id, &view, &known, id, job.now_ms()) else {
        let message = format!("account {} #{id} is bound to no group", account.name);
        let hint = "nobody would choose it, whatever it answers: bind it to its group first";
        return Err(Failure::new(FailureKind::Conflict, message).hint(hint));
    };
    let plan = make_plan(&RecoverInput {
        host: &host.id,
        role: host.role,
        provider: &pack.id,
        model: model_of(&pack, &account),
        account: &account,
        seat: (&pool, &seat),
        now_ms: job.now_ms(),
    });
    Ok((plan, view))
}

/// The seat of an account in the first group it is bound to.
fn seat(
    host: &HostId,
    view: &HostView,
    known: &Known,
    id: RemoteId,
    now_ms: i64,
) -> Option<(Pool, Seat)> {
    let made = pools(&PoolInput {
        host,
        pack: None,
        view,
        records: &known.records,
        probed: &known.probed,
        recovered: &known.recovered,
        now_ms,
    });
    made.into_iter().find_map(|pool| {
        let seat = pool.seats.iter().find(|seat| seat.account == id)?.clone();
        Some((pool, seat))
    })
}

/// The smoke model, or one that the account has where it does not have that.
fn model_of<'a>(pack: &'a ProviderPack, account: &'a Account) -> &'a str {
    let mapping = &account.model_mapping;
    let smoke = pack.smoke_model.as_str();
    if mapping.is_empty() || mapping.contains_key(smoke) {
        return smoke;
    }
    let plain = mapping.keys().find(|name| !name.ends_with('*'));
    plain.map_or(smoke, String::as_str)
}

/// Whose account it is: by our records, by its name, by the address of its upstream.
fn provider_of(job: &Job, known: &Known, account: &Account) -> Outcome<ProviderPack> {
    if let Some(provider) = known.provider_of(account.id) {
        return job.provider(provider);
    }
    let packs: Vec<ProviderPack> = job
        .ports
        .packs
        .list()?
        .into_iter()
        .filter_map(|entry| match entry.pack {
            Ok(Pack::Provider(pack)) => Some(pack),
            _ => None,
        })
        .collect();
    let named = packs
        .iter()
        .find(|pack| Leftovers::of(pack).holds(&account.name));
    let addressed = || {
        let mut packs = packs.iter();
        packs.find(|pack| upstream_root(&pack.base_url) == upstream_root(&account.base_url))
    };
    named.or_else(addressed).cloned().ok_or_else(|| {
        let message = format!(
            "no pack knows account {} #{}, upstream {}",
            account.name, account.id, account.base_url
        );
        Failure::new(FailureKind::Usage, message)
            .hint("say whose it is: `--provider ID`; `cockpit pack list` shows the packs")
    })
}

/// The account as it was read, which every write of the plan rests on.
struct Ground<'a> {
    api: &'a dyn HostApi,
    seen: &'a Value,
}

impl<'a> Ground<'a> {
    fn under<W>(&self, plan: &RecoverPlan, write: W) -> Resting<Row<'a>, W> {
        let on = Row {
            api: self.api,
            of: (ResourceKind::Account, plan.account),
            was: self.seen,
        };
        Resting { on, write }
    }
}

/// How it answered, and in whose words.
async fn ask(
    job: &Job,
    ground: &Ground<'_>,
    journal: &Journal,
    plan: &RecoverPlan,
) -> Outcome<(AccountStatus, String)> {
    let api = ground.api;
    if plan.ask == Ask::List {
        job.say("asking the upstream for its models with the account's key");
        return Ok(match api.upstream_models(plan.account).await {
            Ok(models) => (
                AccountStatus::Passed,
                format!("the upstream lists {} model(s) for its key", models.len()),
            ),
            Err(failure) if failure.kind == FailureKind::Remote => {
                (AccountStatus::Failed, failure.message)
            }
            Err(failure) => return Err(failure),
        });
    }
    job.say(format!("asking `{}` for one answer", plan.model));
    let test = TestAgain {
        api,
        id: plan.account,
        name: &plan.name,
        model: &plan.model,
    };
    let tested = journal.ensure(&ground.under(plan, test)).await?;
    Ok(match tested {
        AccountTest::Passed => (
            AccountStatus::Passed,
            format!("answered `{}` when it was asked again", plan.model),
        ),
        AccountTest::Failed(why) => (AccountStatus::Failed, why),
        AccountTest::Unfinished(last) => (
            AccountStatus::Failed,
            format!("the test ended without a verdict, last seen: {last}"),
        ),
    })
}

async fn run(
    job: &Job,
    ground: &Ground<'_>,
    batch: Batch,
    plan: &RecoverPlan,
    reason: &str,
) -> Outcome<Recovered> {
    match work(job, ground, &batch, plan, reason).await {
        Ok(recovered) => finish(job, recovered).await,
        Err(failure) => Err(stopped(job, batch, failure).await?),
    }
}

async fn work(
    job: &Job,
    ground: &Ground<'_>,
    batch: &Batch,
    plan: &RecoverPlan,
    reason: &str,
) -> Outcome<Recovered> {
    let journal = Journal::open(job, batch.id, &batch.host, &batch.plan_hash, reason).await?;
    let (status, summary) = ask(job, ground, &journal, plan).await?;
    let api = ground.api;
    let (id, name) = (plan.account, plan.name.as_str());
    if status == AccountStatus::Passed {
        if plan.reset {
            let reset = Reset { api, id, name };
            journal.ensure(&ground.under(plan, reset)).await?;
        }
        if plan.switch_on {
            let name = plan.name.clone();
            let unpark = UnparkAccount { api, id, name };
            journal.ensure(&ground.under(plan, unpark)).await?;
            remember_on(job, batch, id).await?;
        }
    }
    let summary = shorten(&summary, 400);
    let asked = Asked {
        account: id,
        probed: Probed {
            status,
            summary: summary.clone(),
            batch: batch.id,
        },
    };
    job.keep(ResultKind::Recover, &batch.id.to_string(), &asked)
        .await;
    let known = known(job, &batch.host, None).await?;
    let view = read_view(api, &plan.provider).await?;
    let now = seat(&batch.host, &view, &known, id, job.now_ms());
    let why_not = now.map_or_else(Vec::new, |(_, seat)| seat.why_not);
    let mut batch = batch.clone();
    batch.last_write_ms = job.now_ms();
    Ok(Recovered {
        batch,
        account: id,
        name: plan.name.clone(),
        group: plan.group.clone(),
        account_status: status,
        account_probe_summary: summary,
        chosen: why_not.is_empty(),
        next_try: why_not.iter().filter_map(|why| why.next_try.clone()).max(),
        why_not,
    })
}

/// What a batch of ours holds to be off is on now, or the next comparison would call it drift.
async fn remember_on(job: &Job, batch: &Batch, id: RemoteId) -> Outcome<()> {
    let store = &job.ports.store;
    for mut record in store.host_resources(&batch.host, &batch.provider).await? {
        let ours = record.kind == ResourceKind::Account
            && record.host_resource_id == id
            && record.origin != Origin::Parked;
        if ours && record.recorded.get("schedulable").is_some() {
            record.recorded["schedulable"] = true.into();
            store.record(&record).await?;
        }
    }
    Ok(())
}

async fn finish(job: &Job, mut recovered: Recovered) -> Outcome<Recovered> {
    let passed = recovered.account_status == AccountStatus::Passed;
    let (status, reason) = match (passed, recovered.chosen) {
        (true, true) => (BatchStatus::Succeeded, String::new()),
        (true, false) => (
            BatchStatus::PartiallySucceeded,
            "it answered, but would still not be chosen".to_owned(),
        ),
        (false, _) => (BatchStatus::Failed, recovered.account_probe_summary.clone()),
    };
    let told = format!(
        "{}: {}",
        recovered.account_status, recovered.account_probe_summary
    );
    ended(job, &mut recovered.batch, status, reason, told).await?;
    Ok(recovered)
}
