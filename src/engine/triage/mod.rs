//! Where to look first: what is known of a host, or is looked at now, held against the triage rules at
//! hand (`product.md` 5). Reads only.

mod gather;

use crate::baseline::{keep_report, meant_for, run_for};
use crate::board::Board;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use cockpit_domain::baseline::BaselineReport;
use cockpit_domain::host::{HostSettings, Role};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_domain::pack::{BookAtHand, NextAct, Pack, TriagePack, books_meant};
use cockpit_domain::triage::{
    Evidence, Link, TriageFinding, TriageInput, TriageReport, triage as judge,
};
use serde::Serialize;

/// Where to look first on a host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Triage {
    /// The host.
    pub host: HostId,
    /// What it is for.
    pub role: Role,
    /// The baseline that judges it.
    pub baseline: Option<PackId>,
    /// When its checks were looked at, UTC ms.
    pub checked_ms: Option<i64>,
    /// Findings, and what they come to.
    #[serde(flatten)]
    pub report: TriageReport,
    /// What could not be looked at, and why.
    pub could_not_look: Vec<String>,
    /// The run that was made for it, if one was: the board learns from it.
    #[serde(skip)]
    pub run: Option<BaselineReport>,
}

/// Judges a host, or the one that the config's baseline is about. `look` runs its baseline first;
/// without it the last run counts, as old as it is.
///
/// # Errors
/// `Usage` when no host is meant, `Config` when a triage pack is broken.
pub async fn triage(job: &Job, host: Option<&HostId>, look: bool) -> Outcome<Triage> {
    let (packs, books) = at_hand(job)?;
    let host = meant(job, host)?;
    let mut board = Board::of(&job.settings);
    board.remember(job.ports.store.remembered().await?);
    let mut could_not_look = Vec::new();
    let mut run = None;
    if look && host.baseline.is_some() {
        let (pack, judged) = meant_for(job, &host)?;
        let mut report = run_for(job, &pack, judged).await;
        keep_report(job, &mut report).await;
        job.check_cancel()?;
        run = Some(report);
    }
    let baseline = host.baseline.clone();
    if baseline.is_none() {
        could_not_look.push(format!(
            "checks: no baseline judges `{}`; `baseline = \"PACK\"` in its [host.NAME] names one",
            host.id
        ));
    }
    let known = baseline.as_ref().and_then(|pack| board.baselines.get(pack));
    let checks = run.as_ref().or_else(|| known.map(|known| &known.value));
    let checked_ms = checks.map(|report| report.started_ms);
    job.say("reading logs and accounts");
    let evidence = gather::gather(job, &host, &board, checks, &mut could_not_look).await;
    let mut report = judge(&TriageInput {
        packs: &packs,
        evidence: &evidence,
        now_ms: job.now_ms(),
    });
    for finding in &mut report.findings {
        finding.command = command(&host.id, finding);
        finding.runbook = runbook(finding, &books, host.baseline.as_ref());
    }
    Ok(Triage {
        host: host.id,
        role: host.role,
        baseline,
        checked_ms,
        report,
        could_not_look,
        run,
    })
}

/// Every triage pack at hand, and every runbook that its rules may lead to. A broken pack is named:
/// without its rules the order would be another.
fn at_hand(job: &Job) -> Outcome<(Vec<TriagePack>, Vec<BookAtHand>)> {
    let (mut packs, mut books) = (Vec::new(), Vec::new());
    for entry in job.ports.packs.list()? {
        match entry.pack {
            Ok(Pack::Triage(pack)) => packs.push(pack),
            Ok(Pack::Baseline(pack)) => {
                books.extend(
                    pack.runbooks
                        .iter()
                        .map(|book| (pack.id.clone(), book.name.clone())),
                );
            }
            Ok(Pack::Provider(_)) => {}
            // What the broken pack is cannot be told; reading it says what is wrong with it.
            Err(findings) => {
                if findings.iter().any(|at| at.file.contains("triage")) {
                    drop(job.ports.packs.read(&entry.id)?);
                }
            }
        }
    }
    Ok((packs, books))
}

/// The runbook of a finding as `PACK/NAME`: the one of the pack that judges the host before any other.
/// One that is not at hand, or that several packs have, is not offered.
fn runbook(
    finding: &TriageFinding,
    books: &[BookAtHand],
    judge: Option<&PackId>,
) -> Option<String> {
    let meant = books_meant(finding.runbook.as_deref()?, books);
    let (pack, name) = match meant.as_slice() {
        [only] => *only,
        several => several
            .iter()
            .copied()
            .find(|(pack, _)| Some(pack) == judge)?,
    };
    Some(format!("{pack}/{name}"))
}

/// The host that is meant: the one that is named, else the one of the baseline, else the only one.
pub(crate) fn meant(job: &Job, host: Option<&HostId>) -> Outcome<HostSettings> {
    if let Some(id) = host {
        return job.host(id).cloned();
    }
    let hosts = || job.settings.hosts.values();
    let judged: Vec<&HostSettings> = hosts().filter(|host| host.baseline.is_some()).collect();
    let production: Vec<&HostSettings> = hosts()
        .filter(|host| host.role == Role::Production)
        .collect();
    let all: Vec<&HostSettings> = hosts().collect();
    for group in [judged, production, all] {
        if let [only] = group.as_slice() {
            return Ok((*only).clone());
        }
    }
    Err(
        Failure::new(FailureKind::Usage, "several hosts could be meant, or none")
            .doing("choosing the host")
            .hint("name it; `cockpit host list` shows the hosts of the config"),
    )
}

/// The line to type for the next step of a finding.
fn command(host: &HostId, finding: &TriageFinding) -> String {
    let Some(action) = finding.action else {
        return String::new();
    };
    let links = || finding.evidence.iter().map(|at: &Evidence| &at.link);
    match action {
        NextAct::Repair => links()
            .find_map(|link| match link {
                Link::Check(pack, check, true) => {
                    Some(format!("cockpit repair plan --check {check} --pack {pack}"))
                }
                _ => None,
            })
            .unwrap_or_else(|| format!("cockpit provider status --host {host}")),
        NextAct::Baseline => links()
            .find_map(|link| match link {
                Link::Check(pack, ..) => Some(format!("cockpit baseline run --pack {pack}")),
                _ => None,
            })
            .unwrap_or_else(|| "cockpit baseline run".to_owned()),
        NextAct::Pool => format!("cockpit provider status --host {host}"),
        NextAct::Log => links()
            .find_map(|link| match link {
                Link::Log(source) => Some(format!("cockpit log tail --source {source}")),
                _ => None,
            })
            .unwrap_or_else(|| "cockpit log tail".to_owned()),
        NextAct::Reconcile => format!("cockpit reconcile plan --host {host}"),
        NextAct::Probe => format!("cockpit probe run --host {host}"),
        NextAct::ExplainKey => format!("cockpit explain key file:PATH --host {host}"),
        NextAct::Batch => links()
            .find_map(|link| match link {
                Link::Batch(batch) => Some(format!("cockpit batch show {}", batch.0)),
                _ => None,
            })
            .unwrap_or_else(|| format!("cockpit batch list --host {host}")),
        NextAct::Doctor => "cockpit doctor".to_owned(),
    }
}
