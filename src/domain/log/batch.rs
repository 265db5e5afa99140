//! Lines that came together: one text, and what each of its lines says.

use super::level::Level;
use super::parse::parse_line;
use super::source::SourceId;
use serde::Serialize;

/// One line of a batch.
#[derive(Debug, Clone, Copy)]
struct Meta {
    start: u32,
    end: u32,
    /// UTC ms; `i64::MIN` for unknown.
    at_ms: i64,
    /// 0 for none.
    status: u16,
    source: u16,
    level: Level,
}

/// Lines in the order they came, of one source or of several. Sources go by number: who holds the
/// batch knows their names.
#[derive(Debug, Clone, Default)]
pub struct LogBatch {
    text: String,
    lines: Vec<Meta>,
}

/// A line inside its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRef<'b> {
    /// UTC ms, where the line says.
    pub at_ms: Option<i64>,
    /// How bad it is.
    pub level: Level,
    /// Number of its source.
    pub source: u16,
    /// The HTTP status it tells of.
    pub status: Option<u16>,
    /// The whole line, as it was written.
    pub text: &'b str,
}

/// A line by itself, for those who show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Counts all lines since start; stays the same while the line is kept.
    pub no: u64,
    /// UTC ms, where the line says.
    pub at_ms: Option<i64>,
    /// How bad it is.
    pub level: Level,
    /// Where it came from.
    pub source: SourceId,
    /// The HTTP status it tells of.
    pub status: Option<u16>,
    /// The whole line, as it was written.
    pub text: String,
}

impl LogBatch {
    /// Reads lines that were admitted already. A text longer than 4 GiB is cut off there.
    pub fn read(text: String, source: u16, east_ms: Option<i64>) -> Self {
        let mut batch = Self {
            lines: Vec::with_capacity(text.len() / 128 + 1),
            text: String::new(),
        };
        let mut start = 0_usize;
        for line in text.split_terminator('\n') {
            let end = start + line.len();
            let (Ok(from), Ok(to)) = (u32::try_from(start), u32::try_from(end)) else {
                break;
            };
            let parsed = parse_line(line, east_ms);
            batch.lines.push(Meta {
                start: from,
                end: to,
                at_ms: parsed.at_ms.unwrap_or(i64::MIN),
                status: parsed.status.unwrap_or(0),
                source,
                level: parsed.level,
            });
            start = end + 1;
        }
        batch.text = text;
        batch
    }

    /// Lines in it.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Memory it takes.
    pub fn bytes(&self) -> usize {
        self.text.capacity() + self.lines.capacity() * size_of::<Meta>() + size_of::<Self>()
    }

    /// A line by its place.
    pub fn line(&self, index: usize) -> Option<LineRef<'_>> {
        self.lines.get(index).map(|meta| self.show(meta))
    }

    /// Its lines in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = LineRef<'_>> + ExactSizeIterator {
        self.lines.iter().map(|meta| self.show(meta))
    }

    fn show(&self, meta: &Meta) -> LineRef<'_> {
        LineRef {
            at_ms: Some(meta.at_ms).filter(|at| *at != i64::MIN),
            level: meta.level,
            source: meta.source,
            status: Some(meta.status).filter(|status| *status != 0),
            text: &self.text[meta.start as usize..meta.end as usize],
        }
    }

    /// Takes a line over, as it is.
    pub fn push(&mut self, line: LineRef<'_>) {
        let (Ok(start), Ok(end)) = (
            u32::try_from(self.text.len()),
            u32::try_from(self.text.len() + line.text.len()),
        ) else {
            return;
        };
        self.text.push_str(line.text);
        self.lines.push(Meta {
            start,
            end,
            at_ms: line.at_ms.unwrap_or(i64::MIN),
            status: line.status.unwrap_or(0),
            source: line.source,
            level: line.level,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_line_by_line_and_kept_as_it_is() {
        let text = "2026-11-21T12:00:00Z WARN x y\n\nplain 宿\nno end".to_owned();
        let batch = LogBatch::read(text, 3, None);
        let lines: Vec<_> = batch.iter().map(|line| line.text).collect();
        assert_eq!(
            lines,
            ["2026-11-21T12:00:00Z WARN x y", "", "plain 宿", "no end"]
        );
        let first = batch.line(0).unwrap();
        assert_eq!(
            (first.level, first.source, first.status),
            (Level::Warn, 3, None)
        );
        assert!(first.at_ms.is_some() && batch.line(2).unwrap().at_ms.is_none());
        assert!(batch.line(4).is_none());
        assert!(LogBatch::read(String::new(), 0, None).is_empty());
    }

    #[test]
    fn a_line_taken_over_stays_the_same() {
        let from = LogBatch::read(
            "a\n10.0.0.9 - - [21/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 502 1\n".to_owned(),
            1,
            None,
        );
        let mut to = LogBatch::read("first\n".to_owned(), 2, None);
        for line in from.iter() {
            to.push(line);
        }
        assert_eq!(
            to.iter().skip(1).collect::<Vec<_>>(),
            from.iter().collect::<Vec<_>>()
        );
        assert_eq!(to.line(0).unwrap().text, "first");
    }
}
