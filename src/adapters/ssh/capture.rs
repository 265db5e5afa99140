//! What a command printed, up to a limit, as text that may be shown.

use cockpit_domain::secret::Secret;
use cockpit_domain::text::Redactor;
use cockpit_engine::ports::RunOutput;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

/// One stream, kept up to the limit and read to its end.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    is_cut: bool,
}

/// The two streams of a command.
pub(super) struct Capture {
    limit: usize,
    out: Kept,
    err: Kept,
    truncated: bool,
}

impl Capture {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            out: Kept::default(),
            err: Kept::default(),
            truncated: false,
        }
    }

    /// Reads both to their ends. Dropping this keeps what was read.
    pub(super) async fn fill(
        &mut self,
        out: Option<impl AsyncRead + Unpin>,
        err: Option<impl AsyncRead + Unpin>,
    ) {
        tokio::join!(
            self.out.read(out, self.limit),
            self.err.read(err, self.limit)
        );
    }

    pub(super) fn mark_truncated(&mut self) {
        self.truncated = true;
    }

    pub(super) fn into_output(
        self,
        status: Option<i32>,
        took: Duration,
        redactor: &Redactor,
        sealed: bool,
    ) -> RunOutput {
        let truncated = self.truncated || self.out.is_cut || self.err.is_cut;
        let (stdout, sealed) = if sealed {
            let raw = String::from_utf8_lossy(&self.out.bytes);
            (String::new(), Some(Secret::new(raw)))
        } else {
            (self.out.into_text(self.truncated, redactor), None)
        };
        RunOutput {
            status,
            truncated,
            stdout,
            stderr: self.err.into_text(self.truncated, redactor),
            took,
            sealed,
        }
    }
}

impl Kept {
    async fn read(&mut self, from: Option<impl AsyncRead + Unpin>, limit: usize) {
        let Some(mut from) = from else {
            return;
        };
        let mut chunk = vec![0; 32 * 1024];
        while let Ok(count @ 1..) = from.read(&mut chunk).await {
            let kept = count.min(limit - self.bytes.len());
            self.bytes.extend_from_slice(&chunk[..kept]);
            self.is_cut |= kept < count;
        }
    }

    fn into_text(self, is_short: bool, redactor: &Redactor) -> String {
        let whole = if self.is_cut || is_short {
            whole_words(&self.bytes)
        } else {
            self.bytes.len()
        };
        redactor.admit(&String::from_utf8_lossy(&self.bytes[..whole]))
    }
}

/// Where a cut text may end: behind a line, else in front of its last word. Half a secret is
/// not known as one.
pub(super) fn whole_words(bytes: &[u8]) -> usize {
    let last = |is_end: fn(&u8) -> bool| bytes.iter().rposition(is_end).map(|at| at + 1);
    last(|byte| *byte == b'\n')
        .or_else(|| last(|byte| byte.is_ascii_whitespace() || b"\"',;".contains(byte)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn captured(text: &[u8], limit: usize) -> RunOutput {
        let mut capture = Capture::new(limit);
        capture.fill(Some(text), None::<&[u8]>).await;
        capture.into_output(Some(0), Duration::ZERO, &Redactor::new(), false)
    }

    #[tokio::test]
    async fn what_fits_is_kept_whole_and_a_cut_ends_where_no_half_secret_can_stand() {
        for (text, limit, kept) in [
            ("one\ntwo", 7, "one\ntwo"),
            ("one\ntwo", 6, "one\n"),
            (r#"{"key":"sk-abcdefgh","#, 14, r#"{"key":""#),
            ("sk-abcdefgh", 5, ""),
        ] {
            let output = captured(text.as_bytes(), limit).await;
            assert_eq!(output.stdout, kept, "{text}");
            assert_eq!(output.truncated, limit < text.len());
        }
    }
}
