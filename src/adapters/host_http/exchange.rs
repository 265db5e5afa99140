//! One exchange with the host: the head over the way that stands, the body up to the limit, and
//! what a broken one means for the call.

use super::call::Call;
use super::client::HostHttp;
use super::judge::{self, Raw, Trouble};
use super::transport::{Broken, Layer};
use cockpit_engine::failure::{Failure, FailureKind};
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use std::time::Instant;
use tokio::sync::SemaphorePermit;

impl HostHttp {
    /// A place among the calls in flight, kept until the whole answer is there.
    pub(super) async fn permit(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.gate.enter().await
    }

    /// The head of the answer. A tunnel is asked once more when its socket refuses, since the
    /// request was surely not sent then.
    pub(super) async fn exchange(
        &self,
        call: &Call<'_>,
        header: Option<(&HeaderName, &HeaderValue)>,
    ) -> Result<Response, Trouble> {
        let started = Instant::now();
        let dialled = self.way.client().await?;
        let mut sent = self.send(&dialled.client, call, header).await;
        if sent.as_ref().is_err_and(reqwest::Error::is_connect)
            && let Some(dialled) = self.way.again(dialled.made).await?
        {
            sent = self.send(&dialled.client, call, header).await;
        }
        let status = sent.as_ref().map_or(0, |answer| answer.status().as_u16());
        tracing::debug!(
            host = %self.host,
            method = %call.method,
            path = call.path,
            status,
            ms = started.elapsed().as_millis(),
            "host call"
        );
        match sent {
            Ok(response) => Ok(response),
            Err(error) => {
                let mut trouble = self.broken(call, &Broken::of(error));
                if trouble.again
                    && let Some(said) = self.way.trouble().await
                {
                    trouble.failure.kind = said.kind;
                    trouble.failure.message = said.message;
                    if !trouble.failure.maybe_done {
                        trouble.failure.hint = said.hint;
                    }
                }
                Err(trouble)
            }
        }
    }

    async fn send(
        &self,
        client: &reqwest::Client,
        call: &Call<'_>,
        header: Option<(&HeaderName, &HeaderValue)>,
    ) -> Result<Response, reqwest::Error> {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}{}",
            self.base.path().trim_end_matches('/'),
            call.path
        ));
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = client
            .request(call.method.clone(), url)
            .timeout(call.time_limit.unwrap_or(self.limits.call));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        if let Some(key) = call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        request.send().await
    }

    /// The whole answer, up to the limit.
    pub(super) async fn read(
        &self,
        call: &Call<'_>,
        mut response: Response,
    ) -> Result<Raw, Trouble> {
        let header = |name: HeaderName| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut raw = Raw {
            status: response.status().as_u16(),
            content_type: header(CONTENT_TYPE).unwrap_or_default(),
            location: header(LOCATION),
            date: header(DATE),
            retry_after: header(RETRY_AFTER).and_then(|text| text.trim().parse().ok()),
            body: Vec::new(),
        };
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) if raw.body.len() + bytes.len() > self.limits.body => {
                    return Err(self.too_long(call).into());
                }
                Ok(Some(bytes)) => raw.body.extend_from_slice(&bytes),
                Ok(None) => return Ok(raw),
                Err(error) => return Err(self.broken(call, &Broken::of(error))),
            }
        }
    }

    fn too_long(&self, call: &Call<'_>) -> Failure {
        let failure = Failure::new(
            FailureKind::Remote,
            format!("the answer is longer than {} bytes", self.limits.body),
        )
        .hint("check that the address is the host's own API");
        if call.is_write() {
            failure.maybe_done()
        } else {
            failure
        }
    }

    /// A failure below HTTP.
    pub(super) fn broken(&self, call: &Call<'_>, broken: &Broken) -> Trouble {
        let place = format!("`{}`{}", self.address, self.way.through());
        let message = match broken.layer {
            Layer::Name => format!("the name of {place} has no address: {}", broken.text),
            Layer::Tls => format!("{place} does not pass as TLS: {}", broken.text),
            Layer::Time if broken.unsent => format!("no connection to {place}: {}", broken.text),
            Layer::Time => format!("no whole answer from {place} in time: {}", broken.text),
            Layer::Connection => format!("nobody takes connections at {place}: {}", broken.text),
            Layer::Http => format!("the connection to {place} was cut: {}", broken.text),
        };
        let mut failure = Failure::new(
            FailureKind::Unreachable,
            judge::one_line(&self.redactor, &message),
        );
        if call.is_write() && !broken.unsent {
            failure = failure.maybe_done().hint(
                "the request may have taken effect: look at the host before sending it again",
            );
        }
        let failure = failure.hint(match broken.layer {
            Layer::Name => "check the address in the configuration",
            Layer::Tls => "check the certificate, the clock, and that the port speaks https",
            _ => "check that the host runs, and that its machine and address are the right ones",
        });
        Trouble {
            // A refused connection, or one that was cut: a tunnel to a closed port looks like that.
            again: broken.layer == Layer::Connection || broken.layer == Layer::Http,
            failure,
        }
    }
}
