//! `[screen]` and `[keys]`. Themes, actions and chords are the face's: only their form is read here.

use super::read::Reader;
use cockpit_domain::screen::{KeySetting, LANGUAGES, ScreenSettings};
use toml::de::DeTable;

/// How the screen is to look.
pub(super) fn screen(reader: &mut Reader<'_>, root: &DeTable<'_>) -> ScreenSettings {
    let Some(table) = reader.table(root, "screen") else {
        return ScreenSettings::default();
    };
    reader.known_keys(table, &["language", "theme", "ascii", "slow"]);
    let language = reader.text(table, "language");
    let language = reader.word(language, &LANGUAGES.map(|name| (name, name)));
    ScreenSettings {
        language: language.map(|name| name.value.to_owned()),
        theme: reader.text(table, "theme").map(|name| name.value),
        ascii: reader.flag(table, "ascii").unwrap_or_default(),
        slow: reader.flag(table, "slow").unwrap_or_default(),
    }
}

/// `"ACTION" = ["CHORD"]`, in the order of the file.
pub(super) fn keys(reader: &mut Reader<'_>, root: &DeTable<'_>) -> Vec<KeySetting> {
    let mut keys = Vec::new();
    for (name, value) in reader.table(root, "keys").into_iter().flatten() {
        let Some(list) = value.get_ref().as_array() else {
            reader.wrong_type(
                value,
                "a list",
                "write the chords as a list: [\"I\", \"ctrl-r\"]; an empty one unbinds",
            );
            continue;
        };
        let chords = list.iter().filter_map(|chord| reader.text_of(chord));
        let chords = chords.map(|chord| chord.value).collect();
        let (line, column) = reader.place(&name.span());
        keys.push(KeySetting {
            action: name.get_ref().to_string(),
            chords,
            line,
            column,
        });
    }
    // In the order of the file, which the parser does not keep.
    keys.sort_by_key(|key| (key.line, key.column));
    keys
}
