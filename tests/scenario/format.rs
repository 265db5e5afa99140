//! What a scenario file may say. `tests/scenarios/README.md` tells it to people; an unknown word is
//! refused with file, line and column.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One file: a story with an end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Story {
    #[serde(skip)]
    pub(super) name: String,
    /// One sentence.
    pub(super) about: String,
    /// Rules it shows: `trap 21`, or a row of the lists in `rules.rs`.
    #[serde(default)]
    pub(super) shows: Vec<String>,
    #[serde(default)]
    pub(super) host: Ground,
    /// What vendors answer to a key, before they judge it by its kind.
    #[serde(default)]
    pub(super) upstream: Vec<Says>,
    /// What the host answers instead of its own.
    #[serde(default)]
    pub(super) answer: Vec<Says>,
    pub(super) step: Vec<Step>,
    #[serde(default)]
    pub(super) end: End,
}

/// What stands before the first step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ground {
    /// `accept` or `prod`.
    pub(super) name: String,
    /// Without the group, channel and accounts that `accept` begins with.
    pub(super) bare: bool,
    /// `http://` upstreams may be used.
    pub(super) plain_http: bool,
    /// Login wants a captcha.
    pub(super) captcha: bool,
    /// Only admins may log in.
    pub(super) backend_mode: bool,
    /// Logins a minute.
    pub(super) logins_per_minute: Option<usize>,
    /// Warming window of the cockpit, milliseconds.
    pub(super) warming_ms: u64,
    /// Tries of one write whose answer is lost.
    pub(super) write_tries: Option<u32>,
    /// Accounts beside those of the fixture.
    pub(super) account: Vec<Row>,
}

impl Default for Ground {
    fn default() -> Self {
        Self {
            name: "accept".to_owned(),
            bare: false,
            plain_http: true,
            captcha: false,
            backend_mode: false,
            logins_per_minute: None,
            warming_ms: 2500,
            write_tries: None,
            account: Vec::new(),
        }
    }
}

/// Accounts that somebody else made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// Its name; `{n}` counts.
    pub(super) name: String,
    /// Name of the group it is bound to.
    pub(super) group: String,
    #[serde(default = "openai")]
    pub(super) platform: String,
    #[serde(default = "yes")]
    pub(super) schedulable: bool,
    #[serde(default = "one")]
    pub(super) count: usize,
}

fn openai() -> String {
    "openai".to_owned()
}

const fn yes() -> bool {
    true
}

const fn one() -> usize {
    1
}

/// An answer of a vendor or of the host, word by word.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Says {
    /// Method and end of the path: `POST /chat/completions`.
    pub(super) to: String,
    /// The key that asks; any if left out.
    pub(super) key: Option<String>,
    /// `good` or `chat`; vendors only.
    pub(super) vendor: Option<String>,
    pub(super) status: u16,
    #[serde(default)]
    pub(super) body: String,
    #[serde(default = "json")]
    pub(super) r#type: String,
    /// So many requests are answered as ever first.
    #[serde(default)]
    pub(super) after: u32,
    /// How often; always if left out.
    pub(super) times: Option<u32>,
}

fn json() -> String {
    "application/json".to_owned()
}

/// One thing that happens. Exactly one of the first nine.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Step {
    /// Words of the command line, without `cockpit`.
    pub(super) run: Option<String>,
    /// A fault of the lab begins.
    pub(super) r#break: Option<String>,
    /// A fault of the lab ends.
    pub(super) mend: Option<String>,
    /// The answer of the next request that fits is lost.
    pub(super) lose: Option<String>,
    /// Somebody writes to the host: method and path.
    pub(super) by_hand: Option<String>,
    /// The host's clock moves on, seconds.
    pub(super) passes_s: Option<u64>,
    /// A subscription, by its notes, ran out a minute ago.
    pub(super) runs_out: Option<String>,
    /// Something appears on the host: `account {good-1} x2`.
    pub(super) appears: Option<String>,
    /// A new process: what the old one knew is in the store only.
    pub(super) restart: Option<bool>,

    /// With `run`: key kinds, handed over as a file by `--keys`.
    pub(super) keys: Vec<String>,
    /// With `run`: the key input as it is, where `{good-1}` is a key.
    pub(super) key_text: Option<String>,
    /// With `run`: the exit code.
    pub(super) exit: u8,
    /// With `run`: where in the JSON, and what has to stand there.
    pub(super) is: BTreeMap<String, toml::Value>,
    /// With `run`: where in the JSON, and a text that has to occur there.
    pub(super) has: BTreeMap<String, String>,
    /// With `run`: texts that occur nowhere in what was said.
    pub(super) lacks: Vec<String>,
    /// With `lose`: `before`, `after`, `late` or `stuck`.
    pub(super) when: Option<String>,
    /// With `lose = .. when = "late"`: how much later it takes effect.
    pub(super) late_ms: u64,
    /// With `by_hand`: the request.
    pub(super) body: Option<toml::Value>,
    /// Why; for people.
    pub(super) note: String,
}

/// What the host holds at the end, counted from its own lists.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct End {
    /// What was not there before: `account good-1`, `group relay-lab`, `plan x x2`. Nothing else.
    pub(super) new: Vec<String>,
    /// What is no longer there.
    pub(super) gone: Vec<String>,
    /// Accounts switched off.
    pub(super) parked: Option<usize>,
    /// Accounts in status `error`.
    pub(super) in_error: Option<usize>,
    /// Requests that reached the host: `POST /api/v1/admin/accounts` to how many.
    pub(super) requests: BTreeMap<String, usize>,
    /// Accounts and channels read field by field as before.
    pub(super) as_before: bool,
}

/// Where the stories lie.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// Reads a story from the text of a file; faults as `file:line:column: what`.
pub(super) fn read(file: &str, text: &str) -> Result<Story, String> {
    let mut story: Story = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        format!("{file}:{line}:{column}: {}", error.message())
    })?;
    file.trim_end_matches(".toml").clone_into(&mut story.name);
    Ok(story)
}

/// Every story of the folder, by name.
pub(super) fn all() -> Vec<Story> {
    let files = std::fs::read_dir(folder()).expect("the folder of scenarios");
    let mut names: Vec<String> = files
        .filter_map(|file| file.ok()?.file_name().into_string().ok())
        .filter(|name| name.strip_suffix(".toml").is_some())
        .collect();
    names.sort();
    names
        .iter()
        .map(|name| {
            let text = std::fs::read_to_string(folder().join(name)).expect("a file");
            read(name, &text).unwrap_or_else(|fault| panic!("{fault}"))
        })
        .collect()
}
