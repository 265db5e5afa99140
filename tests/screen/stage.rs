//! A screen without a terminal: wired as the program wires it, driven by keys, looked at as text.
//! Works like the loop in `src/tui/run.rs`: what a person types is drawn at once, everything else
//! when there is time for it.

use crate::support::inside::{Inside, quick};
use cockpit_domain::pack::Pack;
use cockpit_engine::supervisor::Snapshot;
use cockpit_lab::Lab;
use cockpit_lab::request_log::SeenRequest;
use cockpit_tui::{App, Driver, Keymap, Lang, Msg, Rest, Setup, Theme};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// Longest wait for anything that has to show.
const LIMIT: Duration = Duration::from_secs(40);

/// A screen, the lab it looks at, and a person in front of it.
pub(super) struct Stage {
    /// The engine and its lab.
    pub(super) inside: Inside,
    /// Whether the screen has ended.
    pub(super) ended: bool,
    /// Keys pressed so far.
    pub(super) pressed: usize,
    app: App,
    driver: Driver,
    messages: mpsc::Receiver<Msg>,
    seen: watch::Receiver<Arc<Snapshot>>,
    terminal: Terminal<TestBackend>,
    /// How far the screen's clock is ahead: time that a person took to read.
    ahead_ms: i64,
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
        let mut seen = handle.watch();
        let snapshot = seen.borrow_and_update().clone();
        let (sender, messages) = mpsc::channel(256);
        let now_ms = handle.ports().clock.now_ms();
        let app = App::new(setup(&inside), Keymap::new(&[]).0, snapshot, now_ms);
        let mut stage = Self {
            driver: Driver::new(handle, sender),
            inside,
            ended: false,
            pressed: 0,
            app,
            messages,
            seen,
            terminal: Terminal::new(TestBackend::new(size.0, size.1)).expect("a picture"),
            ahead_ms: 0,
        };
        stage.fold(Msg::Resize(size.0, size.1));
        stage.draw();
        stage.fold(Msg::Tick);
        stage
    }

    /// The lab.
    pub(super) fn lab(&self) -> &Lab {
        &self.inside.lab
    }

    /// Ends engine and lab.
    pub(super) async fn end(self) {
        self.inside.end().await;
    }

    /// Presses keys, each as the key list writes it: `I`, `enter`, `ctrl-c`.
    pub(super) fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.pressed += 1;
            self.fold(Msg::Key(key_of(key)));
            self.draw();
        }
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
        self.ahead_ms += 500;
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

    /// Folds a message in and carries out what comes of it.
    pub(super) fn fold(&mut self, msg: Msg) {
        let mut todo = vec![msg];
        while let Some(msg) = todo.pop() {
            for effect in self.app.update(self.now_ms(), msg) {
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

    fn now_ms(&self) -> i64 {
        self.inside.engine().ports().clock.now_ms() + self.ahead_ms
    }
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

fn key_of(name: &str) -> KeyEvent {
    let mut letters = name.chars();
    let (code, modifiers) = match (letters.next(), letters.next()) {
        (Some(letter), None) => (KeyCode::Char(letter), KeyModifiers::NONE),
        _ => match name {
            "enter" => (KeyCode::Enter, KeyModifiers::NONE),
            "space" => (KeyCode::Char(' '), KeyModifiers::NONE),
            "esc" => (KeyCode::Esc, KeyModifiers::NONE),
            "tab" => (KeyCode::Tab, KeyModifiers::NONE),
            "down" => (KeyCode::Down, KeyModifiers::NONE),
            "up" => (KeyCode::Up, KeyModifiers::NONE),
            "left" => (KeyCode::Left, KeyModifiers::NONE),
            "right" => (KeyCode::Right, KeyModifiers::NONE),
            "ctrl-c" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
            other => panic!("no such key here: {other}"),
        },
    };
    KeyEvent::new(code, modifiers)
}
