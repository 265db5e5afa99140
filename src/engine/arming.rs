//! Arming: with a screen every host is read-only until a person arms it, one at a time and for a
//! while. The command line arms by `--yes HASH` and needs none of this.

use crate::failure::{Failure, FailureKind, Outcome};
use cockpit_domain::ids::HostId;
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The longest time a host stays armed.
pub const LONGEST: Duration = Duration::from_hours(1);

/// The host that may be written to, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Armed {
    /// Host.
    pub host: HostId,
    /// UTC ms; from then on it is read-only again.
    pub until_ms: i64,
}

impl Armed {
    /// Arms a host for a while, at most [`LONGEST`].
    pub fn new(host: HostId, now_ms: i64, how_long: Duration) -> Outcome<Self> {
        if how_long.is_zero() || how_long > LONGEST {
            return Err(Failure::new(
                FailureKind::Usage,
                format!(
                    "a host is armed for up to {} minutes",
                    LONGEST.as_secs() / 60
                ),
            )
            .doing(format!("arming `{host}`"))
            .hint("name a time such as 10m"));
        }
        let ms = i64::try_from(how_long.as_millis()).unwrap_or(i64::MAX);
        Ok(Self {
            host,
            until_ms: now_ms.saturating_add(ms),
        })
    }

    /// Whether this host may be written to now.
    pub fn allows(&self, host: &HostId, now_ms: i64) -> bool {
        self.host == *host && now_ms < self.until_ms
    }
}

/// What stands between a job and a host. Shared by a handle and its jobs.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
}

#[derive(Debug, Default)]
struct GateState {
    required: bool,
    armed: Option<(Armed, Instant)>,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on every write wants its host armed.
    pub(crate) fn require(&self) {
        self.state().required = true;
    }

    /// Arms a host until a moment; returns which one it replaced. The moment counts beside the
    /// clock on the wall: one that is put back gives no more time.
    pub(crate) fn arm(&self, armed: Armed, until: Instant) -> Option<Armed> {
        self.state().armed.replace((armed, until)).map(|was| was.0)
    }

    /// Takes the arming away; returns what was armed.
    pub(crate) fn disarm(&self) -> Option<Armed> {
        self.state().armed.take().map(|was| was.0)
    }

    /// Takes this very arming away, unless another took its place.
    pub(crate) fn disarm_only(&self, armed: &Armed) -> Option<Armed> {
        let mut state = self.state();
        let ended = state.armed.take_if(|was| was.0 == *armed);
        ended.map(|was| was.0)
    }

    /// Fails unless this host may be written to now.
    pub(crate) fn check(&self, host: &HostId, now_ms: i64) -> Outcome<()> {
        let state = self.state();
        if !state.required {
            return Ok(());
        }
        let found = match &state.armed {
            Some((armed, until)) if armed.allows(host, now_ms) && Instant::now() < *until => {
                return Ok(());
            }
            Some((armed, _)) if armed.host == *host => format!("the arming of `{host}` has lapsed"),
            Some((armed, _)) => format!("`{}` is armed, not `{host}`", armed.host),
            None => format!("`{host}` is not armed: it is read-only"),
        };
        Err(Failure::new(FailureKind::Denied, found).hint(format!(
            "arm it, for example `:arm {host} 10m`, and confirm again; nothing was written"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> HostId {
        HostId::new(name).unwrap()
    }

    fn armed(name: &str, ms: u64) -> (Armed, Instant) {
        let how_long = Duration::from_millis(ms);
        let armed = Armed::new(host(name), 1_000, how_long).unwrap();
        (armed, Instant::now() + how_long)
    }

    #[test]
    fn a_host_is_armed_for_an_hour_at_most_and_never_for_nothing() {
        let long = |duration| Armed::new(host("prod"), 0, duration);
        for bad in [Duration::ZERO, LONGEST + Duration::from_millis(1)] {
            assert_eq!(long(bad).unwrap_err().kind, FailureKind::Usage, "{bad:?}");
        }
        assert_eq!(long(LONGEST).unwrap().until_ms, 3_600_000);
    }

    #[test]
    fn where_no_arming_is_wanted_every_write_may_go() {
        assert!(Gate::default().check(&host("prod"), 0).is_ok());
    }

    #[test]
    fn only_the_armed_host_may_be_written_to_and_only_until_it_lapses() {
        let gate = Gate::default();
        gate.require();
        let refused = |name: &str, now_ms: i64| gate.check(&host(name), now_ms).unwrap_err();
        assert_eq!(refused("prod", 1_000).kind, FailureKind::Denied);
        let (accept, until) = armed("accept", 60_000);
        assert_eq!(gate.arm(accept, until), None);
        assert!(gate.check(&host("accept"), 60_999).is_ok());
        assert!(refused("prod", 1_000).message.contains("`accept` is armed"));
        assert!(refused("accept", 61_000).message.contains("lapsed"));
        let (prod, until) = armed("prod", 60_000);
        let replaced = gate.arm(prod, until).unwrap();
        assert_eq!(replaced.host, host("accept"));
        assert!(gate.check(&host("prod"), 1_000).is_ok());
        assert_eq!(refused("accept", 1_000).kind, FailureKind::Denied);
        assert_eq!(gate.disarm().unwrap().host, host("prod"));
        assert!(refused("prod", 1_000).message.contains("not armed"));
    }

    #[test]
    fn putting_the_clock_back_gives_no_more_time() {
        let gate = Gate::default();
        gate.require();
        let (prod, _) = armed("prod", 60_000);
        gate.arm(prod, Instant::now());
        assert!(gate.check(&host("prod"), 0).is_err());
    }
}
