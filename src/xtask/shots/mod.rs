//! `cargo xtask shots`: pictures of the screen for the README, taken from the built program in a
//! terminal of our own and written as SVG to `assets/`. The table says what is played for each.

mod boxes;
mod frame;
mod lab;
mod palette;
mod play;
mod svg;
mod table;

use crate::{Outcome, repo, say};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use table::{SHOTS, Shot};

const USAGE: &str = "cargo xtask shots [--program PATH] [--png FOLDER] [NAME …]";

/// What the words after `shots` say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    /// The program to look at; built when nothing is named.
    program: Option<PathBuf>,
    /// Where to put PNGs as well.
    png: Option<PathBuf>,
    /// Pictures; all if none.
    names: Vec<String>,
}

/// Takes the pictures. One that cannot be taken is told at the end and stops no other.
pub(crate) fn run(words: &[&str]) -> Outcome {
    let wanted = match read(words) {
        Ok(wanted) => wanted,
        Err(why) => {
            say::error(&format!("{why}\n\n{USAGE}"));
            return Ok(false);
        }
    };
    let program = match &wanted.program {
        Some(path) => {
            fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => build()?,
    };
    let mut well = true;
    for shot in SHOTS.iter().filter(|shot| wanted.has(shot)) {
        match take(shot, &program, wanted.png.as_deref()) {
            Ok(path) => say::line(&format!("shots: {path}")),
            Err(error) => {
                well = false;
                say::error(&format!("shots: `{}` was not taken: {error}", shot.name));
            }
        }
    }
    Ok(well)
}

impl Wanted {
    fn has(&self, shot: &Shot) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == shot.name)
    }
}

fn read(words: &[&str]) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let place = match *word {
            "--program" => &mut wanted.program,
            "--png" => &mut wanted.png,
            option if option.starts_with('-') => return Err(format!("`{option}` is no option")),
            name if SHOTS.iter().any(|shot| shot.name == name) => {
                wanted.names.push(name.to_owned());
                continue;
            }
            name => {
                let known: Vec<&str> = SHOTS.iter().map(|shot| shot.name).collect();
                return Err(format!(
                    "no picture `{name}`; there are {}",
                    known.join(", ")
                ));
            }
        };
        let value = words.next().ok_or_else(|| format!("{word} wants a path"))?;
        *place = Some(PathBuf::from(value));
    }
    Ok(wanted)
}

/// Builds the program that people run, and says where it is.
fn build() -> Result<PathBuf, Box<dyn Error>> {
    let built = repo::cargo()
        .args(["build", "--release", "--locked", "--bin", "cockpit"])
        .status()?;
    if !built.success() {
        return Err("the program does not build".into());
    }
    let metadata = cargo_metadata::MetadataCommand::new()
        .current_dir(repo::root())
        .no_deps()
        .exec()?;
    Ok(metadata
        .target_directory
        .join("release/cockpit")
        .into_std_path_buf())
}

/// Plays one script and writes its picture.
fn take(shot: &Shot, program: &Path, png: Option<&Path>) -> Result<String, Box<dyn Error>> {
    let frame = play::play(shot, program)?;
    let picture = svg::draw(&frame, shot.look.palette(), shot.title);
    let path = format!("assets/{}.svg", shot.name);
    fs::create_dir_all(repo::root().join("assets"))?;
    fs::write(repo::root().join(&path), &picture)?;
    if let Some(folder) = png {
        fs::create_dir_all(folder)?;
        let target = folder.join(shot.name).with_extension("png");
        let drawn = Command::new("rsvg-convert")
            .args(["--zoom", "1.5", "--output"])
            .arg(&target)
            .arg(repo::root().join(&path))
            .status();
        match drawn {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("rsvg-convert: {status}").into()),
            Err(error) => say::line(&format!(
                "shots: no PNG, rsvg-convert cannot be run: {error}"
            )),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_places_are_read() {
        let first = SHOTS[0].name;
        let wanted = read(&["--png", "/p", first, "--program", "/c"]).unwrap();
        assert_eq!(wanted.names, [first]);
        assert_eq!(wanted.png, Some("/p".into()));
        assert_eq!(wanted.program, Some("/c".into()));
        assert!(wanted.has(&SHOTS[0]) && !wanted.has(&SHOTS[1]));
        assert!(Wanted::default().has(&SHOTS[1]));
        assert_eq!(read(&["--png"]).unwrap_err(), "--png wants a path");
        assert_eq!(read(&["--what"]).unwrap_err(), "`--what` is no option");
        assert!(read(&["nothing"]).unwrap_err().contains(first));
    }
}
