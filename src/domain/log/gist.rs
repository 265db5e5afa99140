//! What a line says beside its time and its level, for a reader who sees those in columns of their
//! own and has half a terminal's width for the rest. The whole line is kept elsewhere.

use super::level::Level;
use super::stamp;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;

/// What a request came to, in the words of the host's own access log.
const REQUEST: &str = "http request completed";
/// Fields of a JSON line that stand in columns already.
const SHOWN: [&str; 6] = ["time", "ts", "level", "lvl", "msg", "message"];

/// The line without what its time and level already say; requests as `STATUS METHOD PATH ..`.
pub fn gist(line: &str) -> Cow<'_, str> {
    if line.starts_with('{') {
        return fields(line).map_or(Cow::Borrowed(line), |map| {
            let message = map.get("msg").or_else(|| map.get("message"));
            of_fields(message.map(plain), map).into()
        });
    }
    if let Some((_, end)) = stamp::dated(line.as_bytes()) {
        return line.get(end..).map_or(Cow::Borrowed(line), behind_time);
    }
    if line.starts_with("time=") {
        return line.find("msg=").map_or(line, |at| &line[at..]).into();
    }
    access(line).map_or(Cow::Borrowed(line), Cow::Owned)
}

/// Behind the time: the level, and what a host says of a request.
fn behind_time(rest: &str) -> Cow<'_, str> {
    let rest = rest.trim_start();
    let (word, after) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    let name = word.trim_start_matches('[').trim_end_matches([']', ':']);
    let text = if Level::of_word(name.as_bytes()) == Level::Unknown {
        rest
    } else {
        after.trim_start()
    };
    console(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// `FILE.go:LINE MESSAGE {..}`, without the place in somebody's source.
fn console(text: &str) -> Option<String> {
    let (caller, message) = text.split_once([' ', '\t'])?;
    let (file, _) = caller.rsplit_once(':')?;
    let message = message.trim_start();
    if Path::new(file).extension() != Some(OsStr::new("go")) {
        return None;
    }
    let Some((said, map)) = message
        .find('{')
        .and_then(|at| Some((message[..at].trim_end(), fields(&message[at..])?)))
    else {
        return Some(message.to_owned());
    };
    Some(of_fields(Some(said.to_owned()), map))
}

fn fields(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// `STATUS METHOD PATH  LATENCY  CLIENT`, of a map that tells of a request.
fn told(map: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| map.get(key).map(plain);
    let mut said = vec![format!(
        "{} {} {}",
        text("status_code")?,
        text("method")?,
        text("path")?
    )];
    said.extend(text("latency_ms").map(|ms| format!("{ms} ms")));
    said.extend(text("model"));
    said.extend(text("account_id").map(|id| format!("account {id}")));
    said.extend(text("client_ip"));
    Some(said.join("  "))
}

/// Message first, then what went wrong, then the other fields as `key=value`.
fn of_fields(message: Option<String>, mut map: Map<String, Value>) -> String {
    if message.as_deref() == Some(REQUEST)
        && let Some(told) = told(&map)
    {
        return told;
    }
    let error = map.remove("error").map(|error| ("error".to_owned(), error));
    let rest = error.into_iter().chain(map);
    let rest = rest.filter(|(key, _)| !SHOWN.contains(&key.as_str()));
    let rest = rest.map(|(key, value)| format!("{key}={}", plain(&value)));
    message
        .into_iter()
        .chain(rest)
        .collect::<Vec<_>>()
        .join(" ")
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// `ADDRESS - USER [TIME] "METHOD PATH PROTOCOL" STATUS BYTES ..`
fn access(line: &str) -> Option<String> {
    let (client, rest) = line.split_once(" - ")?;
    let (_, rest) = rest.split_once('[')?;
    let (time, rest) = rest.split_once("] \"")?;
    let _is_time = stamp::access(time.as_bytes())?;
    let (request, rest) = rest.split_once("\" ")?;
    let (status, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let request = request
        .rsplit_once(" HTTP/")
        .map_or(request, |(request, _)| request);
    Some(format!("{status} {request}  {client}  {rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_says_what_its_columns_do_not() {
        for (line, said) in [
            (
                r#"127.0.0.1 - - [21/Nov/2026:12:00:00 +0000] "GET /v1/models HTTP/1.1" 502 55 "-" "curl/8""#,
                r#"502 GET /v1/models  127.0.0.1  55 "-" "curl/8""#,
            ),
            (
                "2026/11/21 20:00:00 [error] 811#811: *1 connect() failed",
                "811#811: *1 connect() failed",
            ),
            (
                "2026-11-21T20:00:00.000+0800\tWARN\thandler/logging.go:27\taccount_select_failed\t{\"error\":\"x\"}",
                "account_select_failed error=x",
            ),
            (
                "2026-11-21T20:00:00.000+0800 WARN service/ops.go:9 it {is} odd",
                "it {is} odd",
            ),
            (
                "2026-11-21T20:00:00.000+0800 INFO middleware/logger.go:62 http request completed {\"status_code\":503,\"path\":\"/v1\",\"method\":\"GET\",\"latency_ms\":7,\"client_ip\":\"10.0.0.9\"}",
                "503 GET /v1  7 ms  10.0.0.9",
            ),
            (
                r#"{"level":"error","time":"2026-11-21T20:00:00.000+0800","msg":"boom","id":7}"#,
                "boom id=7",
            ),
            (
                "time=2026-11-21T12:00:00.000Z level=DEBUG msg=\"looked\" n=1",
                "msg=\"looked\" n=1",
            ),
            (
                "2026-11-21T12:00:00+0000 edge systemd[1]: Started Daily apt.",
                "edge systemd[1]: Started Daily apt.",
            ),
        ] {
            assert_eq!(gist(line), said);
        }
    }

    #[test]
    fn whatever_is_not_known_stays_as_it_is() {
        for line in [
            "",
            "plain",
            "{",
            "{\"a\":",
            "宿主 - x [no time] \"GET / HTTP/1.1\" 200",
            "1:M * Ready to accept connections tcp",
        ] {
            assert_eq!(gist(line), line);
        }
    }

    #[test]
    fn no_cut_of_a_line_is_a_panic_and_none_grows() {
        for (_, text) in crate::log::samples() {
            for line in text.lines().take(8) {
                for end in (0..=line.len()).filter(|end| line.is_char_boundary(*end)) {
                    assert!(gist(&line[..end]).len() <= end);
                }
            }
        }
    }
}
