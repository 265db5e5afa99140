//! Generated blocks of the documentation, between `<!-- generated: NAME -->` and
//! `<!-- /generated -->`. Today one: `cli`, the commands of the program as it was built.

mod block;
mod help;

use crate::{Outcome, repo, say};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const FILE: &str = "README.md";

/// Rewrites the blocks.
pub(crate) fn write() -> Outcome {
    match generate()? {
        Some((path, old, new)) if old != new => {
            fs::write(&path, new)?;
            say::line(&format!("docs: {FILE} rewritten"));
        }
        Some(_) => say::line(&format!("docs: {FILE} is up to date")),
        None => say::line(&format!("docs: {FILE} has no generated block")),
    }
    Ok(true)
}

/// Fails when a block is not what the program says.
pub(crate) fn check() -> Outcome {
    let Some((_, old, new)) = generate()? else {
        say::line(&format!("docs: {FILE} has no generated block"));
        return Ok(true);
    };
    if old == new {
        say::line(&format!("docs: {FILE} is up to date"));
        return Ok(true);
    }
    let stale = old.lines().zip(new.lines()).find(|(old, new)| old != new);
    if let Some((old, new)) = stale {
        say::error(&format!("- {old}\n+ {new}"));
    }
    say::error(&format!(
        "{FILE} is out of date: run `cargo xtask docs` and commit it"
    ));
    Ok(false)
}

/// The file, what it says and what it should say; `None` without a block.
fn generate() -> Result<Option<(PathBuf, String, String)>, Box<dyn Error>> {
    let path = repo::root().join(FILE);
    let Ok(old) = fs::read_to_string(&path) else {
        return Ok(None);
    };
    if !block::is_in(&old, "cli") {
        return Ok(None);
    }
    let program = build()?;
    let table = help::table(&|words: &[String]| ask(&program, words))?;
    let new = block::replace(&old, "cli", &table).ok_or("a generated block does not end")?;
    Ok(Some((path, old, new)))
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
