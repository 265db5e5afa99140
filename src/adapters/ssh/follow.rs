//! Two streams to lines: cut, made harmless and redacted many at a time, never faster
//! than they are taken.

use super::capture::whole_words;
use cockpit_domain::text::Redactor;
use cockpit_engine::ports::StreamText;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const CHUNK: usize = 64 * 1024;

/// Sends the lines of both streams until both end. Whether they did, rather than being stopped.
pub(super) async fn pump(
    out: impl AsyncRead + Unpin,
    err: impl AsyncRead + Unpin,
    redactor: &Redactor,
    lines: &mpsc::Sender<StreamText>,
    stop: &CancellationToken,
) -> bool {
    let both = async {
        let (first, second) = tokio::join!(
            lines_of(out, false, redactor, lines),
            lines_of(err, true, redactor, lines)
        );
        first && second
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = lines.closed() => false,
        ended = both => ended,
    }
}

async fn lines_of(
    mut from: impl AsyncRead + Unpin,
    is_stderr: bool,
    redactor: &Redactor,
    lines: &mpsc::Sender<StreamText>,
) -> bool {
    let mut chunk = vec![0; CHUNK];
    let mut rest: Vec<u8> = Vec::new();
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        rest.extend_from_slice(&chunk[..count]);
        let whole = match rest.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            // A line without end is cut where it is long.
            None if rest.len() >= CHUNK => match whole_words(&rest) {
                0 => rest.len(),
                whole => whole,
            },
            None => continue,
        };
        let sent = send(&rest[..whole], is_stderr, redactor, lines).await;
        rest.drain(..whole);
        if !sent {
            return false;
        }
    }
    rest.is_empty() || send(&rest, is_stderr, redactor, lines).await
}

async fn send(
    bytes: &[u8],
    is_stderr: bool,
    redactor: &Redactor,
    lines: &mpsc::Sender<StreamText>,
) -> bool {
    let mut text = redactor.admit_lines(&String::from_utf8_lossy(bytes));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    lines.send(StreamText { is_stderr, text }).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pumped(out: &[u8], err: &[u8]) -> Vec<(bool, String)> {
        let (sender, mut receiver) = mpsc::channel(1000);
        let (redactor, stop) = (Redactor::new(), CancellationToken::new());
        assert!(pump(out, err, &redactor, &sender, &stop).await);
        drop(sender);
        let mut lines = Vec::new();
        while let Some(part) = receiver.recv().await {
            lines.extend(part.lines().map(|line| (part.is_stderr, line.to_owned())));
        }
        lines
    }

    #[tokio::test]
    async fn lines_are_whole_harmless_and_redacted_and_the_last_needs_no_end() {
        let lines = pumped(
            b"one\n\n\x1b[2Jtwo\r\nkey sk-abcdefghijklmnop1234",
            b"oops\n",
        )
        .await;
        let text = |stderr: bool| -> Vec<&str> {
            lines
                .iter()
                .filter(|(is_stderr, _)| *is_stderr == stderr)
                .map(|(_, line)| line.as_str())
                .collect()
        };
        assert_eq!(text(false), ["one", "", "?[2Jtwo", "key sk-..1234"]);
        assert_eq!(text(true), ["oops"]);
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_instead_of_filling_memory() {
        let lines = pumped(&vec![b'x'; CHUNK * 2 + 10], b"").await;
        assert!(lines.len() >= 2);
        assert!(lines.iter().all(|(_, line)| line.len() <= CHUNK * 2));
    }
}
