//! Real HTTP from the host to an upstream. Names are looked up in the lab's address table as seen
//! from the host's machine, and nowhere else: the lab never leaves this computer.

use super::SimHost;
use super::model::Account;
use bytes::Bytes;
use reqwest::{Client, Method, Url};
use serde_json::Value;
use std::time::Duration;

/// What an upstream said.
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) retry_after: Option<i64>,
    pub(super) body: Bytes,
}

impl Said {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// An event stream, whatever its head says.
    pub(super) fn is_stream(&self) -> bool {
        !self.text().trim_start().starts_with('{')
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The upstream's own words, as far as they can be found.
    pub(super) fn message(&self) -> String {
        let json = self.json();
        let inner = json["error"]["message"]
            .as_str()
            .or(json["message"].as_str());
        inner.map_or_else(|| self.text(), str::to_owned)
    }
}

/// Why there was no answer.
pub(super) enum Unheard {
    /// The host's own policy or the account's lack of a key.
    Refused(String),
    /// The network.
    Network(String),
}

/// The host's HTTP client. `None` only if the TLS provider cannot be set up.
pub(super) fn client() -> Option<Client> {
    // Another crate may have installed it before: then theirs is used.
    let _already = rustls::crypto::ring::default_provider()
        .install_default()
        .is_err();
    Client::builder()
        .no_proxy()
        // Never used over TLS; without this the system's roots are read at every start.
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
        .ok()
}

/// A text of an account's credentials.
pub(super) fn credential<'a>(account: &'a Account, name: &str) -> Option<&'a str> {
    let value = account.credentials.get(name).and_then(Value::as_str);
    value.map(str::trim).filter(|text| !text.is_empty())
}

/// Where an account's endpoint is: as is, after `/v<digits>`, or below `/v1`.
pub(super) fn endpoint(account: &Account, tail: &str) -> String {
    let default = if account.platform == "anthropic" {
        "https://api.anthropic.com"
    } else {
        "https://api.openai.com"
    };
    let base = credential(account, "base_url").unwrap_or(default);
    let base = base.trim_end_matches('/');
    let last = base.rsplit('/').next().unwrap_or_default();
    let digits = last.strip_prefix('v').unwrap_or_default();
    if base.ends_with(tail) {
        base.to_owned()
    } else if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{base}{tail}")
    } else {
        format!("{base}/v1{tail}")
    }
}

impl SimHost {
    /// Calls an endpoint of an account; `body` absent means GET.
    pub(super) async fn call(
        &self,
        account: &Account,
        tail: &str,
        body: Option<&Value>,
    ) -> Result<Said, Unheard> {
        let refused = |text: &str| Unheard::Refused(text.to_owned());
        let key = credential(account, "api_key").ok_or_else(|| refused("No API key available"))?;
        let address = endpoint(account, tail);
        let bad = |why: &str| Unheard::Refused(format!("Invalid base URL: {why}"));
        let mut url = Url::parse(&address).map_err(|_| bad("invalid url"))?;
        let insecure = self.with(|state| state.settings.allow_insecure_http);
        match url.scheme() {
            "https" => {}
            "http" if insecure => {}
            _ => return Err(bad("invalid url scheme: http")),
        }
        let network = |text: String| Unheard::Network(format!("Post \"{address}\": {text}"));
        let name = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let options = &self.inner.options;
        let Some(at) = options.table.resolve(&options.machine, &name, port) else {
            return Err(network(format!("dial tcp: lookup {name}: no such host")));
        };
        // TLS to vendors is not simulated: an https name leads to the same plain listener.
        let moved = url.set_scheme("http").is_ok()
            && url.set_ip_host(at.ip()).is_ok()
            && url.set_port(Some(at.port())).is_ok();
        let client = self.inner.client.as_ref().filter(|_| moved);
        let client = client.ok_or_else(|| network("no client".to_owned()))?;
        let method = if body.is_some() {
            Method::POST
        } else {
            Method::GET
        };
        let mut request = client.request(method, url).header("host", name);
        request = if account.platform == "anthropic" {
            request
                .header("x-api-key", key)
                .header("anthropic-version", "2023-06-01")
        } else {
            request.bearer_auth(key)
        };
        if let Some(body) = body {
            request = request.json(body);
        }
        let plain = |error: reqwest::Error| network(error.without_url().to_string());
        let response = request.send().await.map_err(plain)?;
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let content_type = header("content-type").unwrap_or_default();
        let retry_after = header("retry-after").and_then(|text| text.parse().ok());
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(plain)?;
        Ok(Said {
            status,
            content_type,
            retry_after,
            body,
        })
    }
}
