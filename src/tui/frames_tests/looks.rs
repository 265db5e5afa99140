//! How it looks: one letter a cell for the meaning that looks so. `-` text, `.` muted, `T` title,
//! `F` focus, `S` selection, `k` key, `+ ~ x / ? > =` the states, `c g r !` the signs of a plan,
//! `A` armed, `L` lab, `*` something else.

use super::batches::every_batch;
use super::fleet::{armed, checks, hosts, judged, shows};
use super::picture::{Album, Screen};
use cockpit_engine::supervisor::Snapshot;

fn usual() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    board.batches = every_batch();
    shows(board)
}

fn lab(size: (u16, u16), snapshot: Snapshot) -> Screen {
    Screen::with(size, snapshot, |setup| setup.lab = true)
}

#[test]
fn colours_say_what_words_say() {
    let album = Album::default()
        .add_looks("dark", &lab((80, 24), usual()).theme("dark"))
        .add_looks(
            "light, armed",
            &lab((80, 24), armed(usual(), "prod")).theme("light"),
        )
        .add_looks("mono", &lab((80, 24), usual()).theme("mono"))
        .add_looks("dark, batches", &lab((80, 24), usual()).keys("3"));
    insta::assert_snapshot!("looks", album.text());
}
