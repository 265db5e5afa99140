//! The steps of the drill. Each does its part through the engine and says what it saw; the first
//! that later steps stand on and that fails ends the walk.

use super::evidence::{mark, since};
use super::{Teller, Told};
use crate::dispatch::{Session, call};
use cockpit_domain::baseline::Verdict;
use cockpit_domain::batch::{AccessStatus, Batch, BatchStatus};
use cockpit_domain::host::Role;
use cockpit_domain::ids::{BatchId, HostId, PackId};
use cockpit_domain::import::read_keys;
use cockpit_domain::plan::Sign;
use cockpit_domain::reconcile::ReconcileStatus;
use cockpit_domain::recorded::{Listing, listing_changes};
use cockpit_domain::resource::ResourceKind;
use cockpit_domain::secret::Secret;
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::import::PlannedImport;
use cockpit_engine::ports::FaultBoard;
use cockpit_engine::reconcile::Scope;
use serde_json::json;

/// Keys of the lab's vendor: good by their prefix, of no use anywhere else.
const KEYS: &str = "sk-lab-good-drill-00000001\nsk-lab-good-drill-00000002\n";
/// Provider pack of the lab.
const PROVIDER: &str = "lab";

/// Plays all steps.
pub(super) async fn play(session: &Session, board: &dyn FaultBoard, teller: &mut Teller) {
    // The drill's walk ends early by an error; what went wrong was told by then.
    if let Err(told) = walk(session, board, teller).await {
        teller.tell(&told);
    }
}

async fn walk(session: &Session, board: &dyn FaultBoard, teller: &mut Teller) -> Result<(), Told> {
    let host = acceptance_host(session).map_err(|failure| Told::failed("config", &failure))?;
    let provider = PackId::new(PROVIDER).map_err(|error| {
        Told::failed(
            "config",
            &Failure::new(FailureKind::Internal, error.to_string()),
        )
    })?;
    let reached = connect(session, teller).await;
    baseline(session, board, teller).await;
    if !reached.contains(&host) {
        return Ok(());
    }
    let before = list(session, &host, &provider)
        .await
        .map_err(|f| Told::failed("plan", &f))?;
    let planned = plan(session, board, teller, &host, &provider).await?;
    let batch = import(session, board, teller, &planned).await?;
    completion(session, board, teller, &batch).await;
    access(session, teller, batch.id).await;
    reconcile(session, board, teller, &host, &provider).await;
    rollback(session, board, teller, batch.id, &host, &provider, &before).await
}

fn acceptance_host(session: &Session) -> Outcome<HostId> {
    let hosts = &session.handle.settings().hosts;
    hosts
        .values()
        .find(|host| host.role == Role::Acceptance)
        .map(|host| host.id.clone())
        .ok_or_else(|| Failure::new(FailureKind::Config, "the lab has no acceptance host"))
}

async fn ask(session: &Session, command: Command) -> Outcome<Answer> {
    call(session, command, true).await
}

fn unexpected(step: &'static str) -> Told {
    Told::failed(
        step,
        &Failure::new(FailureKind::Internal, "the engine answered something else"),
    )
}

/// Machines, tunnels, credentials, versions. Returns the hosts that answered.
async fn connect(session: &Session, teller: &mut Teller) -> Vec<HostId> {
    let mut reached = Vec::new();
    let mut rows = Vec::new();
    let mut ill = Vec::new();
    for host in session.handle.settings().hosts.keys() {
        match ask(session, Command::HostProbe { host: host.clone() }).await {
            Ok(Answer::Host(probe)) => {
                rows.push(json!({"host": host, "version": probe.identity.version, "machine_round_trip_ms": probe.machine_round_trip_ms}));
                reached.push(host.clone());
            }
            Ok(_) => {}
            Err(failure) => {
                rows.push(json!({"host": host, "error": failure.message, "hint": failure.hint}));
                ill.push(format!("{host}: {}", failure.message));
            }
        }
    }
    let line = if ill.is_empty() {
        format!("{} host(s) answer through their tunnels", reached.len())
    } else {
        ill.join("; ")
    };
    teller.tell(&Told {
        step: "connect",
        ok: ill.is_empty(),
        line,
        evidence: json!({"hosts": rows}),
    });
    reached
}

async fn baseline(session: &Session, board: &dyn FaultBoard, teller: &mut Teller) {
    let told = async {
        let from = mark(board).await?;
        let Answer::Baseline(report) = ask(session, Command::BaselineRun { pack: None, due: false }).await? else {
            return Ok(unexpected("baseline"));
        };
        let writes: usize = {
            let seen = since(board, from).await?;
            session.handle.settings().hosts.keys().map(|host| seen.writes(host.as_str())).sum()
        };
        let bad: Vec<String> = report
            .results
            .iter()
            .filter(|row| !matches!(row.verdict, Verdict::Ok | Verdict::Waived))
            .map(|row| format!("{} {}: {}", row.id, row.verdict, row.found))
            .collect();
        let ok = report.verdict == Verdict::Ok && writes == 0;
        Ok(Told {
            step: "baseline",
            ok,
            line: if bad.is_empty() {
                format!("{} checks of {} are {}, {writes} writes seen", report.results.len(), report.pack, report.verdict)
            } else {
                bad.join("; ")
            },
            evidence: json!({"pack": report.pack, "verdict": report.verdict, "checks": report.results.len(), "bad": bad, "writes_seen": writes}),
        })
    }
    .await;
    teller.tell(&told.unwrap_or_else(|failure: Failure| Told::failed("baseline", &failure)));
}

async fn list(session: &Session, host: &HostId, provider: &PackId) -> Outcome<Listing> {
    match ask(
        session,
        Command::HostListing {
            host: host.clone(),
            provider: provider.clone(),
        },
    )
    .await?
    {
        Answer::Listing(rows) => Ok(rows),
        _ => Err(Failure::new(
            FailureKind::Internal,
            "the engine answered something else",
        )),
    }
}

async fn plan(
    session: &Session,
    board: &dyn FaultBoard,
    teller: &mut Teller,
    host: &HostId,
    provider: &PackId,
) -> Result<Box<PlannedImport>, Told> {
    let fail = |failure: Failure| Told::failed("plan", &failure);
    let from = mark(board).await.map_err(fail)?;
    let command = Command::ImportPlan {
        host: host.clone(),
        provider: provider.clone(),
        keys: Secret::new(KEYS),
        mode: cockpit_domain::batch::ImportMode::Strict,
        access: cockpit_domain::batch::AccessMode::Subscription,
        user_key: None,
    };
    let Answer::Import(planned) = ask(session, command).await.map_err(fail)? else {
        return Err(unexpected("plan"));
    };
    let writes = since(board, from)
        .await
        .map_err(fail)?
        .writes(host.as_str());
    let parked = planned
        .plan
        .changes
        .iter()
        .filter(|change| change.sign == Sign::Remove && change.kind == ResourceKind::Account)
        .count();
    let ok = writes == 0 && planned.plan.blockers.is_empty();
    let told = Told {
        step: "plan",
        ok,
        line: format!(
            "{}; {parked} older account(s) would be parked; {writes} writes seen",
            planned.plan.totals.line()
        ),
        evidence: json!({
            "plan": planned.id, "hash": planned.hash, "totals": planned.plan.totals,
            "older_to_park": parked, "writes_seen": writes, "blockers": planned.plan.blockers,
        }),
    };
    if teller.tell(&told) {
        Ok(planned)
    } else {
        Err(unfinished("import", "there is no plan to apply"))
    }
}

fn unfinished(step: &'static str, why: &str) -> Told {
    Told {
        step,
        ok: false,
        line: format!("not done: {why}"),
        evidence: json!({}),
    }
}

async fn import(
    session: &Session,
    board: &dyn FaultBoard,
    teller: &mut Teller,
    planned: &PlannedImport,
) -> Result<Box<Batch>, Told> {
    let fail = |failure: Failure| Told::failed("import", &failure);
    let from = mark(board).await.map_err(fail)?;
    let approval = Approval {
        hash: planned.hash[..12].to_owned(),
        ..Approval::default()
    };
    let Answer::Batch(batch) = ask(
        session,
        Command::ImportApply {
            canary: 0,
            plan: planned.id,
            approval,
        },
    )
    .await
    .map_err(fail)?
    else {
        return Err(unexpected("import"));
    };
    let seen = since(board, from).await.map_err(fail)?;
    let made = seen.count(batch.host.as_str(), "POST", "/api/v1/admin/accounts");
    let ok = batch.batch_status == BatchStatus::Succeeded && made == planned.plan.items.len();
    let told = Told {
        step: "import",
        ok,
        line: if batch.reason.is_empty() {
            format!(
                "{}: {}, {made} accounts made, {} requests seen",
                batch.id,
                batch.batch_status,
                seen.total()
            )
        } else {
            format!("{}: {}: {}", batch.id, batch.batch_status, batch.reason)
        },
        evidence: json!({
            "batch": batch.id, "status": batch.batch_status, "reason": batch.reason,
            "access_status": batch.access_status, "completion_classification": batch.completion_classification,
            "accounts_made_seen": made,
        }),
    };
    if teller.tell(&told) {
        Ok(batch)
    } else {
        Err(unfinished("completion", "the import did not succeed"))
    }
}

/// The proof again, from the far end's side: which key reached the upstream, which account the
/// usage row names.
async fn completion(session: &Session, board: &dyn FaultBoard, teller: &mut Teller, batch: &Batch) {
    let told = async {
        let from = mark(board).await?;
        let command = Command::ProbeRun { host: batch.host.clone(), provider: Some(batch.provider.clone()) };
        let Answer::Probes(probes) = ask(session, command).await? else {
            return Ok(unexpected("completion"));
        };
        let chat = probes.iter().find(|probe| probe.protocol == "chat");
        let seen = since(board, from).await?.upstream_keys();
        let new: Vec<String> =
            read_keys(KEYS).keys.iter().map(|line| line.key.fingerprint().to_string()).collect();
        let only_new = seen.len() == 1 && new.contains(&seen[0]);
        let answered = chat.is_some_and(|probe| probe.status == 200);
        let ok = only_new && answered && batch.gateway.served_by_ours;
        Ok(Told {
            step: "completion",
            ok,
            line: format!(
                "an ordinary key got `{}`; the upstream saw key {}; usage row names account #{}",
                chat.map(|probe| probe.found.clone()).unwrap_or_default(),
                seen.join(", "),
                batch.gateway.served_by_account.map(|id| id.to_string()).unwrap_or_default(),
            ),
            evidence: json!({
                "upstream_saw": seen, "new_keys": new, "served_by_account": batch.gateway.served_by_account,
                "served_by_ours": batch.gateway.served_by_ours, "status": chat.map(|probe| probe.status),
            }),
        })
    }
    .await;
    teller.tell(&told.unwrap_or_else(|failure: Failure| Told::failed("completion", &failure)));
}

async fn access(session: &Session, teller: &mut Teller, batch: BatchId) {
    let told = async {
        // `fully_ready` is a word of a later look only (product.md 4.9).
        tokio::time::sleep(session.handle.settings().timing.settled_after).await;
        let Answer::Access(look) = ask(session, Command::AccessStatus { batch }).await? else {
            return Ok(unexpected("access"));
        };
        Ok(Told {
            step: "access",
            ok: look.latest_access_status == AccessStatus::FullyReady,
            line: format!("a separate look after a fresh login says {}", look.latest_access_status),
            evidence: json!({"latest_access_status": look.latest_access_status, "preconditions": look.preconditions}),
        })
    }
    .await;
    teller.tell(&told.unwrap_or_else(|failure: Failure| Told::failed("access", &failure)));
}

async fn reconcile(
    session: &Session,
    board: &dyn FaultBoard,
    teller: &mut Teller,
    host: &HostId,
    provider: &PackId,
) {
    let told = async {
        let from = mark(board).await?;
        let scope = Scope::Host { host: host.clone(), provider: Some(provider.clone()) };
        let Answer::Reconcile(done) = ask(session, Command::ReconcilePlan { scope }).await? else {
            return Ok(unexpected("reconcile"));
        };
        let Some(planned) = done.only() else {
            return Ok(unexpected("reconcile"));
        };
        let writes = since(board, from).await?.writes(host.as_str());
        let report = &planned.report;
        Ok(Told {
            step: "reconcile",
            ok: report.status == ReconcileStatus::Active && writes == 0,
            line: format!(
                "{}: missing {}, changed {}, extra {}, noise {}, {writes} writes seen",
                report.status, report.missing_count, report.changed_count, report.extra_count, report.stale_noise_count
            ),
            evidence: json!({
                "status": report.status, "missing_count": report.missing_count, "changed_count": report.changed_count,
                "extra_count": report.extra_count, "stale_noise_count": report.stale_noise_count,
                "probe_failures": report.probe_failures, "writes_seen": writes,
            }),
        })
    }
    .await;
    teller.tell(&told.unwrap_or_else(|failure: Failure| Told::failed("reconcile", &failure)));
}

async fn rollback(
    session: &Session,
    board: &dyn FaultBoard,
    teller: &mut Teller,
    batch: BatchId,
    host: &HostId,
    provider: &PackId,
    before: &Listing,
) -> Result<(), Told> {
    let fail = |failure: Failure| Told::failed("rollback", &failure);
    let from = mark(board).await.map_err(fail)?;
    let Answer::Rollback(planned) = ask(
        session,
        Command::RollbackPlan {
            batch,
            delete: false,
        },
    )
    .await
    .map_err(fail)?
    else {
        return Err(unexpected("rollback"));
    };
    let approval = Approval {
        hash: planned.hash[..12].to_owned(),
        ..Approval::default()
    };
    let Answer::RolledBack(rolled) = ask(
        session,
        Command::RollbackApply {
            plan: planned.id,
            approval,
        },
    )
    .await
    .map_err(fail)?
    else {
        return Err(unexpected("rollback"));
    };
    let writes = since(board, from)
        .await
        .map_err(fail)?
        .writes(host.as_str());
    let ok = rolled.batch.batch_status == BatchStatus::RolledBack && rolled.disturbed.is_empty();
    teller.tell(&Told {
        step: "rollback",
        ok,
        line: format!("{} step(s) done, {} writes seen, {}", rolled.done, writes, rolled.batch.batch_status),
        evidence: json!({"done": rolled.done, "writes_seen": writes, "blocked": rolled.blocked, "remains": rolled.remains, "disturbed": rolled.disturbed}),
    });
    let after = list(session, host, provider)
        .await
        .map_err(|failure| Told::failed("listing", &failure))?;
    let differs = listing_changes(before, &after);
    teller.tell(&Told {
        step: "listing",
        ok: differs.is_empty(),
        line: if differs.is_empty() {
            format!(
                "the host lists the same {} resources as before the import",
                after.len()
            )
        } else {
            differs.join("; ")
        },
        evidence: json!({"before": before.len(), "after": after.len(), "differs": differs}),
    });
    Ok(())
}
