//! What comes back while a person is busy with something else: nothing of theirs is lost, and what
//! came can be reached.

use crate::app::App;
use crate::dialogs::{self, Dialog, ImportForm, Message};
use crate::keymap::Keymap;
use crate::msg::{Effect, Msg, Ticket};
use crate::place::Place;
use crate::setup::Setup;
use crate::words::Lang;
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::{BatchId, HostId, JobId, PackId, PlanId};
use cockpit_domain::rollback::RollbackPlan;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::FaultState;
use cockpit_engine::rollback::PlannedRollback;
use cockpit_engine::supervisor::Snapshot;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::sync::Arc;

/// A screen in the lab with no host.
fn app() -> App {
    let setup = Setup {
        hosts: Vec::<HostSettings>::new(),
        machines: Vec::new(),
        providers: Vec::new(),
        config: String::new(),
        first_run: None,
        lab: true,
        zone: jiff::tz::TimeZone::UTC,
        lang: Lang::En,
        theme: "dark".to_owned(),
        own_themes: Vec::new(),
        color: true,
        ascii: false,
        slow: false,
        notices: Vec::new(),
    };
    App::new(setup, Keymap::new(&[]).0, Arc::new(Snapshot::default()), 0)
}

fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys.chars() {
        let code = if key == '\n' {
            KeyCode::Enter
        } else {
            KeyCode::Char(key)
        };
        effects.extend(app.update(0, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))));
    }
    effects
}

/// Asks for a rollback plan of batch 4 from the palette, and gives its ticket.
fn ask_for_plan(app: &mut App) -> Ticket {
    let effects = press(app, ":rollback 4\n");
    let [.., Effect::Send(ticket, Command::RollbackPlan { .. })] = effects[..] else {
        panic!("{effects:?}");
    };
    app.update(0, Msg::Started(ticket, JobId(9)));
    ticket
}

fn answer(app: &mut App, ticket: Ticket, answer: Outcome<Answer>) {
    app.update(0, Msg::Answered(ticket, Box::new(answer)));
}

fn planned() -> Answer {
    Answer::Rollback(Box::new(PlannedRollback {
        id: PlanId(5),
        hash: "0123456789abcdef".to_owned(),
        plan: RollbackPlan {
            host: HostId::new("accept").unwrap(),
            provider: PackId::new("acme").unwrap(),
            batch: BatchId(4),
            delete: false,
            steps: Vec::new(),
            will_not_undo: Vec::new(),
            warnings: Vec::new(),
            totals: cockpit_domain::plan::Totals::default(),
            revision: String::new(),
            expires_ms: None,
        },
    }))
}

fn fault(name: &str) -> FaultState {
    FaultState {
        name: name.to_owned(),
        what: String::new(),
        on: false,
    }
}

#[test]
fn a_plan_that_comes_while_a_dialog_is_open_is_told_and_lies_one_step_ahead() {
    let mut app = app();
    let ticket = ask_for_plan(&mut app);
    press(&mut app, ":");
    answer(&mut app, ticket, Ok(planned()));
    let model = app.model();
    assert!(matches!(model.dialog, Some(Dialog::Palette(_))));
    assert_eq!(model.trail.view().place, Place::Baseline);
    let told = &model.toast.as_ref().unwrap().text;
    assert_eq!(told, "plan/5 is ready: `]` opens it");
    assert_eq!(model.planned.get(&JobId(9)), Some(&PlanId(5)));
    model.dialog = None;
    press(&mut app, "]");
    assert_eq!(app.model().trail.view().place, Place::Plan(PlanId(5)));
}

#[test]
fn a_plan_that_is_refused_takes_no_dialog_away() {
    let mut app = app();
    let ticket = ask_for_plan(&mut app);
    press(&mut app, ":themes");
    let failure = Failure::new(FailureKind::Conflict, "somebody else was there");
    answer(&mut app, ticket, Err(failure.clone()));
    let model = app.model();
    assert!(
        matches!(&model.dialog, Some(Dialog::Palette(palette)) if palette.input.value() == "themes")
    );
    assert!(
        model
            .toast
            .as_ref()
            .unwrap()
            .text
            .contains("somebody else was there")
    );
    // Where nothing is open it is told in full.
    model.dialog = None;
    let ticket = ask_for_plan(&mut app);
    answer(&mut app, ticket, Err(failure));
    assert!(matches!(app.model().dialog, Some(Dialog::Message(_))));
}

#[test]
fn faults_that_come_late_fill_the_list_and_none_is_set_unseen() {
    let mut app = app();
    let effects = press(&mut app, ":fault-set\n");
    assert!(
        matches!(effects[..], [.., Effect::ReadFaults]),
        "{effects:?}"
    );
    // Enter on a list that is still empty asks again and sets nothing.
    let effects = press(&mut app, "\n");
    assert!(
        matches!(effects[..], [.., Effect::ReadFaults]),
        "{effects:?}"
    );
    app.update(0, Msg::Faults(Ok(vec![fault("host-502"), fault("quota")])));
    let Some(Dialog::Palette(palette)) = &app.model().dialog else {
        panic!("the list is gone");
    };
    let lines: Vec<&str> = palette
        .found
        .iter()
        .map(|entry| entry.line.as_str())
        .collect();
    assert_eq!(lines, ["fault-set host-502", "fault-set quota"]);
    let effects = press(&mut app, "\n");
    assert!(
        matches!(&effects[..], [Effect::Fault(name, true)] if name == "host-502"),
        "{effects:?}"
    );
}

#[test]
fn faults_that_come_late_take_no_other_dialog_away() {
    let mut app = app();
    let failure = Failure::new(FailureKind::Usage, "a message");
    let form = ImportForm::new(app.model(), None, None);
    let message = Message::of(app.model(), &failure);
    for dialog in [
        Dialog::Import(form),
        Dialog::Message(message),
        dialogs::help(app.model()),
    ] {
        let kind = std::mem::discriminant(&dialog);
        app.model().dialog = Some(dialog);
        app.update(0, Msg::Faults(Ok(vec![fault("quota")])));
        let left = app.model().dialog.as_ref().map(std::mem::discriminant);
        assert_eq!(left, Some(kind));
    }
}

#[test]
fn a_word_that_is_unknown_is_refused_with_those_that_are_known_and_stays_to_be_mended() {
    let mut app = app();
    app.model().setup = crate::frames_tests::fleet::setup();
    for (line, known) in [
        ("probe nohost", "accept, prod"),
        ("probe accept novendor", "vendor, other"),
        ("theme pink", "dark, light, mono"),
        ("language fr", "en, zh-CN"),
        ("resume some", "there is no `some` here"),
    ] {
        let effects = press(&mut app, &format!(":{line}\n"));
        assert!(effects.is_empty(), "{line}: {effects:?}");
        let model = app.model();
        let told = &model.toast.as_ref().unwrap().text;
        assert!(told.contains(known), "{line}: {told}");
        let Some(Dialog::Palette(palette)) = &model.dialog else {
            panic!("{line}: the line is gone");
        };
        assert_eq!(palette.input.value(), line);
        model.dialog = None;
    }
    press(&mut app, ":language zh-CN\n");
    assert_eq!(app.model().lang, Lang::ZhCn);
    assert!(app.model().dialog.is_none());
}

#[test]
fn the_welcome_page_copies_the_whole_config_as_it_is_to_be_written() {
    let mut setup = crate::frames_tests::fleet::setup();
    let example = "[machine.edge]\nssh = \"edge\"\n".repeat(30);
    setup.first_run = Some(crate::setup::FirstRun {
        path: "/home/oncall/config.toml".to_owned(),
        example: example.clone(),
    });
    let mut app = App::new(setup, Keymap::new(&[]).0, Arc::new(Snapshot::default()), 0);
    let effects = press(&mut app, "y");
    assert!(
        matches!(&effects[..], [Effect::Copy(text)] if *text == example),
        "{effects:?}"
    );
}
