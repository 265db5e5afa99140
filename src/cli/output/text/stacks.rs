//! The deploy gate and temporary stacks as text.

use super::plans::ending;
use super::{drawn, plain, put};
use cockpit_domain::baseline::Verdict;
use cockpit_domain::gate::{GatePhase, GateState};
use cockpit_domain::stack::{CleanRow, StackState};
use cockpit_engine::gate::{GateReport, GateVerdict};
use cockpit_engine::stacks::{StackLook, StackSeen};

/// One side of the gate.
pub(super) fn gate(report: &GateReport) -> String {
    let mut text = String::new();
    let what = match (report.phase, report.verdict) {
        (_, GateVerdict::Unknown) => "nothing is recorded yet",
        (GatePhase::Before, GateVerdict::Passed) => "recorded, all well",
        (GatePhase::Before, _) => "recorded, and not all is well",
        (GatePhase::After, GateVerdict::Passed) => "PASSED",
        (GatePhase::After, GateVerdict::Waiting) => {
            "not passed yet: a person approves what is to be done"
        }
        (GatePhase::After, GateVerdict::Asks) => {
            "NOT KNOWN: a step was begun, and nobody saw its end"
        }
        (GatePhase::After, GateVerdict::Busy) => "another process is at it",
        (GatePhase::After, _) => "NOT PASSED",
    };
    put(
        &mut text,
        format_args!(
            "deploy gate {} of {} for {}: {what}",
            report.phase, report.pack, report.host
        ),
    );
    for row in &report.rows {
        let glyph = match row.state {
            GateState::Passed => '+',
            GateState::Failed => 'x',
            GateState::CouldNotLook => '?',
            GateState::NotDone => '.',
            GateState::Unseen => '!',
        };
        let found = row.found.replace('\n', "; ");
        put(
            &mut text,
            format_args!("  {glyph} {:<14} {}: {found}", row.id, row.title),
        );
        if !row.next_step.is_empty() {
            put(&mut text, format_args!("    {:<14} {}", "", row.next_step));
        }
    }
    for change in &report.changes {
        if let (Some(was), Some(now)) = (change.was, change.now) {
            put(
                &mut text,
                format_args!("  ! {:<14} was {was}, is {now}", change.step),
            );
        }
        for line in &change.lines {
            put(&mut text, format_args!("  ! {:<14} {line}", change.step));
        }
    }
    if report.phase == GatePhase::After && report.verdict == GateVerdict::Failed {
        for fault in &report.faults {
            put(&mut text, format_args!("x {}", fault.replace('\n', "; ")));
        }
    }
    if let Some(planned) = &report.plan {
        plan(&mut text, planned);
    } else if report.phase == GatePhase::Before && report.verdict != GateVerdict::Unknown {
        put(
            &mut text,
            format_args!(
                "after the deployment:  cockpit deploy gate after --pack {}",
                report.pack
            ),
        );
    }
    text
}

fn plan(text: &mut String, planned: &cockpit_engine::gate::PlannedGate) {
    let plan = &planned.plan;
    put(
        text,
        format_args!("plan {} would run on {}:", planned.id.0, plan.machine),
    );
    for act in &plan.does {
        put(
            text,
            format_args!("  ~ {:<14} {}", act.step, act.argv.join(" ")),
        );
    }
    if !plan.changed.is_empty() {
        put(
            text,
            format_args!(
                "  approving it approves the {} changed lines above",
                plan.changed.len()
            ),
        );
    }
    ending(text, "deploy gate", planned);
}

/// The stacks that stand.
pub(super) fn list(rows: &[StackSeen]) -> String {
    if rows.is_empty() {
        return "no temporary stack is known".to_owned();
    }
    let mut table = plain(&[
        "",
        "stack",
        "machine",
        "port",
        "container",
        "until",
        "state",
        "why",
    ]);
    for row in rows {
        let stack = &row.stack;
        table.add_row([
            glyph(row.state).to_owned(),
            stack.name.to_string(),
            stack.machine.to_string(),
            stack.port.to_string(),
            stack.container.clone(),
            stack.until.clone(),
            format!("{}{}", row.state, if stack.keep { ", kept" } else { "" }),
            stack.reason.clone(),
        ]);
    }
    let mut text = format!("{}\n", drawn(&table));
    if let Some(late) = rows.iter().find(|row| row.state == StackState::Overdue) {
        put(
            &mut text,
            format_args!("next: cockpit stack show {}", late.stack.name),
        );
    }
    text
}

fn glyph(state: StackState) -> &'static str {
    match state {
        StackState::Standing => "+",
        StackState::Due => "!",
        StackState::Overdue => "x",
    }
}

/// One that was registered.
pub(super) fn registered(seen: &StackSeen) -> String {
    let stack = &seen.stack;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "stack {} is registered: port {} and container {} on {}, until {} ({})",
            stack.name, stack.port, stack.container, stack.machine, stack.until, stack.reason
        ),
    );
    if stack.keep {
        let how = stack.mark_file.as_ref().map_or_else(
            || {
                format!(
                    "label its container: docker run --label {}=true",
                    cockpit_domain::stack::MARK
                )
            },
            |path| format!("write the word {} into {path}", cockpit_domain::stack::MARK),
        );
        put(&mut text, format_args!("it is kept on purpose; {how}"));
    }
    put(
        &mut text,
        format_args!("look at it:  cockpit stack show {}", stack.name),
    );
    text
}

/// One as it is looked at.
pub(super) fn look(look: &StackLook) -> String {
    let stack = &look.stack;
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{} stack {} on {}: {}, until {} ({})",
            glyph(look.state),
            stack.name,
            stack.machine,
            look.state,
            stack.until,
            stack.reason
        ),
    );
    put(&mut text, format_args!("while it stands:"));
    rows(&mut text, &look.apart);
    put(&mut text, format_args!("when it is gone:"));
    rows(&mut text, &look.gone);
    text
}

/// Lines of a list with what was found.
pub(super) fn rows(text: &mut String, rows: &[CleanRow]) {
    for row in rows {
        let glyph = match row.verdict {
            Verdict::Ok => '+',
            Verdict::Waived => '=',
            Verdict::Warn => '!',
            Verdict::Fail => 'x',
            _ => '?',
        };
        let found = row.found.replace('\n', "; ");
        put(
            text,
            format_args!("  {glyph} {:<5} {}: {found}", row.line.by, row.line.title),
        );
        if row.verdict == Verdict::Fail && !row.line.argv.is_empty() {
            put(text, format_args!("          {}", row.line.argv.join(" ")));
        }
        if row.verdict == Verdict::Fail && !row.line.ask.is_empty() {
            put(text, format_args!("          {}", row.line.ask));
        }
    }
}
