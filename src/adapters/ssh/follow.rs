//! Two streams to lines: cut, made harmless and redacted batch by batch, never faster than they
//! are taken.

use super::capture::whole_words;
use cockpit_domain::text::Redactor;
use cockpit_engine::ports::StreamLine;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const CHUNK: usize = 64 * 1024;

/// Sends the lines of both streams until both end. Whether they did, rather than being stopped.
pub(super) async fn pump(
    out: impl AsyncRead + Unpin,
    err: impl AsyncRead + Unpin,
    redactor: &Redactor,
    lines: &mpsc::Sender<StreamLine>,
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
    lines: &mpsc::Sender<StreamLine>,
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
        let text = redactor.admit(&String::from_utf8_lossy(&rest[..whole]));
        rest.drain(..whole);
        if !send(text.strip_suffix('\n').unwrap_or(&text), is_stderr, lines).await {
            return false;
        }
    }
    rest.is_empty()
        || send(
            &redactor.admit(&String::from_utf8_lossy(&rest)),
            is_stderr,
            lines,
        )
        .await
}

async fn send(text: &str, is_stderr: bool, lines: &mpsc::Sender<StreamLine>) -> bool {
    for line in text.split('\n') {
        let line = StreamLine {
            is_stderr,
            text: line.to_owned(),
        };
        if lines.send(line).await.is_err() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pumped(out: &[u8], err: &[u8]) -> Vec<StreamLine> {
        let (sender, mut receiver) = mpsc::channel(1000);
        let (redactor, stop) = (Redactor::new(), CancellationToken::new());
        assert!(pump(out, err, &redactor, &sender, &stop).await);
        drop(sender);
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
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
                .filter(|line| line.is_stderr == stderr)
                .map(|line| line.text.as_str())
                .collect()
        };
        assert_eq!(text(false), ["one", "", "?[2Jtwo", "key sk-..1234"]);
        assert_eq!(text(true), ["oops"]);
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_instead_of_filling_memory() {
        let lines = pumped(&vec![b'x'; CHUNK * 2 + 10], b"").await;
        assert!(lines.len() >= 2);
        assert!(lines.iter().all(|line| line.text.len() <= CHUNK * 2));
    }
}
