//! A runbook's second language: `NAME.zh.md` beside `NAME.md`, a whole runbook to read, with the same
//! steps. Headings, prose and questions are its own; what a step does is compared, never taken from it.

use super::book::Runbook;
use super::reader::Reader;
use super::step::{Act, Step, StepWords};
use crate::finding::{Finding, Source};
use std::collections::BTreeMap;

/// What the name of a translation ends with, before `.md`.
pub const TRANSLATION: &str = ".zh";

/// The runbook with what its translation says.
///
/// # Errors
/// Every finding of the translation, in the order of its file.
pub fn with_translation(
    mut book: Runbook,
    file: &str,
    text: &str,
    checks: &[&str],
    vars: &BTreeMap<String, String>,
) -> Result<Runbook, Vec<Finding>> {
    let mut reader = Reader::new(Source::new(file, text), checks, vars);
    let Some(other) = reader
        .book(&book.name)
        .filter(|_| reader.findings.is_empty())
    else {
        return Err(reader.faults());
    };
    if other.checks != book.checks {
        let told = format!("`checks` are not those of {}.md", book.name);
        reader.fault(0..0, told, "copy the head, and translate the title only");
    }
    let pairs = book.steps.iter().zip(&other.steps).enumerate();
    let differing: Vec<usize> = pairs
        .filter(|(_, (first, second))| bare(first) != bare(second))
        .map(|(at, _)| at)
        .collect();
    for at in differing {
        let told = format!("this is not step {} of {}.md", at + 1, book.name);
        let place = reader.places[at].clone();
        reader.fault(
            place,
            told,
            "copy the block as it is; of a step only its `question` is translated",
        );
    }
    if other.steps.len() != book.steps.len() {
        let (there, here) = (book.steps.len(), other.steps.len());
        let told = format!("{}.md has {there} steps, this has {here}", book.name);
        let shorter = reader.places.get(there).cloned();
        reader.fault(shorter.unwrap_or(0..0), told, "both have the same steps");
    }
    let findings = reader.faults();
    if !findings.is_empty() {
        return Err(findings);
    }
    book.title_zh = Some(other.title);
    book.text_zh = Some(other.text);
    for (step, other) in book.steps.iter_mut().zip(other.steps) {
        step.zh = Some(StepWords {
            title: other.title,
            text: other.text,
            question: match other.act {
                Act::Ask(ask) => Some(ask.question),
                _ => None,
            },
        });
    }
    Ok(book)
}

/// A step without what is for people.
fn bare(step: &Step) -> Step {
    let mut step = step.clone();
    step.title.clear();
    step.text.clear();
    if let Act::Ask(ask) = &mut step.act {
        ask.question.clear();
    }
    step
}

#[cfg(test)]
mod tests {
    use super::super::read_runbook;
    use super::*;

    const FIRST: &str = "+++\ntitle = \"Again\"\nmachine = \"m\"\n+++\n\nWhy.\n\n## Look\n\n```look\ncheck = \"a\"\n```\n\n\
                         ## Ask\n\nCarefully.\n\n```ask\nquestion = \"Sure?\"\nanswer = \"yes\"\n```\n\n\
                         ```do\nargv = [\"true\"]\n```\n";
    const SECOND: &str = "+++\ntitle = \"再来\"\nmachine = \"m\"\n+++\n\n原因。\n\n## 看\n\n```look\ncheck = \"a\"\n```\n\n\
                          ## 问\n\n小心。\n\n```ask\nquestion = \"确定吗?\"\nanswer = \"yes\"\n```\n\n\
                          ```do\nargv = [\"true\"]\n```\n";

    fn both(second: &str) -> Result<Runbook, Vec<String>> {
        let first = read_runbook("again", "again.md", FIRST, &["a"], &BTreeMap::new()).unwrap();
        with_translation(first, "again.zh.md", second, &["a"], &BTreeMap::new())
            .map_err(|found| found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_text_is_said_in_the_language_that_is_asked_for() {
        let book = both(SECOND).unwrap();
        assert_eq!(
            (book.title_in(true), book.title_in(false)),
            ("再来", "Again")
        );
        assert_eq!(
            (book.text_in(true), book.text_in(false)),
            ("原因。", "Why.")
        );
        let ask = &book.steps[1];
        assert_eq!((ask.title_in(true), ask.text_in(true)), ("问", "小心。"));
        assert_eq!(ask.question_in(true), Some("确定吗?"));
        assert_eq!(ask.question_in(false), Some("Sure?"));
        assert_eq!(
            (ask.title_in(false), ask.text_in(false)),
            ("Ask", "Carefully.")
        );
        // What is done comes from the first file alone.
        let without = read_runbook("again", "again.md", FIRST, &["a"], &BTreeMap::new()).unwrap();
        for (step, other) in book.steps.iter().zip(&without.steps) {
            assert_eq!(step.act, other.act);
        }
    }

    #[test]
    fn a_translation_whose_steps_are_others_is_said_with_its_line() {
        let cases = [
            (
                SECOND.replace("\"true\"", "\"reboot\""),
                "again.zh.md:23:1: this is not step 3 of again.md",
            ),
            (
                SECOND.replace("answer = \"yes\"", "answer = \"done\""),
                "again.zh.md:18:1: this is not step 2 of again.md",
            ),
            (
                format!("{SECOND}\n```look\ncheck = \"a\"\n```\n"),
                "again.zh.md:27:1: again.md has 3 steps, this has 4",
            ),
            (
                SECOND.replace("check = \"a\"", "check = \"b\""),
                "again.zh.md:11:9: no check of the pack",
            ),
        ];
        for (text, told) in cases {
            let found = both(&text).unwrap_err();
            assert!(found[0].contains(told), "{told}: {found:?}");
        }
    }
}
