//! `pack …`: the packs at hand, what is wrong with them, and what trusts their commands.

use crate::args::Pack as Words;
use crate::dispatch::Session;
use crate::{exit, output};
use cockpit_domain::ids::PackId;
use cockpit_domain::pack::Pack;
use cockpit_engine::failure::Outcome;
use cockpit_engine::ports::{PackEntry, Packs};
use std::collections::BTreeMap;
use std::path::Path;

/// Runs the command.
pub(crate) fn run(words: &Words, session: &Session, json: bool) -> Outcome<u8> {
    let packs = session.handle.ports().packs.as_ref();
    match words {
        Words::List => output::packs(&packs.list()?, json),
        Words::Check { what } => {
            let entries = match what {
                None => packs.list()?,
                Some(what) => vec![packs.check(Path::new(what))?],
            };
            let findings: Vec<_> = entries
                .iter()
                .filter_map(|entry| entry.pack.as_ref().err())
                .flatten()
                .cloned()
                .collect();
            let trust = wanting_trust(&entries, packs);
            output::findings(entries.len(), &findings, &trust, json);
            if !findings.is_empty() {
                return Ok(exit::TOOL);
            }
        }
    }
    Ok(exit::CLEAN)
}

/// The user's own packs that bring commands, with the fingerprint that trusts them.
fn wanting_trust(entries: &[PackEntry], packs: &dyn Packs) -> BTreeMap<PackId, String> {
    entries
        .iter()
        .filter(|entry| !packs.is_built_in(&entry.id))
        .filter_map(|entry| match &entry.pack {
            Ok(Pack::Baseline(pack)) if pack.has_commands() => {
                Some((pack.id.clone(), pack.fingerprint.clone()))
            }
            _ => None,
        })
        .collect()
}
