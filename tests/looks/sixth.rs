//! A system that nobody here has heard of, as a pack in a folder: it runs end to end without a line of
//! Rust of its own.

use super::here::{Here, assert_rows};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_sixth_system_is_judged_by_its_pack_alone() {
    let Some(mut here) = Here::new(&["ps", "ss", "stat", "echo"]) else {
        return;
    };
    let asked = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 1024];
            let read = stream.read(&mut head).unwrap_or(0);
            let metrics = head[..read].starts_with(b"GET /metrics");
            let asked = count.fetch_add(1, Ordering::SeqCst);
            let body = if metrics {
                format!(
                    "# HELP post_sorted_total Letters sorted\n# TYPE post_sorted_total counter\n\
                     post_sorted_total{{bin=\"north\"}} {asked}\npost_sorted_total{{bin=\"south\"}} 3\n\
                     # TYPE post_queue gauge\npost_queue 4\n"
                )
            } else {
                "{\"ok\": true, \"sorters\": [{\"name\": \"north\", \"up\": true}]}".to_owned()
            };
            let kind = if metrics {
                "text/plain; version=0.0.4"
            } else {
                "application/json"
            };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    let settings = here.path("post-office.json");
    std::fs::write(&settings, "{\"port\": 7, \"bins\": [\"north\", \"south\"]}").unwrap();
    let base = format!("http://127.0.0.1:{port}");
    here.check(
        "alive",
        &format!("http = {{ url = \"{base}/health\", status = 200, fields = [{{ path = \"sorters.*.up\", equals = \"true\" }}] }}"),
    );
    here.check(
        "sorter",
        &format!("parents = [\"alive\"]\nprocess = {{ port = {port}, count = 1 }}"),
    );
    here.check(
        "settings",
        &format!("file = {{ path = \"{settings}\", fields = [{{ path = \"bins.1\", equals = \"south\" }}] }}"),
    );
    here.check(
        "tool",
        "command = { argv = [\"echo\", \"3 bins sorted\"], lines = ['\\d+ bins sorted'] }",
    );
    here.check(
        "queue",
        &format!("metrics = {{ url = \"{base}/metrics\", metric = \"post_queue\", measure = \"value\", max = 10 }}"),
    );
    here.check(
        "growth",
        &format!("metrics = {{ url = \"{base}/metrics\", metric = \"post_sorted_total\", measure = \"increase\", window_s = 600, min = 1 }}"),
    );
    here.trusted();
    let expected = [
        ("alive", "ok", "200"),
        ("sorter", "ok", "runs for"),
        ("settings", "ok", "bytes"),
        ("tool", "ok", "3 bins sorted"),
        ("queue", "ok", "post_queue is 4"),
        ("growth", "unknown", "are sampled"),
    ];
    assert_rows(&here.judged(), &expected);
    let asked_before = asked.load(Ordering::SeqCst);
    std::fs::write(&settings, "{\"port\": 7, \"bins\": [\"north\", \"west\"]}").unwrap();
    let rows = here.again(&[]);
    assert_eq!(rows["settings"].0, "fail", "{rows:?}");
    assert!(rows["settings"].1.contains("bins.1 is `west`"), "{rows:?}");
    assert!(
        asked.load(Ordering::SeqCst) > asked_before,
        "nothing was asked"
    );
}
