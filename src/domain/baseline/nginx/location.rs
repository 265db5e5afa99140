//! Which location nginx takes for a path: exact, else the longest prefix; `^~` stops there, else
//! the first matching regular expression wins over the prefix. Inside the chosen one the same
//! again.

use super::parse::Directive;
use super::path::normal;
use regex::RegexBuilder;

/// How a location compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// No modifier: prefix.
    Prefix,
    /// `=`
    Exact,
    /// `^~`: prefix that shuts regular expressions out.
    PrefixFinal,
    /// `~`
    Regex,
    /// `~*`
    RegexNoCase,
    /// `@name`: only reached from inside.
    Named,
}

/// A `location` block.
#[derive(Debug, Clone, Copy)]
pub struct Location<'a> {
    /// How it compares.
    pub modifier: Modifier,
    /// Prefix, path, pattern or name.
    pub path: &'a str,
    /// The block.
    pub directive: &'a Directive,
}

/// Why it cannot be said which location is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided(pub String);

impl<'a> Location<'a> {
    /// Reads a `location` directive; also `location =/x` without a blank.
    pub fn read(directive: &'a Directive) -> Option<Self> {
        if directive.name != "location" || directive.block.is_none() {
            return None;
        }
        let (modifier, path) = match directive.args.as_slice() {
            [modifier, path] => (modifier.as_str(), path.as_str()),
            [joined] => ["=", "^~", "~*", "~"]
                .iter()
                .find_map(|word| joined.strip_prefix(word).map(|path| (*word, path)))
                .unwrap_or(("", joined)),
            _ => return None,
        };
        let modifier = match modifier {
            "=" => Modifier::Exact,
            "^~" => Modifier::PrefixFinal,
            "~" => Modifier::Regex,
            "~*" => Modifier::RegexNoCase,
            "" if path.starts_with('@') => Modifier::Named,
            "" => Modifier::Prefix,
            _ => return None,
        };
        Some(Self {
            modifier,
            path,
            directive,
        })
    }

    /// The locations directly inside a block.
    pub fn all_in(block: &'a Directive) -> Vec<Self> {
        block.children("location").filter_map(Self::read).collect()
    }

    /// The modifier as it is written.
    pub fn modifier_text(&self) -> &'static str {
        match self.modifier {
            Modifier::Prefix | Modifier::Named => "",
            Modifier::Exact => "=",
            Modifier::PrefixFinal => "^~",
            Modifier::Regex => "~",
            Modifier::RegexNoCase => "~*",
        }
    }

    /// How it stands in the file: `location ^~ /portal/`.
    pub fn label(&self) -> String {
        match self.modifier_text() {
            "" => format!("location {}", self.path),
            modifier => format!("location {modifier} {}", self.path),
        }
    }

    fn matches_regex(&self, path: &str) -> Result<bool, Undecided> {
        RegexBuilder::new(self.path)
            .case_insensitive(self.modifier == Modifier::RegexNoCase)
            .build()
            .map(|regex| regex.is_match(path))
            .map_err(|_| {
                Undecided(format!(
                    "`{}` at {} uses a pattern only nginx can judge",
                    self.label(),
                    self.directive.place()
                ))
            })
    }
}

/// The location nginx takes for a path (no query) inside a server or location block.
///
/// # Errors
/// When a pattern that would decide cannot be judged here.
pub fn choose<'a>(block: &'a Directive, path: &str) -> Result<Option<Location<'a>>, Undecided> {
    find(block, &normal(path)).map(|(location, _)| location)
}

/// Where nginx sends a client that asks for a folder without its slash: only where a location of that
/// name with the slash is proxied, and none without it is there.
pub(super) fn slash_added(block: &Directive, path: &str) -> Option<String> {
    let path = normal(path);
    let folder = format!("{path}/");
    let locations = Location::all_in(block);
    let is = |location: &&Location<'_>, name: &str| {
        let prefix = matches!(location.modifier, Modifier::Prefix | Modifier::PrefixFinal);
        (prefix || location.modifier == Modifier::Exact) && location.path == name
    };
    if locations.iter().any(|location| is(&location, &path)) {
        return None;
    }
    let found = locations.iter().find(|location| is(location, &folder))?;
    let proxied =
        found.modifier != Modifier::Exact && found.directive.child("proxy_pass").is_some();
    proxied.then_some(folder)
}

/// The location, and whether the search ended with it: a pattern further out may still win over
/// one found by its prefix.
fn find<'a>(block: &'a Directive, path: &str) -> Result<(Option<Location<'a>>, bool), Undecided> {
    let locations = Location::all_in(block);
    let exact = locations
        .iter()
        .find(|location| location.modifier == Modifier::Exact && location.path == path);
    if let Some(exact) = exact {
        return Ok((Some(*exact), true));
    }
    let prefix = locations
        .iter()
        .filter(|location| {
            matches!(location.modifier, Modifier::Prefix | Modifier::PrefixFinal)
                && path.starts_with(location.path)
        })
        .max_by_key(|location| location.path.len())
        .copied();
    let mut chosen = prefix;
    if let Some(prefix) = prefix {
        // The prefix's own locations are asked before this level's patterns.
        let (inner, ended) = find(prefix.directive, path)?;
        chosen = inner.or(chosen);
        if ended {
            return Ok((chosen, true));
        }
    }
    let shut = prefix.is_some_and(|prefix| prefix.modifier == Modifier::PrefixFinal);
    for location in locations.iter().filter(|location| {
        !shut && matches!(location.modifier, Modifier::Regex | Modifier::RegexNoCase)
    }) {
        if location.matches_regex(path)? {
            let (inner, _) = find(location.directive, path)?;
            return Ok((inner.or(Some(*location)), true));
        }
    }
    Ok((chosen, false))
}
