//! Lines as hosts write them, many of each kind.

use std::fmt::Write as _;

/// Some thousand lines of each kind.
pub(crate) fn samples() -> Vec<(&'static str, String)> {
    let mut access = String::new();
    let mut error = String::new();
    let mut console = String::new();
    let mut json = String::new();
    for number in 0..2000 {
        let (second, status) = (number % 60, if number % 50 == 0 { 502 } else { 200 });
        writeln!(access, "203.0.113.{} - - [21/Nov/2026:12:00:{second:02} +0000] \"POST /v1/chat/completions HTTP/1.1\" {status} {} \"-\" \"OpenAI/Python 1.51.0\"", number % 250, 900 + number).unwrap();
        writeln!(error, "2026/11/21 12:00:{second:02} [error] 811#811: *{number} connect() failed (111: Connection refused) while connecting to upstream, client: 127.0.0.1, server: sub.example.org, request: \"GET / HTTP/1.1\", upstream: \"http://127.0.0.1:18169/\", host: \"sub.example.org\"").unwrap();
        writeln!(console, "2026-11-21T20:00:{second:02}.123+0800\tINFO\tmiddleware/logger.go:62\thttp request completed\t{{\"component\":\"http.access\",\"status_code\":{status},\"latency_ms\":{number},\"client_ip\":\"203.0.113.9\",\"protocol\":\"HTTP/1.1\",\"method\":\"POST\",\"path\":\"/v1/chat/completions\",\"account_id\":7,\"request_id\":\"0192f0c4-7c1e-7d1c-8a3b-{number:012}\"}}").unwrap();
        writeln!(json, "{{\"level\":\"info\",\"time\":\"2026-11-21T20:00:{second:02}.123+0800\",\"caller\":\"handler/logging.go:27\",\"msg\":\"openai.request_completed\",\"api_key_id\":11,\"group_id\":3,\"model\":\"gpt-5.4\",\"prompt_tokens\":{number},\"request_id\":\"0192f0c4-7c1e-7d1c-8a3b-{number:012}\"}}").unwrap();
    }
    vec![
        ("access", access),
        ("error", error),
        ("console", console),
        ("json", json),
    ]
}
