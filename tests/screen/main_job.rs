//! The main job by keyboard only: import, compare, take back.

use super::stage::Stage;
use crate::support::has_ssh;
use crate::support::inside::on_threads;

const KEYS: [&str; 2] = ["sk-lab-good-screen-000001", "sk-lab-good-screen-000002"];

#[test]
fn keys_are_imported_compared_and_taken_back_by_keyboard_only() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let mut stage = Stage::open("accept").await;
        // What tells the keys apart, and the head of the key that the cockpit makes for its user.
        stage.secrets = vec!["screen-00000".to_owned(), "sk-relay-".to_owned()];
        let before = stage.inside.census();
        stage.until_shown("nothing is broken").await;

        // The plan: nothing is written, and no key is shown.
        stage.press(&["I"]);
        stage.until_shown("Import keys").await;
        stage.press(&["tab"]);
        for _ in 0..40 {
            if !stage.frame().contains("< lab >") {
                stage.press(&["right"]);
            }
        }
        stage.until_shown("< lab >").await;
        stage.paste(&KEYS.join("\r"));
        stage.until_shown("not shown: keys 2, lines 2").await;
        stage.press(&["enter"]);
        stage.until_shown("Import  plan/1  accept").await;
        stage.press(&["a"]);
        stage.until_shown("type `:arm accept 10m` first").await;
        assert_eq!(stage.changes(), Vec::<String>::new());

        // The act: armed by typing, confirmed by another key than the one that asked.
        stage.arm("accept").await;
        stage.apply().await;
        let done = stage.until_shown("succeeded").await;
        assert!(done.contains("served by"), "{done}");
        let wanted = before.after_import(&KEYS);
        let missing = stage.inside.census().differences(&wanted);
        assert!(missing.is_empty(), "{missing:?}");

        let written = stage.changes();
        stage.press(&["R"]);
        let compared = stage
            .until_shown("active: 0 missing, 0 changed, 0 extra")
            .await;
        assert!(compared.contains("Reconcile  plan/2  accept"), "{compared}");
        assert_eq!(stage.changes(), written, "a look wrote");

        stage.press(&["3", "B"]);
        stage.until_shown("Rollback  plan/3  accept").await;
        assert_eq!(stage.changes(), written, "a plan wrote");
        stage.apply().await;
        stage.until_shown("nothing of it remains").await;
        let left = stage.inside.census().differences(&before);
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(stage.inside.parked(), 0);

        // Every write stands in the audit; the window closes by typing, the screen by a key.
        stage.command("activity");
        stage.until_shown("create_account").await;
        stage.command("disarm");
        stage.until_shown("read-only").await;
        stage.press(&["q"]);
        assert!(stage.ended, "{}", stage.frame());
        stage.end().await;
    });
}

#[test]
fn the_form_chooses_how_users_get_at_the_model() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let mut stage = Stage::open("accept").await;
        stage.until_shown("nothing is broken").await;
        stage.press(&["I"]);
        stage.until_shown("< subscription >").await;
        stage.press(&["tab"]);
        for _ in 0..40 {
            if !stage.frame().contains("< lab >") {
                stage.press(&["right"]);
            }
        }
        stage.press(&["tab", "tab", "right"]);
        stage.until_shown("< self service >").await;
        stage.paste(&KEYS.join("\r"));
        stage.press(&["enter"]);
        stage.until_shown("Import  plan/1  accept").await;
        stage.until_shown("relay-lab-self-service").await;
        assert_eq!(stage.changes(), Vec::<String>::new());
        stage.arm("accept").await;
        stage.apply().await;
        stage.until_shown("succeeded").await;
        assert!(stage.inside.balance().is_some_and(|left| left > 4.9));
        stage.end().await;
    });
}
