//! Every fault of the lab is found from the opening screen; what the host's API can mend is mended
//! and proven.

use super::stage::Stage;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};

/// Keys that may be pressed between the opening screen and the cause.
const KEYS: usize = 4;

/// A fault, how the opening screen's one line begins, then keys, each with what it brings up (`> `
/// is the selected row); the last words are the cause.
const FOUND: [(&str, &str, &[(&str, &str)]); 6] = [
    (
        "nginx-old-port",
        "x entry.nginx-locations",
        &[("enter", "proxy_pass http://127.0.0.1:18169")],
    ),
    (
        "binding-lost",
        "x binding.account-7-group-3",
        &[("enter", "account 7 is not bound to group 3 (bound: 4)")],
    ),
    (
        "leftover-container",
        "x host.containers",
        &[("enter", "`route-lab-20260520` runs and is banned")],
    ),
    // The vendor's own word stands on the account that it closed: a second look reads it.
    (
        "upstream-quota",
        "x upstream.smoke",
        &[
            ("r", "> account 7 is out of"),
            ("enter", "remaining quota: 0"),
        ],
    ),
    (
        "host-502",
        "x host.containers",
        &[("enter", "`sub2api` does not run: Restarting")],
    ),
    (
        "tunnel-down",
        "/ binding.account-7-group-3",
        &[("enter", "refuses the forward")],
    ),
];

#[test]
fn every_fault_is_found_with_at_most_four_keys_and_its_end_is_seen() {
    if !has_ssh() {
        return;
    }
    for (fault, opening, keys) in FOUND {
        on_threads(async {
            let inside = Inside::start("prod", quick()).await;
            inside.lab.set_fault(fault).expect("a fault");
            let mut stage = Stage::on(inside, (80, 24)).await;
            let frame = stage.until_shown("next:").await;
            assert!(frame.starts_with(opening), "{fault}:\n{frame}");
            for (key, words) in keys {
                stage.press(&[key]);
                match words.strip_prefix("> ") {
                    Some(row) => stage.until_selected(row).await,
                    None => stage.until_shown(words).await,
                };
            }
            assert!(stage.pressed <= KEYS, "{fault}: {} keys", stage.pressed);
            assert_eq!(stage.changes(), Vec::<String>::new(), "{fault}");
            stage.lab().clear_fault(fault).expect("a fault");
            stage.press(&["1", "r"]);
            stage.until_shown("nothing is broken").await;
            stage.end().await;
        });
    }
}

#[test]
fn a_lost_binding_is_repaired_on_production_by_name_and_reason_and_proven() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.lab.set_fault("binding-lost").expect("a fault");
        let mut stage = Stage::on(inside, (80, 24)).await;
        stage.until_shown("next: `P` plans").await;

        // The plan says who else writes there, and shows the change whole.
        stage.press(&["P"]);
        let plan = stage.until_shown("Repair  plan/1  prod").await;
        assert!(plan.contains("127.0.0.1:18190"), "{plan}");
        stage.press(&["enter"]);
        stage.until_shown(r#"["4"] -> ["3","4"]"#).await;
        stage.press(&["esc", "a"]);
        stage.until_shown("type `:arm prod 10m` first").await;

        // A name is typed, a reason is given: nothing less is taken.
        stage.arm("prod").await;
        stage.press(&["a"]);
        stage.until_shown("on PRODUCTION host prod").await;
        stage.read();
        stage.paste("prod");
        stage.until_shown("pasted text confirms nothing").await;
        stage.press(&["tab", "tab", "y"]);
        stage.until_shown("type the host's name").await;
        stage.press(&["tab"]);
        stage.type_in("prod");
        stage.press(&["tab", "tab", "y"]);
        stage.until_shown("say why").await;
        assert_eq!(stage.changes(), Vec::<String>::new());
        stage.press(&["up"]);
        stage.type_in("models fail for all");
        stage.press(&["tab", "y"]);

        // The same check proves it, and the hand-over has the reason.
        stage.until_shown("repaired and proven").await;
        assert_eq!(stage.changes(), ["host:prod PUT /api/v1/admin/accounts/7"]);
        let groups = stage.lab().host("prod").with(|state| state.groups_of(7));
        assert_eq!(groups, [3, 4]);
        stage.command("activity");
        stage.until_shown("repair_binding").await;
        stage.press(&["1", "r"]);
        stage.until_shown("nothing is broken").await;
        stage.end().await;
    });
}
