//! The rules a check must keep: what serde cannot say.

use super::baseline::{Check, Level, Place};
use super::looks::{BindingLook, ExpectedLocation, HttpLook, Look, NginxLook, SmokeLook};
use super::read_baseline::RawCheck;
use crate::finding::{Finding, Source, nearest, suggest};
use crate::ids::PackId;
use std::collections::BTreeMap;
use std::ops::Range;
use url::Url;

/// Longest time limit a check may ask for, in seconds.
const LONGEST_LIMIT: u64 = 600;

/// Turns raw checks into checks, adding every finding.
pub(super) fn apply(
    source: Source<'_>,
    raw_checks: Vec<(RawCheck, Range<usize>)>,
    findings: &mut Vec<Finding>,
) -> Vec<Check> {
    family(source, &raw_checks, findings);
    let mut checks = Vec::new();
    for (raw, span) in raw_checks {
        let mut one = One {
            source,
            findings: &mut *findings,
        };
        if let Some((vantage, look)) = one.check(&raw, span) {
            checks.push(raw.into_check(vantage, look));
        }
    }
    checks
}

/// Ids are unique, parents exist, are no weaker than their children and make no circle.
fn family(source: Source<'_>, checks: &[(RawCheck, Range<usize>)], findings: &mut Vec<Finding>) {
    let mut levels: BTreeMap<&str, Level> = BTreeMap::new();
    for (raw, _) in checks {
        let id = raw.id.get_ref().as_str();
        if PackId::new(id).is_err() {
            findings.push(source.at(
                raw.id.span(),
                "this id is no slug",
                "a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit",
            ));
        }
        if levels.insert(id, raw.level).is_some() {
            findings.push(source.at(
                raw.id.span(),
                format!("check `{id}` stands here twice"),
                "give each check its own id",
            ));
        }
    }
    let ids: Vec<&str> = levels.keys().copied().collect();
    for (raw, _) in checks {
        for parent in &raw.parents {
            let name = parent.get_ref().as_str();
            match levels.get(name) {
                None => findings.push(source.at(
                    parent.span(),
                    format!("no check is called `{name}`"),
                    suggest(name, &ids),
                )),
                Some(level) if *level < raw.level => findings.push(source.at(
                    parent.span(),
                    format!(
                        "`{name}` is only `{}` and would hide a failed `{}`",
                        level.as_str(),
                        raw.level.as_str()
                    ),
                    "name a parent of at least the same level",
                )),
                Some(_) if reaches(checks, name, raw.id.get_ref()) => findings.push(source.at(
                    parent.span(),
                    format!("`{name}` is below this check already"),
                    "parents may not make a circle",
                )),
                Some(_) => {}
            }
        }
    }
}

/// Whether `from` has `target` above it, or is it.
fn reaches(checks: &[(RawCheck, Range<usize>)], from: &str, target: &str) -> bool {
    let mut open = vec![from];
    let mut seen: Vec<&str> = Vec::new();
    while let Some(id) = open.pop() {
        if id == target {
            return true;
        }
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        open.extend(
            checks
                .iter()
                .filter(|(raw, _)| raw.id.get_ref() == id)
                .flat_map(|(raw, _)| raw.parents.iter().map(|parent| parent.get_ref().as_str())),
        );
    }
    false
}

/// The rules of one check.
struct One<'a, 'f> {
    source: Source<'a>,
    findings: &'f mut Vec<Finding>,
}

impl One<'_, '_> {
    fn fault(&mut self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.findings.push(self.source.at(span, message, hint));
    }

    fn check(&mut self, raw: &RawCheck, span: Range<usize>) -> Option<(Place, Look)> {
        for (name, text) in [
            ("title", &raw.title),
            ("why", &raw.why),
            ("next_step", &raw.next_step),
        ] {
            if text.get_ref().trim().is_empty() {
                self.fault(
                    text.span(),
                    format!("`{name}` is empty"),
                    "write one sentence",
                );
            }
        }
        if let Some(limit) = &raw.time_limit_s
            && !(1..=LONGEST_LIMIT).contains(limit.get_ref())
        {
            self.fault(
                limit.span(),
                "`time_limit_s` is out of range",
                format!("1 to {LONGEST_LIMIT} seconds"),
            );
        }
        let vantage = self.vantage(raw);
        let mut looks = raw.looks();
        if looks.len() != 1 {
            let message = if looks.is_empty() {
                "this check does not say how to look".to_owned()
            } else {
                let kinds: Vec<&str> = looks.iter().map(Look::kind).collect();
                format!("this check looks in {} ways", kinds.join(" and "))
            };
            self.fault(
                span,
                message,
                format!("exactly one of: {}", Look::KINDS.join(", ")),
            );
            return None;
        }
        let look = looks.remove(0);
        let at = raw.look_span().unwrap_or(span);
        if look.needs_machine() && matches!(vantage, Some(Place::Here)) {
            let span = raw
                .vantage
                .as_ref()
                .map_or_else(|| at.clone(), toml::Spanned::span);
            self.fault(
                span,
                format!("`{}` looks on a machine", look.kind()),
                "add `vantage = \"machine:NAME\"`",
            );
        }
        self.look(&look, &at);
        Some((vantage?, look))
    }

    fn vantage(&mut self, raw: &RawCheck) -> Option<Place> {
        let Some(written) = &raw.vantage else {
            return Some(Place::Here);
        };
        let place = Place::parse(written.get_ref());
        if place.is_none() {
            let hint = match nearest(written.get_ref(), &["here"]) {
                Some(_) => "did you mean `here`?".to_owned(),
                None => "`here` or `machine:NAME`".to_owned(),
            };
            self.fault(written.span(), "this is no place to look from", hint);
        }
        place
    }

    fn look(&mut self, look: &Look, at: &Range<usize>) {
        match look {
            Look::Http(http) => self.http(http, at),
            Look::Nginx(nginx) => self.nginx(nginx, at),
            Look::Containers(containers) => {
                if containers.running.is_empty() && containers.banned.is_empty() {
                    self.nothing(at, "`running` or `banned`");
                }
                self.no_blank(at, containers.running.iter().chain(&containers.banned));
            }
            Look::Listening(listening) => {
                if listening.expect.is_empty() && listening.banned_ports.is_empty() {
                    self.nothing(at, "`expect` or `banned_ports`");
                }
                for port in &listening.expect {
                    if listening.banned_ports.contains(&port.port) {
                        self.fault(
                            at.clone(),
                            format!("port {} is expected and banned", port.port),
                            "decide for one",
                        );
                    }
                    self.no_blank(at, port.process.iter());
                }
            }
            Look::Binding(binding) => self.binding(binding, at),
            Look::Smoke(smoke) => self.smoke(smoke, at),
        }
    }

    fn nothing(&mut self, at: &Range<usize>, what: &str) {
        self.fault(
            at.clone(),
            "this look expects nothing",
            format!("add {what}"),
        );
    }

    fn no_blank<'s>(&mut self, at: &Range<usize>, mut names: impl Iterator<Item = &'s String>) {
        if names.any(|name| name.trim().is_empty() || name == "*") {
            self.fault(
                at.clone(),
                "a name is empty or matches everything",
                "write a name or a pattern such as `crm-*`",
            );
        }
    }

    fn url(&mut self, at: &Range<usize>, name: &str, text: &str) {
        let good = Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
        if !good {
            self.fault(
                at.clone(),
                format!("`{name}` is no http or https URL"),
                "such as https://example.com/healthz",
            );
        }
    }

    fn http(&mut self, look: &HttpLook, at: &Range<usize>) {
        self.url(at, "url", &look.url);
        if !matches!(look.method.as_str(), "GET" | "HEAD" | "POST") {
            self.fault(
                at.clone(),
                format!("method `{}` is not offered to checks", look.method),
                "GET, HEAD or POST",
            );
        }
        if !(100..=599).contains(&look.status) {
            self.fault(at.clone(), "`status` is no HTTP status", "100 to 599");
        }
        let body =
            look.body_contains.is_some() || look.body_equals.is_some() || !look.json.is_empty();
        if look.method == "HEAD" && body {
            self.fault(
                at.clone(),
                "an answer to HEAD has no body to compare",
                "use GET",
            );
        }
    }

    fn nginx(&mut self, look: &NginxLook, at: &Range<usize>) {
        if look.location.is_empty() && look.routes.is_empty() && look.banned_ports.is_empty() {
            self.nothing(at, "`location`, `routes` or `banned_ports`");
        }
        if look.server_name.is_none() && !(look.location.is_empty() && look.routes.is_empty()) {
            self.fault(
                at.clone(),
                "`server_name` is missing: whose locations?",
                "add `server_name = \"..\"`",
            );
        }
        for location in &look.location {
            self.location(location, at);
        }
        for (path, target) in &look.routes {
            if !path.starts_with('/') {
                self.fault(
                    at.clone(),
                    format!("route `{path}` is no path"),
                    "begin it with /",
                );
            }
            self.url(at, "routes", target);
        }
    }

    fn location(&mut self, location: &ExpectedLocation, at: &Range<usize>) {
        if !["", "=", "^~", "~", "~*"].contains(&location.modifier.as_str()) {
            self.fault(
                at.clone(),
                format!("`{}` is no location modifier", location.modifier),
                "=, ^~, ~, ~* or nothing",
            );
        }
        if location.directives().is_empty() {
            self.fault(
                at.clone(),
                format!("location `{}` expects nothing", location.label()),
                "add proxy_pass, alias, root, index or try_files",
            );
        }
    }

    fn binding(&mut self, look: &BindingLook, at: &Range<usize>) {
        if look.bound().is_none() {
            self.fault(
                at.clone(),
                "a binding is about exactly one thing",
                "one of account, channel, key",
            );
        }
        if look.groups.is_empty() && !look.schedulable {
            self.nothing(at, "`groups` or `schedulable`");
        }
        if look.schedulable && look.account.is_none() {
            self.fault(
                at.clone(),
                "only an account can be schedulable",
                "leave `schedulable` out",
            );
        }
    }

    fn smoke(&mut self, look: &SmokeLook, at: &Range<usize>) {
        self.url(at, "base", &look.base);
        if look.models.is_empty() {
            self.nothing(at, "`models`");
        }
        if look.prompt.trim().is_empty() || look.expect.trim().is_empty() {
            self.fault(
                at.clone(),
                "`prompt` or `expect` is empty",
                "such as \"reply with pong only\" and \"pong\"",
            );
        }
    }
}

impl RawCheck {
    /// Where its look stands.
    fn look_span(&self) -> Option<Range<usize>> {
        None.or_else(|| self.http.as_ref().map(toml::Spanned::span))
            .or_else(|| self.nginx.as_ref().map(toml::Spanned::span))
            .or_else(|| self.containers.as_ref().map(toml::Spanned::span))
            .or_else(|| self.listening.as_ref().map(toml::Spanned::span))
            .or_else(|| self.binding.as_ref().map(toml::Spanned::span))
            .or_else(|| self.smoke.as_ref().map(toml::Spanned::span))
    }
}
