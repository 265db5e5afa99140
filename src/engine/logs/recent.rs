//! The end of one log, read once: for looks that want a few lines and no stream.

use super::follow::east_ms;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::RemoteCommand;
use cockpit_domain::log::{LogBatch, LogLine, LogPlace, LogSource};

/// The last lines of a source, oldest first.
pub(crate) async fn recent(job: &Job, source: &LogSource, lines: u32) -> Outcome<Vec<LogLine>> {
    let remote = job.ports.remote.as_ref();
    let mut east = None;
    if matches!(source.place, LogPlace::File(_)) {
        // Files name no zone in their times.
        let asked = RemoteCommand::new(["date", "+%z"]);
        let zone = remote.run(&source.machine, &asked).await?;
        east = east_ms(zone.stdout.trim());
    }
    let command = RemoteCommand::new(source.place.last(lines));
    let output = remote.run(&source.machine, &command).await?;
    if output.status != Some(0) {
        let words = output.stderr.lines().last().unwrap_or_default().to_owned();
        return Err(Failure::new(FailureKind::Remote, words)
            .doing(format!("reading the log `{}`", source.id))
            .hint("look whether its [log.NAME] block names what is there"));
    }
    // A container says warnings on its second stream.
    let text = match source.place {
        LogPlace::Container(_) => output.stdout + &output.stderr,
        _ => output.stdout,
    };
    let batch = LogBatch::read(text, 0, east);
    let mut lines: Vec<LogLine> = batch
        .iter()
        .enumerate()
        .map(|(no, line)| LogLine {
            no: no as u64,
            at_ms: line.at_ms,
            level: line.level,
            source: source.id.clone(),
            status: line.status,
            text: line.text.to_owned(),
        })
        .collect();
    // Two streams were put together: the times know the order.
    lines.sort_by_key(|line| line.at_ms);
    Ok(lines)
}
