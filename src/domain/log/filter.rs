//! Which lines are wanted.

use super::batch::LineRef;
use super::level::Level;
use super::source::SourceId;
use regex::{Regex, RegexBuilder};
use std::collections::BTreeSet;

/// What a person asks for; empty takes everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// A piece of text, in whatever case; empty takes all.
    pub text: String,
    /// No line below it.
    pub floor: Option<Level>,
    /// Of these sources only.
    pub sources: Option<BTreeSet<SourceId>>,
}

impl LogFilter {
    /// Whether it takes everything.
    pub fn is_open(&self) -> bool {
        self.text.is_empty()
            && self.sources.is_none()
            && self.floor.is_none_or(|floor| floor.rank() == 0)
    }
}

/// A filter made ready for many lines.
#[derive(Debug, Clone)]
pub struct LineMatcher {
    is_open: bool,
    floor: u8,
    /// By number; `None` takes all.
    sources: Option<Vec<bool>>,
    text: Option<Regex>,
}

impl LineMatcher {
    /// Makes a filter ready; `names` are the sources by number.
    pub fn new(filter: &LogFilter, names: &[SourceId]) -> Self {
        let wanted = |sources: &BTreeSet<SourceId>| {
            names.iter().map(|name| sources.contains(name)).collect()
        };
        let text = RegexBuilder::new(&regex::escape(&filter.text))
            .case_insensitive(true)
            .build();
        Self {
            is_open: filter.is_open(),
            floor: filter.floor.map_or(0, Level::rank),
            sources: filter.sources.as_ref().map(wanted),
            // A text too long to be searched for is found nowhere near a log either.
            text: text.ok().filter(|_| !filter.text.is_empty()),
        }
    }

    /// Whether it takes everything.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether a line is wanted.
    pub fn takes(&self, line: &LineRef<'_>) -> bool {
        let of_source = |wanted: &Vec<bool>| wanted.get(usize::from(line.source)) == Some(&true);
        line.level.rank() >= self.floor
            && self.sources.as_ref().is_none_or(of_source)
            && self
                .text
                .as_ref()
                .is_none_or(|text| text.is_match(line.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LogBatch;

    fn taken(filter: &LogFilter) -> Vec<String> {
        let names = [
            SourceId::new("front").unwrap(),
            SourceId::new("app").unwrap(),
        ];
        let matcher = LineMatcher::new(filter, &names);
        let mut batch = LogBatch::read(
            "2026/11/21 20:00:00 [error] Connection refused\nplain\n".to_owned(),
            0,
            None,
        );
        let app = LogBatch::read(
            "time=2026-11-21T12:00:00Z level=DEBUG msg=a.b\n".to_owned(),
            1,
            None,
        );
        app.iter().for_each(|line| batch.push(line));
        batch
            .iter()
            .filter(|line| matcher.takes(line))
            .map(|line| line.text.split(' ').next_back().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_filter_asks_for_text_level_and_source_together() {
        let all = LogFilter::default();
        assert!(all.is_open());
        assert_eq!(taken(&all), ["refused", "plain", "msg=a.b"]);
        let text = |text: &str| LogFilter {
            text: text.to_owned(),
            ..LogFilter::default()
        };
        assert_eq!(taken(&text("CONNECTION")), ["refused"]);
        assert_eq!(taken(&text("a.b")), ["msg=a.b"]);
        assert_eq!(taken(&text("a+b")), Vec::<String>::new());
        let floor = |floor| LogFilter {
            floor: Some(floor),
            ..LogFilter::default()
        };
        assert!(floor(Level::Trace).is_open());
        assert_eq!(taken(&floor(Level::Info)), ["refused", "plain"]);
        assert_eq!(taken(&floor(Level::Warn)), ["refused"]);
        let app = LogFilter {
            sources: Some(BTreeSet::from([SourceId::new("app").unwrap()])),
            ..floor(Level::Debug)
        };
        assert_eq!(taken(&app), ["msg=a.b"]);
    }
}
