//! Where a person is: a pane, or a page opened from one. Places are identities, so that they
//! survive a refresh.

use cockpit_domain::ids::{BatchId, HostId, ItemId, JobId, PackId, PlanId, RemoteId, RunId};

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Production baseline: every check, worst first.
    Baseline,
    /// One check of a pack.
    Check(PackId, String),
    /// What one check of a pack came to over time.
    CheckHistory(PackId, String),
    /// Machines and hosts.
    Hosts,
    /// One host.
    Host(HostId),
    /// The accounts of a host: who would be chosen.
    Pool(HostId),
    /// One account of a group.
    Seat(HostId, String, RemoteId),
    /// How what stands on the hosts compares with our records.
    Drift,
    /// The findings of one batch.
    DriftOf(BatchId),
    /// Import batches.
    Batches,
    /// One batch.
    Batch(BatchId),
    /// One key of a batch.
    Item(BatchId, ItemId),
    /// Probe results.
    Probes,
    /// One probe: subject on the board, hop and protocol.
    Probe(String, String),
    /// Lines of every log.
    Log,
    /// Lines of one source, or of those of a host or a machine.
    LogOf(String),
    /// One line, by its number.
    LogLine(u64),
    /// Where lines come from.
    LogSources,
    /// Jobs.
    Jobs,
    /// One job.
    Job(JobId),
    /// What was written, by whom.
    Activity,
    /// One write, counted from the oldest that is known.
    Written(usize),
    /// A plan, read before it is applied.
    Plan(PlanId),
    /// One change of a plan.
    Change(PlanId, usize),
    /// What an act came to.
    Outcome(PlanId),
    /// Two machines, hosts or packs beside each other.
    Siblings(String, String),
    /// Every pack on every host: the last live proof.
    Matrix,
    /// The deploy gate: its steps and what is different.
    Gate,
    /// Temporary stacks.
    Stacks,
    /// One of them.
    Stack(HostId),
    /// What batches hold of a provider on a host, beside what stands there.
    Resources(HostId, PackId),
    /// The runbooks at hand, and their runs.
    Runbooks,
    /// One runbook, as `PACK/NAME`.
    Runbook(String),
    /// One run of a runbook.
    Run(RunId),
    /// One step of it.
    RunStep(RunId, usize),
    /// Every hop to every host.
    Doctor,
    /// Where to look first.
    Triage,
    /// One finding of it.
    Finding(String),
    /// There is no config yet.
    Welcome,
}

impl Place {
    /// The panes, in the order of their number keys.
    pub(crate) const PANES: [Self; 7] = [
        Self::Baseline,
        Self::Hosts,
        Self::Batches,
        Self::Probes,
        Self::Log,
        Self::Jobs,
        Self::Activity,
    ];

    /// Its number among the panes, if it is one.
    pub(crate) fn pane(&self) -> Option<usize> {
        Self::PANES.iter().position(|pane| pane == self)
    }

    /// Its key in the catalogues and its word in the palette.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Check(..) => "check",
            Self::CheckHistory(..) => "check-history",
            Self::Hosts => "hosts",
            Self::Host(_) => "host",
            Self::Pool(_) => "pool",
            Self::Seat(..) => "seat",
            Self::Drift => "drift",
            Self::DriftOf(_) => "drift-of",
            Self::Batches => "batches",
            Self::Batch(_) => "batch",
            Self::Item(..) => "item",
            Self::Probes => "probes",
            Self::Probe(..) => "probe",
            Self::Log => "log",
            Self::LogOf(_) => "log-of",
            Self::LogLine(_) => "log-line",
            Self::LogSources => "log-sources",
            Self::Jobs => "jobs",
            Self::Job(_) => "job",
            Self::Activity => "activity",
            Self::Written(_) => "written",
            Self::Plan(_) => "plan",
            Self::Change(..) => "change",
            Self::Outcome(_) => "outcome",
            Self::Siblings(..) => "siblings",
            Self::Matrix => "matrix",
            Self::Gate => "gate",
            Self::Stacks => "stacks",
            Self::Stack(_) => "stack",
            Self::Resources(..) => "resources",
            Self::Runbooks => "runbooks",
            Self::Runbook(_) => "runbook",
            Self::Run(_) => "run",
            Self::RunStep(..) => "run-step",
            Self::Doctor => "doctor",
            Self::Triage => "triage",
            Self::Finding(_) => "finding",
            Self::Welcome => "welcome",
        }
    }
}
