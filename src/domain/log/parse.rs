//! What one line says: its time, its level, the status it tells of. Reads access and error lines
//! of nginx, zap's console and JSON lines, slog's text, and leaves the rest as it is.

use super::level::Level;
use super::stamp::{self, Stamp};

/// How far into a JSON or `key=value` line its time and level are looked for.
const HEAD: usize = 256;
/// How far into an access line its time may begin: behind address and user.
const CLIENT: usize = 120;

/// What a line says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// UTC ms.
    pub at_ms: Option<i64>,
    /// How bad it is.
    pub level: Level,
    /// The HTTP status it tells of.
    pub status: Option<u16>,
}

/// Reads a line. `east_ms` is what the machine's clock is ahead of UTC, for times that do not name
/// their zone; without it those are not known.
pub fn parse_line(line: &str, east_ms: Option<i64>) -> Parsed {
    let bytes = line.as_bytes();
    let (stamp, level, status) = match bytes.first() {
        Some(b'{') => json(bytes),
        Some(b't' | b'l') => pairs(bytes),
        Some(first) if first.is_ascii_digit() && matches!(bytes.get(4), Some(b'-' | b'/')) => {
            dated(bytes)
        }
        Some(_) => access(bytes),
        None => NOTHING,
    };
    let at_ms = match stamp {
        Some(Stamp::Utc(at)) => Some(at),
        Some(Stamp::Wall(at)) => east_ms.map(|east| at - east),
        None => None,
    };
    Parsed {
        at_ms,
        level,
        status,
    }
}

type Read = (Option<Stamp>, Level, Option<u16>);
const NOTHING: Read = (None, Level::Unknown, None);

/// A status of three digits.
fn status(text: &[u8]) -> Option<u16> {
    let [a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] = *text else {
        return None;
    };
    if text.get(3).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
}

/// Where a word begins, in few and short looks.
fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    let first = *word.first()?;
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.iter().position(|byte| *byte == first)?;
        if text[at..].starts_with(word) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// `ADDRESS - USER [TIME] "METHOD PATH PROTOCOL" STATUS ..`
fn access(line: &[u8]) -> Read {
    let head = &line[..line.len().min(CLIENT)];
    let Some(at) = head.iter().position(|byte| *byte == b'[') else {
        return NOTHING;
    };
    let Some(stamp) = stamp::access(&line[at + 1..]) else {
        return NOTHING;
    };
    // A quote inside the request is escaped by nginx, so the next one ends it.
    let rest = line.get(at + 28..).unwrap_or_default();
    let Some(request) = rest.strip_prefix(b" \"") else {
        return (Some(stamp), Level::Unknown, None);
    };
    let end = request.iter().position(|byte| *byte == b'"');
    let found = end.and_then(|end| status(request.get(end + 2..)?));
    let level = found.map_or(Level::Unknown, Level::of_status);
    (Some(stamp), level, found)
}

/// Lines that begin with a time: nginx's `TIME [level] ..`, zap's `TIME\tLEVEL\tcaller\t..`, and
/// others that put the level behind the time.
fn dated(line: &[u8]) -> Read {
    let Some((stamp, end)) = stamp::dated(line) else {
        return access(line);
    };
    let rest = &line[end..];
    let (level, behind) = match rest {
        [b' ', b'[', rest @ ..] => word(rest, b']'),
        // The tab of a console line is a blank once it was made harmless.
        [b'\t' | b' ', rest @ ..] => word(rest, b' '),
        _ => (Level::Unknown, rest),
    };
    let found = access_message(behind);
    let level = found.map_or(level, |status| level.worse(Level::of_status(status)));
    (Some(stamp), level, found)
}

/// The word up to `end`, or up to a tab, as a level, and what follows.
fn word(text: &[u8], end: u8) -> (Level, &[u8]) {
    let head = &text[..text.len().min(12)];
    let at = head
        .iter()
        .position(|byte| *byte == end || *byte == b'\t' || *byte == b':');
    match at {
        Some(at) => (Level::of_word(&text[..at]), &text[at + 1..]),
        None => (Level::Unknown, text),
    }
}

/// The status of a line by which a host tells of a request: `CALLER http request completed {..}`.
fn access_message(behind: &[u8]) -> Option<u16> {
    const TOLD: &[u8] = b"http request completed";
    let head = &behind[..behind.len().min(80)];
    let caller = head.iter().position(|byte| matches!(byte, b'\t' | b' '))? + 1;
    let message = behind.get(caller..)?.strip_prefix(TOLD)?;
    json_status(message)
}

/// The status in the JSON fields of such a line.
fn json_status(fields: &[u8]) -> Option<u16> {
    const KEY: &[u8] = b"\"status_code\":";
    let value = &fields[find(fields, KEY)? + KEY.len()..];
    status(value.strip_prefix(b" ").unwrap_or(value))
}

/// One line of JSON with `level` or `lvl`, `time` or `ts`.
fn json(line: &[u8]) -> Read {
    let head = &line[..line.len().min(HEAD)];
    let value = |key: &[u8]| {
        let rest = &head[find(head, key)? + key.len()..];
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        Some(rest.strip_prefix(b"\"").unwrap_or(rest))
    };
    let level = value(b"\"level\":").map_or(Level::Unknown, |rest| word(rest, b'"').0);
    let time = value(b"\"time\":").or_else(|| value(b"\"ts\":"));
    let stamp = time.and_then(|rest| {
        stamp::dated(rest)
            .map(|(stamp, _)| stamp)
            .or_else(|| epoch(rest))
    });
    let found = if find(line, b"http request completed").is_some() {
        json_status(line)
    } else {
        None
    };
    let level = found.map_or(level, |status| level.worse(Level::of_status(status)));
    (stamp, level, found)
}

/// Seconds since 1970 with a fraction, as zap writes them when nobody says otherwise.
fn epoch(text: &[u8]) -> Option<Stamp> {
    let end = text.iter().position(|byte| matches!(byte, b',' | b'}'))?;
    let seconds: f64 = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    if !(0.0..4e9).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range, looked at above")]
    let ms = (seconds * 1000.0).round() as i64;
    Some(Stamp::Utc(ms))
}

/// slog's `time=.. level=.. msg=..`; other lines that begin so are left as they are.
fn pairs(line: &[u8]) -> Read {
    let head = &line[..line.len().min(HEAD)];
    let value = |key: &[u8]| find(head, key).map(|at| &head[at + key.len()..]);
    let Some(level) = value(b"level=") else {
        return access(line);
    };
    let quoted = level.strip_prefix(b"\"").unwrap_or(level);
    let end = quoted
        .iter()
        .position(|byte| !byte.is_ascii_alphabetic())
        .unwrap_or(quoted.len());
    let time =
        value(b"time=").and_then(|rest| stamp::dated(rest.strip_prefix(b"\"").unwrap_or(rest)));
    (
        time.map(|(stamp, _)| stamp),
        Level::of_word(&quoted[..end]),
        None,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Option<String>, Level, Option<u16>) {
        let parsed = parse_line(line, Some(8 * 3_600_000));
        let at = parsed
            .at_ms
            .map(|at| jiff::Timestamp::from_millisecond(at).unwrap().to_string());
        (at, parsed.level, parsed.status)
    }

    #[test]
    fn each_format_gives_its_time_level_and_status() {
        let noon = || Some("2026-11-21T12:00:00Z".to_owned());
        for (line, level, status) in [
            (
                r#"127.0.0.1 - - [21/Nov/2026:12:00:00 +0000] "GET /v1/models HTTP/1.1" 200 55 "-" "curl/8""#,
                Level::Info,
                Some(200),
            ),
            (
                r#"2001:db8::1 - ann [21/Nov/2026:20:00:00 +0800] "POST /v1/x?q=\x22a HTTP/1.1" 404 5 "-" "-""#,
                Level::Warn,
                Some(404),
            ),
            (
                r#"10.0.0.9 - - [21/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 502 150 "-" "-""#,
                Level::Error,
                Some(502),
            ),
            (
                r#"10.0.0.9 - - [21/Nov/2026:12:00:00 +0000] """#,
                Level::Unknown,
                None,
            ),
            (
                "2026/11/21 20:00:00 [error] 811#811: *1 connect() failed (111: Connection refused)",
                Level::Error,
                None,
            ),
            (
                "2026/11/21 20:00:00 [warn] 811#811: *1 an upstream response is buffered",
                Level::Warn,
                None,
            ),
            (
                "2026-11-21T20:00:00.000+0800\tWARN\thandler/logging.go:27\topenai.account_select_failed\t{\"error\":\"x\"}",
                Level::Warn,
                None,
            ),
            (
                "2026-11-21T20:00:00.000+0800 INFO middleware/logger.go:62 http request completed {\"status_code\":503,\"path\":\"/v1\"}",
                Level::Error,
                Some(503),
            ),
            (
                "2026-11-21T20:00:00.000+0800\tINFO\tmiddleware/logger.go:62\thttp request completed\t{\"status_code\": 200}",
                Level::Info,
                Some(200),
            ),
            (
                r#"{"level":"error","time":"2026-11-21T20:00:00.000+0800","msg":"boom"}"#,
                Level::Error,
                None,
            ),
            (
                r#"{"level":"info","ts":1795262400.0,"msg":"http request completed","status_code":429}"#,
                Level::Warn,
                Some(429),
            ),
            (
                "time=2026-11-21T12:00:00.000Z level=DEBUG msg=\"looked\"",
                Level::Debug,
                None,
            ),
            (
                "2026-11-21T12:00:00+0000 edge systemd[1]: Started Daily apt.",
                Level::Unknown,
                None,
            ),
        ] {
            assert_eq!(read(line), (noon(), level, status), "{line}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_unknown_where_the_clock_is() {
        let parsed = parse_line("2026/11/21 20:00:00 [error] x", None);
        assert_eq!((parsed.at_ms, parsed.level), (None, Level::Error));
    }

    #[test]
    fn everything_else_is_left_as_it_is() {
        for line in [
            "",
            "x",
            "1:M * Ready to accept connections tcp",
            "LOG:  database system is ready",
            "{",
            "{\"level\":",
            "time to go",
            "level=",
            "[21/Nov",
            "宿主 [21/Nov/2026:99:00:00 +0000]",
        ] {
            let parsed = parse_line(line, None);
            assert_eq!(
                parsed,
                Parsed {
                    at_ms: None,
                    level: Level::Unknown,
                    status: None
                },
                "{line}"
            );
        }
    }

    #[test]
    fn no_cut_of_a_line_is_a_panic() {
        for (_, text) in crate::log::samples() {
            for line in text.lines().take(8) {
                for end in (0..=line.len()).filter(|end| line.is_char_boundary(*end)) {
                    std::hint::black_box(parse_line(&line[..end], Some(0)));
                }
            }
        }
    }
}
