//! The terminal face: panes over what the engine knows, acts behind plans and confirmations. Asks
//! the engine and nobody else; the only I/O is the terminal and a key file that a person names.

mod actions;
mod app;
mod chrome;
mod content;
mod dialogs;
mod draw;
mod driver;
#[cfg(test)]
mod frames_tests;
mod geometry;
mod keymap;
mod logs;
mod model;
mod msg;
mod paint;
mod panes;
mod place;
mod plan;
mod run;
mod setup;
mod target;
mod terminal;
mod theme;
mod trail;
mod update;
mod widgets;
mod words;
#[cfg(test)]
mod words_tests;

pub use actions::{ACTIONS, Action, ActionRow, Danger, Scope};
pub use app::App;
pub use driver::{Driver, Rest};
pub use keymap::{KeyProblem, Keymap};
pub use msg::{Effect, Msg, Ticket};
pub use run::run;
pub use setup::{FirstRun, Setup};
pub use theme::{Role, Theme};
pub use words::Lang;

rust_i18n::i18n!("locales", fallback = "en");
