//! Every row of the triage pack, from something broken in the lab to the row that names it. What the
//! tables of the production baseline's pack have is looked at in `triage.rs`; here is the rest, and
//! that nothing is left.

use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use crate::triage::{expected, triage};
use cockpit_domain::baseline::Verdict;
use cockpit_domain::ids::{HostId, MachineId};
use cockpit_domain::stack::{Stack, StackSource};
use cockpit_engine::command::Command;
use cockpit_engine::triage::Triage;
use cockpit_lab::fleet::{PROD_USER_KEY, prod_key};
use cockpit_lab::scripted::Scripted;
use cockpit_lab::sub2api::state::State;
use std::collections::BTreeSet;

/// What brings a row.
enum By {
    /// A fault of the lab.
    Fault(&'static str),
    /// A change of the host's own rows, or of its answers.
    Host(fn(&mut State)),
}

/// The rows that no table of the baseline has, each with what brings it. Symptoms are named within the
/// finding that explains them.
const REST: [(&str, By); 10] = [
    ("entry.502", By::Fault("host-502")),
    ("entry.no-key-wrong", By::Host(somebody_else_answers)),
    ("key.refused", By::Host(owners_are_refused)),
    ("key.inactive", By::Fault("keys-disabled")),
    ("completion.account-closed", By::Host(account_is_closed)),
    ("completion.vendor-refuses-key", By::Fault("upstream-auth")),
    (
        "completion.rate-limited",
        By::Fault("upstream-rate-limited"),
    ),
    ("completion.no-accounts", By::Fault("binding-lost")),
    ("entry.gateway-errors", By::Fault("upstream-down")),
    ("look.blind", By::Fault("tunnel-down")),
];
/// The row that an import brings.
const GAP: &str = "completion.host-gap";

fn answer(path: &str, key: &str, status: u16, body: &str) -> Scripted {
    Scripted {
        method: "*".to_owned(),
        path: path.to_owned(),
        key: Some(key.to_owned()),
        after: 0,
        times: 1000,
        status,
        content_type: "application/json".to_owned(),
        body: body.to_owned(),
    }
}

fn somebody_else_answers(state: &mut State) {
    state.scripted.push(answer(
        "/v1/models",
        "",
        404,
        "{\"message\":\"no such page\"}",
    ));
}

fn owners_are_refused(state: &mut State) {
    let body = "{\"code\":\"USER_INACTIVE\",\"message\":\"User account is not active\"}";
    for key in [PROD_USER_KEY.to_owned(), prod_key(13)] {
        state.scripted.push(answer("/v1/models", &key, 401, body));
    }
}

fn account_is_closed(state: &mut State) {
    state.account_mut(7).expect("account 7").schedulable = false;
}

fn rules() -> BTreeSet<String> {
    let pack: toml::Table = include_str!("../packs/tksea-triage/pack.toml")
        .parse()
        .expect("TOML");
    let rows = pack["rule"].as_array().expect("rules").iter();
    rows.map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Whether a row was named: as a finding, or within the one that explains it.
fn is_named(done: &Triage, rule: &str) -> bool {
    let findings = &done.report.findings;
    findings
        .iter()
        .any(|at| at.rule == rule || at.folded.iter().any(|part| part == rule))
}

fn told(done: &Triage) -> Vec<(&str, &[String])> {
    let findings = done.report.findings.iter();
    findings
        .map(|at| (at.rule.as_str(), at.folded.as_slice()))
        .collect()
}

#[test]
fn no_row_of_the_triage_pack_is_without_a_test() {
    let tested: BTreeSet<String> = expected()
        .into_iter()
        .map(|(_, rule)| rule)
        .chain(REST.iter().map(|(rule, _)| (*rule).to_owned()))
        .chain([GAP.to_owned()])
        .collect();
    assert_eq!(rules(), tested);
}

#[test]
fn what_no_table_has_is_named_by_its_own_row() {
    if !has_ssh() {
        return;
    }
    let mut wrong = Vec::new();
    for (rule, by) in &REST {
        on_threads(async {
            let inside = Inside::start("prod", quick()).await;
            match by {
                By::Fault(fault) => inside.lab.set_fault(fault).expect("a fault"),
                By::Host(change) => inside.lab.host("prod").with(change),
            }
            let done = triage(&inside).await;
            if !is_named(&done, rule) {
                wrong.push(format!("{rule}: {:?}", told(&done)));
            }
            inside.end().await;
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_host_that_answers_with_nothing_is_named_as_a_gap_of_the_host() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        inside.lab.host("accept").with(|state| {
            let mut line = answer("/v1/chat/completions", "", 200, "{}");
            line.key = None;
            state.scripted.push(line);
        });
        drop(inside.import(&["sk-lab-good-1"]).await);
        let done = triage(&inside).await;
        assert!(is_named(&done, GAP), "{:?}", told(&done));
        inside.end().await;
    });
}

#[test]
fn a_site_that_leads_to_a_registered_stack_is_a_leftover_and_the_stack_alone_is_none() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.lab.set_fault("temporary-stack").expect("a fault");
        let new = Box::new(Stack {
            name: HostId::new("trial").expect("a slug"),
            machine: MachineId::new("remote43").expect("a machine"),
            reason: "acceptance of 0.1.130".to_owned(),
            port: 18087,
            container: "sub2api-trial".to_owned(),
            databases: vec![
                "sub2api-trial-postgres".to_owned(),
                "sub2api-trial-redis".to_owned(),
            ],
            batch: None,
            files: Vec::new(),
            until: "2999-12-31".to_owned(),
            keep: false,
            mark_file: None,
            source: StackSource::Registered,
            by: String::new(),
            created_ms: 0,
        });
        let registered = inside.engine().call(Command::StackRegister { new }).await;
        assert!(registered.is_ok(), "{registered:?}");
        let well = triage(&inside).await;
        assert_eq!(well.report.findings, [], "a stack with leave is no trouble");

        inside.lab.set_fault("stack-routed").expect("a fault");
        let done = triage(&inside).await;
        let first = &done.report.findings[0];
        assert_eq!(first.rule, "host.leftovers", "{:?}", told(&done));
        assert_eq!(done.report.verdict, Verdict::Fail);
        assert_eq!(first.evidence[0].subject, "host.stacks", "{first:?}");
        assert_eq!(first.runbook.as_deref(), Some("tksea/several-hosts"));
        inside.end().await;
    });
}
