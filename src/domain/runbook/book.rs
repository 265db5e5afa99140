//! A runbook as a pack has it.

use super::step::{Act, Deed, LookAt, Step};
use serde::{Deserialize, Serialize};
use toml::de::DeTable;

/// A runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runbook {
    /// Name of its file, without `.md`.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// The same in Chinese, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_zh: Option<String>,
    /// Checks of the pack whose trouble calls for it.
    #[serde(default)]
    pub checks: Vec<String>,
    /// What is said before the first step, as plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The same in Chinese, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_zh: Option<String>,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

impl Runbook {
    /// Its name in the reader's language.
    pub fn title_in(&self, chinese: bool) -> &str {
        match &self.title_zh {
            Some(title) if chinese => title,
            _ => &self.title,
        }
    }

    /// What is said before the first step, in the reader's language.
    pub fn text_in(&self, chinese: bool) -> &str {
        match &self.text_zh {
            Some(text) if chinese => text,
            _ => &self.text,
        }
    }

    /// Whether it runs commands of its own, on a machine.
    pub fn has_commands(&self) -> bool {
        self.steps.iter().any(|step| match &step.act {
            Act::Do(doing) => matches!(doing.deed, Deed::Command { .. }),
            Act::Look(look) => match &look.looks_at {
                LookAt::Own(text) => {
                    let kinds = ["command", "sql"];
                    DeTable::parse(text).is_ok_and(|table| {
                        kinds.iter().any(|kind| table.get_ref().contains_key(*kind))
                    })
                }
                LookAt::Check(_) => false,
            },
            Act::Ask(_) | Act::Watch(_) => false,
        })
    }
}
