//! Packs as files: every good one loads, every bad one gives each message it names in its
//! `# expect:` lines, and no other.

use super::*;
use crate::finding::Finding;
use crate::ids::PackId;
use crate::inventory::ResponsesMode;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> =
        fs::read_dir(root().join("tests/data/packs").join(folder))
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name, fs::read_to_string(&path).unwrap())
            })
            .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn read_with(id: &str, text: &str, vars: &[(&str, &str)]) -> Result<Pack, Vec<Finding>> {
    let vars: BTreeMap<String, String> = vars
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    read(&PackId::new(id).unwrap(), "pack.toml", text, &vars)
}

fn shipped(id: &str) -> String {
    fs::read_to_string(root().join("packs").join(id).join("pack.toml")).unwrap()
}

fn provider(id: &str) -> ProviderPack {
    match read_with(id, &shipped(id), &[]) {
        Ok(Pack::Provider(pack)) => pack,
        other => panic!("{id}: {other:?}"),
    }
}

fn baseline(id: &str, text: &str, vars: &[(&str, &str)]) -> BaselinePack {
    match read_with(id, text, vars) {
        Ok(Pack::Baseline(pack)) => pack,
        other => panic!("{id}: {other:?}"),
    }
}

#[test]
fn every_valid_file_loads() {
    for (name, text) in files("valid") {
        assert!(
            read_with("x", &text, &[]).is_ok(),
            "{name}: {:?}",
            read_with("x", &text, &[])
        );
    }
}

#[test]
fn every_invalid_file_gives_exactly_its_messages() {
    for (name, text) in files("invalid") {
        let expected: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# expect: "))
            .collect();
        assert!(!expected.is_empty(), "{name} expects nothing");
        let found: Vec<String> = read_with("x", &text, &[])
            .expect_err(&name)
            .iter()
            .map(ToString::to_string)
            .collect();
        let listing = found.join("\n");
        for message in &expected {
            assert!(
                found.iter().any(|line| line.contains(message)),
                "{name} lacks: {message}\nit gives:\n{listing}"
            );
        }
        for line in &found {
            assert!(
                expected.iter().any(|message| line.contains(message)),
                "{name} gives more: {line}"
            );
        }
    }
}

#[test]
fn every_shipped_pack_loads() {
    let mut seen = 0;
    for entry in fs::read_dir(root().join("packs")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let id = path.file_name().unwrap().to_string_lossy().into_owned();
            let pack = read_with(&id, &shipped(&id), &[]);
            assert!(pack.is_ok(), "{id}: {pack:?}");
            seen += 1;
        }
    }
    assert!(seen >= 5);
}

#[test]
fn provider_defaults_are_safe_ones() {
    let text = &files("valid")
        .into_iter()
        .find(|(name, _)| name == "provider-smallest.toml")
        .unwrap()
        .1;
    let Ok(Pack::Provider(pack)) = read_with("tiny", text, &[]) else {
        panic!("no provider");
    };
    assert_eq!(pack.platform, "openai");
    assert_eq!(pack.responses_mode, ResponsesMode::Auto);
    assert_eq!((pack.concurrency, pack.priority), (10, 1));
    assert_eq!(pack.subscription.group, "relay-tiny");
    assert_eq!(pack.subscription.plan, "relay-tiny-monthly");
    assert_eq!(
        pack.model_mapping,
        BTreeMap::from([("m".to_owned(), "m".to_owned())])
    );
    assert_eq!(pack.fingerprint.len(), 64);
}

#[test]
fn the_lab_packs_are_as_the_lab_stands() {
    let lab = provider("lab");
    assert_eq!(lab.base_url, "http://good.upstream.lab/v1");
    assert_eq!(lab.smoke_model, "lab-chat");
    assert_eq!(lab.subscription.group, "relay-lab");
    assert!(lab.to_be_confirmed.is_empty());
    let chat = provider("lab-chat");
    assert_eq!(chat.responses_mode, ResponsesMode::ForceChatCompletions);
    assert_eq!(chat.models, ["lab-chat", "deepseek-chat"]);
}

#[test]
fn what_the_sources_do_not_give_is_to_be_confirmed() {
    let deepseek = provider("deepseek");
    assert_eq!(deepseek.base_url, "https://aitoken.quanfuli.cn/v1");
    assert!(!deepseek.to_be_confirmed.contains(&"base_url".to_owned()));
    for field in ["models", "smoke_model", "price.input", "subscription.group"] {
        assert!(
            deepseek.to_be_confirmed.contains(&field.to_owned()),
            "{field}"
        );
    }
    assert!(
        provider("openai-relay")
            .to_be_confirmed
            .contains(&"base_url".to_owned())
    );
}

#[test]
fn config_variables_reach_every_string_of_a_baseline() {
    let pack = baseline(
        "tksea",
        &shipped("tksea"),
        &[
            ("tksea.public_base", "http://127.0.0.1:4000"),
            ("tksea.machine", "m9"),
            ("other.public_base", "http://elsewhere"),
        ],
    );
    let Look::Http(http) = &pack.check("entry.no-key").unwrap().look else {
        panic!("not http");
    };
    assert_eq!(http.url, "http://127.0.0.1:4000/v1/models");
    assert_eq!(
        pack.check("host.containers").unwrap().vantage.to_string(),
        "machine:m9"
    );
    assert_eq!(pack.vars["public_base"], "http://127.0.0.1:4000");
    assert_eq!(pack.machines().len(), 1);
}

#[test]
fn a_config_variable_no_pack_has_is_a_finding() {
    let findings = read_with(
        "tksea",
        &shipped("tksea"),
        &[("tksea.publicbase", "http://x")],
    )
    .unwrap_err();
    assert_eq!(
        findings[0].to_string(),
        "pack.toml:1:1: the config sets `tksea.publicbase`, which is no variable of this pack \
         (did you mean `public_base`?)"
    );
}

#[test]
fn the_production_baseline_says_everything_in_both_languages() {
    let pack = baseline("tksea", &shipped("tksea"), &[]);
    assert!(pack.checks.len() >= 29, "{}", pack.checks.len());
    for check in &pack.checks {
        let chinese = [&check.title_zh, &check.why_zh, &check.next_step_zh];
        assert!(
            chinese.iter().all(|text| text.is_some()),
            "{} lacks a Chinese text",
            check.id
        );
        // What another check of level `must` says too, in another way.
        let second = [
            "entry.site-file-whole",
            "database.account-groups",
            "database.channel-groups",
        ];
        let gentle = matches!(check.layer, Layer::Client | Layer::Hygiene)
            || second.contains(&check.id.as_str());
        let level = match check.id.as_str() {
            "entry.no-key-outside" => Level::Info,
            _ if gentle => Level::Should,
            _ => Level::Must,
        };
        assert_eq!(check.level, level, "{}", check.id);
    }
    assert_eq!(pack.vars["public_base"], "https://sub.tksea.top");
}
