//! Batches and access looks as text.

use super::{drawn, plain, put};
use cockpit_domain::batch::{Batch, BatchKind, GatewayEvidence, Interruption};
use cockpit_engine::access::AccessLook;
use cockpit_engine::batches::BatchDetail;

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

pub(super) fn batch_lines(batch: &Batch) -> String {
    let mut text = String::new();
    let what = match batch.kind {
        BatchKind::Import => format!("{} of {} into", batch.mode, batch.provider),
        BatchKind::Repair => format!("repair by {} of", batch.provider),
        BatchKind::Adopt => format!("take-over of {} on", batch.provider),
        BatchKind::Prune => format!("prune of {} on", batch.provider),
        BatchKind::Recover => format!("recovery of one account of {} on", batch.provider),
        BatchKind::Access => format!("access to {} on", batch.provider),
    };
    put(
        &mut text,
        format_args!("{} {what} {}: {}", batch.id, batch.host, batch.batch_status),
    );
    if let Some(why) = batch.interrupted_by {
        put(&mut text, format_args!("  stopped     {why}"));
    }
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
        "interrupted" if batch.kind.why_final().is_some() => format!("cockpit batch resume {id}"),
        "interrupted" if batch.interrupted_by == Some(Interruption::Canary) => format!(
            "cockpit batch resume {id} goes on with the others; cockpit rollback plan {id} takes it back"
        ),
        "interrupted" => format!("cockpit batch resume {id}, or cockpit rollback plan {id}"),
        "running" => format!("owned by {}; wait for it", batch.owner),
        "succeeded" | "partially_succeeded" | "failed" if batch.kind.why_final().is_some() => {
            format!("cockpit provider status --host {}", batch.host)
        }
        "succeeded" if batch.kind == BatchKind::Access => format!(
            "cockpit import plan brings keys; cockpit rollback plan {id} takes the access back"
        ),
        "succeeded" if batch.kind == BatchKind::Repair => {
            format!("nothing; cockpit rollback plan {id} puts back what was before")
        }
        "partially_succeeded" if batch.kind == BatchKind::Repair => {
            format!(
                "cockpit batch show {id} tells what is wrong yet; cockpit rollback plan {id} puts back what was before"
            )
        }
        "succeeded" => format!("cockpit access status {id}"),
        "partially_succeeded" => format!(
            "cockpit batch show {id} names the failed keys, cockpit batch retry {id} --keys FILE plans them again; cockpit rollback plan {id} takes it back"
        ),
        "failed" => "nothing of it is left on the host; mend the keys and plan again".to_owned(),
        _ => "nothing: it is taken back".to_owned(),
    }
}

pub(super) fn batch_table(batches: &[Batch]) -> String {
    if batches.is_empty() {
        return "no batch yet; `cockpit import plan` begins one".to_owned();
    }
    let mut table = plain(&[
        "batch", "what", "status", "provider", "host", "access", "reason",
    ]);
    for batch in batches {
        table.add_row([
            batch.id.0.to_string(),
            batch.kind.to_string(),
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

pub(super) fn batch_detail(detail: &BatchDetail) -> String {
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
    if detail.batch.kind == BatchKind::Import {
        put(&mut text, format_args!("\nitems\n{}", drawn(&table)));
    }
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

pub(super) fn access(look: &AccessLook) -> String {
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
                match (row.ok, row.looked) {
                    (true, _) => '+',
                    (false, true) => 'x',
                    (false, false) => '?',
                },
                row.name,
                row.found
            ),
        );
    }
    gateway(&mut text, &look.gateway);
    text
}
