//! Deleting what was taken over, the one rollback that nothing brings back: what the sweep cuts, and the
//! built program killed in the middle of it. A new plan deletes the rest, and nothing of anybody else.

use super::scene::{LIMIT, Scene, kill};
use crate::support::inside::{Census, Inside};
use crate::support::{has_ssh, wait_until};
use cockpit_domain::batch::BatchStatus;
use cockpit_engine::command::{Answer, Command};
use cockpit_lab::fleet::{account_name, old_key};
use cockpit_lab::sub2api::model::{ApiKey, User};
use cockpit_lab::sub2api::model_sales::Subscription;
use serde_json::Value;
use std::time::Duration;

const EMAIL: &str = "relay-lab@cockpit.invalid";
const NOTES: &str = "relay-cockpit lab";

/// Beside group, channel and the older account of the provider: its managed user with right and key,
/// as a lost installation leaves them. All of it is taken over.
pub(super) async fn taken_over(inside: &Inside) {
    inside.with(|state| {
        let mut groups = state.groups.values();
        let group = groups.find(|row| row.name == "relay-lab").map(|row| row.id);
        let group = group.expect("the provider's group");
        let user = state.add_user(User::new(EMAIL, "not-ours-000000"));
        state.add_subscription(Subscription::new(user, group, 30, NOTES));
        let mut key = ApiKey::new(user, "sk-relay-000000000000000000000000", Some(group));
        "relay-lab".clone_into(&mut key.name);
        state.add_key(key);
    });
    let command = Command::AdoptPlan {
        host: inside.host_id(),
        provider: Inside::provider(),
    };
    let planned = match inside.engine().call(command).await.expect("a plan") {
        Answer::Adopt(planned) => planned,
        other => panic!("{other:?}"),
    };
    let names: Vec<&str> = (planned.plan.adoptions.iter())
        .map(|one| one.kind.as_str())
        .collect();
    for kind in ["group", "channel", "account", "user", "subscription", "key"] {
        assert!(names.contains(&kind), "{kind}: {names:?}");
    }
    let command = Command::AdoptApply {
        plan: planned.id,
        approval: inside.word(&planned.hash),
    };
    let batch = match inside.engine().call(command).await.expect("it is recorded") {
        Answer::Adopted(done) => done.batch,
        other => panic!("{other:?}"),
    };
    assert_eq!(batch.batch_status, BatchStatus::Succeeded);
}

/// What is left of a host when all of that is deleted.
pub(super) fn without_it(before: &Census) -> Census {
    let account = account_name(&old_key(1));
    [
        ("group", "relay-lab"),
        ("channel", "relay-lab"),
        ("account", account.as_str()),
        ("user", EMAIL),
        ("subscription", NOTES),
        ("key", "relay-lab"),
    ]
    .into_iter()
    .fold(before.clone(), |rows, (kind, name)| {
        rows.without(kind, name)
    })
}

/// Plans deleting what batch 1 took over, and gives the words that apply it.
fn planned(scene: &Scene) -> Vec<String> {
    let ran = scene.run(&["rollback", "plan", "1", "--delete"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    scene.apply("rollback", &ran.json())
}

fn run(scene: &Scene, words: &[String]) -> Value {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = scene.run(&words);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()
}

#[test]
fn a_kill_while_what_was_taken_over_is_deleted_is_finished_by_a_new_plan() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start("accept", 6, Duration::from_millis(60));
    let words = scene.planned();
    run(&scene, &words);
    // The installation that made them is lost, and everything is taken over by a new one.
    let state = scene.lab.config_path().with_file_name("state");
    std::fs::remove_dir_all(state).expect("the records are lost");
    let adopting = scene.run(&["adopt", "plan", "--host", "accept", "--provider", "lab"]);
    assert_eq!(adopting.code, 0, "{adopting:?}");
    let adopted = run(&scene, &scene.apply("adopt", &adopting.json()));
    assert_eq!(adopted["id"], 1, "{adopted}");
    let all = scene.own_accounts().len() + scene.older_accounts().len();
    assert!(all > 6, "{all}");

    let words = planned(&scene);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut child = scene.begin(&words);
    let left = || scene.own_accounts().len() + scene.older_accounts().len();
    wait_until("two accounts are deleted", LIMIT, || {
        (left() + 2 <= all).then_some(())
    });
    kill(&mut child);
    scene.nothing_runs_on();
    assert!(left() > 0, "it was killed in the middle");
    let listed = scene.run(&["batch", "list"]).json();
    assert_eq!(listed["batches"][0]["status"], "interrupted", "{listed}");
    assert_eq!(scene.run(&["batch", "resume", "1"]).code, 3, "it has holes");

    let done = run(&scene, &planned(&scene));
    assert_eq!(done["status"], "rolled_back", "{done}");
    assert_eq!((left(), done["remains"].to_string().as_str()), (0, "[]"));
    let rest = scene.census();
    for (kind, name) in [
        ("group", "relay-lab"),
        ("channel", "relay-lab"),
        ("user", EMAIL),
    ] {
        let there = rest.0.get(&(kind, name.to_owned()));
        assert_eq!(there, None, "{kind} {name}");
    }
    for id in 1..=3 {
        let path = format!("/api/v1/admin/accounts/{id}");
        let asked = scene.asked("DELETE", &path);
        assert!(
            (1..=2).contains(&asked),
            "#{id} was asked for {asked} times"
        );
    }
    scene.nothing_is_left();
}
