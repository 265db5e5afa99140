//! Generated blocks of the documentation, between `<!-- generated: NAME -->` and
//! `<!-- /generated -->`: `roles` of themes, `rules` and `symptoms` of the production baseline, `keys` of the screen, `cli`, the commands of the
//! program as it was built.

mod block;
mod help;
mod keys;
mod roles;
mod rules;
mod rust;

use crate::{Outcome, repo, say};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A block, the file it stands in, and how its content is made.
type Block = (
    &'static str,
    &'static str,
    fn() -> Result<String, Box<dyn Error>>,
);

/// The one that takes longest comes last.
const BLOCKS: &[Block] = &[
    ("roles", "themes/README.md", roles),
    ("rules", "packs/tksea/README.md", rules),
    ("symptoms", "packs/tksea/README.md", symptoms),
    ("keys", "README.md", keys),
    ("cli", "README.md", cli),
];

/// Rewrites the blocks.
pub(crate) fn write() -> Outcome {
    for block in BLOCKS {
        let (name, file, _) = block;
        match generate(block)? {
            Some((path, old, new)) if old != new => {
                fs::write(&path, new)?;
                say::line(&format!("docs: {name} of {file} rewritten"));
            }
            Some(_) => say::line(&format!("docs: {name} of {file} is up to date")),
            None => say::line(&format!("docs: {file} has no block `{name}`")),
        }
    }
    Ok(true)
}

/// Fails when a block is not what the program says.
pub(crate) fn check() -> Outcome {
    let mut good = true;
    for block in BLOCKS {
        let (name, file, _) = block;
        let Some((_, old, new)) = generate(block)? else {
            say::line(&format!("docs: {file} has no block `{name}`"));
            continue;
        };
        if old == new {
            say::line(&format!("docs: {name} of {file} is up to date"));
            continue;
        }
        let stale = old.lines().zip(new.lines()).find(|(old, new)| old != new);
        if let Some((old, new)) = stale {
            say::error(&format!("- {old}\n+ {new}"));
        }
        say::error(&format!(
            "{file} is out of date: run `cargo xtask docs` and commit it"
        ));
        good = false;
    }
    Ok(good)
}

/// The file, what it says and what it should say; `None` without the block.
fn generate(
    (name, file, make): &Block,
) -> Result<Option<(PathBuf, String, String)>, Box<dyn Error>> {
    let path = repo::root().join(file);
    let Ok(old) = fs::read_to_string(&path) else {
        return Ok(None);
    };
    if !block::is_in(&old, name) {
        return Ok(None);
    }
    let new = block::replace(&old, name, &make()?).ok_or("a generated block does not end")?;
    Ok(Some((path, old, new)))
}

fn roles() -> Result<String, Box<dyn Error>> {
    roles::table(&source("src/tui/theme/role.rs")?)
}

fn rules() -> Result<String, Box<dyn Error>> {
    rules::table(&source("packs/tksea/rules.toml")?)
}

fn symptoms() -> Result<String, Box<dyn Error>> {
    rules::symptoms(&source("packs/tksea/rules.toml")?)
}

fn keys() -> Result<String, Box<dyn Error>> {
    let catalogue = source("src/tui/locales/en.toml")?;
    keys::tables(&source("src/tui/actions.rs")?, &catalogue)
}

fn cli() -> Result<String, Box<dyn Error>> {
    let program = build()?;
    help::table(&|words: &[String]| ask(&program, words))
}

/// The text of a file of the repository.
fn source(path: &str) -> Result<String, Box<dyn Error>> {
    fs::read_to_string(repo::root().join(path)).map_err(|error| format!("{path}: {error}").into())
}

/// Builds the program and says where it is.
fn build() -> Result<PathBuf, Box<dyn Error>> {
    let built = repo::cargo()
        .args(["build", "--quiet", "--locked", "--bin", "cockpit"])
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
        .join("debug")
        .join("cockpit")
        .into_std_path_buf())
}

fn ask(program: &PathBuf, words: &[String]) -> Result<String, Box<dyn Error>> {
    let said = Command::new(program)
        .args(words)
        .arg("--help")
        // Wide, so that no line is wrapped.
        .env("COLUMNS", "1000")
        .stdin(Stdio::null())
        .output()?;
    if !said.status.success() {
        return Err(format!(
            "`cockpit {} --help` failed: {}",
            words.join(" "),
            said.status
        )
        .into());
    }
    Ok(String::from_utf8(said.stdout)?)
}
