//! Plays a scenario against a host: a running one, whose answers are kept, or the lab's.

use super::redact::Variables;
use super::scenario::{Scenario, Step};
use cockpit_lab::sub2api::SimHost;
use reqwest::{Client, Method};
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Headers that are part of the contract.
const HEADERS: [&str; 2] = ["x-idempotency-replayed", "retry-after"];
/// How long a step may wait for its condition.
const PATIENCE: Duration = Duration::from_secs(20);

/// A host to play against.
pub(super) struct Stage {
    pub(super) base: String,
    pub(super) admin_key: String,
    pub(super) good: String,
    pub(super) chat: String,
    /// Part of every name, so that a shared host keeps runs apart.
    pub(super) run: String,
    /// The lab's host, whose clock can be moved.
    pub(super) lab: Option<SimHost>,
}

impl Stage {
    /// Plays all steps; gives one redacted answer a step.
    pub(super) async fn play(&self, scenario: &Scenario) -> Vec<Value> {
        let mut known = Variables::default();
        known.set("run", self.run.as_str());
        known.set("good", self.good.as_str());
        known.set("chat", self.chat.as_str());
        known.set("admin_key", self.admin_key.as_str());
        known.set("password", format!("pw-{}-long-enough", self.run));
        let (mut played, mut broken) = (Vec::new(), None);
        for step in &scenario.steps {
            let mut last = Ok(Value::Null);
            for n in 1..=step.repeat {
                last = self.step(scenario, step, n, &mut known).await;
            }
            match last {
                Ok(answer) => played.push(answer),
                Err(why) => {
                    broken = Some(format!("{}, step `{}`: {why}", scenario.name, step.name));
                    break;
                }
            }
        }
        if self.lab.is_none() {
            for step in &scenario.cleanup {
                for n in 1..=step.repeat {
                    self.clean(step, n, &mut known).await;
                }
            }
        }
        match broken {
            Some(why) => panic!("{why}"),
            None => played,
        }
    }

    async fn step(
        &self,
        scenario: &Scenario,
        step: &Step,
        n: u64,
        known: &mut Variables,
    ) -> Result<Value, String> {
        if step.pause > 0 {
            let pause = Duration::from_secs(step.pause);
            match &self.lab {
                Some(host) => host.with(|state| state.advance(pause)),
                None => tokio::time::sleep(pause).await,
            }
        }
        known.set("n", n);
        let begun = Instant::now();
        loop {
            let heard = self.ask(step, known).await;
            let waiting = step.until.as_ref().filter(|(at, is)| {
                let found = heard.body.pointer(at).unwrap_or(&Value::Null);
                found != is
            });
            if waiting.is_some() && begun.elapsed() < PATIENCE {
                let pause = if self.lab.is_some() { 30 } else { 250 };
                tokio::time::sleep(Duration::from_millis(pause)).await;
                continue;
            }
            let body = || known.redact(&scenario.volatile, "", &heard.body);
            if let Some((at, is)) = waiting {
                return Err(format!("{at} never became {is}: {}", body()));
            }
            let mut captured = Vec::new();
            for (name, at) in &step.capture {
                let Some(value) = heard.body.pointer(at) else {
                    return Err(format!("no {at} in {} {}", heard.status, body()));
                };
                captured.push((name.replace("{n}", &n.to_string()), value.clone()));
            }
            for (name, value) in captured {
                known.set(&name, value);
            }
            return Ok(shown(scenario, step, known, &heard));
        }
    }

    async fn ask(&self, step: &Step, known: &Variables) -> Heard {
        let ask = step
            .ask
            .replace("{n}", &known.text("n").unwrap_or_default());
        let (method, path) = ask.split_once(' ').expect("method and path");
        let method: Method = method.parse().expect("a method");
        let url = format!("{}{}", self.base, known.fill(path).replace('@', "%40"));
        let mut client = Client::builder().no_proxy().tls_certs_only([]);
        if self.lab.is_none() {
            client = client.local_address(self.from(step));
        }
        let client = client.build().expect("a client");
        let mut request = client.request(method, url);
        match step.by.as_str() {
            "none" => {}
            "admin" => request = request.header("x-api-key", &self.admin_key),
            token => {
                let token = known
                    .text(token)
                    .unwrap_or_else(|| panic!("no `{token}` yet"));
                request = request.bearer_auth(token);
            }
        }
        for (name, value) in &step.headers {
            request = request.header(name, known.fill(value));
        }
        if let Some(body) = &step.body {
            let body = known.fill(body);
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().ok()?.to_owned())
        };
        let kind = header("content-type").unwrap_or_default();
        let headers = HEADERS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), header(name)?)));
        let headers = headers.collect();
        let text = response.text().await.expect("a body");
        let body = read(&text);
        Heard {
            status,
            kind,
            headers,
            body,
        }
    }

    /// Logins are counted by address: each run brings its own, so that it takes no one's share.
    fn from(&self, step: &Step) -> Option<IpAddr> {
        if let Some(from) = &step.from {
            return Some(from.parse().expect("an address"));
        }
        let drawn = self
            .run
            .bytes()
            .fold(7_u8, |sum, byte| sum.wrapping_mul(31) ^ byte);
        let login = step.ask.ends_with("/auth/login");
        login.then(|| IpAddr::from([127, 78, drawn, 2]))
    }

    /// Takes away what a scenario left; whether it worked is not part of the recording.
    async fn clean(&self, step: &Step, n: u64, known: &mut Variables) {
        known.set("n", n);
        let ask = step.ask.replace("{n}", &n.to_string());
        if known.can_fill(&ask) {
            let _gone = self.ask(step, known).await;
        }
    }
}

struct Heard {
    status: u16,
    kind: String,
    headers: Vec<(String, String)>,
    body: Value,
}

/// A JSON body as it is; events as a list; anything else as text.
fn read(text: &str) -> Value {
    if let Ok(json) = serde_json::from_str(text) {
        return json;
    }
    let is_stream = text.starts_with("data:") || text.starts_with("event:");
    if !is_stream {
        return json!(text);
    }
    let events = text.split("\n\n").filter(|event| !event.trim().is_empty());
    let events: Vec<Value> = events
        .map(|event| {
            let mut done = Map::new();
            for line in event.lines() {
                let (field, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.trim_start();
                let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
                done.insert(field.to_owned(), value);
            }
            Value::Object(done)
        })
        .collect();
    json!({ "events": events })
}

fn shown(scenario: &Scenario, step: &Step, known: &Variables, heard: &Heard) -> Value {
    let mut body = heard.body.clone();
    if let Some([at, field, head]) = &step.keep {
        let begin = known.fill(head);
        if let Some(rows) = body.pointer_mut(at).and_then(Value::as_array_mut) {
            rows.retain(|row| {
                row[field]
                    .as_str()
                    .is_some_and(|text| text.starts_with(&begin))
            });
        }
    }
    let redact = |field: &str, value: &Value| known.redact(&scenario.volatile, field, value);
    let body = if step.only.is_empty() {
        redact("", &body)
    } else {
        let parts = step.only.iter();
        let parts =
            parts.filter_map(|at| Some((at.clone(), redact(field_of(at), body.pointer(at)?))));
        Value::Object(parts.collect())
    };
    let mut answer = json!({
        "step": step.name, "ask": step.ask, "status": heard.status,
        "content_type": heard.kind,
        "body": body,
    });
    for (name, value) in &heard.headers {
        let value = if name == "retry-after" {
            "<seconds>"
        } else {
            value
        };
        answer[name] = json!(value);
    }
    answer
}

/// The name a pointer ends with, its indices aside.
fn field_of(pointer: &str) -> &str {
    let mut names = pointer.rsplit('/');
    names
        .find(|name| name.parse::<usize>().is_err())
        .unwrap_or_default()
}
