//! What the config says of the screen, as plain values: which themes, actions and chords there are
//! is known by the face alone, so it judges them and names their place.

/// `[screen]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScreenSettings {
    /// One of [`LANGUAGES`]; the system's own if `None`.
    pub language: Option<String>,
    /// A theme's name; the face's own choice if `None`.
    pub theme: Option<String>,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Draw seldom: for slow lines.
    pub slow: bool,
}

/// The languages the cockpit speaks.
pub const LANGUAGES: [&str; 2] = ["en", "zh-CN"];

/// One line of `[keys]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySetting {
    /// The action, as the key sheet names it.
    pub action: String,
    /// Its chords; none unbinds it.
    pub chords: Vec<String>,
    /// Line of the file where the action stands, counted from 1.
    pub line: usize,
    /// Column, counted from 1.
    pub column: usize,
}
