//! The JSON of every answer. Names here are stable; fields may be added, never renamed. Times are
//! RFC 3339 in UTC.

mod known;

pub(crate) use known::{audit, hosts, last_baseline, last_probes, machines};

use cockpit_domain::baseline::BaselineReport;
use cockpit_domain::batch::Batch;
use cockpit_domain::ids::PlanId;
use cockpit_domain::import::ImportPlan;
use cockpit_domain::log::LogLine;
use cockpit_domain::pack::Pack;
use cockpit_domain::reconcile::ReconcileReport;
use cockpit_domain::runbook::RunState;
use cockpit_engine::baseline::Waivers;
use cockpit_engine::command::Answer;
use cockpit_engine::ports::PackEntry;
use cockpit_engine::probe::first_bad;
use cockpit_engine::reconcile::{PlannedReconcile, Reconciled};
use serde_json::{Map, Value, json};

/// An answer as JSON.
pub(crate) fn answer(answer: &Answer) -> Value {
    timed(match answer {
        Answer::Baseline(report) => baseline(report),
        Answer::History(told) => json!(told.as_ref()),
        Answer::Draft(drafted) => json!(drafted.as_ref()),
        Answer::Diff(told) => json!(told.as_ref()),
        Answer::Waivers(told) => waivers(told),
        Answer::Host(probe) => json!(probe),
        Answer::Machine(look) => json!(look),
        Answer::Listing(rows) => json!({
            "listing": rows.iter().map(|((kind, name, id), fields)| {
                json!({"type": kind, "name": name, "host_resource_id": id.to_string(), "fields": fields})
            }).collect::<Vec<_>>(),
        }),
        Answer::Import(planned) | Answer::AccessPlan(planned) => {
            let plan = &planned.plan;
            json!({
                "plan": plan_ref(planned.id, &planned.hash),
                "host": plan.request.host,
                "provider": plan.request.pack.id,
                "mode": plan.request.mode,
                "access": plan.request.access,
                "host_version": plan.host_version,
                "items": plan.items,
                "retry_of": plan.request.retry_of,
                "left_out": plan.left_out,
                "keys": plan.key_totals(),
                "canary": {
                    "suggested": plan.suggested_canary(),
                    "lines": lines_of(plan, plan.suggested_canary()),
                },
                "changes": plan.changes,
                "totals": plan.totals,
                "blockers": plan.blockers,
                "warnings": plan.warnings,
                "revision": plan.revision,
                "expires_ms": plan.expires_ms,
            })
        }
        Answer::Batch(batch) => json!(batch.as_ref()),
        Answer::Batches(batches) => {
            json!({"batches": batches.iter().map(brief).collect::<Vec<_>>()})
        }
        Answer::Detail(detail) => json!(detail.as_ref()),
        Answer::Access(look) => json!(look.as_ref()),
        Answer::Preview(look) => json!(look.as_ref()),
        Answer::Leases(rows) => json!({"leases": rows}),
        Answer::LeaseTaken(taken) => json!(taken.as_ref()),
        Answer::HostBlock(new) => json!(new.as_ref()),
        Answer::HostLines(gone) => json!(gone.as_ref()),
        Answer::Pools(pools) => json!({"pools": pools}),
        Answer::Reconcile(done) => reconciled(done),
        Answer::Looked(looked) => json!(looked.as_ref()),
        Answer::Mended(mended) => json!(mended.as_ref()),
        Answer::Repair(planned) => {
            let mut value = json!(planned.plan);
            put(&mut value, "plan", plan_ref(planned.id, &planned.hash));
            value
        }
        Answer::Repaired(repaired) => {
            let mut value = json!(repaired.as_ref());
            put(&mut value, "report", baseline(&repaired.report));
            value
        }
        Answer::Rollback(planned) => {
            let mut value = json!(planned.plan);
            put(&mut value, "plan", plan_ref(planned.id, &planned.hash));
            value
        }
        Answer::RolledBack(rolled) => json!(rolled.as_ref()),
        Answer::Resources(held) => json!(held.as_ref()),
        Answer::Matrix(pairs) => json!({"matrix": pairs}),
        Answer::Adopt(planned) => {
            let mut value = json!(planned.plan);
            put(&mut value, "plan", plan_ref(planned.id, &planned.hash));
            value
        }
        Answer::Adopted(adopted) => json!(adopted.as_ref()),
        Answer::Prune(planned) => {
            let mut value = json!(planned.plan);
            put(&mut value, "plan", plan_ref(planned.id, &planned.hash));
            value
        }
        Answer::Pruned(pruned) => json!(pruned.as_ref()),
        Answer::Recover(planned) => {
            let mut value = json!(planned.plan);
            put(&mut value, "plan", plan_ref(planned.id, &planned.hash));
            value
        }
        Answer::Recovered(recovered) => json!(recovered.as_ref()),
        Answer::Probes(probes) => json!({
            "probes": probes,
            "first_bad_hop": first_bad(probes).map(|at| probes[at].hop.clone()),
        }),
        Answer::Gate(report) => {
            let mut value = json!(report.as_ref());
            if let Some(planned) = &report.plan {
                put(&mut value, "plan", plan_ref(planned.id, &planned.hash));
                put(&mut value, "does", json!(planned.plan.does));
                put(&mut value, "blockers", json!(planned.plan.blockers));
                put(&mut value, "expires_ms", json!(planned.plan.expires_ms));
            }
            value
        }
        Answer::Stacks(rows) => json!({"stacks": rows}),
        Answer::Stack(seen) => json!(seen.as_ref()),
        Answer::StackLook(look) => json!(look.as_ref()),
        Answer::Split(split) => json!(split.as_ref()),
        Answer::Runbooks(rows) => json!({"runbooks": rows}),
        Answer::Runbook(book) => json!(book.as_ref()),
        Answer::Runs(rows) => json!({"runs": rows}),
        Answer::Run(run) => {
            let mut value = json!(run.as_ref());
            let planned = run.current().filter(|_| run.state == RunState::Confirms);
            if let Some(plan) = planned.and_then(|step| step.plan.as_ref()) {
                put(&mut value, "plan", plan_ref(plan.id, &plan.plan_hash));
            }
            value
        }
        Answer::Explained(found) => json!(found.as_ref()),
        Answer::Triage(done) => json!(done.as_ref()),
        Answer::Doctor(found) => json!({"ok": found.iter().all(|row| row.ok), "hops": found}),
    })
}

fn compared(planned: &PlannedReconcile) -> Value {
    let mut value = json!(planned.report);
    put(&mut value, "plan", plan_ref(planned.id, &planned.hash));
    value
}

/// A row a batch, and above them what they come to. What one batch came to stands on top whole.
fn reconciled(done: &Reconciled) -> Value {
    let reports = || done.plans.iter().map(|plan| &plan.report);
    let sum = |count: fn(&ReconcileReport) -> usize| reports().map(count).sum::<usize>();
    let mut value = match done.only() {
        Some(only) => compared(only),
        None => json!({
            "host": reports().next().map(|report| &report.host),
            "status": done.status(),
            "missing_count": sum(|report| report.missing_count),
            "changed_count": sum(|report| report.changed_count),
            "extra_count": sum(|report| report.extra_count),
            "raw_extra_count": sum(|report| report.raw_extra_count),
            "stale_noise_count": sum(|report| report.stale_noise_count),
            "probe_failures": sum(|report| report.probe_failures),
        }),
    };
    let batches: Vec<Value> = done.plans.iter().map(compared).collect();
    put(&mut value, "batches", json!(batches));
    put(&mut value, "left_out", json!(done.left_out));
    value
}

fn waivers(told: &Waivers) -> Value {
    let mut value = json!(told);
    let rows = told.waivers.iter().map(|waiver| {
        let mut row = json!(waiver);
        put(&mut row, "in_force", json!(waiver.is_in_force(told.at_ms)));
        row
    });
    put(&mut value, "waivers", rows.collect());
    value
}

fn baseline(report: &BaselineReport) -> Value {
    let mut value = json!(report);
    // The rows are called what the pack calls them.
    if let Some(fields) = value.as_object_mut()
        && let Some(rows) = fields.remove("results")
    {
        fields.insert("checks".to_owned(), rows);
    }
    value
}

fn plan_ref(id: PlanId, hash: &str) -> Value {
    json!({"id": id, "hash": hash})
}

fn put(value: &mut Value, name: &str, what: Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(name.to_owned(), what);
    }
}

fn brief(batch: &Batch) -> Value {
    json!({
        "id": batch.id,
        "kind": batch.kind,
        "status": batch.batch_status,
        "provider": batch.provider,
        "host": batch.host,
        "mode": batch.mode,
        "access_mode": batch.access_mode,
        "access_status": batch.access_status,
        "latest_access_status": batch.latest_access_status,
        "provider_status_from_import": batch.provider_status_from_import,
        "reason": batch.reason,
        "created_ms": batch.created_ms,
        "updated_ms": batch.updated_ms,
    })
}

/// The packs at hand.
pub(crate) fn packs(entries: &[PackEntry]) -> Value {
    json!({"packs": entries.iter().map(|entry| {
        let (kind, title, open, findings) = match &entry.pack {
            Ok(Pack::Provider(pack)) => ("provider", pack.title.clone(), pack.to_be_confirmed.clone(), Vec::new()),
            Ok(pack) => (pack.kind(), pack.title().to_owned(), Vec::new(), Vec::new()),
            Err(findings) => ("broken", String::new(), Vec::new(), findings.clone()),
        };
        json!({
            "id": entry.id, "kind": kind, "title": title, "source": entry.source,
            "to_be_confirmed": open, "findings": findings,
        })
    }).collect::<Vec<_>>()})
}

/// A log line: `at`, `level`, `no`, `source`, `status`, `text`.
pub(crate) fn log_line(line: &LogLine) -> Value {
    timed(json!(line))
}

/// Turns `..._ms` moments into RFC 3339 `..._at`; durations stay numbers.
fn timed(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut out = Map::new();
            for (name, value) in fields {
                match moment_name(&name) {
                    Some(renamed) => {
                        let at = value.as_i64().filter(|ms| *ms > 0);
                        let at = at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
                        out.insert(
                            renamed,
                            at.map_or(Value::Null, |at| json!(format!("{at:.3}"))),
                        );
                    }
                    None => {
                        out.insert(name, timed(value));
                    }
                }
            }
            Value::Object(out)
        }
        Value::Array(rows) => Value::Array(rows.into_iter().map(timed).collect()),
        other => other,
    }
}

fn moment_name(name: &str) -> Option<String> {
    match name {
        "at_ms" => Some("at".to_owned()),
        "created_ms" | "updated_ms" | "last_write_ms" | "started_ms" | "expires_ms"
        | "since_ms" | "lost_ms" | "last_good_ms" | "until_ms" | "from_ms" | "to_ms"
        | "turned_ms" => Some(name.replace("_ms", "_at")),
        _ => None,
    }
}

/// Lines of the key input that a canary of so many keys begins with.
fn lines_of(plan: &ImportPlan, canary: usize) -> Vec<usize> {
    let keys = plan.canary(canary).into_iter();
    keys.map(|at| plan.items[at].line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_become_rfc_3339_and_durations_stay() {
        let value = timed(
            json!({"created_ms": 1_000, "expires_ms": null, "rows": [{"at_ms": 0, "duration_ms": 7}]}),
        );
        assert_eq!(
            value,
            json!({
                "created_at": "1970-01-01T00:00:01.000Z", "expires_at": null, "rows": [{"at": null, "duration_ms": 7}],
            })
        );
    }
}
