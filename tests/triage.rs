//! Where to look first, and why a key fails: each fault of the tables is named by its own rule, seen
//! over the whole engine and the built program (`product.md` 5).

use crate::support::inside::{Inside, on_threads, quick};
use crate::support::{Lab, has_ssh};
use cockpit_domain::baseline::{Origin, Verdict};
use cockpit_domain::explain::{Holds, KeyReason};
use cockpit_domain::ids::{HostId, RemoteId};
use cockpit_domain::secret::Secret;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::explain::{AskedKey, Explained};
use cockpit_engine::import::CallerKey;
use cockpit_engine::triage::Triage;
use cockpit_lab::fleet::{PROD_USER_KEY, prod_key};
use serde_json::Value;
use std::collections::BTreeSet;

/// A fault and the rule that must be named first, of both tables of the production baseline's pack.
pub(crate) fn expected() -> BTreeSet<(String, String)> {
    let file: toml::Table = include_str!("../packs/tksea/rules.toml").parse().unwrap();
    let mut rows = BTreeSet::new();
    for list in ["rule", "symptom"] {
        for row in file[list].as_array().unwrap() {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            rows.insert((text("fault"), text("triage")));
        }
    }
    assert!(rows.len() >= 39, "{}", rows.len());
    rows
}

pub(crate) async fn triage(inside: &Inside) -> Triage {
    let command = Command::Triage {
        host: Some(inside.host_id()),
        look: true,
    };
    match inside.engine().call(command).await {
        Ok(Answer::Triage(done)) => *done,
        other => panic!("{other:?}"),
    }
}

/// What leaves lines in a log that the next fault's triage would see.
fn talks(fault: &str) -> bool {
    let talking = [
        "upstream-",
        "test-",
        "key-wrong",
        "pack-path",
        "host-502",
        "binding-lost",
    ];
    talking.iter().any(|head| fault.starts_with(head)) || fault == "nginx-old-port"
}

/// Sets a fault and says what was named first instead of its rule, if something else was.
async fn wrong_first(inside: &Inside, fault: &str, rule: &str) -> Option<String> {
    inside.lab.set_fault(fault).expect("a fault");
    let done = triage(inside).await;
    inside.lab.clear_fault(fault).expect("a fault");
    let first = done.report.findings.first();
    let shown = serde_json::to_string(&done).expect("JSON");
    assert!(
        !shown.contains("sk-lab") && !shown.contains(PROD_USER_KEY),
        "{fault}"
    );
    match first {
        Some(first) if first.rule == rule && !first.evidence.is_empty() => None,
        _ => Some(format!(
            "{fault}: {rule} is not first: {:?}",
            done.report
                .findings
                .iter()
                .map(|at| (&at.rule, at.origin, at.level, &at.evidence[0].found))
                .collect::<Vec<_>>()
        )),
    }
}

#[test]
fn each_fault_of_the_tables_is_what_triage_names_first() {
    if !has_ssh() {
        return;
    }
    // One rule wants a registered stack: `triage_rows.rs`.
    let rows = expected()
        .into_iter()
        .filter(|(fault, _)| fault != "stack-routed");
    let (talking, silent): (Vec<_>, Vec<_>) = rows.partition(|(fault, _)| talks(fault));
    let mut wrong = Vec::new();
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        let well = triage(&inside).await;
        assert_eq!(well.report.findings, [], "{:?}", well.report.verdict);
        assert_eq!(well.report.verdict, Verdict::Ok);
        assert_eq!(well.could_not_look, Vec::<String>::new());
        for (fault, rule) in &silent {
            wrong.extend(wrong_first(&inside, fault, rule).await);
        }
        inside.end().await;
    });
    for (fault, rule) in &talking {
        on_threads(async {
            let inside = Inside::start("prod", quick()).await;
            wrong.extend(wrong_first(&inside, fault, rule).await);
            inside.end().await;
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_way_that_is_cut_is_one_finding_and_no_word_about_production() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.lab.set_fault("tunnel-down").expect("a fault");
        let done = triage(&inside).await;
        assert_eq!(done.report.verdict, Verdict::Unreachable);
        let first = &done.report.findings[0];
        assert_eq!(first.rule, "look.blind");
        assert!(first.count >= 5, "{}", first.count);
        assert_eq!(done.report.findings.len(), 1, "{:?}", done.report.findings);
        assert_eq!(first.command, "cockpit doctor");
        inside.end().await;
    });
}

#[test]
fn what_went_wrong_on_the_acceptance_host_never_changes_the_verdict_of_production() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let batch = inside.import(&["sk-lab-quota-1", "sk-lab-good-1"]).await;
        let command = Command::Triage {
            host: Some(HostId::new("prod").expect("a host")),
            look: true,
        };
        let Ok(Answer::Triage(done)) = inside.engine().call(command).await else {
            panic!("no triage");
        };
        assert_eq!(done.report.verdict, Verdict::Ok);
        let findings = &done.report.findings;
        let quota = findings.iter().find(|at| at.rule == "completion.quota");
        let quota = quota.unwrap_or_else(|| panic!("{findings:?} of {batch:?}"));
        assert_eq!(quota.origin, Origin::Acceptance);
        assert!(
            findings.iter().all(|at| at.origin != Origin::Live),
            "{findings:?}"
        );
        inside.end().await;
    });
}

async fn explain(inside: &Inside, key: AskedKey) -> Explained {
    let host = Some(HostId::new("prod").expect("a host"));
    let answer = inside
        .engine()
        .call(Command::ExplainKey { host, key })
        .await;
    let Ok(Answer::Explained(found)) = answer else {
        panic!("{answer:?}");
    };
    let shown = serde_json::to_string(&found).expect("JSON");
    for id in 8..=13 {
        assert!(!shown.contains(&prod_key(id)), "a key is shown");
    }
    *found
}

fn given(text: &str) -> AskedKey {
    AskedKey::Text(CallerKey::Given(Secret::new(text)))
}

fn assert_decided(found: &Explained, reason: Option<KeyReason>, name: &str) {
    assert_eq!(found.decided, reason, "{name}: {found:#?}");
    let yes = found.reasons.iter().filter(|at| at.holds == Holds::Yes);
    assert!(
        yes.clone()
            .all(|at| !at.asked.is_empty() && !at.next.is_empty()),
        "{name}: {found:#?}"
    );
    assert_eq!(yes.count() > 0, reason.is_some(), "{name}");
}

#[test]
fn the_six_reasons_of_an_old_key_are_each_decided_by_a_look() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        // A key of the acceptance host: its managed user has one after an import.
        drop(inside.import(&["sk-lab-good-1"]).await);
        let other = inside
            .lab
            .host("accept")
            .with(|state| state.keys.values().next().map(|key| key.key.clone()))
            .expect("a key of the acceptance host");
        let profile_key = "sk-0d1e6f7a8b9c0d1e2f3a4b5c6d7e8f901a2b3c4d5e6f708192a3b4c5d6e7f809";
        let rows = [
            ("a good one", "", given(PROD_USER_KEY), None),
            ("by its id", "", AskedKey::Id(RemoteId(12)), None),
            (
                "of the other host",
                "",
                given(&other),
                Some(KeyReason::OtherHost),
            ),
            (
                "of no host",
                "",
                given("sk-nobody-knows-0123456789"),
                Some(KeyReason::OtherHost),
            ),
            (
                "in no group",
                "",
                given(&prod_key(8)),
                Some(KeyReason::NoGroup),
            ),
            (
                "in a group without account",
                "",
                given(&prod_key(9)),
                Some(KeyReason::GroupWithoutAccount),
            ),
            (
                "its subscription is over",
                "",
                given(&prod_key(10)),
                Some(KeyReason::SubscriptionExpired),
            ),
            (
                "kept in an old profile",
                "profile-old-key",
                given(profile_key),
                Some(KeyReason::OldProfile),
            ),
            (
                "kept in a profile that sends elsewhere",
                "profile-old-url",
                given(PROD_USER_KEY),
                Some(KeyReason::OldProfile),
            ),
            (
                "an old mapping",
                "old-mapping",
                given(&prod_key(9)),
                Some(KeyReason::OldMapping),
            ),
        ];
        for (name, fault, key, reason) in rows {
            if !fault.is_empty() {
                inside.lab.set_fault(fault).expect("a fault");
            }
            let found = explain(&inside, key).await;
            assert_decided(&found, reason, name);
            assert_eq!(found.is_well(), reason.is_none(), "{name}: {found:#?}");
            if name == "of the other host" {
                let at = &found.reasons[1];
                assert!(at.found.contains("of `accept`"), "{at:?}");
            }
            if !fault.is_empty() {
                inside.lab.clear_fault(fault).expect("a fault");
            }
        }
        // Nobody can look: it says so and decides nothing.
        inside.lab.set_fault("tunnel-down").expect("a fault");
        let found = explain(&inside, given(PROD_USER_KEY)).await;
        assert_eq!(found.decided, None);
        let blind = found.reasons.iter().filter(|at| at.holds == Holds::Unknown);
        assert_eq!(blind.count(), 5, "{found:#?}");
        inside.end().await;
    });
}

#[test]
fn the_program_says_where_to_look_first_and_takes_keys_by_reference_only() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let well = lab.run(&["triage"]);
    assert_eq!(well.code, 0, "{well:?}");
    assert!(well.stdout.contains("completion holds"), "{well:?}");
    assert_eq!(lab.run(&["lab", "fault", "set", "binding-lost"]).code, 0);
    let red = lab.run(&["triage", "prod", "--json"]);
    assert_eq!(red.code, 1, "{red:?}");
    let red: Value = red.json();
    assert_eq!(red["verdict"], "fail");
    assert_eq!(red["findings"][0]["rule"], "completion.binding-lost");
    assert_eq!(
        red["findings"][0]["command"],
        "cockpit repair plan --check binding.account-7-group-3 --pack tksea"
    );
    assert_eq!(red["findings"][0]["runbook"], "tksea/completion-fails");
    let told = lab.run(&["triage"]).stdout;
    assert!(told.contains("1. [completion / binding]"), "{told}");
    assert!(
        told.contains("     runbook   cockpit runbook run tksea/completion-fails\n"),
        "{told}"
    );
    assert_eq!(lab.run(&["triage", "nobody"]).code, 3);

    let found = lab.run_with(&["explain", "key", "-", "--json"], PROD_USER_KEY);
    assert_eq!(found.code, 1, "{found:?}");
    assert!(!found.stdout.contains(PROD_USER_KEY));
    assert_eq!(found.json()["decided"], "group_without_account");
    let refused = lab.run(&["explain", "key", PROD_USER_KEY]);
    assert_eq!(refused.code, 3);
    assert!(!refused.stderr.contains(PROD_USER_KEY), "{refused:?}");
    let nowhere = lab.run(&["explain", "key", "id:8"]);
    assert!(nowhere.stderr.contains("give its text"), "{nowhere:?}");
}
