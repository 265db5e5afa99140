//! `log list` and `log tail`: the sources of the config, merged, or one file or container.

use crate::args::{Log, Tail};
use crate::dispatch::Session;
use crate::{exit, output};
use cockpit_domain::log::{LogFilter, LogPlace, SourceId};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::logs::{LogHub, LogView, SourceStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How long the past of every source is waited for.
const PAST: Duration = Duration::from_secs(3);
/// Lines printed in one go.
const PAGE: usize = 1000;

/// Runs one of them.
pub(crate) async fn run(log: Log, session: &Session, json: bool) -> Outcome<u8> {
    match log {
        Log::List => {
            output::logs(session.handle.logs().sources(), json);
            Ok(exit::CLEAN)
        }
        Log::Tail(asked) if asked.machine.is_some() => tail_one(session, &asked).await,
        Log::Tail(asked) => tail_many(session, asked, json).await,
    }
}

/// One file or container, as it is.
async fn tail_one(session: &Session, asked: &Tail) -> Outcome<u8> {
    let place = match (&asked.file, &asked.container) {
        (Some(file), None) => LogPlace::File(file.clone()),
        (None, Some(name)) => LogPlace::Container(name.clone()),
        _ => {
            return Err(Failure::new(
                FailureKind::Usage,
                "one of `--file` and `--container` has to be given",
            )
            .doing("following a log")
            .hint("for example `--file /var/log/nginx/error.log` or `--container sub2api`"));
        }
    };
    let Some(machine) = asked.machine.clone() else {
        return Ok(exit::CLEAN);
    };
    let argv = place.argv(asked.lines);
    let (sender, mut parts) = tokio::sync::mpsc::channel(16);
    let remote = Arc::clone(&session.handle.ports().remote);
    let stop = session.stop.clone();
    let following = tokio::spawn(async move { remote.follow(&machine, &argv, sender, stop).await });
    while let Some(part) = parts.recv().await {
        if !output::raw(&part.text) {
            // Nobody reads us any more.
            break;
        }
    }
    drop(parts);
    let status = following
        .await
        .map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))??;
    match status {
        Some(code) if code != 0 && !session.stop.is_cancelled() => Err(Failure::new(
            FailureKind::Remote,
            format!("the command ended with status {code}"),
        )
        .doing("following a log")
        .hint("the lines above say why")),
        _ => Ok(exit::CLEAN),
    }
}

/// Sources of the config, all of them or those that were named.
async fn tail_many(session: &Session, asked: Tail, json: bool) -> Outcome<u8> {
    let hub = session.handle.logs();
    let wanted: Vec<SourceId> = if asked.source.is_empty() {
        hub.sources().iter().map(|log| log.id.clone()).collect()
    } else {
        asked.source
    };
    if wanted.is_empty() {
        return Err(
            Failure::new(FailureKind::Usage, "the config names no log to follow")
                .doing("following logs")
                .hint("add a [log.NAME] block, or name one here: `--machine M --file PATH`"),
        );
    }
    let mut news = hub.watch();
    hub.follow(&wanted)?;
    let mut view = hub.view(LogFilter {
        text: asked.grep.unwrap_or_default(),
        floor: asked.level,
        sources: Some(wanted.iter().cloned().collect::<BTreeSet<_>>()),
    });
    let width = wanted.iter().map(|id| id.as_str().len()).max().unwrap_or(0);
    let mut printer = Printer {
        json,
        // One name a line is noise where there is one name.
        width: if wanted.len() > 1 { width } else { 0 },
        next: 0,
        troubles: BTreeMap::new(),
    };
    let past = tokio::time::sleep(PAST);
    tokio::pin!(past);
    let mut began = false;
    loop {
        let overdue = tokio::select! {
            () = session.stop.cancelled() => break,
            () = &mut past, if !began => true,
            changed = news.changed() => match changed {
                Ok(()) => false,
                Err(_) => break,
            },
        };
        printer.tell(&hub);
        view.refresh();
        if !began {
            if !overdue && !is_open(&hub, &wanted) {
                continue;
            }
            began = true;
            let lines = usize::try_from(asked.lines).unwrap_or(usize::MAX);
            printer.next = view.tail(lines).first().map_or(0, |line| line.no);
        }
        if !printer.print(&view) {
            // Nobody reads us any more.
            break;
        }
    }
    // Somebody else may follow them in the same program: what was asked for here ends here.
    hub.stop(&wanted)?;
    Ok(exit::CLEAN)
}

/// Whether the past of each is there, or is not to be had.
fn is_open(hub: &LogHub, wanted: &[SourceId]) -> bool {
    hub.states()
        .iter()
        .filter(|state| wanted.contains(&state.source.id))
        .all(|state| match state.status {
            SourceStatus::Following => state.lines > 0,
            SourceStatus::Stopped { .. } => true,
            SourceStatus::Idle | SourceStatus::Opening => false,
        })
}

/// What was printed, and how.
struct Printer {
    json: bool,
    width: usize,
    /// Number of the next line.
    next: u64,
    troubles: BTreeMap<SourceId, String>,
}

impl Printer {
    /// Prints what is new. `false` when nobody reads any more.
    fn print(&mut self, view: &LogView) -> bool {
        let counts = view.counts();
        if self.next < counts.dropped && self.next > 0 {
            let lost = counts.dropped - self.next;
            output::note(&format!(
                "{lost} lines came too fast and were not looked at"
            ));
        }
        let mut place = view.place_of(self.next);
        loop {
            let lines = view.window(place, PAGE);
            if lines.is_empty() {
                break;
            }
            place += lines.len() as u64;
            if !output::log_lines(&lines, self.width, self.json) {
                return false;
            }
        }
        self.next = counts.dropped + counts.kept;
        true
    }

    /// Says on standard error which source stopped, each time for another reason.
    fn tell(&mut self, hub: &LogHub) {
        for state in hub.states() {
            let id = state.source.id;
            match state.status {
                SourceStatus::Stopped { why, .. } => {
                    if self.troubles.get(&id) != Some(&why.message) {
                        output::note(&format!(
                            "{id} stopped: {}; it is opened again",
                            why.message
                        ));
                        self.troubles.insert(id, why.message);
                    }
                }
                SourceStatus::Following => drop(self.troubles.remove(&id)),
                SourceStatus::Idle | SourceStatus::Opening => {}
            }
        }
    }
}
