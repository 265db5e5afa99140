//! The rules a provider pack must keep: what a host would refuse late, with a bare 500, or never.

use super::read_provider::{Raw, RawSubscription};
use crate::finding::{Finding, Source, suggest};
use regex::Regex;
use std::collections::BTreeSet;
use toml::Spanned;
use url::{Host, Url};

/// Longest name a host stores (`varchar(100)`).
const LONGEST_NAME: usize = 100;

/// Platforms a host knows.
const PLATFORMS: [&str; 4] = ["openai", "anthropic", "gemini", "antigravity"];

/// What `to_be_confirmed` may name.
const FIELDS: [&str; 18] = [
    "base_url",
    "platform",
    "models",
    "smoke_model",
    "model_mapping",
    "responses_mode",
    "price.input",
    "price.output",
    "concurrency",
    "priority",
    "floor",
    "subscription.group",
    "subscription.channel",
    "subscription.plan",
    "subscription.rate_multiplier",
    "subscription.price",
    "subscription.validity_days",
    "legacy_account_patterns",
];

/// The rules, each adding its own findings.
pub(super) struct Rules<'a, 'f> {
    pub(super) source: Source<'a>,
    pub(super) findings: &'f mut Vec<Finding>,
}

impl Rules<'_, '_> {
    fn fault<T>(&mut self, at: &Spanned<T>, message: impl Into<String>, hint: impl Into<String>) {
        self.findings.push(self.source.at(at.span(), message, hint));
    }

    pub(super) fn check(&mut self, raw: &Raw) {
        self.name("title", &raw.title);
        self.base_url(&raw.base_url);
        if let Some(platform) = &raw.platform
            && !PLATFORMS.contains(&platform.get_ref().as_str())
        {
            self.fault(
                platform,
                "no host knows this platform",
                suggest(platform.get_ref(), &PLATFORMS),
            );
        }
        self.models(raw);
        self.mapping(raw);
        let openai = raw
            .platform
            .as_ref()
            .is_none_or(|word| word.get_ref() == "openai");
        if let Some(mode) = &raw.responses_mode
            && !openai
        {
            self.fault(
                mode,
                "`responses_mode` means nothing outside platform `openai`",
                "leave it out",
            );
        }
        for (name, price) in [
            ("price.input", &raw.price.input),
            ("price.output", &raw.price.output),
        ] {
            self.at_least(name, price.as_ref(), 0.0);
        }
        for (name, number) in [
            ("concurrency", &raw.concurrency),
            ("priority", &raw.priority),
        ] {
            if let Some(number) = number
                && *number.get_ref() < 0
            {
                self.fault(number, format!("`{name}` is below 0"), "0 or more");
            }
        }
        if let Some(floor) = &raw.floor
            && *floor.get_ref() < 1
        {
            let hint = "1 or more: somebody has to serve when parked accounts are deleted";
            self.fault(floor, "`floor` is below 1", hint);
        }
        self.subscription(&raw.subscription);
        self.patterns(&raw.legacy_account_patterns);
        for field in &raw.to_be_confirmed {
            if !FIELDS.contains(&field.get_ref().as_str()) {
                self.fault(
                    field,
                    "`to_be_confirmed` names no field of a provider pack",
                    suggest(field.get_ref(), &FIELDS),
                );
            }
        }
    }

    fn name(&mut self, what: &str, name: &Spanned<String>) {
        let text = name.get_ref();
        if text.trim().is_empty() || text.trim() != text {
            self.fault(
                name,
                format!("`{what}` is empty or has blanks around it"),
                "write a plain name",
            );
        } else if text.chars().count() > LONGEST_NAME {
            self.fault(
                name,
                format!(
                    "`{what}` is {} characters long; a host stores {LONGEST_NAME}",
                    text.chars().count()
                ),
                "shorten it",
            );
        }
    }

    fn base_url(&mut self, base_url: &Spanned<String>) {
        let Ok(url) = Url::parse(base_url.get_ref()) else {
            return self.fault(
                base_url,
                "`base_url` is no absolute URL",
                "such as https://api.example.com/v1",
            );
        };
        if url.query().is_some() || url.fragment().is_some() {
            self.fault(base_url, "`base_url` has a `?` or `#` part", "cut it off");
        }
        if !url.username().is_empty() || url.password().is_some() {
            self.fault(
                base_url,
                "`base_url` carries a credential",
                "keys are given at import, never in a pack",
            );
        }
        let near = match url.host() {
            Some(Host::Domain(name)) => {
                name == "localhost" || name.rsplit('.').next() == Some("lab")
            }
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let allowed = url.scheme() == "https" || (url.scheme() == "http" && near);
        if !allowed {
            self.fault(
                base_url,
                "`base_url` would send keys in clear",
                "https, or http to loopback or a .lab name",
            );
        }
    }

    fn models(&mut self, raw: &Raw) {
        let models = raw.models.get_ref();
        if models.is_empty() {
            self.fault(&raw.models, "`models` is empty", "name at least one model");
        }
        let mut seen = BTreeSet::new();
        for model in models {
            self.model_name("models", model);
            if !seen.insert(model.get_ref().as_str()) {
                self.fault(model, "this model stands here twice", "keep one");
            }
        }
        if !seen.is_empty() && !seen.contains(raw.smoke_model.get_ref().as_str()) {
            let names: Vec<&str> = seen.into_iter().collect();
            self.fault(
                &raw.smoke_model,
                "`smoke_model` is not one of `models`",
                suggest(raw.smoke_model.get_ref(), &names),
            );
        }
    }

    fn model_name(&mut self, what: &str, model: &Spanned<String>) {
        let text = model.get_ref();
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '*';
        if text.is_empty() || text.contains(bad) {
            self.fault(
                model,
                format!("`{what}` holds an empty name, a blank or a `*`"),
                "write each model name in full",
            );
        } else {
            self.name(what, model);
        }
    }

    fn mapping(&mut self, raw: &Raw) {
        let models: Vec<&str> = raw
            .models
            .get_ref()
            .iter()
            .map(|model| model.get_ref().as_str())
            .collect();
        for (from, to) in &raw.model_mapping {
            if !models.contains(&from.get_ref().as_str()) {
                self.fault(
                    from,
                    "`model_mapping` maps a name that is not one of `models`",
                    suggest(from.get_ref(), &models),
                );
            }
            self.model_name("model_mapping", to);
        }
    }

    fn at_least(&mut self, what: &str, number: Option<&Spanned<f64>>, least: f64) {
        if let Some(number) = number
            && !(number.get_ref().is_finite() && *number.get_ref() >= least)
        {
            self.fault(
                number,
                format!("`{what}` is below 0 or no number"),
                "USD, 0 or more",
            );
        }
    }

    fn subscription(&mut self, raw: &RawSubscription) {
        for (what, name) in [
            ("subscription.group", &raw.group),
            ("subscription.channel", &raw.channel),
            ("subscription.plan", &raw.plan),
        ] {
            if let Some(name) = name {
                self.name(what, name);
            }
        }
        // The host answers a bare 500 for 0 (trap 1), and sells nothing for nothing.
        for (what, number) in [
            ("subscription.rate_multiplier", &raw.rate_multiplier),
            ("subscription.price", &raw.price),
        ] {
            if let Some(number) = number
                && !(number.get_ref().is_finite() && *number.get_ref() > 0.0)
            {
                self.fault(
                    number,
                    format!("`{what}` is not above 0"),
                    "a host refuses it",
                );
            }
        }
        if let Some(days) = &raw.validity_days
            && !(1..=36_500).contains(days.get_ref())
        {
            self.fault(
                days,
                "`subscription.validity_days` is out of range",
                "1 to 36500",
            );
        }
    }

    fn patterns(&mut self, patterns: &[Spanned<String>]) {
        for pattern in patterns {
            let text = pattern.get_ref();
            if !(text.starts_with('^') && text.ends_with('$') && !text.ends_with("\\$")) {
                self.fault(
                    pattern,
                    "this pattern is not anchored and could match other people's accounts",
                    "begin with ^ and end with $",
                );
            } else if has_top_alternative(text) {
                self.fault(
                    pattern,
                    "the anchors of this pattern hold for one alternative only",
                    "write ^(?:a|b)$",
                );
            }
            match Regex::new(text) {
                Err(error) => {
                    let last = error.to_string();
                    let last = last.lines().last().unwrap_or_default().trim().to_owned();
                    self.fault(
                        pattern,
                        format!("this pattern is no regular expression: {last}"),
                        "see https://docs.rs/regex for the syntax",
                    );
                }
                Ok(regex) if regex.is_match("") => self.fault(
                    pattern,
                    "this pattern matches an empty name",
                    "make it say more",
                ),
                Ok(_) => {}
            }
        }
    }
}

/// Whether a pattern has a `|` outside every group and class: `^a|b$` is anchored by halves.
fn has_top_alternative(pattern: &str) -> bool {
    let (mut depth, mut class, mut escaped) = (0_i32, false, false);
    for c in pattern.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth -= 1,
            '|' if !class && depth == 0 => return true,
            _ => {}
        }
    }
    false
}
