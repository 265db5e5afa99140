//! The shipped production baseline over the embedded fleet: real sockets, the real ssh client. Each
//! fault must turn exactly the rows it is about.

use super::PackShelf;
use crate::config;
use crate::host_http::HostRegistry;
use crate::secrets::Secrets;
use crate::ssh::{Ssh, SshOptions};
use crate::system::SystemClock;
use crate::web::WebClient;
use cockpit_domain::baseline::{BaselineReport, CheckResult, Verdict, matches_glob};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::pack::{BaselinePack, Pack, Seen};
use cockpit_domain::stack::{Stack, StackSource};
use cockpit_domain::text::Redactor;
use cockpit_engine::baseline::{BaselineContext, run};
use cockpit_engine::ports::{Packs as _, Remote as _};
use cockpit_lab::{Lab, LabOptions};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A lab and the way into it.
struct Stage {
    lab: Lab,
    ssh: Arc<Ssh>,
    context: BaselineContext,
    pack: BaselinePack,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn start() -> Self {
        // Another test may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::Builder::new()
            .prefix("pk")
            .tempdir_in("/tmp")
            .unwrap();
        let lab = Lab::start(LabOptions::default()).await.unwrap();
        let config = config::load(Some(&lab.config_path())).unwrap();
        let redactor = Redactor::new();
        let mut options = SshOptions::new(folder.path().join("ssh"), redactor.clone());
        options.ssh_config.clone_from(&config.ssh_config);
        let ssh = Arc::new(Ssh::new(options, config.machines).unwrap());
        let shelf = PackShelf::load(None, &config.vars).unwrap();
        let host = HostId::new("prod").unwrap();
        let judged_by = config.hosts[&host].baseline.clone().unwrap();
        let Pack::Baseline(pack) = shelf.read(&judged_by).unwrap() else {
            panic!("no baseline");
        };
        let secrets = Secrets::new(redactor.clone(), config.credentials);
        let hosts = HostRegistry::new(
            config.hosts.into_values(),
            ssh.clone(),
            Arc::new(secrets),
            redactor.clone(),
        );
        let context = BaselineContext {
            remote: ssh.clone(),
            web: Arc::new(WebClient::new(ssh.clone(), redactor)),
            hosts: Arc::new(hosts),
            clock: Arc::new(SystemClock),
            store: None,
            trusted: true,
            host: Some(host),
            outside: config.outside,
            before: None,
            stacks: Ok(vec![trial()]),
        };
        Self {
            lab,
            ssh,
            context,
            pack,
            _folder: folder,
        }
    }

    async fn run(&self) -> BaselineReport {
        let cancel = CancellationToken::new();
        run(&self.context, &self.pack, &cancel, &|_: &CheckResult| {}).await
    }

    async fn end(self) {
        self.ssh.close().await;
        self.lab.shutdown().await;
    }
}

/// The lab's temporary stack, as somebody registered it.
fn trial() -> Stack {
    Stack {
        name: HostId::new("trial").unwrap(),
        machine: MachineId::new("remote43").unwrap(),
        reason: "acceptance".to_owned(),
        port: 18087,
        container: "sub2api-trial".to_owned(),
        databases: Vec::new(),
        batch: None,
        files: Vec::new(),
        until: "2999-12-31".to_owned(),
        keep: false,
        mark_file: None,
        source: StackSource::Registered,
        by: String::new(),
        created_ms: 0,
    }
}

/// The rows that are not ok.
fn red(report: &BaselineReport) -> Vec<(&str, Verdict)> {
    report
        .results
        .iter()
        .filter(|row| row.verdict != Verdict::Ok)
        .map(|row| (row.id.as_str(), row.verdict))
        .collect()
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    text: String,
    check: String,
    fault: String,
    triage: String,
    #[serde(default)]
    muted: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Rules {
    rule: Vec<Rule>,
    symptom: Vec<Symptom>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Symptom {
    text: String,
    fault: String,
    triage: String,
}

/// The rules of the production baseline, as its pack's folder lists them.
fn rules() -> Vec<Rule> {
    let text = include_str!("../../../packs/tksea/rules.toml");
    toml::from_str::<Rules>(text).unwrap().rule
}

fn symptoms() -> Vec<Symptom> {
    let text = include_str!("../../../packs/tksea/rules.toml");
    toml::from_str::<Rules>(text).unwrap().symptom
}

#[test]
fn every_check_of_the_production_baseline_has_a_fault_that_breaks_it() {
    let Pack::Baseline(pack) = PackShelf::load(None, &std::collections::BTreeMap::new())
        .unwrap()
        .read(&PackId::new("tksea").unwrap())
        .unwrap()
    else {
        panic!("no baseline");
    };
    let rules = rules();
    for check in &pack.checks {
        let turns = |rule: &Rule| rule.check == check.id || rule.muted.contains(&check.id);
        assert!(rules.iter().any(turns), "nothing breaks {}", check.id);
    }
    let Pack::Triage(triage) = PackShelf::load(None, &std::collections::BTreeMap::new())
        .unwrap()
        .read(&PackId::new("tksea-triage").unwrap())
        .unwrap()
    else {
        panic!("no triage rules");
    };
    let known = |id: &str| triage.rules.iter().any(|rule| rule.id == id);
    for symptom in symptoms() {
        assert!(known(&symptom.triage), "{symptom:?}");
        assert!(!symptom.text.is_empty() && !symptom.fault.is_empty());
    }
    for rule in &triage.rules {
        for when in rule.when.iter().filter(|when| when.seen == Seen::Check) {
            let named = pack
                .checks
                .iter()
                .any(|check| matches_glob(&when.name, &check.id));
            assert!(named, "{}: no check is like {}", rule.id, when.name);
        }
    }
    for rule in &rules {
        assert!(known(&rule.triage), "{rule:?}");
        assert!(
            pack.check(&rule.check).is_some(),
            "{}: no such check",
            rule.text
        );
    }
}

/// What turned beside a rule's check and what it explains, and what of them did not turn.
fn strays(rule: &Rule, report: &BaselineReport) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut turned = Vec::new();
    for (id, verdict) in red(report) {
        turned.push(id.to_owned());
        let row = report.results.iter().find(|row| row.id == id).unwrap();
        let right = match verdict {
            Verdict::Fail => rule.check == id,
            Verdict::NotJudged => row.muted_by.as_ref() == Some(&rule.check),
            _ => false,
        };
        if !right {
            wrong.push(format!(
                "{}: {id} is {verdict} ({:?}): {}",
                rule.fault, row.muted_by, row.found
            ));
        }
    }
    for id in rule.muted.iter().chain([&rule.check]) {
        if !turned.contains(id) {
            wrong.push(format!("{}: {id} did not turn", rule.fault));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_turns_the_rule_it_breaks_and_what_that_explains_and_nothing_else() {
    let stage = Stage::start().await;
    let first = stage.run().await;
    assert_eq!(red(&first), [], "{first:#?}");
    assert_eq!(first.verdict, Verdict::Ok);
    let mut wrong = Vec::new();
    for rule in rules() {
        let fault = rule.fault.as_str();
        stage.lab.set_fault(fault).unwrap();
        let report = stage.run().await;
        let shown = serde_json::to_string(&report).unwrap();
        assert!(!shown.contains("sk-lab"), "{fault}: a key is shown");
        wrong.extend(strays(&rule, &report));
        stage.lab.clear_fault(fault).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Nobody can look: that is no fault of production.
    stage.lab.set_fault("tunnel-down").unwrap();
    let report = stage.run().await;
    assert_eq!(report.verdict, Verdict::Unreachable);
    assert!(
        report
            .results
            .iter()
            .all(|row| row.verdict != Verdict::Fail),
        "{report:#?}"
    );
    stage.end().await;
}
