//! What is learnt, what is not, and what ends what.

use super::*;
use crate::board::MachineState;
use cockpit_domain::baseline::Verdict;
use cockpit_domain::host::{HostIdentity, HostSettings, Role};

fn host() -> HostId {
    HostId::new("prod").unwrap()
}

fn machine() -> MachineId {
    MachineId::new("web1").unwrap()
}

fn pack() -> PackId {
    PackId::new("acme").unwrap()
}

fn board() -> Board {
    let settings = HostSettings {
        baseline: Some(pack()),
        ..HostSettings::new(host(), machine(), "127.0.0.1:8080", Role::Production)
    };
    Board::of(&Settings {
        hosts: [(host(), settings)].into(),
        machines: vec![machine()],
        ..Settings::default()
    })
}

fn state(round_trip_ms: u64) -> MachineState {
    MachineState {
        round_trip_ms,
        system: "Linux".to_owned(),
        reconnects: 0,
    }
}

fn host_answer() -> Answer {
    Answer::Host(HostProbe {
        host: host(),
        machine_round_trip_ms: 7,
        identity: HostIdentity {
            version: "1.2.3".to_owned(),
            round_trip_ms: 9,
            captcha: false,
            backend_mode: false,
            registration: false,
            login_at_ms: None,
            login_until_ms: None,
            credential: "admin key".to_owned(),
            clock_ahead_ms: None,
        },
        machine: Some(MachineLook {
            machine: machine(),
            state: state(7),
        }),
        writers: Vec::new(),
        last_look: None,
    })
}

fn report(started_ms: i64, cancelled: bool) -> Answer {
    Answer::Baseline(BaselineReport {
        pack: pack(),
        title: String::new(),
        fingerprint: String::new(),
        host: None,
        verdict: Verdict::Ok,
        started_ms,
        duration_ms: 1,
        cancelled,
        results: Vec::new(),
    })
}

fn down(kind: FailureKind) -> Failure {
    Failure::new(kind, "nobody answered").doing("asking")
}

#[test]
fn every_host_and_machine_of_the_config_has_a_place_from_the_start() {
    let board = board();
    assert_eq!(board.hosts[&host()], HostSeen::default());
    assert_eq!(board.machines[&machine()], MachineSeen::default());
}

#[test]
fn a_good_look_ends_the_trouble_before_it_and_a_later_trouble_leaves_it_standing() {
    let mut board = board();
    let command = Command::HostProbe { host: host() };
    assert!(board.learn_trouble(&command, &down(FailureKind::Unreachable), 5));
    assert!(board.learn(&command, &host_answer(), 10));
    let seen = &board.hosts[&host()];
    assert_eq!(
        (seen.probe.as_ref().unwrap().at_ms, &seen.trouble),
        (10, &None)
    );
    assert!(board.learn_trouble(&command, &down(FailureKind::Denied), 20));
    let seen = &board.hosts[&host()];
    assert_eq!(seen.probe.as_ref().unwrap().at_ms, 10);
    assert_eq!(
        seen.trouble.as_ref().unwrap().value.kind,
        FailureKind::Denied
    );
    // Its machine was seen on the way.
    let check = board.machines[&machine()].check.as_ref().unwrap();
    assert_eq!((check.at_ms, &check.value), (10, &state(7)));
}

#[test]
fn what_comes_late_or_twice_changes_nothing() {
    let mut board = board();
    let command = Command::HostProbe { host: host() };
    assert!(board.learn(&command, &host_answer(), 10));
    let before = board.clone();
    assert!(!board.learn(&command, &host_answer(), 9));
    assert!(!board.learn(&command, &host_answer(), 10));
    assert!(!board.learn_trouble(&command, &down(FailureKind::Unreachable), 9));
    assert_eq!(board, before);
}

#[test]
fn a_stopped_look_and_words_that_make_no_sense_are_no_trouble_of_the_fleet() {
    let mut board = board();
    let (host, machine) = (host(), machine());
    let commands = [
        Command::HostProbe { host },
        Command::MachineCheck { machine },
        Command::BaselineRun {
            pack: Some(pack()),
            due: false,
        },
    ];
    for command in &commands {
        for kind in [FailureKind::Cancelled, FailureKind::Usage] {
            assert!(!board.learn_trouble(command, &down(kind), 5), "{command:?}");
        }
        assert!(board.learn_trouble(command, &down(FailureKind::Unreachable), 5));
        let subject = trouble_subject(command, &down(FailureKind::Unreachable)).unwrap();
        assert_eq!(TroubleSubject::parse(&subject.text()), Some(subject));
    }
    assert!(!board.learn_trouble(&Command::Doctor, &down(FailureKind::Store), 5));
}

#[test]
fn a_stopped_run_does_not_hide_the_last_whole_one() {
    let mut board = board();
    let command = Command::BaselineRun {
        pack: Some(pack()),
        due: false,
    };
    board.learn_trouble(&command, &down(FailureKind::Config), 5);
    assert!(board.learn(&command, &report(10, false), 11));
    assert!(board.baseline_troubles.is_empty());
    assert!(!board.learn(&command, &report(20, true), 21));
    assert_eq!(board.baselines[&pack()].at_ms, 10);
}

#[test]
fn probes_are_kept_by_host_and_provider() {
    let mut board = board();
    let command = |provider| Command::ProbeRun {
        host: host(),
        provider,
    };
    assert!(board.learn(&command(None), &Answer::Probes(Vec::new()), 1));
    assert!(board.learn(&command(Some(pack())), &Answer::Probes(Vec::new()), 2));
    let keys: Vec<&str> = board.probes.keys().map(String::as_str).collect();
    assert_eq!(keys, ["prod", "prod/acme"]);
}
