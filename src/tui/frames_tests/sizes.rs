//! Every page and dialog in a terminal of any size: nothing is drawn outside, nothing fails.

use super::batches::every_batch;
use super::fleet::{armed, checks, chinese, hosts, judged, shows};
use super::picture::Screen;
use cockpit_engine::supervisor::Snapshot;

fn usual() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    board.batches = every_batch();
    armed(shows(board), "prod")
}

#[test]
fn no_terminal_is_too_small_or_too_large() {
    let pages = [
        "", "\r", "2", "2\r", "3", "3jj\r", "4", "5", "6", "7", "D", ":", "?", "x", "I",
    ];
    for width in [1, 2, 9, 39, 60, 139, 300] {
        for height in [1, 5, 6, 7, 11, 33] {
            for keys in pages {
                let screen = Screen::with((width, height), usual(), chinese).keys(keys);
                assert_eq!(screen.rows().len(), usize::from(height), "{keys}");
            }
        }
    }
}

#[test]
fn a_terminal_that_changes_its_size_loses_nothing_that_was_typed() {
    let screen = Screen::new((80, 24), usual()).keys("I\t\t\t\t~/keys.txt");
    let small = screen.resized((3, 3));
    assert_eq!(small.rows().len(), 3);
    let large = small.resized((80, 24));
    assert!(large.row_with("~/").contains("~/keys.txt_"));
}
