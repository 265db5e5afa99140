//! The far ends as a test meets them: what the lab saw, a host's admin API behind a forward of
//! the test's own, and the rows of the store.

use super::{COCKPIT, Lab, Ran, run, wait_until};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long one conversation with the lab may take.
const LIMIT: Duration = Duration::from_secs(20);

impl Lab {
    /// One question to the control socket.
    pub(crate) fn control(&self, question: &Value) -> Value {
        let mut stream =
            UnixStream::connect(self.folder().join("control.sock")).expect("the control socket");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        stream
            .write_all(format!("{question}\n").as_bytes())
            .expect("it is asked");
        let mut answer = String::new();
        BufReader::new(stream)
            .read_line(&mut answer)
            .expect("it answers");
        serde_json::from_str(&answer).expect("a JSON line")
    }

    /// What the lab saw after a mark.
    pub(crate) fn seen(&self, after: u64) -> Seen {
        let answer = self.control(&json!({"do": "requests", "after": after}));
        Seen(answer["requests"].as_array().expect("rows").clone())
    }

    /// The number of the newest request.
    pub(crate) fn mark(&self) -> u64 {
        self.seen(0)
            .0
            .last()
            .map_or(0, |row| row["no"].as_u64().expect("a number"))
    }

    /// Switches a fault on.
    pub(crate) fn break_it(&self, fault: &str) {
        let answer = self.control(&json!({"do": "set", "name": fault}));
        assert!(answer["error"].is_null(), "{answer}");
    }

    /// Switches a fault off.
    pub(crate) fn mend_it(&self, fault: &str) {
        let answer = self.control(&json!({"do": "clear", "name": fault}));
        assert!(answer["error"].is_null(), "{answer}");
    }

    /// Every row of the store, as text.
    pub(crate) fn store_rows(&self) -> Vec<String> {
        store_rows(&self.folder().join("state"))
    }

    /// The admin API of a host, as a neighbour of ours would use it.
    pub(crate) fn admin(&self, host: &str) -> Admin {
        let machine = if host == "prod" {
            "remote43"
        } else {
            "accept44"
        };
        let socket = self.folder().join(format!("neighbour-{host}"));
        let client = Command::new("ssh")
            .arg("-F")
            .arg(self.folder().join("ssh_config"))
            .args(["-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes"])
            .args(["-N", "-L"])
            .arg(format!("{}:127.0.0.1:8080", socket.display()))
            .arg(machine)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ssh starts");
        let key = std::fs::read_to_string(self.folder().join(format!("{host}.key")))
            .expect("the admin key");
        let admin = Admin {
            client,
            socket,
            key: key.trim().to_owned(),
        };
        wait_until("the neighbour's forward", LIMIT, || {
            UnixStream::connect(&admin.socket).ok()
        });
        admin
    }
}

/// Rows of the lab's request log.
#[derive(Debug)]
pub(crate) struct Seen(pub(crate) Vec<Value>);

impl Seen {
    /// How many requests there were.
    pub(crate) fn total(&self) -> usize {
        self.0.len()
    }

    /// Requests that may have changed a host, as `METHOD path`.
    pub(crate) fn writes(&self, host: &str) -> Vec<String> {
        let service = format!("host:{host}");
        self.0
            .iter()
            .filter(|row| row["service"] == service && row["method"] != "GET")
            .map(|row| (text(row, "method"), text(row, "path")))
            .filter(|(_, path)| path.starts_with("/api/v1/"))
            // Logging in and asking an account's upstream for its list change nothing.
            .filter(|(_, path)| !path.ends_with("/auth/login") && !path.ends_with("/sync-upstream"))
            .map(|(method, path)| format!("{method} {path}"))
            .collect()
    }

    /// Accounts that were made.
    pub(crate) fn accounts_made(&self, host: &str) -> usize {
        let made = |row: &&String| row.as_str() == "POST /api/v1/admin/accounts";
        self.writes(host).iter().filter(made).count()
    }

    /// Fingerprints of the keys that called a model at an upstream.
    pub(crate) fn upstream_keys(&self) -> BTreeSet<String> {
        self.0
            .iter()
            .filter(|row| text(row, "service").starts_with("upstream:"))
            .filter(|row| {
                let path = text(row, "path");
                path.ends_with("/chat/completions") || path.ends_with("/responses")
            })
            .map(|row| text(row, "key_fingerprint"))
            .collect()
    }
}

/// A text field of an object; empty when it has none.
pub(crate) fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().to_owned()
}

/// A forward to a host, and its admin key.
pub(crate) struct Admin {
    client: Child,
    socket: PathBuf,
    key: String,
}

impl Admin {
    /// One request; the envelope's `data` of an answer below 300.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body);
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer["data"].clone()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut stream = UnixStream::connect(&self.socket).expect("the forward");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: host\r\nx-api-key: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.key,
            body.len(),
        );
        stream.write_all(request.as_bytes()).expect("it is asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).expect("a status");
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        (status.parse().expect("a number"), body)
    }

    /// Rows of a list.
    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        let data = self.call("GET", path, &Value::Null);
        let rows = if data.is_array() {
            &data
        } else {
            &data["items"]
        };
        rows.as_array()
            .unwrap_or_else(|| panic!("{path}: {data}"))
            .clone()
    }

    /// Everything an import could touch, by kind, name and id; without what traffic changes.
    pub(crate) fn listing(&self) -> BTreeMap<String, Value> {
        let mut rows = BTreeMap::new();
        for (kind, path, name) in [
            ("group", "groups?page_size=100", "name"),
            ("channel", "channels?page_size=100", "name"),
            ("plan", "payment/plans", "name"),
            ("account", "accounts?page_size=100", "name"),
            ("user", "users?page_size=100", "email"),
            ("subscription", "subscriptions?page_size=100", "notes"),
        ] {
            for mut row in self.list(&format!("/api/v1/admin/{path}")) {
                let name = format!("{kind} {} #{}", text(&row, name), row["id"]);
                steady(&mut row);
                rows.insert(name, row);
            }
        }
        rows
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        // A child of the test's own; it may have ended with the lab.
        drop(self.client.kill());
        drop(self.client.wait());
    }
}

/// Leaves out what traffic and clocks change, and ids of parts that are written anew.
fn steady(row: &mut Value) {
    match row {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !matches!(
                    name.as_str(),
                    "updated_at"
                        | "last_used_at"
                        | "last_login_at"
                        | "last_active_at"
                        | "current_concurrency"
                        | "channel_id"
                )
            });
            fields.values_mut().for_each(steady);
        }
        Value::Array(rows) => {
            for row in rows {
                steady(row);
                if let Some(fields) = row.as_object_mut() {
                    fields.remove("id");
                }
            }
        }
        _ => {}
    }
}

/// Every row of the store in a state folder, as text; nothing when there is no store.
pub(crate) fn store_rows(state_dir: &Path) -> Vec<String> {
    let database = state_dir.join("cockpit.db");
    if !database.exists() {
        return Vec::new();
    }
    let db = rusqlite::Connection::open(&database).expect("the store opens");
    let mut names = db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .expect("a table list");
    let tables: Vec<String> = names
        .query_map([], |row| row.get(0))
        .expect("names")
        .map(|name| name.expect("a name"))
        .collect();
    let mut rows = Vec::new();
    for table in tables {
        let mut all = db
            .prepare(&format!("SELECT * FROM \"{table}\""))
            .expect("a table");
        let columns = all.column_count();
        let found = all
            .query_map([], |row| {
                let cells: Result<Vec<String>, _> = (0..columns)
                    .map(|at| {
                        row.get::<_, rusqlite::types::Value>(at)
                            .map(|cell| format!("{cell:?}"))
                    })
                    .collect();
                cells
            })
            .expect("rows");
        rows.extend(found.map(|row| format!("{table}: {}", row.expect("a row").join(" | "))));
    }
    rows
}

/// Runs the program with words and an environment of its own.
pub(crate) fn run_in(words: &[&str], environment: &[(&str, &Path)]) -> Ran {
    let mut command = Command::new(COCKPIT);
    command.args(words);
    for (name, value) in environment {
        command.env(name, value);
    }
    run(&mut command, None)
}

impl Ran {
    /// The one JSON object of a failure on standard error.
    pub(crate) fn error(&self) -> Value {
        let value: Value = serde_json::from_str(self.stderr.trim())
            .unwrap_or_else(|error| panic!("{error}: {self:?}"));
        value["error"].clone()
    }
}
