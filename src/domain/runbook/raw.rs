//! A runbook's tables as they are written.

use super::step::Answer;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) title: Spanned<String>,
    pub(super) title_zh: Option<String>,
    #[serde(default)]
    pub(super) checks: Vec<Spanned<String>>,
    pub(super) machine: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLook {
    pub(super) id: Option<Spanned<String>>,
    pub(super) if_bad: Option<Spanned<String>>,
    pub(super) if_yes: Option<Spanned<String>>,
    pub(super) check: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) must: bool,
    pub(super) within_s: Option<Spanned<u64>>,
    #[serde(default)]
    pub(super) take: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAsk {
    pub(super) id: Option<Spanned<String>>,
    pub(super) if_bad: Option<Spanned<String>>,
    pub(super) if_yes: Option<Spanned<String>>,
    pub(super) question: Spanned<String>,
    #[serde(default = "done")]
    pub(super) answer: Answer,
    pub(super) value: Option<Spanned<String>>,
    pub(super) matches: Option<Spanned<String>>,
}

fn done() -> Answer {
    Answer::Done
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDo {
    pub(super) id: Option<Spanned<String>>,
    pub(super) if_bad: Option<Spanned<String>>,
    pub(super) if_yes: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) argv: Vec<Spanned<String>>,
    pub(super) machine: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) status: i32,
    pub(super) time_limit_s: Option<Spanned<u64>>,
    #[serde(default)]
    pub(super) back: Vec<Spanned<String>>,
    pub(super) repair: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWatch {
    pub(super) id: Option<Spanned<String>>,
    pub(super) if_bad: Option<Spanned<String>>,
    pub(super) if_yes: Option<Spanned<String>>,
    pub(super) checks: Vec<Spanned<String>>,
    pub(super) for_s: Spanned<u64>,
    pub(super) every_s: Option<Spanned<u64>>,
}
