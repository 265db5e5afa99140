//! The main job through the command line, on one lab: baseline, import over a tunnel until an
//! ordinary key is served by the new account, reconcile, rollback; and every way it must refuse.

mod faces;
mod keys;
mod known;
mod logs;
mod main_job;
mod refusals;
mod self_service;

use crate::support::far::text;
use crate::support::{Lab, Ran};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const HOST: &str = "accept";

/// Plans an import of these keys and gives the plan's JSON.
fn plan_of(lab: &Lab, host: &str, provider: &str, mode: &str, keys: &str) -> Value {
    plan_by(lab, host, provider, mode, "subscription", keys)
}

/// As `plan_of`, in an access mode.
fn plan_by(lab: &Lab, host: &str, provider: &str, mode: &str, access: &str, keys: &str) -> Value {
    let words = [
        "import",
        "plan",
        "--host",
        host,
        "--provider",
        provider,
        "--keys",
        "-",
        "--mode",
        mode,
        "--access",
        access,
        "--json",
    ];
    let ran = lab.run_with(&words, keys);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()
}

fn id_of(plan: &Value) -> String {
    plan["plan"]["id"].to_string()
}

/// Twelve digits of a plan's hash.
fn word_of(plan: &Value) -> String {
    let hash = text(&plan["plan"], "hash");
    assert!(
        hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit()),
        "{plan}"
    );
    hash[..12].to_owned()
}

/// Plans and applies an import in one go.
fn import(lab: &Lab, provider: &str, mode: &str, keys: &str) -> Ran {
    let plan = plan_of(lab, HOST, provider, mode, keys);
    lab.apply("import", &plan, &[])
}

fn batch(lab: &Lab, id: &Value) -> Value {
    let ran = lab.run(&["batch", "show", &id.to_string(), "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()
}

/// Asserts a refusal: exit 3, a sentence, a next step, and the kind.
fn refused(ran: &Ran, kind: &str) -> Value {
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(ran.stdout, "", "{ran:?}");
    let error = ran.error();
    assert_eq!(error["kind"], kind, "{error}");
    for part in ["doing", "message", "hint"] {
        assert!(!text(&error, part).is_empty(), "{part} is empty: {error}");
    }
    error
}

fn has_fields(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(
            value.get(field).is_some(),
            "`{field}` is missing in {value}"
        );
    }
}

fn rows<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name]
        .as_array()
        .unwrap_or_else(|| panic!("`{name}` is no list in {value}"))
}

fn differences(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| format!("{name}: {:?} -> {:?}", before.get(name), after.get(name)))
        .collect()
}

const KEY: &str = "sk-lab-good-spine-0000000001";
