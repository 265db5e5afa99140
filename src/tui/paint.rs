//! Frames as bytes: only what changed since the last one, nothing at all when nothing did, and never
//! a question to the terminal. Writes to memory; `terminal.rs` carries it out.

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::io;

/// How a run of cells ends, and what of it does all.
const PLAIN_AGAIN: &[u8] = b"\x1b[39m\x1b[49m\x1b[59m\x1b[0m";
const PLAIN: &[u8] = b"\x1b[0m";

/// What stands between ratatui and the line to the terminal.
#[derive(Debug)]
pub(crate) struct Paint {
    bytes: Vec<u8>,
    size: Size,
}

impl Paint {
    /// For a terminal of a size whose cursor is hidden.
    pub(crate) fn new(size: (u16, u16)) -> Self {
        Self {
            bytes: Vec::new(),
            size: size.into(),
        }
    }

    /// The terminal has another size.
    pub(crate) fn resize(&mut self, size: (u16, u16)) {
        self.size = size.into();
    }

    /// What has to be written, once.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Something of ours to be written with the next frame.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

impl Backend for Paint {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        CrosstermBackend::new(&mut self.bytes).draw(content)?;
        // The last of these takes back what the others do.
        if let Some(front) = self.bytes.strip_suffix(PLAIN_AGAIN) {
            let front = front.len();
            self.bytes.truncate(front);
            self.bytes.extend_from_slice(PLAIN);
        }
        Ok(())
    }

    // The cursor was hidden with the opening and comes back with the last words.
    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    // Nobody looks where it is: each run of cells begins with a place.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, _position: P) -> io::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        CrosstermBackend::new(&mut self.bytes).clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::default(),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::widgets::Paragraph;

    fn drawn(screen: &mut Terminal<Paint>, text: &str) -> String {
        screen
            .draw(|frame| frame.render_widget(Paragraph::new(text), frame.area()))
            .unwrap();
        String::from_utf8(screen.backend_mut().take()).unwrap()
    }

    #[test]
    fn a_frame_is_what_changed_and_nothing_when_nothing_did() {
        let mut screen = Terminal::new(Paint::new((20, 3))).unwrap();
        assert!(drawn(&mut screen, "one\ntwo").contains("two"));
        assert_eq!(drawn(&mut screen, "one\ntwo"), "");
        let second = drawn(&mut screen, "one\ntwX");
        assert!(
            second.contains('X') && !second.contains("one"),
            "{second:?}"
        );
    }

    #[test]
    fn drawing_anew_and_resizing_ask_the_terminal_nothing() {
        let mut screen = Terminal::new(Paint::new((20, 3))).unwrap();
        drawn(&mut screen, "one");
        screen.clear().unwrap();
        assert!(drawn(&mut screen, "one").contains("one"));
        screen.backend_mut().resize((1, 1));
        let small = drawn(&mut screen, "one");
        assert!(small.contains('o') && !small.contains("one"), "{small:?}");
        screen.backend_mut().resize((20, 3));
        let anew = drawn(&mut screen, "one");
        assert!(
            anew.contains("one") && !anew.contains("\u{1b}[6n"),
            "{anew:?}"
        );
    }
}
