//! The fault board behind a control socket: one JSON line asks, one JSON line answers.

use async_trait::async_trait;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{FaultBoard, FaultState, SeenRequest};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// Longest answer that is read: the request log of a long session.
const LONGEST: u64 = 64 * 1024 * 1024;
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// A fault board at a UNIX socket.
#[derive(Clone)]
pub struct ControlSocket {
    path: PathBuf,
    redactor: Redactor,
}

#[derive(Deserialize)]
struct Answer {
    error: Option<String>,
    #[serde(default)]
    hint: String,
    faults: Option<Vec<FaultState>>,
    requests: Option<Vec<SeenRequest>>,
}

impl ControlSocket {
    /// The board at this socket.
    pub fn new(path: impl Into<PathBuf>, redactor: Redactor) -> Self {
        Self {
            path: path.into(),
            redactor,
        }
    }

    async fn ask(&self, question: &Value) -> Outcome<Answer> {
        let asked = tokio::time::timeout(TIME_LIMIT, self.exchange(question)).await;
        let line = match asked {
            Ok(Ok(line)) => line,
            Ok(Err(error)) => return Err(self.silent(&error.to_string())),
            Err(_) => return Err(self.silent("no answer in time")),
        };
        let answer: Answer = serde_json::from_str(&line).map_err(|error| {
            Failure::new(
                FailureKind::Remote,
                format!(
                    "`{}` answered something unreadable: {error}",
                    self.path.display()
                ),
            )
        })?;
        match answer.error {
            Some(error) => Err(
                Failure::new(FailureKind::Usage, self.redactor.admit(&error))
                    .hint(self.redactor.admit(&answer.hint)),
            ),
            None => Ok(answer),
        }
    }

    async fn exchange(&self, question: &Value) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(&self.path).await?;
        stream.write_all(format!("{question}\n").as_bytes()).await?;
        let mut line = String::new();
        BufReader::new(stream.take(LONGEST))
            .read_line(&mut line)
            .await?;
        if line.ends_with('\n') {
            Ok(line)
        } else {
            Err(std::io::ErrorKind::UnexpectedEof.into())
        }
    }

    fn silent(&self, cause: &str) -> Failure {
        Failure::new(
            FailureKind::Unreachable,
            format!("nobody answers at `{}`: {cause}", self.path.display()),
        )
        .hint("faults can be switched while the lab runs: start it with `cockpit lab serve`")
    }

    fn incomplete(&self, part: &str) -> Failure {
        Failure::new(
            FailureKind::Remote,
            format!("`{}` answered without `{part}`", self.path.display()),
        )
    }
}

#[async_trait]
impl FaultBoard for ControlSocket {
    async fn faults(&self) -> Outcome<Vec<FaultState>> {
        let answer = self.ask(&json!({"do": "faults"})).await?;
        answer.faults.ok_or_else(|| self.incomplete("faults"))
    }

    async fn set(&self, name: &str) -> Outcome<()> {
        self.ask(&json!({"do": "set", "name": name})).await?;
        Ok(())
    }

    async fn clear(&self, name: &str) -> Outcome<()> {
        self.ask(&json!({"do": "clear", "name": name})).await?;
        Ok(())
    }

    async fn requests(&self, after: u64) -> Outcome<Vec<SeenRequest>> {
        let answer = self.ask(&json!({"do": "requests", "after": after})).await?;
        let mut seen = answer.requests.ok_or_else(|| self.incomplete("requests"))?;
        for request in &mut seen {
            request.path = self.redactor.admit(&request.path);
            request.model = self.redactor.admit(&request.model);
        }
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;

    /// Answers one question a connection, and gives the questions back at the end.
    fn answering(answers: &[&str]) -> (tempfile::TempDir, tokio::task::JoinHandle<Vec<String>>) {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        let answers: Vec<_> = answers.iter().map(ToString::to_string).collect();
        let asked = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                asked.push(line.trim().to_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        (folder, asked)
    }

    fn board(folder: &tempfile::TempDir) -> ControlSocket {
        ControlSocket::new(folder.path().join("s"), Redactor::new())
    }

    #[tokio::test]
    async fn each_question_is_one_line_and_each_answer_is_read() {
        let (folder, asked) = answering(&[
            "{\"faults\":[{\"name\":\"host-502\",\"on\":false,\"what\":\"w\"}]}\n",
            "{\"faults\":[]}\n",
            "{\"faults\":[]}\n",
            "{\"requests\":[{\"no\":8,\"service\":\"host:prod\",\"method\":\"GET\",\
              \"path\":\"/x?token=abcdefgh1234\",\"status\":200,\"key_fingerprint\":\"\",\"model\":\"\"}]}\n",
        ]);
        let board = board(&folder);
        assert_eq!(board.faults().await.unwrap()[0].name, "host-502");
        board.set("host-502").await.unwrap();
        board.clear("host-502").await.unwrap();
        let seen = board.requests(7).await.unwrap();
        assert_eq!((seen[0].no, seen[0].status), (8, 200));
        assert!(!seen[0].path.contains("abcdefgh"));
        let asked: Vec<Value> = asked
            .await
            .unwrap()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            asked,
            [
                json!({"do": "faults"}),
                json!({"do": "set", "name": "host-502"}),
                json!({"do": "clear", "name": "host-502"}),
                json!({"do": "requests", "after": 7}),
            ]
        );
    }

    #[tokio::test]
    async fn errors_keep_their_words_and_silence_is_unreachable() {
        let (folder, _asked) = answering(&[
            "{\"error\":\"no fault `x`\",\"hint\":\"did you mean `y`?\"}\n",
            "{}\n",
            "half an answ",
        ]);
        let board = board(&folder);
        let refused = board.set("x").await.unwrap_err();
        assert_eq!(
            (
                refused.kind,
                refused.message.as_str(),
                refused.hint.as_str()
            ),
            (FailureKind::Usage, "no fault `x`", "did you mean `y`?")
        );
        let incomplete = board.faults().await.unwrap_err();
        assert_eq!(incomplete.kind, FailureKind::Remote);
        let broken = board.faults().await.unwrap_err();
        assert_eq!(broken.kind, FailureKind::Unreachable);
        let nobody = ControlSocket::new(folder.path().join("none"), Redactor::new());
        let silent = nobody.faults().await.unwrap_err();
        assert_eq!(silent.kind, FailureKind::Unreachable);
        assert!(silent.hint.contains("lab serve"));
    }

    #[tokio::test]
    async fn the_lab_speaks_this_language_and_its_configuration_leads_here() {
        use crate::host_http::{Credential, Credentials};

        let folder = tempfile::tempdir().unwrap();
        let lab = cockpit_lab::Lab::start(cockpit_lab::LabOptions {
            state_root: Some(folder.path().join("lab")),
            ..Default::default()
        })
        .await
        .unwrap();
        let config = crate::config::load(Some(&lab.config_path())).unwrap();
        let redactor = Redactor::new();
        let secrets = crate::secrets::Secrets::new(redactor.clone(), config.credentials.clone());
        for host in config.hosts.keys() {
            let credential = secrets.of(host).await.unwrap();
            assert!(matches!(credential, Credential::AdminKey(_)), "{host}");
        }
        let board = ControlSocket::new(config.lab_control.unwrap(), redactor);
        let is_on = |faults: Vec<FaultState>| {
            let fault = faults.into_iter().find(|fault| fault.name == "host-502");
            fault.unwrap().on
        };
        assert!(!is_on(board.faults().await.unwrap()));
        board.set("host-502").await.unwrap();
        assert!(is_on(board.faults().await.unwrap()));
        board.clear("host-502").await.unwrap();
        assert!(!is_on(board.faults().await.unwrap()));
        let unknown = board.set("host-503").await.unwrap_err();
        assert_eq!(unknown.kind, FailureKind::Usage);
        assert!(!unknown.hint.is_empty());
        assert_eq!(board.requests(0).await.unwrap(), []);
        lab.shutdown().await;
    }
}
