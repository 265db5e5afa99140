//! Text for people: what it is, why, and what to do next. Readable without colour.

mod adopt;
mod baseline;
mod batch;
mod explain;
mod known;
mod plans;
mod pool;
mod reach;
mod repairs;
mod runbooks;
mod stacks;
mod standing;
mod triage;

pub(crate) use known::{audit, hosts, last_baseline, last_probes, machines};
pub(crate) use runbooks::news;

use adopt::{adopt, adopted};
use baseline::baseline;
use batch::{access, batch_detail, batch_lines, batch_table};
use cockpit_domain::log::LogSource;
use cockpit_domain::pack::Pack;
use cockpit_domain::text::shorten;
use cockpit_engine::command::Answer;
use cockpit_engine::failure::Failure;
use cockpit_engine::ports::{FaultState, PackEntry};
use cockpit_engine::probe::{HostProbe, ProbeClass, Split, first_bad};
use comfy_table::{Table, presets};
use plans::{import, looked_line, reconcile, rollback, rolled_back};
use pool::{matrix, pool, prune, pruned, recover, recovered, resources};
use repairs::{mended, repair, repaired};
use std::fmt::Write;

/// An answer as text.
pub(crate) fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Baseline(report) => baseline(report),
        Answer::History(told) => standing::history(told),
        Answer::Draft(drafted) => drafted.text.clone(),
        Answer::Diff(told) => standing::diff(told),
        Answer::Waivers(told) => standing::waivers(told),
        Answer::Host(probe) => host(probe),
        Answer::Machine(look) => format!(
            "{}: {} answers in {} ms, connected anew {} time(s)",
            look.machine, look.state.system, look.state.round_trip_ms, look.state.reconnects,
        ),
        Answer::Listing(rows) => {
            let mut table = plain(&["type", "id", "name"]);
            for (kind, name, id) in rows.keys() {
                table.add_row([kind.to_string(), id.to_string(), name.clone()]);
            }
            drawn(&table)
        }
        Answer::Import(planned) => import(planned),
        Answer::Batch(batch) => batch_lines(batch),
        Answer::Batches(batches) => batch_table(batches),
        Answer::Detail(detail) => batch_detail(detail),
        Answer::Access(look) => access(look),
        Answer::Preview(look) => reach::preview(look),
        Answer::AccessPlan(planned) => plans::access(planned),
        Answer::Leases(rows) => reach::leases(rows),
        Answer::LeaseTaken(taken) => reach::lease_taken(taken),
        Answer::HostBlock(new) => reach::host_block(new),
        Answer::HostLines(gone) => reach::host_lines(gone),
        Answer::Pools(found) => found.iter().map(pool).collect(),
        Answer::Reconcile(planned) => reconcile(planned),
        Answer::Looked(looked) => looked_line(looked),
        Answer::Mended(done) => mended(done),
        Answer::Repair(planned) => repair(planned),
        Answer::Repaired(done) => repaired(done),
        Answer::Rollback(planned) => rollback(planned),
        Answer::RolledBack(rolled) => rolled_back(rolled),
        Answer::Resources(held) => resources(held),
        Answer::Matrix(pairs) => matrix(pairs),
        Answer::Adopt(planned) => adopt(planned),
        Answer::Adopted(done) => adopted(done),
        Answer::Prune(planned) => prune(planned),
        Answer::Pruned(done) => pruned(done),
        Answer::Recover(planned) => recover(planned),
        Answer::Recovered(done) => recovered(done),
        Answer::Probes(probes) => {
            let mut table = plain(&["host", "hop", "protocol", "class", "status", "ms", "found"]);
            // Rows of several hosts may stand here: each path breaks at a place of its own.
            let paths = probes.chunk_by(|one, other| one.host == other.host);
            for (row, breaks) in paths.flat_map(|path| {
                let bad = first_bad(path);
                path.iter()
                    .enumerate()
                    .map(move |(at, row)| (row, bad == Some(at)))
            }) {
                let here = if breaks { "[breaks here] " } else { "" };
                table.add_row([
                    row.host.to_string(),
                    row.hop.to_string(),
                    row.protocol.to_string(),
                    class_word(row.class),
                    row.status.to_string(),
                    row.duration_ms.to_string(),
                    format!("{here}{}", row.found),
                ]);
            }
            drawn(&table)
        }
        Answer::Runbooks(rows) => runbooks::books(rows),
        Answer::Runbook(book) => runbooks::book(book),
        Answer::Runs(rows) => runbooks::runs(rows),
        Answer::Run(run) => runbooks::run(run),
        Answer::Gate(report) => stacks::gate(report),
        Answer::Stacks(rows) => stacks::list(rows),
        Answer::Stack(seen) => stacks::registered(seen),
        Answer::StackLook(look) => stacks::look(look),
        Answer::Split(split) => told_split(split),
        Answer::Explained(found) => explain::explained(found),
        Answer::Triage(done) => triage::triage(done),
        Answer::Doctor(found) => {
            let mut text = String::new();
            for row in found {
                let glyph = if row.ok { '+' } else { 'x' };
                put(
                    &mut text,
                    format_args!("{glyph} {:<22} {}", row.subject, row.found),
                );
                if !row.fix.is_empty() {
                    put(&mut text, format_args!("    {}", row.fix));
                }
            }
            text
        }
    }
}

/// Whose fault it is, call by call, and where the pack lies.
fn told_split(split: &Split) -> String {
    let report = &split.report;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} through {}: {} ({})",
            report.provider,
            report.host,
            report.completion_classification,
            report.verdict()
        ),
    );
    let mut table = plain(&["call", "from", "status", "type", "ms", "answer"]);
    for call in &report.calls {
        table.add_row([
            call.name.clone(),
            call.vantage.clone(),
            call.status.to_string(),
            call.content_type.clone(),
            call.duration_ms.to_string(),
            shorten(&call.answer.replace('\n', " "), 160),
        ]);
    }
    text.push_str(&drawn(&table));
    text.push('\n');
    if let Some(hop) = &report.first_bad_hop {
        put(&mut text, format_args!("  breaks at   {hop}"));
    }
    if let Some(account) = &report.served_by {
        let same = match report.same_key {
            Some(true) => ", with the key of the direct calls",
            Some(false) => ", with ANOTHER key than the direct calls",
            None => "",
        };
        put(&mut text, format_args!("  served by   {account}{same}"));
    }
    for line in &report.stored {
        put(&mut text, format_args!("  stored      {line}"));
    }
    put(
        &mut text,
        format_args!(
            "  written     {0}/split.md, {0}/split.json (0600)",
            split.folder
        ),
    );
    text
}

/// A host, and who else writes to it.
fn host(probe: &HostProbe) -> String {
    let mut text = format!(
        "{}: version {}, answers in {} ms, machine in {} ms, {} taken{}{}",
        probe.host,
        probe.identity.version,
        probe.identity.round_trip_ms,
        probe.machine_round_trip_ms,
        probe.identity.credential,
        if probe.identity.captcha {
            "; captcha on login: managed users cannot log in"
        } else {
            ""
        },
        if probe.identity.backend_mode {
            "; backend mode: managed keys are not possible"
        } else {
            ""
        },
    );
    for writer in &probe.writers {
        let glyph = if writer.looked { '!' } else { '?' };
        let since = writer
            .since_ms
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .map(|at| format!(" (since {at:.0})"))
            .unwrap_or_default();
        let _ = write!(
            text,
            "\n  {glyph} who else writes here: {}{since}",
            writer.line()
        );
    }
    text
}

/// The word of a probe's class, as in JSON.
fn class_word(class: ProbeClass) -> String {
    let value = serde_json::to_value(class).ok();
    let word = value.as_ref().and_then(|value| value.as_str());
    word.unwrap_or_default().to_owned()
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

fn plain(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(heads.iter().copied());
    table
}

/// A table as text, without the blanks that the drawing leaves at both ends.
fn drawn(table: &Table) -> String {
    table
        .lines()
        .map(|line| {
            line.strip_prefix(' ')
                .unwrap_or(&line)
                .trim_end()
                .to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The sources of log lines.
pub(crate) fn logs(sources: &[LogSource]) -> String {
    if sources.is_empty() {
        return "no log is configured; README, \"A real host\", shows a [log.NAME] block"
            .to_owned();
    }
    let mut table = plain(&["log", "machine", "host", "what"]);
    for log in sources {
        table.add_row([
            log.id.to_string(),
            log.machine.to_string(),
            log.host
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            log.place.to_string(),
        ]);
    }
    drawn(&table)
}

/// The packs at hand.
pub(crate) fn packs(entries: &[PackEntry]) -> String {
    let mut table = plain(&["pack", "kind", "source", "title", "to be confirmed"]);
    for entry in entries {
        let (kind, title, open) = match &entry.pack {
            Ok(Pack::Provider(pack)) => (
                "provider",
                pack.title.clone(),
                pack.to_be_confirmed.join(", "),
            ),
            Ok(pack) => (pack.kind(), pack.title().to_owned(), String::new()),
            Err(findings) => (
                "broken",
                format!("{} finding(s): cockpit pack check", findings.len()),
                String::new(),
            ),
        };
        table.add_row([
            entry.id.to_string(),
            kind.to_owned(),
            entry.source.clone(),
            title,
            open,
        ]);
    }
    drawn(&table)
}

/// The faults.
pub(crate) fn faults(faults: &[FaultState]) -> String {
    let mut table = plain(&["fault", "on", "what"]);
    for fault in faults {
        table.add_row([
            fault.name.clone(),
            if fault.on { "on" } else { "-" }.to_owned(),
            fault.what.clone(),
        ]);
    }
    drawn(&table)
}

/// A failure as people read it.
pub(crate) fn failure(failure: &Failure) -> String {
    let mut text = format!("{}: {failure}", failure.kind.heading());
    if !failure.hint.is_empty() {
        let _ = write!(text, "\n  next: {}", failure.hint);
    }
    text
}
