//! What the screen holds of the logs: looks at the lines the engine keeps, how their sources fare,
//! and how a person reads them.

use crate::model::Model;
use crate::place::Place;
use crate::target::{Target, host_looked_at};
use cockpit_domain::log::{Level, LogFilter, SourceId};
use cockpit_engine::logs::{LogView, SourceState, SourceStatus};
use std::collections::BTreeSet;

/// Floors that can be asked for, in the order they are stepped through.
const FLOORS: [Option<Level>; 4] = [
    None,
    Some(Level::Info),
    Some(Level::Warn),
    Some(Level::Error),
];

/// The logs, as they are read here.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    /// Lines of the log pane. Nothing before the engine was asked.
    pub view: Option<LogView>,
    /// Lines beside a row: of what the row is about, from a warning on.
    pub side: Option<LogView>,
    /// Whether the engine was asked to follow them.
    pub asked: bool,
    /// The sources and how they fare.
    pub states: Vec<SourceState>,
    /// No line below it is shown in the pane.
    pub floor: Option<Level>,
    /// Lines had come in all when the person stopped taking new ones.
    pub paused: Option<u64>,
    /// Cells by which lines are moved to the left.
    pub shift: usize,
    /// Number of the first line that came after the person left the end.
    pub left_at: Option<u64>,
}

impl Logs {
    /// Lines that came from all sources since start.
    pub(crate) fn came(&self) -> u64 {
        self.states.iter().map(|state| state.lines).sum()
    }

    /// The next floor.
    pub(crate) fn step_floor(&mut self) {
        let now = FLOORS.iter().position(|floor| *floor == self.floor);
        self.floor = FLOORS[(now.unwrap_or(0) + 1) % FLOORS.len()];
    }

    /// Sources that stopped.
    pub(crate) fn stopped(&self) -> impl Iterator<Item = &SourceState> {
        self.states
            .iter()
            .filter(|state| matches!(state.status, SourceStatus::Stopped { .. }))
    }

    /// The sources of this name: the source itself, or those of a host or a machine.
    pub(crate) fn of(&self, name: &str) -> BTreeSet<SourceId> {
        let states = self.states.iter();
        states
            .map(|state| &state.source)
            .filter(|source| {
                source.id.as_str() == name
                    || source.machine.as_str() == name
                    || source
                        .host
                        .as_ref()
                        .is_some_and(|host| host.as_str() == name)
            })
            .map(|source| source.id.clone())
            .collect()
    }
}

/// What something is about, in a word that names logs: its host, else its machine. A check may fail at
/// whatever stands before the host, so all logs of the machine belong to it.
pub(crate) fn subject(model: &Model, aim: Target) -> Option<String> {
    let is_check = aim.check.is_some();
    let host = host_looked_at(model, aim)?;
    let machine = model.setup.host(&host).map(|host| host.machine.to_string());
    let host = Some(host.to_string());
    let names = if is_check {
        [machine, host]
    } else {
        [host, machine]
    };
    let mut names = names.into_iter().flatten();
    names.find(|name| !model.logs.of(name).is_empty())
}

/// What the pane's look asks for.
pub(crate) fn pane_filter(model: &Model) -> LogFilter {
    let view = model.trail.view();
    let sources = match &view.place {
        Place::LogOf(name) => Some(model.logs.of(name)),
        _ => None,
    };
    let floor = if view.only_broken {
        Some(Level::Warn)
    } else {
        model.logs.floor
    };
    LogFilter {
        text: view.filter.clone(),
        floor,
        sources,
    }
}

/// What the look beside a row asks for; `None` when there is no log of it.
pub(crate) fn side_filter(model: &Model, aim: Target) -> Option<LogFilter> {
    let subject = subject(model, aim)?;
    Some(LogFilter {
        text: String::new(),
        floor: Some(Level::Warn),
        sources: Some(model.logs.of(&subject)),
    })
}
