//! The handle over fakes: what is learnt and published, and what may be written to.

mod fakes;

use super::*;
use crate::approval::Approval;
use crate::board::{LeaseSeen, LeaseState, Tally};
use crate::failure::FailureKind;
use crate::ports::{LeaseInfo, SavedPlan};
use crate::supervisor::JobState;
use cockpit_domain::batch::{Batch, BatchKind, BatchStatus};
use cockpit_domain::host::{HostSettings, Role};
use cockpit_domain::ids::{BatchId, HostId, MachineId, PackId, PlanId};
use fakes::Fakes;
use std::time::Duration;

fn host(name: &str) -> HostId {
    HostId::new(name).unwrap()
}

fn machine() -> MachineId {
    MachineId::new("web1").unwrap()
}

fn settings() -> Settings {
    let settings =
        |name: &str| HostSettings::new(host(name), machine(), "127.0.0.1:8080", Role::Acceptance);
    Settings {
        hosts: ["accept", "prod"]
            .map(|name| (host(name), settings(name)))
            .into(),
        machines: vec![machine()],
        owner: "ann@jump pid 7".to_owned(),
        ..Settings::default()
    }
}

fn handle(fakes: &Fakes) -> Handle {
    Handle::new(fakes.ports(), settings())
}

fn plan(kind: &str) -> SavedPlan {
    SavedPlan {
        id: PlanId(1),
        kind: kind.to_owned(),
        host: host("accept"),
        provider: PackId::new("acme").unwrap(),
        batch: Some(BatchId(4)),
        hash: "0123456789abcdef".repeat(4),
        body: serde_json::Value::Null,
        created_ms: 0,
        used_ms: None,
    }
}

fn batch(id: i64, status: BatchStatus) -> Batch {
    let (host, provider) = (host("accept"), PackId::new("acme").unwrap());
    Batch {
        id: BatchId(id),
        batch_status: status,
        ..Batch::begun(
            BatchKind::Import,
            (&host, &provider),
            (PlanId(1), ""),
            "bob@jump pid 8",
            0,
        )
    }
}

fn resume() -> Command {
    Command::BatchResume { batch: BatchId(4) }
}

fn take_back() -> Command {
    Command::RollbackApply {
        plan: PlanId(1),
        approval: Approval {
            hash: "0123456789ab".to_owned(),
            ..Approval::default()
        },
    }
}

/// Whether a command is let past the gate: what comes behind it wants a lease, which breaks here.
async fn is_let_through(handle: &Handle, command: Command) -> bool {
    let failure = handle.call(command).await.unwrap_err();
    match failure.kind {
        FailureKind::Denied => false,
        FailureKind::Internal | FailureKind::Store => true,
        other => panic!("{other:?}: {failure}"),
    }
}

fn ready_to_write() -> Fakes {
    let fakes = Fakes::new();
    fakes.world().plan = Some(plan("rollback"));
    fakes.world().batch = Some(batch(4, BatchStatus::Interrupted));
    fakes
}

#[tokio::test(start_paused = true)]
async fn on_a_screen_nothing_is_written_to_a_host_that_is_not_armed() {
    let fakes = ready_to_write();
    let handle = handle(&fakes);
    // The command line asks for no arming.
    assert!(is_let_through(&handle, resume()).await);
    handle.require_arming();
    for command in [resume(), take_back()] {
        assert!(!is_let_through(&handle, command).await);
    }
    handle
        .arm(host("prod"), Duration::from_mins(10))
        .await
        .unwrap();
    assert!(!is_let_through(&handle, resume()).await);
    handle
        .arm(host("accept"), Duration::from_mins(10))
        .await
        .unwrap();
    for command in [resume(), take_back()] {
        assert!(is_let_through(&handle, command).await);
    }
    fakes.world().now_ms += 600_000;
    for command in [resume(), take_back()] {
        assert!(!is_let_through(&handle, command).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_any_kind_is_gone_on_with_only_while_its_host_is_armed() {
    // A repair has two sorts of plans.
    for of in ["repair", "reconcile"] {
        for kind in BatchKind::ALL {
            let fakes = ready_to_write();
            fakes.world().plan = Some(plan(of));
            fakes.world().batch.as_mut().unwrap().kind = *kind;
            let handle = handle(&fakes);
            handle.require_arming();
            assert!(!is_let_through(&handle, resume()).await, "{kind} of {of}");
            handle
                .arm(host("accept"), Duration::from_mins(1))
                .await
                .unwrap();
            assert!(is_let_through(&handle, resume()).await, "{kind} of {of}");
        }
    }
}

/// A lease of a provider on `accept`.
fn lease_of(provider: &str, state: LeaseState, owner: &str) -> LeaseSeen {
    LeaseSeen {
        host: host("accept"),
        provider: PackId::new(provider).unwrap(),
        info: LeaseInfo {
            owner: owner.to_owned(),
            reason: "import".to_owned(),
            since_ms: 1,
        },
        foreign: true,
        state,
    }
}

#[tokio::test]
async fn a_lease_is_taken_from_a_dead_owner_and_from_one_elsewhere_by_a_stronger_word_only() {
    use LeaseState::{Held, Left, Unreadable};
    let (near, far) = ("bob@jump pid 8", "bob@far pid 8");
    let refused = |kind, told| Some((kind, told));
    let busy = |told| refused(FailureKind::Busy, told);
    let rows = [
        ("left", Some((Left, near)), "gone", false, None),
        (
            "no reason",
            Some((Left, near)),
            " ",
            true,
            refused(FailureKind::Denied, "a reason"),
        ),
        (
            "alive here",
            Some((Held, near)),
            "gone",
            true,
            busy("alive on this machine"),
        ),
        (
            "alive elsewhere",
            Some((Held, far)),
            "gone",
            false,
            busy("on another machine"),
        ),
        ("with the word", Some((Held, far)), "gone", true, None),
        (
            "never unread",
            Some((Unreadable, "perhaps somebody")),
            "gone",
            true,
            busy("so somebody may hold it"),
        ),
        (
            "nobody holds it",
            None,
            "gone",
            true,
            refused(FailureKind::Conflict, "nobody holds it"),
        ),
    ];
    for (name, lease, reason, even_if_alive, expected) in rows {
        let fakes = Fakes::new();
        // What is held of another provider is another place.
        let other = lease_of("other", Left, near);
        fakes.world().remembered.leases = vec![other];
        if let Some((state, owner)) = lease {
            let lease = lease_of("acme", state, owner);
            fakes.world().remembered.leases.insert(0, lease);
        }
        let handle = handle(&fakes);
        let take = Command::LeaseTake {
            host: host("accept"),
            provider: PackId::new("acme").unwrap(),
            reason: reason.to_owned(),
            even_if_alive,
        };
        let came_of = handle.call(take).await;
        let world = fakes.world();
        let audit: Vec<&str> = world.audit.iter().map(|row| row.reason.as_str()).collect();
        if let Some((kind, told)) = expected {
            let failure = came_of.unwrap_err();
            assert_eq!(failure.kind, kind, "{name}: {failure}");
            assert!(failure.message.contains(told), "{name}: {failure}");
            assert!(!failure.hint.is_empty(), "{name}");
            assert_eq!((world.taken.len(), audit.len()), (0, 0), "{name}");
        } else {
            came_of.unwrap();
            let alive = lease.is_some_and(|(state, _)| state == Held);
            assert_eq!(world.taken, [format!("accept/acme alive {alive}")]);
            assert_eq!(audit, ["gone"], "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_arming_ends_by_itself_and_every_turn_of_it_is_in_the_audit() {
    let fakes = Fakes::new();
    let handle = handle(&fakes);
    let mut seen = handle.watch();
    handle
        .arm(host("prod"), Duration::from_mins(1))
        .await
        .unwrap();
    let armed = seen.borrow_and_update().armed.clone().unwrap();
    assert_eq!((armed.host, armed.until_ms), (host("prod"), 61_000));
    handle
        .arm(host("accept"), Duration::from_mins(2))
        .await
        .unwrap();
    let over = seen.wait_for(|snapshot| snapshot.armed.is_none());
    drop(
        tokio::time::timeout(Duration::from_secs(121), over)
            .await
            .unwrap(),
    );
    handle
        .arm(host("prod"), Duration::from_mins(1))
        .await
        .unwrap();
    handle.close().await;
    assert_eq!(handle.watch().borrow().armed, None);
    let audit: Vec<String> = fakes
        .world()
        .audit
        .iter()
        .map(|row| format!("{}: {} ({}) {}", row.host, row.request, row.answer, row.who))
        .collect();
    let wanted = [
        "prod: arm prod for 1 min (armed) ann@jump pid 7",
        "accept: arm accept for 2 min (armed) ann@jump pid 7",
        "prod: disarm prod (`accept` is armed instead) ann@jump pid 7",
        "accept: disarm accept (its time is over) ann@jump pid 7",
        "prod: arm prod for 1 min (armed) ann@jump pid 7",
        "prod: disarm prod (disarmed) ann@jump pid 7",
    ];
    assert_eq!(audit, wanted);
}

#[tokio::test]
async fn nothing_is_armed_by_a_wrong_name_or_when_the_audit_cannot_be_written() {
    let fakes = Fakes::new();
    let handle = handle(&fakes);
    let time = Duration::from_mins(1);
    let unknown = handle.arm(host("prood"), time).await.unwrap_err();
    assert_eq!(unknown.kind, FailureKind::Usage);
    assert_eq!(unknown.hint, "did you mean `prod`?");
    fakes.world().audit_fails = true;
    let failed = handle.arm(host("prod"), time).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Store);
    assert_eq!(handle.watch().borrow().armed, None);
}

#[tokio::test]
async fn an_answer_and_a_trouble_are_on_the_board_when_they_come_and_kept() {
    let fakes = Fakes::new();
    let handle = handle(&fakes);
    let check = || Command::MachineCheck { machine: machine() };
    handle.call(check()).await.unwrap();
    fakes.world().now_ms += 5;
    fakes.world().check = Err(Failure::new(FailureKind::Unreachable, "no answer"));
    handle.call(check()).await.unwrap_err();
    let snapshot = handle.watch().borrow().clone();
    let seen = &snapshot.board.machines[&machine()];
    assert_eq!(seen.check.as_ref().map(|known| known.at_ms), Some(1_000));
    assert_eq!(seen.trouble.as_ref().map(|known| known.at_ms), Some(1_005));
    let job = snapshot.jobs.last().unwrap();
    assert_eq!((job.state, job.ended_ms), (JobState::Failed, Some(1_005)));
    assert_eq!(job.failure.as_ref().unwrap().message, "no answer");
    assert_eq!(job.command_line, "cockpit machine check web1");
    let kept = [
        (ResultKind::Machine, "web1".to_owned()),
        (ResultKind::Trouble, "machine/web1".to_owned()),
    ];
    assert_eq!(fakes.world().kept, kept);
}

#[tokio::test]
async fn a_look_at_somebody_who_never_answers_ends_when_it_is_stopped_and_when_all_ends() {
    let fakes = Fakes::new();
    fakes.world().check = Ok(u64::MAX);
    let handle = handle(&fakes);
    let check = || Command::MachineCheck { machine: machine() };
    let stopped = handle.send(check());
    handle.stop(stopped.id);
    let failure = stopped.answer().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Cancelled);
    let closed = handle.send(check());
    handle.close().await;
    let failure = closed.answer().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Cancelled);
    // That somebody was stopped says nothing about the machine.
    let snapshot = handle.watch().borrow().clone();
    assert_eq!(snapshot.board.machines[&machine()].trouble, None);
    assert!(fakes.world().kept.is_empty());
}

#[tokio::test]
async fn the_board_follows_the_store_and_says_whose_a_running_batch_is() {
    let fakes = Fakes::new();
    let handle = handle(&fakes);
    handle.recall().await.unwrap();
    handle.follow_store();
    let mut seen = handle.watch();
    assert!(seen.borrow_and_update().board.batches.is_empty());
    let lease = LeaseSeen {
        host: host("accept"),
        provider: PackId::new("acme").unwrap(),
        info: LeaseInfo {
            owner: "bob@jump pid 8".to_owned(),
            reason: "import".to_owned(),
            since_ms: 1,
        },
        foreign: true,
        state: LeaseState::Held,
    };
    let running = (batch(4, BatchStatus::Running), Tally::default());
    fakes.world().remembered.batches = vec![running];
    fakes.world().remembered.leases = vec![lease.clone()];
    fakes.changes.send_modify(|count| *count += 1);
    let followed = seen.wait_for(|snapshot| !snapshot.board.batches.is_empty());
    let snapshot = followed.await.unwrap().clone();
    assert!(snapshot.board.batches[0].foreign);
    assert_eq!(snapshot.board.leases, std::slice::from_ref(&lease));
    fakes.world().remembered.leases[0].foreign = false;
    fakes.changes.send_modify(|count| *count += 1);
    let ours = seen.wait_for(|snapshot| !snapshot.board.batches[0].foreign);
    let counted = ours.await.unwrap().board.store_changes;
    assert_eq!(counted, snapshot.board.store_changes + 1);
    handle.close().await;
}
