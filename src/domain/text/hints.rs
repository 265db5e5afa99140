//! Where a secret can stand at all. A few letters that every secret's shape must hold are looked
//! for with vector instructions, so that the shapes themselves are tried on few lines only.

use regex::Regex;
use std::sync::LazyLock;

/// What a match of a shape must hold, in lower case: public prefixes of keys, the head of JSON web
/// tokens; a piece of `bearer`, `basic`, `passw(or)d`, `secret`; `api_key` and `token` with what
/// follows a name, for `api_key_id` and `tokens` stand on every line of a relay; and the two
/// letters that a search without case takes for `s` and `k`.
const HINT: &str = concat!(
    "sk-|sk_|rt-|rt_|admin-|admin_|ak-|ak_|pk-|pk_|eyj|bea|sic|ssw|ecr|",
    r#"key["'\s:=]|token["'\s:=]|\u{17F}|\u{212A}"#
);

static HINTS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(HINT).ok());

/// A text made ready to be searched: ASCII letters in lower case, every place as it was.
pub(super) fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// The first place from `from` on that hints at a shape, in a text that [`lower`] gave.
pub(super) fn next(lower: &str, from: usize) -> Option<usize> {
    match &*HINTS {
        Some(hints) => hints.find_at(lower, from).map(|found| found.start()),
        // Without them every place is one.
        None => Some(from).filter(|from| *from < lower.len()),
    }
}

/// One search for all of the words, as they stand.
pub(super) fn any_of(words: impl Iterator<Item = String>) -> Option<Regex> {
    let words: Vec<String> = words.map(|word| regex::escape(&word)).collect();
    if words.is_empty() {
        return None;
    }
    Regex::new(&words.join("|")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_found_where_it_stands_and_plain_words_hold_none() {
        assert_eq!(next(&lower("the ToKen="), 0), Some(4));
        assert_eq!(next(&lower("the ToKen="), 5), None);
        assert_eq!(next(&lower("prompt_tokens: 7, api_key_id: 3"), 0), None);
        assert_eq!(next(&lower("GET /v1/models 200 0.012"), 0), None);
    }
}
