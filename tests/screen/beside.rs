//! A screen and a command line on one store at once: the screen follows what the other does, shows
//! whose it is, and leaves it alone.

use super::stage::Stage;
use crate::support::importing::planning;
use crate::support::inside::{Inside, on_threads, quick};
use crate::support::{COCKPIT, has_ssh, run};
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::Duration;

const KEYS: &str = "sk-lab-good-beside-00001\nsk-lab-good-beside-00002\n";

#[test]
fn the_screen_follows_a_batch_of_the_command_line_read_only_with_its_owner() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let mut stage = Stage::on(inside, (120, 30)).await;
        stage.until_shown("nothing is broken").await;
        stage.command("batches");
        stage.until_shown("nothing was imported").await;

        // Another process plans and applies; every answer of the host is late, so that there is
        // something to follow.
        let config = stage.lab().config_path();
        let runtime = tempfile::Builder::new()
            .prefix("rb")
            .tempdir()
            .expect("a folder");
        let cockpit = |words: &[&str]| {
            let mut command = Command::new(COCKPIT);
            command
                .args(words)
                .args(["--json", "--config"])
                .arg(&config)
                .env("XDG_RUNTIME_DIR", runtime.path());
            command
        };
        let planned = run(&mut cockpit(&planning("accept")[..8]), Some(KEYS));
        assert_eq!(planned.code, 0, "{planned:?}");
        let plan: Value = planned.json()["plan"].clone();
        let hash = plan["hash"].as_str().expect("a hash");
        let late = Duration::from_millis(300);
        stage.lab().host("accept").with(|state| state.delay = late);
        let mut other = cockpit(&["import", "apply", &plan["id"].to_string(), "--yes", hash])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");

        // While it runs: its batch and its owner, no word of an interruption, no way to meddle.
        let owner = format!("pid {}", other.id());
        let row = stage.until_selected("running").await;
        assert!(row.contains(&owner), "not {owner}:\n{row}");
        assert!(row.starts_with("+ nothing is broken"), "{row}");
        stage.press(&["enter"]);
        let page = stage.until_shown("owner ").await;
        assert!(page.contains(&owner), "not {owner}:\n{page}");
        stage.command("resume 1");
        stage.until_shown("this batch is at work, owned by").await;
        stage.press(&["B"]);
        let refused = stage.until_shown("batch/1 is running, owned by").await;
        assert!(refused.contains(&owner), "not {owner}:\n{refused}");
        stage.press(&["esc"]);
        let at_work = other.try_wait().expect("a child of ours");
        assert!(at_work.is_none(), "it ended too soon: {at_work:?}");

        // Its end is seen without a key.
        let ended = stage.until_shown("+ succeeded  batch/1").await;
        assert!(ended.contains(&owner), "not {owner}:\n{ended}");
        stage.until_shown("sk-..0002").await;
        assert!(other.wait().expect("it ends").success());
        assert_eq!(stage.writes_sent, 0);
        stage.end().await;
    });
}
