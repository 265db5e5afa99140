//! The colours of the terminal in the pictures: sixteen of its own, with enough contrast to read
//! them small, and the cube that every terminal shares.

use super::frame::Style;
use vt100::Color;

/// Red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl Rgb {
    const fn of(hex: u32) -> Self {
        let [_, red, green, blue] = hex.to_be_bytes();
        Self(red, green, blue)
    }

    /// A part of the way to another colour, in hundredths.
    fn towards(self, other: Self, hundredths: u32) -> Self {
        let mix = |a: u8, b: u8| {
            let mixed = (u32::from(a) * (100 - hundredths) + u32::from(b) * hundredths) / 100;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        Self(
            mix(self.0, other.0),
            mix(self.1, other.1),
            mix(self.2, other.2),
        )
    }
}

impl std::fmt::Display for Rgb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// A terminal's colours.
#[derive(Debug)]
pub(super) struct Palette {
    pub(super) ink: Rgb,
    pub(super) paper: Rgb,
    /// Bar and edge of the window.
    pub(super) bar: Rgb,
    pub(super) edge: Rgb,
    pub(super) title: Rgb,
    ansi: [Rgb; 16],
}

pub(super) const DARK: Palette = Palette {
    ink: Rgb::of(0x00d6_dce6),
    paper: Rgb::of(0x0010_141b),
    bar: Rgb::of(0x001b_212b),
    edge: Rgb::of(0x0033_3c4a),
    title: Rgb::of(0x0095_a1b3),
    ansi: [
        Rgb::of(0x0029_313d),
        Rgb::of(0x00ff_6e6e),
        Rgb::of(0x007f_d88f),
        Rgb::of(0x00f0_c35e),
        Rgb::of(0x0072_b4ff),
        Rgb::of(0x00d8_a0ff),
        Rgb::of(0x0062_d6d6),
        Rgb::of(0x00c4_ccd8),
        Rgb::of(0x008a_96a8),
        Rgb::of(0x00ff_9292),
        Rgb::of(0x00a6_ebb2),
        Rgb::of(0x00ff_dc8c),
        Rgb::of(0x00a0_ccff),
        Rgb::of(0x00e8_c2ff),
        Rgb::of(0x0098_eeee),
        Rgb::of(0x00ff_ffff),
    ],
};

pub(super) const LIGHT: Palette = Palette {
    ink: Rgb::of(0x0022_2a35),
    paper: Rgb::of(0x00fb_fbf9),
    bar: Rgb::of(0x00ec_edea),
    edge: Rgb::of(0x00c9_ccc8),
    title: Rgb::of(0x0059_626d),
    ansi: [
        Rgb::of(0x0022_2a35),
        Rgb::of(0x00b6_1f2b),
        Rgb::of(0x001b_7031),
        Rgb::of(0x0085_5900),
        Rgb::of(0x001a_5fb4),
        Rgb::of(0x0083_36a8),
        Rgb::of(0x0006_6d75),
        Rgb::of(0x005c_6570),
        Rgb::of(0x0066_6f7a),
        Rgb::of(0x00c0_2735),
        Rgb::of(0x0020_773a),
        Rgb::of(0x008a_5d00),
        Rgb::of(0x0020_66bd),
        Rgb::of(0x008b_3eb0),
        Rgb::of(0x000a_727a),
        Rgb::of(0x0010_151c),
    ],
};

impl Palette {
    /// Ink and, where it is not the window's own, paper of a style.
    pub(super) fn of(&self, style: &Style) -> (Rgb, Option<Rgb>) {
        let ink = self.color(style.ink).unwrap_or(self.ink);
        let paper = self.color(style.paper);
        let (mut ink, paper) = if style.inverse {
            (paper.unwrap_or(self.paper), Some(ink))
        } else {
            (ink, paper)
        };
        if style.dim {
            ink = ink.towards(paper.unwrap_or(self.paper), 30);
        }
        (ink, paper)
    }

    fn color(&self, color: Color) -> Option<Rgb> {
        match color {
            Color::Default => None,
            Color::Rgb(red, green, blue) => Some(Rgb(red, green, blue)),
            Color::Idx(index) => Some(match index {
                0..=15 => self.ansi[usize::from(index)],
                16..=231 => {
                    let step = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
                    let index = index - 16;
                    Rgb(step(index / 36), step(index / 6 % 6), step(index % 6))
                }
                232..=255 => {
                    let grey = 8 + 10 * (index - 232);
                    Rgb(grey, grey, grey)
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(Rgb(red, green, blue): Rgb) -> f64 {
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue)
    }

    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn every_ink_can_be_read_on_the_paper() {
        for (name, palette) in [("dark", DARK), ("light", LIGHT)] {
            // The first of the dark ones is a paper: nobody writes black on black.
            let first = usize::from(name == "dark");
            let inks = palette.ansi[first..].iter().chain([&palette.ink]);
            for ink in inks {
                let found = contrast(*ink, palette.paper);
                assert!(found >= 4.5, "{name} {ink}: {found:.2}");
            }
            let found = contrast(palette.title, palette.bar);
            assert!(found >= 4.5, "{name} title: {found:.2}");
            let dim = Style {
                dim: true,
                ..Style::default()
            };
            let found = contrast(palette.of(&dim).0, palette.paper);
            assert!(found >= 4.5, "{name} dim: {found:.2}");
        }
    }

    #[test]
    fn inverse_swaps_and_the_cube_is_the_usual_one() {
        let inverse = Style {
            inverse: true,
            ..Style::default()
        };
        assert_eq!(DARK.of(&inverse), (DARK.paper, Some(DARK.ink)));
        assert_eq!(DARK.of(&Style::default()), (DARK.ink, None));
        assert_eq!(DARK.color(Color::Idx(196)), Some(Rgb(255, 0, 0)));
        assert_eq!(DARK.color(Color::Idx(67)), Some(Rgb(95, 135, 175)));
        assert_eq!(DARK.color(Color::Idx(255)), Some(Rgb(238, 238, 238)));
        assert_eq!(Rgb(1, 2, 255).to_string(), "#0102ff");
    }
}
