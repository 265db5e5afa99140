//! What a check came to over time: stretches of looks that came to the same, how often it turned, and
//! the newest looks as a row of marks.

use super::verdict::Verdict;
use crate::ids::PackId;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::LazyLock;

/// Looks that a row of marks shows.
pub const RECENT: usize = 16;
/// The window in which turns are counted for the row of a run.
pub const FLAPS_MS: i64 = 86_400_000;

/// Looks in a row that came to the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// What they came to.
    pub verdict: Verdict,
    /// What the newest of them found, in one line.
    pub found: String,
    /// The first of them, UTC milliseconds.
    pub from_ms: i64,
    /// The newest of them, UTC milliseconds.
    pub to_ms: i64,
    /// How many they are.
    pub looks: u64,
}

impl Stretch {
    /// Whether another look belongs to it: what was found tells faults apart, but not good news. An age
    /// or an amount that is another one at each look makes no other fault.
    pub fn goes_on(&self, verdict: Verdict, found: &str) -> bool {
        self.verdict == verdict
            && (verdict == Verdict::Ok || unmeasured(&self.found) == unmeasured(found))
    }
}

/// A text without its durations, sizes and shares; numbers without a unit name things and stay.
fn unmeasured(text: &str) -> Cow<'_, str> {
    static MEASURE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let amount = r"(?:\d+(?:\.\d+)?|\b[Aa]bout an?|\b[Ll]ess than a)";
        let unit =
            r"(?:[muµn]?s|[mhdw]|(?:sec|min|second|minute|hour|day|week|month)s?|[kKMGT]?i?B)";
        Regex::new(&format!(r"{amount} ?(?:{unit}\b|%)")).ok()
    });
    match MEASURE.as_ref() {
        Some(measure) => measure.replace_all(text, "_"),
        None => Cow::Borrowed(text),
    }
}

/// The history of a check in few words, for its row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Brief {
    /// The newest looks, oldest first.
    pub recent: Vec<Verdict>,
    /// How often it turned within a day.
    pub flaps: usize,
}

/// The history of a check in a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckHistory {
    /// The pack.
    pub pack: PackId,
    /// The check.
    pub check: String,
    /// What the newest look came to.
    pub verdict: Verdict,
    /// Since when the looks come to that, as far as they are kept; UTC milliseconds.
    pub since_ms: i64,
    /// The newest look, UTC milliseconds.
    pub at_ms: i64,
    /// When it last turned to something else within the window, UTC milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned_ms: Option<i64>,
    /// How often it turned within the window.
    pub flaps: usize,
    /// The newest looks, oldest first.
    pub recent: Vec<Verdict>,
    /// What it came to within the window, newest first.
    pub stretches: Vec<Stretch>,
}

/// How often a check turned to another verdict since a moment.
fn turns(stretches: &[Stretch], since_ms: i64) -> impl Iterator<Item = &Stretch> {
    stretches
        .windows(2)
        .filter(move |pair| pair[0].verdict != pair[1].verdict && pair[1].from_ms >= since_ms)
        .map(|pair| &pair[1])
}

/// The newest looks, oldest first.
fn recent(stretches: &[Stretch]) -> Vec<Verdict> {
    let mut marks: Vec<Verdict> = stretches
        .iter()
        .rev()
        .flat_map(|stretch| {
            let looks = usize::try_from(stretch.looks).unwrap_or(RECENT).min(RECENT);
            std::iter::repeat_n(stretch.verdict, looks)
        })
        .take(RECENT)
        .collect();
    marks.reverse();
    marks
}

/// The history of a check for its row, out of its stretches, oldest first.
pub fn brief(stretches: &[Stretch], now_ms: i64) -> Brief {
    Brief {
        recent: recent(stretches),
        flaps: turns(stretches, now_ms - FLAPS_MS).count(),
    }
}

impl CheckHistory {
    /// Out of all stretches of a check, oldest first; what ended before the window is left out. `None`
    /// when nothing was looked at.
    pub fn of(pack: &PackId, check: &str, stretches: &[Stretch], since_ms: i64) -> Option<Self> {
        let newest = stretches.last()?;
        let same = |stretch: &&Stretch| stretch.verdict == newest.verdict;
        let first = stretches.iter().rev().take_while(same).last()?;
        let within = |stretch: &&Stretch| stretch.to_ms >= since_ms;
        Some(Self {
            pack: pack.clone(),
            check: check.to_owned(),
            verdict: newest.verdict,
            since_ms: first.from_ms,
            at_ms: newest.to_ms,
            turned_ms: turns(stretches, since_ms).last().map(|turn| turn.from_ms),
            flaps: turns(stretches, since_ms).count(),
            recent: recent(stretches),
            stretches: stretches.iter().rev().filter(within).cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(verdict: Verdict, from_ms: i64, to_ms: i64, looks: u64) -> Stretch {
        Stretch {
            verdict,
            found: format!("found at {to_ms}"),
            from_ms,
            to_ms,
            looks,
        }
    }

    #[test]
    fn a_history_says_since_when_it_stands_and_how_often_it_turned() {
        use Verdict::{Fail, Ok};
        let stretches = [
            stretch(Ok, 10, 40, 30),
            stretch(Fail, 50, 60, 2),
            stretch(Ok, 70, 80, 2),
            stretch(Fail, 90, 95, 2),
            stretch(Fail, 100, 110, 3),
        ];
        let pack = PackId::new("p").unwrap();
        let history = CheckHistory::of(&pack, "c", &stretches, 65).unwrap();
        assert_eq!(history.verdict, Fail);
        assert_eq!(history.since_ms, 90, "another finding is no turn");
        assert_eq!(history.at_ms, 110);
        assert_eq!(history.turned_ms, Some(90));
        assert_eq!(history.flaps, 2, "within the window");
        assert_eq!(history.stretches.len(), 3);
        assert_eq!(history.stretches[0].from_ms, 100, "newest first");
        let all = CheckHistory::of(&pack, "c", &stretches, 0).unwrap();
        assert_eq!((all.flaps, all.stretches.len()), (3, 5));
        assert_eq!(CheckHistory::of(&pack, "c", &[], 0), None);
    }

    #[test]
    fn the_row_of_marks_is_the_newest_looks_in_their_order() {
        use Verdict::{Fail, Ok};
        let brief = brief(
            &[
                stretch(Ok, 1, 2, 900),
                stretch(Fail, 3, 4, 2),
                stretch(Ok, 5, 5, 1),
            ],
            5,
        );
        assert_eq!(brief.recent.len(), RECENT);
        assert_eq!(brief.recent[RECENT - 4..], [Ok, Fail, Fail, Ok]);
        assert_eq!(brief.flaps, 2);
    }

    #[test]
    fn a_look_goes_on_with_a_stretch_unless_it_found_another_fault() {
        let good = stretch(Verdict::Ok, 1, 2, 1);
        assert!(good.goes_on(Verdict::Ok, "200 in 7 ms"));
        let bad = stretch(Verdict::Fail, 1, 2, 1);
        assert!(bad.goes_on(Verdict::Fail, "found at 2"));
        assert!(!bad.goes_on(Verdict::Fail, "503"));
        assert!(!bad.goes_on(Verdict::Ok, "found at 2"));
    }

    #[test]
    fn an_age_that_grows_is_no_other_fault_and_another_number_is() {
        let goes_on = |before: &str, now: &str| {
            let mut bad = stretch(Verdict::Fail, 1, 2, 1);
            bad.found = before.to_owned();
            bad.goes_on(Verdict::Fail, now)
        };
        let age = |age: &str| format!("`lab-7` runs: Up {age} 127.0.0.1:18192");
        for now in [
            "43 seconds",
            "About a minute",
            "2 minutes",
            "About an hour",
            "3 weeks",
        ] {
            assert!(goes_on(&age("42 seconds"), &age(now)), "{now}");
        }
        assert!(goes_on("503 in 1202 ms", "503 in 7.5s"));
        assert!(goes_on("4% free (1.2 GiB)", "3.5% free (980 MiB)"));
        assert!(!goes_on("503 in 1202 ms", "502 in 1202 ms"));
        assert!(!goes_on(
            "account 7 has no group 3",
            "account 8 has no group 3"
        ));
        assert!(!goes_on(
            &age("42 seconds"),
            "`lab-8` runs: Up 42 seconds 127.0.0.1:18192"
        ));
        assert!(!goes_on("127.0.0.1:18192", "127.0.0.1:18193"));
    }
}
