//! Themes: meanings to looks. A theme is a file under `themes/`, compiled in; how one is written
//! stands in the README there.

mod colour;
mod read;
mod role;
#[cfg(test)]
mod tests;

pub use role::Role;

use cockpit_domain::finding::{Finding, Source};
use ratatui::style::{Color, Modifier, Style};

const DARK: &str = include_str!("../../../themes/dark.toml");
const LIGHT: &str = include_str!("../../../themes/light.toml");
const MONO: &str = include_str!("../../../themes/mono.toml");

/// A theme in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    styles: [Style; Role::COUNT],
}

impl Theme {
    /// The themes that are compiled in; the first is the one without a choice.
    pub const NAMES: [&str; 3] = ["dark", "light", "mono"];

    /// The compiled-in theme of this name.
    pub fn named(name: &str) -> Option<Self> {
        let text = match name {
            "dark" => DARK,
            "light" => LIGHT,
            "mono" => MONO,
            _ => return None,
        };
        Self::parse(&format!("themes/{name}.toml"), text).ok()
    }

    /// Reads a theme.
    ///
    /// # Errors
    /// Everything that is wrong in the file, in its order.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Vec<Finding>> {
        let styles = read::styles(Source::new(file_name, text))?;
        Ok(Self { styles })
    }

    /// The look of a meaning.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The theme for a terminal without colour: bold, dim, underline and reverse stay. What was
    /// told by colour alone looks as in the mono theme, and so do the states where two of them
    /// would look alike.
    #[must_use]
    pub fn without_color(mut self) -> Self {
        let mono = Self::named("mono").unwrap_or_else(Self::plain);
        for role in Role::ALL {
            let style = self.style(role);
            let left = bare(style);
            let colour_alone = left == Style::new() && style != left;
            self.styles[role as usize] = if colour_alone { mono.style(role) } else { left };
        }
        if !self.tells_states_apart() {
            for role in Role::STATES {
                self.styles[role as usize] = mono.style(role);
            }
        }
        self
    }

    /// No looks at all. Tests keep the compiled-in files readable: this is only a way to go on.
    fn plain() -> Self {
        Self {
            styles: [Style::new(); Role::COUNT],
        }
    }

    /// Whether no two states look alike.
    fn tells_states_apart(&self) -> bool {
        Role::STATES.iter().enumerate().all(|(at, role)| {
            Role::STATES[..at]
                .iter()
                .all(|other| self.style(*other) != self.style(*role))
        })
    }
}

/// The dark theme; it takes the terminal's own colours and can be read on a light ground too.
impl Default for Theme {
    fn default() -> Self {
        Self::named(Self::NAMES[0]).unwrap_or_else(Self::plain)
    }
}

/// A look without its colours; a ground of its own becomes a reverse.
fn bare(style: Style) -> Style {
    let ground = style.bg.is_some_and(|ground| ground != Color::Reset);
    let added = if ground {
        style.add_modifier | Modifier::REVERSED
    } else {
        style.add_modifier
    };
    Style::new().add_modifier(added)
}
