//! Text for people: what it is, why, and what to do next. Readable without colour.

use cockpit_domain::baseline::{BaselineReport, Verdict};
use cockpit_domain::batch::{Batch, GatewayEvidence};
use cockpit_domain::pack::Pack;
use cockpit_domain::plan::Change;
use cockpit_engine::access::AccessLook;
use cockpit_engine::batches::BatchDetail;
use cockpit_engine::command::Answer;
use cockpit_engine::context::Settings;
use cockpit_engine::failure::Failure;
use cockpit_engine::import::PlannedImport;
use cockpit_engine::ports::{FaultState, PackEntry};
use cockpit_engine::reconcile::PlannedReconcile;
use cockpit_engine::rollback::{PlannedRollback, RolledBack};
use comfy_table::{Table, presets};
use std::fmt::Write;

/// An answer as text.
pub(crate) fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Baseline(report) => baseline(report),
        Answer::Host(probe) => format!(
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
        Answer::Reconcile(planned) => reconcile(planned),
        Answer::Rollback(planned) => rollback(planned),
        Answer::RolledBack(rolled) => rolled_back(rolled),
        Answer::Probes(probes) => {
            let mut table = plain(&["host", "hop", "protocol", "class", "status", "ms", "found"]);
            for row in probes {
                let class = serde_json::to_value(row.class).ok();
                let class = class
                    .as_ref()
                    .and_then(|value| value.as_str())
                    .unwrap_or_default()
                    .to_owned();
                table.add_row([
                    row.host.to_string(),
                    row.hop.to_owned(),
                    row.protocol.to_owned(),
                    class,
                    row.status.to_string(),
                    row.duration_ms.to_string(),
                    row.found.clone(),
                ]);
            }
            drawn(&table)
        }
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

/// The glyph of a verdict (`ux.md` 3.2): plain ASCII, the same everywhere.
fn glyph(verdict: Verdict) -> char {
    match verdict {
        Verdict::Ok => '+',
        Verdict::Warn => '~',
        Verdict::Fail => 'x',
        Verdict::Unknown => '?',
        Verdict::Unreachable => '/',
        Verdict::NotJudged => '.',
        Verdict::Waived => '=',
    }
}

fn baseline(report: &BaselineReport) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "baseline {}: {} ({} ms)",
            report.pack, report.verdict, report.duration_ms
        ),
    );
    for row in &report.results {
        put(
            &mut text,
            format_args!(
                "{} {:<12} {:<13} {:<26} {}",
                glyph(row.verdict),
                row.verdict.as_str(),
                row.layer.as_str(),
                row.id,
                row.title
            ),
        );
        if !matches!(row.verdict, Verdict::Ok | Verdict::Waived) {
            for (name, value) in [
                ("expected", &row.expected),
                ("found", &row.found),
                ("why", &row.why),
                ("next", &row.next_step),
            ] {
                if !value.is_empty() {
                    put(&mut text, format_args!("      {name:<9} {value}"));
                }
            }
        }
    }
    text
}

/// Prints changes, folding those of one cause into one row.
fn changes(text: &mut String, rows: &[Change]) {
    for rows in rows.chunk_by(same_cause) {
        match rows {
            [first, .., last] if rows.len() > FOLD_OVER => put(
                text,
                format_args!(
                    "  {} {} {} x {} .. {}  {}",
                    first.sign.as_char(),
                    rows.len(),
                    first.kind,
                    first.name,
                    last.name,
                    first.reason
                ),
            ),
            rows => {
                for change in rows {
                    put(text, format_args!("  {}", change.line()));
                }
            }
        }
    }
}

/// Rows of one cause are folded when there are more than this many.
const FOLD_OVER: usize = 4;

fn same_cause(one: &Change, two: &Change) -> bool {
    one.sign == two.sign
        && one.kind == two.kind
        && one.reason == two.reason
        && one.fields.is_empty()
        && two.fields.is_empty()
}

fn import(planned: &PlannedImport) -> String {
    let plan = &planned.plan;
    let request = &plan.request;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "plan {} to import {} key(s) of {} into {} ({}, version {}), {}, {}",
            planned.id.0,
            plan.items.len(),
            request.pack.id,
            request.host,
            request.role.as_str(),
            plan.host_version,
            request.mode,
            request.access
        ),
    );
    changes(&mut text, &plan.changes);
    for item in plan.items.iter().filter(|item| !item.notes.is_empty()) {
        put(
            &mut text,
            format_args!(
                "  ! line {} {} {}: {}",
                item.line,
                item.key,
                item.fingerprint,
                item.notes.join("; ")
            ),
        );
    }
    put(&mut text, format_args!("{}", plan.totals.line()));
    if plan.blockers.is_empty() {
        let production = if plan.expires_ms.is_some() {
            format!(" --host-name {} --reason \"...\"", request.host)
        } else {
            String::new()
        };
        put(
            &mut text,
            format_args!(
                "apply it:  cockpit import apply {} --yes {}{production}",
                planned.id.0,
                &planned.hash[..12]
            ),
        );
    } else {
        for blocker in &plan.blockers {
            put(&mut text, format_args!("x blocked: {blocker}"));
        }
    }
    text
}

fn gateway(text: &mut String, seen: &GatewayEvidence) {
    let served = match (seen.served_by_account, seen.served_by_ours) {
        (Some(id), true) => format!("served by our account #{id}"),
        (Some(id), false) => format!("served by account #{id}, not ours"),
        (None, _) => "no usage row".to_owned(),
    };
    put(
        text,
        format_args!(
            "  gateway     models {}, completion {} {} `{}`, {served}, {} tries",
            seen.status_code,
            seen.completion_status,
            seen.completion_type,
            seen.completion_preview,
            seen.tries
        ),
    );
}

fn batch_lines(batch: &Batch) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} {} of {} into {}: {}",
            batch.id, batch.mode, batch.provider, batch.host, batch.batch_status
        ),
    );
    if !batch.reason.is_empty() {
        put(&mut text, format_args!("  reason      {}", batch.reason));
    }
    if let Some(access) = batch.access_status {
        put(
            &mut text,
            format_args!(
                "  access      {access} at import, {} now",
                batch.latest_access_status.unwrap_or(access)
            ),
        );
    }
    if let Some(provider) = batch.provider_status_from_import {
        put(&mut text, format_args!("  provider    {provider}"));
    }
    if batch.gateway.tries > 0 {
        gateway(&mut text, &batch.gateway);
    }
    if let Some(class) = batch.completion_classification {
        put(
            &mut text,
            format_args!(
                "  upstream    models {}, chat {}: {class}",
                batch.upstream.upstream_models_status, batch.upstream.upstream_chat_status
            ),
        );
    }
    put(&mut text, format_args!("  next        {}", next_of(batch)));
    text
}

fn next_of(batch: &Batch) -> String {
    let id = batch.id.0;
    match batch.batch_status.as_str() {
        "interrupted" => format!("cockpit batch resume {id}, or cockpit rollback plan {id}"),
        "running" => format!("owned by {}; wait for it", batch.owner),
        "succeeded" => format!("cockpit access status {id}"),
        "partially_succeeded" => format!(
            "cockpit batch show {id} names the failed keys; cockpit rollback plan {id} takes it back"
        ),
        _ => format!("cockpit batch show {id}"),
    }
}

fn batch_table(batches: &[Batch]) -> String {
    if batches.is_empty() {
        return "no batch yet; `cockpit import plan` begins one".to_owned();
    }
    let mut table = plain(&["batch", "status", "provider", "host", "access", "reason"]);
    for batch in batches {
        table.add_row([
            batch.id.0.to_string(),
            batch.batch_status.to_string(),
            batch.provider.to_string(),
            batch.host.to_string(),
            batch
                .latest_access_status
                .map(|word| word.to_string())
                .unwrap_or_default(),
            batch.reason.clone(),
        ]);
    }
    drawn(&table)
}

fn batch_detail(detail: &BatchDetail) -> String {
    let mut text = batch_lines(&detail.batch);
    let mut table = plain(&[
        "line",
        "key",
        "fingerprint",
        "account",
        "stage",
        "status",
        "summary",
    ]);
    for item in &detail.items {
        table.add_row([
            item.line.to_string(),
            item.key.clone(),
            item.fingerprint.to_string(),
            item.account_id
                .map(|id| format!("#{id}"))
                .unwrap_or_default(),
            item.stage.to_string(),
            item.account_status
                .map(|word| word.to_string())
                .unwrap_or_default(),
            item.account_probe_summary.clone(),
        ]);
    }
    put(&mut text, format_args!("\nitems\n{}", drawn(&table)));
    let mut table = plain(&["type", "id", "name", "origin", "undone"]);
    for row in &detail.resources {
        table.add_row([
            row.kind.to_string(),
            row.host_resource_id.to_string(),
            row.name.clone(),
            row.origin.as_str().to_owned(),
            if row.undone {
                "undone".to_owned()
            } else {
                String::new()
            },
        ]);
    }
    put(&mut text, format_args!("\nresources\n{}", drawn(&table)));
    put(&mut text, format_args!("\nevents"));
    for event in &detail.events {
        let at = jiff::Timestamp::from_millisecond(event.at_ms)
            .map(|at| format!("{at:.0}"))
            .unwrap_or_default();
        put(
            &mut text,
            format_args!("  {at} {:<16} {}", event.kind, event.text),
        );
    }
    text
}

fn access(look: &AccessLook) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} of {} on {}: {}",
            look.batch, look.provider, look.host, look.latest_access_status
        ),
    );
    for row in &look.preconditions {
        put(
            &mut text,
            format_args!(
                "  {} {:<13} {}",
                if row.ok { '+' } else { 'x' },
                row.name,
                row.found
            ),
        );
    }
    gateway(&mut text, &look.gateway);
    text
}

fn reconcile(planned: &PlannedReconcile) -> String {
    let report = &planned.report;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} on {}, {}: {}",
            report.provider, report.host, report.batch_id, report.status
        ),
    );
    put(
        &mut text,
        format_args!(
            "  missing {}, changed {}, extra {} (raw {}, of them noise {}), failed probes {}",
            report.missing_count,
            report.changed_count,
            report.extra_count,
            report.raw_extra_count,
            report.stale_noise_count,
            report.probe_failures
        ),
    );
    changes(&mut text, &report.changes);
    for change in &report.changes {
        for field in &change.fields {
            put(
                &mut text,
                format_args!(
                    "      {} {}: is {}, recorded {}",
                    change.name, field.field, field.from, field.to
                ),
            );
        }
    }
    for note in &report.probe_notes {
        put(&mut text, format_args!("  x probe: {note}"));
    }
    text
}

fn rollback(planned: &PlannedRollback) -> String {
    let plan = &planned.plan;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "plan {} to take back {} of {} on {}",
            planned.id.0, plan.batch, plan.provider, plan.host
        ),
    );
    for step in &plan.steps {
        put(&mut text, format_args!("  {}", step.change.line()));
        if let Some(why) = &step.blocked {
            put(&mut text, format_args!("      blocked: {why}"));
        }
    }
    put(&mut text, format_args!("{}", plan.totals.line()));
    put(&mut text, format_args!("it will not undo:"));
    for line in &plan.will_not_undo {
        put(&mut text, format_args!("  {line}"));
    }
    let production = if plan.expires_ms.is_some() {
        format!(" --host-name {} --reason \"...\"", plan.host)
    } else {
        String::new()
    };
    put(
        &mut text,
        format_args!(
            "apply it:  cockpit rollback apply {} --yes {}{production}",
            planned.id.0,
            &planned.hash[..12]
        ),
    );
    text
}

fn rolled_back(rolled: &RolledBack) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{}: {}, {} step(s) done",
            rolled.batch.id, rolled.batch.batch_status, rolled.done
        ),
    );
    for (head, rows) in [
        ("x blocked", &rolled.blocked),
        ("x still there", &rolled.remains),
        ("x changed, not ours", &rolled.disturbed),
    ] {
        for row in rows {
            put(&mut text, format_args!("  {head}: {row}"));
        }
    }
    if rolled.remains.is_empty() && rolled.disturbed.is_empty() {
        put(
            &mut text,
            format_args!(
                "  proven by listing: nothing of this batch remains, nothing of others changed"
            ),
        );
    }
    text
}

/// The hosts of the config.
pub(crate) fn hosts(settings: &Settings) -> String {
    if settings.hosts.is_empty() {
        return "no host is configured; README, \"A real host\", shows a block to copy; `--lab` needs none".to_owned();
    }
    let mut table = plain(&["host", "role", "machine", "address", "baseline"]);
    for host in settings.hosts.values() {
        table.add_row([
            host.id.to_string(),
            host.role.as_str().to_owned(),
            host.machine.to_string(),
            host.address.clone(),
            host.baseline
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
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
            Ok(Pack::Baseline(pack)) => ("baseline", pack.title.clone(), String::new()),
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
