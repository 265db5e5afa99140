//! Thresholds with memory: what has just turned bad is pending, and fails when it has lasted.

use super::judgement::Judgement;
use super::process::span;
use crate::pack::Lasting;
use serde::{Deserialize, Serialize};

/// One earlier look, as far as memory needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// When, UTC milliseconds.
    pub at_ms: i64,
    /// Whether it was as expected.
    pub good: bool,
}

/// Weighs a failed look by the ones before it, oldest first, the failed one last. Between two looks
/// that lie further apart than the threshold nothing is known: the count begins anew.
pub fn weigh(lasting: Lasting, judgement: Judgement, turns: &[Turn]) -> Judgement {
    let Some(newest) = turns.last().filter(|turn| !turn.good) else {
        return judgement;
    };
    let gap_ms = match lasting {
        Lasting::Seconds(seconds) => i64::try_from(seconds).unwrap_or(i64::MAX / 1000) * 1000,
        Lasting::Looks(_) => i64::MAX,
    };
    let (mut since, mut looks) = (newest.at_ms, 0_u32);
    for turn in turns.iter().rev() {
        if turn.good || since.saturating_sub(turn.at_ms) > gap_ms {
            break;
        }
        since = turn.at_ms;
        looks += 1;
    }
    match lasting {
        Lasting::Seconds(wanted) => {
            let seconds = u64::try_from((newest.at_ms - since) / 1000).unwrap_or(0);
            pending_for(judgement, seconds, wanted)
        }
        Lasting::Looks(wanted) if looks < wanted => {
            let told = format!("in {looks} of {wanted} looks");
            judgement.pending(&told, "Look again: it fails when it stays so.")
        }
        Lasting::Looks(_) => judgement,
    }
}

/// The judgement of what has been bad for so long of so long, in seconds.
pub(super) fn pending_for(judgement: Judgement, seconds: u64, wanted: u64) -> Judgement {
    if seconds >= wanted {
        return judgement;
    }
    let told = format!("for {} of {}", span(seconds), span(wanted));
    let left = span(wanted - seconds);
    let fix = format!("Look again in {left}: it fails when it is still so.");
    judgement.pending(&told, fix)
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Verdict;
    use super::*;

    fn turns(rows: &[(i64, bool)]) -> Vec<Turn> {
        let turn = |(at, good): &(i64, bool)| Turn {
            at_ms: at * 1000,
            good: *good,
        };
        rows.iter().map(turn).collect()
    }

    fn weighed(lasting: Lasting, rows: &[(i64, bool)]) -> (Verdict, String) {
        let failed = Judgement::new(Verdict::Fail, "e", "bad", "");
        let judgement = weigh(lasting, failed, &turns(rows));
        assert_eq!(judgement.pending, judgement.verdict == Verdict::Unknown);
        (judgement.verdict, judgement.found)
    }

    #[test]
    fn what_is_wrong_is_pending_until_it_has_lasted() {
        let seconds = Lasting::Seconds(600);
        let rows: [(&str, Lasting, &[(i64, bool)], Verdict, &str); 8] = [
            (
                "first",
                seconds,
                &[(0, false)],
                Verdict::Unknown,
                "bad for 0 s of 10 min: bad",
            ),
            (
                "short",
                seconds,
                &[(0, true), (300, false), (600, false)],
                Verdict::Unknown,
                "bad for 5 min of 10 min: bad",
            ),
            (
                "long",
                seconds,
                &[(0, false), (300, false), (600, false)],
                Verdict::Fail,
                "bad",
            ),
            (
                "good between",
                seconds,
                &[(0, false), (300, true), (600, false)],
                Verdict::Unknown,
                "bad for 0 s of 10 min: bad",
            ),
            (
                "nobody looked between",
                seconds,
                &[(0, false), (7200, false)],
                Verdict::Unknown,
                "bad for 0 s of 10 min: bad",
            ),
            (
                "one look",
                Lasting::Looks(3),
                &[(0, false)],
                Verdict::Unknown,
                "bad in 1 of 3 looks: bad",
            ),
            (
                "two looks",
                Lasting::Looks(3),
                &[(0, true), (9, false), (90_000, false)],
                Verdict::Unknown,
                "bad in 2 of 3 looks: bad",
            ),
            (
                "three looks",
                Lasting::Looks(3),
                &[(0, false), (9, false), (90_000, false)],
                Verdict::Fail,
                "bad",
            ),
        ];
        for (name, lasting, turns, verdict, found) in rows {
            assert_eq!(
                weighed(lasting, turns),
                (verdict, found.to_owned()),
                "{name}"
            );
        }
    }
}
