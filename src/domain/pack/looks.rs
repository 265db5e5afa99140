//! The kinds of look a check can take, each with what it expects. One struct is one table of the
//! pack; a new kind is a new struct here, its rules in `check_rules.rs`, its judge in
//! `domain::baseline` and its eyes in the engine.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a check looks and what it expects.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// One HTTP request.
    Http(HttpLook),
    /// The effective nginx configuration.
    Nginx(NginxLook),
    /// Running containers.
    Containers(ContainersLook),
    /// Listening TCP ports.
    Listening(ListeningLook),
    /// A binding stored on the host.
    Binding(BindingLook),
    /// A user's model calls with an active key of the host.
    Smoke(SmokeLook),
}

impl Look {
    /// Every kind's word.
    pub const KINDS: [&'static str; 6] = [
        "http",
        "nginx",
        "containers",
        "listening",
        "binding",
        "smoke",
    ];

    /// The kind's word, as the pack has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Nginx(_) => "nginx",
            Self::Containers(_) => "containers",
            Self::Listening(_) => "listening",
            Self::Binding(_) => "binding",
            Self::Smoke(_) => "smoke",
        }
    }

    /// Whether it can only look on a machine.
    pub fn needs_machine(&self) -> bool {
        matches!(
            self,
            Self::Nginx(_) | Self::Containers(_) | Self::Listening(_)
        )
    }

    /// Whether it asks the host's admin API.
    pub fn needs_host(&self) -> bool {
        matches!(self, Self::Binding(_) | Self::Smoke(_))
    }
}

fn get() -> String {
    "GET".to_owned()
}

/// One HTTP request and the answer it must get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpLook {
    /// `GET`, `HEAD` or `POST`.
    #[serde(default = "get")]
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Expected status.
    pub status: u16,
    /// Text the body must hold.
    #[serde(default)]
    pub body_contains: Option<String>,
    /// The whole body, white space around it ignored.
    #[serde(default)]
    pub body_equals: Option<String>,
    /// Expected content type, without parameters.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Fields of a JSON body, dotted path to value as text: `code = "API_KEY_REQUIRED"`.
    #[serde(default)]
    pub json: BTreeMap<String, String>,
}

/// What `nginx -T` must say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NginxLook {
    /// The site: a name some `server` block must answer to. Not needed for banned ports alone.
    #[serde(default)]
    pub server_name: Option<String>,
    /// Locations that must be written so.
    #[serde(default)]
    pub location: Vec<ExpectedLocation>,
    /// Request path to the upstream URL nginx would really ask, other locations considered.
    #[serde(default)]
    pub routes: BTreeMap<String, String>,
    /// Ports that nothing in the effective configuration may name.
    #[serde(default)]
    pub banned_ports: Vec<u16>,
}

/// A location as it must be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedLocation {
    /// Prefix, exact path or pattern.
    pub path: String,
    /// `=`, `^~`, `~`, `~*`, or nothing.
    #[serde(default)]
    pub modifier: String,
    /// Value of `proxy_pass`.
    #[serde(default)]
    pub proxy_pass: Option<String>,
    /// Value of `alias`.
    #[serde(default)]
    pub alias: Option<String>,
    /// Value of `root`.
    #[serde(default)]
    pub root: Option<String>,
    /// Value of `index`.
    #[serde(default)]
    pub index: Option<String>,
    /// Value of `try_files`.
    #[serde(default)]
    pub try_files: Option<String>,
}

impl ExpectedLocation {
    /// The directives it pins, by name.
    pub fn directives(&self) -> Vec<(&'static str, &str)> {
        [
            ("proxy_pass", &self.proxy_pass),
            ("alias", &self.alias),
            ("root", &self.root),
            ("index", &self.index),
            ("try_files", &self.try_files),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
        .collect()
    }

    /// How it stands in the file: `^~ /portal/`.
    pub fn label(&self) -> String {
        if self.modifier.is_empty() {
            self.path.clone()
        } else {
            format!("{} {}", self.modifier, self.path)
        }
    }
}

/// What `docker ps` must say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainersLook {
    /// Names that must run.
    #[serde(default)]
    pub running: Vec<String>,
    /// Name patterns (`*` is any text) that must not run.
    #[serde(default)]
    pub banned: Vec<String>,
}

/// What `ss -ltnp` must say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListeningLook {
    /// Ports somebody must listen on.
    #[serde(default)]
    pub expect: Vec<ExpectedPort>,
    /// Ports nobody may listen on.
    #[serde(default)]
    pub banned_ports: Vec<u16>,
}

/// A port somebody must listen on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedPort {
    /// TCP port.
    pub port: u16,
    /// Process name patterns (`*` is any text), one of which must hold it; empty for any. Linux
    /// shows the first 15 characters of a name only.
    #[serde(default)]
    pub process: Vec<String>,
}

/// A binding on the host: exactly one of account, channel and key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindingLook {
    /// Host id of an account.
    #[serde(default)]
    pub account: Option<i64>,
    /// Host id of a channel.
    #[serde(default)]
    pub channel: Option<i64>,
    /// Host id of a user key.
    #[serde(default)]
    pub key: Option<i64>,
    /// Groups it must be bound to.
    #[serde(default)]
    pub groups: Vec<i64>,
    /// Whether an account must be open for scheduling as well.
    #[serde(default)]
    pub schedulable: bool,
}

/// What a binding binds to its groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// An account.
    Account(i64),
    /// A channel.
    Channel(i64),
    /// A user key.
    Key(i64),
}

impl BindingLook {
    /// The one thing it is about; `None` when it names none or several.
    pub fn bound(&self) -> Option<Bound> {
        match (self.account, self.channel, self.key) {
            (Some(id), None, None) => Some(Bound::Account(id)),
            (None, Some(id), None) => Some(Bound::Channel(id)),
            (None, None, Some(id)) => Some(Bound::Key(id)),
            _ => None,
        }
    }
}

/// The user smoke: an active key of a group, taken from the host at run time, lists the models and
/// gets the expected answer from each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmokeLook {
    /// Base of the public address, without `/v1`.
    pub base: String,
    /// Group whose key is used.
    pub group: i64,
    /// Models that must be listed and must answer.
    pub models: Vec<String>,
    /// The user's words.
    pub prompt: String,
    /// The answer, white space around it ignored.
    pub expect: String,
}
