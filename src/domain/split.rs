//! The split of a path: the same small call made at the upstream itself and through the host, so
//! that an issue report can say whose fault it is without a person's key in it.

use crate::batch::CompletionClass;
use crate::ids::{HostId, PackId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Write as _;

/// One call, with what was sent and what came back. Never a key, never a header that may hold one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitCall {
    /// `models direct`, `chat direct`, `chat via host`.
    pub name: String,
    /// Where it started: `here` or a machine.
    pub vantage: String,
    /// Method and address.
    pub request: String,
    /// The body sent, or null.
    pub sent: Value,
    /// HTTP status, 0 if there was no answer.
    pub status: u16,
    /// `Content-Type`, lower case, without parameters.
    pub content_type: String,
    /// The answer's body, redacted, cut; or why there was none.
    pub answer: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// UTC, RFC 3339.
    pub at: String,
}

/// The whole pack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitReport {
    /// Host.
    pub host: HostId,
    /// What it says it is.
    pub host_version: String,
    /// Provider.
    pub provider: PackId,
    /// The vendor's address.
    pub upstream: String,
    /// The model as clients call it.
    pub model: String,
    /// The model as the vendor calls it.
    pub upstream_model: String,
    /// The upstream key as it may be shown.
    pub key: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The account that served the call through the host, if the host says so.
    pub served_by: Option<String>,
    /// Whether that account holds the key of the direct calls.
    pub same_key: Option<bool>,
    /// Whose fault it is.
    pub completion_classification: CompletionClass,
    /// The first bad hop, if there is one: `upstream` or `host`.
    pub first_bad_hop: Option<String>,
    /// What the host stores against the accounts of the group, redacted.
    pub stored: Vec<String>,
    /// The calls, in the order they were made.
    pub calls: Vec<SplitCall>,
    /// The version of this program.
    pub made_by: String,
}

impl SplitReport {
    /// One sentence: whose fault it is.
    pub fn verdict(&self) -> &'static str {
        match self.completion_classification {
            CompletionClass::Ok => "the upstream and the host both answer",
            CompletionClass::HostCompatibilityGap => {
                "the upstream answers and the host does not: the fault is between the host and the upstream's protocol"
            }
            CompletionClass::UpstreamKeyQuotaIssue => "the upstream key has no quota left",
            CompletionClass::UpstreamAuthFailed => "the upstream refuses the key",
            CompletionClass::UpstreamRateLimited => "the upstream asks to slow down",
            CompletionClass::UpstreamUnreachable => "nobody answers at the upstream",
            CompletionClass::UpstreamUnexpected => "the upstream answers something unexpected",
        }
    }

    /// As Markdown, for an issue.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# {} through {}: `{}`\n\n{}.\n\n",
            self.provider,
            self.host,
            self.completion_classification,
            self.verdict()
        );
        let served = match (&self.served_by, self.same_key) {
            (Some(account), Some(true)) => {
                format!("{account}, which holds the key of the direct calls")
            }
            (Some(account), Some(false)) => {
                format!("{account}, which holds ANOTHER key than the direct calls")
            }
            (Some(account), None) => account.clone(),
            (None, _) => "nobody, as far as the host says".to_owned(),
        };
        let bad = self.first_bad_hop.as_deref().unwrap_or("none");
        let rows = [
            ("host version", self.host_version.as_str()),
            ("upstream", &self.upstream),
            ("model", &self.model),
            ("upstream model", &self.upstream_model),
            ("key", &format!("{} ({})", self.key, self.fingerprint)),
            ("served by", &served),
            ("first bad hop", bad),
            ("made by", &self.made_by),
        ];
        text.push_str("| | |\n|---|---|\n");
        for (name, value) in rows {
            let _ = writeln!(text, "| {name} | {} |", value.replace('|', "\\|"));
        }
        for line in &self.stored {
            let _ = writeln!(text, "\nThe host stores: {line}");
        }
        for (at, call) in self.calls.iter().enumerate() {
            let _ = write!(
                text,
                "\n## {}. {} (from {})\n\n{}, {} ms, at {}\n\n    {}\n",
                at + 1,
                call.name,
                call.vantage,
                if call.status == 0 {
                    "no answer".to_owned()
                } else {
                    format!("HTTP {}, `{}`", call.status, call.content_type)
                },
                call.duration_ms,
                call.at,
                call.request
            );
            if !call.sent.is_null() {
                let _ = writeln!(text, "    {}", call.sent);
            }
            text.push('\n');
            for line in call.answer.lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
        text
    }
}
