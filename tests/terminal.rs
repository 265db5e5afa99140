//! The PTY harness held against small real programs: what it shows is what they wrote, and it
//! notices a terminal that is not put back.

use crate::support::escapes::Traffic;
use crate::support::left::{children_of, locks_under};
use crate::support::pty::{Ended, Launch, key, rows_with};
use crate::support::wait_until;
use std::time::Duration;

fn shell(script: &str) -> Launch {
    Launch::of("sh", &["-c", script])
}

#[test]
fn a_program_sees_its_size_and_each_resize() {
    let mut pty = shell("stty size; read line; stty size; read line")
        .size(91, 17)
        .start();
    pty.wait_for("17 91");
    pty.resize(40, 9);
    pty.send(key::ENTER);
    pty.wait_for("9 40");
    pty.send(key::ENTER);
    assert_eq!(pty.ended(), Ended::Code(0));
    assert_eq!(pty.not_put_back(), [""; 0]);
}

#[test]
fn a_resize_reaches_a_program_as_a_signal() {
    let mut pty =
        shell("trap 'stty size; exit 7' WINCH; echo ready; while read line; do :; done").start();
    pty.wait_for("ready");
    pty.resize(1, 1);
    assert_eq!(pty.ended(), Ended::Code(7));
}

#[test]
fn a_program_gets_the_environment_it_is_given_and_no_more() {
    let mut pty = shell(r#"echo "[$NO_COLOR][$TERM][$CARGO][$LC_ALL]"; stty -echo; cat -v"#)
        .env("NO_COLOR", "1")
        .start();
    pty.wait_for("[1][xterm-256color][][]");
    pty.send(&format!("{}{}", key::ESC, key::ENTER));
    pty.wait_for("^[");
}

#[test]
fn wide_characters_and_colours_stand_in_their_cells() {
    let pty = shell(r"printf '\033[31;1m\344\270\255\345\233\275|\033[0m end\n'").start();
    assert_eq!(pty.ended(), Ended::Code(0));
    let screen = pty.screen();
    let first = screen.cell(0, 0).expect("a cell");
    assert!(first.is_wide() && first.bold(), "{first:?}");
    assert_eq!(first.fgcolor(), vt100::Color::Idx(1));
    assert_eq!(screen.cell(0, 4).expect("a cell").contents(), "|");
    assert_eq!(rows_with(&screen, "end"), ["中国| end"]);
}

#[test]
fn a_paste_is_bracketed_only_for_a_program_that_asks_for_it() {
    let mut plain = shell("stty -echo; echo ready; cat -v").start();
    plain.wait_for("ready");
    plain.paste("one\ntwo\n");
    let screen = plain.wait_for("two");
    assert!(!screen.contents().contains("200~"), "{}", screen.contents());
    let mut asks = shell(r"stty -echo; printf '\033[?2004hready\n'; cat -v").start();
    asks.wait_for("ready");
    asks.paste("one");
    asks.send(key::ENTER);
    asks.wait_for("^[[200~one^[[201~");
}

#[test]
fn ends_by_code_and_by_signal_are_told_apart() {
    assert_eq!(shell("exit 3").start().ended(), Ended::Code(3));
    let pty = shell("echo ready; read line").start();
    pty.wait_for("ready");
    pty.signal("TERM");
    let ended = pty.ended();
    assert!(
        matches!(&ended, Ended::Signal(name) if name == "Terminated"),
        "{ended:?}"
    );
    let mut pty = shell("echo ready; read line").start();
    pty.wait_for("ready");
    pty.send(key::CTRL_C);
    let ended = pty.ended();
    assert!(
        matches!(&ended, Ended::Signal(name) if name == "Interrupt"),
        "{ended:?}"
    );
}

#[test]
fn a_lost_terminal_is_a_hangup_without_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let (typed, told) = (folder.path().join("typed"), folder.path().join("told"));
    let script = format!(
        "trap 'echo hangup >{}; exit 5' HUP; stty raw -echo; echo ready; cat >{}",
        told.display(),
        typed.display(),
    );
    let mut pty = shell(&script).start();
    pty.wait_for("ready");
    // A shell that is told before it has started its reader leaves without one, and without a file.
    wait_until("a reader", Duration::from_secs(20), || {
        typed.exists().then_some(())
    });
    pty.hang_up();
    assert_eq!(pty.ended(), Ended::Code(5));
    assert_eq!(
        std::fs::read_to_string(told).expect("it was told"),
        "hangup\n"
    );
    assert_eq!(std::fs::read(typed).expect("it read"), b"");
}

#[test]
fn a_terminal_that_is_not_put_back_is_noticed() {
    let on = r"printf '\033[?1049h\033[?25l\033[?2004h\033[?1000;1006h\033[?1004h\033[>1u\033='";
    let off =
        r"printf '\033>\033[<u\033[?1004l\033[?1006l\033[?1000l\033[?2004l\033[?25h\033[?1049l'";
    let kept = shell(&format!("{on}; stty raw -echo")).start();
    assert_eq!(kept.ended(), Ended::Code(0));
    assert_eq!(
        kept.not_put_back(),
        [
            "cursor (?25) off",
            "mouse (?1000) on",
            "focus reports (?1004) on",
            "mouse encoding (?1006) on",
            "alternate screen (?1049) on",
            "bracketed paste (?2004) on",
            "kitty keyboard flags",
            "application keypad",
            "the alternate screen",
            "a hidden cursor",
            "line settings, such as raw mode",
        ]
    );
    let raw = shell("stty raw -echo").start();
    assert_eq!(raw.ended(), Ended::Code(0));
    assert_eq!(raw.not_put_back(), ["line settings, such as raw mode"]);
    let script = format!("old=$(stty -g); {on}; stty raw -echo; {off}; stty $old");
    let restored = shell(&script).start();
    assert_eq!(restored.ended(), Ended::Code(0));
    assert_eq!(restored.not_put_back(), [""; 0]);
}

#[test]
fn a_question_to_the_terminal_is_heard() {
    let cases: [(&[u8], &str); 9] = [
        (b"\x1b[6n", "DSR 6"),
        (b"\x1b[c", "DA"),
        (b"\x1b[>c", "DA"),
        (b"\x1b]11;?\x07", "OSC 11"),
        (b"\x1b]4;1;?\x1b\\", "OSC 4"),
        (b"\x1b[?2026$p", "DECRQM 2026"),
        (b"\x1b[?u", "kitty keyboard"),
        (b"\x1bP+q544e\x1b\\", "DCS"),
        (b"\x1b[18t", "window report 18"),
    ];
    for (bytes, name) in cases {
        assert_eq!(Traffic::of(bytes).queries, [name], "{bytes:?}");
    }
    let silent: [&[u8]; 5] = [
        b"\x1b[31mtext\x1b[0m\x1b[2J",
        b"\x1b]52;c;Zm9v\x07",
        b"\x1b]0;a title?\x07",
        b"\x1b[22;0t",
        b"\x1b[1;24r\x1b[?1049h",
    ];
    for bytes in silent {
        assert_eq!(Traffic::of(bytes).queries, [""; 0], "{bytes:?}");
    }
    let pty = shell(r"printf '\033[6n'").start();
    assert_eq!(pty.ended(), Ended::Code(0));
    assert_eq!(pty.asked(), ["DSR 6"]);
}

#[test]
fn a_condition_that_never_holds_fails_with_its_name_and_the_screen() {
    let pty = shell("echo what stands here; read line")
        .limit(Duration::from_millis(300))
        .start();
    let waits = std::panic::AssertUnwindSafe(|| pty.wait_for("what does not"));
    let said = std::panic::catch_unwind(waits).expect_err("it cannot hold");
    let said = said.downcast_ref::<String>().expect("a message");
    for part in [
        "waited 300ms",
        "`what does not` on the screen",
        "|what stands here\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn children_and_held_locks_are_seen_while_they_are_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.lock");
    let held = std::fs::File::create(&file).expect("a file");
    assert_eq!(locks_under(folder.path()), [""; 0]);
    held.lock().expect("it is free");
    let locks = locks_under(folder.path());
    assert_eq!(locks.len(), 1, "{locks:?}");
    assert!(locks[0].contains("a.lock"), "{locks:?}");
    drop(held);
    // Another test's child may hold a copy of the handle until it becomes its program.
    wait_until("the lock is free", Duration::from_secs(5), || {
        locks_under(folder.path()).is_empty().then_some(())
    });

    let mut pty = shell("sleep 60 & echo ready; read line; kill $!; wait").start();
    pty.wait_for("ready");
    assert_eq!(children_of(pty.id()).len(), 1);
    pty.send(key::ENTER);
    assert_eq!(pty.ended(), Ended::Code(0));
    assert_eq!(children_of(pty.id()).len(), 0);
}
