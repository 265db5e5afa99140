//! The user smoke against the lab: which way its answers took, as the host booked them, and answers
//! that come from somewhere else.

use crate::support::{COCKPIT, Lab, has_ssh, run};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

fn check(id: &str, base: &str, more: &str) -> String {
    format!(
        "[[check]]\nid = \"{id}\"\nlayer = \"upstream\"\nlevel = \"must\"\ntime_limit_s = 60\n\
         title = \"t\"\nwhy = \"w\"\nnext_step = \"n\"\n[check.smoke]\nbase = \"{base}\"\ngroup = 3\n\
         models = [\"gpt-5.4\", \"gpt-5.4-mini\"]\nprompt = \"reply with pong only\"\nexpect = \"pong\"\n{more}\n"
    )
}

/// A relay that takes every key and answers as the right one does.
fn look_alike() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap_or(0);
            let body = if head[..read].starts_with(b"GET ") {
                r#"{"object":"list","data":[{"id":"gpt-5.4"},{"id":"gpt-5.4-mini"}]}"#
            } else {
                r#"{"choices":[{"message":{"role":"assistant","content":"pong"}}]}"#
            };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    base
}

#[test]
fn answers_are_traced_to_account_channel_and_model_and_those_from_elsewhere_fail() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let told = std::fs::read_to_string(&lab.config).unwrap();
    let base = told
        .lines()
        .find_map(|line| line.split_once(".public_base\" = ")?.1.split('"').nth(1))
        .unwrap()
        .to_owned();
    let elsewhere = look_alike();
    let checks = [
        check(
            "way",
            &base,
            "accounts = [7]\nchannel = 1\nupstream = { \"gpt-5.4\" = \"gpt-5.4\" }",
        ),
        check("account", &base, "accounts = [8]"),
        check("channel", &base, "channel = 2"),
        check(
            "model",
            &base,
            "upstream = { \"gpt-5.4-mini\" = \"other\" }",
        ),
    ];
    let packs = lab.folder().join("own-packs");
    std::fs::create_dir_all(packs.join("traced")).unwrap();
    let written = |checks: &[String]| {
        let text = format!(
            "schema = 1\nkind = \"baseline\"\ntitle = \"Traced\"\n{}",
            checks.concat()
        );
        std::fs::write(packs.join("traced/pack.toml"), text).unwrap();
    };
    written(&checks);
    let config = lab.folder().join("own.toml");
    let told = told.replace("baseline = \"tksea\"", "baseline = \"traced\"");
    let told = format!("packs_dir = \"{}\"\n{told}", packs.display());
    std::fs::write(&config, told).unwrap();
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
    let judged = || -> Value {
        let mut command = Command::new(COCKPIT);
        let words = ["baseline", "run", "--pack", "traced", "--json", "--config"];
        run(command.args(words).arg(&config), None).json()
    };
    let report = judged();
    let row = |id: &str| -> Value {
        let rows = report["checks"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap().clone()
    };
    for (id, verdict, found) in [
        (
            "way",
            "ok",
            "answer `pong`: key 11 of group 3, account 7, channel 1",
        ),
        (
            "account",
            "fail",
            "gpt-5.4: served by account 7, expected 8",
        ),
        (
            "channel",
            "fail",
            "gpt-5.4-mini: went through channel 1, expected channel 2",
        ),
        (
            "model",
            "fail",
            "gpt-5.4-mini: answered by `gpt-5.4-mini`, expected `other`",
        ),
    ] {
        let row = row(id);
        let said = row["found"].as_str().unwrap();
        assert!(row["verdict"] == verdict && said.contains(found), "{row:#}");
    }
    let traced = row("way")["provenance"].clone();
    assert_eq!(
        (&traced["key"], &traced["group"]),
        (&"11".into(), &"3".into()),
        "{traced:#}"
    );
    let served = traced["served"].as_array().unwrap();
    assert_eq!(served.len(), 2);
    for (at, model) in ["gpt-5.4", "gpt-5.4-mini"].iter().enumerate() {
        let way = &served[at];
        assert_eq!(way["model"], *model);
        assert_eq!(
            (&way["account"], &way["channel"]),
            (&"7".into(), &"1".into()),
            "{way:#}"
        );
        assert_eq!(
            (&way["group"], &way["upstream_model"]),
            (&"3".into(), &way["model"])
        );
        assert!(way["usage"].is_string(), "{way:#}");
    }
    // Alone: rows are told apart by key and model, and another smoke's would be taken for its own.
    written(&[check("elsewhere", &elsewhere, "")]);
    let row = judged()["checks"][0].clone();
    let said = row["found"].as_str().unwrap();
    let expected = "gpt-5.4: answered, and left no usage row on this host";
    assert!(
        row["verdict"] == "fail" && said.contains(expected),
        "{row:#}"
    );
    assert_eq!(row["provenance"]["served"], Value::Array(Vec::new()));
}
