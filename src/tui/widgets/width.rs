//! Text measured in terminal cells: cut on grapheme edges, padded, wrapped. Text from outside was
//! made harmless on its way in; tabs and line ends are the only odd characters left.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What marks a cut: two ASCII characters are as wide everywhere as they look.
const CUT: &str = "..";

/// Cells a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text cut to at most `room` cells, marked when something was left away.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let (mark, keep) = if room > CUT.len() + 1 {
        (CUT, room - CUT.len())
    } else {
        ("", room)
    };
    let mut kept = head(text, keep).to_owned();
    kept.push_str(mark);
    kept
}

/// The longest beginning that takes at most `room` cells.
pub(super) fn head(text: &str, room: usize) -> &str {
    let mut taken = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        taken += width(grapheme);
        if taken > room {
            return &text[..at];
        }
    }
    text
}

/// The text behind its first `cells` cells.
pub(crate) fn behind(text: &str, cells: usize) -> &str {
    &text[head(text, cells).len()..]
}

/// Cut in the middle: both ends of a name tell it apart.
pub(super) fn cut_middle(text: &str, room: usize) -> String {
    if width(text) <= room || room < 7 {
        return cut(text, room);
    }
    let keep = room - CUT.len();
    let front = head(text, keep.div_ceil(2));
    let want = keep - width(front);
    let mut tail = "";
    for (at, _) in text.grapheme_indices(true).rev() {
        if width(&text[at..]) > want {
            break;
        }
        tail = &text[at..];
    }
    format!("{front}{CUT}{tail}")
}

/// Cut and padded to exactly `room` cells.
pub(crate) fn fit(text: &str, room: usize) -> String {
    let mut text = cut(text, room);
    let missing = room.saturating_sub(width(&text));
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

/// Cut and padded on the left to exactly `room` cells.
pub(super) fn fit_right(text: &str, room: usize) -> String {
    let text = cut(text, room);
    let missing = room.saturating_sub(width(&text));
    format!("{}{text}", " ".repeat(missing))
}

/// Breaks a text into lines of at most `room` cells, at spaces where there are any; line ends in
/// the text are kept.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut taken = 0;
        for word in words(paragraph, room) {
            let wide = width(word);
            if taken + wide <= room {
                line.push_str(word);
                taken += wide;
                continue;
            }
            if !line.trim().is_empty() {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                taken = 0;
            }
            let mut rest = word.trim_start();
            while width(rest) > room {
                let piece = head(rest, room);
                if piece.is_empty() {
                    // A wide character in one cell: there is no room for it at all.
                    rest = "";
                    break;
                }
                lines.push(piece.to_owned());
                rest = &rest[piece.len()..];
            }
            line.clear();
            line.push_str(rest);
            taken += width(rest);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// What is not to be broken: a run of ASCII between spaces, so that a command can be read and copied;
/// only one that is longer than a line falls into its words, and other scripts always do.
fn words(text: &str, room: usize) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest
            .find(|c: char| !c.is_ascii_graphic())
            .unwrap_or(rest.len());
        let end = match run {
            0 => rest
                .find(|c: char| c.is_ascii_graphic())
                .unwrap_or(rest.len()),
            run => run,
        };
        let (word, tail) = rest.split_at(end);
        if run > 0 && end <= room {
            words.push(word);
        } else {
            words.extend(word.split_word_bounds());
        }
        rest = tail;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_on_whole_characters_and_says_so() {
        for (text, room, expected) in [
            ("plain", 8, "plain"),
            ("a longer name", 8, "a long.."),
            ("生产稳定基线", 7, "生产.."),
            ("生产稳定基线", 12, "生产稳定基线"),
            ("abc", 2, "ab"),
            ("生", 1, ""),
            ("", 4, ""),
        ] {
            assert_eq!(cut(text, room), expected, "{text} in {room}");
            assert_eq!(width(&fit(text, room)), room, "{text} fits {room}");
            assert_eq!(width(&fit_right(text, room)), room);
        }
    }

    #[test]
    fn both_ends_of_a_long_name_stay() {
        assert_eq!(
            cut_middle("openai-relay.0123456789ab", 14),
            "openai..6789ab"
        );
        assert!(width(&cut_middle("生产稳定基线生产稳定基线", 11)) <= 11);
    }

    #[test]
    fn a_paragraph_breaks_at_spaces_and_long_words_break_anywhere() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        let command = "apply 9 --host-name prod --reason WHY";
        assert_eq!(
            wrap(command, 30),
            ["apply 9 --host-name prod", "--reason WHY"]
        );
        assert_eq!(wrap("在 --host-name", 11), ["在", "--host-name"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 9), ["a", "", "b"]);
        for line in wrap("nginx 生效配置中没有禁用端口 18169 18173", 9) {
            assert!(width(&line) <= 9, "{line}");
        }
        assert_eq!(wrap("生", 1), [""]);
    }
}
