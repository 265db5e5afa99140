//! The shipped production baseline over the embedded fleet: real sockets, the real ssh client. Each
//! fault must turn exactly the rows it is about.

use super::PackShelf;
use crate::config;
use crate::host_http::HostRegistry;
use crate::secrets::Secrets;
use crate::ssh::{Ssh, SshOptions};
use crate::system::SystemClock;
use crate::web::WebClient;
use cockpit_domain::baseline::{BaselineReport, CheckResult, Verdict};
use cockpit_domain::ids::HostId;
use cockpit_domain::pack::{BaselinePack, Pack};
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

/// The rows that are not ok.
fn red(report: &BaselineReport) -> Vec<(&str, Verdict)> {
    report
        .results
        .iter()
        .filter(|row| row.verdict != Verdict::Ok)
        .map(|row| (row.id.as_str(), row.verdict))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_turns_the_rows_it_is_about_and_no_other() {
    use Verdict::{Fail, NotJudged, Unreachable};
    let stage = Stage::start().await;
    let first = stage.run().await;
    assert_eq!(red(&first), [], "{first:#?}");
    assert_eq!(first.verdict, Verdict::Ok);
    let rows: [(&str, Verdict, &[(&str, Verdict)]); 6] = [
        (
            "nginx-old-port",
            Fail,
            &[
                ("entry.no-key", Fail),
                ("entry.nginx-locations", Fail),
                ("entry.nginx-banned-ports", Fail),
                ("upstream.smoke", NotJudged),
            ],
        ),
        (
            "binding-lost",
            Fail,
            &[
                ("binding.account-7-group-3", Fail),
                ("upstream.smoke", Fail),
            ],
        ),
        (
            "leftover-container",
            Fail,
            &[("host.containers", Fail), ("host.listening", Fail)],
        ),
        (
            "host-502",
            Fail,
            &[
                ("entry.no-key", Fail),
                ("host.containers", Fail),
                ("host.listening", Fail),
                ("binding.account-7-group-3", Unreachable),
                ("upstream.smoke", NotJudged),
            ],
        ),
        (
            "tunnel-down",
            Unreachable,
            &[
                ("binding.account-7-group-3", Unreachable),
                ("upstream.smoke", Unreachable),
            ],
        ),
        ("upstream-quota", Fail, &[("upstream.smoke", Fail)]),
    ];
    for (fault, verdict, expected) in rows {
        stage.lab.set_fault(fault).unwrap();
        let report = stage.run().await;
        assert_eq!(red(&report), expected, "{fault}: {report:#?}");
        assert_eq!(report.verdict, verdict, "{fault}");
        let shown = serde_json::to_string(&report).unwrap();
        assert!(!shown.contains("sk-lab"), "{fault}: a key is shown");
        stage.lab.clear_fault(fault).unwrap();
    }
    stage.end().await;
}
