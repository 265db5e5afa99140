//! Beginning a board from the store, and bringing it up to date when the store changed.

use super::learn::TroubleSubject;
use super::{BatchSeen, Board, Known, LeaseState};
use crate::ports::{KeptResult, Remembered, ResultKind};
use cockpit_domain::batch::{Batch, BatchStatus};
use serde::de::DeserializeOwned;

impl Board {
    /// Takes in what the store remembers. What is known already and newer stays. Returns whether
    /// the board changed.
    pub fn remember(&mut self, remembered: Remembered) -> bool {
        let mut changed = self.see_waivers(remembered.waivers);
        for (kind, subject, result) in remembered.results {
            changed |= self.remember_result(kind, &subject, result);
        }
        let ours = |batch: &Batch| {
            remembered.leases.iter().any(|lease| {
                !lease.foreign
                    && lease.state == LeaseState::Held
                    && lease.host == batch.host
                    && lease.provider == batch.provider
            })
        };
        let batches: Vec<BatchSeen> = remembered
            .batches
            .into_iter()
            .map(|(batch, tally)| BatchSeen {
                foreign: batch.batch_status == BatchStatus::Running && !ours(&batch),
                batch,
                tally,
            })
            .collect();
        changed |= self.batches != batches || self.leases != remembered.leases;
        self.batches = batches;
        self.leases = remembered.leases;
        changed
    }

    fn remember_result(&mut self, kind: ResultKind, subject: &str, result: KeptResult) -> bool {
        let at_ms = result.at_ms;
        match kind {
            ResultKind::Baseline => {
                read(kind, result).is_some_and(|report| self.see_baseline(at_ms, report))
            }
            ResultKind::Host => read(kind, result).is_some_and(|probe| self.see_host(at_ms, probe)),
            ResultKind::Machine => {
                read(kind, result).is_some_and(|look| self.see_machine(at_ms, &look))
            }
            ResultKind::Probe => {
                read(kind, result).is_some_and(|rows| self.see_probes(at_ms, subject, rows))
            }
            ResultKind::Trouble => {
                let value = read(kind, result);
                let subject = TroubleSubject::parse(subject);
                subject.zip(value).is_some_and(|(subject, value)| {
                    self.see_trouble(&subject, &Known { at_ms, value })
                })
            }
            ResultKind::Drift => read(kind, result).is_some_and(|seen| self.see_drift(at_ms, seen)),
            ResultKind::Reconcile
            | ResultKind::Access
            | ResultKind::Recover
            | ResultKind::Gate
            | ResultKind::Sample => false,
        }
    }
}

/// A result of an older cockpit may lack what this one wants: then it is not known.
fn read<T: DeserializeOwned>(kind: ResultKind, result: KeptResult) -> Option<T> {
    serde_json::from_value(result.body)
        .inspect_err(|error| tracing::info!(%error, ?kind, "a kept result is not read back"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::super::{MachineLook, MachineState};
    use super::*;
    use cockpit_domain::ids::MachineId;

    fn machine() -> MachineId {
        MachineId::new("web1").unwrap()
    }

    fn look(round_trip_ms: u64) -> MachineLook {
        MachineLook {
            machine: machine(),
            state: MachineState {
                round_trip_ms,
                system: "Linux".to_owned(),
                reconnects: 0,
            },
        }
    }

    fn kept(at_ms: i64, body: serde_json::Value) -> (ResultKind, String, KeptResult) {
        let subject = machine().to_string();
        (ResultKind::Machine, subject, KeptResult { at_ms, body })
    }

    fn remembered(results: Vec<(ResultKind, String, KeptResult)>) -> Remembered {
        Remembered {
            results,
            ..Remembered::default()
        }
    }

    #[test]
    fn a_newer_result_of_the_store_replaces_what_is_known_and_an_older_one_does_not() {
        let mut board = Board::default();
        let body = |ms| serde_json::to_value(look(ms)).unwrap();
        assert!(board.remember(remembered(vec![kept(10, body(5))])));
        assert!(!board.remember(remembered(vec![kept(9, body(6))])));
        assert!(!board.remember(remembered(vec![kept(10, body(5))])));
        assert!(board.remember(remembered(vec![kept(11, body(7))])));
        let check = board.machines[&machine()].check.as_ref().unwrap();
        assert_eq!((check.at_ms, check.value.round_trip_ms), (11, 7));
    }

    #[test]
    fn a_result_that_cannot_be_read_is_not_known_and_hides_nothing_else() {
        let mut board = Board::default();
        let good = serde_json::to_value(look(5)).unwrap();
        let results = vec![kept(10, serde_json::json!({"old": 1})), kept(9, good)];
        assert!(board.remember(remembered(results)));
        let check = board.machines[&machine()].check.as_ref().unwrap();
        assert_eq!(check.at_ms, 9);
    }
}
