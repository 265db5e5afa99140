//! The two machines: what runs on them when nothing is wrong.

use crate::faults::Fault;
use crate::machine::{Base, Container, ContainerState, Growing, JOURNAL, LivingLog, Process};
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
        log,
    }
}

/// A host's three containers; the host knows its database and its Redis by name.
fn stack(name: &str, days: i64, log: Arc<dyn Growing>) -> Vec<Container> {
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
pub(crate) fn remote43(nginx: &NginxLogs, host_log: Arc<dyn Growing>) -> Base {
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
    processes.extend([front, crm]);
    let leftover = container(
        LEFTOVER,
        18192,
        185,
        said(&[(false, "route lab up on :18192")]),
    );
    Base {
        name: REMOTE43,
        containers: stack("sub2api", 19, host_log),
        leftovers: vec![(Fault::LeftoverContainer, leftover)],
        restarting: vec![(Fault::Host502, "sub2api")],
        processes,
        site: Some(tksea()),
        files: BTreeMap::from([
            ("/var/log/nginx/access.log", nginx.access.clone()),
            ("/var/log/nginx/error.log", nginx.error.clone()),
            (JOURNAL, journal(REMOTE43)),
        ]),
    }
}

/// accept44: the acceptance host and nothing else.
pub(crate) fn accept44(host_log: Arc<dyn Growing>) -> Base {
    Base {
        name: ACCEPT44,
        containers: stack("sub2api-accept", 2, host_log),
        processes: daemons(),
        files: BTreeMap::from([(JOURNAL, journal(ACCEPT44))]),
        ..Base::default()
    }
}
