//! What the drills share: running the real `ssh` client, forwards, small HTTP requests.

use crate::{Lab, LabOptions};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};

/// Hard limit of every drill.
const LIMIT: Duration = Duration::from_mins(1);

/// What a program left behind.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

/// Runs a drill under its time limit, against a lab of its own that is shut down at the end.
pub(super) async fn with_lab<F: Future<Output = Lab>>(drill: impl FnOnce(Lab) -> F) {
    let all = async {
        let lab = Lab::start(LabOptions::default()).await.expect("lab starts");
        drill(lab).await.shutdown().await;
    };
    tokio::time::timeout(LIMIT, all)
        .await
        .expect("drill ends in time");
}

/// Is the `ssh` client here? Says so if not.
pub(super) fn ssh_is_here() -> bool {
    let here = std::process::Command::new("ssh")
        .arg("-V")
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok();
    if !here {
        println!("SKIPPED: no ssh client");
    }
    here
}

pub(super) fn ssh_command(config: &Path) -> Command {
    let mut command = Command::new("ssh");
    command
        .arg("-F")
        .arg(config)
        .args(["-o", "BatchMode=yes"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

pub(super) async fn finish(mut command: Command) -> Ran {
    let output = command.output().await.expect("ssh runs");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a command on a machine through the real client.
pub(super) async fn on(lab: &Lab, machine: &str, remote: &str) -> Ran {
    let mut command = ssh_command(&lab.ssh_config());
    command.args([machine, remote]);
    finish(command).await
}

/// A forward from a UNIX socket to `target`, by the real client.
pub(super) struct Forward {
    pub(super) socket: PathBuf,
    said: Lines<BufReader<ChildStderr>>,
    _client: Child,
}

impl Forward {
    pub(super) async fn open(lab: &Lab, machine: &str, target: &str) -> Self {
        Self::open_with(lab, machine, target, &[]).await
    }

    pub(super) async fn open_with(
        lab: &Lab,
        machine: &str,
        target: &str,
        options: &[&str],
    ) -> Self {
        let name = format!("forward-{machine}-{}", target.replace([':', '.'], "-"));
        let socket = lab.control_socket().with_file_name(name);
        let mut command = ssh_command(&lab.ssh_config());
        command
            .args(options)
            .args(["-N", "-o", "ExitOnForwardFailure=yes", "-L"])
            .arg(format!("{}:{target}", socket.display()))
            .arg(machine)
            .stderr(Stdio::piped());
        let mut client = command.spawn().expect("ssh starts");
        while UnixStream::connect(&socket).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let said = BufReader::new(client.stderr.take().expect("piped")).lines();
        Self {
            socket,
            said,
            _client: client,
        }
    }

    /// The next line the client prints about it.
    pub(super) async fn says(&mut self) -> String {
        let line = self.said.next_line().await.expect("readable");
        line.unwrap_or_default()
    }

    /// One request on a fresh connection: status and body, nothing if the connection was cut.
    pub(super) async fn get(&self, path: &str) -> Option<(u16, String)> {
        let stream = UnixStream::connect(&self.socket).await.ok()?;
        get_over(stream, path).await
    }

    /// A connection that has answered once and stays open.
    pub(super) async fn hold(&self, path: &str) -> Held {
        let mut stream = UnixStream::connect(&self.socket).await.expect("connects");
        let request = format!("GET {path} HTTP/1.1\r\nHost: sub.tksea.top\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("asks");
        let mut first = [0_u8; 1];
        stream.read_exact(&mut first).await.expect("answers");
        Held(stream)
    }
}

/// An open connection through a forward.
pub(super) struct Held(UnixStream);

impl Held {
    /// Waits until the other side has cut it.
    pub(super) async fn is_cut(&mut self) {
        let mut rest = Vec::new();
        // A reset is as good an end as a plain one; the drill's limit catches a missing one.
        drop(self.0.read_to_end(&mut rest).await);
    }
}

async fn get_over(mut stream: UnixStream, path: &str) -> Option<(u16, String)> {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: sub.tksea.top\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// One request to the public base.
pub(super) async fn public(lab: &Lab, path: &str) -> (u16, String) {
    let answer = crate::lab::http_client()
        .expect("client")
        .get(format!("{}{path}", lab.public_base()))
        .send()
        .await
        .expect("public base answers");
    (answer.status().as_u16(), answer.text().await.expect("body"))
}

/// A completion with the active production key through the public base.
pub(super) async fn chat(lab: &Lab, model: &str) -> (u16, String) {
    let body = serde_json::json!({
        "model": model,
        "messages": [{ "role": "user", "content": "reply with pong only" }],
    });
    let answer = crate::lab::http_client()
        .expect("client")
        .post(format!("{}/v1/chat/completions", lab.public_base()))
        .bearer_auth(crate::fleet::PROD_USER_KEY)
        .json(&body)
        .send()
        .await
        .expect("public base answers");
    (answer.status().as_u16(), answer.text().await.expect("body"))
}

/// One question to the control socket.
pub(super) async fn ask(socket: &Path, line: &str) -> serde_json::Value {
    let mut stream = UnixStream::connect(socket).await.expect("control socket");
    let line = format!("{line}\n");
    stream.write_all(line.as_bytes()).await.expect("asks");
    let mut answer = String::new();
    let mut lines = BufReader::new(stream);
    lines.read_line(&mut answer).await.expect("answers");
    serde_json::from_str(&answer).expect("a JSON line")
}
