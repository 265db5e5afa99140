//! The two machines: what runs on them when nothing is wrong.

use crate::faults::Fault;
use crate::fleet::PROD_USER_KEY;
use crate::machine::{
    Base, Changed, Container, ContainerState, Growing, JOURNAL, LivingLog, OnDisk, Process, Tables,
};
use crate::nginx::{NginxLogs, tksea};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The production machine.
pub(crate) const REMOTE43: &str = "remote43";
/// The machine of the acceptance host.
pub(crate) const ACCEPT44: &str = "accept44";
/// The production control plane's folder and binary.
const CRM: &str = "/home/ubuntu/crm-only-20260602_18190/sub2api-cn-relay-manager-server";
/// Its database.
const CRM_DB: &str = "/home/ubuntu/crm-only-20260602_18190/sub2api-cn-relay-manager.db";
/// Its log.
pub(crate) const CRM_LOG: &str = "/home/ubuntu/crm-only-20260602_18190/server.log";
/// An older folder's binary.
const CRM_OLD: &str = "/home/ubuntu/crm-only-20260520_18190/sub2api-cn-relay-manager-server";
/// A process of an old acceptance run.
const CRM_VERIFY: &str = "/home/ubuntu/crm-verify-20260518/sub2api-cn-relay-manager-server";
/// The container of the temporary stack.
pub(crate) const TRIAL: &str = "sub2api-trial";
/// Its port.
const TRIAL_PORT: u16 = 18087;
/// The container of the leftover fault.
pub(crate) const LEFTOVER: &str = "route-lab-20260520";

fn days_ago(days: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(24 * days)
}

fn container(name: &str, port: u16, days: i64, log: Arc<dyn Growing>) -> Container {
    let (image, command) = match port {
        5432 => ("postgres:15-alpine", "docker-entrypoint.sh postgres"),
        6379 => ("redis:7-alpine", "docker-entrypoint.sh redis-server"),
        _ => (
            "weishaw/sub2api:0.1.129",
            "/app/docker-entrypoint.sh /app/sub2api",
        ),
    };
    Container {
        name: name.to_owned(),
        image: image.to_owned(),
        command: command.to_owned(),
        created: days_ago(days),
        state: ContainerState::Running {
            since: days_ago(days),
        },
        healthcheck: !name.starts_with("route-lab"),
        port,
        env: Vec::new(),
        labels: Vec::new(),
        log,
        tables: None,
    }
}

/// A host's three containers; the host knows its database and its Redis by name.
fn stack(name: &str, days: i64, log: Arc<dyn Growing>, tables: Arc<dyn Tables>) -> Vec<Container> {
    let (database, cache) = (format!("{name}-postgres"), format!("{name}-redis"));
    let mut host = container(name, 8080, days, log);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    host.env = vec![
        pair("DATABASE_HOST", &database),
        pair("DATABASE_PORT", "5432"),
        pair("DATABASE_DBNAME", "sub2api"),
        pair("REDIS_HOST", &cache),
        pair("TZ", "Asia/Shanghai"),
    ];
    let mut postgres = container(
        &database,
        5432,
        days + 1,
        said(&[(true, "LOG:  database system is ready to accept connections")]),
    );
    postgres.env = vec![
        pair("POSTGRES_DB", "sub2api"),
        pair("POSTGRES_USER", "sub2api"),
    ];
    postgres.tables = Some(tables);
    let redis = container(
        &cache,
        6379,
        days + 1,
        said(&[(false, "1:M * Ready to accept connections tcp")]),
    );
    vec![host, postgres, redis]
}

fn said(lines: &[(bool, &str)]) -> Arc<dyn Growing> {
    let log = LivingLog::new();
    for (stderr, text) in lines {
        log.add(*stderr, text);
    }
    log
}

fn process(pid: u32, user: &'static str, exe: &'static str, args: &str) -> Process {
    Process {
        pid,
        user,
        exe,
        args: args.to_owned(),
        listens: Vec::new(),
        started: days_ago(7),
        open: Vec::new(),
        while_on: Vec::new(),
        gone_with: None,
    }
}

fn daemons() -> Vec<Process> {
    let mut sshd = process(
        702,
        "root",
        "/usr/sbin/sshd",
        "sshd: /usr/sbin/sshd -D [listener]",
    );
    sshd.listens = vec![("0.0.0.0", 22), ("[::]", 22)];
    let dockerd = process(912, "root", "/usr/bin/dockerd", "/usr/bin/dockerd -H fd://");
    vec![sshd, dockerd]
}

fn journal(machine: &str) -> Arc<LivingLog> {
    let journal = LivingLog::new();
    let at = days_ago(0).strftime("%b %d %H:%M:%S");
    journal.add(
        false,
        &format!("{at} {machine} systemd[1]: Started Daily apt download activities."),
    );
    journal
}

/// remote43: nginx, the production host, the predecessor's control plane.
pub(crate) fn remote43(
    nginx: &NginxLogs,
    host_log: Arc<dyn Growing>,
    tables: Arc<dyn Tables>,
) -> Base {
    let mut processes = daemons();
    let mut front = process(
        811,
        "root",
        "/usr/sbin/nginx",
        "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",
    );
    front.listens = vec![("0.0.0.0", 80), ("0.0.0.0", 443)];
    let mut crm = process(2417, "ubuntu", CRM, CRM);
    crm.listens = vec![("127.0.0.1", 18190)];
    crm.open = vec![CRM_DB];
    crm.gone_with = Some(Fault::ControlDown);
    let changed = |exe, open| Changed {
        exe,
        args: exe,
        open: vec![open],
    };
    crm.while_on = vec![
        (Fault::ControlBinary, changed(CRM_OLD, CRM_DB)),
        (Fault::ControlDatabase, changed(CRM, "/tmp/crm-scratch.db")),
    ];
    let second = process(2977, "ubuntu", CRM, CRM);
    let leftover_process = process(3111, "ubuntu", CRM_VERIFY, CRM_VERIFY);
    processes.extend([front, crm]);
    let leftover = container(
        LEFTOVER,
        18192,
        185,
        said(&[(false, "route lab up on :18192")]),
    );
    let mut leftovers = trial();
    let mut tunnel = process(
        3201,
        "ubuntu",
        "/usr/bin/ssh",
        "ssh -N -L 127.0.0.1:18087:127.0.0.1:8080 trial",
    );
    tunnel.listens = vec![("127.0.0.1", TRIAL_PORT)];
    let stray = container("sub2api-canary", 18085, 3, said(&[(false, "canary up")]));
    Base {
        name: REMOTE43,
        containers: stack("sub2api", 19, host_log, tables),
        leftovers: {
            leftovers.push((Fault::LeftoverContainer, leftover));
            leftovers.push((Fault::StrayContainer, stray));
            leftovers
        },
        stubborn: vec![
            (Fault::TrialRestarts, TRIAL),
            (Fault::TrialDatabase, "sub2api-trial-postgres"),
        ],
        leftover_processes: vec![
            (Fault::ControlTwice, second),
            (Fault::LeftoverProcess, leftover_process),
            (Fault::TrialTunnel, tunnel),
        ],
        disk: disk(),
        restarting: vec![(Fault::Host502, "sub2api")],
        processes,
        site: Some(tksea()),
        files: BTreeMap::from([
            ("/var/log/nginx/access.log", nginx.access.clone()),
            ("/var/log/nginx/error.log", nginx.error.clone()),
            (JOURNAL, journal(REMOTE43)),
            (CRM_LOG, crm_log()),
        ]),
    }
}

/// What the control plane has said so far.
fn crm_log() -> Arc<LivingLog> {
    let log = LivingLog::new();
    let at = days_ago(7);
    log.add(
        false,
        &format!("time={at:.3} level=INFO msg=\"server started\" addr=127.0.0.1:18190"),
    );
    log
}

/// What the control plane says of a fault, as its log has it.
pub(crate) fn crm_line(fault: Fault) -> Option<String> {
    let text = match fault {
        Fault::TestWithoutModel => {
            "level=WARN msg=\"account test failed\" account_id=7 request=\"{}\" tested_model=gpt-5.2 \
             error=\"channel pricing restriction\""
        }
        Fault::KeyWrongHeader => {
            "level=WARN msg=\"gateway probe failed\" path=/v1/models key_header=x-api-key status=401 \
             code=INVALID_ADMIN_KEY"
        }
        Fault::PackPath => {
            "level=ERROR msg=\"load pack\" error=\"stat pack path \
             /opt/relay/packs/openai-cn-pack: no such file or directory\""
        }
        _ => return None,
    };
    Some(format!("time={:.3} {text}", Timestamp::now()))
}

/// accept44: the acceptance host and nothing else.
pub(crate) fn accept44(host_log: Arc<dyn Growing>, tables: Arc<dyn Tables>) -> Base {
    Base {
        name: ACCEPT44,
        containers: stack("sub2api-accept", 2, host_log, tables),
        processes: daemons(),
        files: BTreeMap::from([(JOURNAL, journal(ACCEPT44))]),
        ..Base::default()
    }
}

/// A temporary stack of an acceptance run: its host, its database, its Redis.
fn trial() -> Vec<(Fault, Container)> {
    let of = |name: &str, port, image: &str, said_there: &str| {
        let mut one = container(name, port, 9, said(&[(false, said_there)]));
        image.clone_into(&mut one.image);
        one.labels = vec![("acceptance.batch", "accept-7")];
        (Fault::TrialStack, one)
    };
    let mut host = of(TRIAL, TRIAL_PORT, "weishaw/sub2api:0.1.129", "trial up");
    host.1.labels.push(("do-not-route-public", "true"));
    vec![
        host,
        of(
            "sub2api-trial-postgres",
            15432,
            "postgres:15-alpine",
            "ready",
        ),
        of("sub2api-trial-redis", 16379, "redis:7-alpine", "ready"),
    ]
}

/// Files of remote43 that a baseline looks at.
fn disk() -> BTreeMap<&'static str, OnDisk> {
    let file = |text: &str, mode, while_on: Vec<(Fault, String)>| OnDisk {
        text: text.to_owned(),
        mode,
        owner: "ubuntu",
        modified: days_ago(8),
        while_on,
        touched: None,
        only_with: None,
    };
    let trial = |text: &str| OnDisk {
        only_with: Some(Fault::TrialStack),
        ..file(text, 0o600, Vec::new())
    };
    let binary = OnDisk {
        touched: Some(Fault::ControlStale),
        ..file("ELF", 0o755, Vec::new())
    };
    let profile = |url: &str, key: &str| {
        format!(
            "{{\"models\": {{\"providers\": {{\"tksea\": {{\"baseUrl\": \"{url}\", \"apiKey\": \"{key}\"}}}}}}}}\n"
        )
    };
    let public = "https://sub.tksea.top/v1";
    let old_key = "sk-0d1e6f7a8b9c0d1e2f3a4b5c6d7e8f901a2b3c4d5e6f708192a3b4c5d6e7f809";
    let script = |port: &str| {
        format!(
            "#!/usr/bin/env bash\nset -euo pipefail\nREMOTE_HOST_PORT=\"${{REMOTE_HOST_PORT:-{port}}}\"\n\
             REMOTE_CRM_PORT=\"${{REMOTE_CRM_PORT:-18190}}\"\n"
        )
    };
    let site = tksea();
    let mut old = tksea();
    old.point_root_at("http://127.0.0.1:18169");
    BTreeMap::from([
        (CRM, binary),
        (CRM_DB, file("SQLite format 3", 0o600, Vec::new())),
        ("/home/ubuntu/trial/.env", trial("SERVER_PORT=18087\n")),
        ("/home/ubuntu/trial/bootstrap.sh", trial("#!/bin/sh\n")),
        ("/home/ubuntu/trial/tunnel.conf", trial("Host trial\n")),
        (
            "/home/ubuntu/.openclaw/openclaw.json",
            file(
                &profile(public, PROD_USER_KEY),
                0o600,
                vec![
                    (Fault::ProfileKey, profile(public, old_key)),
                    (
                        Fault::ProfileUrl,
                        profile("http://127.0.0.1:18169/v1", PROD_USER_KEY),
                    ),
                    (
                        Fault::TrialProfile,
                        profile("http://127.0.0.1:18087/v1", PROD_USER_KEY),
                    ),
                ],
            ),
        ),
        (
            "/home/ubuntu/sub2api-cn-relay-manager/scripts/deploy/deploy_tksea_portal.sh",
            file(
                &script("8080"),
                0o755,
                vec![(Fault::DeployScript, script("18169"))],
            ),
        ),
        (
            "/home/ubuntu/sub2api-cn-relay-manager/deploy/tksea-portal/nginx.sub.tksea.top.conf.example",
            file(
                &site.file_text(),
                0o644,
                vec![(Fault::NginxExample, old.file_text())],
            ),
        ),
    ])
}
