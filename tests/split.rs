//! From the client to the vendor: the hop that breaks is marked, and the split writes down whose
//! fault it is without anybody's key.

use crate::support::{Lab, has_ssh};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const KEY: &str = "sk-lab-good-split-000001";

fn import(lab: &Lab, host: &str) {
    let planned = lab.plan_import(host, &format!("{KEY}\n"), &[]);
    let named = ["--host-name", host, "--reason", "a test"];
    let applied = lab.apply("import", &planned, &named);
    assert_eq!(applied.code, 0, "{applied:?}");
}

fn probes(lab: &Lab, host: &str) -> Value {
    let words = [
        "probe",
        "run",
        "--host",
        host,
        "--provider",
        "lab",
        "--json",
    ];
    lab.run(&words).json()
}

fn row<'a>(told: &'a Value, hop: &str, protocol: &str) -> &'a Value {
    let mut rows = told["probes"].as_array().expect("rows").iter();
    let found = rows.find(|row| row["hop"] == hop && row["protocol"] == protocol);
    found.unwrap_or_else(|| panic!("no {hop} {protocol}: {told}"))
}

#[test]
fn each_fault_breaks_at_its_own_hop_and_the_vendor_s_words_stand_there() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    import(&lab, "prod");
    let well = probes(&lab, "prod");
    assert_eq!(well["first_bad_hop"], Value::Null, "{well}");
    for hop in ["client", "nginx", "host"] {
        assert_eq!(row(&well, hop, "models")["class"], "ok", "{well}");
    }
    let chat = row(&well, "host", "chat");
    assert_ne!(chat["content_type"], "", "the type is recorded: {chat}");

    for (fault, hop) in [
        ("nginx-old-port", "nginx"),
        ("host-502", "host"),
        ("upstream-quota", "upstream"),
    ] {
        lab.break_it(fault);
        let told = probes(&lab, "prod");
        assert_eq!(told["first_bad_hop"], hop, "{fault}: {told}");
        if fault == "upstream-quota" {
            let words = row(&told, "upstream", "account");
            assert_eq!(words["class"], "quota");
            let found = words["found"].as_str().expect("text");
            assert!(found.contains("quota is not enough"), "{found}");
        }
        lab.mend_it(fault);
    }
}

#[test]
fn a_user_s_smoke_says_in_the_vendor_s_words_what_the_gateway_hides() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("upstream-quota");
    let told = lab.run(&["baseline", "run", "--json"]).json();
    let mut rows = told["checks"].as_array().expect("checks").iter();
    let smoke = rows
        .find(|row| row["id"] == "upstream.smoke")
        .expect("the smoke");
    let found = smoke["found"].as_str().expect("text");
    assert!(found.contains("502"), "{found}");
    assert!(found.contains("quota is not enough"), "{found}");
}

#[test]
fn a_split_names_whose_fault_it_is_and_writes_the_calls_without_the_key() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    import(&lab, "accept");
    let words = ["probe", "split", "--host", "accept", "--provider", "lab"];
    let refused = lab.run(&words);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("--key env:NAME"), "{refused:?}");
    let literal = lab.run(&[&words[..], &["--key", KEY]].concat());
    assert_eq!(literal.code, 3, "a literal key is refused");
    assert!(!literal.stderr.contains(KEY), "and not repeated");

    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), KEY).expect("it is written");
    let reference = format!("file:{}", file.path().display());
    let asked = [&words[..], &["--key", &reference, "--json"]].concat();
    // A vendor of the lab has no address outside it: silence from here is told, and blames nobody.
    let wide = lab.run(&[&asked[..], &["--here"]].concat()).json();
    let calls = wide["calls"].as_array().expect("calls");
    assert_eq!(calls.len(), 5, "{wide}");
    assert_eq!(calls[4]["vantage"], "here", "{wide}");
    assert_eq!(calls[4]["status"], 0, "{wide}");
    assert_eq!(wide["completion_classification"], "ok", "{wide}");
    for (fault, class, hop, code) in [
        (None, "ok", Value::Null, 0),
        (
            Some("upstream-quota"),
            "upstream_key_quota_issue",
            Value::from("upstream"),
            1,
        ),
    ] {
        if let Some(fault) = fault {
            lab.break_it(fault);
        }
        let ran = lab.run(&asked);
        assert_eq!(ran.code, code, "{ran:?}");
        let told = ran.json();
        assert_eq!(told["completion_classification"], class, "{told}");
        assert_eq!(told["first_bad_hop"], hop, "{told}");
        let calls = told["calls"].as_array().expect("calls");
        let names: Vec<&str> = calls
            .iter()
            .filter_map(|call| call["name"].as_str())
            .collect();
        assert_eq!(names, ["models direct", "chat direct", "chat via host"]);
        if fault.is_none() {
            assert_eq!(told["same_key"], true, "{told}");
        }
        let folder = Path::new(told["folder"].as_str().expect("a folder"));
        assert_eq!(mode(folder), 0o700);
        for name in ["split.md", "split.json"] {
            let path = folder.join(name);
            assert_eq!(mode(&path), 0o600);
            let text = std::fs::read_to_string(&path).expect("a file");
            assert!(!text.contains(KEY), "{text}");
            assert!(text.contains(class), "{text}");
            assert!(
                text.contains("application/json"),
                "the type is kept: {text}"
            );
        }
    }
}

/// One fault a class: what the split calls it, where it breaks, and what stands of the vendor's words.
const CLASSES: [(&str, &str, &str, u64, &str); 6] = [
    (
        "upstream-rate-limited",
        "upstream_rate_limited",
        "upstream",
        429,
        "Rate limit reached",
    ),
    (
        "upstream-auth",
        "upstream_auth_failed",
        "upstream",
        401,
        "Incorrect API key provided",
    ),
    (
        "upstream-quota",
        "upstream_key_quota_issue",
        "upstream",
        403,
        "quota is not enough",
    ),
    ("upstream-silent", "upstream_unreachable", "upstream", 0, ""),
    (
        "upstream-page",
        "upstream_unexpected",
        "upstream",
        200,
        "Please sign in to continue",
    ),
    (
        "upstream-chat-only",
        "host_compatibility_gap",
        "host",
        200,
        "pong",
    ),
];

#[test]
fn each_class_of_fault_has_its_hop_and_the_upstream_s_own_words_without_the_key() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    import(&lab, "accept");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), KEY).expect("it is written");
    let key = format!("file:{}", file.path().display());
    let asked = [
        "probe",
        "split",
        "--host",
        "accept",
        "--provider",
        "lab",
        "--key",
        &key,
        "--json",
    ];
    for (fault, class, hop, status, words) in CLASSES {
        lab.break_it(fault);
        let ran = lab.run(&asked);
        assert_eq!(ran.code, 1, "{fault}: {ran:?}");
        let told = ran.json();
        assert_eq!(told["completion_classification"], class, "{fault}: {told}");
        assert_eq!(told["first_bad_hop"], hop, "{fault}: {told}");
        let calls = told["calls"].as_array().expect("calls");
        let direct = calls.iter().find(|call| call["name"] == "chat direct");
        let direct = direct.expect("the direct chat");
        assert_eq!(direct["status"], status, "{fault}: {direct}");
        let said = direct["answer"].as_str().expect("text");
        assert!(said.contains(words), "{fault}: {said}");
        assert!(!said.is_empty(), "{fault}: silence is told too");
        assert!(!ran.stdout.contains(KEY), "{fault}: {told}");
        lab.mend_it(fault);
        let well = lab.run(&asked);
        assert_eq!(well.code, 0, "{fault} outlives its end: {well:?}");
    }
}

#[test]
fn a_probe_marks_the_hop_of_each_class() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    import(&lab, "prod");
    for (fault, hop, class) in [
        ("upstream-rate-limited", "upstream", "rate_limited"),
        ("upstream-auth", "upstream", "auth"),
        ("upstream-chat-only", "host", "unexpected"),
    ] {
        lab.break_it(fault);
        let told = probes(&lab, "prod");
        assert_eq!(told["first_bad_hop"], hop, "{fault}: {told}");
        let protocol = if hop == "upstream" { "account" } else { "chat" };
        assert_eq!(row(&told, hop, protocol)["class"], class, "{fault}: {told}");
        lab.mend_it(fault);
    }
}

fn mode(path: &Path) -> u32 {
    let meta = std::fs::metadata(path).expect("it is there");
    meta.permissions().mode() & 0o777
}
