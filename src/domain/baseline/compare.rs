//! What one check found against what another one found. What is compared is never kept: it may be a
//! whole file.

use super::judgement::Judgement;
use crate::pack::{CompareLook, Relation};
use crate::text::shorten;
use std::collections::BTreeMap;

/// What a check found that others compare, by name.
pub type Facts = BTreeMap<String, String>;

/// Judges a comparison. A side is `None` when its check could not look, or did not get so far.
pub fn judge_compare(look: &CompareLook, this: Option<&str>, that: Option<&str>) -> Judgement {
    let expected = expectation(look);
    let (Some(left), Some(right)) = (this, that) else {
        let missing = if this.is_none() {
            &look.this
        } else {
            &look.that
        };
        let check = missing.split(':').next().unwrap_or_default();
        return Judgement::unknown(
            &format!("{missing} is not known"),
            "",
            format!("See what `{check}` came to: it has to find it first."),
        )
        .expecting(expected);
    };
    let fault = match look.is {
        Relation::Equal if left.trim() != right.trim() => Some(difference(left, right)),
        Relation::Differs if left.trim() == right.trim() => Some(format!(
            "both are `{}`",
            shorten(left.trim().lines().next().unwrap_or_default(), 120)
        )),
        Relation::Contains if !left.contains(right.trim()) => Some(format!(
            "`{}` is not in it",
            shorten(right.trim().lines().next().unwrap_or_default(), 120)
        )),
        Relation::Newer => {
            let numbers = (left.trim().parse::<f64>(), right.trim().parse::<f64>());
            let (Ok(first), Ok(second)) = numbers else {
                return Judgement::unknown(
                    "one of them is neither a time nor a number",
                    &format!("{}\n{}", shorten(left, 120), shorten(right, 120)),
                    "Compare times of files and processes, or numbers.",
                )
                .expecting(expected);
            };
            (first <= second).then(|| format!("{} is not after {}", told(first), told(second)))
        }
        _ => None,
    };
    let faults: Vec<String> = fault.into_iter().collect();
    let good = format!("{} {} {}", look.this, words(look.is), look.that);
    Judgement::of_faults(expected, &faults, &good, "")
}

/// The first lines that are not the same.
fn difference(left: &str, right: &str) -> String {
    let (mut first, mut second) = (left.trim().lines(), right.trim().lines());
    let mut at = 0;
    loop {
        at += 1;
        match (first.next(), second.next()) {
            (Some(a), Some(b)) if a.trim_end() == b.trim_end() => {}
            (None, None) => return "they differ in white space".to_owned(),
            (a, b) => {
                let said = |line: Option<&str>| match line {
                    Some(line) => format!("`{}`", shorten(line.trim(), 160)),
                    None => "the end".to_owned(),
                };
                return format!("line {at} is {} here and {} there", said(a), said(b));
            }
        }
    }
}

/// A time where the number can be one, else the number.
fn told(number: f64) -> String {
    let plausible = (1e9..1e11).contains(&number) && number.fract() == 0.0;
    let at = plausible
        .then(|| jiff::SignedDuration::try_from_secs_f64(number).ok())
        .flatten()
        .and_then(|since| jiff::Timestamp::from_duration(since).ok());
    at.map_or_else(|| number.to_string(), |at| at.to_string())
}

fn words(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "is the same as",
        Relation::Differs => "differs from",
        Relation::Contains => "contains",
        Relation::Newer => "is newer than",
    }
}

pub(super) fn expectation(look: &CompareLook) -> String {
    format!("{} {} {}", look.this, words(look.is), look.that)
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Verdict;
    use super::*;

    fn judged(is: Relation, this: Option<&str>, that: Option<&str>) -> (Verdict, String) {
        let look = CompareLook {
            this: "a:content".to_owned(),
            is,
            that: "b:content".to_owned(),
        };
        let judgement = judge_compare(&look, this, that);
        (judgement.verdict, judgement.found)
    }

    #[test]
    fn two_findings_are_compared_and_the_first_difference_is_named() {
        use Relation::{Contains, Differs, Equal, Newer};
        let rows = [
            (Equal, "x\ny\n", "x\ny", Verdict::Ok, "is the same as"),
            (
                Equal,
                "x\ny\nz",
                "x\nw\nz",
                Verdict::Fail,
                "line 2 is `y` here and `w` there",
            ),
            (
                Equal,
                "x",
                "x\nw",
                Verdict::Fail,
                "line 2 is the end here and `w` there",
            ),
            (Differs, "x", "y", Verdict::Ok, "differs"),
            (Differs, "x\n", "x", Verdict::Fail, "both are `x`"),
            (Contains, "a b c", "b", Verdict::Ok, "contains"),
            (Contains, "a b c", "d", Verdict::Fail, "`d` is not in it"),
            (Newer, "1780531200", "1780531100", Verdict::Ok, "newer"),
            (
                Newer,
                "1780531200",
                "1780531200",
                Verdict::Fail,
                "2026-06-04T00:00:00Z is not after 2026-06-04T00:00:00Z",
            ),
            (Newer, "1.5", "2", Verdict::Fail, "1.5 is not after 2"),
            (Newer, "soon", "2", Verdict::Unknown, "neither a time"),
        ];
        for (is, this, that, verdict, found) in rows {
            let (seen, said) = judged(is, Some(this), Some(that));
            assert_eq!(seen, verdict, "{is:?} {this} {that}: {said}");
            assert!(said.contains(found), "{is:?}: {said}");
        }
    }

    #[test]
    fn a_side_that_was_not_seen_is_unknown_and_says_which() {
        let (verdict, found) = judged(Relation::Differs, Some("x"), None);
        assert_eq!(verdict, Verdict::Unknown);
        assert_eq!(found, "b:content is not known");
    }
}
