//! Runbooks by keyboard only, from the fault that calls for one to the last step, and what a hostile
//! machine can put into their pictures.

use super::stage::Stage;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};

#[test]
fn a_runbook_leads_from_the_fault_to_green_by_keyboard_only() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.lab.set_fault("host-502").expect("a fault");
        let mut stage = Stage::on(inside, (100, 40)).await;
        stage.until_shown("x host.containers").await;
        // The one that is called for comes first, and says by what.
        stage.press(&["O"]);
        stage.until_selected("entry-502").await;
        stage.press(&["enter"]);
        let book = stage.until_shown("cockpit runbook run entry-502").await;
        assert!(book.contains("502 at the public entry"), "{book}");
        // Twice in haste begins one run.
        stage.press(&["a", "a"]);
        stage.until_shown("wants approval").await;
        // Read-only: the act is refused with the way out, and stands as it stood.
        stage.press(&["a"]);
        stage.until_shown("type `:arm prod 10m` first").await;
        stage.arm("prod").await;
        stage.press(&["a"]);
        stage.until_shown("on PRODUCTION host prod").await;
        stage.read();
        stage.type_in("prod");
        stage.press(&["tab"]);
        stage.type_in("03:10");
        stage.press(&["tab", "y"]);
        let done = stage.until_shown("+ done").await;
        assert!(done.contains("run/1"), "{done}");
        assert_eq!(stage.changes(), Vec::<String>::new());
        stage.press(&["1", "r"]);
        stage.until_shown("nothing is broken").await;
        stage.end().await;
    });
}

#[test]
fn what_a_machine_prints_to_a_step_does_nothing_to_the_picture() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let mut inside = Inside::start("prod", quick()).await;
        let config = inside.lab.config_path();
        let folder = config.parent().expect("a folder").to_path_buf();
        crate::runbook_guard::hostile_pack(&config, &folder);
        inside.restart(quick()).await;
        let mut stage = Stage::on(inside, (100, 40)).await;
        stage.secrets.push(crate::runbook_guard::SECRET.to_owned());
        stage.until_shown("nothing is broken").await;
        stage.command("runbook-start mine/hostile");
        stage.until_shown("wants approval").await;
        stage.press(&["g", "enter"]);
        let page = stage.until_shown("last line").await;
        assert!(page.contains("red"), "{page}");
        assert!(
            page.chars().all(|c| c == '\n' || !c.is_control()),
            "{page:?}"
        );
        assert!(!page.contains('\u{202e}'), "{page:?}");
        stage.end().await;
    });
}
