//! The log pane: the lines that belong to a red row are two keys away, and how a person reads them.

use super::stage::Stage;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};

/// What the host writes when no account serves a model.
const CAUSE: &str = "openai_chat_completions.account_select_failed";

#[test]
fn the_lines_of_a_red_row_are_two_keys_away_and_stay_where_they_are_while_read() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.lab.set_fault("binding-lost").expect("a fault");
        let mut stage = Stage::on(inside, (80, 24)).await;
        stage.until_shown("binding.account-7-group-3").await;

        // From the opening screen: the lines of what is selected, then only the bad ones.
        stage.press(&["L", "!"]);
        stage.until_shown(CAUSE).await;
        let bad = stage
            .until("no line below a warning", |frame| {
                frame.contains("Log remote43  !broken") && !frame.contains("  inf  ")
            })
            .await;
        assert!(bad.contains("ERR") && bad.contains(" of "), "{bad}");
        assert!(bad.contains("> following"), "{bad}");

        // Up from the end they are held, and what comes is counted.
        stage.press(&["!", "g"]);
        let held = stage.until_shown("| held").await;
        let first = held
            .lines()
            .find(|line| {
                let rest = line.strip_prefix("> ");
                rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            })
            .expect("a line");
        stage.press(&["r"]);
        let later = stage
            .until("lines that came meanwhile", |frame| {
                frame.contains("| held  +") && !frame.contains("held  +0 new")
            })
            .await;
        assert!(later.contains(first), "{later}");
        // The next error from there, whole, with what came around it.
        stage.press(&["e", "enter"]);
        let line = stage.until_shown("what came around it").await;
        assert!(line.contains("Log remote43 > Line"), "{line}");
        stage.press(&["esc", "G"]);
        stage.until_shown("> following").await;

        // Paused, nothing moves; a filter holds for what is there.
        stage.press(&["space"]);
        stage.until_shown("= paused").await;
        stage.press(&["/"]);
        stage.type_in("no available");
        stage.press(&["enter"]);
        let found = stage.until_shown("/no available").await;
        let rows = found.lines().filter(|line| line.contains(" WRN ")).count();
        assert!(rows > 0 && !found.contains("  inf  "), "{found}");
        stage.end().await;
    });
}

#[test]
fn a_source_is_followed_no_more_and_again() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let mut stage = Stage::open("prod").await;
        stage.press(&["5"]);
        stage.until_shown("sub2api-prod").await;
        stage.press(&["s"]);
        stage.until_selected("follows  nginx-access").await;
        stage.press(&["space"]);
        stage.until_selected("off      nginx-access").await;
        stage.press(&["space"]);
        stage.until_selected("follows  nginx-access").await;
        stage.end().await;
    });
}

#[test]
fn warnings_and_errors_of_the_selected_row_stand_beside_it_on_a_wide_screen() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.lab.set_fault("binding-lost").expect("a fault");
        let mut stage = Stage::on(inside, (160, 45)).await;
        stage.until_shown("warnings and errors of remote43").await;
        let frame = stage.until_shown("WRN openai_chat_completions").await;
        assert!(!frame.contains(" inf "), "{frame}");
        stage.end().await;
    });
}
