//! A screen without a terminal, and its cells as text: what stands where, and how it looks.

use super::fleet;
use crate::app::App;
use crate::keymap::Keymap;
use crate::msg::{Effect, Msg, Ticket};
use crate::setup::Setup;
use crate::theme::{Role, Theme};
use cockpit_domain::ids::JobId;
use cockpit_engine::command::Answer;
use cockpit_engine::failure::Outcome;
use cockpit_engine::supervisor::Snapshot;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Style};
use std::fmt::Write;
use std::sync::Arc;
use unicode_width::UnicodeWidthStr;

/// A screen of a fixed size at a fixed time.
pub(super) struct Screen {
    app: App,
    theme: Theme,
    size: (u16, u16),
    now: i64,
    /// The question asked last.
    asked: Option<Ticket>,
}

impl Screen {
    pub(super) fn new(size: (u16, u16), snapshot: Snapshot) -> Self {
        Self::with(size, snapshot, |_| {})
    }

    /// A screen whose settings are not the usual ones.
    pub(super) fn with(
        size: (u16, u16),
        snapshot: Snapshot,
        change: impl FnOnce(&mut Setup),
    ) -> Self {
        let mut setup = fleet::setup();
        change(&mut setup);
        let theme = Theme::named(&setup.theme).unwrap();
        let now = fleet::now();
        let (keymap, _) = Keymap::new(&[]);
        let mut app = App::new(setup, keymap, Arc::new(snapshot), now);
        app.update(now, Msg::Resize(size.0, size.1));
        Self {
            app,
            theme,
            size,
            now,
            asked: None,
        }
    }

    /// Gives the screen a message.
    pub(super) fn tell(mut self, msg: Msg) -> Self {
        for effect in self.app.update(self.now, msg) {
            if let Effect::Send(ticket, _) = effect {
                self.asked = Some(ticket);
            }
        }
        self
    }

    /// Presses keys: letters as they are, `\r` Enter, `\t` Tab, `\x1b` Esc.
    pub(super) fn keys(mut self, keys: &str) -> Self {
        for key in keys.chars() {
            let code = match key {
                '\r' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '\x1b' => KeyCode::Esc,
                key => KeyCode::Char(key),
            };
            self = self.tell(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        }
        self
    }

    /// Answers the question asked last.
    pub(super) fn answer(mut self, answer: Outcome<Answer>) -> Self {
        let ticket = self.asked.take().expect("nothing was asked");
        self.tell(Msg::Answered(ticket, Box::new(answer)))
    }

    /// Answers the question asked before the last one.
    pub(super) fn answer_before(self, answer: Outcome<Answer>) -> Self {
        let ticket = self.asked.expect("nothing was asked") - 1;
        self.tell(Msg::Answered(ticket, Box::new(answer)))
    }

    /// Gives the question asked last its job.
    pub(super) fn started(self, job: i64) -> Self {
        let ticket = self.asked.expect("nothing was asked");
        self.tell(Msg::Started(ticket, JobId(job)))
    }

    /// The terminal has another size.
    pub(super) fn resized(mut self, size: (u16, u16)) -> Self {
        self.size = size;
        self.tell(Msg::Resize(size.0, size.1))
    }

    /// Time goes on.
    pub(super) fn later(mut self, minutes: i64) -> Self {
        self.now += minutes * 60_000;
        self.tell(Msg::Tick)
    }

    /// The dialog in front has been read for a second.
    pub(super) fn read(mut self) -> Self {
        self = self.tell(Msg::Drawn);
        self.now += 1_000;
        self
    }

    pub(super) fn theme(mut self, name: &str) -> Self {
        self.theme = Theme::named(name).unwrap();
        self.keys(&format!(":theme {name}\r"))
    }

    pub(super) fn buffer(&self) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| self.app.draw(frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// What stands in every row.
    pub(super) fn rows(&self) -> Vec<String> {
        rows(&self.buffer(), |cell| cell.symbol().to_owned())
    }

    /// How it looks, one letter a cell.
    pub(super) fn looks(&self) -> Vec<String> {
        rows(&self.buffer(), |cell| look(&self.theme, cell))
    }

    /// What stands from a text's row on, as far as two screens may differ in it.
    pub(super) fn row_with(&self, text: &str) -> String {
        let rows = self.rows();
        let found = rows.iter().find(|row| row.contains(text));
        found
            .unwrap_or_else(|| panic!("no `{text}` in\n{}", rows.join("\n")))
            .clone()
    }
}

fn rows(buffer: &Buffer, say: impl Fn(&Cell) -> String) -> Vec<String> {
    let area = buffer.area;
    (0..area.height)
        .map(|y| {
            let (mut row, mut x) = (String::new(), 0);
            while x < area.width {
                let cell = &buffer[(x, y)];
                let wide = u16::try_from(cell.symbol().width()).unwrap().max(1);
                let said = say(cell);
                row.push_str(&said);
                // A letter for the look of a wide character stands for both its cells.
                let missing = usize::from(wide).saturating_sub(said.width());
                row.extend(std::iter::repeat_n(' ', missing));
                x += wide;
            }
            row.trim_end().to_owned()
        })
        .collect()
}

/// Letters for looks; what looks alike in a theme has the letter of the first.
const LETTERS: [(Role, char); 20] = [
    (Role::Text, '-'),
    (Role::Muted, '.'),
    (Role::Title, 'T'),
    (Role::Focus, 'F'),
    (Role::Selection, 'S'),
    (Role::Key, 'k'),
    (Role::Ok, '+'),
    (Role::Warn, '~'),
    (Role::Fail, 'x'),
    (Role::Unreachable, '/'),
    (Role::Unknown, '?'),
    (Role::Warming, '>'),
    (Role::Drifted, 'd'),
    (Role::Waived, '='),
    (Role::Create, 'c'),
    (Role::Change, 'g'),
    (Role::Remove, 'r'),
    (Role::Attention, '!'),
    (Role::Armed, 'A'),
    (Role::Lab, 'L'),
];

fn look(theme: &Theme, cell: &Cell) -> String {
    let seen = |style: Style| {
        let colour = |colour: Option<Color>| colour.unwrap_or(Color::Reset);
        let (ink, ground) = (colour(style.fg), colour(style.bg));
        (ink, ground, style.add_modifier)
    };
    let style = seen(cell.style());
    if cell.symbol().trim().is_empty() && style == seen(Style::new()) {
        return " ".to_owned();
    }
    let letter = LETTERS
        .iter()
        .find(|(role, _)| seen(theme.style(*role)) == style);
    letter.map_or('*', |(_, letter)| *letter).to_string()
}

/// Frames one below the other, each with a line that says what it shows.
#[derive(Default)]
pub(super) struct Album(String);

impl Album {
    pub(super) fn add(mut self, caption: &str, screen: &Screen) -> Self {
        self.put(caption, screen.size, &screen.rows());
        self
    }

    /// The frame and, below it, how it looks.
    pub(super) fn add_looks(mut self, caption: &str, screen: &Screen) -> Self {
        self.put(caption, screen.size, &screen.rows());
        self.put("its looks", screen.size, &screen.looks());
        self
    }

    fn put(&mut self, caption: &str, (wide, high): (u16, u16), rows: &[String]) {
        writeln!(self.0, "== {wide}x{high}: {caption} ==").unwrap();
        let mut at = 0;
        while at < rows.len() {
            let row = &rows[at];
            let alike = rows[at..].iter().take_while(|other| *other == row).count();
            writeln!(self.0, "{row}").unwrap();
            if alike > 2 {
                writeln!(self.0, "({} more such rows)", alike - 1).unwrap();
                at += alike;
            } else {
                at += 1;
            }
        }
        writeln!(self.0, "== end ==\n").unwrap();
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}
