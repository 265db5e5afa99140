//! A command of the pack's own. It runs only when the pack is trusted by its fingerprint.

use super::fields::FieldRule;
use super::file::FileLook;
use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// A command and what it must say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandLook {
    /// Program and arguments; there is no shell.
    pub argv: Vec<String>,
    /// Exit status.
    #[serde(default)]
    pub status: i32,
    /// Texts that it must print.
    #[serde(default)]
    pub contains: Vec<String>,
    /// Texts that it must not print.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Regular expressions that some line must match as a whole.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Fields of the JSON that it prints.
    #[serde(default)]
    pub fields: Vec<FieldRule>,
}

impl CommandLook {
    /// What its output must hold, as a file's content.
    pub fn content(&self) -> FileLook {
        FileLook {
            contains: self.contains.clone(),
            lacks: self.lacks.clone(),
            lines: self.lines.clone(),
            ..FileLook::default()
        }
    }
}

impl Kind for CommandLook {
    const NEEDS: Needs = Needs::Machine;
    const REQUIRED: &'static [&'static str] = &["argv"];
    const FACTS: &'static [&'static str] = &["output", "field.*"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        if self
            .argv
            .first()
            .is_none_or(|program| program.trim().is_empty())
        {
            rules.fault("`argv` names no program", "such as [\"tool\", \"status\"]");
        }
        if self.argv.iter().any(|word| word.contains('\0')) {
            rules.fault("`argv` holds a zero byte", "leave it out");
        }
        self.content().content_rules(rules);
        FieldRule::rules(&self.fields, rules);
    }
}
