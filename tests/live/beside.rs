//! What stands on the host already, and who else writes: new keys over accounts that serve, and two
//! programs at once.

use super::{Ground, import, plan, take_back};
use cockpit_domain::secret::Secret;

const PROVIDER: &str = "live-good";

#[test]
fn new_keys_replace_accounts_that_serve_and_the_way_back_wakes_them() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    let (old, new) = (ground.key("good", 40), ground.key("good", 41));
    let account = |key: &str| format!("{PROVIDER}.{}", Secret::new(key).fingerprint());
    let first = import(&ground, PROVIDER, &format!("{old}\n"), 0);
    assert!(ground.schedulable(&account(&old)));

    let second = import(&ground, PROVIDER, &format!("{new}\n"), 0);
    assert!(!ground.schedulable(&account(&old)), "the old one is parked");
    assert!(ground.schedulable(&account(&new)));
    take_back(&ground, &second["id"].to_string());
    assert!(
        ground.schedulable(&account(&old)),
        "the old one serves again"
    );

    take_back(&ground, &first["id"].to_string());
    assert_eq!(ground.names(), before);
}

#[test]
fn of_two_programs_one_writes_and_the_other_says_who_does() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    let keys = |from: usize| {
        let lines: Vec<String> = (from..from + 8).map(|n| ground.key("good", n)).collect();
        lines.join("\n")
    };
    let plans = [50, 60].map(|from| plan(&ground, PROVIDER, "subscription", &keys(from)));
    let running = plans
        .each_ref()
        .map(|(id, hash)| ground.spawn_read(&["import", "apply", id, "--yes", hash, "--json"]));
    let mut ended: Vec<_> = running
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    ended.sort_by_key(|output| output.status.code());
    let told = |at: usize| String::from_utf8_lossy(&ended[at].stdout).into_owned();
    println!("{}\n{}", told(0), told(1));
    assert_eq!(ended[0].status.code(), Some(0), "{}", told(0));
    assert_eq!(ended[1].status.code(), Some(3), "{}", told(1));
    let made = |name: &&String| name.starts_with(&format!("account {PROVIDER}."));
    assert_eq!(ground.names().iter().filter(made).count(), 8);

    let done: serde_json::Value = serde_json::from_slice(&ended[0].stdout).unwrap();
    take_back(&ground, &done["id"].to_string());
    assert_eq!(ground.names(), before);
}
