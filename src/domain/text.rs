//! What may be shown: remote text made harmless, secrets cut out of it. Redaction happens where
//! text enters the program (`product.md` 8), so both live here and every adapter calls them.

mod hints;
mod redactor;

pub use redactor::Redactor;

use std::borrow::Cow;

/// Whether a character can move the cursor, reorder or hide text in a terminal.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

/// Makes one line of remote text harmless: control, bidi and zero-width characters become `?`,
/// a tab a blank.
pub fn clean_line(text: &str) -> String {
    if is_plain(text) && !text.contains('\n') {
        return text.to_owned();
    }
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if is_hostile(c) => '?',
            c => c,
        })
        .collect()
}

/// Like [`clean_line`] for text of several lines: line feeds stay, `\r\n` becomes `\n`.
pub fn clean_text(text: &str) -> String {
    cleaned(text).into_owned()
}

/// What [`clean_text`] gives, without a copy where nothing has to be changed: most text is plain.
fn cleaned(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() && !text.contains('\r') {
        return Cow::Owned(cleaned_ascii(text));
    }
    let mut clean = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line.strip_suffix('\r').unwrap_or(line), "\n"),
            None => (line, ""),
        };
        if is_plain(line) {
            clean.push_str(line);
        } else {
            clean.push_str(&clean_line(line));
        }
        clean.push_str(end);
    }
    Cow::Owned(clean)
}

/// A text of ASCII with every control character but the line feed replaced: in console logs each
/// line has tabs. One plain loop over bytes, for the sake of vector instructions.
fn cleaned_ascii(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'\t' => b' ',
        b'\n' | 0x20..0x7F => byte,
        _ => b'?',
    });
    String::from_utf8(bytes.collect()).unwrap_or_else(|_| clean_line(text))
}

/// Whether a text is printable ASCII and line feeds, and so harmless as it is. Looks at whole
/// pieces, which the compiler turns into vector instructions.
fn is_plain(text: &str) -> bool {
    let is_odd = |byte: &u8| !(0x20..0x7F).contains(byte) && *byte != b'\n';
    text.as_bytes().chunks(64).all(|piece| {
        piece
            .iter()
            .map(|byte| u32::from(is_odd(byte)))
            .sum::<u32>()
            == 0
    })
}

/// A stretch of time at a glance: `8s`, `4m12s`, `3h05m`, `2d04h`.
pub fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    if days > 0 {
        format!("{days}d{:02}h", hours % 24)
    } else if hours > 0 {
        format!("{hours}h{:02}m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes}m{:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

/// Cuts to at most `most` characters, marking the cut with `..`.
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(2)).collect();
    format!("{kept}..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_at_a_glance() {
        let spans = [-5, 8_000, 252_000, 11_100_000, 187_200_000].map(span);
        assert_eq!(spans, ["0s", "8s", "4m12s", "3h05m", "2d04h"]);
    }

    #[test]
    fn remote_text_cannot_drive_the_terminal() {
        assert_eq!(clean_line("a\x1b[2Jb\u{202e}c\td\u{200b}"), "a?[2Jb?c d?");
        assert_eq!(clean_text("a\r\nb\x07"), "a\nb?");
        assert_eq!(clean_line("宿主 ok"), "宿主 ok");
    }

    #[test]
    fn plain_text_and_the_rest_are_cleaned_alike() {
        let long =
            "a line that is longer than one piece of sixty-four bytes, and plain\n".repeat(3);
        assert_eq!(clean_text(&long), long);
        assert_eq!(
            clean_text(&format!("{long}\ta\x07\r\n\r\n宿")),
            format!("{long} a?\n\n宿")
        );
        assert_eq!(clean_text("a\rb\r"), "a?b?");
        assert_eq!(clean_text("\t\x1ba\x7f"), " ?a?");
        assert_eq!(clean_line("a\nb"), "a?b");
    }
}
