//! From answers and failures to exit codes (`product.md` 7): 0 clean, 1 findings, 2 drift, 3 tool
//! error, 4 could not reach anything to judge.

use cockpit_domain::baseline::Verdict;
use cockpit_domain::batch::{
    AccessStatus, BatchStatus, CompletionClass, Interruption, ProviderStatus,
};
use cockpit_domain::gate::{GateRow, GateState};
use cockpit_domain::pool::Pool;
use cockpit_domain::reconcile::ReconcileStatus;
use cockpit_domain::runbook::RunState;
use cockpit_domain::stack::{CleanRow, StackState};
use cockpit_engine::command::Answer;
use cockpit_engine::failure::Failure;
use cockpit_engine::gate::{GateReport, GateVerdict};
use cockpit_engine::probe::{ProbeClass, all_ok};

/// All is well.
pub(crate) const CLEAN: u8 = 0;
/// Something is not as it should be.
pub(crate) const FINDINGS: u8 = 1;
/// Records and host differ.
pub(crate) const DRIFT: u8 = 2;
/// The command did not do its work.
pub(crate) const TOOL: u8 = 3;
/// Nobody to judge answered.
pub(crate) const UNREACHABLE: u8 = 4;

/// Exit code of an answer.
pub(crate) fn of_answer(answer: &Answer) -> u8 {
    match answer {
        Answer::Baseline(report) => of_verdict(report.verdict),
        // It stopped where it was told to: what the first keys came to decides.
        Answer::Batch(batch) if batch.interrupted_by == Some(Interruption::Canary) => {
            match batch.provider_status_from_import {
                Some(ProviderStatus::Active) => CLEAN,
                _ => FINDINGS,
            }
        }
        Answer::Batch(batch) => of_batch(batch.batch_status),
        Answer::Explained(found) if !found.is_well() => FINDINGS,
        Answer::Triage(done) => of_verdict(done.report.verdict),
        Answer::Access(look) if look.latest_access_status == AccessStatus::Broken => FINDINGS,
        Answer::Preview(look) if !look.open => FINDINGS,
        Answer::AccessPlan(planned) if !planned.plan.blockers.is_empty() => FINDINGS,
        Answer::Reconcile(done) => match of_drift(done.status()) {
            CLEAN if !done.left_out.is_empty() => FINDINGS,
            code => code,
        },
        Answer::Looked(looked) => looked.status.map_or(CLEAN, of_drift),
        Answer::Mended(mended) if !mended.disturbed.is_empty() => FINDINGS,
        Answer::Mended(mended) => match of_batch(mended.batch.batch_status) {
            CLEAN => of_drift(mended.report.status),
            code => code,
        },
        Answer::Pools(pools) if !pools.iter().all(Pool::is_well) => FINDINGS,
        Answer::Import(planned) if !planned.plan.blockers.is_empty() => FINDINGS,
        Answer::Repair(planned) if !planned.plan.blockers.is_empty() => FINDINGS,
        Answer::Repaired(repaired) if !repaired.disturbed.is_empty() => FINDINGS,
        Answer::Repaired(repaired) => of_batch(repaired.batch.batch_status),
        Answer::Adopt(planned) if !planned.plan.blockers.is_empty() => FINDINGS,
        Answer::Prune(planned) if !planned.plan.blockers.is_empty() => FINDINGS,
        Answer::Pruned(pruned) if !pruned.remains.is_empty() || !pruned.disturbed.is_empty() => {
            FINDINGS
        }
        Answer::Pruned(pruned) => of_batch(pruned.batch.batch_status),
        Answer::Recover(planned) if !planned.plan.blockers.is_empty() => FINDINGS,
        Answer::Recovered(recovered) => of_batch(recovered.batch.batch_status),
        Answer::Rollback(planned)
            if planned.plan.steps.iter().any(|step| step.blocked.is_some()) =>
        {
            FINDINGS
        }
        Answer::RolledBack(rolled) => {
            let clean = rolled.blocked.is_empty()
                && rolled.remains.is_empty()
                && rolled.disturbed.is_empty();
            if clean { CLEAN } else { FINDINGS }
        }
        Answer::Probes(probes)
            if !probes.is_empty()
                && probes.iter().all(|probe| {
                    matches!(probe.class, ProbeClass::Unreachable | ProbeClass::Skipped)
                }) =>
        {
            UNREACHABLE
        }
        Answer::Probes(probes) if !all_ok(probes) => FINDINGS,
        Answer::Split(split) if split.report.completion_classification != CompletionClass::Ok => {
            FINDINGS
        }
        // It waits for a person, or was ended before its end.
        Answer::Run(run) if run.state != RunState::Done => FINDINGS,
        Answer::Gate(report) => of_gate(report),
        Answer::Stacks(rows) if rows.iter().any(|row| row.state == StackState::Overdue) => FINDINGS,
        Answer::StackLook(look)
            if look.state == StackState::Overdue || !look.apart.iter().all(CleanRow::is_clear) =>
        {
            FINDINGS
        }
        Answer::Diff(told) if told.differences > 0 => FINDINGS,
        Answer::Doctor(found) if found.iter().any(|row| !row.ok) => FINDINGS,
        _ => CLEAN,
    }
}

fn of_gate(report: &GateReport) -> u8 {
    let blind = |row: &GateRow| matches!(row.state, GateState::CouldNotLook | GateState::NotDone);
    match report.verdict {
        GateVerdict::Passed => CLEAN,
        GateVerdict::Failed if report.rows.iter().all(blind) => UNREACHABLE,
        _ => FINDINGS,
    }
}

pub(crate) fn of_drift(status: ReconcileStatus) -> u8 {
    match status {
        ReconcileStatus::Active => CLEAN,
        ReconcileStatus::Degraded => FINDINGS,
        ReconcileStatus::Drifted => DRIFT,
    }
}

fn of_verdict(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Ok | Verdict::Waived => CLEAN,
        Verdict::Unreachable => UNREACHABLE,
        Verdict::Warn | Verdict::Fail | Verdict::Unknown | Verdict::NotJudged => FINDINGS,
    }
}

fn of_batch(status: BatchStatus) -> u8 {
    match status {
        BatchStatus::Succeeded | BatchStatus::RolledBack => CLEAN,
        BatchStatus::PartiallySucceeded | BatchStatus::Failed => FINDINGS,
        // Stopped by a person or by the world: the work is not done.
        BatchStatus::Running | BatchStatus::Interrupted => TOOL,
    }
}

/// Prints a failure on standard error and gives its exit code.
pub fn refuse(failure: &Failure, json: bool) -> u8 {
    crate::output::failure(failure, json);
    failure.kind.exit_code()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_and_status_has_its_code() {
        assert_eq!(
            Verdict::ALL.map(of_verdict),
            Verdict::ALL.map(|verdict| match verdict.as_str() {
                "ok" | "waived" => 0,
                "unreachable" => 4,
                _ => 1,
            })
        );
        let codes: Vec<(&str, u8)> = BatchStatus::ALL
            .iter()
            .map(|status| (status.as_str(), of_batch(*status)))
            .collect();
        assert_eq!(
            codes,
            [
                ("running", 3),
                ("succeeded", 0),
                ("partially_succeeded", 1),
                ("failed", 1),
                ("interrupted", 3),
                ("rolled_back", 0)
            ]
        );
    }
}
