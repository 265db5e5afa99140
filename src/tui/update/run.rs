//! Carrying out an action, from a key, the palette or the menu: the same way, with the same reasons
//! why it cannot be done now.

use super::moving::{Move, go};
use super::{
    acts, applying, drafting, explaining, lines, looks, reach, rounds, runbooks, stacks, standing,
    triaging, watching,
};
use crate::actions::{Action, Danger};
use crate::dialogs::{self, Dialog};
use crate::model::{Asked, Model};
use crate::msg::Effect;
use crate::place::Place;
use crate::target::{Target, target};
use crate::theme::Role;
use crate::words::Lang;
use cockpit_engine::command::Command;
use cockpit_engine::supervisor::JobState;
use tui_input::Input;

/// Words given on the command line, after the action's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) Vec<String>);

impl Words {
    pub(super) fn get(&self, at: usize) -> Option<&str> {
        self.0.get(at).map(String::as_str)
    }
}

/// Carries an action out, or says why not.
pub(crate) fn run_action(model: &mut Model, action: Action, words: &Words) -> Vec<Effect> {
    if let Some(why) = why_not(model, action) {
        model.tell(why, Role::Warn);
        return Vec::new();
    }
    if let Some((word, choices)) = dialogs::unknown_word(model, action.row(), &words.0) {
        let known = [("word", word.as_str()), ("choices", choices.as_str())];
        model.tell(model.fill("why.unknown-word", &known), Role::Warn);
        return Vec::new();
    }
    // Moving asks nobody what is pointed at.
    let aim = match action.row().danger {
        Danger::Look if action != Action::StopJob => Target::default(),
        _ => target(model),
    };
    match action {
        Action::Down => moved(model, Move::Lines(1)),
        Action::Up => moved(model, Move::Lines(-1)),
        Action::HalfDown => moved(model, Move::HalfPages(1)),
        Action::HalfUp => moved(model, Move::HalfPages(-1)),
        Action::PageDown => moved(model, Move::Pages(1)),
        Action::PageUp => moved(model, Move::Pages(-1)),
        Action::Top => moved(model, Move::Top),
        Action::Bottom => moved(model, Move::Bottom),
        Action::NextBroken | Action::NextMatch => {
            let broken = action == Action::NextBroken;
            moved(
                model,
                if broken {
                    Move::Broken(true)
                } else {
                    Move::Lines(1)
                },
            )
        }
        Action::PreviousBroken | Action::PreviousMatch => {
            let broken = action == Action::PreviousBroken;
            moved(
                model,
                if broken {
                    Move::Broken(false)
                } else {
                    Move::Lines(-1)
                },
            )
        }
        Action::Left | Action::Right if lines::is_log(&model.trail.view().place) => {
            quiet(model, |model| {
                lines::sideways(model, action == Action::Right);
            })
        }
        Action::Left | Action::Right => section(model, action == Action::Right),
        Action::Open => open_selected(model),
        Action::Back => back(model),
        Action::NextPane => pane(model, model.trail.pane() + 1),
        Action::PreviousPane => pane(model, model.trail.pane() + Place::PANES.len() - 1),
        Action::Baseline => open(model, Place::Baseline),
        Action::Hosts => open(model, Place::Hosts),
        Action::Batches => open(model, Place::Batches),
        Action::Drift => open(model, Place::Drift),
        Action::Probes => open(model, Place::Probes),
        Action::Log => open(model, Place::Log),
        Action::LogOf => lines::open_of(model, words),
        Action::Pause => lines::pause(model),
        Action::Level => quiet(model, |model| model.logs.step_floor()),
        Action::Sources => open(model, Place::LogSources),
        Action::Jobs => open(model, Place::Jobs),
        Action::Activity => open(model, Place::Activity),
        Action::HistoryBack => quiet(model, |model| model.trail.history_back()),
        Action::HistoryForward => quiet(model, |model| model.trail.history_forward()),
        Action::LastView => quiet(model, |model| model.trail.flip()),
        Action::Filter => quiet(model, |model| {
            model.filter_input = Some(Input::new(model.trail.view().filter.clone()));
        }),
        Action::OnlyBroken => quiet(model, |model| {
            let view = model.trail.view_mut();
            view.only_broken = !view.only_broken;
        }),
        Action::Palette => {
            model.dialog = Some(dialogs::palette(model, ""));
            // The names of faults may be asked for.
            if model.setup.lab {
                vec![Effect::ReadFaults]
            } else {
                Vec::new()
            }
        }
        Action::Help => quiet(model, |model| model.dialog = Some(dialogs::help(model))),
        Action::Menu => quiet(model, |model| model.dialog = Some(dialogs::menu(model))),
        Action::Copy | Action::CopyRow => copy(model, action == Action::CopyRow),
        Action::Zoom => quiet(model, |model| model.zoomed = !model.zoomed),
        Action::Freeze => quiet(model, |model| {
            model.frozen = match model.frozen {
                Some(_) => None,
                None => Some(model.snapshot.clone()),
            };
        }),
        Action::Refresh => refresh(model),
        Action::Redraw => vec![Effect::Redraw],
        Action::Matrix => {
            model.trail.open(Place::Matrix);
            ask(model, Asked::Matrix, Command::ProviderList)
        }
        Action::Resources => looks::resources(model, &aim, words),
        Action::Doctor => {
            model.trail.open(Place::Doctor);
            ask(model, Asked::Doctor, Command::Doctor)
        }
        Action::Triage => triaging::look_first(model, &aim, words),
        Action::NextStep => triaging::next_step(model),
        Action::ExplainKey => explaining::explain(model, &aim, words),
        Action::Runbooks => runbooks::open(model),
        Action::RunbookStart => runbooks::start(model, words),
        Action::RunNext => runbooks::next(model),
        Action::RunSkip => runbooks::skip(model),
        Action::RunStop => runbooks::stop(model),
        Action::RunBack => runbooks::back(model),
        Action::Pool => looks::pool(model, &aim, words),
        Action::Probe => looks::probe(model, &aim, words),
        Action::Import => acts::import(model, &aim, words),
        Action::Reconcile => acts::reconcile(model, &aim, words),
        Action::Watch => watching::switch(model, &aim, words),
        Action::RollBack | Action::RollBackDelete => acts::roll_back(model, action, &aim, words),
        Action::Split => looks::split(model, &aim, words),
        Action::Recover => acts::recover(model, &aim, words),
        Action::Adopt => acts::adopt(model, &aim, words),
        Action::Prune => acts::prune(model, &aim, words),
        Action::Repair => acts::repair(model, &aim, words),
        Action::History => standing::history(model, &aim, words),
        Action::Siblings => standing::siblings(model, &aim, words),
        Action::Draft => drafting::draft(model, &aim, words),
        Action::Waive => standing::waive(model, &aim, words),
        Action::ClearWaiver => standing::clear(model, &aim, words),
        Action::Maintain => standing::maintain(model, &aim, words),
        Action::MaintainMachine => standing::maintain_machine(model, &aim, words),
        Action::Fold => standing::fold(model),
        Action::AccessPreview => reach::preview(model, &aim, words),
        Action::AccessPrepare => reach::prepare(model, &aim, words),
        Action::LeaseTake => reach::take_lease(model, &aim, words),
        Action::HostAdd => reach::add_host(model, words),
        Action::HostRemove => reach::remove_host(model, &aim, words),
        Action::Gate => stacks::gate(model),
        Action::GateBefore | Action::GateAfter => stacks::gate_side(model, action),
        Action::GateApply => stacks::gate_apply(model),
        Action::Stacks => stacks::stacks(model),
        Action::StackShow => stacks::show(model, &aim, words),
        Action::StackRegister => stacks::register(model),
        Action::StackClean => stacks::clean(model, &aim, words),
        Action::Arm => applying::arm(model, &aim, words),
        Action::Disarm => vec![Effect::Disarm],
        Action::Retry => acts::retry(model, &aim, words),
        Action::Resume => applying::resume(model, &aim, words),
        Action::AccessStatus => looks::access(model, &aim, words),
        Action::Apply => applying::apply(model, &aim),
        Action::StopJob => match aim.job.or_else(|| model.writing()) {
            Some(job) => vec![Effect::Stop(job)],
            None => said(model, "toast.no-job"),
        },
        Action::Hold => hold(model),
        Action::FaultSet | Action::FaultClear => fault(model, action == Action::FaultSet, words),
        Action::ThemeSet => theme(model, words),
        Action::LanguageSet => match words.get(0).and_then(Lang::parse) {
            Some(lang) => quiet(model, |model| model.lang = lang),
            None => arguments(model, action),
        },
        Action::Panic => vec![Effect::Panic],
        Action::Quit => quit(model),
    }
}

/// Why an action cannot be done now, in words; `None` when it can.
pub(crate) fn why_not(model: &Model, action: Action) -> Option<String> {
    let host_reason = |key: &str| Some(model.say(key));
    if model.setup.first_run.is_some()
        && matches!(
            action.row().danger,
            Danger::Ask | Danger::Plan | Danger::Write
        )
    {
        return host_reason("why.no-config");
    }
    match action {
        Action::Apply => applying::why_not_apply(model, target(model).plan),
        Action::GateApply => stacks::why_not_gate(model),
        Action::FaultSet | Action::FaultClear | Action::Panic if !model.setup.lab => {
            host_reason("why.lab-only")
        }
        Action::Disarm if model.armed().is_none() => host_reason("why.not-armed"),
        _ => None,
    }
}

fn quiet(model: &mut Model, change: impl FnOnce(&mut Model)) -> Vec<Effect> {
    change(model);
    Vec::new()
}

fn moved(model: &mut Model, to: Move) -> Vec<Effect> {
    go(model, to);
    Vec::new()
}

pub(super) fn said(model: &mut Model, key: &str) -> Vec<Effect> {
    let text = model.say(key);
    model.tell(text, Role::Muted);
    Vec::new()
}

/// Opens a page, with what it has to read first.
pub(super) fn open(model: &mut Model, place: Place) -> Vec<Effect> {
    let effects = match &place {
        Place::Batch(batch) | Place::Item(batch, _) => super::answers::read_batch(model, *batch),
        Place::Activity => vec![Effect::ReadAudit],
        Place::Stack(stack) => stacks::look_at(model, stack),
        Place::CheckHistory(pack, check) => {
            let (pack, check) = (pack.clone(), check.clone());
            standing::read_history(model, &pack, &check)
        }
        Place::Resources(host, provider) => {
            looks::look_at_resources(model, host.clone(), provider.clone())
        }
        Place::Runbook(id) => runbooks::read_book(model, id),
        Place::Run(run) => runbooks::read_run(model, *run),
        Place::Check(..) => runbooks::know(model),
        _ => Vec::new(),
    };
    model.trail.open(place);
    effects
}

fn pane(model: &mut Model, number: usize) -> Vec<Effect> {
    let number = number % Place::PANES.len();
    model.trail.switch_to(number);
    match Place::PANES[number] {
        Place::Activity => vec![Effect::ReadAudit],
        _ => Vec::new(),
    }
}

fn section(model: &mut Model, forward: bool) -> Vec<Effect> {
    let sections = super::shown(model).content.sections.len();
    let view = model.trail.view_mut();
    if sections > 1 {
        let step = if forward { 1 } else { sections - 1 };
        view.section = (view.section + step) % sections;
        view.selected = None;
        view.index = 0;
        view.offset = 0;
    }
    Vec::new()
}

fn open_selected(model: &mut Model) -> Vec<Effect> {
    let shown = super::shown(model);
    if let Some(place) = shown.selected.and_then(|at| shown.rows[at].opens.clone()) {
        return open(model, place);
    }
    if shown.selected.is_some_and(|at| shown.rows[at].heading) {
        return standing::fold(model);
    }
    match model.trail.view().place {
        Place::Plan(_) => said(model, "toast.apply-with"),
        _ => Vec::new(),
    }
}

/// One step back: the filter, then "only broken", then the page.
fn back(model: &mut Model) -> Vec<Effect> {
    let view = model.trail.view_mut();
    if !view.filter.is_empty() {
        view.filter.clear();
    } else if view.only_broken {
        view.only_broken = false;
    } else if !model.trail.back() {
        return said(model, "toast.root");
    }
    Vec::new()
}

fn copy(model: &mut Model, whole: bool) -> Vec<Effect> {
    if model.trail.view().place == Place::Welcome
        && let Some(first) = &model.setup.first_run
    {
        let effects = vec![Effect::Copy(first.example.clone())];
        let told = model.say("toast.copied-config");
        model.tell(told, Role::Muted);
        return effects;
    }
    let shown = super::shown(model);
    let Some(row) = shown.selected.map(|at| &shown.rows[at]) else {
        return said(model, "toast.nothing-to-copy");
    };
    let text = if whole { row.line() } else { row.copy.clone() };
    let told = model.fill("toast.copied", &[("text", &crate::widgets::cut(&text, 40))]);
    model.tell(told, Role::Muted);
    vec![Effect::Copy(text)]
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    match model.trail.view().place.clone() {
        Place::Batch(batch) | Place::Item(batch, _) => super::answers::read_batch(model, batch),
        Place::Activity => vec![Effect::ReadAudit],
        Place::Siblings(a, b) => standing::read_siblings(model, a, b),
        Place::Matrix => ask(model, Asked::Matrix, Command::ProviderList),
        Place::Resources(host, provider) => looks::look_at_resources(model, host, provider),
        Place::Doctor => ask(model, Asked::Doctor, Command::Doctor),
        Place::Gate => ask(model, Asked::Gate, Command::GateShow { pack: None }),
        Place::Stacks => stacks::look_at_all(model),
        Place::Stack(stack) => stacks::look_at(model, &stack),
        Place::Triage | Place::Finding(_) => triaging::again(model, true),
        Place::Runbooks => runbooks::read(model),
        Place::Runbook(id) => runbooks::read_book(model, &id),
        Place::Run(run) | Place::RunStep(run, _) => runbooks::read_run(model, run),
        Place::Pool(host) | Place::Seat(host, ..) => looks::look_at_pool(model, host),
        Place::CheckHistory(pack, check) => {
            let mut effects = rounds::look_at_all(model);
            effects.extend(standing::read_history(model, &pack, &check));
            effects
        }
        Place::Hosts | Place::Host(_) => rounds::look_at_hosts(model),
        Place::Probes | Place::Probe(..) => looks::probe_all(model),
        _ => rounds::look_at_all(model),
    }
}

pub(super) fn ask(model: &mut Model, asked: Asked, command: Command) -> Vec<Effect> {
    let ticket = model.ticket(asked);
    vec![Effect::Send(ticket, command)]
}

/// The palette with the action's name, waiting for its words.
pub(super) fn arguments(model: &mut Model, action: Action) -> Vec<Effect> {
    let line = format!("{} ", action.row().name);
    model.dialog = Some(dialogs::palette(model, &line));
    match action {
        Action::FaultSet | Action::FaultClear => vec![Effect::ReadFaults],
        _ => Vec::new(),
    }
}

fn fault(model: &mut Model, on: bool, words: &Words) -> Vec<Effect> {
    match words.get(0) {
        Some(name) => {
            let key = if on {
                "toast.fault-set"
            } else {
                "toast.fault-cleared"
            };
            let told = model.fill(key, &[("name", name)]);
            model.tell(told, Role::Lab);
            // What it breaks is seen as soon as it is broken, not at the next round.
            model.next_round.with_faults = true;
            vec![Effect::Fault(name.to_owned(), on)]
        }
        None => arguments(
            model,
            if on {
                Action::FaultSet
            } else {
                Action::FaultClear
            },
        ),
    }
}

fn theme(model: &mut Model, words: &Words) -> Vec<Effect> {
    match words.get(0).and_then(|name| model.setup.theme(name)) {
        Some(theme) => {
            model.theme = if model.setup.color {
                theme
            } else {
                theme.without_color()
            };
            Vec::new()
        }
        None => arguments(model, Action::ThemeSet),
    }
}

/// Holds the job that writes, or lets it go on: there is never more than one.
fn hold(model: &mut Model) -> Vec<Effect> {
    let mut jobs = model.snapshot.jobs.iter();
    let Some(job) = jobs.find(|job| job.writes && job.is_live()) else {
        return said(model, "toast.no-write-job");
    };
    let (id, state) = (job.id, job.state);
    let (on, told) = match state {
        JobState::Stopping => return said(model, "toast.stopping"),
        JobState::Paused => (false, "toast.going-on"),
        _ => (true, "toast.held"),
    };
    model.tell(model.say(told), Role::Warn);
    vec![Effect::Hold(id, on)]
}

/// `q` goes back; at the root it ends, and asks only while a job writes.
fn quit(model: &mut Model) -> Vec<Effect> {
    if model.trail.back() {
        return Vec::new();
    }
    if model.writing().is_some() {
        model.dialog = Some(Dialog::quit(model));
        return Vec::new();
    }
    vec![Effect::Quit]
}
