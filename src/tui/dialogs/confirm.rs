//! The word for an act. Cancel has the focus, Enter never confirms, pasted text never confirms, and
//! what was typed before the dialog could be read is thrown away.

use super::edit;
use crate::content::{Cell, Note, note};
use crate::model::Model;
use crate::panes;
use crate::plan::Plan;
use crate::theme::Role;
use cockpit_domain::baseline::read_until;
use cockpit_domain::batch::{BatchKind, Interruption};
use cockpit_domain::ids::{BatchId, HostId, PackId, PlanId, RunId};
use cockpit_domain::plan::{Change, Sign};
use cockpit_domain::runbook::PlannedDeed;
use cockpit_engine::baseline::Aside;
use crossterm::event::{KeyCode, KeyEvent};
use jiff::tz::TimeZone;
use tui_input::Input;

/// Input is ignored for so long after the dialog has reached the terminal.
const DEAF_MS: i64 = 300;
/// How long something is put aside when nobody says so.
const UNTIL: &str = "1d";
/// Changes that are named one by one.
const TARGETS: usize = 4;

/// What is to be confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// To apply a plan.
    Apply(PlanId),
    /// To go on with a batch.
    Resume(BatchId),
    /// To do what a step of a runbook would do.
    Deed(RunId),
    /// To take a lease over from an owner that is gone.
    TakeLease,
    /// To put a check, a machine or a host aside until a time.
    Waive,
    /// To end while a job writes.
    Quit,
}

/// Which part has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Name,
    Until,
    Reason,
    Buttons,
}

/// What a key came to.
pub(super) enum Next {
    Stay,
    Close,
    Yes,
}

/// The dialog.
#[derive(Debug)]
pub(crate) struct Confirm {
    /// What it is about.
    pub subject: Subject,
    /// What will happen, to whom, and how it is taken back.
    pub lines: Vec<Note>,
    /// The name that has to be typed.
    pub(crate) wants_name: Option<HostId>,
    /// The lease that is meant; then a reason is wanted.
    pub(crate) lease: Option<(HostId, PackId)>,
    /// What is to be put aside; then a time and a reason are wanted.
    pub(crate) aside: Option<Aside>,
    /// Until when.
    pub(crate) until: Input,
    zone: TimeZone,
    pub(crate) name: Input,
    pub(crate) reason: Input,
    pub(crate) focus: Field,
    /// Why the last `y` was not taken: a key of the catalogue.
    pub(crate) refused: Option<&'static str>,
    /// The hash of what was shown, where the page may move on below.
    pub(crate) hash: Option<String>,
    /// What may go first of many keys.
    pub(crate) canary: Option<Canary>,
    opened_ms: i64,
    drawn_ms: Option<i64>,
}

/// Some keys may go first, end to end; the others then wait for another word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Canary {
    /// How many.
    pub keys: usize,
    /// Which.
    pub which: String,
    /// Whether there are so many keys that it should be so.
    pub suggested: bool,
    /// Whether it is wanted.
    pub on: bool,
}

impl Canary {
    /// Of an import with more keys than one.
    fn of(plan: &Plan) -> Option<Self> {
        let Plan::Import(planned) = plan else {
            return None;
        };
        let plan = &planned.plan;
        let suggested = plan.suggested_canary();
        let keys = suggested.max(1);
        (plan.items.len() > keys).then(|| Self {
            keys,
            which: plan.canary_line(keys),
            suggested: suggested > 0,
            on: false,
        })
    }
}

/// What would be touched, as far as there is room; the rest is counted.
fn targets(model: &Model, changes: &[Change]) -> Vec<Note> {
    let touched: Vec<&Change> = changes
        .iter()
        .filter(|change| change.sign != Sign::Keep)
        .collect();
    let named = if model.size.1 < 22 { 1 } else { TARGETS };
    let mut lines: Vec<Note> = touched
        .iter()
        .take(named)
        .map(|change| {
            let there = change
                .host_resource_id
                .map_or_else(String::new, |id| format!(" #{id}"));
            let sign = change.sign.as_char();
            let text = format!("  {sign} {} {}{there}", change.kind, change.name);
            note(text, Role::Text)
        })
        .collect();
    if touched.len() > named {
        let more = (touched.len() - named).to_string();
        let text = model.fill("confirm.more", &[("count", &more)]);
        lines.push(note(format!("    {text}"), Role::Muted));
    }
    lines
}

/// How it is taken back, or what becomes of what is taken back.
fn undone(model: &Model, plan: &Plan) -> String {
    if let Plan::Rollback(planned) = plan
        && let Some(batch) = panes::known_batch(model, planned.plan.batch)
        && batch.kind == BatchKind::Repair
    {
        return model.say("confirm.repair-goes");
    }
    model.say(&format!("confirm.undo-{}", plan.kind()))
}

impl Confirm {
    /// The dialog for an act on a host.
    pub(crate) fn new(model: &Model, subject: Subject, host: &HostId) -> Self {
        let production = model.setup.is_production(host);
        let mut named = production;
        let mut lines = Vec::new();
        let mut canary = None;
        match subject {
            Subject::Apply(id) => {
                if let Some(plan) = model.plans.get(&id) {
                    named = plan.wants_name(production);
                    canary = Canary::of(plan);
                    lines.push(vec![
                        Cell::new(model.say(&format!("kind.{}", plan.kind())), Role::Title),
                        Cell::plain(format!("  {id}")),
                    ]);
                    lines.push(panes::counted(model, plan));
                    lines.extend(targets(model, &plan.changes()));
                    if let Plan::Recover(planned) = plan {
                        lines.push(note(planned.plan.cost.clone(), Role::Text));
                    }
                    let last = named && !production;
                    let role = if last { Role::Fail } else { Role::Muted };
                    lines.push(note(undone(model, plan), role));
                }
            }
            Subject::Resume(batch) => {
                let seen = model.board().batches.iter();
                let waiting = seen
                    .filter(|seen| seen.batch.id == batch)
                    .find(|seen| seen.batch.interrupted_by == Some(Interruption::Canary))
                    .map(|seen| seen.tally.total.saturating_sub(seen.tally.done));
                let name = batch.to_string();
                let told = match waiting {
                    Some(keys) => model.fill(
                        "confirm.resume-canary",
                        &[("batch", &name), ("count", &keys.to_string())],
                    ),
                    None => model.fill("confirm.resume", &[("batch", &name)]),
                };
                lines.push(note(told, Role::Text));
            }
            Subject::Quit | Subject::TakeLease | Subject::Waive | Subject::Deed(_) => {}
        }
        let role = if production { "production" } else { "other" };
        lines.insert(
            1.min(lines.len()),
            note(
                model.fill(&format!("confirm.on-{role}"), &[("host", host.as_str())]),
                if production { Role::Fail } else { Role::Text },
            ),
        );
        Self {
            subject,
            lines,
            wants_name: named.then(|| host.clone()),
            lease: None,
            aside: None,
            until: Input::default(),
            zone: model.setup.zone.clone(),
            name: Input::default(),
            reason: Input::default(),
            focus: if named { Field::Name } else { Field::Buttons },
            refused: None,
            hash: None,
            canary,
            opened_ms: model.now_ms,
            drawn_ms: None,
        }
    }

    /// The deed of a step, exactly as it is planned.
    pub(crate) fn deed(model: &Model, run: RunId, plan: &PlannedDeed) -> Self {
        let mut dialog = Self::new(model, Subject::Deed(run), &plan.host);
        let head: String = plan.plan_hash.chars().take(12).collect();
        dialog.lines.insert(
            0,
            vec![
                Cell::new(model.say("act.do"), Role::Title),
                Cell::plain(format!("  {run}  ")),
                Cell::muted(head),
            ],
        );
        dialog.lines.push(note(plan.line.clone(), Role::Text));
        dialog
            .lines
            .push(note(model.say("confirm.undo-deed"), Role::Muted));
        dialog.hash = Some(plan.plan_hash.clone());
        if plan.wants_name && dialog.wants_name.is_none() {
            dialog.wants_name = Some(plan.host.clone());
            dialog.focus = Field::Name;
        }
        dialog
    }

    /// How many keys go first; 0 when all do.
    pub(crate) fn canary(&self) -> usize {
        let wanted = self.canary.as_ref().filter(|canary| canary.on);
        wanted.map_or(0, |canary| canary.keys)
    }

    /// Taking a lease over: the place is cleared, no host is written to.
    pub(crate) fn take_lease(model: &Model, lease: (HostId, PackId), owner: &str) -> Self {
        let (host, provider) = (lease.0.as_str(), lease.1.as_str());
        let words = [("host", host), ("provider", provider), ("owner", owner)];
        Self {
            subject: Subject::TakeLease,
            lines: vec![
                note(model.fill("confirm.lease", &words), Role::Text),
                note(model.say("confirm.lease-then"), Role::Muted),
            ],
            lease: Some(lease),
            focus: Field::Reason,
            ..Self::quit(model)
        }
    }

    /// Putting something aside until a time: nothing is written to a host.
    pub(crate) fn waive(model: &Model, aside: Aside) -> Self {
        let (key, then) = match aside {
            Aside::Check { .. } => ("confirm.waive", "confirm.waive-then"),
            Aside::Machine(_) | Aside::Host(_) => ("confirm.maintain", "confirm.maintain-then"),
        };
        let what = aside.to_string();
        Self {
            subject: Subject::Waive,
            lines: vec![
                note(model.fill(key, &[("what", &what)]), Role::Text),
                note(model.say(then), Role::Muted),
            ],
            aside: Some(aside),
            until: Input::new(UNTIL.to_owned()),
            focus: Field::Reason,
            ..Self::quit(model)
        }
    }

    /// Until when, as it was typed.
    pub(crate) fn until(&self) -> &str {
        self.until.value().trim()
    }

    /// Whether a reason is asked for.
    pub(crate) fn wants_reason(&self) -> bool {
        self.wants_name.is_some() || self.lease.is_some() || self.aside.is_some()
    }

    /// Ending while a job writes: the step in flight is finished, the rest can be resumed.
    pub(crate) fn quit(model: &Model) -> Self {
        Self {
            subject: Subject::Quit,
            lines: vec![note(model.say("confirm.quit"), Role::Text)],
            wants_name: None,
            lease: None,
            aside: None,
            until: Input::default(),
            zone: model.setup.zone.clone(),
            name: Input::default(),
            reason: Input::default(),
            focus: Field::Buttons,
            refused: None,
            hash: None,
            canary: None,
            opened_ms: model.now_ms,
            drawn_ms: None,
        }
    }

    /// When it was opened, UTC ms, as long as it was not seen.
    pub(super) fn unseen(&self) -> Option<i64> {
        self.drawn_ms.is_none().then_some(self.opened_ms)
    }

    pub(super) fn drawn(&mut self, now_ms: i64) {
        self.drawn_ms.get_or_insert(now_ms);
    }

    /// The host's name as it was typed.
    pub(crate) fn typed_name(&self) -> Option<String> {
        self.wants_name
            .as_ref()
            .map(|_| self.name.value().trim().to_owned())
    }

    /// The reason as it was typed.
    pub(crate) fn typed_reason(&self) -> Option<String> {
        self.wants_reason()
            .then(|| self.reason.value().trim().to_owned())
    }

    fn missing(&self, now_ms: i64) -> Option<&'static str> {
        if self.aside.is_some() && read_until(self.until(), now_ms, &self.zone).is_err() {
            return Some("confirm.until-wrong");
        }
        let wanted = self.wants_name.as_ref();
        if wanted.is_some_and(|wanted| self.name.value().trim() != wanted.as_str()) {
            return Some("confirm.name-missing");
        }
        if !self.wants_reason() {
            return None;
        }
        self.reason
            .value()
            .trim()
            .is_empty()
            .then_some("confirm.reason-missing")
    }

    pub(super) fn key(&mut self, now_ms: i64, key: KeyEvent) -> Next {
        if key.code == KeyCode::Esc {
            return Next::Close;
        }
        // What was typed before this could be read is no answer to it.
        if self.drawn_ms.is_none_or(|drawn| now_ms - drawn < DEAF_MS) {
            return Next::Stay;
        }
        if matches!(key.code, KeyCode::Char(_) | KeyCode::Backspace) {
            // What was missing may be there now; `y` says so again if it is not.
            self.refused = None;
        }
        match (self.focus, key.code) {
            (Field::Buttons, KeyCode::Enter | KeyCode::Char('n')) => return Next::Close,
            (Field::Buttons, KeyCode::Char('c')) => {
                if let Some(canary) = &mut self.canary {
                    canary.on = !canary.on;
                }
            }
            (Field::Buttons, KeyCode::Char('y')) => match self.missing(now_ms) {
                None => return Next::Yes,
                missing => self.refused = missing,
            },
            (_, KeyCode::Tab | KeyCode::Enter | KeyCode::Down) => self.turn(true),
            (_, KeyCode::BackTab | KeyCode::Up) => self.turn(false),
            (Field::Name, _) => edit(&mut self.name, key),
            (Field::Until, _) => edit(&mut self.until, key),
            (Field::Reason, _) => edit(&mut self.reason, key),
            (Field::Buttons, _) => {}
        }
        Next::Stay
    }

    fn turn(&mut self, forward: bool) {
        if !self.wants_reason() {
            return;
        }
        let fields = [
            (Field::Name, self.wants_name.is_some()),
            (Field::Reason, true),
            (Field::Until, self.aside.is_some()),
            (Field::Buttons, true),
        ];
        let fields = fields.iter().filter(|(_, asked)| *asked);
        let fields: Vec<Field> = fields.map(|(field, _)| *field).collect();
        let at = fields
            .iter()
            .position(|field| *field == self.focus)
            .unwrap_or(0);
        let step = if forward { 1 } else { fields.len() - 1 };
        self.focus = fields[(at + step) % fields.len()];
    }

    /// A reason may be pasted; a name has to be typed.
    pub(super) fn paste(&mut self, text: &str) {
        if self.focus == Field::Reason {
            let line = text.lines().next().unwrap_or_default();
            self.reason = Input::new(format!("{}{line}", self.reason.value()));
        } else {
            self.refused = Some("confirm.pasted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyModifiers;

    fn press(confirm: &mut Confirm, now: i64, code: KeyCode) -> &'static str {
        match confirm.key(now, KeyEvent::new(code, KeyModifiers::NONE)) {
            Next::Stay => "stay",
            Next::Close => "close",
            Next::Yes => "yes",
        }
    }

    fn dialog(name: Option<&str>) -> Confirm {
        Confirm {
            subject: Subject::Quit,
            lines: Vec::new(),
            wants_name: name.map(|name| HostId::new(name).unwrap()),
            lease: None,
            aside: None,
            until: Input::default(),
            zone: TimeZone::UTC,
            name: Input::default(),
            reason: Input::default(),
            focus: if name.is_some() {
                Field::Name
            } else {
                Field::Buttons
            },
            refused: None,
            hash: None,
            canary: None,
            opened_ms: 0,
            drawn_ms: None,
        }
    }

    #[test]
    fn type_ahead_never_says_yes() {
        let mut confirm = dialog(None);
        assert_eq!(
            press(&mut confirm, 0, KeyCode::Char('y')),
            "stay",
            "not drawn yet"
        );
        confirm.drawn(1_000);
        assert_eq!(press(&mut confirm, 1_299, KeyCode::Char('y')), "stay");
        assert_eq!(press(&mut confirm, 1_300, KeyCode::Char('y')), "yes");
    }

    #[test]
    fn enter_alone_walks_to_cancel() {
        let mut confirm = dialog(Some("prod"));
        confirm.drawn(0);
        let pressed: Vec<_> = (0..3)
            .map(|_| press(&mut confirm, 900, KeyCode::Enter))
            .collect();
        assert_eq!(pressed, ["stay", "stay", "close"]);
    }

    #[test]
    fn production_wants_its_name_typed_and_a_reason() {
        let mut confirm = dialog(Some("prod"));
        confirm.drawn(0);
        confirm.paste("prod");
        assert_eq!(
            confirm.typed_name().as_deref(),
            Some(""),
            "a pasted name is none"
        );
        for letter in "prod".chars() {
            press(&mut confirm, 900, KeyCode::Char(letter));
        }
        press(&mut confirm, 900, KeyCode::Tab);
        press(&mut confirm, 900, KeyCode::Tab);
        assert_eq!(
            press(&mut confirm, 900, KeyCode::Char('y')),
            "stay",
            "no reason yet"
        );
        press(&mut confirm, 900, KeyCode::BackTab);
        confirm.paste("key ran out\ny");
        press(&mut confirm, 900, KeyCode::Tab);
        assert_eq!(press(&mut confirm, 900, KeyCode::Char('y')), "yes");
        assert_eq!(confirm.typed_reason().as_deref(), Some("key ran out"));
    }
}
