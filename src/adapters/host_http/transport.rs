//! What went wrong below HTTP, in words: which layer, and whether the request was surely not
//! sent.

use std::error::Error as _;

/// The layer that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The name has no address.
    Name,
    /// Nobody took the connection.
    Connection,
    /// The connection stands, TLS does not.
    Tls,
    /// No answer in time.
    Time,
    /// The connection broke, or what came was no HTTP.
    Http,
}

impl Layer {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connection => "connection",
            Self::Tls => "TLS",
            Self::Time => "time",
            Self::Http => "HTTP",
        }
    }
}

/// A failed exchange.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) layer: Layer,
    /// The libraries' words, without the URL.
    pub(crate) text: String,
    /// Whether not one byte of the request can have reached the far end.
    pub(crate) unsent: bool,
}

impl Broken {
    pub(crate) fn of(error: reqwest::Error) -> Self {
        let unsent = error.is_connect() || error.is_builder();
        let text = chain(&error.without_url());
        Self {
            layer: layer(&text, unsent),
            text,
            unsent,
        }
    }

    /// The time limit passed.
    pub(crate) fn late(seconds: f64) -> Self {
        Self {
            layer: Layer::Time,
            text: format!("no complete answer within {seconds} s"),
            unsent: false,
        }
    }
}

fn layer(text: &str, unsent: bool) -> Layer {
    let low = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| low.contains(word));
    if has(&["dns error", "failed to lookup", "name or service not known"]) {
        Layer::Name
    } else if has(&["certificate", "tls", "handshake", "corrupt message"]) {
        Layer::Tls
    } else if has(&["timed out", "timeout"]) {
        Layer::Time
    } else if unsent {
        Layer::Connection
    } else {
        Layer::Http
    }
}

/// The whole chain of causes in one line, each said once.
pub(crate) fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let word = error.to_string();
        if !text.contains(&word) {
            text.push_str(": ");
            text.push_str(&word);
        }
        cause = error.source();
    }
    text
}
