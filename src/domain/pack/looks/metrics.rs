//! Prometheus metrics over a window of samples.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is made of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// The newest value, series added up.
    Value,
    /// How much a counter grew in the window.
    Increase,
    /// The same, a second.
    Rate,
    /// A quantile of a histogram's growth in the window.
    Quantile,
}

/// One metric and its bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsLook {
    /// Absolute URL of the exposition.
    pub url: String,
    /// Name of the metric; of a histogram without `_bucket`.
    pub metric: String,
    /// Labels that its series must have.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What is made of it.
    pub measure: Measure,
    /// Seconds looked back; all but `value` need it.
    #[serde(default)]
    pub window_s: Option<u64>,
    /// Which quantile, above 0 and below 1.
    #[serde(default)]
    pub quantile: Option<f64>,
    /// The least it may be.
    #[serde(default)]
    pub min: Option<f64>,
    /// The greatest it may be.
    #[serde(default)]
    pub max: Option<f64>,
    /// Seconds it must be out of bounds before that is a fault.
    #[serde(default)]
    pub for_s: u64,
}

/// Longest window: samples are kept as long.
const LONGEST: u64 = 24 * 3600;

impl Kind for MetricsLook {
    const NEEDS: Needs = Needs::Anywhere;
    const REQUIRED: &'static [&'static str] = &["url", "metric", "measure"];
    const FACTS: &'static [&'static str] = &["value"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        rules.url("url", &self.url);
        if self.min.is_none() && self.max.is_none() {
            rules.nothing("`min` or `max`");
        }
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min > max
        {
            rules.fault("`min` is above `max`", "swap them");
        }
        let windowed = self.measure != Measure::Value;
        match self.window_s {
            None if windowed => {
                rules.fault("there is no window to look back", "add `window_s = 300`");
            }
            Some(_) if !windowed => rules.fault("`value` has no window", "leave `window_s` out"),
            Some(window) if !(10..=LONGEST).contains(&window) => {
                rules.fault("`window_s` is out of range", format!("10 to {LONGEST}"));
            }
            _ => {}
        }
        let quantile = self.measure == Measure::Quantile;
        match self.quantile {
            None if quantile => rules.fault("which quantile is not said", "add `quantile = 0.95`"),
            Some(_) if !quantile => {
                rules.fault("`quantile` belongs to measure `quantile`", "leave it out");
            }
            Some(part) if !(part > 0.0 && part < 1.0) => {
                rules.fault("`quantile` is out of range", "above 0 and below 1");
            }
            _ => {}
        }
        if self.for_s > LONGEST {
            rules.fault("`for_s` is out of range", format!("at most {LONGEST}"));
        }
    }
}
