//! A runbook's Markdown in the pieces that matter: front matter, headings, prose as plain text, and
//! the fenced blocks that are steps.

use pulldown_cmark::{
    CodeBlockKind, Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd,
};
use std::ops::Range;

/// The words of blocks that are steps.
pub(super) const STEPS: [&str; 4] = ["look", "ask", "do", "watch"];

/// A piece, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// The TOML between the lines of `+++`.
    Front(Range<usize>),
    /// A heading.
    Heading(String),
    /// Prose.
    Prose(String),
    /// A step: its word, where its block begins, where its TOML stands.
    Step(&'static str, Range<usize>, Range<usize>),
}

/// Takes a text apart.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let options = Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS | Options::ENABLE_TABLES;
    let mut taken = Taken::default();
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        taken.event(event, range);
    }
    taken.flush();
    taken.pieces
}

/// What a code block or front matter that is open is.
enum Open {
    Front,
    Step(&'static str, Range<usize>),
    /// Shown as it is.
    Plain,
}

#[derive(Default)]
struct Taken {
    pieces: Vec<Piece>,
    prose: String,
    heading: Option<String>,
    open: Option<Open>,
    inner: Option<Range<usize>>,
    lists: Vec<Option<u64>>,
}

impl Taken {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::MetadataBlock(MetadataBlockKind::PlusesStyle)) => {
                self.open = Some(Open::Front);
                self.inner = None;
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                self.open = Some(opened(&kind, range));
                self.inner = None;
            }
            Event::End(TagEnd::MetadataBlock(_) | TagEnd::CodeBlock) => self.close(),
            Event::Start(Tag::Heading { level, .. }) => {
                self.flush();
                // The first heading of a file is its title again: everything under it counts.
                self.heading = (level != HeadingLevel::H1).then(String::new);
                if self.heading.is_none() {
                    self.heading = Some("\0".to_owned());
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some(heading) = self.heading.take().filter(|text| !text.starts_with('\0')) {
                    self.pieces.push(Piece::Heading(heading));
                }
            }
            Event::Text(words) => self.text(&words, range),
            Event::Code(words) => self.say(&format!("`{words}`")),
            Event::SoftBreak => self.say(" "),
            Event::HardBreak => self.say("\n"),
            Event::Start(Tag::List(first)) => self.lists.push(first),
            Event::End(TagEnd::List(_)) => {
                self.lists.pop();
                self.line();
            }
            Event::Start(Tag::Item) => {
                self.line();
                let depth = "  ".repeat(self.lists.len().saturating_sub(1));
                let sign = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.prose.push_str(&depth);
                self.prose.push_str(&sign);
            }
            Event::End(TagEnd::Paragraph) if self.lists.is_empty() => {
                self.line();
                self.prose.push('\n');
            }
            Event::End(TagEnd::TableCell) => self.say("  "),
            Event::End(TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead) => self.line(),
            _ => {}
        }
    }

    fn text(&mut self, words: &str, range: Range<usize>) {
        match &self.open {
            Some(Open::Front | Open::Step(..)) => {
                let start = self.inner.as_ref().map_or(range.start, |inner| inner.start);
                self.inner = Some(start..range.end);
            }
            Some(Open::Plain) => {
                for line in words.lines() {
                    self.prose.push_str("    ");
                    self.prose.push_str(line);
                    self.prose.push('\n');
                }
            }
            None => self.say(words),
        }
    }

    fn say(&mut self, words: &str) {
        match &mut self.heading {
            Some(heading) => heading.push_str(words),
            None => self.prose.push_str(words),
        }
    }

    fn line(&mut self) {
        if !self.prose.is_empty() && !self.prose.ends_with('\n') {
            self.prose.push('\n');
        }
    }

    fn close(&mut self) {
        let inner = self.inner.take();
        match self.open.take() {
            Some(Open::Front) => {
                let range = inner.unwrap_or(0..0);
                self.pieces.push(Piece::Front(range));
            }
            Some(Open::Step(word, whole)) => {
                self.flush();
                let inner = inner.unwrap_or(whole.end..whole.end);
                self.pieces.push(Piece::Step(word, whole, inner));
            }
            Some(Open::Plain) => self.prose.push('\n'),
            None => {}
        }
    }

    fn flush(&mut self) {
        let prose = std::mem::take(&mut self.prose);
        let prose = prose.trim();
        if !prose.is_empty() {
            self.pieces
                .push(Piece::Prose(crate::text::clean_text(prose)));
        }
    }
}

fn opened(kind: &CodeBlockKind<'_>, range: Range<usize>) -> Open {
    let CodeBlockKind::Fenced(info) = kind else {
        return Open::Plain;
    };
    let word = info.split_whitespace().next().unwrap_or_default();
    match STEPS.iter().find(|step| **step == word) {
        Some(step) => Open::Step(step, range),
        None => Open::Plain,
    }
}

/// The text with everything but a part blanked out, so that what is read of the part stands where it
/// stands in the whole.
pub(super) fn blanked(text: &str, part: &Range<usize>) -> String {
    let mut out = String::with_capacity(part.end);
    for byte in text.bytes().take(part.start) {
        out.push(if byte == b'\n' { '\n' } else { ' ' });
    }
    out.push_str(text.get(part.clone()).unwrap_or_default());
    out
}
