//! A screen without a terminal: wired as the program wires it, driven by keys, looked at as text.
//! Works like the loop in `src/tui/run.rs`: what a person types is drawn at once, everything else
//! when there is time for it.

use super::keys::key_of;
use crate::support::inside::{Inside, quick};
use cockpit_domain::pack::Pack;
use cockpit_engine::supervisor::Snapshot;
use cockpit_lab::Lab;
use cockpit_lab::request_log::SeenRequest;
use cockpit_tui::{App, Driver, Effect, Keymap, Lang, Msg, Rest, Setup, Theme};
use crossterm::event::KeyEvent;
use ratatui::Terminal;
use ratatui::backend::{Backend, TestBackend};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// Longest wait for anything that has to show.
const LIMIT: Duration = Duration::from_secs(40);

/// A screen, the lab it looks at, and a person in front of it.
pub(super) struct Stage {
    /// The engine and its lab.
    pub(super) inside: Inside,
    /// Text that must stand in no picture.
    pub(super) secrets: Vec<String>,
    /// Whether the screen has ended.
    pub(super) ended: bool,
    /// Keys pressed so far.
    pub(super) pressed: usize,
    /// Commands that were sent, by name.
    pub(super) sent: BTreeMap<&'static str, usize>,
    /// How many of them write to a host.
    pub(super) writes_sent: usize,
    /// Whether arming, faults and the panic on purpose are left undone.
    pub(super) tame: bool,
    /// How often something was left undone for that.
    pub(super) kept_back: usize,
    app: App,
    driver: Driver,
    messages: mpsc::Receiver<Msg>,
    seen: watch::Receiver<Arc<Snapshot>>,
    terminal: Terminal<TestBackend>,
    /// How far the screen's clock is ahead: time that a person took to read.
    ahead_ms: i64,
    /// Where the screen's clock stands apart from that, while it is held.
    held_ms: Option<i64>,
}

impl Stage {
    /// A screen of 80x24 on a fresh lab; `host` is the one whose rows the test looks at.
    pub(super) async fn open(host: &'static str) -> Self {
        Self::on(Inside::start(host, quick()).await, (80, 24)).await
    }

    /// A screen of this size on an engine that runs already.
    pub(super) async fn on(inside: Inside, size: (u16, u16)) -> Self {
        let handle = inside.engine().clone();
        handle.require_arming();
        handle.recall().await.expect("the store is read");
        handle.follow_store();
        let seen = handle.watch();
        let (app, driver, messages) = parts(&inside);
        let mut stage = Self {
            inside,
            secrets: Vec::new(),
            ended: false,
            pressed: 0,
            sent: BTreeMap::new(),
            writes_sent: 0,
            tame: false,
            kept_back: 0,
            app,
            driver,
            messages,
            seen,
            terminal: Terminal::new(TestBackend::new(size.0, size.1)).expect("a picture"),
            ahead_ms: 0,
            held_ms: None,
        };
        stage.begin();
        stage
    }

    /// A new screen on the same engine, after the one before has ended.
    pub(super) fn reopen(&mut self) {
        (self.app, self.driver, self.messages) = parts(&self.inside);
        self.ended = false;
        self.begin();
    }

    fn begin(&mut self) {
        let size = self.terminal.backend().size().expect("a size");
        self.fold(Msg::Resize(size.width, size.height));
        self.draw();
        self.fold(Msg::Tick);
    }

    /// The lab.
    pub(super) fn lab(&self) -> &Lab {
        &self.inside.lab
    }

    /// Ends engine and lab.
    pub(super) async fn end(self) {
        self.inside.end().await;
    }

    /// Presses keys, each as the key list writes it: `I`, `enter`, `ctrl-c`. What each brings up is
    /// drawn before the next one.
    pub(super) fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.key(key_of(key));
            self.draw();
        }
    }

    /// One key, drawn later.
    pub(super) fn key(&mut self, key: KeyEvent) {
        self.pressed += 1;
        self.fold(Msg::Key(key));
    }

    /// The terminal takes another size.
    pub(super) fn resize(&mut self, width: u16, height: u16) {
        self.terminal.backend_mut().resize(width, height);
        self.fold(Msg::Resize(width, height));
        self.draw();
    }

    /// Time goes by on the screen's clock.
    pub(super) fn later(&mut self, ms: i64) {
        self.ahead_ms += ms;
    }

    /// Jobs at work.
    pub(super) fn live(&self) -> usize {
        let snapshot = self.seen.borrow();
        snapshot.jobs.iter().filter(|job| job.is_live()).count()
    }

    /// Types text, a key a letter.
    pub(super) fn type_in(&mut self, text: &str) {
        for letter in text.chars() {
            self.press(&[letter.encode_utf8(&mut [0; 4])]);
        }
    }

    /// Pastes text.
    pub(super) fn paste(&mut self, text: &str) {
        self.fold(Msg::Paste(text.to_owned()));
        self.draw();
    }

    /// The person reads what has just been drawn: half a second goes by on the screen's clock.
    pub(super) fn read(&mut self) {
        self.draw();
        self.later(500);
    }

    /// Types a command on the command line.
    pub(super) fn command(&mut self, line: &str) {
        self.press(&[":"]);
        self.type_in(line);
        self.press(&["enter"]);
    }

    /// Opens the window for writes on a host, by typing.
    pub(super) async fn arm(&mut self, host: &str) {
        self.command(&format!("arm {host} 10m"));
        self.until_shown(&format!("ARMED {host}")).await;
    }

    /// Applies the plan that is open, on a host that carries no live traffic.
    pub(super) async fn apply(&mut self) {
        self.press(&["a"]);
        self.until_shown("[ Cancel ]").await;
        self.read();
        self.press(&["y"]);
    }

    /// Waits until the screen says this.
    pub(super) async fn until_shown(&mut self, text: &str) -> String {
        self.until(&format!("`{text}` on the screen"), |frame| {
            frame.contains(text)
        })
        .await
    }

    /// Waits until the selected row says this.
    pub(super) async fn until_selected(&mut self, text: &str) -> String {
        let selected = |line: &str| line.starts_with("> ") && line.contains(text);
        self.until(&format!("`{text}` in the selected row"), |frame| {
            frame.lines().any(selected)
        })
        .await
    }

    /// Requests that may have changed a host, in order. Logging in, asking an account's vendor for
    /// its list and calling a model change nothing.
    pub(super) fn changes(&self) -> Vec<String> {
        let changes = |row: &SeenRequest| {
            row.service.starts_with("host:")
                && row.method != "GET"
                && row.path.starts_with("/api/")
                && !row.path.ends_with("/auth/login")
                && !row.path.ends_with("/sync-upstream")
        };
        let rows = self.lab().log().since(0);
        rows.iter()
            .filter(|row| changes(row))
            .map(|row| format!("{} {} {}", row.service, row.method, row.path))
            .collect()
    }

    /// Waits until the picture is as wanted; a failure prints the last one.
    pub(super) async fn until(&mut self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            self.draw();
            let frame = self.frame();
            if holds(&frame) {
                return frame;
            }
            assert!(
                begun.elapsed() < LIMIT,
                "waited {LIMIT:?} for: {what}; the last picture:\n{frame}"
            );
            self.turn(Duration::from_millis(100)).await;
        }
    }

    /// Waits for one thing to come: a message, a snapshot, or the time the screen wants to be woken.
    pub(super) async fn turn(&mut self, at_most: Duration) {
        let wait = self.app.next_wake() - self.now_ms();
        let wake = Duration::from_millis(u64::try_from(wait.max(0)).unwrap_or(0)).min(at_most);
        let msg = tokio::select! {
            Some(msg) = self.messages.recv() => msg,
            Ok(()) = self.seen.changed() => Msg::Snapshot(self.seen.borrow_and_update().clone()),
            () = tokio::time::sleep(wake) => Msg::Tick,
        };
        self.fold(msg);
    }

    /// Folds in everything that has come, without waiting.
    pub(super) fn catch_up(&mut self) {
        while let Ok(msg) = self.messages.try_recv() {
            self.fold(msg);
        }
        if self.seen.has_changed().unwrap_or(false) {
            let snapshot = self.seen.borrow_and_update().clone();
            self.fold(Msg::Snapshot(snapshot));
        }
    }

    /// Folds a message in and carries out what comes of it.
    pub(super) fn fold(&mut self, msg: Msg) {
        let mut todo = vec![msg];
        while let Some(msg) = todo.pop() {
            for effect in self.app.update(self.now_ms(), msg) {
                if let Effect::Send(_, command) = &effect {
                    *self.sent.entry(command.name()).or_default() += 1;
                    self.writes_sent += usize::from(command.writes());
                }
                let wild = matches!(
                    effect,
                    Effect::Arm(..) | Effect::Fault(..) | Effect::WriteDraft(_) | Effect::Panic
                );
                if self.tame && wild {
                    self.kept_back += 1;
                    continue;
                }
                let (next, rest) = self.driver.perform(effect);
                todo.extend(next);
                match rest {
                    None | Some(Rest::Redraw | Rest::Copy(_)) => {}
                    Some(Rest::Quit) => self.ended = true,
                    Some(Rest::Panic) => panic!("a panic was asked for"),
                }
            }
        }
    }

    /// Draws, and tells a dialog that it can be read now.
    pub(super) fn draw(&mut self) {
        self.terminal
            .draw(|frame| self.app.draw(frame))
            .expect("a picture takes everything");
        for secret in &self.secrets {
            let frame = self.frame();
            assert!(
                !frame.contains(secret.as_str()),
                "a secret is shown:\n{frame}"
            );
        }
        if self.app.awaits_drawn() {
            self.fold(Msg::Drawn);
        }
    }

    /// The picture as text, a line a row.
    pub(super) fn frame(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let mut text = String::new();
        for y in buffer.area.top()..buffer.area.bottom() {
            let line: String = (buffer.area.left()..buffer.area.right())
                .map(|x| buffer[(x, y)].symbol())
                .collect();
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// From now on no time goes by on the screen's clock but what the test lets go by, however slow
    /// this computer is.
    pub(super) fn hold_clock(&mut self) {
        self.held_ms = Some(self.inside.engine().ports().clock.now_ms());
    }

    fn now_ms(&self) -> i64 {
        let clock = &self.inside.engine().ports().clock;
        self.held_ms.unwrap_or_else(|| clock.now_ms()) + self.ahead_ms
    }
}

/// A screen as it begins, and the way to its engine and back.
fn parts(inside: &Inside) -> (App, Driver, mpsc::Receiver<Msg>) {
    let handle = inside.engine().clone();
    let now_ms = handle.ports().clock.now_ms();
    let snapshot = handle.watch().borrow().clone();
    let app = App::new(setup(inside), Keymap::new(&[]).0, snapshot, now_ms);
    let (sender, messages) = mpsc::channel(256);
    (app, Driver::new(handle, sender), messages)
}

/// What the program tells its screen at start; the look and the language do not depend on who runs
/// the test.
fn setup(inside: &Inside) -> Setup {
    let handle = inside.engine();
    let settings = handle.settings();
    let packs = handle.ports().packs.list().expect("packs");
    Setup {
        hosts: settings.hosts.values().cloned().collect(),
        machines: settings.machines.clone(),
        providers: packs
            .into_iter()
            .filter_map(|entry| match entry.pack {
                Ok(Pack::Provider(pack)) => Some((pack.id, pack.title)),
                _ => None,
            })
            .collect(),
        config: inside.lab.config_path().display().to_string(),
        first_run: None,
        lab: true,
        zone: jiff::tz::TimeZone::UTC,
        lang: Lang::En,
        theme: Theme::NAMES[0].to_owned(),
        own_themes: Vec::new(),
        color: true,
        ascii: false,
        slow: false,
        notices: Vec::new(),
    }
}
