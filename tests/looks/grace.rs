//! Boot grace by a container, looked at over SSH: counted from the container's own start, and nothing
//! for one that comes up again and again.

use crate::support::{COCKPIT, Lab, has_ssh, run, wait_until};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

/// Nothing listens on the port: bad from the first look on.
fn check(id: &str, seconds: u64, container: &str) -> String {
    format!(
        "[[check]]\nid = \"{id}\"\nlayer = \"host\"\nlevel = \"must\"\nvantage = \"machine:remote43\"\n\
         title = \"t\"\nwhy = \"w\"\nnext_step = \"the pack's step\"\n\
         grace = {{ seconds = {seconds}, container = \"{container}\" }}\n\
         listening = {{ expect = [{{ port = 4 }}] }}\n"
    )
}

#[test]
fn a_container_is_given_its_time_from_its_own_start_and_a_restarting_one_is_given_none() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let packs = lab.folder().join("own-packs");
    std::fs::create_dir_all(packs.join("boot")).unwrap();
    let checks = [
        check("long", 3600, "sub2api"),
        check("short", 2, "sub2api"),
        check("gone", 3600, "no-such-container"),
    ];
    let text = format!(
        "schema = 1\nkind = \"baseline\"\ntitle = \"Boot\"\n{}",
        checks.concat()
    );
    std::fs::write(packs.join("boot/pack.toml"), text).unwrap();
    let config = lab.folder().join("own.toml");
    let told = std::fs::read_to_string(&lab.config).unwrap();
    let told = format!("packs_dir = \"{}\"\n{told}", packs.display());
    std::fs::write(&config, told).unwrap();
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
    let judged = || {
        let mut command = Command::new(COCKPIT);
        let words = ["baseline", "run", "--pack", "boot", "--json", "--config"];
        let report = run(command.args(words).arg(&config), None).json();
        ["long", "short", "gone"].map(|id| {
            let rows = report["checks"].as_array().unwrap();
            let row = rows.iter().find(|row| row["id"] == id).unwrap();
            let text = |field: &str| row[field].as_str().unwrap().to_owned();
            (text("verdict"), text("found"), text("next_step"))
        })
    };
    let [long, short, gone] = judged();
    for row in [&long, &short, &gone] {
        // It runs for days: its time is over.
        assert_eq!(
            (row.0.as_str(), row.2.as_str()),
            ("fail", "the pack's step"),
            "{row:?}"
        );
    }
    let restarted = Command::new("ssh")
        .arg("-F")
        .arg(lab.folder().join("ssh_config"))
        .args(["remote43", "docker", "restart", "sub2api"])
        .output()
        .unwrap();
    assert!(restarted.status.success(), "{restarted:?}");
    let [long, _, gone] = judged();
    assert_eq!(long.0, "unknown", "{long:?}");
    assert!(
        long.1.starts_with("warming up: `sub2api` was started "),
        "{long:?}"
    );
    assert!(
        long.1.contains("; "),
        "what was seen stands behind it: {long:?}"
    );
    assert!(long.2.starts_with("Look again in "), "{long:?}");
    assert_eq!(
        gone.0, "fail",
        "what cannot be seen spares nothing: {gone:?}"
    );
    wait_until("the short grace is over", Duration::from_mins(1), || {
        let [long, short, _] = judged();
        assert_eq!(long.0, "unknown", "{long:?}");
        (short.0 == "fail").then_some(())
    });
    assert_eq!(lab.run(&["lab", "fault", "set", "host-502"]).code, 0);
    let [long, _, _] = judged();
    assert_eq!(long.0, "fail", "it comes up again and again: {long:?}");
}
