//! A lab, and the screen on it: with a store of its own, with far ends that are silent, on a line
//! that is stuck.

use super::Home;
use crate::support::pty::{Ended, Pty};
use crate::support::{Lab, wait_until};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Redraws everything.
const CTRL_L: &str = "\x0c";

/// A lab whose config this home has too, and far ends that take a connection and say nothing.
pub(super) struct Fleet {
    pub(super) home: Home,
    lab: Lab,
    pub(super) silent: TcpListener,
}

impl Fleet {
    pub(super) fn new() -> Option<Self> {
        Some(Self {
            home: Home::new()?,
            lab: Lab::start(),
            silent: TcpListener::bind("127.0.0.1:0").expect("a port"),
        })
    }

    /// The lab's config with a store of this home's.
    pub(super) fn config(&self, name: &str, change: impl Fn(&str) -> String) -> PathBuf {
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
    pub(super) fn start(&self) -> Pty {
        let config = self.config("live", str::to_owned);
        let config = config.to_str().expect("a plain path");
        self.home.cockpit(&["--config", config]).start()
    }

    /// The screen on the same fleet where nobody answers.
    pub(super) fn start_in_silence(&self) -> Pty {
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
pub(super) fn quit(fleet: &Fleet, mut pty: Pty) {
    let began = Instant::now();
    pty.send("q");
    assert_eq!(pty.ended(), Ended::Code(0));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "the end took {took:?}");
    assert_eq!(fleet.home.left(), [""; 0]);
    assert_eq!(pty.not_put_back(), [""; 0]);
    assert_eq!(pty.asked(), [""; 0]);
}

/// Stops reading until the program cannot write any more.
pub(super) fn stick(pty: &mut Pty) {
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
