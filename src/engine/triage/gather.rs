//! Collecting what is held against the rules: rows of the baseline, lines of the logs, accounts that
//! are not chosen, batches, access and probes. A look that fails is said, and hides no other.

use crate::board::{Board, Known, Trouble};
use crate::context::Job;
use crate::logs::recent;
use crate::pool;
use crate::probe::{Probe, ProbeClass};
use cockpit_domain::baseline::{BaselineReport, CheckResult, Origin};
use cockpit_domain::batch::{AccessStatus, AccountStatus, Batch, BatchStatus};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::HostId;
use cockpit_domain::log::{Level as LogLevel, LogLine, LogSource, gist};
use cockpit_domain::pack::{Layer, Level, Seen};
use cockpit_domain::text::shorten;
use cockpit_domain::triage::{Evidence, Link};
use futures_util::future::join_all;

/// Lines that are read of the end of each log.
const LINES: u32 = 400;
/// Different lines that are kept of each log, newest first.
const KEPT: usize = 60;
/// A line older than this tells of an earlier time.
const LINE_AGE_MS: i64 = 15 * 60 * 1000;
/// A batch or a probe older than this does.
const RESULT_AGE_MS: i64 = 60 * 60 * 1000;
/// Older batches and probes are no evidence of anything.
const FORGOTTEN_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Everything that is seen of a host.
pub(super) async fn gather(
    job: &Job,
    host: &HostSettings,
    board: &Board,
    checks: Option<&BaselineReport>,
    could_not_look: &mut Vec<String>,
) -> Vec<Evidence> {
    let now_ms = job.now_ms();
    let mut seen: Vec<Evidence> = Vec::new();
    if let Some(report) = checks {
        seen.extend(report.results.iter().map(|row| of_row(report, row, now_ms)));
    }
    let sources: Vec<&LogSource> = job
        .settings
        .logs
        .iter()
        .filter(|source| match &source.host {
            Some(id) => *id == host.id,
            None => source.machine == host.machine,
        })
        .collect();
    let reading = join_all(sources.iter().map(|source| recent(job, source, LINES)));
    let (logs, accounts) = tokio::join!(reading, pool::status(job, &host.id, None));
    for (source, lines) in sources.iter().zip(logs) {
        match lines {
            Ok(lines) => seen.extend(of_lines(source, lines, now_ms)),
            Err(failure) => could_not_look.push(format!("log {}: {failure}", source.id)),
        }
    }
    match accounts {
        Ok(pools) => {
            for (pool, seat) in pools.iter().flat_map(|pool| {
                let seats = pool.seats.iter().filter(|seat| !seat.is_choosable());
                seats.map(move |seat| (pool, seat))
            }) {
                let why: Vec<String> = seat
                    .why_not
                    .iter()
                    .map(|why| format!("{}: {}", why.reason, why.said))
                    .collect();
                let subject = format!("account {}", seat.account);
                if seen.iter().any(|at| at.subject == subject) {
                    continue;
                }
                let link = Link::Account(pool.group_name.clone(), seat.account);
                seen.push(piece(Seen::Account, subject, &why.join("; "), now_ms, link));
            }
        }
        Err(failure) => {
            could_not_look.push(format!("accounts: {failure}"));
            let mut at = piece(
                Seen::Error,
                format!("host {}", host.id),
                &format!("{}: {}", failure.doing, failure.message),
                now_ms,
                Link::None,
            );
            at.level = Level::Must;
            at.next_step = failure.hint;
            seen.push(at);
        }
    }
    seen.extend(of_troubles(host, board, now_ms));
    for found in &board.batches {
        seen.extend(of_batch(job, &host.id, &found.batch, now_ms).await);
    }
    for (subject, known) in &board.probes {
        seen.extend(of_probes(&host.id, subject, known, now_ms));
    }
    seen
}

fn piece(seen: Seen, subject: String, found: &str, at_ms: i64, link: Link) -> Evidence {
    Evidence {
        seen,
        subject,
        verdict: None,
        found: shorten(found, 400),
        more: String::new(),
        times: 1,
        level: Level::Should,
        layer: None,
        origin: Origin::Live,
        at_ms,
        muted_by: None,
        link,
        next_step: String::new(),
    }
}

/// A row. What a client's profile says is about that client's key, never about the environment.
fn of_row(report: &BaselineReport, row: &CheckResult, now_ms: i64) -> Evidence {
    let link = Link::Check(report.pack.clone(), row.id.clone(), row.repair);
    let mut at = piece(Seen::Check, row.id.clone(), &row.found, row.at_ms, link);
    at.verdict = Some(row.verdict);
    at.more.clone_from(&row.evidence);
    at.level = row.level;
    at.layer = Some(row.layer);
    at.muted_by.clone_from(&row.muted_by);
    at.next_step.clone_from(&row.next_step);
    at.origin = match row.origin {
        Origin::Live if row.layer == Layer::Client => Origin::OldKey,
        Origin::Live if row.is_stale(now_ms) => Origin::Historical,
        origin => origin,
    };
    at
}

/// The newest lines that could say something. Lines that differ in numbers only are one, with the
/// newest time: a storm repeats itself.
fn of_lines(source: &LogSource, lines: Vec<LogLine>, now_ms: i64) -> Vec<Evidence> {
    let mut seen: Vec<(String, Evidence)> = Vec::new();
    let wanted = lines.into_iter().rev().filter(|line| {
        let bad = line.level.rank() >= LogLevel::Warn.rank()
            || line.level == LogLevel::Unknown
            || line.status.is_some_and(|status| status >= 400);
        bad && line
            .at_ms
            .is_none_or(|at| now_ms.saturating_sub(at) <= LINE_AGE_MS)
    });
    for line in wanted {
        let text = gist(&line.text).into_owned();
        let shape: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        if let Some((_, at)) = seen.iter_mut().find(|(known, _)| *known == shape) {
            at.times += 1;
        } else if seen.len() < KEPT {
            let link = Link::Log(source.id.to_string());
            let at_ms = line.at_ms.unwrap_or(now_ms);
            let subject = format!("log {}", source.id);
            seen.push((shape, piece(Seen::Log, subject, &text, at_ms, link)));
        }
    }
    seen.into_iter().map(|(_, at)| at).collect()
}

/// Looks that came to nothing: the host's, its machine's, its baseline's.
fn of_troubles(host: &HostSettings, board: &Board, now_ms: i64) -> Vec<Evidence> {
    let of_host = board
        .hosts
        .get(&host.id)
        .and_then(|seen| seen.trouble.as_ref());
    let of_machine = board.machines.get(&host.machine);
    let of_machine = of_machine.and_then(|seen| seen.trouble.as_ref());
    let of_pack = host.baseline.as_ref();
    let of_pack = of_pack.and_then(|pack| board.baseline_troubles.get(pack));
    let named = [
        (format!("host {}", host.id), of_host),
        (format!("machine {}", host.machine), of_machine),
        ("baseline".to_owned(), of_pack),
    ];
    named
        .into_iter()
        .filter_map(|(subject, trouble)| Some((subject, trouble?)))
        .filter(|(_, trouble)| now_ms.saturating_sub(trouble.at_ms) <= LINE_AGE_MS)
        .map(|(subject, trouble): (String, &Known<Trouble>)| {
            let what = format!("{}: {}", trouble.value.doing, trouble.value.message);
            let mut at = piece(Seen::Error, subject, &what, trouble.at_ms, Link::None);
            at.level = Level::Must;
            at.next_step.clone_from(&trouble.value.hint);
            at
        })
        .collect()
}

/// How a result counts: one of another host judges nothing here, nor does an old one.
fn origin(host: &HostId, of: &HostId, at_ms: i64, now_ms: i64) -> Option<Origin> {
    let age = now_ms.saturating_sub(at_ms);
    match () {
        () if age > FORGOTTEN_MS => None,
        () if host != of => Some(Origin::Acceptance),
        () if age > RESULT_AGE_MS => Some(Origin::Historical),
        () => Some(Origin::Live),
    }
}

/// A batch that did not go well, its keys that did not pass, and its access when it is broken.
async fn of_batch(job: &Job, host: &HostId, batch: &Batch, now_ms: i64) -> Vec<Evidence> {
    let Some(origin) = origin(host, &batch.host, batch.updated_ms, now_ms) else {
        return Vec::new();
    };
    let open = matches!(
        batch.batch_status,
        BatchStatus::PartiallySucceeded | BatchStatus::Failed | BatchStatus::Interrupted
    );
    let mut seen = Vec::new();
    let subject = batch.id.to_string();
    let mut add = |kind, found: &str| {
        let link = Link::Batch(batch.id);
        let mut at = piece(kind, subject.clone(), found, batch.updated_ms, link);
        at.origin = origin;
        seen.push(at);
    };
    if batch.batch_status == BatchStatus::RolledBack {
        return Vec::new();
    }
    if batch.latest_access_status == Some(AccessStatus::Broken) {
        let class = batch
            .completion_classification
            .map_or("", |class| class.as_str());
        add(
            Seen::Access,
            &format!(
                "models {}, completion {} {} {class}",
                batch.gateway.status_code,
                batch.gateway.completion_status,
                batch.gateway.completion_preview
            ),
        );
    }
    if open {
        add(
            Seen::Batch,
            &format!("{}: {}", batch.batch_status, batch.reason),
        );
        for item in job.ports.store.items(batch.id).await.unwrap_or_default() {
            if matches!(
                item.account_status,
                Some(AccountStatus::Failed | AccountStatus::Warning)
            ) {
                add(
                    Seen::Batch,
                    &format!("{}: {}", item.account_name, item.account_probe_summary),
                );
            }
        }
    }
    seen
}

fn of_probes(
    host: &HostId,
    subject: &str,
    known: &Known<Vec<Probe>>,
    now_ms: i64,
) -> Vec<Evidence> {
    let bad = known
        .value
        .iter()
        .filter(|probe| !matches!(probe.class, ProbeClass::Ok | ProbeClass::Skipped));
    bad.filter_map(|probe| {
        let origin = origin(host, &probe.host, known.at_ms, now_ms)?;
        let what = format!(
            "{} {}: {} {}",
            probe.hop, probe.protocol, probe.status, probe.found
        );
        let link = Link::Probe(subject.to_owned());
        let mut at = piece(
            Seen::Probe,
            format!("probe {subject}"),
            &what,
            known.at_ms,
            link,
        );
        at.origin = origin;
        Some(at)
    })
    .collect()
}
