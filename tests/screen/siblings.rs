//! Two machines beside each other by keyboard only, and the first of them drafted into a file.

use super::stage::Stage;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};

#[test]
fn what_stands_is_drafted_into_a_new_file_and_never_over_one() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("drafted.toml");
        let mut stage = Stage::on(Inside::start("prod", quick()).await, (160, 40)).await;
        stage.until_shown("nothing is broken").await;
        stage.command("siblings prod accept");
        stage.until_shown("sub2api").await;
        let line = format!("draft prod {}", file.display());
        stage.command(&line);
        let told = stage.until_shown("written to ").await;
        assert!(told.contains("drafted.toml"), "{told}");
        let text = std::fs::read_to_string(&file).expect("the draft");
        assert!(text.contains("kind = \"baseline\""), "{text}");

        // The same once more: what a person may have edited meanwhile stays.
        std::fs::write(&file, "edited").expect("it is written");
        stage.command(&line);
        stage.until_shown("nothing was written over").await;
        assert_eq!(std::fs::read_to_string(&file).expect("it"), "edited");
        stage.end().await;
    });
}
