//! The one table of actions. Keys, help, palette, bottom bar and the README's key list come from
//! it; words for people stand in the catalogues under `action.<name>`.

/// Where an action has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// On every page.
    Everywhere,
    /// On the baseline pane and on a check.
    Checks,
    /// On the hosts pane.
    Hosts,
    /// On the accounts of a host and on one of them.
    Pool,
    /// On the probes pane and on a probe.
    Probes,
    /// On the batches pane and on a batch.
    Batches,
    /// On the deploy gate.
    Gate,
    /// On temporary stacks.
    Stacks,
    /// On what to look at first, and on a finding.
    Triage,
    /// On two that stand beside each other.
    Siblings,
    /// On a plan.
    Plan,
    /// On the log pane.
    Log,
    /// On the jobs pane.
    Jobs,
    /// On the runbooks and on one of them.
    Runbooks,
    /// On a run of a runbook.
    Run,
}

impl Scope {
    /// Every scope, in the order of the key list.
    pub const ALL: [Self; 15] = [
        Self::Everywhere,
        Self::Checks,
        Self::Hosts,
        Self::Pool,
        Self::Probes,
        Self::Batches,
        Self::Gate,
        Self::Stacks,
        Self::Triage,
        Self::Siblings,
        Self::Plan,
        Self::Log,
        Self::Jobs,
        Self::Runbooks,
        Self::Run,
    ];

    /// Key of its heading in the catalogues.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Checks => "checks",
            Self::Hosts => "hosts",
            Self::Pool => "pool",
            Self::Probes => "probes",
            Self::Batches => "batches",
            Self::Gate => "gate",
            Self::Stacks => "stacks",
            Self::Triage => "triage",
            Self::Siblings => "siblings",
            Self::Plan => "plan",
            Self::Log => "log",
            Self::Jobs => "jobs",
            Self::Runbooks => "runbooks",
            Self::Run => "run",
        }
    }
}

/// What an action may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Danger {
    /// Shows something.
    Look,
    /// Asks far ends without changing them; a probe may spend tokens.
    Ask,
    /// Makes a plan; changes nothing.
    Plan,
    /// Leads to a write, behind arming and confirmation.
    Write,
}

/// A word that an action takes on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg {
    /// A host of the config.
    Host,
    /// A provider pack.
    Provider,
    /// A temporary stack.
    Stack,
    /// A batch.
    Batch,
    /// An account of a host, as its pool lists it.
    Account,
    /// Where a key is kept: `env:NAME` or `file:PATH`.
    Reference,
    /// A machine of the config.
    Machine,
    /// A check of a baseline.
    Check,
    /// How long, such as `10m`.
    Duration,
    /// A log source, or a host or machine that has some.
    Source,
    /// A fault of the lab.
    Fault,
    /// A theme.
    Theme,
    /// A language.
    Language,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct ActionRow {
    /// The action.
    pub action: Action,
    /// Its name in palette, config and catalogues.
    pub name: &'static str,
    /// Its keys, if the user says nothing else.
    pub keys: &'static [&'static str],
    /// Where it has a meaning.
    pub scope: Scope,
    /// What it may lead to.
    pub danger: Danger,
    /// What it takes on the command line; every one may be left away where the selection says it.
    pub args: &'static [Arg],
    /// Its place in the bottom bar: 1 comes first, 0 is not shown there.
    pub bar: u8,
}

macro_rules! actions {
    ($($action:ident $name:literal [$($key:literal),*] $scope:ident $danger:ident [$($arg:ident),*] $bar:literal;)+) => {
        /// What a person can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the catalogues say what each does")]
        pub enum Action { $($action),+ }

        /// Every action, in the order of the key list.
        pub const ACTIONS: &[ActionRow] = &[$(ActionRow {
            action: Action::$action,
            name: $name,
            keys: &[$($key),*],
            scope: Scope::$scope,
            danger: Danger::$danger,
            args: &[$(Arg::$arg),*],
            bar: $bar,
        }),+];
    };
}

actions! {
    Down "down" ["j", "down"] Everywhere Look [] 0;
    Up "up" ["k", "up"] Everywhere Look [] 0;
    Left "left" ["h", "left"] Everywhere Look [] 0;
    Right "right" ["l", "right"] Everywhere Look [] 0;
    Top "top" ["g", "home"] Everywhere Look [] 0;
    Bottom "bottom" ["G", "end"] Everywhere Look [] 0;
    HalfDown "half-down" ["ctrl-d"] Everywhere Look [] 0;
    HalfUp "half-up" ["ctrl-u"] Everywhere Look [] 0;
    PageDown "page-down" ["pgdn"] Everywhere Look [] 0;
    PageUp "page-up" ["pgup"] Everywhere Look [] 0;
    Open "open" ["enter"] Everywhere Look [] 1;
    Back "back" ["esc", "backspace"] Everywhere Look [] 0;
    NextPane "next-pane" ["tab"] Everywhere Look [] 0;
    PreviousPane "previous-pane" ["shift-tab"] Everywhere Look [] 0;
    Baseline "baseline" ["1"] Everywhere Look [] 0;
    Hosts "hosts" ["2"] Everywhere Look [] 0;
    Batches "batches" ["3"] Everywhere Look [] 0;
    Probes "probes" ["4"] Everywhere Look [] 0;
    Log "log" ["5"] Everywhere Look [] 0;
    Jobs "jobs" ["6", "J"] Everywhere Look [] 0;
    Activity "activity" ["7", "A"] Everywhere Look [] 0;
    HistoryBack "history-back" ["["] Everywhere Look [] 0;
    HistoryForward "history-forward" ["]"] Everywhere Look [] 0;
    LastView "last-view" ["-"] Everywhere Look [] 0;
    Filter "filter" ["/"] Everywhere Look [] 5;
    NextMatch "next-match" ["n"] Everywhere Look [] 0;
    PreviousMatch "previous-match" ["N"] Everywhere Look [] 0;
    NextBroken "next-broken" ["e"] Everywhere Look [] 0;
    PreviousBroken "previous-broken" ["E"] Everywhere Look [] 0;
    OnlyBroken "only-broken" ["!"] Everywhere Look [] 6;
    Palette "palette" [":"] Everywhere Look [] 7;
    Help "help" ["?"] Everywhere Look [] 8;
    Menu "menu" ["x"] Everywhere Look [] 4;
    Copy "copy" ["y"] Everywhere Look [] 0;
    CopyRow "copy-row" ["Y"] Everywhere Look [] 0;
    LogOf "log-of" ["L"] Everywhere Look [Source] 0;
    Zoom "zoom" ["z"] Everywhere Look [] 0;
    Freeze "freeze" ["f"] Everywhere Look [] 0;
    Refresh "refresh" ["r"] Everywhere Ask [] 3;
    Redraw "redraw" ["ctrl-l"] Everywhere Look [] 0;
    Pool "pool" ["S"] Everywhere Ask [Host] 0;
    Matrix "matrix" ["M"] Everywhere Ask [] 0;
    Resources "resources" [] Everywhere Ask [Host, Provider] 0;
    Doctor "doctor" ["D"] Everywhere Ask [] 0;
    Triage "triage" ["F"] Everywhere Ask [Host] 1;
    ExplainKey "explain-key" ["U"] Everywhere Ask [Host, Reference] 0;
    Runbooks "runbooks" ["O"] Everywhere Ask [] 0;
    RunbookStart "runbook-start" ["a"] Runbooks Ask [] 1;
    RunNext "run-next" ["a"] Run Write [] 1;
    RunSkip "run-skip" ["d"] Run Ask [] 2;
    RunStop "run-stop" ["X"] Run Ask [] 3;
    RunBack "run-back" ["u"] Run Ask [] 0;
    Probe "probe" ["p"] Everywhere Ask [Host, Provider] 0;
    Import "import" ["I"] Everywhere Plan [Host, Provider] 9;
    Reconcile "reconcile" ["R"] Everywhere Plan [Host, Provider] 9;
    Watch "watch" ["W"] Everywhere Ask [Host] 0;
    Drift "drift" ["C"] Everywhere Look [] 0;
    RollBack "rollback" ["B"] Everywhere Plan [Batch] 9;
    AccessPreview "access-preview" [] Everywhere Ask [Host, Provider] 0;
    AccessPrepare "access-prepare" [] Everywhere Plan [Host, Provider] 0;
    LeaseTake "lease-take" [] Everywhere Write [Host, Provider] 0;
    HostAdd "host-add" [] Hosts Ask [] 0;
    HostRemove "host-remove" [] Hosts Ask [Host] 0;
    Gate "gate" ["V"] Everywhere Look [] 0;
    GateBefore "gate-before" ["b"] Gate Ask [] 2;
    GateAfter "gate-after" ["t"] Gate Ask [] 3;
    GateApply "gate-apply" ["a"] Gate Write [] 1;
    Stacks "stacks" ["K"] Everywhere Look [] 0;
    StackShow "stack-show" [] Everywhere Ask [Stack] 0;
    StackRegister "stack-register" ["a"] Stacks Ask [] 1;
    StackClean "stack-clean" ["c"] Stacks Plan [Stack] 2;
    Arm "arm" [] Everywhere Write [Host, Duration] 0;
    Disarm "disarm" [] Everywhere Look [] 0;
    Repair "repair" ["P"] Checks Plan [Check] 2;
    History "history" ["H"] Checks Ask [Check] 9;
    Waive "waive" ["w"] Checks Write [Check] 9;
    ClearWaiver "clear-waiver" [] Checks Write [Check] 0;
    Maintain "maintenance" [] Hosts Write [Host] 0;
    MaintainMachine "machine-window" ["m"] Everywhere Write [Machine] 0;
    Fold "fold" ["space"] Checks Look [] 0;
    NextStep "next-step" ["o"] Triage Plan [] 1;
    Siblings "siblings" ["="] Hosts Ask [Host, Host] 9;
    Draft "draft" ["d"] Siblings Ask [Host] 1;
    Split "split" ["w"] Probes Ask [Host, Provider, Reference] 2;
    Recover "recover" ["t"] Pool Plan [Host, Account] 2;
    Adopt "adopt" ["T"] Hosts Plan [Host, Provider] 3;
    Prune "prune" ["d"] Pool Plan [Host, Provider] 3;
    Resume "resume" ["c"] Batches Write [Batch] 1;
    Retry "retry" ["t"] Batches Plan [Batch] 3;
    RollBackDelete "rollback-delete" [] Batches Plan [Batch] 0;
    AccessStatus "access-status" ["s"] Batches Ask [Batch] 2;
    Pause "pause" ["space"] Log Look [] 2;
    Level "level" ["v"] Log Look [] 3;
    Sources "sources" ["s"] Log Look [] 4;
    Apply "apply" ["a"] Plan Write [] 1;
    StopJob "stop-job" ["ctrl-c"] Everywhere Look [] 0;
    Hold "hold" ["space"] Jobs Look [] 1;
    FaultSet "fault-set" [] Everywhere Ask [Fault] 0;
    FaultClear "fault-clear" [] Everywhere Ask [Fault] 0;
    ThemeSet "theme" [] Everywhere Look [Theme] 0;
    LanguageSet "language" [] Everywhere Look [Language] 0;
    Panic "panic" [] Everywhere Look [] 0;
    Quit "quit" ["q"] Everywhere Look [] 10;
}

impl Action {
    /// Its row.
    pub fn row(self) -> &'static ActionRow {
        // The enum is made from the table: the discriminant is the index.
        &ACTIONS[self as usize]
    }

    /// The action of this name.
    pub fn named(name: &str) -> Option<Self> {
        ACTIONS
            .iter()
            .find(|row| row.name == name)
            .map(|row| row.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_finds_its_own_row_and_its_name() {
        for row in ACTIONS {
            assert_eq!(row.action.row().name, row.name);
            assert_eq!(Action::named(row.name), Some(row.action));
        }
    }
}
