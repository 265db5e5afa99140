//! The runbooks that triage rules lead to. They lie beside other packs, so that they are held against
//! what is at hand once every pack is read.

use crate::finding::{Finding, Source, suggest};
use crate::ids::PackId;
use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

/// A runbook at hand: the pack it lies beside, and its name.
pub type BookAtHand = (PackId, String);

/// The runbooks that a rule's word means: `NAME` of whatever pack, or `PACK/NAME`.
pub fn books_meant<'b>(word: &str, at_hand: &'b [BookAtHand]) -> Vec<&'b BookAtHand> {
    let (pack, name) = match word.split_once('/') {
        Some((pack, name)) => (Some(pack), name),
        None => (None, word),
    };
    at_hand
        .iter()
        .filter(|(of, book)| book == name && pack.is_none_or(|pack| pack == of.as_str()))
        .collect()
}

#[derive(Debug, Deserialize)]
struct Named {
    runbook: Option<Spanned<String>>,
}

/// What a triage pack's text names that is no runbook at hand, each with its place. Everything else
/// that may be wrong with the text is the reader's to say.
pub fn unknown_books(file: &str, text: &str, at_hand: &[BookAtHand]) -> Vec<Finding> {
    let source = Source::new(file, text);
    let Ok(mut table) = DeTable::parse(text) else {
        return Vec::new();
    };
    let Some(rules) = table.get_mut().remove("rule") else {
        return Vec::new();
    };
    let names: Vec<&str> = at_hand.iter().map(|(_, name)| name.as_str()).collect();
    let rules: Vec<Named> =
        Vec::deserialize(toml::de::ValueDeserializer::from(rules)).unwrap_or_default();
    let words = rules.into_iter().filter_map(|rule| rule.runbook);
    words
        .filter(|word| books_meant(word.get_ref(), at_hand).is_empty())
        .map(|word| {
            let name = word.get_ref();
            let short = name.rsplit('/').next().unwrap_or(name);
            let hint = if names.is_empty() {
                "no pack at hand has runbooks".to_owned()
            } else {
                suggest(short, &names)
            };
            source.at(word.span(), format!("no runbook is called `{name}`"), hint)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_hand() -> Vec<BookAtHand> {
        [("one", "restart"), ("two", "restart"), ("two", "reload")]
            .map(|(pack, name)| (PackId::new(pack).unwrap(), name.to_owned()))
            .into()
    }

    #[test]
    fn a_word_means_every_book_of_its_name_and_with_its_pack_only_that_one() {
        let at_hand = at_hand();
        assert_eq!(books_meant("restart", &at_hand).len(), 2);
        assert_eq!(books_meant("two/restart", &at_hand), [&at_hand[1]]);
        assert_eq!(books_meant("one/reload", &at_hand), [] as [&BookAtHand; 0]);
    }

    #[test]
    fn what_is_no_runbook_is_said_with_its_line_and_the_nearest_name() {
        let text = "[[rule]]\nrunbook = \"reload\"\n[[rule]]\nrunbook = \"one/relaod\"\n[[rule]]\n";
        let found = unknown_books("pack.toml", text, &at_hand());
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["pack.toml:4:11: no runbook is called `one/relaod` (did you mean `reload`?)"]
        );
        assert_eq!(unknown_books("pack.toml", text, &[]).len(), 2);
    }
}
