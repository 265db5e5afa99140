//! Temporary stacks on a machine: none is over, and nobody is sent to one.

use super::judgement::Judgement;
use super::nginx::judge_nginx;
use super::verdict::Verdict;
use crate::pack::{NginxLook, StacksLook};
use crate::stack::{Stack, StackState};

/// Judges the stacks of one machine. `dump` is the text of `nginx -T`, where it was asked for.
pub fn judge_stacks(
    look: &StacksLook,
    stacks: &[&Stack],
    dump: Option<&str>,
    now_ms: i64,
) -> Judgement {
    let mut faults = Vec::new();
    let mut due = Vec::new();
    let mut evidence = Vec::new();
    for stack in stacks {
        let state = stack.state(now_ms);
        evidence.push(format!(
            "{}  {state}  until {}  port {}  {}  {}",
            stack.name, stack.until, stack.port, stack.container, stack.reason
        ));
        match state {
            StackState::Overdue => faults.push(format!(
                "stack `{}` was to be gone after {}",
                stack.name, stack.until
            )),
            StackState::Due => due.push(format!("today is the last day of stack `{}`", stack.name)),
            StackState::Standing => {}
        }
        let Some(dump) = dump else { continue };
        let named = judge_nginx(&not_named(stack), dump);
        match named.verdict {
            Verdict::Fail => faults.push(format!(
                "nginx names stack `{}`: {}",
                stack.name, named.found
            )),
            Verdict::Ok => {}
            // One of several stacks decides nothing: a text that cannot be read is said once.
            _ => return named.expecting(expectation(look)),
        }
    }
    let evidence = evidence.join("\n");
    if faults.is_empty() && !due.is_empty() {
        return Judgement::new(Verdict::Warn, expectation(look), &due.join("\n"), &evidence);
    }
    let good = match stacks.len() {
        0 => "none stands there".to_owned(),
        count => format!("{count} known, none is over"),
    };
    Judgement::of_faults(expectation(look), &faults, &good, &evidence)
}

/// That nothing in nginx names a stack's port or container.
pub fn not_named(stack: &Stack) -> NginxLook {
    NginxLook {
        banned_ports: vec![stack.port],
        banned_names: vec![stack.container.clone()],
        ..NginxLook::default()
    }
}

pub(super) fn expectation(look: &StacksLook) -> String {
    let routed = if look.unrouted {
        ", nginx names none"
    } else {
        ""
    };
    format!("no temporary stack is over{routed}")
}
