//! What benches share: how much is asked for, medians with their spread, and how busy the machine was.

/// A number from the environment.
pub(crate) fn asked(name: &str, default: usize) -> usize {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Median, least and most.
pub(crate) fn spread(mut all: Vec<f64>) -> String {
    all.sort_by(f64::total_cmp);
    let (least, most) = (all[0], all[all.len() - 1]);
    format!("{:.2} ({least:.2} to {most:.2})", all[all.len() / 2])
}

/// The machine's load over the last minute; unknown where nobody says it.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.unwrap_or("unknown").to_owned()
}
