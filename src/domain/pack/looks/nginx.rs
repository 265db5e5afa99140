//! The effective nginx configuration.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// A file of the machine that is read instead of the effective configuration, such as the site's
    /// own: the same expectations of both hold them against each other.
    #[serde(default)]
    pub file: Option<String>,
    /// Patterns of `host:port` (`*` is any text), one of which every upstream that the site can
    /// reach must match.
    #[serde(default)]
    pub upstreams: Vec<String>,
    /// Name patterns that no word of the configuration may match.
    #[serde(default)]
    pub banned_names: Vec<String>,
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

impl Kind for NginxLook {
    const NEEDS: Needs = Needs::Machine;
    const FACTS: &'static [&'static str] = &["server"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        let site =
            !(self.location.is_empty() && self.routes.is_empty() && self.upstreams.is_empty());
        if !site && self.banned_ports.is_empty() && self.banned_names.is_empty() {
            rules.nothing("`location`, `routes`, `upstreams`, `banned_ports` or `banned_names`");
        }
        rules.no_blank(self.upstreams.iter().chain(&self.banned_names));
        rules.paths(&self.file);
        if self.server_name.is_none() && site {
            rules.fault(
                "`server_name` is missing: whose locations?",
                "add `server_name = \"..\"`",
            );
        }
        for location in &self.location {
            location_rules(location, rules);
        }
        for (path, target) in &self.routes {
            if !path.starts_with('/') {
                rules.fault(format!("route `{path}` is no path"), "begin it with /");
            }
            rules.url("routes", target);
        }
    }
}

fn location_rules(location: &ExpectedLocation, rules: &mut Rules<'_, '_>) {
    if !["", "=", "^~", "~", "~*"].contains(&location.modifier.as_str()) {
        rules.fault(
            format!("`{}` is no location modifier", location.modifier),
            "=, ^~, ~, ~* or nothing",
        );
    }
    if location.directives().is_empty() {
        rules.fault(
            format!("location `{}` expects nothing", location.label()),
            "add proxy_pass, alias, root, index or try_files",
        );
    }
}
