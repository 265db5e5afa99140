//! A plan to be read, and what applying it came to.

use super::said::clock;
use super::{batches, jobs};
use crate::content::{Cell, Column, Content, List, Note, Row, field, note};
use crate::model::Model;
use crate::place::Place;
use crate::plan::Plan;
use crate::theme::Role;
use cockpit_domain::batch::AccountStatus;
use cockpit_domain::ids::PlanId;
use cockpit_domain::plan::{Change, Sign};
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::reconcile::Scope;

const COLUMNS: [Column; 5] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.type", 5, 12, 1),
    Column::fit("col.resource-name", 12, 30, 0),
    Column::fit("col.id", 2, 8, 2),
    Column::grow("col.reason", 12, 0),
];

fn role(sign: Sign) -> Role {
    match sign {
        Sign::Create => Role::Create,
        Sign::Change => Role::Change,
        Sign::Remove => Role::Remove,
        Sign::Attention => Role::Attention,
        Sign::Keep => Role::Muted,
    }
}

/// The word of a sign in the catalogues. An import removes nothing: it parks the accounts that its
/// own take the place of.
fn word(plan: &Plan, sign: Sign) -> &'static str {
    match sign {
        Sign::Create => "create",
        Sign::Change => "change",
        Sign::Remove if matches!(plan, Plan::Import(_)) => "park",
        Sign::Remove => "remove",
        Sign::Attention => "attention",
        Sign::Keep => "keep",
    }
}

fn row(plan: PlanId, at: usize, change: &Change) -> Row {
    let role = role(change.sign);
    let mut reason = change.reason.clone();
    for field in &change.fields {
        reason = format!("{reason}; {}: {} -> {}", field.field, field.from, field.to);
    }
    Row::new(
        format!("{at} {}", change.name),
        vec![
            Cell::new(change.sign.as_char().to_string(), role),
            Cell::new(change.kind.to_string(), role),
            Cell::plain(change.name.clone()),
            Cell::muted(
                change
                    .host_resource_id
                    .map_or_else(String::new, |id| format!("#{id}")),
            ),
            Cell::new(
                reason,
                if change.sign == Sign::Keep {
                    Role::Muted
                } else {
                    Role::Text
                },
            ),
        ],
    )
    .copies(change.line())
    .opens(Place::Change(plan, at))
    .broken(change.sign == Sign::Attention)
}

/// How many changes of each sign; what there is none of steps back.
pub(crate) fn counted(model: &Model, plan: &Plan) -> Note {
    if let Plan::Gate(planned) = plan {
        // No resource of a host changes: what runs there is what counts.
        let does = planned.plan.does.iter().map(|act| act.argv.join(" "));
        let line = does.collect::<Vec<_>>().join("; ");
        let line = format!("{}: {line}", planned.plan.machine);
        return field(&model.say("field.does"), line, Role::Change);
    }
    let totals = plan.totals();
    [
        (Sign::Create, totals.create),
        (Sign::Change, totals.change),
        (Sign::Remove, totals.remove),
        (Sign::Attention, totals.attention),
    ]
    .map(|(sign, count)| {
        let word = model.say(&format!("change.{}", word(plan, sign)));
        let shown = if count == 0 { Role::Muted } else { role(sign) };
        Cell::new(format!("{}{count} {word}  ", sign.as_char()), shown)
    })
    .to_vec()
}

fn head(model: &Model, plan: &Plan) -> Vec<Note> {
    let mut head = vec![
        vec![
            Cell::new(model.say(&format!("kind.{}", plan.kind())), Role::Title),
            Cell::plain(format!("  {}  {}", plan.id(), plan.host())),
            Cell::muted(format!("  {}", plan.hash().get(..12).unwrap_or_default())),
        ],
        counted(model, plan),
    ];
    if let Plan::Import(planned) = plan {
        let keys = planned.plan.key_totals().line();
        if !keys.is_empty() {
            head.push(field(&model.say("field.keys"), keys, Role::Text));
        }
        if let Some(batch) = planned.plan.request.retry_of {
            let text = model.fill("plan.again", &[("batch", &batch.to_string())]);
            head.push(note(text, Role::Text));
        }
        if !planned.plan.left_out.is_empty() {
            let label = model.say("field.left-out");
            head.push(field(&label, planned.plan.left_out_line(), Role::Muted));
        }
    }
    for blocker in plan.blockers() {
        head.push(field(
            &model.say("field.blocked"),
            blocker.clone(),
            Role::Fail,
        ));
    }
    for warning in plan.warnings() {
        let label = model.say("field.warning");
        head.push(field(&label, warning.clone(), Role::Warn));
    }
    for line in plan.will_not_undo() {
        head.push(field(&model.say("field.stays"), line.clone(), Role::Warn));
    }
    head.extend(stands(model, plan));
    if let Plan::Reconcile(planned) = plan {
        let report = &planned.report;
        let status = model.say(&format!("drift.{}", report.status.as_str()));
        let counts = model.fill(
            "reconcile.counts",
            &[
                ("status", &status),
                ("missing", &report.missing_count.to_string()),
                ("changed", &report.changed_count.to_string()),
                ("extra", &report.extra_count.to_string()),
                ("raw", &report.raw_extra_count.to_string()),
                ("noise", &report.stale_noise_count.to_string()),
                ("probes", &report.probe_failures.to_string()),
            ],
        );
        head.push(note(counts, Role::Text));
        for probe in &report.probe_notes {
            head.push(field(&model.say("field.probe"), probe.clone(), Role::Warn));
        }
    }
    if let Some(at) = plan.expires_ms() {
        head.push(field(
            &model.say("field.expires"),
            clock(model, at),
            Role::Muted,
        ));
    }
    head
}

/// What the accounts of a group stand on when some of them go, or what asking one costs.
fn stands(model: &Model, plan: &Plan) -> Vec<Note> {
    match plan {
        Plan::Adopt(_) => vec![note(model.say("adopt.head"), Role::Text)],
        Plan::Prune(planned) => {
            let rows = planned.plan.stands.iter();
            let told = rows.map(|stand| {
                let (choosable, floor) = (stand.choosable.to_string(), stand.floor.to_string());
                let words = [
                    ("group", stand.name.as_str()),
                    ("count", &choosable),
                    ("floor", &floor),
                ];
                let role = if stand.choosable < stand.floor {
                    Role::Fail
                } else {
                    Role::Text
                };
                field(
                    &model.say("field.stands"),
                    model.fill("prune.stands", &words),
                    role,
                )
            });
            let served = planned.plan.stands.iter().map(|stand| {
                let nobody = || model.say("prune.nobody");
                let text = stand.served.clone().unwrap_or_else(nobody);
                field(&model.say("field.proof"), text, Role::Text)
            });
            told.chain(served).collect()
        }
        Plan::Recover(planned) => {
            let plan = &planned.plan;
            let mut told: Vec<Note> = plan
                .why
                .iter()
                .map(|why| {
                    let text = super::pool::told(model, why);
                    field(&model.say("field.why"), text, Role::Warn)
                })
                .collect();
            if plan.blockers.is_empty() {
                let cost = field(&model.say("field.cost"), plan.cost.clone(), Role::Text);
                told.push(cost);
            }
            told
        }
        _ => Vec::new(),
    }
}

/// The whole line that does the same without the screen: production wants its name and a reason.
fn command(model: &Model, plan: &Plan) -> String {
    let production = model.setup.is_production(plan.host());
    let named = plan.wants_name(production);
    let approval = Approval {
        hash: plan.hash().to_owned(),
        host_name: named.then(|| plan.host().to_string()),
        reason: named.then(|| "WHY".to_owned()),
    };
    let command = match plan {
        Plan::Reconcile(planned) if planned.report.mends.is_empty() => {
            Some(Command::ReconcilePlan {
                scope: Scope::Batch(planned.report.batch_id),
            })
        }
        _ => plan.apply(approval, 0),
    };
    command.map_or_else(String::new, |command| command.cli_line())
}

pub(super) fn plan(model: &Model, id: PlanId) -> Content {
    let Some(plan) = model.plans.get(&id) else {
        return Content::text(vec![note(model.say("plan.gone"), Role::Muted)]);
    };
    let mut head = head(model, plan);
    let blocked = !plan.blockers().is_empty();
    if !blocked {
        let line = command(model, plan);
        head.push(field(&model.say("field.command"), line, Role::Muted));
    }
    let next = crate::update::why_not_apply(model, Some(id));
    let next = next.unwrap_or_else(|| model.say("plan.apply"));
    head.push(field(&model.say("field.next"), next, Role::Key));
    let rows = plan
        .changes()
        .iter()
        .enumerate()
        .map(|(at, change)| row(id, at, change))
        .collect();
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: match plan {
            _ if blocked => Vec::new(),
            Plan::Reconcile(_) => vec![note(model.say("reconcile.empty"), Role::Ok)],
            _ => vec![note(model.say("plan.empty"), Role::Ok)],
        },
    })
    .head(head)
}

/// One change with everything it says: in the list its reason is cut.
pub(super) fn change(model: &Model, id: PlanId, at: usize) -> Content {
    let plan = model.plans.get(&id);
    let Some((plan, change)) = plan.and_then(|plan| Some((plan, plan.changes().get(at)?.clone())))
    else {
        return Content::text(vec![note(model.say("plan.gone"), Role::Muted)]);
    };
    let sign = model.say(&format!("change.{}", word(plan, change.sign)));
    let there = change
        .host_resource_id
        .map_or_else(String::new, |id| format!(" #{id}"));
    let mut lines = vec![
        vec![
            Cell::new(
                format!("{} {sign}", change.sign.as_char()),
                role(change.sign),
            ),
            Cell::new(
                format!("  {} {}{there}", change.kind, change.name),
                Role::Title,
            ),
        ],
        Vec::new(),
        field(&model.say("field.why"), change.reason.clone(), Role::Text),
    ];
    for part in &change.fields {
        let (from, to) = (part.from.to_string(), part.to.to_string());
        lines.push(vec![
            Cell::new(format!("{}  ", part.field), Role::Title),
            Cell::plain(format!("{from} -> {to}")),
        ]);
    }
    Content::text(lines)
}

pub(super) fn outcome(model: &Model, id: PlanId) -> Content {
    let mut head = Vec::new();
    if let Some(plan) = model.plans.get(&id) {
        head.push(vec![
            Cell::new(model.say(&format!("kind.{}", plan.kind())), Role::Title),
            Cell::plain(format!("  {id}  {}", plan.host())),
        ]);
    }
    let act = model.acts.get(&id);
    let job = act
        .and_then(|act| act.job)
        .and_then(|id| model.seen().jobs.iter().find(|job| job.id == id));
    if let Some(job) = job.filter(|job| job.is_live()) {
        head.push(vec![
            Cell::new("> ", Role::Warming),
            Cell::plain(jobs::stage(model, job)),
        ]);
    }
    match act.and_then(|act| act.result.as_ref()) {
        Some(Err(failure)) => {
            head.push(field(
                &model.say("field.doing"),
                failure.doing.clone(),
                Role::Muted,
            ));
            head.push(field(
                &model.say("field.found"),
                failure.message.clone(),
                Role::Fail,
            ));
            if !failure.hint.is_empty() {
                head.push(field(
                    &model.say("field.next"),
                    failure.hint.clone(),
                    Role::Key,
                ));
            }
        }
        Some(Ok(Answer::Gate(report))) => {
            let mut content = super::gate::of(model, report);
            head.append(&mut content.head);
            return content.head(head);
        }
        Some(Ok(Answer::Repaired(repaired))) => {
            let proven = repaired.unproven.is_empty() && repaired.disturbed.is_empty();
            let key = if proven {
                "repair.proven"
            } else {
                "repair.unproven"
            };
            head.push(note(
                model.fill(key, &[("check", &repaired.check)]),
                if proven { Role::Ok } else { Role::Fail },
            ));
            for line in repaired.unproven.iter().chain(&repaired.disturbed) {
                head.push(field(&model.say("field.found"), line.clone(), Role::Warn));
            }
        }
        Some(Ok(Answer::Mended(done))) => {
            let proven = done.unproven.is_empty() && done.disturbed.is_empty();
            let status = done.report.status.as_str();
            let key = if proven {
                "reconcile.mended"
            } else {
                "reconcile.unproven"
            };
            let role = match (proven, done.left.is_empty()) {
                (true, true) => Role::Ok,
                (true, false) => Role::Warn,
                (false, _) => Role::Fail,
            };
            let told = [
                ("count", done.done.to_string()),
                ("status", model.say(&format!("drift.{status}"))),
            ];
            let told = told.each_ref().map(|(name, value)| (*name, value.as_str()));
            head.push(note(model.fill(key, &told), role));
            let lists = [
                ("field.found", &done.unproven),
                ("field.stays", &done.left),
                ("field.disturbed", &done.disturbed),
            ];
            for (label, lines) in lists {
                for line in lines {
                    head.push(field(&model.say(label), line.clone(), Role::Warn));
                }
            }
        }
        Some(Ok(Answer::Adopted(adopted))) => {
            let count = adopted.done.to_string();
            let told = model.fill("adopt.done", &[("count", &count)]);
            head.push(note(told, Role::Ok));
            let batch = adopted.batch.id.to_string();
            let next = model.fill("adopt.next", &[("batch", &batch)]);
            head.push(field(&model.say("field.next"), next, Role::Key));
        }
        Some(Ok(Answer::Pruned(pruned))) => {
            let clean = pruned.remains.is_empty() && pruned.disturbed.is_empty();
            let key = if clean {
                "prune.clean"
            } else {
                "prune.unclean"
            };
            let told = model.fill(key, &[("count", &pruned.done.to_string())]);
            head.push(note(told, if clean { Role::Ok } else { Role::Fail }));
            let lists = [
                ("field.stays", &pruned.kept),
                ("field.remains", &pruned.remains),
                ("field.disturbed", &pruned.disturbed),
            ];
            for (label, lines) in lists {
                for line in lines {
                    head.push(field(&model.say(label), line.clone(), Role::Warn));
                }
            }
        }
        Some(Ok(Answer::Recovered(recovered))) => {
            let (key, role) = match (recovered.account_status, recovered.chosen) {
                (AccountStatus::Failed, _) => ("recover.failed", Role::Fail),
                (_, true) => ("recover.chosen", Role::Ok),
                (_, false) => ("recover.passed-over", Role::Warn),
            };
            let told = model.fill(key, &[("name", &recovered.name)]);
            head.push(note(told, role));
            let said = recovered.account_probe_summary.clone();
            head.push(field(&model.say("field.found"), said, Role::Text));
            for why in &recovered.why_not {
                let text = super::pool::told(model, why);
                head.push(field(&model.say("field.why"), text, Role::Warn));
            }
        }
        Some(Ok(Answer::RolledBack(rolled))) => {
            let clean = rolled.remains.is_empty() && rolled.disturbed.is_empty();
            let key = if clean {
                "rollback.clean"
            } else {
                "rollback.unclean"
            };
            head.push(note(
                model.fill(key, &[("count", &rolled.done.to_string())]),
                if clean { Role::Ok } else { Role::Fail },
            ));
            let lists = [
                ("field.blocked", &rolled.blocked),
                ("field.remains", &rolled.remains),
                ("field.disturbed", &rolled.disturbed),
                ("field.stays", &rolled.will_not_undo),
            ];
            for (label, lines) in lists {
                for line in lines {
                    head.push(field(&model.say(label), line.clone(), Role::Warn));
                }
            }
        }
        _ => {}
    }
    let batch = model
        .board()
        .batches
        .iter()
        .find(|seen| seen.batch.plan == id)
        .map(|seen| &seen.batch);
    let Some(batch) = batch else {
        return Content::text(Vec::new()).head(head);
    };
    head.extend(batches::head(model, batch));
    let mut content = batches::batch(model, batch.id);
    // Also while the batch is being read: what came of it stands above.
    content.head = head;
    content
}
