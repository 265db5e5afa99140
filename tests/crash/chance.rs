//! Any host, any keys, any answers lost in any order, any way out: whatever comes together, an import
//! gone on with makes each thing once, and taken back leaves what was there. A story that fails is told
//! again with less and less in it, until the least that fails is left.

use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, Batch, BatchStatus, ImportMode};
use cockpit_domain::ids::BatchId;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::context::Timing;
use cockpit_engine::failure::FailureKind;
use cockpit_lab::fleet::{LAB_MODELS, account_name, old_key};
use cockpit_lab::sub2api::model::Account;
use cockpit_lab::sub2api::state::{State, When};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRunner};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Stories told, so many at once, and how much shorter a failed one is told at most.
const STORIES: usize = 24;
const AT_ONCE: usize = 6;
const SHORTER: usize = 12;
/// How much later a late request takes effect, and how long the cockpit reckons with it.
const LATE: Duration = Duration::from_millis(200);
const RECKONED: Duration = Duration::from_millis(1200);

/// One story.
#[derive(Debug, Clone)]
struct Story {
    /// Neither group, channel nor older accounts.
    bare: bool,
    /// Older accounts of the provider, to be replaced.
    older: usize,
    /// Accounts of others in the same group.
    others: usize,
    access: AccessMode,
    mode: ImportMode,
    /// How the vendor judges each key.
    keys: Vec<&'static str>,
    /// The writes whose answer is lost, counted from the first, and what becomes of them.
    losses: Vec<(usize, When)>,
    tries: u32,
    /// Taken back where it stopped, and not gone on with.
    back_at_once: bool,
}

fn stories() -> impl Strategy<Value = Story> {
    let lost = prop_oneof![
        Just(When::BeforeCommit),
        Just(When::AfterCommit),
        Just(When::CommitAfter(LATE)),
    ];
    let kinds = prop_oneof![4 => Just("good"), 1 => Just("dead"), 1 => Just("quota")];
    let access = prop_oneof![
        Just(AccessMode::Subscription),
        Just(AccessMode::SelfService)
    ];
    let mode = prop_oneof![2 => Just(ImportMode::Partial), 1 => Just(ImportMode::Strict)];
    let host = (any::<bool>(), 0..3_usize, 0..3_usize);
    let asked = (access, mode, prop::collection::vec(kinds, 1..=3));
    let went = (
        prop::collection::vec((0..24_usize, lost), 0..=4),
        1..=2_u32,
        any::<bool>(),
    );
    (host, asked, went).prop_map(|(host, asked, went)| Story {
        bare: host.0,
        older: host.1,
        others: host.2,
        access: asked.0,
        mode: asked.1,
        keys: asked.2,
        losses: went.0,
        tries: went.1,
        back_at_once: went.2,
    })
}

impl Story {
    fn timing(&self) -> Timing {
        Timing {
            write_tries: self.tries,
            late_answer: RECKONED,
            usage_wait: Duration::from_secs(2),
            warming: Duration::from_millis(2500),
            ..quick()
        }
    }

    fn texts(&self) -> Vec<String> {
        let numbered = self.keys.iter().enumerate();
        numbered
            .map(|(no, kind)| format!("sk-lab-{kind}-chance-{no:06}"))
            .collect()
    }

    /// Accounts of others where this import goes: the other access mode has a group of its own.
    fn others_in_the_group(&self) -> usize {
        let shared = !self.bare && self.access == AccessMode::Subscription;
        if shared { self.others } else { 0 }
    }

    fn lay(&self, state: &mut State) {
        state.settings.snapshot_lag = Duration::ZERO;
        state.settings.idempotency_lock = Duration::from_secs(1);
        let kept: Vec<String> = (1..=self.older)
            .map(|no| account_name(&old_key(no)))
            .collect();
        let stays = |name: &String| !name.starts_with("lab.") || kept.contains(name);
        state.accounts.retain(|_, row| stays(&row.name));
        let mut ours = state.groups.values().filter(|row| row.name == "relay-lab");
        let group = ours.next().expect("the group of the fixture").id;
        if self.bare {
            state.groups.remove(&group);
            state.channels.retain(|_, row| row.name != "relay-lab");
            state
                .accounts
                .retain(|_, row| !row.name.starts_with("lab."));
            state.account_groups.retain(|(_, at), _| *at != group);
            return;
        }
        for number in 0..self.others {
            let (name, key) = (format!("theirs-{number}"), "sk-lab-good-theirs-0001");
            let theirs = Account::apikey(&name, "openai", "http://good.upstream.lab", key);
            let id = state.add_account(theirs.with_models(&LAB_MODELS));
            state.bind(id, group);
        }
    }
}

/// Loses what the story says.
fn lose(inside: &Inside, losses: Vec<(usize, When)>) {
    let mut seen = 0;
    let losing = move |method: &str, _: &str| {
        if method == "GET" {
            return None;
        }
        let found = losses.iter().find(|(at, _)| *at == seen);
        seen += 1;
        found.map(|(_, when)| *when)
    };
    inside.with(|state| state.losing = Some(Box::new(losing)));
}

/// What the store has of the batch, if it was begun.
async fn batch(inside: &Inside) -> Option<Batch> {
    let list = Command::BatchList { host: None };
    match inside.engine().call(list).await.expect("a list") {
        Answer::Batches(batches) => batches.into_iter().next(),
        other => panic!("{other:?}"),
    }
}

async fn take_back(inside: &Inside, batch: BatchId) {
    for last in [false, true] {
        let planned = inside.plan_rollback(batch).await.expect("a plan");
        match inside.apply_rollback(&planned).await {
            Ok(rolled) => {
                let left = (&rolled.blocked, &rolled.remains, &rolled.disturbed);
                assert_eq!(left, (&vec![], &vec![], &vec![]));
                return;
            }
            // A request on its way arrived after the plan was made: it is refused, and read anew.
            Err(failure) if !last && failure.kind == FailureKind::Conflict => {}
            Err(failure) => panic!("not taken back: {failure:?}"),
        }
    }
}

async fn tell(story: Story) {
    let mut inside = Inside::start("accept", story.timing()).await;
    inside.with(|state| story.lay(state));
    let (census, listing) = (inside.census(), inside.listing().await);
    let (parked, balance) = (inside.parked(), inside.balance());
    let keys = story.texts();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let planned = inside.plan_in(story.access, story.mode, &keys).await;
    assert_eq!(planned.plan.blockers, Vec::<String>::new());
    lose(&inside, story.losses.clone());
    drop(inside.try_import(&planned).await);
    let mut rounds = 0;
    let ended = loop {
        let batch = batch(&inside).await.expect("the batch was begun");
        let stopped = batch.batch_status == BatchStatus::Interrupted;
        if !stopped || story.back_at_once {
            break batch;
        }
        rounds += 1;
        assert!(rounds <= 8, "it does not end: {}", batch.reason);
        inside.restart(story.timing()).await;
        let command = Command::BatchResume { batch: batch.id };
        drop(inside.engine().call(command).await);
    };
    // What is still on its way arrives; from now on every answer does.
    tokio::time::sleep(LATE * 2).await;
    inside.with(|state| state.losing = None);
    match ended.batch_status {
        BatchStatus::Succeeded | BatchStatus::PartiallySucceeded => {
            let whole = match story.access {
                AccessMode::Subscription => census.after_import(&keys),
                AccessMode::SelfService => census.after_self_service(&keys),
            };
            let wrong = inside.census().differences(&whole);
            assert!(wrong.is_empty(), "not each once: {wrong:#?}");
            let report = inside.reconcile().await.report;
            let found = (
                report.missing_count,
                report.changed_count,
                report.extra_count,
            );
            let theirs = story.others_in_the_group();
            assert_eq!(found, (0, 0, theirs), "{:#?}", report.changes);
        }
        BatchStatus::Interrupted | BatchStatus::Failed => {}
        other => panic!("it ended {other}: {}", ended.reason),
    }
    if ended.batch_status != BatchStatus::Failed {
        inside.restart(story.timing()).await;
        take_back(&inside, ended.id).await;
        tokio::time::sleep(LATE * 2).await;
    }
    let wrong = inside.census().differences(&census);
    assert!(wrong.is_empty(), "left behind or lost: {wrong:#?}");
    assert_eq!(inside.listing().await, listing);
    assert_eq!((inside.parked(), inside.balance()), (parked, balance));
    inside.end().await;
}

/// Why a story did not come out, if it did not.
async fn wrong_with(story: Story) -> Option<String> {
    let error = tokio::spawn(tell(story)).await.err()?;
    let why = error.into_panic();
    let text = why.downcast_ref::<String>().cloned();
    text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .or(Some(String::new()))
}

/// The least that fails as well.
async fn least(mut tree: impl ValueTree<Value = Story>, mut why: String) -> (Story, String) {
    let mut failed = tree.current();
    let mut more = tree.simplify();
    for _ in 0..SHORTER {
        if !more {
            break;
        }
        match wrong_with(tree.current()).await {
            Some(text) => {
                (failed, why) = (tree.current(), text);
                more = tree.simplify();
            }
            None => more = tree.complicate(),
        }
    }
    (failed, why)
}

#[test]
fn whatever_is_lost_on_whatever_host_each_thing_is_there_once_or_not_at_all() {
    if !has_ssh() {
        return;
    }
    let named = std::env::var("COCKPIT_SEED").ok();
    let seed = named.map_or(0x0510, |seed| seed.parse().expect("a number"));
    println!("COCKPIT_SEED={seed}");
    let mut runner = TestRunner::new(Config {
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    });
    let trees: Vec<_> = (0..STORIES)
        .map(|_| stories().new_tree(&mut runner).expect("a story"))
        .collect();
    on_threads(async {
        let gate = Arc::new(Semaphore::new(AT_ONCE));
        let mut told = JoinSet::new();
        for (at, tree) in trees.iter().enumerate() {
            let (gate, story) = (Arc::clone(&gate), tree.current());
            told.spawn(async move {
                let _turn = gate.acquire_owned().await.expect("open");
                (at, wrong_with(story).await)
            });
        }
        let mut failed = Vec::new();
        while let Some(one) = told.join_next().await {
            let (at, why) = one.expect("a story reports");
            failed.extend(why.map(|why| (at, why)));
        }
        failed.sort();
        let Some((at, why)) = failed.first().cloned() else {
            return;
        };
        let tree = trees.into_iter().nth(at).expect("it was told");
        let (story, why) = least(tree, why).await;
        panic!(
            "{} of {STORIES} failed; the least that fails: {story:?}: {why}",
            failed.len()
        );
    });
}
