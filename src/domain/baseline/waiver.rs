//! Waivers: a person's word that a fault is known, until a time. A waiver of a check puts aside what
//! was judged of it; one of a machine or a host is a maintenance window and puts aside whatever its
//! checks come to. What a look came to is recorded all the same.

use super::report::{BaselineReport, CheckResult, judge_pack};
use super::verdict::Verdict;
use crate::ids::{HostId, MachineId, PackId};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest time a waiver may last: what is put aside for good is no expectation.
pub const LONGEST_DAYS: i64 = 366;
const DAY_MS: i64 = 86_400_000;

/// What is put aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum WaiverSubject {
    /// One check of a pack.
    Check(PackId, String),
    /// Every check that looks on a machine or goes through it.
    Machine(MachineId),
    /// Every check of the baseline that judges a host.
    Host(HostId),
}

impl WaiverSubject {
    /// Reads `check/PACK/ID`, `machine/NAME` or `host/NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('/')?;
        match kind {
            "check" => {
                let (pack, check) = rest.split_once('/')?;
                Some(Self::Check(PackId::new(pack).ok()?, check.to_owned()))
            }
            "machine" => MachineId::new(rest).ok().map(Self::Machine),
            "host" => HostId::new(rest).ok().map(Self::Host),
            _ => None,
        }
    }

    /// Whether it is a maintenance window.
    pub fn is_maintenance(&self) -> bool {
        !matches!(self, Self::Check(..))
    }
}

impl fmt::Display for WaiverSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(pack, check) => write!(f, "check/{pack}/{check}"),
            Self::Machine(machine) => write!(f, "machine/{machine}"),
            Self::Host(host) => write!(f, "host/{host}"),
        }
    }
}

impl TryFrom<String> for WaiverSubject {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no subject of a waiver"))
    }
}

impl From<WaiverSubject> for String {
    fn from(subject: WaiverSubject) -> Self {
        subject.to_string()
    }
}

/// A waiver. It ends by itself, and is shown as ended until somebody clears it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// What it puts aside.
    pub subject: WaiverSubject,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Since when, UTC milliseconds.
    pub since_ms: i64,
    /// Until when, UTC milliseconds.
    pub until_ms: i64,
}

impl Waiver {
    /// Whether it counts now.
    pub fn is_in_force(&self, now_ms: i64) -> bool {
        now_ms < self.until_ms
    }

    /// Whether it is about a row of a report.
    pub fn covers(&self, report: &BaselineReport, row: &CheckResult) -> bool {
        match &self.subject {
            WaiverSubject::Check(pack, check) => *pack == report.pack && *check == row.id,
            WaiverSubject::Machine(machine) => row.machine.as_ref() == Some(machine),
            WaiverSubject::Host(host) => report.host.as_ref() == Some(host),
        }
    }

    /// Whether it puts such a verdict aside. "Could not look" is a fault that nobody has seen yet: only
    /// a maintenance window, in which things are expected to be away, puts it aside.
    pub fn hides(&self, judged: Verdict) -> bool {
        match judged {
            Verdict::Warn | Verdict::Fail => true,
            Verdict::Unknown | Verdict::Unreachable => self.subject.is_maintenance(),
            Verdict::Ok | Verdict::NotJudged | Verdict::Waived => false,
        }
    }
}

impl CheckResult {
    /// What its look came to, whatever is put aside.
    pub fn judged(&self) -> Verdict {
        self.judged.unwrap_or(self.verdict)
    }

    /// Whether a waiver puts it aside: what is pending was seen, and is known as what fails is.
    fn is_hidden_by(&self, waiver: &Waiver) -> bool {
        let judged = self.judged();
        waiver.hides(judged) || self.pending && judged == Verdict::Unknown
    }

    /// The waiver that puts it aside now: of several the one that lasts longest.
    pub fn excuse(&self, now_ms: i64) -> Option<&Waiver> {
        self.waivers
            .iter()
            .filter(|waiver| waiver.is_in_force(now_ms) && self.is_hidden_by(waiver))
            .max_by_key(|waiver| waiver.until_ms)
    }

    /// The waiver by which it stands as put aside; `None` where it does not.
    pub fn excused_by(&self) -> Option<&Waiver> {
        let hiding = self.waivers.iter().filter(|it| self.is_hidden_by(it));
        match self.verdict {
            Verdict::Waived => hiding.max_by_key(|waiver| waiver.until_ms),
            _ => None,
        }
    }

    /// The waiver that put it aside and has run out, where the fault is still there.
    pub fn lapsed(&self, now_ms: i64) -> Option<&Waiver> {
        if self.excuse(now_ms).is_some() {
            return None;
        }
        self.waivers
            .iter()
            .filter(|waiver| !waiver.is_in_force(now_ms) && self.is_hidden_by(waiver))
            .max_by_key(|waiver| waiver.until_ms)
    }

    /// What it counts as now.
    pub fn standing(&self, now_ms: i64) -> Verdict {
        if self.excuse(now_ms).is_some() {
            Verdict::Waived
        } else {
            self.judged()
        }
    }
}

impl BaselineReport {
    /// Hangs the waivers on the rows they are about, also those that have run out.
    pub fn attach(&mut self, waivers: &[Waiver]) {
        let mut rows = std::mem::take(&mut self.results);
        for row in &mut rows {
            let about = |waiver: &&Waiver| waiver.covers(self, row);
            let found: Vec<Waiver> = waivers.iter().filter(about).cloned().collect();
            row.waivers = found;
        }
        self.results = rows;
    }

    /// Says what the rows and the whole count as now, with what is put aside. What the looks came to
    /// stays beside it.
    pub fn stand(&mut self, now_ms: i64) {
        for row in &mut self.results {
            let (judged, standing) = (row.judged(), row.standing(now_ms));
            row.verdict = standing;
            row.judged = (judged != standing).then_some(judged);
        }
        self.verdict = judge_pack(&self.results);
    }
}

/// Reads until when a waiver lasts: how long from now (`90m`, `2h 30m`, `3d`), a date (to its end), a
/// date and time, both in the given zone, or an RFC 3339 moment. Gives UTC milliseconds.
///
/// # Errors
/// What is wrong with it, with the way out.
pub fn read_until(text: &str, now_ms: i64, zone: &TimeZone) -> Result<i64, String> {
    let text = text.trim();
    let now = Timestamp::from_millisecond(now_ms).map_err(|error| error.to_string())?;
    let here = now.to_zoned(zone.clone());
    let at = if let Ok(moment) = text.parse::<Timestamp>() {
        Some(moment)
    } else if let Ok(span) = text.parse::<Span>() {
        here.checked_add(span).ok().map(|at| at.timestamp())
    } else if text.contains(':') {
        text.parse::<DateTime>()
            .ok()
            .and_then(|at| at.to_zoned(zone.clone()).ok())
            .map(|at| at.timestamp())
    } else {
        text.parse::<Date>()
            .ok()
            .and_then(|date| date.tomorrow().ok())
            .and_then(|date| date.to_zoned(zone.clone()).ok())
            .map(|at| at.timestamp())
    };
    let Some(at) = at else {
        return Err(format!(
            "`{}` is no time: write how long (`90m`, `3d`), a date (`2030-01-31`) or a date and time (`2030-01-31 18:00`)",
            crate::text::clean_line(text)
        ));
    };
    let until_ms = at.as_millisecond();
    if until_ms <= now_ms {
        return Err(format!("`{text}` is past: a waiver ends later than now"));
    }
    if until_ms - now_ms > LONGEST_DAYS * DAY_MS {
        return Err(format!(
            "`{text}` is more than a year away: name an earlier day and renew it, or take the check out of the pack"
        ));
    }
    Ok(until_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::{Layer, Level};

    fn row(id: &str, verdict: Verdict) -> CheckResult {
        let row = serde_json::json!({
            "id": id, "layer": Layer::Host, "level": Level::Must, "title": "t", "verdict": verdict,
            "expected": "", "found": "", "why": "", "next_step": "", "evidence": "",
            "duration_ms": 1, "at_ms": 1, "origin": "live", "machine": "m1",
        });
        serde_json::from_value(row).unwrap()
    }

    fn report(verdicts: &[Verdict]) -> BaselineReport {
        let rows = verdicts.iter().enumerate();
        let results: Vec<CheckResult> = rows
            .map(|(at, verdict)| row(&format!("c{at}"), *verdict))
            .collect();
        BaselineReport {
            pack: PackId::new("p").unwrap(),
            title: String::new(),
            fingerprint: String::new(),
            host: Some(HostId::new("prod").unwrap()),
            verdict: judge_pack(&results),
            started_ms: 1,
            duration_ms: 1,
            cancelled: false,
            results,
        }
    }

    fn waiver(subject: &str, until_ms: i64) -> Waiver {
        Waiver {
            subject: WaiverSubject::parse(subject).unwrap(),
            reason: "known".to_owned(),
            owner: "ann".to_owned(),
            since_ms: 0,
            until_ms,
        }
    }

    #[test]
    fn a_waiver_puts_aside_what_was_judged_and_falls_back_by_itself() {
        let mut report = report(&[Verdict::Fail, Verdict::Ok]);
        report.attach(&[waiver("check/p/c0", 100), waiver("check/other/c1", 100)]);
        report.stand(50);
        assert_eq!(report.verdict, Verdict::Ok);
        assert_eq!(report.results[0].verdict, Verdict::Waived);
        assert_eq!(report.results[0].judged, Some(Verdict::Fail));
        assert_eq!(report.results[0].lapsed(50), None);
        assert_eq!(report.results[1].verdict, Verdict::Ok);
        assert!(report.results[1].waivers.is_empty());
        report.stand(100);
        assert_eq!(report.verdict, Verdict::Fail, "it has run out");
        assert_eq!(report.results[0].judged, None);
        let lapsed = report.results[0].lapsed(100);
        assert_eq!(lapsed.map(|waiver| waiver.owner.as_str()), Some("ann"));
    }

    #[test]
    fn what_could_not_be_looked_at_is_put_aside_by_maintenance_only() {
        for judged in [Verdict::Unknown, Verdict::Unreachable] {
            let mut report = report(&[judged]);
            report.attach(&[waiver("check/p/c0", 100)]);
            report.stand(50);
            assert_eq!(report.verdict, judged, "a waiver of the check hides it not");
            for window in ["machine/m1", "host/prod"] {
                report.attach(&[waiver("check/p/c0", 100), waiver(window, 90)]);
                report.stand(50);
                assert_eq!(report.verdict, Verdict::Ok, "{window}");
            }
            report.attach(&[waiver("machine/m2", 100), waiver("host/other", 100)]);
            report.stand(50);
            assert_eq!(report.verdict, judged, "a window somewhere else");
        }
        // What is pending was looked at: the fault that is known is about to show.
        let mut report = report(&[Verdict::Unknown]);
        report.results[0].pending = true;
        report.attach(&[waiver("check/p/c0", 100)]);
        report.stand(50);
        assert_eq!(report.verdict, Verdict::Ok);
    }

    #[test]
    fn a_time_is_read_as_people_write_it_and_never_past_or_endless() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let now = "2030-01-31T10:00:00Z".parse::<Timestamp>().unwrap();
        let read = |text: &str| {
            let ms = read_until(text, now.as_millisecond(), &zone)?;
            Ok(Timestamp::from_millisecond(ms).unwrap().to_string())
        };
        let good = |text: &str| read(text).unwrap_or_else(|error: String| error);
        assert_eq!(good("90m"), "2030-01-31T11:30:00Z");
        assert_eq!(good("2h 30m"), "2030-01-31T12:30:00Z");
        assert_eq!(good("3d"), "2030-02-03T10:00:00Z");
        assert_eq!(good("2030-01-31"), "2030-01-31T16:00:00Z", "to its end");
        assert_eq!(good("2030-02-01 18:00"), "2030-02-01T10:00:00Z");
        assert_eq!(good("2030-02-01T18:00:00Z"), "2030-02-01T18:00:00Z");
        for bad in ["", "soon", "2030-01-30", "0s", "-2h", "2031-06-01", "2y"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_subject_is_the_same_text_in_the_store_and_back() {
        for text in ["check/p/entry.no-key", "machine/m1", "host/prod"] {
            let subject = WaiverSubject::parse(text).unwrap();
            assert_eq!(subject.to_string(), text);
            let json = serde_json::to_value(&subject).unwrap();
            assert_eq!(json, serde_json::json!(text));
            assert_eq!(
                serde_json::from_value::<WaiverSubject>(json).unwrap(),
                subject
            );
        }
        for text in ["", "check/p", "machine/", "other/x"] {
            assert_eq!(WaiverSubject::parse(text), None, "{text}");
        }
    }
}
