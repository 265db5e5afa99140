//! The host's account test: a stream of `data:` lines (`host-contract.md` 4.3.5). Early errors
//! come as `text/plain`, so lines are read whatever the content type; unknown events are ignored.

use super::call::Call;
use super::client::HostHttp;
use super::judge::{self, Raw};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::text::shorten;
use cockpit_engine::failure::Outcome;
use cockpit_engine::ports::AccountTest;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::time::Instant;
use tokio::sync::SemaphorePermit;

/// Longest line looked at; image data is longer and of no use here.
const LONGEST_LINE: usize = 1 << 20;

/// Folds the lines of the stream.
#[derive(Default)]
struct Events {
    rest: Vec<u8>,
    /// Whether the rest belongs to a line that is skipped.
    skipping: bool,
    last: String,
    text: String,
    other: String,
}

impl Events {
    /// Takes bytes; the verdict once a terminal event came.
    fn take(&mut self, bytes: &[u8]) -> Option<AccountTest> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !self.skipping {
                self.rest.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                if let Some(verdict) = self.end_line() {
                    return Some(verdict);
                }
            } else if self.rest.len() > LONGEST_LINE {
                self.rest.clear();
                self.skipping = true;
            }
        }
        None
    }

    /// The line that ends here, which the end of the stream does too.
    fn end_line(&mut self) -> Option<AccountTest> {
        let line = std::mem::take(&mut self.rest);
        if std::mem::take(&mut self.skipping) {
            return None;
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        let data = line.strip_prefix("data:").map_or(line, str::trim_start);
        let Some(event) = serde_json::from_str::<Value>(data)
            .ok()
            .filter(|event| event["type"].is_string())
        else {
            let is_noise = line.is_empty() || line.starts_with(':') || line.starts_with("event:");
            if !is_noise && self.other.len() < 2000 {
                self.other.push_str(line);
                self.other.push(' ');
            }
            return None;
        };
        let word = |name: &str| event[name].as_str().unwrap_or_default().trim().to_owned();
        let kind = word("type");
        match kind.as_str() {
            "test_complete" if event["success"].as_bool() != Some(false) => {
                return Some(AccountTest::Passed);
            }
            "error" | "test_complete" => {
                let reason = [word("error"), word("text"), word("code")]
                    .into_iter()
                    .find(|word| !word.is_empty())
                    .unwrap_or_else(|| "the host gave no reason".to_owned());
                return Some(AccountTest::Failed(reason));
            }
            "content" if self.text.len() < 2000 => {
                self.text
                    .push_str(event["text"].as_str().unwrap_or_default());
            }
            _ => {}
        }
        self.last = kind;
        None
    }

    /// What there was, when it ended without a terminal event.
    fn unfinished(&self, why: &str) -> AccountTest {
        let seen = if self.last.is_empty() {
            "no event came".to_owned()
        } else {
            format!("the last event was `{}`", self.last)
        };
        let said = format!("{}{}", self.text, self.other);
        let said = said.trim();
        AccountTest::Unfinished(if said.is_empty() {
            format!("{why}; {seen}")
        } else {
            format!("{why}; {seen}, the text so far: {}", shorten(said, 200))
        })
    }
}

impl HostHttp {
    pub(super) async fn run_test(&self, id: RemoteId, model: &str) -> Outcome<AccountTest> {
        let path = format!("/accounts/{id}/test");
        let call = Call::write(
            Method::POST,
            path,
            format!("testing account {id} with `{model}`"),
        )
        // The parameter is `model_id`; a `model` would be ignored and the default one tested.
        .body(json!({ "model_id": model }))
        .within(self.limits.test);
        let (response, _permit) = self
            .stream(&call)
            .await
            .map_err(|failure| self.name(&call, failure))?;
        Ok(match self.follow(response).await {
            AccountTest::Passed => AccountTest::Passed,
            AccountTest::Failed(why) => AccountTest::Failed(self.reason(&why)),
            AccountTest::Unfinished(why) => AccountTest::Unfinished(self.reason(&why)),
        })
    }

    fn reason(&self, text: &str) -> String {
        shorten(&self.line(text), 1000)
    }

    /// The head of the stream; a refusal of the layers before it is a failure.
    async fn stream(&self, call: &Call<'_>) -> Outcome<(Response, SemaphorePermit<'_>)> {
        let mut spent = None;
        loop {
            let shown = self
                .admin_header(spent.as_ref())
                .await
                .map_err(|trouble| trouble.failure)?;
            let permit = self.permit().await?;
            let response = self
                .exchange(call, Some((&shown.name, &shown.value)))
                .await
                .map_err(|trouble| trouble.failure)?;
            let is_page = response
                .headers()
                .get(CONTENT_TYPE)
                .is_some_and(|kind| kind.as_bytes().windows(4).any(|word| word == b"html"));
            if response.status().is_success() && !is_page {
                return Ok((response, permit));
            }
            let raw = self
                .read(call, response)
                .await
                .map_err(|trouble| trouble.failure)?;
            drop(permit);
            if spent.is_none()
                && judge::login_ran_out(&raw)
                && let Some(token) = shown.token
            {
                spent = Some(token);
                continue;
            }
            return match judge::accept(raw, call, &self.redactor) {
                Err(trouble) => Err(trouble.failure),
                Ok(Raw { .. }) => Err(judge::unreadable(
                    &self.redactor,
                    "it is no event stream",
                    call,
                )),
            };
        }
    }

    async fn follow(&self, mut response: Response) -> AccountTest {
        let mut events = Events::default();
        let started = Instant::now();
        loop {
            let left = self.limits.test.saturating_sub(started.elapsed());
            let silence = self.limits.test_silence.min(left);
            match tokio::time::timeout(silence, response.chunk()).await {
                Ok(Ok(Some(bytes))) => {
                    if let Some(verdict) = events.take(&bytes) {
                        return verdict;
                    }
                }
                Ok(Ok(None)) => {
                    return events
                        .end_line()
                        .unwrap_or_else(|| events.unfinished("the stream ended early"));
                }
                Ok(Err(_)) => {
                    return events
                        .end_line()
                        .unwrap_or_else(|| events.unfinished("the connection was cut"));
                }
                Err(_) => {
                    let seconds = silence.as_secs_f64();
                    return events.unfinished(&format!("nothing more came for {seconds} s"));
                }
            }
        }
    }
}
