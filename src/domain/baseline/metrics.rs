//! Prometheus metrics over a window of samples: value, rate, increase, quantile. Pure: what was
//! sampled earlier comes in as a list, so that restarts and gaps are judged like everything else.

use super::judgement::Judgement;
use super::lasting::pending_for;
use super::process::span;
use super::verdict::Verdict;
use crate::pack::{Measure, MetricsLook};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use prometheus_parse::{Scrape, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// One look at the series of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When, UTC milliseconds.
    pub at_ms: i64,
    /// Which process answered, by its start time; several workers answer in turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// Labels as `name=value` with commas between, and what stands there.
    pub series: BTreeMap<String, f64>,
}

/// Takes the series of a look's metric out of an exposition.
///
/// # Errors
/// One sentence when it cannot be read or does not have the metric.
pub fn read_sample(look: &MetricsLook, text: &str, at_ms: i64) -> Result<Sample, String> {
    let scrape = Scrape::parse(text.lines().map(|line| Ok(tame(line))))
        .map_err(|error| format!("the exposition cannot be read: {error}"))?;
    let mut series = BTreeMap::new();
    let mut process = None;
    for sample in scrape.samples {
        if sample.metric == "process_start_time_seconds"
            && let Value::Gauge(at) | Value::Untyped(at) = sample.value
        {
            process = Some(at.to_string());
        }
        let wanted = |name: &str, value: &str| {
            let found = sample.labels.get(name).map(written);
            found.is_some_and(|found| found == value)
        };
        if sample.metric != look.metric
            || !look.labels.iter().all(|(name, value)| wanted(name, value))
        {
            continue;
        }
        let mut labels: Vec<String> = sample
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={}", written(value)))
            .collect();
        labels.sort();
        let labels = labels.join(",");
        match sample.value {
            Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => {
                series.insert(labels, value);
            }
            Value::Histogram(buckets) => {
                for bucket in buckets {
                    series.insert(format!("{labels};{}", bucket.less_than), bucket.count);
                }
            }
            Value::Summary(_) => return Err("a summary has no window of ours".to_owned()),
        }
    }
    if series.is_empty() {
        return Err(format!("there is no `{}` with these labels", look.metric));
    }
    Ok(Sample {
        at_ms,
        process,
        series,
    })
}

/// A line whose label values hold nothing that the parser takes for a sign of its own.
fn tame(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut inside = false;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let value = match (inside, letter) {
            _ if line.starts_with('#') => None,
            (_, '"') => {
                inside = !inside;
                None
            }
            (true, '\\') => Some(match letters.next() {
                Some('n') => '\n',
                Some(escaped) => escaped,
                None => '\\',
            }),
            (true, letter) => Some(letter),
            (false, _) => None,
        };
        match value {
            Some(letter) => {
                let mut bytes = [0; 4];
                out.extend(utf8_percent_encode(letter.encode_utf8(&mut bytes), SIGNS));
            }
            None => out.push(letter),
        }
    }
    out
}

/// Signs of the parser's own, and what an escape begins with.
const SIGNS: &AsciiSet = &CONTROLS
    .add(b'%')
    .add(b'"')
    .add(b'\\')
    .add(b',')
    .add(b'=')
    .add(b'{')
    .add(b'}');

/// A label's value as its program wrote it.
fn written(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

/// Seconds of samples that a look needs behind it.
pub fn kept_for(look: &MetricsLook) -> u64 {
    look.window_s.unwrap_or(0) + look.for_s
}

/// Judges the samples, oldest first; the newest is the one just taken.
pub fn judge_metrics(look: &MetricsLook, samples: &[Sample]) -> Judgement {
    let expected = expectation(look);
    let Some(newest) = samples.last() else {
        return Judgement::unknown("there is no sample", "", "Run the baseline again.");
    };
    let measured = match measure(look, samples) {
        Ok(measured) => measured,
        Err(short) => {
            return Judgement::unknown(&short, "", "Wait until the window is full and look again.")
                .expecting(expected);
        }
    };
    let told = format!("{} is {}", what(look), number(measured));
    let evidence = format!(
        "{} samples of {} series",
        samples.len(),
        newest.series.len()
    );
    if within(look, measured) {
        return Judgement::new(Verdict::Ok, expected, &told, &evidence);
    }
    // Out of bounds: since when, as far as the samples reach.
    let mut since = newest.at_ms;
    for end in (1..samples.len()).rev() {
        match measure(look, &samples[..end]) {
            Ok(before) if !within(look, before) => since = samples[end - 1].at_ms,
            _ => break,
        }
    }
    let lasted = seconds(newest.at_ms - since);
    let failed = |told: &str| Judgement::new(Verdict::Fail, expected.clone(), told, &evidence);
    if lasted < look.for_s {
        return pending_for(failed(&told), lasted, look.for_s);
    }
    failed(&format!("{told}, for {}", span(lasted)))
}

/// What a look makes of samples, where they reach far enough back.
pub fn measured(look: &MetricsLook, samples: &[Sample]) -> Option<f64> {
    measure(look, samples).ok()
}

fn seconds(milliseconds: i64) -> u64 {
    u64::try_from(milliseconds / 1000).unwrap_or(0)
}

fn within(look: &MetricsLook, measured: f64) -> bool {
    look.min.is_none_or(|min| measured >= min) && look.max.is_none_or(|max| measured <= max)
}

/// What a look makes of samples, as of the last of them.
///
/// # Errors
/// One sentence when they do not reach far enough back.
fn measure(look: &MetricsLook, samples: &[Sample]) -> Result<f64, String> {
    let newest = samples.last().ok_or("there is no sample")?;
    let Some(window) = look.window_s else {
        return Ok(newest.series.values().sum());
    };
    let from_ms = newest.at_ms
        - i64::try_from(window)
            .unwrap_or(i64::MAX)
            .saturating_mul(1000);
    // The last one before the window begins, and all in it.
    let begin = samples
        .iter()
        .rposition(|sample| sample.at_ms <= from_ms)
        .ok_or_else(|| {
            let have = samples
                .first()
                .map_or(0, |first| seconds(newest.at_ms - first.at_ms));
            format!("only {} of {} are sampled", span(have), span(window))
        })?;
    let inside = &samples[begin..];
    let grown = growth(inside);
    let took = u64::try_from(newest.at_ms - inside[0].at_ms).unwrap_or(0);
    let took = Duration::from_millis(took).as_secs_f64();
    match look.measure {
        Measure::Value => Ok(newest.series.values().sum()),
        Measure::Increase => Ok(grown.values().sum()),
        Measure::Rate => Ok(grown.values().sum::<f64>() / took.max(1.0)),
        Measure::Quantile => quantile(&grown, look.quantile.unwrap_or(0.5))
            .ok_or_else(|| "nothing was observed in the window".to_owned()),
    }
}

/// How much each series grew. A counter that went down began anew; each process is a counter of its
/// own. A series that is new of a process we know began at nothing; a process that was never seen
/// before may be an old one that answers for the first time, with all its series.
fn growth(samples: &[Sample]) -> BTreeMap<String, f64> {
    let mut last: BTreeMap<(Option<&str>, &str), f64> = BTreeMap::new();
    let mut grown: BTreeMap<String, f64> = BTreeMap::new();
    for sample in samples {
        let process = sample.process.as_deref();
        let is_known = last.keys().any(|(known, _)| *known == process);
        for (labels, value) in &sample.series {
            let before = last.insert((process, labels), *value);
            let more = match before {
                Some(before) if *value >= before => value - before,
                Some(_) => *value,
                None if is_known => *value,
                None => 0.0,
            };
            *grown.entry(labels.clone()).or_default() += more;
        }
    }
    grown
}

/// The quantile of a histogram's growth, between the bounds of the bucket it falls in.
fn quantile(grown: &BTreeMap<String, f64>, part: f64) -> Option<f64> {
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for (labels, count) in grown {
        let bound: f64 = labels.rsplit_once(';')?.1.parse().ok()?;
        match buckets
            .iter_mut()
            .find(|(known, _)| known.total_cmp(&bound).is_eq())
        {
            Some((_, sum)) => *sum += count,
            None => buckets.push((bound, *count)),
        }
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total = buckets.last()?.1;
    if total <= 0.0 {
        return None;
    }
    let rank = part * total;
    let (mut low, mut below) = (0.0, 0.0);
    for (bound, count) in &buckets {
        if *count >= rank {
            if bound.is_infinite() {
                return Some(low);
            }
            let inside = (count - below).max(f64::MIN_POSITIVE);
            return Some(low + (bound - low) * ((rank - below) / inside));
        }
        (low, below) = (*bound, *count);
    }
    Some(low)
}

fn what(look: &MetricsLook) -> String {
    let window = look
        .window_s
        .map_or(String::new(), |window| format!(" over {}", span(window)));
    match look.measure {
        Measure::Value => look.metric.clone(),
        Measure::Increase => format!("increase of {}{window}", look.metric),
        Measure::Rate => format!("rate of {}{window}", look.metric),
        Measure::Quantile => format!(
            "quantile {} of {}{window}",
            look.quantile.unwrap_or_default(),
            look.metric
        ),
    }
}

fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn expectation(look: &MetricsLook) -> String {
    let mut parts = Vec::new();
    parts.extend(look.min.map(|min| format!(">= {min}")));
    parts.extend(look.max.map(|max| format!("<= {max}")));
    let lasting = if look.for_s > 0 {
        format!(", else for less than {}", span(look.for_s))
    } else {
        String::new()
    };
    format!("{} {}{lasting}", what(look), parts.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(measure: Measure, window: Option<u64>, max: f64) -> MetricsLook {
        MetricsLook {
            url: "http://localhost:9090/metrics".to_owned(),
            metric: "fails_total".to_owned(),
            labels: BTreeMap::new(),
            measure,
            window_s: window,
            quantile: None,
            min: None,
            max: Some(max),
            for_s: 0,
        }
    }

    /// Seconds, process and value of each sample.
    fn samples(rows: &[(i64, &str, f64)]) -> Vec<Sample> {
        rows.iter()
            .map(|(at, process, value)| Sample {
                at_ms: at * 1000,
                process: Some((*process).to_owned()),
                series: BTreeMap::from([(String::new(), *value)]),
            })
            .collect()
    }

    #[test]
    fn a_window_that_is_not_full_is_unknown_and_a_reset_is_no_growth_backwards() {
        let look = look(Measure::Increase, Some(300), 10.0);
        let judged = |rows: &[(i64, &str, f64)]| {
            let judgement = judge_metrics(&look, &samples(rows));
            (judgement.verdict, judgement.found)
        };
        assert_eq!(
            judged(&[(0, "a", 5.0), (200, "a", 9.0)]),
            (
                Verdict::Unknown,
                "only 3 min of 5 min are sampled".to_owned()
            )
        );
        assert_eq!(
            judged(&[(0, "a", 5.0), (300, "a", 15.0)]),
            (
                Verdict::Ok,
                "increase of fails_total over 5 min is 10".to_owned()
            )
        );
        // 5 -> 8, begun anew, 2 -> 6: three, two and four.
        let reset = [
            (0, "a", 5.0),
            (100, "a", 8.0),
            (200, "a", 2.0),
            (300, "a", 6.0),
        ];
        assert_eq!(judged(&reset).1, "increase of fails_total over 5 min is 9");
    }

    #[test]
    fn a_rate_is_the_growth_by_the_second_and_a_new_series_of_a_process_began_at_nothing() {
        let rate = look(Measure::Rate, Some(300), 10.0);
        let grown = samples(&[(0, "a", 5.0), (300, "a", 35.0)]);
        let judgement = judge_metrics(&rate, &grown);
        assert_eq!(judgement.found, "rate of fails_total over 5 min is 0.1");
        let increase = look(Measure::Increase, Some(300), 100.0);
        let mut grown = grown;
        grown[1].series.insert("code=500".to_owned(), 4.0);
        let judgement = judge_metrics(&increase, &grown);
        assert_eq!(judgement.found, "increase of fails_total over 5 min is 34");
        grown[1].process = Some("b".to_owned());
        let judgement = judge_metrics(&increase, &grown);
        assert_eq!(
            judgement.found, "increase of fails_total over 5 min is 0",
            "another process may be an old one"
        );
    }

    #[test]
    fn several_workers_that_answer_in_turn_are_counters_of_their_own() {
        let look = look(Measure::Increase, Some(300), 10.0);
        let turns = [
            (0, "a", 100.0),
            (100, "b", 5.0),
            (200, "a", 103.0),
            (300, "b", 7.0),
        ];
        let judgement = judge_metrics(&look, &samples(&turns));
        assert_eq!(judgement.found, "increase of fails_total over 5 min is 5");
    }

    #[test]
    fn out_of_bounds_is_pending_until_it_has_lasted() {
        let mut look = look(Measure::Value, None, 1.5);
        look.for_s = 600;
        let verdict = |rows: &[(i64, &str, f64)]| {
            let judgement = judge_metrics(&look, &samples(rows));
            (judgement.verdict, judgement.found)
        };
        let short = [(0, "a", 1.0), (300, "a", 2.0), (600, "a", 2.0)];
        assert_eq!(
            verdict(&short),
            (
                Verdict::Unknown,
                "bad for 5 min of 10 min: fails_total is 2".to_owned()
            )
        );
        let long = [(0, "a", 2.0), (300, "a", 3.0), (600, "a", 2.0)];
        assert_eq!(
            verdict(&long),
            (Verdict::Fail, "fails_total is 2, for 10 min".to_owned())
        );
        let back = [(0, "a", 2.0), (300, "a", 1.0), (600, "a", 2.0)];
        assert_eq!(verdict(&back).0, Verdict::Unknown);
        assert_eq!(verdict(&[(0, "a", 1.5)]).0, Verdict::Ok);
    }

    const EXPOSITION: &str = "\
# HELP process_start_time_seconds Start time
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.7e+09
# TYPE fails_total counter
fails_total{method=\"GET\"} 3.0
fails_total{method=\"POST\"} 4.0
# TYPE latency_seconds histogram
latency_seconds_bucket{le=\"0.5\"} 0
latency_seconds_bucket{le=\"1.0\"} 50
latency_seconds_bucket{le=\"2.0\"} 100
latency_seconds_bucket{le=\"+Inf\"} 100
latency_seconds_sum 120
latency_seconds_count 100
";

    #[test]
    fn an_exposition_is_read_by_name_and_labels() {
        let mut look = look(Measure::Value, None, 1.0);
        let sample = read_sample(&look, EXPOSITION, 7).unwrap();
        assert_eq!(sample.process.as_deref(), Some("1700000000"));
        assert!((sample.series.values().sum::<f64>() - 7.0).abs() < 1e-9);
        look.labels.insert("method".to_owned(), "POST".to_owned());
        let sample = read_sample(&look, EXPOSITION, 7).unwrap();
        assert_eq!(
            sample.series.into_iter().collect::<Vec<_>>(),
            [("method=POST".to_owned(), 4.0)]
        );
        look.metric = "nothing".to_owned();
        assert!(read_sample(&look, EXPOSITION, 7).is_err());
    }

    #[test]
    fn a_quantile_lies_between_the_bounds_of_its_bucket() {
        let mut look = look(Measure::Quantile, Some(300), 1.5);
        look.metric = "latency_seconds".to_owned();
        look.quantile = Some(0.95);
        let mut first = read_sample(&look, EXPOSITION, 0).unwrap();
        for value in first.series.values_mut() {
            *value = 0.0;
        }
        let last = read_sample(&look, EXPOSITION, 300_000).unwrap();
        let judgement = judge_metrics(&look, &[first.clone(), last]);
        // The 95th of a hundred is the 45th of the fifty between 1 and 2.
        assert_eq!(
            judgement.found,
            "quantile 0.95 of latency_seconds over 5 min is 1.9, for 0 s"
        );
        assert_eq!(judgement.verdict, Verdict::Fail);
        let still = Sample {
            at_ms: 300_000,
            ..first.clone()
        };
        assert_eq!(
            judge_metrics(&look, &[first, still]).verdict,
            Verdict::Unknown
        );
    }
}
