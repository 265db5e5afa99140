//! From the opening screen to the cause and to its next step, by few keys.

use super::stage::Stage;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};

#[test]
fn the_cause_of_no_available_accounts_is_four_keys_from_the_opening_screen() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.lab.set_fault("binding-lost").expect("a fault");
        let mut stage = Stage::on(inside, (100, 30)).await;
        stage.until_shown("binding.account-7-group-3").await;
        stage.press(&["F"]);
        stage
            .until_shown("the group has no account that can be chosen")
            .await;
        stage.press(&["enter"]);
        let frame = stage
            .until_shown("account 7 is not bound to group 3 (bound: 4)")
            .await;
        assert!(frame.contains("completion.binding-lost"), "{frame}");
        assert!(stage.pressed <= 4, "{} keys", stage.pressed);
        assert!(
            frame.contains("`o` opens it: tksea/completion-fails"),
            "{frame}"
        );
        // The evidence leads to the check and to the plan of its repair, the next step to the runbook.
        stage.press(&["enter"]);
        stage.until_shown("x FAIL  binding.account-7-group-3").await;
        stage.press(&["P"]);
        stage.until_shown("Repair  plan/1  prod").await;
        stage.press(&["esc", "esc", "o"]);
        let book = stage
            .until_shown("cockpit runbook run completion-fails")
            .await;
        assert!(
            book.contains("Models are listed, completions fail"),
            "{book}"
        );
        assert_eq!(stage.changes(), Vec::<String>::new());
        stage.end().await;
    });
}

#[test]
fn why_a_key_fails_is_asked_by_a_reference_and_answered_with_a_look_per_reason() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let mut stage = Stage::on(Inside::start("prod", quick()).await, (100, 40)).await;
        stage.until_shown("nothing is broken").await;
        stage.press(&["U"]);
        stage.until_shown("explain-key").await;
        for letter in "prod id:10".chars() {
            let key = if letter == ' ' {
                "space".to_owned()
            } else {
                letter.to_string()
            };
            stage.press(&[key.as_str()]);
        }
        stage.press(&["enter"]);
        let frame = stage.until_shown("subscription is over").await;
        assert!(frame.contains("sk-..ed0c"), "{frame}");
        assert!(
            frame.contains("asked: subscriptions of the key's owner"),
            "{frame}"
        );
        stage.end().await;
    });
}
