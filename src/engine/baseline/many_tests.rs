//! Many machines at once, some of them dead, with a paused clock.

use super::fakes::{Fakes, Script, output};
use super::*;
use cockpit_domain::baseline::{CheckResult, Verdict};
use cockpit_domain::ids::PackId;
use cockpit_domain::pack::{BaselinePack, Pack, read};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const ROUND_TRIP: Duration = Duration::from_millis(100);

/// A check on each of so many machines.
fn fleet(machines: usize) -> BaselinePack {
    let mut text = "schema = 1\nkind = \"baseline\"\ntitle = \"Fleet\"\n".to_owned();
    for number in 0..machines {
        let _ = write!(
            text,
            "[[check]]\nid = \"c{number}\"\nlayer = \"host\"\nlevel = \"must\"\nvantage = \"machine:m{number}\"\n\
             title = \"t\"\nwhy = \"w\"\nnext_step = \"n\"\ntime_limit_s = 15\n\
             listening = {{ expect = [{{ port = 22 }}] }}\n"
        );
    }
    match read(
        &PackId::new("fleet").unwrap(),
        "fleet",
        &text,
        &BTreeMap::new(),
    ) {
        Ok(Pack::Baseline(pack)) => pack,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn three_dead_machines_among_fifty_delay_nobody() {
    let fakes = Fakes::default();
    let dead = [7, 23, 49];
    {
        let mut world = fakes.world();
        let sockets = "LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\"sshd\",pid=7,fd=3))\n";
        for number in 0..50 {
            let script = if dead.contains(&number) {
                Script::Hang
            } else {
                Script::Answer(ROUND_TRIP, output(sockets))
            };
            world
                .commands
                .insert(format!("m{number} ss"), script.clone());
            if dead.contains(&number) {
                world.commands.insert(format!("m{number} *"), script);
            }
        }
    }
    let begun = Instant::now();
    let seen: Mutex<Vec<(String, Duration)>> = Mutex::default();
    let told = |row: &CheckResult| {
        seen.lock().unwrap().push((row.id.clone(), begun.elapsed()));
    };
    let cancel = CancellationToken::new();
    let report = run(&fakes.context(), &fleet(50), &cancel, &told).await;
    let dead: Vec<String> = dead.iter().map(|number| format!("c{number}")).collect();
    for (id, after) in seen.into_inner().unwrap() {
        let most = if dead.contains(&id) {
            Duration::from_secs(15)
        } else {
            ROUND_TRIP * 2
        };
        assert!(after <= most, "{id} after {after:?}");
    }
    assert_eq!(report.count(Verdict::Ok), 47);
    assert_eq!(report.count(Verdict::Unreachable), 3);
    assert!(
        begun.elapsed() <= Duration::from_millis(15_100),
        "{:?}",
        begun.elapsed()
    );
}
