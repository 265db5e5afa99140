//! Broken input: a message with its place, or a bounded result within a stated time. Never a hang.

use super::here::{Here, assert_rows};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// How long any of these may take as a whole, the program's start included.
const STATED: Duration = Duration::from_secs(30);

/// Serves each connection by itself until the test ends.
fn serve(answer: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut stream = stream;
                let mut head = [0; 1024];
                if stream.read(&mut head).is_ok() {
                    answer(stream);
                }
            });
        }
    });
    port
}

/// A body of one byte a moment, for as long as anybody reads.
fn endless(mut stream: TcpStream) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
    let mut open = stream.write_all(head.as_bytes()).is_ok();
    while open {
        open = stream.write_all(b".").is_ok();
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A hundred megabytes, as fast as they are taken.
fn flood(mut stream: TcpStream) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
    let mut open = stream.write_all(head.as_bytes()).is_ok();
    let block = vec![b'x'; 64 << 10];
    for _ in 0..(100 << 20) / block.len() {
        open = open && stream.write_all(&block).is_ok();
    }
}

/// Bytes that are no text, with a key among them.
fn binary(mut stream: TcpStream) {
    let mut body: Vec<u8> = (0..=255).collect();
    body.extend_from_slice(b"\x1b[2Jsk-1234567890abcdef1234567890abcdef\xe2\x80\xae");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    if stream.write_all(head.as_bytes()).is_ok() {
        stream.write_all(&body).ok();
    }
}

#[test]
fn answers_without_end_or_sense_come_to_bounded_rows() {
    let Some(mut here) = Here::new(&["head", "cat", "sh"]) else {
        return;
    };
    let (endless, flood, binary) = (serve(endless), serve(flood), serve(binary));
    let http = |port: u16, more: &str| {
        format!(
            "time_limit_s = 3\nhttp = {{ url = \"http://127.0.0.1:{port}/\", status = 200{more} }}"
        )
    };
    here.check("endless", &http(endless, ", body_contains = \"ready\""));
    here.check("flood", &http(flood, ", body_contains = \"ready\""));
    here.check("flood-status", &http(flood, ""));
    here.check("binary", &http(binary, ", body_contains = \"ready\""));
    let command = |words: &str| format!("time_limit_s = 5\ncommand = {{ argv = [{words}] }}");
    here.check(
        "output",
        &command("\"head\", \"-c\", \"104857600\", \"/dev/zero\""),
    );
    here.check(
        "bytes",
        &command("\"head\", \"-c\", \"4096\", \"/dev/urandom\""),
    );
    here.check("hangs", &command("\"sleep\", \"600\""));
    here.check(
        "asks",
        &command("\"sh\", \"-c\", \"read answer && echo $answer\""),
    );
    here.check(
        "small",
        "byte_limit = 1024\ncommand = { argv = [\"head\", \"-c\", \"4096\", \"/dev/zero\"] }",
    );
    here.trusted();
    let begun = Instant::now();
    let rows = here.judged();
    assert!(begun.elapsed() < STATED, "{:?}", begun.elapsed());
    assert_rows(
        &rows,
        &[
            ("endless", "unknown", "the body did not end within 3 s"),
            ("flood", "unknown", "the body is longer than 1048576 bytes"),
            ("flood-status", "ok", "200"),
            ("binary", "fail", "does not hold `ready`"),
            ("output", "unknown", "wrote more than can be judged"),
            ("bytes", "ok", "ended with 0"),
            ("hangs", "unreachable", "5 s"),
            ("asks", "fail", "ended with 1"),
            ("small", "unknown", "wrote more than can be judged"),
        ],
    );
    let shown = here.run(&["baseline", "show", "--pack", "here"]).stdout;
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('\u{202e}'),
        "{shown:?}"
    );
    assert!(
        !shown.contains("1234567890abcdef1234567890abcdef"),
        "{shown}"
    );
}

#[test]
fn a_sudo_that_wants_a_password_is_a_look_that_could_not_be_taken() {
    let Some(mut here) = Here::new(&["sh", "env"]) else {
        return;
    };
    let bin = here.dir.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let sudo = bin.join("sudo");
    // With `-n` it never asks; without, this one would wait for ever.
    let script = "#!/bin/sh\nif [ \"$1\" = -n ]; then\n  echo 'sudo: a password is required' >&2\n  exit 1\nfi\n\
                  read -r password </dev/tty\n";
    std::fs::write(&sudo, script).unwrap();
    std::fs::set_permissions(&sudo, std::fs::Permissions::from_mode(0o755)).unwrap();
    here.settings = format!(
        "[machine.local]\nsudo = \"-n\"\npath = [\"{}\"]\n",
        bin.display()
    );
    here.check("ports", "listening = { expect = [{ port = 1 }] }");
    here.check("disk", "disk = { path = \"/\", min_free_percent = 1 }");
    let begun = Instant::now();
    let rows = here.judged();
    assert!(begun.elapsed() < STATED, "{:?}", begun.elapsed());
    for (id, (verdict, found)) in rows {
        assert_eq!(verdict, "unknown", "{id}: {found}");
        assert!(found.contains("wants a password"), "{id}: {found}");
    }
}

/// The pack as a file in a folder of its name.
fn written(here: &Here) -> std::path::PathBuf {
    let folder = here.dir.path().join("packs/here");
    std::fs::create_dir_all(&folder).unwrap();
    let pack = folder.join("pack.toml");
    std::fs::write(&pack, &here.checks).unwrap();
    pack
}

#[test]
fn a_broken_pack_is_refused_with_file_line_and_the_way_out_of_every_fault() {
    let Some(mut here) = Here::new(&[]) else {
        return;
    };
    here.check(
        "a",
        "parents = [\"b\"]\nfile = { path = \"/x\", lines = ['(a{1000}){1000}'] }",
    );
    here.check("b", "parents = [\"a\"]\nfile = { path = 7 }");
    here.check("c", "colour = \"red\"\nfile = { path = \"/x\", sise = 1 }");
    here.check("d", "every_s = \"often\"\nfile = { path = \"/x\" }");
    let pack = written(&here);
    let begun = Instant::now();
    let ran = crate::support::bare(&["pack", "check", pack.to_str().unwrap()]);
    assert!(begun.elapsed() < STATED, "{:?}", begun.elapsed());
    assert_ne!(ran.code, 0, "{ran:?}");
    let said = format!("{}{}", ran.stdout, ran.stderr);
    for words in [
        "pack.toml:13:8: `lines` holds an expression that cannot be used",
        "pack.toml:23:17: a whole number where a text belongs",
        "pack.toml:32:1: unknown key `colour`",
        "pack.toml:33:23: unknown key `sise`",
        "pack.toml:42:11: a text where a whole number belongs",
    ] {
        assert!(said.contains(words), "{words} is not said:\n{said}");
    }
}

#[test]
fn parents_that_make_a_circle_are_refused() {
    let Some(mut here) = Here::new(&[]) else {
        return;
    };
    for (id, parent) in [("a", "b"), ("b", "c"), ("c", "a")] {
        here.check(
            id,
            &format!("parents = [\"{parent}\"]\nfile = {{ path = \"/x\" }}"),
        );
    }
    let pack = written(&here);
    let ran = crate::support::bare(&["pack", "check", pack.to_str().unwrap()]);
    assert_ne!(ran.code, 0, "{ran:?}");
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("parents may not make a circle"), "{said}");
}
