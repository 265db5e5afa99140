//! Opening the screen: what the config says of it becomes a `Setup`.

use crate::signals;
use crate::wire::Wired;
use cockpit_adapters::config;
use cockpit_domain::pack::Pack;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_tui::{FirstRun, Keymap, Lang, Setup, Theme};
use std::io::IsTerminal;
use std::path::Path;
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
    // As on the command line: held, and not suspended with calls in flight and the terminal taken.
    let mut holds = signals::holds();
    let holding = async {
        while holds.changed().await.is_ok() {
            handle.hold_all(*holds.borrow_and_update());
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        code = cockpit_tui::run(handle.clone(), setup, keymap, stop) => code,
        () = holding => Ok(0),
    }
}

/// Themes of the folder `themes` beside the config: those that can be read, and what is wrong with
/// the others.
fn own_themes(config: &Path) -> (Vec<(String, Theme)>, Vec<(String, String)>) {
    let (mut good, mut broken) = (Vec::new(), Vec::new());
    for found in config::theme_files(config) {
        match found.text.map(|text| Theme::parse(&found.file, &text)) {
            Ok(Ok(theme)) => good.push((found.name, theme)),
            Ok(Err(findings)) => {
                let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
                broken.push((found.name, lines.join("\n")));
            }
            Err(why) => broken.push((found.name, format!("{}: {why}", found.file))),
        }
    }
    (good, broken)
}

fn setup(wired: &Wired, lab: bool, mut notices: Vec<String>) -> Outcome<Setup> {
    let handle = &wired.session.handle;
    let settings = handle.settings();
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL")
        .or_else(|| set("LC_MESSAGES"))
        .or_else(|| set("LANG"));
    let language = wired.screen.language.clone().or(locale);
    let (own_themes, mut broken) = own_themes(&wired.session.config);
    let shipped = |name: &str| Theme::named(name).is_some();
    let owned = |name: &str| own_themes.iter().any(|(known, _)| known == name);
    let theme = match &wired.screen.theme {
        Some(name) => {
            if let Some(at) = broken.iter().position(|(known, _)| known == name) {
                return Err(Failure::new(FailureKind::Config, broken.swap_remove(at).1)
                    .doing(format!("reading theme `{name}`"))
                    .hint("mend the file as each line says, or name another theme"));
            }
            if !shipped(name) && !owned(name) {
                let known = Theme::NAMES.iter().copied();
                let known: Vec<&str> = known
                    .chain(own_themes.iter().map(|(name, _)| name.as_str()))
                    .collect();
                return Err(
                    Failure::new(FailureKind::Config, format!("there is no theme `{name}`"))
                        .doing("reading `[screen]` of the configuration")
                        .hint(format!(
                            "write one of: {}; one of your own stands in `themes/{name}.toml` beside the configuration",
                            known.join(", ")
                        )),
                );
            }
            name.clone()
        }
        None => Theme::NAMES[0].to_owned(),
    };
    // One line of each: the rest is told when the theme is asked for.
    let first = |what: String| what.lines().next().unwrap_or_default().to_owned();
    notices.extend(broken.into_iter().map(|(_, what)| first(what)));
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
        zone: wired.session.zone.clone(),
        lang: language
            .as_deref()
            .and_then(Lang::parse)
            .unwrap_or(Lang::En),
        theme,
        own_themes,
        color: set("NO_COLOR").is_none() && set("TERM").as_deref() != Some("dumb"),
        ascii: wired.screen.ascii,
        slow: wired.screen.slow,
        notices,
    })
}
