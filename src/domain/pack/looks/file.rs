//! A file or folder of a machine.

use super::fields::FieldRule;
use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// One path, and what must be true of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLook {
    /// Absolute path.
    pub path: String,
    /// Whether nothing may be there.
    #[serde(default)]
    pub absent: bool,
    /// Permission bits as `chmod` takes them: `"0600"`.
    #[serde(default)]
    pub mode: Option<String>,
    /// Owner's name.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group's name.
    #[serde(default)]
    pub group: Option<String>,
    /// Changed at most this long ago, seconds.
    #[serde(default)]
    pub max_age_s: Option<u64>,
    /// At least this many bytes.
    #[serde(default)]
    pub min_size: Option<u64>,
    /// At most this many bytes.
    #[serde(default)]
    pub max_size: Option<u64>,
    /// Texts that its content must hold.
    #[serde(default)]
    pub contains: Vec<String>,
    /// Texts that its content must not hold.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Regular expressions that some line must match as a whole, white space around it left out.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Fields of the JSON that it holds.
    #[serde(default)]
    pub fields: Vec<FieldRule>,
}

impl FileLook {
    /// Whether its content must be read.
    pub fn wants_content(&self) -> bool {
        !(self.contains.is_empty()
            && self.lacks.is_empty()
            && self.lines.is_empty()
            && self.fields.is_empty())
    }

    /// Names what is wrong with what its content must hold.
    pub(super) fn content_rules(&self, rules: &mut Rules<'_, '_>) {
        for text in &self.lines {
            if let Err(error) = Self::line(text) {
                let words = error.to_string();
                let last = words.lines().last().unwrap_or_default();
                rules.fault(
                    format!("`lines` holds an expression that cannot be used: {last}"),
                    "write a regular expression without look-around and large repeats",
                );
            }
        }
        if self
            .contains
            .iter()
            .chain(&self.lacks)
            .any(String::is_empty)
        {
            rules.fault("an empty text is in every file", "leave it out");
        }
    }

    /// A line's expression, anchored, with a bound on what it may cost.
    ///
    /// # Errors
    /// The words of the parser.
    pub fn line(text: &str) -> Result<regex::Regex, regex::Error> {
        regex::RegexBuilder::new(&format!("^(?:{text})$"))
            .size_limit(1 << 20)
            .build()
    }
}

/// Permission bits out of octal digits.
pub(crate) fn bits(mode: &str) -> Option<u32> {
    let plain = mode.chars().all(|c| c.is_digit(8));
    let bits = u32::from_str_radix(mode, 8).ok()?;
    (plain && bits <= 0o7777).then_some(bits)
}

impl Kind for FileLook {
    const NEEDS: Needs = Needs::Machine;
    const REQUIRED: &'static [&'static str] = &["path"];
    const FACTS: &'static [&'static str] = &["changed", "size", "content"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        rules.paths([&self.path]);
        let meta = self.mode.is_some() || self.owner.is_some() || self.group.is_some();
        let bounds = self.max_age_s.is_some() || self.min_size.is_some() || self.max_size.is_some();
        if self.absent && (meta || bounds || self.wants_content()) {
            rules.fault(
                "nothing can be said of a file that must be absent",
                "leave the rest out",
            );
        }
        if let Some(mode) = &self.mode
            && bits(mode).is_none()
        {
            rules.fault("`mode` is no octal mode", "such as \"0600\"");
        }
        if let (Some(least), Some(most)) = (self.min_size, self.max_size)
            && least > most
        {
            rules.fault("`min_size` is above `max_size`", "swap them");
        }
        self.content_rules(rules);
        FieldRule::rules(&self.fields, rules);
    }
}
