//! The runbooks that lie beside a pack: read with the pack's checks and variables, and part of what
//! trust is given to.

use super::read::Pack;
use crate::finding::{Finding, Source};
use crate::runbook::{Runbook, TRANSLATION, read_runbook, with_translation};
use crate::secret::sha256_hex;
use std::collections::BTreeMap;

/// A file of a pack's folder `runbooks`.
#[derive(Debug, Clone, Copy)]
pub struct RunbookFile<'a> {
    /// Its name, without `.md`.
    pub name: &'a str,
    /// How the file is shown to people.
    pub shown: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// A runbook with its translation, where it has one.
fn read_whole(
    file: &RunbookFile<'_>,
    files: &[RunbookFile<'_>],
    checks: &[&str],
    vars: &BTreeMap<String, String>,
) -> Result<Option<Runbook>, Vec<Finding>> {
    let book = read_runbook(file.name, file.shown, file.text, checks, vars)?;
    let second = files
        .iter()
        .find(|other| other.name.strip_suffix(TRANSLATION) == Some(file.name));
    match second {
        Some(other) => with_translation(book, other.shown, other.text, checks, vars).map(Some),
        None => Ok(Some(book)),
    }
}

/// A translation is read with the runbook that it translates, if there is one.
fn translated(
    name: &str,
    file: &RunbookFile<'_>,
    files: &[RunbookFile<'_>],
) -> Result<Option<Runbook>, Vec<Finding>> {
    if files.iter().any(|other| other.name == name) {
        return Ok(None);
    }
    let source = Source::new(file.shown, file.text);
    Err(vec![source.whole(
        format!("there is no `{name}.md` that this could translate"),
        "the first language stands in the file without `.zh`",
    )])
}

/// The pack with its runbooks. Its fingerprint then stands for all of them.
///
/// # Errors
/// Every finding, in the order of the files.
pub fn with_runbooks(pack: Pack, files: &[RunbookFile<'_>]) -> Result<Pack, Vec<Finding>> {
    let Some(first) = files.first() else {
        return Ok(pack);
    };
    let Pack::Baseline(mut pack) = pack else {
        let source = Source::new(first.shown, first.text);
        return Err(vec![source.whole(
            "only a baseline pack has runbooks",
            "move the file to the pack whose checks it looks at",
        )]);
    };
    let checks: Vec<&str> = pack.checks.iter().map(|check| check.id.as_str()).collect();
    let mut findings = Vec::new();
    let mut books = Vec::new();
    let mut whole = pack.fingerprint.clone();
    for file in files {
        let read = match file.name.strip_suffix(TRANSLATION) {
            Some(name) => translated(name, file, files),
            None => read_whole(file, files, &checks, &pack.vars),
        };
        match read {
            Ok(book) => books.extend(book),
            Err(found) => findings.extend(found),
        }
        whole.push_str(file.name);
        whole.push_str(&sha256_hex(file.text));
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    pack.runbooks = books;
    pack.fingerprint = sha256_hex(&whole);
    Ok(Pack::Baseline(pack))
}
