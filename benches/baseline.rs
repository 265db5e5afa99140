//! Sixty checks on a machine 100 ms away, beside the slowest of them alone in the same run
//! (`product.md` 10: at most 1.3 times as long).
//!
//! `cargo bench --bench baseline`; `ROUNDS=1` makes it shorter. The far end is the lab behind a
//! connection that holds everything back for half a round trip each way.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and ends where there are none"
)]

use cockpit_lab::{Lab, LabOptions};
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const ONE_WAY: Duration = Duration::from_millis(50);
const CHECKS: usize = 60;

/// A port that leads to another one, late.
fn late(target: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its number").port();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(("127.0.0.1", target)) else {
                continue;
            };
            for stream in [&near, &far] {
                stream.set_nodelay(true).ok();
            }
            if let (Ok(to_far), Ok(to_near)) = (far.try_clone(), near.try_clone()) {
                hold_back(near, to_far);
                hold_back(far, to_near);
            }
        }
    });
    port
}

/// Carries bytes one way.
fn hold_back(mut from: TcpStream, mut to: TcpStream) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut block = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut block) {
            if sender
                .send((Instant::now() + ONE_WAY, block[..length].to_vec()))
                .is_err()
            {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
    });
}

/// What stands at a kind of check, over again with another number.
fn look(number: usize) -> String {
    match number % 6 {
        0 => "nginx = { server_name = \"sub.tksea.top\", routes = { \"/kimi/x\" = \"http://127.0.0.1:8080/x\" } }".to_owned(),
        1 => "containers = { running = [\"sub2api\"] }".to_owned(),
        2 => "listening = { expect = [{ port = 8080 }] }".to_owned(),
        3 => "process = { command = \"*sub2api-cn-relay-manager-server*\", port = 18190, executable = \"/home/ubuntu/crm-only-20260602_18190/sub2api-cn-relay-manager-server\" }".to_owned(),
        4 => "http = { url = \"http://127.0.0.1:8080/v1/models\", status = 401 }".to_owned(),
        _ => "file = { path = \"/etc/nginx/sites-available/tksea\", contains = [\"proxy_pass\"] }".to_owned(),
    }
}

fn write_pack(folder: &Path, name: &str, numbers: impl Iterator<Item = usize>) {
    let mut text = format!("schema = 1\nkind = \"baseline\"\ntitle = \"{name}\"\n");
    for number in numbers {
        let _ = write!(
            text,
            "[[check]]\nid = \"c{number}\"\nlayer = \"host\"\nlevel = \"must\"\nvantage = \"machine:remote43\"\n\
             title = \"t\"\nwhy = \"w\"\nnext_step = \"n\"\n{}\n",
            look(number)
        );
    }
    let folder = folder.join("packs").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("pack.toml"), text).expect("a pack");
}

/// Runs a pack with the built program; how long the run took.
fn run(config: &Path, pack: &str) -> Duration {
    let output = Command::new(env!("CARGO_BIN_EXE_cockpit"))
        .args(["baseline", "run", "--json", "--pack", pack, "--config"])
        .arg(config)
        .output()
        .expect("it runs");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    let rows = report["checks"].as_array().expect("rows");
    for row in rows {
        assert_eq!(row["verdict"], "ok", "{row}");
    }
    Duration::from_millis(report["duration_ms"].as_u64().expect("its time"))
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn main() {
    let rounds = std::env::var("ROUNDS").ok();
    let rounds: usize = rounds.and_then(|text| text.parse().ok()).unwrap_or(5);
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    let lab = threads
        .block_on(Lab::start(LabOptions::default()))
        .expect("a lab");
    let folder = tempfile::Builder::new()
        .prefix("bb")
        .tempdir_in("/tmp")
        .expect("a folder");
    let folder = folder.path();
    let theirs = fs::read_to_string(lab.config_path()).expect("the lab's config");
    let line = theirs
        .lines()
        .find_map(|line| line.strip_prefix("ssh_config = "));
    let ssh = line.expect("an ssh config").trim_matches('"');
    let mut text = String::new();
    for line in fs::read_to_string(ssh).expect("it").lines() {
        let port = line
            .trim()
            .strip_prefix("Port ")
            .and_then(|port| port.parse().ok());
        match port {
            // The key of the machine stays known under the port it is kept for.
            Some(port) => writeln!(
                text,
                "  Port {}\n  HostKeyAlias [127.0.0.1]:{port}",
                late(port)
            )
            .expect("text"),
            None => writeln!(text, "{line}").expect("text"),
        }
    }
    fs::write(folder.join("ssh_config"), text).expect("a file");
    let config = folder.join("config.toml");
    let text = format!(
        "state_dir = \"{0}/state\"\npacks_dir = \"{0}/packs\"\nssh_config = \"{0}/ssh_config\"\n\
         [machine.remote43]\nssh = \"remote43\"\n",
        folder.display()
    );
    fs::write(&config, text).expect("a config");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).expect("its mode");
    for kind in 0..6 {
        write_pack(folder, &format!("alone{kind}"), std::iter::once(kind));
    }
    write_pack(folder, "sixty", 0..CHECKS);
    let mut slowest = (Duration::ZERO, 0);
    for kind in 0..6 {
        let took = median(
            (0..rounds)
                .map(|_| run(&config, &format!("alone{kind}")))
                .collect(),
        );
        println!("one check of kind {kind}: {took:?}");
        slowest = slowest.max((took, kind));
    }
    let all = median((0..rounds).map(|_| run(&config, "sixty")).collect());
    let times = all.as_secs_f64() / slowest.0.as_secs_f64();
    println!("sixty checks: {all:?}, {times:.2} times the slowest alone (goal 1.3)");
    threads.block_on(lab.shutdown());
}
