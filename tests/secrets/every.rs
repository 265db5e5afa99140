//! Every command there is, as the program's own help lists them: a command that is added tomorrow is
//! searched as well.

use super::{KEYS, Search, Talk, json, mode};
use crate::support::bare;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Ends by a signal only, or plays somewhere else.
const LEFT_OUT: [&str; 5] = [
    "log tail",
    "reconcile watch",
    "lab serve",
    "lab fault",
    "drill",
];

/// The words behind a command, fewest first; the first that it takes are enough.
const FORMS: [&[&str]; 5] = [
    &[],
    &["1"],
    &["accept"],
    &["--host", "accept"],
    &["--host", "accept", "--provider", "lab"],
];

/// The commands that the help of some words lists.
fn listed(words: &[&str]) -> Vec<String> {
    let help = bare(&[words, &["--help"]].concat()).stdout;
    let rows = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    rows.take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect()
}

/// Every command of the program, as words.
fn commands() -> Vec<String> {
    let (mut all, mut open) = (Vec::new(), listed(&[]));
    while let Some(command) = open.pop() {
        let words: Vec<&str> = command.split(' ').collect();
        let below = listed(&words);
        if below.is_empty() {
            all.push(command);
        } else {
            open.extend(below.iter().map(|name| format!("{command} {name}")));
        }
    }
    all.sort();
    all
}

/// Asks every command that ends by itself, as JSON.
pub(super) fn ask_every(talk: &mut Talk, search: &Search) {
    let all = commands();
    let mut taken = 0;
    for command in &all {
        if LEFT_OUT.iter().any(|name| command.starts_with(name)) {
            continue;
        }
        for form in FORMS {
            let words: Vec<&str> = command.split(' ').chain(form.iter().copied()).collect();
            talk.run(search, &[&words[..], &["--json"]].concat(), "");
            let said = &talk.said[talk.said.len() - 2..];
            let said = said.iter().flat_map(|(_, bytes)| bytes.clone());
            let said = String::from_utf8_lossy(&said.collect::<Vec<u8>>()).into_owned();
            if !said.contains("reading the command line") {
                taken += 1;
                break;
            }
        }
    }
    assert!(all.len() > 45, "only {all:?}");
    assert!(taken > 30, "only {taken} of {} were answered", all.len());
}

/// What reads keys, or writes files for other people: the failed ones as a new file, them tried again,
/// and the calls of a split with the key that its vendor tells back.
pub(super) fn ask_with_keys(talk: &mut Talk, search: &Search, folder: &Path) {
    let both = KEYS.join("\n");
    let failed = folder.join("failed");
    let out = failed.to_str().expect("a plain path");
    let words = [
        "batch", "failed", "1", "--keys", "-", "--out", out, "--json",
    ];
    assert_eq!(talk.run(search, &words, &both).0, 0);
    // A file that is there is not written over.
    assert_eq!(talk.run(search, &words[..7], &both).0, 3);
    let kept = std::fs::read_to_string(&failed).expect("the file");
    assert_eq!(
        (kept.trim(), mode(&failed)),
        (KEYS[1], 0o600),
        "the one that failed"
    );
    let words = ["batch", "retry", "1", "--keys", "-", "--json"];
    assert_eq!(talk.run(search, &words, &both).0, 0);

    let file = folder.join("key");
    std::fs::write(&file, KEYS[1]).expect("a file");
    let ours = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&file, ours).expect("a mode");
    let reference = format!("file:{}", file.display());
    let words = ["probe", "split", "--host", "accept", "--provider", "lab"];
    let words = [&words[..], &["--key", &reference, "--json"]].concat();
    let (code, said) = talk.run(search, &words, "");
    let why = talk.said.last().map(|(_, bytes)| bytes.clone());
    let why = String::from_utf8_lossy(&why.unwrap_or_default()).into_owned();
    assert_eq!(code, 1, "a finding: {why}");
    let said = json(&said);
    let evidence = PathBuf::from(said["folder"].as_str().expect("a folder"));
    assert!(evidence.starts_with(talk.state()), "it is searched: {said}");
    let text = std::fs::read_to_string(evidence.join("split.json")).expect("the split");
    assert!(
        text.contains("Incorrect API key provided"),
        "the vendor's words arrived: {text}"
    );
}
