//! Opening the screen: what the config says of it becomes a `Setup`.

use crate::wire::Wired;
use cockpit_adapters::config;
use cockpit_domain::pack::Pack;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_tui::{FirstRun, Keymap, Lang, Setup, Theme};
use std::io::IsTerminal;
use tokio_util::sync::CancellationToken;

/// Refuses when there is no terminal to draw on.
pub(crate) fn wants_terminal() -> Outcome<()> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Usage,
        "no command was given, and there is no terminal for the screen",
    )
    .doing("opening the screen")
    .hint("`cockpit --help` lists the commands; `cockpit drill` shows them at work"))
}

/// Runs the screen until it ends. The board is recalled first: the first frame shows the last known
/// state, before anything is asked.
pub(crate) async fn run(wired: &Wired, lab: bool, stop: CancellationToken) -> Outcome<u8> {
    let handle = &wired.session.handle;
    let (keymap, problems) = Keymap::new(&wired.keys);
    let file = wired.session.config.display().to_string();
    let (notices, faults): (Vec<_>, Vec<_>) =
        problems.into_iter().partition(|problem| problem.warning);
    let lines = |problems: Vec<cockpit_tui::KeyProblem>| -> Vec<String> {
        problems
            .into_iter()
            .map(|problem| problem.in_file(file.clone()).to_string())
            .collect()
    };
    if !faults.is_empty() {
        return Err(Failure::new(FailureKind::Config, lines(faults).join("\n"))
            .doing("reading the keys of the configuration")
            .hint("mend the file as each line says"));
    }
    let setup = setup(wired, lab, lines(notices))?;
    handle.require_arming();
    handle.recall().await?;
    handle.follow_store();
    cockpit_tui::run(handle.clone(), setup, keymap, stop).await
}

fn setup(wired: &Wired, lab: bool, notices: Vec<String>) -> Outcome<Setup> {
    let handle = &wired.session.handle;
    let settings = handle.settings();
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL")
        .or_else(|| set("LC_MESSAGES"))
        .or_else(|| set("LANG"));
    let language = wired.screen.language.clone().or(locale);
    let theme = match &wired.screen.theme {
        Some(name) if Theme::named(name).is_none() => {
            return Err(
                Failure::new(FailureKind::Config, format!("there is no theme `{name}`"))
                    .doing("reading `[screen]` of the configuration")
                    .hint(format!("write one of: {}", Theme::NAMES.join(", "))),
            );
        }
        Some(name) => name.clone(),
        None => Theme::NAMES[0].to_owned(),
    };
    let zone = match &wired.timezone {
        Some(name) => jiff::tz::TimeZone::get(name).unwrap_or(jiff::tz::TimeZone::UTC),
        None => jiff::tz::TimeZone::system(),
    };
    Ok(Setup {
        hosts: settings.hosts.values().cloned().collect(),
        machines: settings.machines.clone(),
        providers: handle
            .ports()
            .packs
            .list()?
            .into_iter()
            .filter_map(|entry| match entry.pack {
                Ok(Pack::Provider(pack)) => Some((pack.id, pack.title)),
                _ => None,
            })
            .collect(),
        config: wired.session.config.display().to_string(),
        first_run: wired.first_run.then(|| FirstRun {
            path: wired.session.config.display().to_string(),
            example: config::example().to_owned(),
        }),
        lab: lab || handle.ports().faults.is_some(),
        zone,
        lang: language
            .as_deref()
            .and_then(Lang::parse)
            .unwrap_or(Lang::En),
        theme,
        color: set("NO_COLOR").is_none() && set("TERM").as_deref() != Some("dumb"),
        ascii: wired.screen.ascii,
        slow: wired.screen.slow,
        notices,
    })
}
