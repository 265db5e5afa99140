//! One step of a runbook. Texts still hold their `{{values}}`: they are filled in when the step is
//! come to, word by word, so that a value is never more than (a part of) one word.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Unique in its runbook.
    pub id: String,
    /// What it is about: the heading above it.
    pub title: String,
    /// What is said before it, as plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The step is passed over unless this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// What it says in Chinese, where the runbook has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zh: Option<StepWords>,
    /// What it does.
    #[serde(flatten)]
    pub act: Act,
}

/// What a step says in a second language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepWords {
    /// The heading above it.
    pub title: String,
    /// What is said before it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What is asked, of a question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

impl Step {
    fn words(&self, chinese: bool) -> Option<&StepWords> {
        self.zh.as_ref().filter(|_| chinese)
    }

    /// Its heading in the reader's language.
    pub fn title_in(&self, chinese: bool) -> &str {
        self.words(chinese)
            .map_or(&self.title, |words| &words.title)
    }

    /// What is said before it, in the reader's language.
    pub fn text_in(&self, chinese: bool) -> &str {
        self.words(chinese).map_or(&self.text, |words| &words.text)
    }

    /// What is asked, in the reader's language; none of a step that asks nothing.
    pub fn question_in(&self, chinese: bool) -> Option<&str> {
        let Act::Ask(ask) = &self.act else {
            return None;
        };
        let said = self
            .words(chinese)
            .and_then(|words| words.question.as_deref());
        Some(said.unwrap_or(&ask.question))
    }
}

/// Under which condition a step is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// That look found something wrong.
    Bad(String),
    /// That question was answered yes.
    Yes(String),
}

impl When {
    /// The step it names.
    pub fn step(&self) -> &str {
        match self {
            Self::Bad(step) | Self::Yes(step) => step,
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Act {
    /// Looks, and changes nothing.
    Look(LookStep),
    /// Asks a person.
    Ask(AskStep),
    /// Changes something: planned, confirmed, written down.
    Do(DoStep),
    /// Looks again and again for a while.
    Watch(WatchStep),
}

impl Act {
    /// Its word in packs, in JSON and on screen.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Look(_) => "look",
            Self::Ask(_) => "ask",
            Self::Do(_) => "do",
            Self::Watch(_) => "watch",
        }
    }
}

/// What a look looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookAt {
    /// A check of the pack.
    Check(String),
    /// A look of its own, as TOML: `vantage` and the table of its kind, as in a check of a pack.
    Own(String),
}

/// A look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookStep {
    /// At what.
    pub looks_at: LookAt,
    /// The run goes no further until it comes out as expected.
    #[serde(default)]
    pub must: bool,
    /// It is taken again for so many seconds until it comes out as expected.
    #[serde(default)]
    pub within_s: u64,
    /// Values read from what was found: name and expression, whose first group is the value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub take: BTreeMap<String, String>,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// `yes` or `no`.
    Yes,
    /// A value for later steps.
    Value,
    /// `done`: a person did it.
    Done,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskStep {
    /// What is asked.
    pub question: String,
    /// How it is answered.
    pub answer: Answer,
    /// Name of the value that is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What such a value looks like, as an expression of the whole of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoStep {
    /// What is done.
    pub deed: Deed,
    /// The words that take it back, where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub back: Vec<String>,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// A command on a machine; there is no shell.
    Command {
        /// The machine.
        machine: String,
        /// Program and arguments.
        argv: Vec<String>,
        /// The exit status of success.
        #[serde(default)]
        status: i32,
        /// Longest time, in seconds.
        time_limit_s: u64,
    },
    /// The repair of a check through the host's API.
    Repair {
        /// The check.
        check: String,
    },
}

/// A watch over checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchStep {
    /// Checks of the pack.
    pub checks: Vec<String>,
    /// For so long.
    pub for_s: u64,
    /// A look every so many seconds.
    pub every_s: u64,
}

impl WatchStep {
    /// Looks that make up the watch, the first one at its beginning.
    pub fn looks(&self) -> u64 {
        self.for_s.div_ceil(self.every_s.max(1)) + 1
    }
}
