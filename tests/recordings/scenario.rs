//! Scenarios as files: the steps, what is captured, what is compared and by which names it may
//! differ. The format is described in `tests/data/recordings/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// One file.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) traps: BTreeSet<u32>,
    pub(super) volatile: Volatile,
    pub(super) steps: Vec<Step>,
    pub(super) cleanup: Vec<Step>,
}

/// Names of fields whose values differ from host to host; everything else has to match.
#[derive(Debug, Default)]
pub(super) struct Volatile {
    pub(super) ids: BTreeSet<String>,
    pub(super) times: BTreeSet<String>,
    pub(super) values: BTreeSet<String>,
}

/// One request.
#[derive(Debug, Default, Clone)]
pub(super) struct Step {
    pub(super) name: String,
    /// `admin`, `none`, or the variable that holds a bearer token.
    pub(super) by: String,
    /// Method and path, with variables.
    pub(super) ask: String,
    /// JSON text, with variables.
    pub(super) body: Option<String>,
    pub(super) headers: BTreeMap<String, String>,
    /// Variable to JSON pointer.
    pub(super) capture: BTreeMap<String, String>,
    /// Pointer and value to ask again for.
    pub(super) until: Option<(String, serde_json::Value)>,
    /// Seconds of the host's clock to let pass before.
    pub(super) pause: u64,
    /// Own loopback address to ask from.
    pub(super) from: Option<String>,
    /// How often; `{n}` counts from 1, and only the last answer is kept.
    pub(super) repeat: u64,
    /// Pointers to compare instead of the whole body.
    pub(super) only: Vec<String>,
    /// Pointer, field, head: rows of a list that are the scenario's own.
    pub(super) keep: Option<[String; 3]>,
}

/// Where the scenarios and recordings lie.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recordings")
}

/// The names of all scenarios, in order.
pub(super) fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).expect("the folder of recordings");
    let mut names: Vec<String> = files
        .filter_map(|file| Some(file.ok()?.file_name().to_str()?.to_owned()))
        .filter_map(|file| Some(file.strip_suffix(".toml")?.to_owned()))
        .filter(|name| name != "common")
        .collect();
    names.sort();
    names
}

fn table(name: &str) -> Table {
    let path = folder().join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.parse()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

impl Scenario {
    /// Reads a file; anything unknown in it is a mistake.
    pub(super) fn read(name: &str) -> Self {
        let mut scenario = Self {
            name: name.to_owned(),
            traps: BTreeSet::new(),
            volatile: Volatile::default(),
            steps: Vec::new(),
            cleanup: Vec::new(),
        };
        scenario.volatile.read(&table("common"));
        for (key, value) in table(name) {
            match (key.as_str(), value) {
                ("about", Value::String(_)) => {}
                ("traps", Value::Array(numbers)) => {
                    let numbers = numbers.iter().filter_map(Value::as_integer);
                    scenario.traps = numbers.filter_map(|no| u32::try_from(no).ok()).collect();
                }
                ("volatile", Value::Table(names)) => scenario.volatile.read(&names),
                ("step", Value::Array(steps)) => scenario.steps = steps_of(name, &steps),
                ("cleanup", Value::Array(steps)) => scenario.cleanup = steps_of(name, &steps),
                (key, _) => panic!("{name}: `{key}` is no part of a scenario"),
            }
        }
        scenario
    }
}

impl Volatile {
    fn read(&mut self, names: &Table) {
        for (kind, list) in names {
            let slot = match kind.as_str() {
                "ids" => &mut self.ids,
                "times" => &mut self.times,
                "values" => &mut self.values,
                other => panic!("`{other}` is no kind of volatile field"),
            };
            let list = list.as_array().expect("a list of names").iter();
            slot.extend(list.map(|name| name.as_str().expect("a name").to_owned()));
        }
    }
}

fn steps_of(file: &str, rows: &[Value]) -> Vec<Step> {
    rows.iter()
        .map(|row| step(file, row.as_table().expect("a step is a table")))
        .collect()
}

fn step(file: &str, row: &Table) -> Step {
    let mut step = Step {
        by: "admin".to_owned(),
        repeat: 1,
        ..Step::default()
    };
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let pairs = |value: &Value| -> BTreeMap<String, String> {
        let table = value.as_table().expect("a table").iter();
        table
            .map(|(key, value)| (key.clone(), text(value)))
            .collect()
    };
    let number = |value: &Value| {
        let number = value.as_integer().expect("a number");
        u64::try_from(number).expect("not negative")
    };
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().expect("a list").iter().map(text).collect()
    };
    for (key, value) in row {
        match key.as_str() {
            "name" => step.name = text(value),
            "as" => step.by = text(value),
            "ask" => step.ask = text(value),
            "body" => step.body = Some(text(value)),
            "headers" => step.headers = pairs(value),
            "capture" => step.capture = pairs(value),
            "until" => {
                let at = text(&value["at"]);
                let is = serde_json::to_value(value["is"].clone()).expect("TOML is JSON");
                step.until = Some((at, is));
            }
            "pause" => step.pause = number(value),
            "from" => step.from = Some(text(value)),
            "repeat" => step.repeat = number(value),
            "only" => step.only = texts(value),
            "keep" => step.keep = Some(texts(value).try_into().expect("pointer, field, head")),
            other => panic!("{file}: `{other}` is no part of a step"),
        }
    }
    assert!(!step.ask.is_empty(), "{file}: a step without `ask`");
    step
}
