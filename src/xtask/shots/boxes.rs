//! Box lines and blocks drawn as shapes: letters of a font leave gaps between rows.

use super::svg::{CELL_HEIGHT, CELL_WIDTH};

/// Which arms of a line character there are: left, right, up, down.
fn arms(letter: char) -> Option<[bool; 4]> {
    let set = match letter {
        '─' | '━' => "lr",
        '│' | '┃' => "ud",
        '┌' | '╭' | '┏' => "rd",
        '┐' | '╮' | '┓' => "ld",
        '└' | '╰' | '┗' => "ru",
        '┘' | '╯' | '┛' => "lu",
        '├' | '┣' => "rud",
        '┤' | '┫' => "lud",
        '┬' | '┳' => "lrd",
        '┴' | '┻' => "lru",
        '┼' | '╋' => "lrud",
        '╴' => "l",
        '╶' => "r",
        '╵' => "u",
        '╷' => "d",
        _ => return None,
    };
    Some(['l', 'r', 'u', 'd'].map(|arm| set.contains(arm)))
}

fn is_heavy(letter: char) -> bool {
    "━┃┏┓┗┛┣┫┳┻╋".contains(letter)
}

/// The rectangle of a block, in eighths of the cell: x, y, width, height.
fn block(letter: char) -> Option<[u32; 4]> {
    let code = u32::from(letter);
    Some(match letter {
        '█' => [0, 0, 8, 8],
        '▀' => [0, 0, 8, 4],
        '▐' => [4, 0, 4, 8],
        '▔' => [0, 0, 8, 1],
        '▕' => [7, 0, 1, 8],
        // From one eighth below to seven.
        '▁'..='▇' => {
            let height = code - 0x2580;
            [0, 8 - height, 8, height]
        }
        // From seven eighths on the left to one.
        '▉'..='▏' => [0, 0, 0x2590 - code, 8],
        _ => return None,
    })
}

/// A shape in place of a letter at a cell's upper left corner; `None` for other letters.
pub(super) fn shape(letter: char, x: u32, y: u32, ink: &str) -> Option<String> {
    if let Some([from, top, width, height]) = block(letter) {
        let (across, down) = (f64::from(CELL_WIDTH) / 8.0, f64::from(CELL_HEIGHT) / 8.0);
        return Some(format!(
            r#"<rect x="{:.2}" y="{:.2}" width="{:.2}" height="{:.2}" fill="{ink}"/>"#,
            f64::from(x) + f64::from(from) * across,
            f64::from(y) + f64::from(top) * down,
            f64::from(width) * across,
            f64::from(height) * down,
        ));
    }
    let [left, right, up, down] = arms(letter)?;
    let (middle, centre) = (
        f64::from(x) + f64::from(CELL_WIDTH) / 2.0,
        f64::from(y) + f64::from(CELL_HEIGHT) / 2.0,
    );
    let (end, bottom) = (x + CELL_WIDTH, y + CELL_HEIGHT);
    let path = match letter {
        '╭' => format!("M{end} {centre}Q{middle} {centre} {middle} {bottom}"),
        '╮' => format!("M{x} {centre}Q{middle} {centre} {middle} {bottom}"),
        '╰' => format!("M{end} {centre}Q{middle} {centre} {middle} {y}"),
        '╯' => format!("M{x} {centre}Q{middle} {centre} {middle} {y}"),
        _ => {
            let (from, to) = (
                if left { f64::from(x) } else { middle },
                if right { f64::from(end) } else { middle },
            );
            let (top, low) = (
                if up { f64::from(y) } else { centre },
                if down { f64::from(bottom) } else { centre },
            );
            let across = (left || right).then(|| format!("M{from} {centre}H{to}"));
            let along = (up || down).then(|| format!("M{middle} {top}V{low}"));
            across.into_iter().chain(along).collect()
        }
    };
    let thick = if is_heavy(letter) { "2" } else { "1" };
    // Square ends close the corner where two arms meet.
    Some(format!(
        r#"<path d="{path}" fill="none" stroke="{ink}" stroke-width="{thick}" stroke-linecap="square"/>"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_reach_the_edges_of_their_cell_and_others_are_letters() {
        let path = |letter| shape(letter, 9, 19, "#fff").unwrap();
        assert!(path('─').contains("M9 28.5H18"), "{}", path('─'));
        assert!(path('│').contains("M13.5 19V38"), "{}", path('│'));
        assert!(
            path('└').contains("M13.5 28.5H18M13.5 19V28.5"),
            "{}",
            path('└')
        );
        assert!(path('╭').contains('Q'), "{}", path('╭'));
        for letter in ['a', ' ', '中', '▲'] {
            assert_eq!(shape(letter, 0, 0, "#fff"), None, "{letter}");
        }
    }

    #[test]
    fn blocks_fill_their_part() {
        let cases = [
            ('█', [0, 0, 8, 8]),
            ('▁', [0, 7, 8, 1]),
            ('▄', [0, 4, 8, 4]),
            ('▇', [0, 1, 8, 7]),
            ('▉', [0, 0, 7, 8]),
            ('▌', [0, 0, 4, 8]),
            ('▏', [0, 0, 1, 8]),
        ];
        for (letter, part) in cases {
            assert_eq!(block(letter), Some(part), "{letter}");
        }
    }
}
