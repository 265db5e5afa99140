//! Ten thousand recorded resources compared with their host, beside the bare list calls of the same
//! run (`product.md` 10: at most 1.3 times as long, the comparison itself at most 50 ms).
//!
//! `cargo bench --bench reconcile`; `RESOURCES=2000 ROUNDS=3` make it shorter.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints its figures, and ends by panicking when there are none"
)]

#[path = "../tests/support/inside.rs"]
#[expect(
    dead_code,
    reason = "what black-box tests share; a bench needs a part of it"
)]
mod inside;

use cockpit_domain::ids::{BatchId, PackId};
use cockpit_domain::reconcile::{ReconcileInput, ReconcileSummary, reconcile};
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use cockpit_domain::secret::sha256_hex;
use cockpit_lab::fleet::LAB_MODELS;
use cockpit_lab::sub2api::model::Account;
use inside::{Inside, PROVIDER, on_threads, quick};
use std::time::{Duration, Instant};

const BATCH: BatchId = BatchId(1);

fn asked(name: &str, default: usize) -> usize {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn main() {
    let (resources, rounds) = (asked("RESOURCES", 10_000), asked("ROUNDS", 5));
    on_threads(measure(resources, rounds));
}

/// A batch that holds so many accounts, each of them on the host.
async fn filled(resources: usize) -> Inside {
    let inside = Inside::start("accept", quick()).await;
    let batch = inside.import(&["sk-lab-good-bench-000001"]).await;
    assert_eq!(batch.id, BATCH);
    inside.with(|state| {
        let group = state.groups.values().find(|row| row.name == "relay-lab");
        let group = group.expect("the group").id;
        for number in 0..resources {
            let key = format!("sk-lab-good-bench-many-{number:06}");
            let name = format!("lab.{}", &sha256_hex(&key)[..12]);
            let mut account = Account::apikey(&name, "openai", "http://good.upstream.lab", &key)
                .with_models(&LAB_MODELS);
            account.concurrency = 10;
            account.priority = 1;
            let id = state.add_account(account);
            state.bind(id, group);
        }
    });
    let ports = inside.engine().ports();
    let api = ports.hosts.api(&inside.host_id()).await.expect("a host");
    let known = ports.store.resources(BATCH).await.expect("records");
    let rows = api.accounts(None).await.expect("accounts");
    let is_known = |id| {
        known
            .iter()
            .any(|row| row.kind == ResourceKind::Account && row.host_resource_id == id)
    };
    let new: Vec<BatchResource> = rows
        .iter()
        .filter(|row| !is_known(row.id))
        .map(|row| BatchResource {
            batch: BATCH,
            kind: ResourceKind::Account,
            host_resource_id: row.id,
            name: row.name.clone(),
            origin: Origin::Created,
            recorded: recorded::of_account(row),
            before: serde_json::Value::Null,
            undone: false,
        })
        .collect();
    futures_util::future::try_join_all(new.iter().map(|row| ports.store.record(row)))
        .await
        .expect("recorded");
    inside
}

/// Every list that a reconcile reads, at once, and nothing else.
async fn lists(inside: &Inside) -> cockpit_domain::import::HostView {
    let api = inside
        .engine()
        .ports()
        .hosts
        .api(&inside.host_id())
        .await
        .expect("a host");
    let email = format!("relay-{PROVIDER}@cockpit.invalid");
    let (identity, groups, channels, offers, accounts, user) = futures_util::try_join!(
        api.identity(),
        api.groups(),
        api.channels(),
        api.offers(),
        api.accounts(None),
        api.user_by_email(&email),
    )
    .expect("lists");
    let subscriptions = match &user {
        Some(user) => api.subscriptions(user.id).await.expect("lists"),
        None => Vec::new(),
    };
    let managed_keys = match &user {
        Some(user) => api.user_keys(user.id).await.expect("lists"),
        None => Vec::new(),
    };
    cockpit_domain::import::HostView {
        version: identity.version,
        captcha: identity.captcha,
        backend_mode: identity.backend_mode,
        registration: identity.registration,
        groups,
        channels,
        offers,
        accounts,
        user,
        subscriptions,
        managed_keys,
        caller_key: None,
    }
}

async fn measure(resources: usize, rounds: usize) {
    let inside = filled(resources).await;
    let records = inside
        .engine()
        .ports()
        .store
        .resources(BATCH)
        .await
        .expect("records");
    let provider = PackId::new(PROVIDER).expect("a slug");
    let pack = inside
        .engine()
        .ports()
        .packs
        .provider(&provider)
        .expect("the pack");
    let (mut bare, mut whole, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begun = Instant::now();
        let view = lists(&inside).await;
        bare.push(begun.elapsed());
        let begun = Instant::now();
        let report = reconcile(ReconcileInput {
            host: &inside.host_id(),
            pack: &pack,
            batch: BATCH,
            resources: &records,
            others: &[],
            peers: &[],
            view: &view,
            keys: &[],
            probe_notes: Vec::new(),
            summary: ReconcileSummary {
                access_status: None,
                latest_access_status: None,
            },
        });
        alone.push(begun.elapsed());
        assert_eq!(report.changed_count, 0, "{:?}", report.changes.first());
        let begun = Instant::now();
        let report = inside.reconcile().await.report;
        whole.push(begun.elapsed());
        assert_eq!((report.missing_count, report.changed_count), (0, 0));
    }
    let (bare, whole, alone) = (median(bare), median(whole), median(alone));
    println!("{} recorded resources, medians of {rounds}:", records.len());
    println!("  bare list calls      {bare:>10.1?}");
    println!(
        "  reconcile            {whole:>10.1?}   {:.2} x (goal 1.3)",
        whole.as_secs_f64() / bare.as_secs_f64()
    );
    println!("  the comparison alone {alone:>10.1?}   (goal 50 ms)");
    inside.end().await;
}
