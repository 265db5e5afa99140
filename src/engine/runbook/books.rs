//! The runbooks of the packs at hand, and beginning one.

use super::walk::{NewRun, begin};
use crate::baseline;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::ResultKind;
use cockpit_domain::baseline::{BaselineReport, Verdict};
use cockpit_domain::finding::suggest;
use cockpit_domain::ids::{HostId, MachineId, PackId, RunId};
use cockpit_domain::pack::{BaselinePack, Pack};
use cockpit_domain::runbook::{Origin, Run, RunState, Runbook};
use serde::Serialize;

/// A runbook in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BookRow {
    /// Its pack.
    pub pack: PackId,
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The same in Chinese, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title_zh: Option<String>,
    /// How many steps it has.
    pub steps: usize,
    /// Checks whose trouble calls for it.
    pub checks: Vec<String>,
    /// Those of them that the newest run of the baseline found in trouble.
    pub called_by: Vec<String>,
    /// Its newest run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<(RunId, RunState)>,
}

/// A runbook with whose it is.
#[derive(Debug, Clone, Serialize)]
pub struct Book {
    /// Its pack.
    pub pack: PackId,
    /// The pack's fingerprint.
    pub fingerprint: String,
    /// Whether the pack's commands may run.
    pub trusted: bool,
    /// The runbook.
    #[serde(flatten)]
    pub book: Runbook,
}

/// What a walk is about, as far as a person says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewWalk {
    /// The runbook: `NAME`, or `PACK/NAME` where several packs have one of the name.
    pub book: String,
    /// The host; default is the one that the pack judges.
    pub host: Option<HostId>,
    /// The machine; default is what the pack or the host says.
    pub machine: Option<MachineId>,
    /// Whether the run is only written down, to be gone on with by another word.
    pub begin_only: bool,
}

fn packs(job: &Job) -> Outcome<Vec<BaselinePack>> {
    let entries = job.ports.packs.list()?;
    let good = entries.into_iter().filter_map(|entry| match entry.pack {
        Ok(Pack::Baseline(pack)) => Some(pack),
        _ => None,
    });
    Ok(good.collect())
}

/// Every runbook at hand: those that are called for first.
pub async fn books(job: &Job) -> Outcome<Vec<BookRow>> {
    let runs = job.ports.store.runs(100).await?;
    let mut rows = Vec::new();
    for pack in packs(job)? {
        if pack.runbooks.is_empty() {
            continue;
        }
        let report = newest(job, &pack.id).await;
        for book in &pack.runbooks {
            let trouble = |check: &&String| {
                let rows = report.iter().flat_map(|report| &report.results);
                let mut row = rows.filter(|row| row.id == **check);
                row.any(|row| {
                    !matches!(
                        row.verdict,
                        Verdict::Ok | Verdict::NotJudged | Verdict::Waived
                    )
                })
            };
            let mine = runs
                .iter()
                .find(|run| run.name == book.name && run.pack.as_ref() == Some(&pack.id));
            rows.push(BookRow {
                pack: pack.id.clone(),
                name: book.name.clone(),
                title: book.title.clone(),
                title_zh: book.title_zh.clone(),
                steps: book.steps.len(),
                checks: book.checks.clone(),
                called_by: book.checks.iter().filter(trouble).cloned().collect(),
                last: mine.map(|run| (run.id, run.state)),
            });
        }
    }
    rows.sort_by_key(|row| row.called_by.is_empty());
    Ok(rows)
}

async fn newest(job: &Job, pack: &PackId) -> Option<BaselineReport> {
    let kept = job
        .ports
        .store
        .kept(ResultKind::Baseline, pack.as_str(), 1)
        .await;
    let row = kept.ok()?.into_iter().next()?;
    serde_json::from_value(row.body).ok()
}

/// One runbook.
///
/// # Errors
/// `Usage` when there is none of this name, or several.
pub fn book(job: &Job, name: &str) -> Outcome<Book> {
    let (pack, book) = named(job, name)?;
    Ok(Book {
        trusted: baseline::is_trusted(job, &pack),
        fingerprint: pack.fingerprint.clone(),
        pack: pack.id,
        book,
    })
}

fn named(job: &Job, name: &str) -> Outcome<(BaselinePack, Runbook)> {
    let (wanted, name) = match name.split_once('/') {
        Some((pack, name)) => (Some(pack), name),
        None => (None, name),
    };
    let packs = packs(job)?;
    let mut found: Vec<(BaselinePack, Runbook)> = Vec::new();
    for pack in &packs {
        if wanted.is_none_or(|wanted| wanted == pack.id.as_str())
            && let Some(book) = pack.runbook(name)
        {
            found.push((pack.clone(), book.clone()));
        }
    }
    let doing = "looking up the runbook";
    match (found.pop(), found.pop()) {
        (Some(one), None) => Ok(one),
        (Some(one), Some(two)) => Err(Failure::new(
            FailureKind::Usage,
            format!("several packs have a runbook `{name}`"),
        )
        .doing(doing)
        .hint(format!(
            "write `{}/{name}` or `{}/{name}`",
            two.0.id, one.0.id
        ))),
        (None, _) => {
            let books = packs.iter().flat_map(|pack| &pack.runbooks);
            let names: Vec<&str> = books.map(|book| book.name.as_str()).collect();
            Err(
                Failure::new(FailureKind::Usage, format!("there is no runbook `{name}`"))
                    .doing(doing)
                    .hint(suggest(name, &names)),
            )
        }
    }
}

/// Begins a run of a runbook.
///
/// # Errors
/// `Usage` when there is no such runbook, host or machine, or one of them has to be named.
pub async fn start(job: &Job, walk: &NewWalk) -> Outcome<Run> {
    let (pack, book) = named(job, &walk.book)?;
    let host = match &walk.host {
        Some(host) => Some(job.host(host)?.id.clone()),
        None => baseline::meant(job, Some(&pack.id))?.1,
    };
    let of_host = host.as_ref().and_then(|host| job.settings.hosts.get(host));
    let machine = match (&walk.machine, pack.vars.get("machine")) {
        (Some(machine), _) => Some(machine.clone()),
        (None, Some(name)) => MachineId::new(name.as_str()).ok(),
        (None, None) => of_host.map(|host| host.machine.clone()),
    };
    if let Some(machine) = &machine {
        let known = job.machine(machine.as_str());
        known.map_err(|failure| failure.doing("beginning the run"))?;
    }
    begin(
        job,
        NewRun {
            name: book.name,
            title: book.title,
            title_zh: book.title_zh,
            origin: Origin::Pack {
                pack: pack.id.clone(),
                fingerprint: pack.fingerprint.clone(),
            },
            pack: Some(pack.id),
            host,
            machine,
            values: pack.vars,
            steps: book.steps,
        },
    )
    .await
}
