//! The rules that some scenario has to show. A file names them in `shows`; a rule without a file fails.

use super::format;
use std::collections::BTreeSet;

/// Rows of the verdict table of an import.
const VERDICTS: [&str; 6] = [
    "verdict: all passed or warning, ready",
    "verdict: all passed or warning, broken",
    "verdict: some failed, ready, partial",
    "verdict: some failed, broken, partial",
    "verdict: some failed, strict",
    "verdict: none usable",
];

/// What has gone wrong for somebody, and must not again.
const CASES: [&str; 13] = [
    "raw 15, noise 15, extra 0, one probe failure",
    "re-import over ten stale accounts",
    "quota",
    "429",
    "first 403",
    "503 No available accounts",
    "503 Service temporarily unavailable",
    "chat-only",
    "dead key behind a good one",
    "late commit after a lost answer",
    "half-made channel",
    "stale plan",
    "somebody depends on it",
];

#[test]
fn every_rule_has_a_scenario_that_shows_it_and_every_word_names_a_rule() {
    let shown: BTreeSet<String> = format::all()
        .into_iter()
        .flat_map(|story| story.shows)
        .collect();
    let rules: BTreeSet<String> = VERDICTS
        .iter()
        .chain(&CASES)
        .map(|&rule| rule.to_owned())
        .collect();
    let missing: Vec<_> = rules.difference(&shown).collect();
    assert!(missing.is_empty(), "no scenario shows {missing:#?}");
    let unknown: Vec<_> = shown
        .difference(&rules)
        .filter(|rule| !is_trap(rule))
        .collect();
    assert!(unknown.is_empty(), "there is no such rule: {unknown:#?}");
}

fn is_trap(rule: &str) -> bool {
    let number = rule
        .strip_prefix("trap ")
        .and_then(|number| number.parse().ok());
    number.is_some_and(|number: u32| (1..=37).contains(&number))
}
