//! The caller's own key, where that is to be proven instead of a managed one: only when asked for,
//! and never fallen back from (`product.md` 4, access closure).

use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use cockpit_domain::import::ImportPlan;
use cockpit_domain::secret::Secret;

/// A key as it was handed over.
#[derive(Debug, Clone)]
pub enum CallerKey {
    /// Where it is kept: `env:NAME` or `file:PATH`.
    Reference(String),
    /// The key itself, from a screen.
    Given(Secret),
}

impl CallerKey {
    /// Out of what was typed on a command line.
    ///
    /// # Errors
    /// `Usage` for anything but a reference, which is never repeated: it may be the key itself.
    pub fn named(text: String) -> Outcome<Self> {
        if text.starts_with("env:") || text.starts_with("file:") {
            return Ok(Self::Reference(text));
        }
        Err(Failure::new(
            FailureKind::Usage,
            "a key is given by reference, never itself: arguments can be seen by other users",
        )
        .doing("reading the caller's own key")
        .hint("write `env:NAME` for a variable or `file:PATH` for a 0600 file"))
    }

    /// The reference that a line shows.
    pub(crate) fn reference(&self) -> &str {
        match self {
            Self::Reference(text) => text,
            Self::Given(_) => "env:USER_KEY",
        }
    }

    /// The key.
    pub(crate) async fn read(&self, job: &Job) -> Outcome<Secret> {
        let read = match self {
            Self::Reference(text) => job.ports.secrets.read(text).await,
            Self::Given(key) if key.expose().trim().is_empty() => Err(Failure::new(
                FailureKind::Usage,
                "the caller's key is empty",
            )
            .hint("give the key, or leave it away: a managed key is made then")),
            Self::Given(key) => Ok(Secret::new(key.expose().trim())),
        };
        read.map_err(|failure| failure.doing("reading the caller's own key"))
    }
}

/// What was sealed with a plan: the keys in item order, and the caller's own key behind them. `None`
/// when it was wiped.
pub(super) fn sealed_parts(
    plan: &ImportPlan,
    mut sealed: Vec<Secret>,
) -> Option<(Vec<Secret>, Option<Secret>)> {
    let own = usize::from(plan.request.user_key.is_some());
    if sealed.len() != plan.items.len() + own {
        return None;
    }
    let caller = if own == 1 { sealed.pop() } else { None };
    Some((sealed, caller))
}
