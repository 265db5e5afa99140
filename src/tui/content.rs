//! What a page shows: a few lines of head, then a list or a text. Panes turn what is known into
//! this; moving, filtering, copying and drawing are the same for all.

use crate::place::Place;
use crate::theme::Role;
use ratatui::text::{Line, Span};

/// A piece of text with its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// What it says.
    pub text: String,
    /// What it means.
    pub role: Role,
}

impl Cell {
    /// A piece of text.
    pub(crate) fn new(text: impl Into<String>, role: Role) -> Self {
        Self {
            text: text.into(),
            role,
        }
    }

    /// Ordinary text.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Role::Text)
    }

    /// Less important text.
    pub(crate) fn muted(text: impl Into<String>) -> Self {
        Self::new(text, Role::Muted)
    }
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// As wide as its widest cell, within bounds.
    Fit(u16, u16),
    /// Takes what is left, at least so much.
    Grow(u16),
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    /// Key of its title in the catalogues; empty for none.
    pub title: &'static str,
    /// How wide.
    pub width: Width,
    /// Dropped first when room is short is the highest; 0 is never dropped.
    pub drop: u8,
    /// Whether numbers stand at its right edge.
    pub right: bool,
    /// Whether its cells are rows of marks, each in its own colour.
    pub marks: bool,
}

impl Column {
    /// A column that fits its cells.
    pub(crate) const fn fit(title: &'static str, min: u16, max: u16, drop: u8) -> Self {
        Self {
            title,
            width: Width::Fit(min, max),
            drop,
            right: false,
            marks: false,
        }
    }

    /// A column that takes what is left.
    pub(crate) const fn grow(title: &'static str, min: u16, drop: u8) -> Self {
        Self {
            title,
            width: Width::Grow(min),
            drop,
            right: false,
            marks: false,
        }
    }

    /// With a row of marks in each cell.
    #[must_use]
    pub(crate) const fn marks(mut self) -> Self {
        self.marks = true;
        self
    }

    /// With its cells at the right edge.
    #[must_use]
    pub(crate) const fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its identity: selection follows it through refresh, sort and filter.
    pub id: String,
    /// One cell a column.
    pub cells: Vec<Cell>,
    /// Whether "only what is broken" keeps it.
    pub broken: bool,
    /// The page behind it.
    pub opens: Option<Place>,
    /// What `y` copies: a name that can be used elsewhere.
    pub copy: String,
    /// Text that the filter sees beside the cells.
    pub hidden: String,
    /// Whether it names the rows below it: its cells stand one after the other, over all columns.
    pub heading: bool,
    /// Whether the rows below it are folded away.
    pub folded: bool,
}

impl Row {
    /// A row with the usual: not broken, opens nothing, copies its identity.
    pub(crate) fn new(id: impl Into<String>, cells: Vec<Cell>) -> Self {
        let id = id.into();
        Self {
            copy: id.clone(),
            id,
            cells,
            broken: false,
            opens: None,
            hidden: String::new(),
            heading: false,
            folded: false,
        }
    }

    /// A line over the rows that follow it. While they are folded away it stands for them.
    pub(crate) fn heading(id: impl Into<String>, cells: Vec<Cell>, folded: bool) -> Self {
        Self {
            heading: true,
            folded,
            ..Self::new(id, cells)
        }
    }

    /// Whether the selection can stand on it.
    pub(crate) fn is_selectable(&self) -> bool {
        !self.heading || self.folded
    }

    /// Marks it as broken.
    #[must_use]
    pub(crate) fn broken(mut self, broken: bool) -> Self {
        self.broken = broken;
        self
    }

    /// With the page behind it.
    #[must_use]
    pub(crate) fn opens(mut self, place: Place) -> Self {
        self.opens = Some(place);
        self
    }

    /// With what `y` copies.
    #[must_use]
    pub(crate) fn copies(mut self, text: impl Into<String>) -> Self {
        self.copy = text.into();
        self
    }

    /// With text that only the filter sees.
    #[must_use]
    pub(crate) fn hidden(mut self, text: impl Into<String>) -> Self {
        self.hidden = text.into();
        self
    }

    /// The row as a line of a text page.
    pub(crate) fn note(&self) -> Note {
        let mut note: Note = self
            .cells
            .iter()
            .filter(|cell| !cell.text.is_empty())
            .flat_map(|cell| [cell.clone(), Cell::plain(" ")])
            .collect();
        // The last piece is the one that wraps.
        drop(note.pop());
        note
    }

    /// The row as one line of text, for copying.
    pub(crate) fn line(&self) -> String {
        let cells: Vec<&str> = self
            .cells
            .iter()
            .map(|cell| cell.text.trim())
            .filter(|text| !text.is_empty())
            .collect();
        cells.join("  ")
    }
}

/// A list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct List {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, in order.
    pub rows: Vec<Row>,
    /// Said when there is no row: what that means, and what to do.
    pub empty: Vec<Note>,
}

/// A line of pieces.
pub(crate) type Note = Vec<Cell>;

/// What stands below the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// Rows.
    List(List),
    /// A text, wrapped where it is too wide.
    Text(Vec<Note>),
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// Lines above the body that do not scroll.
    pub head: Vec<Note>,
    /// Names of the page's sections, when it has more than one.
    pub sections: Vec<String>,
    /// What scrolls.
    pub body: Body,
}

impl Content {
    /// A page that is a list.
    pub(crate) fn list(list: List) -> Self {
        Self {
            head: Vec::new(),
            sections: Vec::new(),
            body: Body::List(list),
        }
    }

    /// A page that is a text.
    pub(crate) fn text(lines: Vec<Note>) -> Self {
        Self {
            head: Vec::new(),
            sections: Vec::new(),
            body: Body::Text(lines),
        }
    }

    /// With lines above.
    #[must_use]
    pub(crate) fn head(mut self, head: Vec<Note>) -> Self {
        self.head = head;
        self
    }
}

/// One piece as a line.
pub(crate) fn note(text: impl Into<String>, role: Role) -> Note {
    vec![Cell::new(text, role)]
}

/// A line that is cut where it is too wide, never wrapped: what is to be copied has to stay valid. Its
/// last piece, the one that would wrap, is empty.
pub(crate) fn whole(text: impl Into<String>, role: Role) -> Note {
    vec![Cell::new(text, role), Cell::plain("")]
}

/// `label  value`, the label in a column of its own.
pub(crate) fn field(label: &str, value: impl Into<String>, role: Role) -> Note {
    vec![
        Cell::muted(crate::widgets::fit(label, 10)),
        Cell::new(value, role),
    ]
}

/// A line for the terminal.
pub(crate) fn line(note: &Note, theme: &crate::theme::Theme) -> Line<'static> {
    Line::from(
        note.iter()
            .map(|cell| Span::styled(cell.text.clone(), theme.style(cell.role)))
            .collect::<Vec<_>>(),
    )
}
