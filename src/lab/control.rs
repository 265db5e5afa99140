//! The control socket: one JSON line asks, one JSON line answers. Faults are switched and the
//! request log is read here, by the cockpit's palette, its command line, and drills.

use crate::error::LabError;
use crate::faults::FaultRow;
use crate::request_log::RequestLog;
use crate::serve::Life;
use crate::switch::Switchboard;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// Longest line that is read.
const LONGEST: u64 = 64 * 1024;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum Asked {
    Faults,
    Set {
        name: String,
    },
    Clear {
        name: String,
    },
    Requests {
        #[serde(default)]
        after: u64,
    },
}

/// What the socket reaches.
#[derive(Clone)]
pub(crate) struct Control {
    pub(crate) switchboard: Switchboard,
    pub(crate) log: RequestLog,
}

impl Control {
    /// Listens until the lab ends.
    pub(crate) fn serve(self, path: &Path, life: &Life) -> Result<(), LabError> {
        let failed = |source| LabError::Write {
            path: path.to_owned(),
            source,
        };
        // Left by a lab that was killed: nobody can be behind it, ports and keys are new.
        drop(fs::remove_file(path));
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let life = life.clone();
        life.tasks.clone().spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = life.end.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((stream, _)) = accepted else { continue };
                let (control, end) = (self.clone(), life.end.clone());
                life.tasks.spawn(async move {
                    tokio::select! {
                        () = end.cancelled() => {}
                        // A caller that hung up has nobody to tell.
                        _ = control.talk(stream) => {}
                    }
                });
            }
        });
        Ok(())
    }

    async fn talk(self, stream: UnixStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        loop {
            let mut line = String::new();
            if (&mut read).take(LONGEST).read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let mut answer = self.answer(&line).to_string();
            answer.push('\n');
            write.write_all(answer.as_bytes()).await?;
        }
    }

    fn answer(&self, line: &str) -> Value {
        match serde_json::from_str(line) {
            Ok(Asked::Faults) => self.faults(),
            Ok(Asked::Set { name }) => self.switched(&name, true),
            Ok(Asked::Clear { name }) => self.switched(&name, false),
            Ok(Asked::Requests { after }) => json!({ "requests": self.log.since(after) }),
            Err(error) => json!({
                "error": format!("cannot read the request: {error}"),
                "hint": r#"send one line such as {"do":"faults"}, {"do":"set","name":"host-502"} or {"do":"requests","after":0}"#,
            }),
        }
    }

    fn faults(&self) -> Value {
        let rows: Vec<FaultRow> = self.switchboard.rows();
        json!({ "faults": rows })
    }

    fn switched(&self, name: &str, on: bool) -> Value {
        match self.switchboard.switch(name, on) {
            Ok(()) => self.faults(),
            Err(error) => json!({ "error": error.to_string(), "hint": error.hint() }),
        }
    }
}
