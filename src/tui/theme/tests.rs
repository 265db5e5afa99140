//! Every theme that ships, every fault a theme's file may have, and what is left without colour.

use super::*;
use std::fs;
use std::path::Path;

fn shipped() -> Vec<(&'static str, Theme)> {
    Theme::NAMES
        .into_iter()
        .map(|name| (name, Theme::named(name).unwrap()))
        .collect()
}

fn read(text: &str) -> Theme {
    Theme::parse("t.toml", text).unwrap()
}

/// The themes of a folder, seen from the crate's own: name and text.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<(String, String)> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_file_of_the_folder_ships_and_says_every_role() {
    let files = files("../../themes");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, Theme::NAMES);
    for (name, text) in &files {
        assert_eq!(
            Theme::parse(name, text).as_ref(),
            Ok(&Theme::named(name).unwrap())
        );
        for role in Role::ALL {
            let line = format!("{} = {{", role.name());
            assert!(
                text.lines().any(|row| row.starts_with(&line)),
                "{name}: {line}"
            );
        }
    }
    assert_eq!(Theme::named("neon"), None);
    assert_eq!(Theme::default(), Theme::named("dark").unwrap());
}

#[test]
fn every_theme_tells_the_states_apart_with_colour_and_without() {
    for (name, theme) in shipped() {
        assert!(theme.tells_states_apart(), "{name}");
        assert!(theme.without_color().tells_states_apart(), "{name}");
    }
    let alike = "[roles]\nok = { fg = \"red\" }\nfail = { inherit = \"ok\" }\n";
    assert!(!read(alike).tells_states_apart());
}

#[test]
fn what_must_be_seen_is_never_plain_text() {
    for (name, theme) in shipped() {
        for theme in [theme.clone(), theme.without_color()] {
            for role in [
                Role::Fail,
                Role::Warn,
                Role::Armed,
                Role::Lab,
                Role::Selection,
            ] {
                assert_ne!(
                    theme.style(role),
                    theme.style(Role::Text),
                    "{name} {role:?}"
                );
            }
            assert_ne!(theme.style(Role::Focus), theme.style(Role::Title), "{name}");
        }
    }
}

#[test]
fn no_theme_takes_a_colour_that_its_ground_swallows() {
    let bright = [
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    let pale = [Color::Yellow, Color::Cyan, Color::Gray];
    let on_light: Vec<Color> = bright.into_iter().chain(pale).collect();
    let on_dark = [Color::Black, Color::Blue, Color::DarkGray];
    for (name, swallowed) in [("dark", &on_dark[..]), ("light", &on_light[..])] {
        let theme = Theme::named(name).unwrap();
        for role in Role::ALL {
            let style = theme.style(role);
            for color in style.fg.into_iter().chain(style.bg) {
                let own = colour::NAMED.iter().any(|(_, known)| *known == color);
                assert!(own, "{name} {role:?}: {color:?} is not the terminal's own");
            }
            let seen = style.bg.is_some() || !style.fg.is_some_and(|fg| swallowed.contains(&fg));
            assert!(seen, "{name} {role:?}: {:?}", style.fg);
        }
    }
}

#[test]
fn without_colour_no_colour_is_left_and_a_ground_becomes_a_reverse() {
    for (name, theme) in shipped() {
        let bare = theme.without_color();
        for role in Role::ALL {
            let style = bare.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{name} {role:?}");
        }
        assert_eq!(bare.clone().without_color(), bare, "{name}");
    }
    let mono = Theme::named("mono").unwrap();
    assert_eq!(mono.clone().without_color(), mono);
    let theme =
        read("[roles]\nlab = { bg = 4, bold = true }\nkey = { fg = 4, bg = \"default\" }\n");
    let bare = theme.without_color();
    assert_eq!(
        bare.style(Role::Lab).add_modifier,
        Modifier::BOLD | Modifier::REVERSED
    );
    assert_eq!(
        bare.style(Role::Key),
        mono.style(Role::Key),
        "what was colour alone looks as in mono"
    );
}

#[test]
fn a_role_left_away_looks_like_its_parent_and_one_that_inherits_adds_to_it() {
    let theme = read(
        "[roles]\nwarn = { fg = \"yellow\", bold = true }\n\
         drifted = { inherit = \"warn\", fg = 208, bold = false, underline = true }\n\
         fail = { bg = \"#102030\" }\n",
    );
    let warn = Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD);
    assert_eq!(theme.style(Role::Warn), warn);
    assert_eq!(theme.style(Role::Change), warn, "its parent is `warn`");
    assert_eq!(
        theme.style(Role::Drifted),
        Style::new()
            .fg(Color::Indexed(208))
            .add_modifier(Modifier::UNDERLINED)
    );
    let fail = Style::new().bg(Color::Rgb(16, 32, 48));
    assert_eq!(theme.style(Role::Fail), fail, "a look stands for itself");
    assert_eq!(theme.style(Role::Armed), fail);
    assert_eq!(theme.style(Role::Text), Style::new());
}

#[test]
fn every_bad_file_gives_the_findings_it_expects() {
    let files = files("theme/bad");
    assert!(files.len() >= 6, "the folder was not read");
    for (name, text) in files {
        let expected: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# expects "))
            .collect();
        let found: Vec<String> = Theme::parse(&name, &text)
            .unwrap_err()
            .iter()
            .map(|finding| finding.to_string()[name.len() + 1..].to_owned())
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}
