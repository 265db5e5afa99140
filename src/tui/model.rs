//! Everything the screen knows. Changed by `update` only; drawing reads it.

use crate::dialogs::Dialog;
use crate::keymap::Keymap;
use crate::logs::Logs;
use crate::msg::Ticket;
use crate::plan::Plan;
use crate::setup::Setup;
use crate::theme::{Role, Theme};
use crate::trail::Trail;
use crate::words::{Lang, filled, keyed};
use cockpit_domain::ids::{BatchId, HostId, JobId, PackId, PlanId, RunId};
use cockpit_domain::pool::{Pairing, Pool};
use cockpit_domain::runbook::Run;
use cockpit_domain::siblings::Comparison;
use cockpit_engine::baseline::Histories;
use cockpit_engine::batches::BatchDetail;
use cockpit_engine::board::{Board, Known};
use cockpit_engine::command::Answer;
use cockpit_engine::doctor::Diagnosis;
use cockpit_engine::failure::{Failure, Outcome};
use cockpit_engine::gate::GateReport;
use cockpit_engine::pool::Resources;
use cockpit_engine::ports::{AuditRow, FaultState};
use cockpit_engine::reconcile::{Looked, Paused};
use cockpit_engine::runbook::{Book, BookRow};
use cockpit_engine::stacks::{StackLook, StackSeen};
use cockpit_engine::supervisor::Snapshot;
use cockpit_engine::triage::Triage;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tui_input::Input;

/// What a ticket asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A look that goes to the board.
    Look,
    /// A plan, to be opened when it is read.
    Plan,
    /// The accounts of a host.
    Pool(HostId),
    /// To apply a plan.
    Apply(PlanId),
    /// The history of a check.
    History(PackId, String),
    /// A batch page.
    Detail(BatchId),
    /// To go on with a batch.
    Resume(BatchId),
    /// A new look at a batch's access.
    Access(BatchId),
    /// The split of a path.
    Split,
    /// Two beside each other.
    Diff(String, String),
    /// A drafted baseline, for this file.
    Draft(String),
    /// Every pack on every host.
    Matrix,
    /// The deploy gate.
    Gate,
    /// The register of stacks.
    Stacks,
    /// A look at one stack.
    Stack(HostId),
    /// To register a stack.
    Register,
    /// What batches hold of a provider on a host.
    Resources(HostId, PackId),
    /// The runbooks at hand.
    Books,
    /// One runbook.
    Book(String),
    /// The runs of runbooks.
    Runs,
    /// One run, read again.
    RunRead(RunId),
    /// A word said to a run, or a run that begins.
    Walk(Option<RunId>),
    /// To go on with a run.
    GoOn(RunId),
    /// The doctor.
    Doctor,
    /// Where to look first.
    Triage,
    /// Something to be read in front of the page.
    Told,
    /// A look at a host that is watched for drift.
    Watch(HostId),
    /// Keys out of a file, for the import form.
    Keys,
}

/// A message in the line of running work, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toast {
    /// What it says.
    pub text: String,
    /// What it means.
    pub role: Role,
    /// UTC ms until when it is shown.
    pub until_ms: i64,
}

/// An act that was begun from a plan, and what it came to.
#[derive(Debug)]
pub(crate) struct Act {
    /// Its job, once started.
    pub job: Option<JobId>,
    /// What it came to, once it ended.
    pub result: Option<Outcome<Answer>>,
}

/// The accounts of a host.
#[derive(Debug, Default)]
pub(crate) struct PoolSeen {
    /// The last look that was made.
    pub look: Option<Known<Vec<Pool>>>,
    /// Why the newest one came to nothing.
    pub trouble: Option<Failure>,
}

/// Temporary stacks.
#[derive(Debug, Default)]
pub(crate) struct StacksSeen {
    /// The register, as it was read last.
    pub list: Option<Known<Vec<StackSeen>>>,
    /// Why reading it came to nothing.
    pub trouble: Option<Failure>,
    /// Those that were looked at.
    pub looks: BTreeMap<HostId, Known<StackLook>>,
}

/// Where to look first.
#[derive(Debug, Default)]
pub(crate) struct TriageSeen {
    /// The last answer.
    pub look: Option<Known<Triage>>,
    /// Why the newest question came to nothing.
    pub trouble: Option<Failure>,
}

/// A host that is watched for drift.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// UTC ms since when.
    pub since_ms: i64,
    /// The last look that was made.
    pub last: Option<Looked>,
    /// Whether the newest one came to nothing.
    pub failed: bool,
    /// The rollback that paused it.
    pub paused: Option<Paused>,
}

/// Everything the screen knows.
#[derive(Debug)]
pub(crate) struct Model {
    /// Told once.
    pub setup: Setup,
    /// Language in force.
    pub lang: Lang,
    /// Theme in force.
    pub theme: Theme,
    /// Keys in force.
    pub keymap: Keymap,
    /// UTC ms of the message in work: the only clock there is.
    pub now_ms: i64,
    /// Size of the terminal.
    pub size: (u16, u16),
    /// What the engine shows.
    pub snapshot: Arc<Snapshot>,
    /// What is drawn instead while the picture is frozen.
    pub frozen: Option<Arc<Snapshot>>,
    /// Whether the page has the whole width.
    pub zoomed: bool,
    /// Where the person is.
    pub trail: Trail,
    /// The import form while its plan is made: it comes back with what was found.
    pub form: Option<crate::dialogs::ImportForm>,
    /// What is open in front of the page.
    pub dialog: Option<Dialog>,
    /// The filter while it is typed.
    pub filter_input: Option<Input>,
    /// The host that loses its window by the arming in work, and the one that gets one.
    pub rearmed: Option<(HostId, HostId)>,
    /// A short message.
    pub toast: Option<Toast>,
    /// Plans read in this session.
    pub plans: BTreeMap<PlanId, Plan>,
    /// What jobs of this session planned.
    pub planned: BTreeMap<JobId, PlanId>,
    /// Acts of this session by the plan they apply.
    pub acts: BTreeMap<PlanId, Act>,
    /// Batch pages that were read, with the count of store changes they were read at.
    pub details: BTreeMap<BatchId, (u64, BatchDetail)>,
    /// What checks came to over time, as far as it was asked for.
    pub histories: BTreeMap<(PackId, String), Histories>,
    /// Headings whose rows are folded away.
    pub folded: BTreeSet<String>,
    /// Siblings that were held against each other.
    pub diffs: BTreeMap<(String, String), Known<Comparison>>,
    /// Accounts of hosts, as they were looked at in this session.
    pub pools: BTreeMap<HostId, PoolSeen>,
    /// Hosts that are watched for drift, from when a person says so until the screen ends.
    pub watches: BTreeMap<HostId, Watch>,
    /// Every pack on every host.
    pub matrix: Option<Known<Vec<Pairing>>>,
    /// One side of the deploy gate, as it was looked at last.
    pub gate: Option<Known<GateReport>>,
    /// Temporary stacks.
    pub stacks: StacksSeen,
    /// The form of a stack while it is registered.
    pub stack_form: Option<Box<crate::dialogs::StackForm>>,
    /// What batches hold of a provider on a host, as it was looked at in this session.
    pub resources: BTreeMap<(HostId, PackId), Known<Outcome<Resources>>>,
    /// Where to look first.
    pub triage: TriageSeen,
    /// The runbooks at hand.
    pub books: Option<Vec<BookRow>>,
    /// Runbooks that were read, by `PACK/NAME`.
    pub read_books: BTreeMap<String, Book>,
    /// Runs, with the count of store changes they were read at.
    pub runs: BTreeMap<RunId, (u64, Run)>,
    /// What the doctor found.
    pub doctor: Option<Known<Vec<Diagnosis>>>,
    /// Newest rows of the audit.
    pub audit: Vec<AuditRow>,
    /// Lines of the logs.
    pub logs: Logs,
    /// Faults of the lab.
    pub faults: Vec<FaultState>,
    /// What tickets asked for.
    pub asked: BTreeMap<Ticket, Asked>,
    /// Jobs of tickets that are being worked on.
    pub working: BTreeMap<Ticket, JobId>,
    /// The next ticket.
    pub next_ticket: Ticket,
    /// Lines typed on the command line, newest last.
    pub typed: Vec<String>,
    /// Text filtered for last, recalled by an empty filter.
    pub last_filter: String,
    /// UTC ms when the next round of looks is due; 0 is at once.
    pub next_round: Rounds,
    /// UTC ms of the last Ctrl-C that stopped nothing.
    pub ctrl_c_ms: Option<i64>,
    /// Set when the program is to end as soon as the step in flight is through.
    pub closing: bool,
    /// Counts frames of the mark that says that work goes on.
    pub beat: u8,
}

/// When the next looks are due, UTC ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rounds {
    /// Baselines.
    pub baseline_ms: i64,
    /// Hosts and machines.
    pub hosts_ms: i64,
    /// As soon as the faults were told anew: one was switched.
    pub with_faults: bool,
}

impl Model {
    /// The snapshot that is drawn.
    pub(crate) fn seen(&self) -> &Snapshot {
        self.frozen.as_ref().unwrap_or(&self.snapshot)
    }

    /// What is known of the fleet, as it is drawn.
    pub(crate) fn board(&self) -> &Board {
        &self.seen().board
    }

    /// Whether writes to a host are allowed now.
    pub(crate) fn is_armed(&self, host: &HostId) -> bool {
        self.armed()
            .is_some_and(|(armed, until)| armed == host && until > self.now_ms)
    }

    /// The host that is armed, and until when.
    pub(crate) fn armed(&self) -> Option<(&HostId, i64)> {
        self.snapshot
            .armed
            .as_ref()
            .map(|armed| (&armed.host, armed.until_ms))
            .filter(|(_, until)| *until > self.now_ms)
    }

    /// A job that writes and is still at work.
    pub(crate) fn writing(&self) -> Option<JobId> {
        self.snapshot
            .jobs
            .iter()
            .find(|job| job.writes && job.is_live())
            .map(|job| job.id)
    }

    /// A fresh ticket for a question.
    pub(crate) fn ticket(&mut self, asked: Asked) -> Ticket {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.asked.insert(ticket, asked);
        ticket
    }

    /// Whether such a question is out.
    pub(crate) fn is_asked(&self, asked: &Asked) -> bool {
        self.asked.values().any(|other| other == asked)
    }

    /// Says something for a while.
    pub(crate) fn tell(&mut self, text: impl Into<String>, role: Role) {
        self.toast = Some(Toast {
            text: text.into(),
            role,
            // Long enough to be read, also on a slow line.
            until_ms: self.now_ms + 6_000,
        });
    }

    /// The words of a key in the language in force, with the keys in force.
    pub(crate) fn say(&self, key: &str) -> String {
        keyed(&self.lang.say(key), &self.keymap)
    }

    /// The same with `%{name}` filled in.
    pub(crate) fn fill(&self, key: &str, args: &[(&str, &str)]) -> String {
        filled(&self.say(key), args)
    }
}
