//! A body with a limit, redacted so that a secret at the cut does not slip through in halves.

use cockpit_domain::secret::Secret;
use cockpit_domain::text::Redactor;

/// Read beyond the limit, so that a secret that begins before the cut is seen whole.
const BEYOND: usize = 4096;
/// A shorter head of a secret says nothing.
const TELLING: usize = 6;

pub(super) struct Body {
    bytes: Vec<u8>,
    limit: usize,
    /// Whether it had not ended when we stopped.
    pub(super) is_cut: bool,
}

impl Body {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            is_cut: false,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= self.limit.saturating_add(BEYOND)
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_add(BEYOND) - self.bytes.len();
        self.is_cut |= bytes.len() > room;
        self.bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The text to show, and whether it is not the whole body.
    pub(super) fn finish(self, redactor: &Redactor, key: Option<&Secret>) -> (String, bool) {
        let truncated = self.is_cut || self.bytes.len() > self.limit;
        let text = String::from_utf8_lossy(&self.bytes);
        let text = match key {
            Some(key) if truncated => without_head_of(&text, key.expose()),
            _ => &text,
        };
        let mut text = redactor.admit(text);
        if text.len() > self.limit {
            let mut end = self.limit;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        (text, truncated)
    }
}

/// Drops a beginning of the secret from the end of the text, where the cut went through it.
fn without_head_of<'a>(text: &'a str, secret: &str) -> &'a str {
    (TELLING..secret.len())
        .rev()
        .filter_map(|length| secret.get(..length))
        .find_map(|head| text.strip_suffix(head))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_the_limit_cuts_through_is_not_shown_in_part() {
        let key = Secret::new("plainsecret-without-shape-0123456789");
        let redactor = Redactor::new();
        redactor.learn(&key);
        let mut body = Body::new(20);
        body.take(format!("0123456789{}{}", key.expose(), "x".repeat(100)).as_bytes());
        let (text, truncated) = body.finish(&redactor, Some(&key));
        assert!(truncated);
        assert!(!text.contains("plain"), "{text}");
        assert!(text.len() <= 20);
    }

    #[test]
    fn a_body_that_stops_inside_the_key_loses_that_end() {
        let key = Secret::new("plainsecret-without-shape-0123456789");
        let mut body = Body::new(1000);
        body.take(b"echo plainsecret-without");
        body.is_cut = true;
        let (text, _) = body.finish(&Redactor::new(), Some(&key));
        assert_eq!(text, "echo ");
    }

    #[test]
    fn a_body_of_exactly_the_limit_is_whole() {
        let mut body = Body::new(4);
        body.take("aé1".as_bytes());
        assert_eq!(
            body.finish(&Redactor::new(), None),
            ("aé1".to_owned(), false)
        );
    }
}
