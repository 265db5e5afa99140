//! Hosts, probes, jobs, activity, doctor, welcome.

use super::fleet::{
    ago, checks, chinese, host, hosts, job, judged, known, mono, read, shows, trouble,
};
use super::picture::{Album, Screen};
use crate::msg::Msg;
use crate::setup::FirstRun;
use cockpit_domain::batch::AccessMode;
use cockpit_domain::ids::MachineId;
use cockpit_domain::import::{Holds, Precondition};
use cockpit_engine::access::AccessPreview;
use cockpit_engine::board::{Board, HostSeen, LeaseSeen, LeaseState};
use cockpit_engine::command::Answer;
use cockpit_engine::context::Progress;
use cockpit_engine::doctor::Diagnosis;
use cockpit_engine::failure::FailureKind;
use cockpit_engine::ports::{AuditRow, LeaseInfo};
use cockpit_engine::probe::Probe;
use cockpit_engine::registry::HostBlock;
use cockpit_engine::supervisor::{JobState, Snapshot};
use serde_json::json;

fn well() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    shows(board)
}

/// `prod` does not answer through its tunnel, its last good look stays; `accept` refuses.
fn troubled() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    let prod = board.hosts.get_mut(&host("prod")).unwrap();
    prod.trouble = Some(known(
        2,
        trouble(
            FailureKind::Unreachable,
            "machine `edge-1` does not answer: connection timed out after 5 s",
            "`ssh edge-1 true` shows what ssh says",
        ),
    ));
    let probe = prod.probe.as_mut().unwrap();
    probe.at_ms = ago(200);
    probe.value.identity.captcha = true;
    probe.value.writers = vec![
        read(
            json!({"who": "another control plane", "what": "127.0.0.1:18190 answers 401", "since_ms": null, "looked": true}),
        ),
        read(
            json!({"who": "people", "what": "groups cannot be listed", "since_ms": null, "looked": false}),
        ),
    ];
    let refused = trouble(
        FailureKind::Denied,
        "401 INVALID_ADMIN_KEY",
        "renew the key",
    );
    board.hosts.insert(
        host("accept"),
        HostSeen {
            probe: None,
            trouble: Some(known(1, refused)),
        },
    );
    let machine = board.machines.get_mut(&MachineId::new("edge-1").unwrap());
    let state = machine.unwrap().check.as_mut().unwrap();
    state.value.reconnects = 3;
    board.leases.push(LeaseSeen {
        host: host("prod"),
        provider: cockpit_domain::ids::PackId::new("vendor").unwrap(),
        info: LeaseInfo {
            owner: "kim@laptop pid 4711".to_owned(),
            reason: "import apply plan/9".to_owned(),
            since_ms: ago(5),
        },
        foreign: true,
        state: LeaseState::Held,
    });
    shows(board)
}

/// A host opened by a login, with a lease whose owner is gone.
fn left_behind() -> Snapshot {
    let mut board = Board::clone(&well().board);
    let probe = board.hosts.get_mut(&host("prod")).unwrap().probe.as_mut();
    let identity = &mut probe.unwrap().value.identity;
    "login".clone_into(&mut identity.credential);
    identity.login_at_ms = Some(ago(300));
    identity.login_until_ms = Some(ago(300) + 86_400_000);
    board.leases.push(LeaseSeen {
        host: host("prod"),
        provider: cockpit_domain::ids::PackId::new("vendor").unwrap(),
        info: LeaseInfo {
            owner: "kim@laptop pid 4711".to_owned(),
            reason: "applying plan/9".to_owned(),
            since_ms: ago(900),
        },
        foreign: true,
        state: LeaseState::Left,
    });
    shows(board)
}

fn new_host() -> HostBlock {
    HostBlock {
        host: host("trial"),
        file: "/home/me/.config/relay-cockpit/config.toml".to_owned(),
        block: "[host.trial]\nmachine = \"edge-1\"\naddress = \"127.0.0.1:8081\"\nrole = \"acceptance\"\nadmin = { key = { env = \"TRIAL_KEY\" } }\n".to_owned(),
        identity: read(json!({
            "version": "0.1.129", "round_trip_ms": 12, "captcha": false, "backend_mode": false,
            "credential": "admin key",
        })),
    }
}

fn needs() -> AccessPreview {
    let row =
        |name: &str, holds, found: &str, next: &str| Precondition::new(name, holds, found, next);
    AccessPreview {
        host: host("prod"),
        provider: cockpit_domain::ids::PackId::new("vendor").unwrap(),
        access: AccessMode::Subscription,
        open: false,
        preconditions: vec![
            row(
                "captcha",
                Holds::No,
                "the host wants a captcha on login",
                "switch it off in the host's settings for the import",
            ),
            row("backend_mode", Holds::Yes, "off", ""),
            row(
                "user",
                Holds::Planned,
                "`relay-vendor@cockpit.invalid` is not there",
                "the plan makes it",
            ),
            row(
                "subscription",
                Holds::Unknown,
                "#3: the host gave `soon` as its end",
                "`cockpit doctor` shows its version",
            ),
        ],
    }
}

#[test]
fn hosts_and_one_of_them() {
    let album = Album::default()
        .add(
            "not looked at yet",
            &Screen::new((60, 16), shows(Board::default())).keys("2"),
        )
        .add("well", &Screen::new((80, 24), well()).keys("2"))
        .add("in trouble", &Screen::new((80, 24), troubled()).keys("2"))
        .add(
            "in trouble, smallest",
            &Screen::new((60, 16), troubled()).keys("2"),
        )
        .add(
            "in trouble, larger",
            &Screen::new((120, 40), troubled()).keys("2"),
        )
        .add(
            "side by side",
            &Screen::new((160, 45), troubled()).keys("2"),
        )
        .add(
            "中文",
            &Screen::with((80, 24), troubled(), chinese).keys("2"),
        )
        .add(
            "no colour, ASCII",
            &Screen::with((80, 24), troubled(), mono).keys("2"),
        )
        .add(
            "no host in the config",
            &Screen::with((60, 16), shows(Board::default()), |setup| {
                setup.hosts.clear();
            })
            .keys("2"),
        )
        .add("one host, well", &Screen::new((80, 24), well()).keys("2\r"))
        .add(
            "one host, in trouble",
            &Screen::new((80, 24), troubled()).keys("2\r"),
        );
    let album = album
        .add(
            "a lease that somebody left",
            &Screen::new((80, 24), left_behind()).keys("2\r"),
        )
        .add(
            "a lease is taken over",
            &Screen::new((80, 24), left_behind())
                .keys("2:lease-take prod vendor\r")
                .read()
                .keys("its owner's laptop died\t"),
        )
        .add(
            "a new host for the config",
            &Screen::new((80, 24), well())
                .keys("2:host-add trial edge-1 127.0.0.1:8081 acceptance env:TRIAL_KEY\r")
                .answer(Ok(Answer::HostBlock(Box::new(new_host())))),
        )
        .add(
            "what access needs",
            &Screen::new((80, 24), well())
                .keys("2:access-preview prod vendor\r")
                .answer(Ok(Answer::Preview(Box::new(needs())))),
        )
        .add(
            "what access needs, 中文, smallest",
            &Screen::with((60, 16), well(), chinese)
                .keys("2:access-preview prod vendor\r")
                .answer(Ok(Answer::Preview(Box::new(needs())))),
        );
    insta::assert_snapshot!("hosts", album.text());
}

pub(super) fn probe(hop: &str, protocol: &str, class: &str, found: &str) -> Probe {
    read(json!({
        "host": "prod", "provider": "vendor", "hop": hop, "protocol": protocol, "class": class,
        "status": 200, "found": found, "duration_ms": 1234,
    }))
}

fn probed() -> Snapshot {
    let mut board = Board::default();
    let rows = vec![
        probe("host", "no_key", "ok", "401 without a key"),
        probe("host", "models", "ok", "3 models"),
        probe("host", "chat", "no_account", "503 no available accounts"),
        probe(
            "upstream",
            "chat",
            "quota",
            "403 insufficient_user_quota: the vendor's own words, at length",
        ),
    ];
    board
        .probes
        .insert("prod/vendor".to_owned(), known(4, rows));
    let rows = vec![
        probe("host", "tunnel", "unreachable", "no answer in 5 s"),
        probe("host", "chat", "skipped", ""),
    ];
    board.probes.insert("accept".to_owned(), known(90, rows));
    shows(board)
}

#[test]
fn probes_and_one_of_them() {
    let album = Album::default()
        .add(
            "nothing probed yet",
            &Screen::new((60, 16), shows(Board::default())).keys("4"),
        )
        .add("results", &Screen::new((80, 24), probed()).keys("4"))
        .add("smallest", &Screen::new((60, 16), probed()).keys("4"))
        .add("larger", &Screen::new((120, 40), probed()).keys("4"))
        .add("中文", &Screen::with((80, 24), probed(), chinese).keys("4"))
        .add("one", &Screen::new((80, 24), probed()).keys("4jjjjj\r"));
    insta::assert_snapshot!("probes", album.text());
}

fn worked() -> Snapshot {
    let mut snapshot = well();
    let mut running = job(7, "import apply", "plan/4", JobState::Running);
    running.writes = true;
    running.progress = Some(Progress {
        text: "waiting for the host to see the accounts".to_owned(),
        done: 12,
        total: 40,
        ..Progress::default()
    });
    let mut failed = job(6, "host probe", "prod", JobState::Failed);
    failed.ended_ms = Some(ago(3));
    failed.failure = Some(trouble(
        FailureKind::Unreachable,
        "machine `edge-1` does not answer: connection timed out",
        "`ssh edge-1 true` shows what ssh says",
    ));
    let mut done = job(5, "baseline run", "stable", JobState::Done);
    done.ended_ms = Some(ago(9));
    let stopping = job(8, "probe run", "accept vendor", JobState::Stopping);
    snapshot.jobs = vec![done, failed, running, stopping];
    snapshot
}

fn written() -> Msg {
    let row = |minutes, request: &str, answer: &str, reason: &str| AuditRow {
        at_ms: ago(minutes),
        who: "kim@laptop pid 4711".to_owned(),
        host: host("prod"),
        batch: None,
        plan_hash: "9a40".to_owned(),
        request: request.to_owned(),
        answer: answer.to_owned(),
        reason: reason.to_owned(),
    };
    Msg::Audit(Ok(vec![
        row(
            2,
            "repair_binding main #7",
            "done: group_ids [3, 4]",
            "account 7 lost its group",
        ),
        row(2000, "arm prod for 10 min", "armed", ""),
    ]))
}

#[test]
fn jobs_and_what_was_written() {
    let jobs = crate::place::Place::Jobs.pane().unwrap() + 1;
    let acts = crate::place::Place::Activity.pane().unwrap() + 1;
    let (jobs, acts) = (jobs.to_string(), acts.to_string());
    let album = Album::default()
        .add(
            "no job yet",
            &Screen::new((60, 16), shows(Board::default())).keys(&jobs),
        )
        .add("jobs", &Screen::new((80, 24), worked()).keys(&jobs))
        .add(
            "jobs, larger",
            &Screen::new((120, 40), worked()).keys(&jobs),
        )
        .add(
            "jobs, 中文",
            &Screen::with((80, 24), worked(), chinese).keys(&jobs),
        )
        .add(
            "one that failed",
            &Screen::new((80, 24), worked()).keys(&jobs).keys("jj\r"),
        )
        .add(
            "nothing written yet",
            &Screen::new((60, 16), well()).keys(&acts),
        )
        .add(
            "activity",
            &Screen::new((80, 24), well()).keys(&acts).tell(written()),
        )
        .add(
            "one write",
            &Screen::new((80, 24), well())
                .keys(&acts)
                .tell(written())
                .keys("\r"),
        )
        .add(
            "activity, larger",
            &Screen::new((120, 40), well()).keys(&acts).tell(written()),
        );
    insta::assert_snapshot!("jobs", album.text());
}

#[test]
fn doctor_and_welcome() {
    let row = |subject: &str, ok, found: &str, fix: &str| Diagnosis {
        subject: subject.to_owned(),
        ok,
        found: found.to_owned(),
        fix: fix.to_owned(),
    };
    let found = vec![
        row("ssh edge-1", true, "Linux answers in 4 ms", ""),
        row(
            "tunnel prod",
            false,
            "nothing listens on 127.0.0.1:8080 of `edge-1`: connection refused",
            "`ssh edge-1 ss -ltn` shows what listens; mend `address` of [host.prod]",
        ),
        row(
            "clock accept",
            false,
            "3h02m ahead of this computer's",
            "set whichever is wrong (`timedatectl` on both): rights and cooldowns end by the host's clock",
        ),
        row(
            "lease_dir",
            true,
            "`/srv/leases` mode 2770 of ann, group ops: its group gets in and nobody else",
            "",
        ),
    ];
    let first = |setup: &mut crate::setup::Setup| {
        setup.hosts.clear();
        setup.first_run = Some(FirstRun {
            path: "/home/oncall/.config/relay-cockpit/config.toml".to_owned(),
            example: "[machine.edge]\nssh = \"edge\"\n\n[host.prod]\nmachine = \"edge\"\n\
                      admin = \"file:/home/oncall/.config/relay-cockpit/secrets/the-admin-key-of-prod\"\n"
                .to_owned(),
        });
    };
    let album = Album::default()
        .add("doctor, looking", &Screen::new((60, 16), well()).keys("D"))
        .add(
            "doctor",
            &Screen::new((80, 24), well())
                .keys("D")
                .answer(Ok(Answer::Doctor(found))),
        )
        .add(
            "no config yet",
            &Screen::with((80, 24), shows(Board::default()), first),
        )
        .add(
            "no config yet, Enter",
            &Screen::with((60, 16), shows(Board::default()), first).keys("\r"),
        )
        .add(
            "no config yet, copied",
            &Screen::with((80, 24), shows(Board::default()), first).keys("y"),
        )
        .add(
            "no config yet, on another page",
            &Screen::with((80, 24), shows(Board::default()), first).keys("2"),
        )
        .add(
            "no config yet, and back",
            &Screen::with((80, 24), shows(Board::default()), first).keys("2["),
        )
        .add(
            "no config yet, 中文",
            &Screen::with((80, 24), shows(Board::default()), |setup| {
                first(setup);
                chinese(setup);
            }),
        );
    insta::assert_snapshot!("doctor_welcome", album.text());
}
