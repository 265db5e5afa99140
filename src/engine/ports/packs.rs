//! Where packs come from.

use crate::failure::{Failure, FailureKind, Outcome};
use cockpit_domain::finding::Finding;
use cockpit_domain::ids::PackId;
use cockpit_domain::pack::{Pack, ProviderPack};

/// One pack as found.
#[derive(Debug, Clone)]
pub struct PackEntry {
    /// Its id.
    pub id: PackId,
    /// `built in` or the file it came from.
    pub source: String,
    /// The pack, or everything that is wrong with it.
    pub pack: Result<Pack, Vec<Finding>>,
}

/// The packs at hand: those compiled in, overridden by the user's own by id.
pub trait Packs: Send + Sync {
    /// All packs, by id. A broken one is listed with its findings.
    fn list(&self) -> Outcome<Vec<PackEntry>>;

    /// Reads what `pack check` was given: a file, a pack folder, or the id of a pack at hand.
    ///
    /// # Errors
    /// `Usage` when there is no such file and no such pack. A broken pack is no error: its
    /// findings stand in the entry.
    fn check(&self, what: &std::path::Path) -> Outcome<PackEntry>;

    /// One pack.
    ///
    /// # Errors
    /// `Usage` when there is none of this id, naming the nearest; `Config` when it is broken.
    fn read(&self, id: &PackId) -> Outcome<Pack>;

    /// Whether a pack is the one that was compiled in, and not the user's own.
    fn is_built_in(&self, id: &PackId) -> bool;

    /// One provider pack.
    fn provider(&self, id: &PackId) -> Outcome<ProviderPack> {
        match self.read(id)? {
            Pack::Provider(pack) => Ok(pack),
            other => Err(Failure::new(
                FailureKind::Usage,
                format!("pack `{id}` is of kind {}, not a provider", other.kind()),
            )
            .doing("looking up the provider")
            .hint("`cockpit pack list` shows which packs are providers")),
        }
    }
}
