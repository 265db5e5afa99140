//! When a check is looked at, how long what it found stands, and what may spare it: the part of a
//! check that is the same for every kind of look.

use super::looks::Look;
use crate::finding::{Finding, Source};
use crate::ids::MachineId;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use toml::Spanned;

/// Seconds a result stands when the pack says nothing.
const FRESH: u64 = 15 * 60;
/// A day and a week, the bounds of what may be asked for.
const DAY: u64 = 24 * 3600;
const WEEK: u64 = 7 * DAY;
/// Most looks that a threshold may count.
const MOST_LOOKS: u32 = 100;
/// Most bytes of one answer that are read.
const MOST_BYTES: usize = 64 << 20;

/// When a check is looked at, how long a result stands, and what may spare it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pace {
    /// Rounds look again only after this long; a run that a person asks for always looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_s: Option<u64>,
    /// A result older than this says nothing about now.
    pub fresh_for_s: u64,
    /// How long it must be wrong before it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasting: Option<Lasting>,
    /// What may have been started a moment ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<Grace>,
    /// Most bytes of an answer that are read; each kind has its own where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte_limit: Option<usize>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            every_s: None,
            fresh_for_s: FRESH,
            lasting: None,
            grace: None,
            byte_limit: None,
        }
    }
}

/// How long a check must be wrong before it fails; until then it warns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lasting {
    /// So many seconds.
    Seconds(u64),
    /// So many looks, one after another.
    Looks(u32),
}

/// What has just been started is warming up, not broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grace {
    /// For so long after its start.
    pub seconds: u64,
    /// The container that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Or the process: a pattern of its command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// The machine it runs on, where the check does not look from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
}

/// The same as it is written in a check.
#[derive(Debug, Default)]
pub(super) struct RawPace {
    pub(super) every_s: Option<Spanned<u64>>,
    pub(super) fresh_for_s: Option<Spanned<u64>>,
    pub(super) for_s: Option<Spanned<u64>>,
    pub(super) for_looks: Option<Spanned<u32>>,
    pub(super) grace: Option<Spanned<Grace>>,
    pub(super) byte_limit: Option<Spanned<usize>>,
}

impl RawPace {
    /// Names every fault.
    pub(super) fn rules(
        &self,
        source: Source<'_>,
        look: &Look,
        on_machine: bool,
        findings: &mut Vec<Finding>,
    ) {
        let mut fault = |span: Range<usize>, message: &str, hint: String| {
            findings.push(source.at(span, message, hint));
        };
        let out = |value: &Option<Spanned<u64>>, most: u64| {
            let value = value.as_ref()?;
            (!(1..=most).contains(value.get_ref())).then(|| value.span())
        };
        if let Some(span) = out(&self.every_s, WEEK) {
            fault(span, "`every_s` is out of range", format!("1 to {WEEK}"));
        }
        if let Some(span) = out(&self.fresh_for_s, WEEK) {
            fault(
                span,
                "`fresh_for_s` is out of range",
                format!("1 to {WEEK}"),
            );
        }
        if let Some(span) = out(&self.for_s, DAY) {
            fault(span, "`for_s` is out of range", format!("1 to {DAY}"));
        }
        if let (Some(fresh), Some(every)) = (&self.fresh_for_s, &self.every_s)
            && fresh.get_ref() < every.get_ref()
        {
            fault(
                fresh.span(),
                "a result is too old before it is looked at again",
                "make `fresh_for_s` no less than `every_s`".to_owned(),
            );
        }
        if let Some(looks) = &self.for_looks {
            if !(2..=MOST_LOOKS).contains(looks.get_ref()) {
                let hint = format!("2 to {MOST_LOOKS}; a check without it fails at once");
                fault(looks.span(), "`for_looks` is out of range", hint);
            }
            if self.for_s.is_some() {
                let hint = "keep `for_s` or `for_looks`".to_owned();
                fault(looks.span(), "this check has two memories", hint);
            }
        }
        let memory = self.for_s.as_ref().map(Spanned::span);
        let memory = memory.or_else(|| self.for_looks.as_ref().map(Spanned::span));
        if let (Some(span), Look::Metrics(_)) = (memory, look) {
            let hint = "put `for_s` into [check.metrics]".to_owned();
            fault(span, "a metric has its own memory", hint);
        }
        if let Some(bytes) = &self.byte_limit
            && !(1024..=MOST_BYTES).contains(bytes.get_ref())
        {
            let hint = format!("1024 to {MOST_BYTES}");
            fault(bytes.span(), "`byte_limit` is out of range", hint);
        }
        if let Some(grace) = &self.grace {
            let span = grace.span();
            for (message, hint) in grace.get_ref().faults(on_machine) {
                fault(span.clone(), &message, hint);
            }
        }
    }

    /// What it says, once the rules have accepted it.
    pub(super) fn into_pace(self) -> Pace {
        let lasting = match (self.for_s, self.for_looks) {
            (Some(seconds), _) => Some(Lasting::Seconds(seconds.into_inner())),
            (None, Some(looks)) => Some(Lasting::Looks(looks.into_inner())),
            (None, None) => None,
        };
        let every_s = self.every_s.map(Spanned::into_inner);
        // What is looked at seldom stands until its next look was missed once.
        let usual = FRESH.max(every_s.unwrap_or(0).saturating_mul(2));
        Pace {
            every_s,
            fresh_for_s: self.fresh_for_s.map_or(usual, Spanned::into_inner),
            lasting,
            grace: self.grace.map(Spanned::into_inner),
            byte_limit: self.byte_limit.map(Spanned::into_inner),
        }
    }
}

impl Grace {
    /// The machine of its own that it names.
    pub fn machine(&self) -> Option<MachineId> {
        self.machine
            .as_deref()
            .and_then(|name| MachineId::new(name).ok())
    }

    fn faults(&self, on_machine: bool) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |message: &str, hint: &str| {
            faults.push((message.to_owned(), hint.to_owned()));
        };
        if !(1..=3600).contains(&self.seconds) {
            fault("`seconds` of `grace` is out of range", "1 to 3600");
        }
        match (&self.container, &self.process) {
            (Some(name), None) | (None, Some(name)) if name.trim().is_empty() || name == "*" => {
                fault(
                    "`grace` names nothing that is started",
                    "a container's name, or a pattern of a command line",
                );
            }
            (Some(_), None) | (None, Some(_)) => {}
            _ => fault(
                "`grace` must name one thing that is started",
                "add `container` or `process`",
            ),
        }
        match &self.machine {
            Some(name) if MachineId::new(name.as_str()).is_err() => {
                fault(
                    "`machine` of `grace` is no name of a machine",
                    "as in [machine.NAME]",
                );
            }
            None if !on_machine => fault(
                "`grace` does not say on which machine",
                "add `machine = \"NAME\"`",
            ),
            _ => {}
        }
        faults
    }
}
