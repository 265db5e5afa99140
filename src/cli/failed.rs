//! `batch failed`: the keys of a batch that did not pass, written to a file of their own, to be looked
//! into and imported again. Keys are not kept once a batch has ended, so the person gives the input
//! again; it is told apart by fingerprints.

use crate::dispatch::{Session, call};
use crate::{exit, input, output};
use cockpit_domain::batch::{AccountStatus, Item};
use cockpit_domain::ids::BatchId;
use cockpit_domain::import::read_keys;
use cockpit_domain::secret::Fingerprint;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes the failed keys of a batch to a new file, one a line.
pub(crate) async fn run(
    batch: BatchId,
    keys: &str,
    out: &Path,
    session: &Session,
    json: bool,
) -> Outcome<u8> {
    let doing = format!("picking the failed keys of {batch}");
    let given = input::read_keys(keys)?;
    let Answer::Detail(detail) = call(session, Command::BatchShow { batch }, json).await? else {
        return Err(Failure::new(FailureKind::Internal, "no batch came back").doing(doing));
    };
    let mut wanted: BTreeSet<&Fingerprint> = detail
        .items
        .iter()
        .filter(|item| !passed(item))
        .map(|item| &item.fingerprint)
        .collect();
    let failed = wanted.len();
    let mut text = String::new();
    let mut written = 0_usize;
    for line in read_keys(given.expose()).keys {
        if wanted.remove(&line.key.fingerprint()) {
            text.push_str(line.key.expose());
            text.push('\n');
            written += 1;
        }
    }
    if written == 0 {
        let found = if failed == 0 {
            format!("every key of {batch} passed")
        } else {
            format!("none of its {failed} failed key(s) is in the input")
        };
        return Err(Failure::new(FailureKind::Usage, found)
            .doing(doing)
            .hint("nothing was written; `cockpit batch show` lists its keys by fingerprint"));
    }
    write_new(out, &text).map_err(|error| {
        Failure::new(FailureKind::Usage, format!("`{}`: {error}", out.display()))
            .doing(doing)
            .hint("name a file that does not exist, in a folder that can be written to")
    })?;
    let missing: Vec<&str> = wanted.into_iter().map(Fingerprint::as_str).collect();
    output::failed_keys(batch, written, out, &missing, json);
    Ok(exit::CLEAN)
}

/// A key that was forgiven serves as well as one that passed.
fn passed(item: &Item) -> bool {
    matches!(
        item.account_status,
        Some(AccountStatus::Passed | AccountStatus::Warning)
    )
}

/// For the person alone, and never over something that is there.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
