//! The switchboard: sets and clears faults, one at a time, and makes everything agree with them
//! before it returns.

use crate::error::LabError;
use crate::faults::{Fault, FaultBoard, FaultRow};
use crate::machine::Machine;
use std::sync::{Arc, Mutex, PoisonError};

/// Something beyond the machines that a fault changes.
pub(crate) type Effect = Arc<dyn Fn(Fault, bool) + Send + Sync>;

/// Switches faults; cloning shares it.
#[derive(Clone)]
pub(crate) struct Switchboard {
    board: FaultBoard,
    machines: Vec<Arc<Machine>>,
    effect: Effect,
    turn: Arc<Mutex<()>>,
}

impl Switchboard {
    pub(crate) fn new(board: FaultBoard, machines: Vec<Arc<Machine>>, effect: Effect) -> Self {
        Self {
            board,
            machines,
            effect,
            turn: Arc::default(),
        }
    }

    /// Every fault and whether it is on.
    pub(crate) fn rows(&self) -> Vec<FaultRow> {
        self.board.rows()
    }

    /// Sets or clears; doing it twice is doing it once.
    pub(crate) fn switch(&self, name: &str, on: bool) -> Result<(), LabError> {
        let fault = Fault::parse(name)?;
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.board.switch(fault, on) {
            (self.effect)(fault, on);
            for machine in &self.machines {
                machine.forget_hands(fault);
                machine.tell(fault, on);
                machine.settle();
            }
        }
        drop(turn);
        Ok(())
    }
}
