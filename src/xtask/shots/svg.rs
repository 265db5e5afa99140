//! A frame as an SVG picture: a terminal's window with every cell in its place, whatever font the
//! reader has. The same frame gives the same bytes.

use super::boxes;
use super::frame::{Cell, Frame, Style};
use super::palette::{Palette, Rgb};

/// One column, in pixels. The font's size is chosen so that its letters are that wide.
pub(super) const CELL_WIDTH: u32 = 9;
/// One row.
pub(super) const CELL_HEIGHT: u32 = 19;
/// From a row's top to its letters' line.
const BASELINE: u32 = 14;
const FONT_SIZE: &str = "14.95";
const BAR: u32 = 34;
const MARGIN: u32 = 12;

const FONTS: &str = "DejaVu Sans Mono,Menlo,SFMono-Regular,Consolas,Liberation Mono,monospace";
const WIDE_FONTS: &str = "Noto Sans Mono CJK SC,Noto Sans CJK SC,Source Han Sans SC,PingFang SC,\
                          Microsoft YaHei,WenQuanYi Zen Hei,sans-serif";

/// Draws a frame.
pub(super) fn draw(frame: &Frame, palette: &Palette, title: &str) -> String {
    let width = count(frame.columns()) * CELL_WIDTH + 2 * MARGIN;
    let height = BAR + count(frame.rows.len()) * CELL_HEIGHT + 2 * MARGIN;
    let mut svg = String::new();
    let out = &mut svg;
    let title = escaped(title);
    let Palette {
        paper, bar, edge, ..
    } = palette;
    line(
        out,
        &format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">"#
        ),
    );
    line(out, &format!("<title>{title}</title>"));
    line(
        out,
        &format!(
            "<style>text{{font-family:{FONTS};font-size:{FONT_SIZE}px;white-space:pre}}\
         .w{{font-family:{WIDE_FONTS};font-size:16px;text-anchor:middle}}\
         .b{{font-weight:bold}}.i{{font-style:italic}}</style>"
        ),
    );
    line(
        out,
        &format!(
            r#"<rect x=".5" y=".5" width="{}" height="{}" rx="9" fill="{paper}" stroke="{edge}"/>"#,
            width - 1,
            height - 1,
        ),
    );
    line(
        out,
        &format!(
            r#"<path d="M1 {BAR}V9.5A8.5 8.5 0 0 1 9.5 1H{}A8.5 8.5 0 0 1 {} 9.5V{BAR}Z" fill="{bar}"/>"#,
            f64::from(width) - 9.5,
            width - 1,
        ),
    );
    for (at, color) in [(20, "#f26d64"), (40, "#f0bd4f"), (60, "#5fc162")] {
        line(
            out,
            &format!(
                r#"<circle cx="{at}" cy="{}" r="6" fill="{color}"/>"#,
                BAR / 2
            ),
        );
    }
    line(
        out,
        &format!(
            r#"<text x="{}" y="{}" text-anchor="middle" fill="{}">{title}</text>"#,
            width / 2,
            BAR / 2 + 5,
            palette.title,
        ),
    );
    line(
        out,
        &format!(r#"<g transform="translate({MARGIN} {})">"#, BAR + MARGIN),
    );
    for (at, row) in frame.rows.iter().enumerate() {
        let y = count(at) * CELL_HEIGHT;
        papers(out, row, y, palette);
        inks(out, row, y, palette);
    }
    if let Some((row, column)) = frame.cursor {
        line(
            out,
            &format!(
                r#"<rect x="{}" y="{}" width="{CELL_WIDTH}" height="{CELL_HEIGHT}" fill="{}" fill-opacity=".55"/>"#,
                count(column) * CELL_WIDTH,
                count(row) * CELL_HEIGHT,
                palette.ink,
            ),
        );
    }
    line(out, "</g>\n</svg>");
    svg
}

/// What lies behind the letters: one rectangle for neighbours of one colour.
fn papers(out: &mut String, row: &[Cell], y: u32, palette: &Palette) {
    let mut column = 0;
    for part in row.chunk_by(|a, b| palette.of(&a.style).1 == palette.of(&b.style).1) {
        if let Some(paper) = part.first().and_then(|cell| palette.of(&cell.style).1) {
            line(
                out,
                &format!(
                    r#"<rect x="{}" y="{y}" width="{}" height="{CELL_HEIGHT}" fill="{paper}"/>"#,
                    column * CELL_WIDTH,
                    count(part.len()) * CELL_WIDTH,
                ),
            );
        }
        column += count(part.len());
    }
}

fn inks(out: &mut String, row: &[Cell], y: u32, palette: &Palette) {
    let mut column = 0;
    for part in row.chunk_by(|a, b| a.style == b.style) {
        let style = part.first().map_or_else(Style::default, |cell| cell.style);
        let (ink, _) = palette.of(&style);
        if style.underline {
            line(
                out,
                &format!(
                    r#"<rect x="{}" y="{}" width="{}" height="1" fill="{ink}"/>"#,
                    column * CELL_WIDTH,
                    y + BASELINE + 2,
                    count(part.len()) * CELL_WIDTH,
                ),
            );
        }
        let mut word = Word::default();
        for cell in part {
            word.take(out, cell, column, y, &style, ink);
            column += 1;
        }
        word.end(out, y, &style, ink);
    }
}

/// Letters that follow each other without two blanks between them.
#[derive(Default)]
struct Word {
    column: u32,
    text: String,
}

impl Word {
    fn take(
        &mut self,
        out: &mut String,
        cell: &Cell,
        column: u32,
        y: u32,
        style: &Style,
        ink: Rgb,
    ) {
        let x = column * CELL_WIDTH;
        let mut letters = cell.text.chars();
        let shape = match (letters.next(), letters.next()) {
            (Some(letter), None) => boxes::shape(letter, x, y, &ink.to_string()),
            _ => None,
        };
        if let Some(shape) = shape {
            self.end(out, y, style, ink);
            line(out, &shape);
        } else if cell.width == 2 {
            self.end(out, y, style, ink);
            line(
                out,
                &format!(
                    r#"<text class="w{}" x="{}" y="{}" fill="{ink}">{}</text>"#,
                    classes(style, " "),
                    x + CELL_WIDTH,
                    y + BASELINE,
                    escaped(&cell.text),
                ),
            );
        } else if cell.text == " " && (self.text.is_empty() || self.text.ends_with(' ')) {
            self.end(out, y, style, ink);
        } else if cell.width == 1 {
            if self.text.is_empty() {
                self.column = column;
            }
            self.text.push_str(&cell.text);
        }
    }

    fn end(&mut self, out: &mut String, y: u32, style: &Style, ink: Rgb) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        let classes = classes(style, "");
        let class = if classes.is_empty() {
            String::new()
        } else {
            format!(r#"class="{classes}" "#)
        };
        let length = count(text.chars().count()) * CELL_WIDTH;
        line(
            out,
            &format!(
                r#"<text {class}x="{}" y="{}" textLength="{length}" lengthAdjust="spacingAndGlyphs" fill="{ink}">{}</text>"#,
                self.column * CELL_WIDTH,
                y + BASELINE,
                escaped(text),
            ),
        );
    }
}

fn classes(style: &Style, before: &str) -> String {
    let mut classes = Vec::new();
    if style.bold {
        classes.push("b");
    }
    if style.italic {
        classes.push("i");
    }
    if classes.is_empty() {
        String::new()
    } else {
        format!("{before}{}", classes.join(" "))
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // A screen holds none; XML would not take it.
            control if control.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// A screen has few cells.
fn count(cells: usize) -> u32 {
    u32::try_from(cells).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::drawn;
    use super::super::palette::DARK;
    use super::*;

    fn picture(columns: u16, bytes: &str) -> String {
        draw(&drawn(columns, 1, bytes), &DARK, "a <title>")
    }

    #[test]
    fn what_follows_a_wide_character_stands_in_its_column() {
        let svg = picture(20, "中国 ab");
        // The middle of the cells 0-1 and 2-3, then column 5.
        for part in [
            r#"class="w" x="9" "#,
            r#"class="w" x="27" "#,
            r#"x="45" y="14" textLength="18" "#,
        ] {
            assert!(svg.contains(part), "{part}\n{svg}");
        }
    }

    #[test]
    fn words_are_split_by_look_and_by_wide_gaps_only() {
        let svg = picture(30, "one two   three \x1b[1;31mred\x1b[0m");
        for part in [
            r##"x="0" y="14" textLength="63" lengthAdjust="spacingAndGlyphs" fill="#d6dce6">one two<"##,
            r#"x="90" y="14" textLength="45" "#,
            r#"class="b" x="144" y="14" textLength="27" "#,
        ] {
            assert!(svg.contains(part), "{part}\n{svg}");
        }
    }

    #[test]
    fn markup_in_a_cell_is_text_in_the_picture() {
        let svg = picture(20, "<b>&\"");
        assert!(svg.contains("&lt;b&gt;&amp;&quot;</text>"), "{svg}");
        assert!(svg.contains("<title>a &lt;title&gt;</title>"), "{svg}");
        assert!(!svg.contains("<b>"), "{svg}");
    }

    #[test]
    fn papers_cursor_and_lines_are_shapes() {
        let svg = picture(20, "\x1b[7m ok \x1b[0m┌─┐");
        let ink = DARK.ink;
        let paper = format!(r#"<rect x="0" y="0" width="36" height="19" fill="{ink}"/>"#);
        assert!(svg.contains(&paper), "{svg}");
        assert_eq!(
            svg.matches("<path d=\"M").count(),
            4,
            "bar and three lines: {svg}"
        );
        assert!(
            svg.contains(r#"<rect x="63" y="0" width="9" "#),
            "cursor: {svg}"
        );
        assert!(!picture(20, "x\x1b[?25l").contains("fill-opacity"));
    }

    #[test]
    fn the_same_frame_gives_the_same_bytes() {
        assert_eq!(picture(20, "中 a"), picture(20, "中 a"));
    }
}
