//! One command from the words to the exit code.

use crate::args::{
    Access, Adopt, Apply, Batch, Cli, Deploy, Explain, Fault, Gate, Host, Import, Lab, Lease,
    Machine, Noun, Prepare, Probe, Provider, Prune, Reconcile, Recover, Repair, Rollback,
    StackWord, Word,
};
use crate::exit::{self, refuse};
use crate::{drill, failed, input, judging, known, logs, output, packs, runbooks, watching};
use cockpit_domain::ids::{BatchId, HostId, PackId, RemoteId};
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::explain::AskedKey;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::handle::Handle;
use cockpit_engine::import::CallerKey;
use cockpit_engine::ports::FaultBoard;
use cockpit_engine::probe::{SplitKey, read_item};
use cockpit_engine::reconcile::Scope;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What a command runs with.
pub struct Session {
    /// The engine.
    pub handle: Handle,
    /// The config file in force, for hints.
    pub config: std::path::PathBuf,
    /// Zone in which a person writes dates.
    pub zone: jiff::tz::TimeZone,
    /// Cancelled when a person or the system wants us to stop.
    pub stop: CancellationToken,
    /// Begins to listen for signals that hold what is running and let it go on; asked by what can be
    /// held only.
    pub holds: fn() -> watch::Receiver<bool>,
}

/// Runs a command and gives its exit code.
pub async fn run(cli: Cli, session: &Session) -> u8 {
    let json = cli.json;
    match dispatch(cli, session).await {
        Ok(code) => code,
        Err(failure) => refuse(&failure, json),
    }
}

async fn dispatch(cli: Cli, session: &Session) -> Outcome<u8> {
    let json = cli.json;
    if let Some(told) = known::tell(&cli.noun, session, json).await {
        return told;
    }
    let command = match cli.noun {
        Noun::Baseline(words) => return judging::run(words, session, json).await,
        Noun::Host(Host::Probe { host }) => Command::HostProbe { host },
        Noun::Host(Host::Listing { host, provider }) => Command::HostListing { host, provider },
        Noun::Machine(Machine::Check { machine }) => Command::MachineCheck { machine },
        Noun::Pack(pack) => return packs::run(&pack, session, json),
        Noun::Import(Import::Plan {
            host,
            provider,
            keys,
            mode,
            access,
            user_key,
        }) => {
            let keys = input::read_keys(&keys)?;
            Command::ImportPlan {
                host,
                provider,
                keys,
                mode: mode.into(),
                access: access.into(),
                user_key: user_key.map(CallerKey::named).transpose()?,
            }
        }
        Noun::Import(Import::Apply { plan, word, canary }) => Command::ImportApply {
            plan,
            approval: approval(word),
            canary,
        },
        Noun::Batch(Batch::List { host }) => Command::BatchList { host },
        Noun::Batch(Batch::Show { batch }) => Command::BatchShow { batch },
        Noun::Batch(Batch::Failed { batch, keys, out }) => {
            return failed::run(batch, &keys, &out, session, json).await;
        }
        Noun::Batch(Batch::Retry { batch, keys }) => Command::BatchRetry {
            batch,
            keys: input::read_keys(&keys)?,
        },
        Noun::Batch(Batch::Resume { batch }) => Command::BatchResume { batch },
        Noun::Access(Access::Status { batch }) => Command::AccessStatus { batch },
        Noun::Provider(Provider::List) => Command::ProviderList,
        Noun::Provider(Provider::Resources { host, provider }) => {
            Command::ProviderResources { host, provider }
        }
        Noun::Access(Access::Preview {
            host,
            provider,
            access,
            user_key,
        }) => Command::AccessPreview {
            host,
            provider,
            access: access.into(),
            user_key: user_key.map(CallerKey::named).transpose()?,
        },
        Noun::Access(Access::Prepare(Prepare::Plan {
            host,
            provider,
            access,
            user_key,
        })) => Command::AccessPlan {
            host,
            provider,
            access: access.into(),
            user_key: user_key.map(CallerKey::named).transpose()?,
        },
        Noun::Access(Access::Prepare(Prepare::Apply(Apply { plan, word }))) => {
            Command::AccessApply {
                plan,
                approval: approval(word),
            }
        }
        Noun::Lease(Lease::List) => Command::LeaseList,
        Noun::Lease(Lease::Take {
            lease: (host, provider),
            reason,
            even_if_alive,
        }) => Command::LeaseTake {
            host,
            provider,
            reason,
            even_if_alive,
        },
        Noun::Host(Host::Add(add)) => Command::HostAdd {
            new: Box::new((*add).into()),
        },
        Noun::Host(Host::Remove { host }) => Command::HostRemove { host },
        Noun::Provider(Provider::Status { host, provider }) => {
            Command::ProviderStatus { host, provider }
        }
        Noun::Reconcile(Reconcile::Plan {
            host,
            provider,
            batch,
        }) => Command::ReconcilePlan {
            scope: scope(host, provider, batch)?,
        },
        Noun::Reconcile(Reconcile::Watch {
            host,
            provider,
            every,
        }) => return watching::run(&host, provider.as_ref(), every, session, json).await,
        Noun::Reconcile(Reconcile::Apply(Apply { plan, word })) => Command::ReconcileApply {
            plan,
            approval: approval(word),
        },
        Noun::Repair(Repair::Plan { check, pack }) => Command::RepairPlan { pack, check },
        Noun::Repair(Repair::Apply(Apply { plan, word })) => Command::RepairApply {
            plan,
            approval: approval(word),
        },
        Noun::Rollback(Rollback::Plan { batch, delete }) => Command::RollbackPlan { batch, delete },
        Noun::Rollback(Rollback::Apply(Apply { plan, word })) => Command::RollbackApply {
            plan,
            approval: approval(word),
        },
        Noun::Adopt(Adopt::Plan { host, provider }) => Command::AdoptPlan { host, provider },
        Noun::Adopt(Adopt::Apply(Apply { plan, word })) => Command::AdoptApply {
            plan,
            approval: approval(word),
        },
        Noun::Prune(Prune::Plan { host, provider }) => Command::PrunePlan { host, provider },
        Noun::Prune(Prune::Apply(Apply { plan, word })) => Command::PruneApply {
            plan,
            approval: approval(word),
        },
        Noun::Recover(Recover::Plan {
            host,
            account,
            provider,
        }) => Command::RecoverPlan {
            host,
            account: RemoteId(account),
            provider,
        },
        Noun::Recover(Recover::Apply(Apply { plan, word })) => Command::RecoverApply {
            plan,
            approval: approval(word),
        },
        Noun::Probe(Probe::Run { host, provider }) => {
            return probes(host, provider, session, json).await;
        }
        Noun::Probe(Probe::Split {
            host,
            provider,
            key,
            item,
            here,
        }) => {
            let key = match (key, item) {
                (Some(key), _) => SplitKey::Named(CallerKey::named(key)?),
                (None, Some(item)) => {
                    let (batch, item) = read_item(&item)?;
                    SplitKey::Item(batch, item)
                }
                (None, None) => SplitKey::Kept,
            };
            Command::ProbeSplit {
                host,
                provider,
                key,
                here,
            }
        }
        Noun::Log(log) => return logs::run(log, session, json).await,
        Noun::Lab(Lab::Fault(fault)) => return faults(&fault, session, json).await,
        noun @ (Noun::Lab(Lab::Serve { .. })
        | Noun::Host(Host::List)
        | Noun::Machine(Machine::List)
        | Noun::Probe(Probe::List)
        | Noun::Audit(_)) => {
            let found = format!("nobody took the command: {noun:?}");
            return Err(Failure::new(FailureKind::Internal, found));
        }
        Noun::Runbook(words) => return runbooks::run(words, session, json).await,
        Noun::Deploy(Deploy::Gate(gate)) => match gate {
            Gate::Before { pack } => Command::GateBefore { pack },
            Gate::After { pack } => Command::GateAfter { pack },
            Gate::Show { pack } => Command::GateShow { pack },
            Gate::Answer { said, pack } => Command::GateAnswer {
                pack,
                said: said.into(),
            },
            Gate::Apply(Apply { plan, word }) => Command::GateApply {
                plan,
                approval: approval(word),
            },
        },
        Noun::Stack(StackWord::List) => Command::StackList,
        Noun::Stack(StackWord::Show { stack }) => Command::StackShow { stack },
        Noun::Stack(StackWord::Clean { stack }) => {
            return runbooks::conduct(Command::StackClean { stack }, session, json).await;
        }
        Noun::Stack(StackWord::Register(words)) => Command::StackRegister {
            new: Box::new((*words).into()),
        },
        Noun::Doctor => Command::Doctor,
        Noun::Explain(Explain::Key { key, host }) => Command::ExplainKey {
            host,
            key: match key.as_str() {
                "-" => AskedKey::Text(CallerKey::Given(input::read_keys("-")?)),
                _ => AskedKey::named(key)?,
            },
        },
        Noun::Triage { host } => Command::Triage { host, look: true },
        Noun::Drill(wanted) => return drill::run(&wanted, session, json).await,
    };
    let answer = call(session, command, json).await?;
    output::answer(&answer, json);
    Ok(exit::of_answer(&answer))
}

/// What is to be compared.
fn scope(host: Option<HostId>, provider: Option<PackId>, batch: Option<BatchId>) -> Outcome<Scope> {
    match (host, batch) {
        (_, Some(batch)) => Ok(Scope::Batch(batch)),
        (Some(host), None) => Ok(Scope::Host { host, provider }),
        (None, None) => Err(
            Failure::new(FailureKind::Usage, "no host and no batch is named")
                .doing("reading the command line")
                .hint("add `--host NAME` or `--batch ID`"),
        ),
    }
}

/// Sends a command, shows its progress on a terminal, and passes a stop on.
pub(crate) async fn call(session: &Session, command: Command, json: bool) -> Outcome<Answer> {
    let mut holds = command.writes().then(session.holds);
    let started = session.handle.send(command);
    let id = started.id;
    let mut seen = session.handle.watch();
    let mut progress = output::ProgressLine::new(json);
    let answer = started.answer();
    tokio::pin!(answer);
    let mut stopping = false;
    // A wait counts down also while nothing happens.
    let mut beat = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = beat.tick(), if progress.is_on() => {
                let snapshot = seen.borrow().clone();
                if let Some(job) = snapshot.jobs.iter().find(|job| job.id == id) {
                    progress.show(job, session.handle.ports().clock.now_ms());
                }
            }
            answer = &mut answer => {
                progress.clear();
                return answer;
            }
            () = session.stop.cancelled(), if !stopping => {
                stopping = true;
                progress.note("stopping: the step in flight is finished first");
                session.handle.stop(id);
            }
            Some(on) = held(&mut holds) => {
                session.handle.hold(id, on);
                progress.note(if on {
                    "held: what is in flight is finished, nothing new is begun; Ctrl-Z or SIGCONT goes on, Ctrl-C stops"
                } else {
                    "going on"
                });
            }
            changed = seen.changed() => {
                if changed.is_ok() {
                    let snapshot = seen.borrow_and_update().clone();
                    if let Some(job) = snapshot.jobs.iter().find(|job| job.id == id) {
                        progress.show(job, session.handle.ports().clock.now_ms());
                    }
                }
            }
        }
    }
}

/// The next time a person holds what runs, or lets it go on; never where nothing can be held.
async fn held(holds: &mut Option<watch::Receiver<bool>>) -> Option<bool> {
    if let Some(holds) = holds
        && holds.changed().await.is_ok()
    {
        return Some(*holds.borrow_and_update());
    }
    std::future::pending().await
}

pub(crate) fn approval(word: Word) -> Approval {
    Approval {
        hash: word.yes.unwrap_or_default(),
        host_name: word.host_name,
        reason: word.reason,
    }
}

async fn probes(
    host: Option<cockpit_domain::ids::HostId>,
    provider: Option<cockpit_domain::ids::PackId>,
    session: &Session,
    json: bool,
) -> Outcome<u8> {
    let hosts = match host {
        Some(host) => vec![host],
        None => session.handle.settings().hosts.keys().cloned().collect(),
    };
    // All at once: a dead machine delays and hides nobody else's rows.
    let asked: Vec<_> = hosts
        .into_iter()
        .map(|host| {
            let provider = provider.clone();
            session.handle.send(Command::ProbeRun { host, provider })
        })
        .collect();
    let ids: Vec<_> = asked.iter().map(|started| started.id).collect();
    let mut all = Vec::new();
    let mut failed = None;
    let mut stopping = false;
    for started in asked {
        let answer = started.answer();
        tokio::pin!(answer);
        let answer = loop {
            tokio::select! {
                answer = &mut answer => break answer,
                () = session.stop.cancelled(), if !stopping => {
                    stopping = true;
                    for id in &ids {
                        session.handle.stop(*id);
                    }
                }
            }
        };
        match answer {
            Ok(Answer::Probes(probes)) => all.extend(probes),
            Ok(_) => {}
            Err(failure) => failed = failed.or(Some(failure)),
        }
    }
    if let Some(failure) = failed {
        if all.is_empty() {
            return Err(failure);
        }
        output::failure(&failure, json);
    }
    let answer = Answer::Probes(all);
    output::answer(&answer, json);
    Ok(exit::of_answer(&answer))
}

/// The board where faults are switched, or why there is none.
pub(crate) fn board(session: &Session) -> Outcome<Arc<dyn FaultBoard>> {
    session.handle.ports().faults.clone().ok_or_else(|| {
        Failure::new(FailureKind::Usage, "no faults can be switched here: the config names no lab")
            .doing("looking for the lab")
            .hint("run `cockpit lab serve` in another terminal and pass the config it prints: `--config PATH`")
    })
}

async fn faults(fault: &Fault, session: &Session, json: bool) -> Outcome<u8> {
    let board = board(session)?;
    let meant = match fault {
        Fault::List => None,
        Fault::Set { name } => {
            switched(name, board.set(name).await)?;
            Some(name)
        }
        Fault::Clear { name } => {
            switched(name, board.clear(name).await)?;
            Some(name)
        }
    };
    let mut faults = board.faults().await?;
    faults.retain(|fault| meant.is_none_or(|name| fault.name == *name));
    output::faults(&faults, json);
    Ok(exit::CLEAN)
}

fn switched(name: &str, outcome: Outcome<()>) -> Outcome<()> {
    outcome.map_err(|failure| failure.doing(format!("switching the fault `{name}`")))
}
