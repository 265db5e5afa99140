//! The engine wired as `main` wires it, in this process, against a lab in this process: here a
//! test can lose any one answer of the host, and look at the host's rows themselves.

use cockpit_adapters::config::{self, ConfigFile};
use cockpit_adapters::host_http::HostRegistry;
use cockpit_adapters::lab_control::ControlSocket;
use cockpit_adapters::packs::PackShelf;
use cockpit_adapters::secrets::Secrets;
use cockpit_adapters::ssh::{Ssh, SshOptions};
use cockpit_adapters::store::SqliteStore;
use cockpit_adapters::system::SystemClock;
use cockpit_adapters::web::WebClient;
use cockpit_domain::batch::{AccessMode, Batch, ImportMode};
use cockpit_domain::ids::{BatchId, HostId, PackId};
use cockpit_domain::import::managed_email;
use cockpit_domain::recorded::Listing;
use cockpit_domain::secret::Secret;
use cockpit_domain::text::Redactor;
use cockpit_engine::approval::Approval;
use cockpit_engine::batches::BatchDetail;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::context::{Ports, Settings, Timing};
use cockpit_engine::failure::Outcome;
use cockpit_engine::handle::Handle;
use cockpit_engine::import::PlannedImport;
use cockpit_engine::ports::FaultBoard;
use cockpit_engine::reconcile::{PlannedReconcile, Scope};
use cockpit_engine::rollback::{PlannedRollback, RolledBack};
use cockpit_lab::request_log::SeenRequest;
use cockpit_lab::sub2api::state::{DropRule, When};
use cockpit_lab::{Lab, LabOptions};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The provider whose vendor does everything right.
pub(crate) const PROVIDER: &str = "lab";

/// Runs a test's future on threads of its own, as `main` does.
pub(crate) fn on_threads<T>(work: impl Future<Output = T>) -> T {
    threads().block_on(work)
}

/// Threads for what has to run beside a test.
pub(crate) fn threads() -> tokio::runtime::Runtime {
    // Fails when another test of this process was first; then it is there.
    drop(rustls::crypto::ring::default_provider().install_default());
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Waits short enough for a test; windows keep their order.
pub(crate) fn quick() -> Timing {
    Timing {
        // No list of the lab is old in here, so an early look costs nothing.
        first_look: Duration::ZERO,
        first_wait: Duration::from_millis(50),
        late_answer: Duration::from_secs(3),
        ..Timing::default()
    }
}

/// A lab, and an engine on its config.
pub(crate) struct Inside {
    /// The lab.
    pub(crate) lab: Lab,
    host: &'static str,
    engine: Handle,
    sockets: tempfile::TempDir,
}

impl Inside {
    /// A fresh lab; `host` is the one the test works on.
    pub(crate) async fn start(host: &'static str, timing: Timing) -> Self {
        Self::start_with(host, timing, &Redactor::new()).await
    }

    /// As `start`, with a redactor of the test's choice.
    pub(crate) async fn start_with(
        host: &'static str,
        timing: Timing,
        redactor: &Redactor,
    ) -> Self {
        let lab = Lab::start(LabOptions {
            probe_delay: Duration::from_millis(50),
            ..LabOptions::default()
        })
        .await
        .expect("the lab starts");
        // A list that is 15 s old would only make each test that much longer.
        lab.host(host)
            .with(|state| state.settings.models_ttl = Duration::ZERO);
        let sockets = tempfile::Builder::new()
            .prefix("rc")
            .tempdir()
            .expect("a folder");
        let engine = wire(&lab, &sockets, timing, redactor).expect("the engine is wired");
        Self {
            lab,
            host,
            engine,
            sockets,
        }
    }

    /// A second engine on the same store, as a new process would be. The first one is closed.
    pub(crate) async fn restart(&mut self, timing: Timing) {
        self.engine.close().await;
        let redactor = Redactor::new();
        self.engine =
            wire(&self.lab, &self.sockets, timing, &redactor).expect("the engine is wired");
    }

    /// The same, with so many calls to a host at once at most.
    pub(crate) async fn restart_paced(&mut self, timing: Timing, in_flight: usize) {
        self.engine.close().await;
        let redactor = Redactor::new();
        let mut config = config::load(Some(&self.lab.config_path())).expect("the lab's config");
        for host in config.hosts.values_mut() {
            host.in_flight = in_flight;
        }
        self.engine =
            wire_config(config, &self.sockets, timing, &redactor).expect("the engine is wired");
    }

    /// Ends engine and lab.
    pub(crate) async fn end(self) {
        self.engine.close().await;
        self.lab.shutdown().await;
    }

    /// The host under test.
    pub(crate) fn host_id(&self) -> HostId {
        HostId::new(self.host).expect("a slug")
    }

    /// The provider under test.
    pub(crate) fn provider() -> PackId {
        PackId::new(PROVIDER).expect("a slug")
    }

    /// The engine, for commands that have no helper here.
    pub(crate) fn engine(&self) -> &Handle {
        &self.engine
    }

    /// Loses the answer of the next request that fits.
    pub(crate) fn lose(&self, method: &str, path: &str, when: When) {
        let rule = DropRule {
            method: method.to_owned(),
            path_prefix: path.to_owned(),
            when,
        };
        self.lab
            .host(self.host)
            .with(|state| state.drop_next = Some(rule));
    }

    /// The store's database file.
    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.lab
            .config_path()
            .with_file_name("state")
            .join("cockpit.db")
    }

    /// Whether the rule has met its request.
    pub(crate) fn lost(&self) -> bool {
        self.lab
            .host(self.host)
            .with(|state| state.drop_next.is_none())
    }

    /// Plans and applies an import of these keys. The batch may be interrupted.
    pub(crate) async fn import(&self, keys: &[&str]) -> Batch {
        self.import_by(AccessMode::Subscription, keys).await
    }

    /// As `import`, in an access mode.
    pub(crate) async fn import_by(&self, access: AccessMode, keys: &[&str]) -> Batch {
        let planned = self.plan_import(access, keys).await;
        self.apply_import(&planned).await
    }

    /// Plans an import of these keys.
    pub(crate) async fn plan_import(&self, access: AccessMode, keys: &[&str]) -> PlannedImport {
        self.plan_in(access, ImportMode::Partial, keys).await
    }

    /// As `plan_import`, strict or partial.
    pub(crate) async fn plan_in(
        &self,
        access: AccessMode,
        mode: ImportMode,
        keys: &[&str],
    ) -> PlannedImport {
        let command = Command::ImportPlan {
            host: self.host_id(),
            provider: Self::provider(),
            keys: Secret::new(keys.join("\n")),
            mode,
            access,
            user_key: None,
        };
        match self.ask(command).await {
            Answer::Import(planned) => *planned,
            other => panic!("{other:?}"),
        }
    }

    /// The command that applies an import plan, with so many keys first.
    pub(crate) fn apply(&self, planned: &PlannedImport, canary: usize) -> Command {
        Command::ImportApply {
            plan: planned.id,
            approval: self.word(&planned.hash),
            canary,
        }
    }

    /// Looks at the host's rows, or changes them.
    pub(crate) fn with<T>(
        &self,
        look: impl FnOnce(&mut cockpit_lab::sub2api::state::State) -> T,
    ) -> T {
        self.lab.host(self.host).with(look)
    }

    /// Applies an import plan. The batch may be interrupted.
    pub(crate) async fn apply_import(&self, planned: &PlannedImport) -> Batch {
        self.try_import(planned)
            .await
            .unwrap_or_else(|failure| panic!("import apply: {failure:?}"))
    }

    /// Applies an import plan that may be refused.
    pub(crate) async fn try_import(&self, planned: &PlannedImport) -> Outcome<Batch> {
        match self.engine.call(self.apply(planned, 0)).await? {
            Answer::Batch(batch) => Ok(*batch),
            other => panic!("{other:?}"),
        }
    }

    /// Goes on with a batch.
    pub(crate) async fn resume(&self, batch: BatchId) -> Batch {
        self.batch(Command::BatchResume { batch }).await
    }

    /// Carries out a command that ends in a batch.
    pub(crate) async fn batch(&self, command: Command) -> Batch {
        match self.ask(command).await {
            Answer::Batch(batch) => *batch,
            other => panic!("{other:?}"),
        }
    }

    /// Everything the store holds of a batch.
    pub(crate) async fn show(&self, batch: BatchId) -> BatchDetail {
        match self.ask(Command::BatchShow { batch }).await {
            Answer::Detail(detail) => *detail,
            other => panic!("{other:?}"),
        }
    }

    /// Compares records and host; what came of the newest batch.
    pub(crate) async fn reconcile(&self) -> PlannedReconcile {
        let scope = Scope::Host {
            host: self.host_id(),
            provider: Some(Self::provider()),
        };
        match self.ask(Command::ReconcilePlan { scope }).await {
            Answer::Reconcile(mut done) => done.plans.swap_remove(0),
            other => panic!("{other:?}"),
        }
    }

    /// Plans taking a batch back.
    pub(crate) async fn plan_rollback(&self, batch: BatchId) -> Outcome<PlannedRollback> {
        self.plan_undoing(batch, false).await
    }

    /// The same, or deleting what the batch took over.
    pub(crate) async fn plan_undoing(
        &self,
        batch: BatchId,
        delete: bool,
    ) -> Outcome<PlannedRollback> {
        let command = Command::RollbackPlan { batch, delete };
        match self.engine.call(command).await? {
            Answer::Rollback(planned) => Ok(*planned),
            other => panic!("{other:?}"),
        }
    }

    /// Plans and applies taking a batch back.
    pub(crate) async fn roll_back(&self, batch: BatchId) -> RolledBack {
        let planned = self.plan_rollback(batch).await.expect("a plan");
        self.apply_rollback(&planned)
            .await
            .expect("it is taken back")
    }

    /// Applies a rollback plan.
    pub(crate) async fn apply_rollback(&self, planned: &PlannedRollback) -> Outcome<RolledBack> {
        let approval = self.word(&planned.hash);
        let command = Command::RollbackApply {
            plan: planned.id,
            approval,
        };
        match self.engine.call(command).await? {
            Answer::RolledBack(rolled) => Ok(*rolled),
            other => panic!("{other:?}"),
        }
    }

    /// The word that approves a plan.
    pub(crate) fn word(&self, hash: &str) -> Approval {
        Approval {
            hash: hash.to_owned(),
            host_name: Some(self.host.to_owned()),
            reason: Some("drill".to_owned()),
        }
    }

    async fn ask(&self, command: Command) -> Answer {
        let name = command.name();
        self.engine
            .call(command)
            .await
            .unwrap_or_else(|failure| panic!("{name}: {failure:?}"))
    }

    /// What the host lists, as proofs compare it.
    pub(crate) async fn listing(&self) -> Listing {
        match self
            .ask(Command::HostListing {
                host: self.host_id(),
                provider: Self::provider(),
            })
            .await
        {
            Answer::Listing(rows) => rows,
            other => panic!("{other:?}"),
        }
    }

    /// How many living rows of each kind and name the host holds, read from its state.
    pub(crate) fn census(&self) -> Census {
        Census::of(&self.lab, self.host)
    }

    /// What the managed user has, if there is one.
    pub(crate) fn balance(&self) -> Option<f64> {
        let email = managed_email(&Self::provider());
        self.lab.host(self.host).with(|state| {
            let mut living = state.users.values().filter(|row| row.deleted_at.is_none());
            living.find(|row| row.email == email).map(|row| row.balance)
        })
    }

    /// Living accounts that the scheduler may not take.
    pub(crate) fn parked(&self) -> usize {
        self.lab.host(self.host).with(|state| {
            state
                .accounts
                .values()
                .filter(|row| row.deleted_at.is_none() && !row.schedulable)
                .count()
        })
    }

    /// Requests that reached the host under test and may have changed it, in order.
    pub(crate) fn writes(&self) -> Vec<SeenRequest> {
        let service = format!("host:{}", self.host);
        let rows = self.lab.log().since(0).into_iter();
        rows.filter(|row| row.service == service && row.method != "GET")
            .collect()
    }
}

/// Living rows by (kind, name).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Census(pub(crate) BTreeMap<(&'static str, String), usize>);

impl Census {
    /// Counts the living rows of a host.
    pub(crate) fn of(lab: &Lab, host: &str) -> Self {
        let mut rows = BTreeMap::new();
        let mut count = |kind, name: &str| *rows.entry((kind, name.to_owned())).or_insert(0) += 1;
        lab.host(host).with(|state| {
            for row in state.groups.values().filter(|row| row.deleted_at.is_none()) {
                count("group", &row.name);
            }
            for row in state.channels.values() {
                count("channel", &row.name);
            }
            for row in state.plans.values() {
                count("plan", &row.name);
            }
            for row in state
                .accounts
                .values()
                .filter(|row| row.deleted_at.is_none())
            {
                count("account", &row.name);
            }
            for row in state.users.values().filter(|row| row.deleted_at.is_none()) {
                count("user", &row.email);
            }
            for row in state
                .subscriptions
                .values()
                .filter(|row| row.deleted_at.is_none())
            {
                count("subscription", &row.notes);
            }
            for row in state.keys.values().filter(|row| row.deleted_at.is_none()) {
                count("key", &row.name);
            }
        });
        Self(rows)
    }

    /// How many rows of a kind there are.
    pub(crate) fn total(&self, kind: &str) -> usize {
        self.0
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|(_, count)| count)
            .sum()
    }

    /// What an import of these keys must have added, each exactly once, and nothing else.
    pub(crate) fn after_import(&self, keys: &[&str]) -> Self {
        let mut rows = self.0.clone();
        let email = managed_email(&Inside::provider());
        let accounts = keys.iter().map(|key| cockpit_lab::fleet::account_name(key));
        for (kind, name) in [
            ("group", "relay-lab".to_owned()),
            ("channel", "relay-lab".to_owned()),
            ("plan", "relay-lab-monthly".to_owned()),
            ("user", email),
            ("subscription", "relay-cockpit lab".to_owned()),
            ("key", "relay-lab".to_owned()),
        ]
        .into_iter()
        .chain(accounts.map(|name| ("account", name)))
        {
            rows.insert((kind, name), 1);
        }
        Self(rows)
    }

    /// As `after_import`, in access mode `self_service`: no offer, no subscription, and a frame with
    /// names of its own.
    pub(crate) fn after_self_service(&self, keys: &[&str]) -> Self {
        let mut rows = self.0.clone();
        let accounts = keys.iter().map(|key| cockpit_lab::fleet::account_name(key));
        for (kind, name) in [
            ("group", "relay-lab-self-service".to_owned()),
            ("channel", "relay-lab-self-service".to_owned()),
            ("user", managed_email(&Inside::provider())),
        ]
        .into_iter()
        .chain(accounts.map(|name| ("account", name)))
        {
            rows.insert((kind, name), 1);
        }
        *rows.entry(("key", "relay-lab".to_owned())).or_insert(0) += 1;
        Self(rows)
    }

    /// With one more row of a kind and name.
    pub(crate) fn with(&self, kind: &'static str, name: &str) -> Self {
        let mut rows = self.0.clone();
        *rows.entry((kind, name.to_owned())).or_insert(0) += 1;
        Self(rows)
    }

    /// Without the rows of a kind and name.
    pub(crate) fn without(&self, kind: &'static str, name: &str) -> Self {
        let mut rows = self.0.clone();
        rows.remove(&(kind, name.to_owned()));
        Self(rows)
    }

    /// What differs from another one, a line each.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let names = self
            .0
            .keys()
            .chain(other.0.keys())
            .collect::<std::collections::BTreeSet<_>>();
        let of = |rows: &Self, name| rows.0.get(name).copied().unwrap_or(0);
        names
            .into_iter()
            .filter(|name| of(self, name) != of(other, name))
            .map(|name| {
                format!(
                    "{} {}: {} instead of {}",
                    name.0,
                    name.1,
                    of(self, name),
                    of(other, name)
                )
            })
            .collect()
    }
}

/// Waits for a condition of the host, at most `limit`.
pub(crate) async fn until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < limit, "waited {limit:?} for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Config to adapters to engine.
fn wire(
    lab: &Lab,
    sockets: &tempfile::TempDir,
    timing: Timing,
    redactor: &Redactor,
) -> Outcome<Handle> {
    let config = config::load(Some(&lab.config_path()))?;
    wire_config(config, sockets, timing, redactor)
}

/// A config to adapters to engine.
fn wire_config(
    config: config::Config,
    sockets: &tempfile::TempDir,
    timing: Timing,
    redactor: &Redactor,
) -> Outcome<Handle> {
    let mut options = SshOptions::new(sockets.path().join("s"), redactor.clone());
    options.ssh_config.clone_from(&config.ssh_config);
    let ssh = Arc::new(Ssh::new(options, config.machines.clone())?);
    let secrets = Arc::new(Secrets::new(redactor.clone(), config.credentials.clone()));
    let hosts = HostRegistry::new(
        config.hosts.values().cloned(),
        ssh.clone(),
        secrets.clone(),
        redactor.clone(),
    );
    let faults = config
        .lab_control
        .as_ref()
        .map(|path| Arc::new(ControlSocket::new(path, redactor.clone())) as Arc<dyn FaultBoard>);
    let ports = Ports {
        hosts: Arc::new(hosts),
        remote: ssh.clone(),
        packs: Arc::new(PackShelf::load(config.packs_dir.as_deref(), &config.vars)?),
        store: Arc::new(SqliteStore::open(&config.state_dir, redactor.clone())?),
        web: Arc::new(WebClient::new(ssh, redactor.clone())),
        secrets,
        registrar: Arc::new(ConfigFile::of(&config)),
        clock: Arc::new(SystemClock),
        faults,
    };
    let settings = Settings {
        terms: config.terms(),
        machines: config.machines.keys().cloned().collect(),
        outside: config.outside.clone(),
        hosts: config.hosts,
        vars: config.vars,
        trust: config.trust,
        logs: config.logs,
        owner: "test".to_owned(),
        timing,
    };
    Ok(Handle::new(ports, settings))
}
