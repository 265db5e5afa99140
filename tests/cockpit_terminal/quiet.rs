//! Quiet and quick: the first frame waits for nobody, an idle screen says nothing, and a terminal
//! that takes nothing holds up the picture only.

use super::{Home, command, settled};
use crate::support::pty::{Ended, Pty, key, rows_with};
use crate::support::{Lab, bare, wait_until};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Redraws everything.
const CTRL_L: &str = "\x0c";
/// How long a question takes no answer once it was read.
const DEAF: Duration = Duration::from_millis(300);
/// How long anything else may take.
const LIMIT: Duration = Duration::from_secs(20);
/// How long an idle screen is watched.
const WATCHED: Duration = Duration::from_secs(5);

/// A lab whose config this home has too, and far ends that take a connection and say nothing.
struct Fleet {
    home: Home,
    lab: Lab,
    silent: TcpListener,
}

impl Fleet {
    fn new() -> Option<Self> {
        Some(Self {
            home: Home::new()?,
            lab: Lab::start(),
            silent: TcpListener::bind("127.0.0.1:0").expect("a port"),
        })
    }

    /// The lab's config with a store of this home's.
    fn config(&self, name: &str, change: impl Fn(&str) -> String) -> PathBuf {
        let read = |name| std::fs::read_to_string(self.lab.folder().join(name)).expect("a file");
        let write = |name: &str, text: String| {
            let path = self.home.path().join(name);
            std::fs::write(&path, text).expect("it is written");
            path.to_str().expect("a plain path").to_owned()
        };
        let folder = self.lab.folder().to_str().expect("a plain path");
        let store = self.home.path().join("state");
        let ssh = write(&format!("{name}.ssh"), change(&read("ssh_config")));
        let config = change(&read("config.toml"))
            .replace(&format!("{folder}/ssh_config"), &ssh)
            .replace(
                &format!("{folder}/state"),
                store.to_str().expect("a plain path"),
            );
        PathBuf::from(write(&format!("{name}.toml"), config))
    }

    /// The screen on the lab.
    fn start(&self) -> Pty {
        let config = self.config("live", str::to_owned);
        let config = config.to_str().expect("a plain path");
        self.home.cockpit(&["--config", config]).start()
    }

    /// The screen on the same fleet where nobody answers.
    fn start_in_silence(&self) -> Pty {
        let port = self.silent.local_addr().expect("an address").port();
        let config = self.config("silent", |text| {
            let line = |line: &str| match line.trim_start().split_once(' ') {
                Some(("Port", _)) => format!("Port {port}"),
                Some((r#""tksea.public_base""#, _)) => {
                    format!(r#""tksea.public_base" = "http://127.0.0.1:{port}""#)
                }
                _ => line.to_owned(),
            };
            text.lines().map(|text| line(text) + "\n").collect()
        });
        let config = config.to_str().expect("a plain path");
        self.home.cockpit(&["--config", config]).start()
    }
}

/// Ends it and looks for what is left.
fn quit(fleet: &Fleet, mut pty: Pty) {
    let began = Instant::now();
    pty.send("q");
    assert_eq!(pty.ended(), Ended::Code(0));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "the end took {took:?}");
    assert_eq!(fleet.home.left(), [""; 0]);
    assert_eq!(pty.not_put_back(), [""; 0]);
    assert_eq!(pty.asked(), [""; 0]);
}

#[test]
fn the_first_frame_comes_and_the_screen_ends_while_nobody_answers() {
    let Some(fleet) = Fleet::new() else { return };
    let pty = fleet.start_in_silence();
    pty.wait_for("no check has been judged yet");
    // A look is under way when it is ended.
    fleet.silent.set_nonblocking(true).expect("it is set");
    let caught = wait_until("somebody is asked", LIMIT, || fleet.silent.accept().ok());
    quit(&fleet, pty);
    drop(caught);
}

#[test]
fn the_first_frame_shows_the_last_known_state_with_its_age() {
    let Some(fleet) = Fleet::new() else { return };
    let pty = fleet.start();
    settled(&pty);
    quit(&fleet, pty);
    three_hours_later(&fleet.home.path().join("state/cockpit.db"));
    let pty = fleet.start_in_silence();
    let screen = pty.wait_for("entry.no-key");
    let row = &rows_with(&screen, "entry.no-key")[0];
    assert!(
        row.contains("stale") && row.trim_end().ends_with("3h"),
        "{row}"
    );
    assert!(
        screen.contents().contains("3h old"),
        "{}",
        screen.contents()
    );
    let wrote = String::from_utf8_lossy(&pty.raw()).into_owned();
    assert!(
        !wrote.contains("no check has been judged"),
        "an empty frame came first"
    );
    quit(&fleet, pty);
}

#[test]
fn an_idle_screen_writes_nothing() {
    let Some(fleet) = Fleet::new() else { return };
    let pty = fleet.start();
    settled(&pty);
    // The clock may turn meanwhile, and the looks of the start may still come in.
    pty.wait_for_silence(WATCHED);
    quit(&fleet, pty);
}

#[test]
fn a_terminal_that_takes_nothing_keeps_nobody_from_ending_it() {
    let Some(fleet) = Fleet::new() else { return };
    let mut pty = fleet.start();
    settled(&pty);
    stick(&mut pty);
    pty.signal("TERM");
    assert_eq!(pty.ended(), Ended::Code(0));
    assert_eq!(fleet.home.left(), [""; 0]);
    let left = pty.not_put_back();
    assert!(
        !left.iter().any(|left| left.contains("raw mode")),
        "{left:?}"
    );
}

#[test]
fn keys_typed_on_a_stuck_line_are_seen_when_it_moves_again() {
    let Some(fleet) = Fleet::new() else { return };
    let mut pty = fleet.start();
    settled(&pty);
    stick(&mut pty);
    pty.send("j");
    pty.send(":");
    pty.send("doc");
    pty.let_go();
    let screen = pty.wait_for(":doc_");
    assert_eq!(rows_with(&screen, ":doc_").len(), 1);
    pty.send(key::ESC);
    pty.wait_until("the second row selected", |screen| {
        rows_with(screen, "> +")
            .first()
            .is_some_and(|row| row.contains("nginx-loc"))
    });
    quit(&fleet, pty);
}

#[test]
fn a_yes_on_a_stuck_line_is_no_answer_to_a_question_that_nobody_has_read() {
    let Some(fleet) = Fleet::new() else { return };
    let mut pty = fleet.start();
    settled(&pty);
    command(&mut pty, "import accept lab");
    pty.wait_for("< lab >");
    pty.paste("sk-lab-good-stuck-000000001\n");
    pty.wait_for("1 lines pasted");
    pty.send(key::ENTER);
    pty.wait_for("plan/1");
    command(&mut pty, "arm accept 10m");
    pty.wait_for("09:5");
    stick(&mut pty);
    pty.send("a");
    let asked = Instant::now();
    wait_until("longer than a question is deaf", LIMIT, || {
        (asked.elapsed() > DEAF * 2).then_some(())
    });
    pty.send("y");
    pty.let_go();
    pty.wait_for("[ Cancel ]");
    pty.send(key::ESC);
    pty.wait_until("the question is gone", |screen| {
        rows_with(screen, "[ Cancel ]").is_empty()
    });
    pty.send("q");
    let config = fleet.config("live", str::to_owned);
    quit(&fleet, pty);
    let listed = bare(&[
        "batch",
        "list",
        "--json",
        "--config",
        config.to_str().expect("a plain path"),
    ]);
    assert_eq!(listed.json()["batches"], json!([]), "{listed:?}");
}

/// Moves everything that is remembered into the past.
fn three_hours_later(store: &Path) {
    const THREE_HOURS: i64 = 3 * 3_600_000;
    let store = rusqlite::Connection::open(store).expect("it opens");
    let mut rows = store.prepare("SELECT id, body FROM results").expect("rows");
    let bodies: Vec<(i64, Value)> = rows
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .expect("rows")
        .map(|row| row.expect("a row"))
        .map(|(id, body)| (id, serde_json::from_str(&body).expect("JSON")))
        .collect();
    assert!(!bodies.is_empty(), "nothing is remembered");
    for (id, mut body) in bodies {
        age(&mut body, THREE_HOURS);
        let change = "UPDATE results SET at_ms = at_ms - ?1, body = ?2 WHERE id = ?3";
        let changed = store.execute(change, (THREE_HOURS, body.to_string(), id));
        assert_eq!(changed, Ok(1));
    }
}

fn age(value: &mut Value, by_ms: i64) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|value| age(value, by_ms)),
        Value::Object(all) => {
            for (name, value) in all {
                match value.as_i64() {
                    Some(at) if name == "at_ms" => *value = json!(at - by_ms),
                    _ => age(value, by_ms),
                }
            }
        }
        _ => {}
    }
}

/// Stops reading until the program cannot write any more.
fn stick(pty: &mut Pty) {
    pty.hold();
    wait_until(
        "the terminal takes nothing more",
        Duration::from_secs(20),
        || {
            pty.send(CTRL_L);
            pty.is_stuck().then_some(())
        },
    );
}
