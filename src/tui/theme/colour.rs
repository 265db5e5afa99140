//! The colours a theme may name: the terminal's own sixteen, a number of its palette, or
//! `#rrggbb`.

use cockpit_domain::finding::nearest;
use ratatui::style::Color;

/// The terminal's own colours, as their owner set them.
pub(super) const NAMED: &[(&str, Color)] = &[
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    // The library's names differ from the terminals': its gray is their white.
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// What a text that is no colour should have been.
pub(super) fn parse(text: &str) -> Result<Color, String> {
    if let Some((_, color)) = NAMED.iter().find(|(name, _)| *name == text) {
        return Ok(*color);
    }
    if let Some(digits) = text.strip_prefix('#') {
        let number = match u32::from_str_radix(digits, 16) {
            // A sign is read as a number too.
            Ok(number) if digits.len() == 6 && !digits.starts_with('+') => number,
            _ => return Err("write six hex digits: \"#rrggbb\"".to_owned()),
        };
        let [_, red, green, blue] = number.to_be_bytes();
        return Ok(Color::Rgb(red, green, blue));
    }
    if text.parse::<i64>().is_ok() {
        return Err("write the number without quotes".to_owned());
    }
    if ["gray", "grey", "dark-gray", "dark-grey"].contains(&text) {
        return Err(
            "write `bright-black`, or `dim = true`, which can be read everywhere".to_owned(),
        );
    }
    let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
    Err(match nearest(text, &names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            "write a name such as `red` or `bright-red`, \"#rrggbb\", or a number from 0 to 255"
                .to_owned()
        }
    })
}

/// A number of the terminal's palette.
pub(super) fn indexed(number: &str) -> Result<Color, String> {
    number
        .parse()
        .map(Color::Indexed)
        .map_err(|_| "write a number from 0 to 255".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_by_name_by_hex_and_by_number() {
        let rows = [
            ("red", Color::Red),
            ("white", Color::Gray),
            ("bright-white", Color::White),
            ("default", Color::Reset),
            ("#0a64ff", Color::Rgb(10, 100, 255)),
        ];
        for (text, color) in rows {
            assert_eq!(parse(text), Ok(color), "{text}");
        }
        assert_eq!(indexed("208"), Ok(Color::Indexed(208)));
        for text in [
            "", "rot", "#12345", "#1234567", "#+12345", "#12345é", "12", "Red",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        for number in ["256", "-1", "1e3"] {
            assert!(indexed(number).is_err(), "{number}");
        }
    }
}
