//! The store against real files: durability, exclusion, modes, secrets.

mod board;
mod files;
mod history;
mod lease;
mod rows;
mod secrets;

use super::*;
use cockpit_domain::batch::{BatchKind, BatchStatus, ImportMode, ItemStage, UpstreamEvidence};
use cockpit_domain::ids::ItemId;
use cockpit_domain::journal::StepKind;
use cockpit_domain::resource::Origin;
use serde_json::json;
use tempfile::TempDir;

const NOW: i64 = 1_790_000_000_000;

fn host() -> HostId {
    HostId::new("lab").unwrap()
}

fn provider() -> PackId {
    PackId::new("good").unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(folder.path(), Redactor::new()).unwrap()
}

fn new_plan(keys: &[&str]) -> NewPlan {
    NewPlan {
        kind: "import",
        host: host(),
        provider: provider(),
        batch: None,
        hash: "ab".repeat(32),
        body: json!({"steps": ["create_group"]}),
        keys: keys.iter().map(|key| Secret::new(*key)).collect(),
        created_ms: NOW,
    }
}

fn new_batch(plan: PlanId) -> Batch {
    Batch {
        mode: ImportMode::Partial,
        effective_key_source: "managed_subscription".to_owned(),
        ..Batch::begun(
            BatchKind::Import,
            (&host(), &provider()),
            (plan, &"ab".repeat(32)),
            "ann@jump pid 7",
            NOW,
        )
    }
}

fn new_item(line: usize, key: &str) -> Item {
    let key = Secret::new(key);
    let fingerprint = key.fingerprint();
    Item {
        id: ItemId(0),
        batch: BatchId(0),
        line,
        account_name: format!("good.{fingerprint}"),
        fingerprint,
        key: key.masked(),
        account_id: None,
        stage: ItemStage::Probe,
        account_status: None,
        probe_ok: false,
        probe_advisory: false,
        validation_status: "pending".to_owned(),
        account_probe_summary: String::new(),
        attempts: 1,
        earlier: Vec::new(),
        upstream: UpstreamEvidence::default(),
    }
}

fn info(owner: &str, since_ms: i64) -> LeaseInfo {
    LeaseInfo {
        owner: owner.to_owned(),
        reason: "import".to_owned(),
        since_ms,
    }
}

fn intent(batch: BatchId) -> Intent {
    Intent {
        batch,
        host: host(),
        kind: StepKind::CreateGroup,
        resource: ResourceKind::Group,
        target: "good-cn".to_owned(),
        request_digest: "cd".repeat(32),
        idempotency_key: "0190-step".to_owned(),
        before: serde_json::Value::Null,
        at_ms: NOW,
    }
}

fn audit(batch: BatchId) -> AuditRow {
    AuditRow {
        at_ms: NOW,
        who: "ann@jump pid 7".to_owned(),
        host: host(),
        batch: Some(batch),
        plan_hash: "ab".repeat(32),
        request: "create_group good-cn".to_owned(),
        answer: "201".to_owned(),
        reason: String::new(),
    }
}

fn group(batch: BatchId, id: i64, origin: Origin) -> BatchResource {
    BatchResource {
        batch,
        kind: ResourceKind::Group,
        host_resource_id: RemoteId(id),
        name: "good-cn".to_owned(),
        origin,
        recorded: json!({"platform": "openai", "ids": ["3", "4"]}),
        before: serde_json::Value::Null,
        undone: false,
    }
}

async fn started(store: &SqliteStore) -> BatchId {
    let plan = store.save_plan(&new_plan(&[])).await.unwrap();
    store.create_batch(&new_batch(plan), &[]).await.unwrap()
}
