//! The faults: their names, what they mean, which are on. What they do is decided where the state
//! is read, so that dump and traffic cannot differ.

use crate::error::LabError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A fault that can be switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    NginxOldPort,
    BindingLost,
    LeftoverContainer,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamAuth,
    UpstreamSilent,
    UpstreamPage,
    UpstreamChatOnly,
    Host502,
    TunnelDown,
    NginxLostSlash,
    NginxStrayUpstream,
    NginxBannedListen,
    NginxBannedName,
    SiteFile,
    PortalGone,
    ControlDown,
    ControlBinary,
    ControlStale,
    ControlDatabase,
    ControlTwice,
    LeftoverProcess,
    StrayContainer,
    HostDatabase,
    ChannelLost,
    KeyLost,
    SubscriptionLost,
    ChannelUnpriced,
    ChannelUnmapped,
    AccountUnmapped,
    AccountTwice,
    ModelLost,
    ProfileKey,
    ProfileUrl,
    DeployScript,
    NginxExample,
    Certificate,
    DiskFull,
    TrialStack,
    TrialRestarts,
    TrialDatabase,
    TrialTunnel,
    TrialRouted,
    TrialProfile,
    NginxBroken,
    ReloadFails,
    UpstreamDown,
    UpstreamBabble,
    KeysDisabled,
    OldMapping,
    TestWithoutModel,
    KeyWrongHeader,
    PackPath,
    SiteFileEdited,
    OutsideOld,
    AccountStray,
    ChannelStray,
}

/// Name and meaning of each, in the order they are listed.
const TABLE: [(Fault, &str, &str); 58] = [
    (
        Fault::NginxOldPort,
        "nginx-old-port",
        "nginx sends / to 127.0.0.1:18169, an old stack's port where nothing listens",
    ),
    (
        Fault::BindingLost,
        "binding-lost",
        "account 7 is no longer bound to group 3",
    ),
    (
        Fault::LeftoverContainer,
        "leftover-container",
        "a route lab container of an old acceptance run is up again on port 18192",
    ),
    (
        Fault::UpstreamQuota,
        "upstream-quota",
        "every upstream vendor answers 403 insufficient_user_quota",
    ),
    (
        Fault::UpstreamRateLimited,
        "upstream-rate-limited",
        "every upstream vendor answers 429 rate_limit_exceeded",
    ),
    (
        Fault::UpstreamAuth,
        "upstream-auth",
        "every upstream vendor answers 401 invalid_api_key",
    ),
    (
        Fault::UpstreamSilent,
        "upstream-silent",
        "no upstream vendor listens: connecting to it is refused",
    ),
    (
        Fault::UpstreamPage,
        "upstream-page",
        "every upstream vendor answers 200 with a web page instead of a completion",
    ),
    (
        Fault::UpstreamChatOnly,
        "upstream-chat-only",
        "the upstream's /responses answers 500 and /chat/completions goes on: the host calls the former",
    ),
    (
        Fault::Host502,
        "host-502",
        "the production sub2api container is restarting and does not listen on 8080",
    ),
    (
        Fault::TunnelDown,
        "tunnel-down",
        "sshd refuses port forwarding on every machine and drops open forwards",
    ),
    (
        Fault::NginxLostSlash,
        "nginx-lost-slash",
        "/kimi-v1/ passes to http://127.0.0.1:8080/v1 without its slash",
    ),
    (
        Fault::NginxStrayUpstream,
        "nginx-stray-upstream",
        "an added location /canary/ passes to 127.0.0.1:9999",
    ),
    (
        Fault::NginxBannedListen,
        "nginx-banned-listen",
        "the site listens on 18173 as well",
    ),
    (
        Fault::NginxBannedName,
        "nginx-banned-name",
        "the site logs into a folder of crm-verify-7",
    ),
    (
        Fault::SiteFile,
        "site-file",
        "the site's file on disk was edited and not loaded: / goes to 127.0.0.1:9999",
    ),
    (
        Fault::PortalGone,
        "portal-gone",
        "the files of the portal are gone",
    ),
    (
        Fault::ControlDown,
        "control-plane-down",
        "the control plane does not run",
    ),
    (
        Fault::ControlBinary,
        "control-plane-other-binary",
        "the control plane on 18190 runs from another folder",
    ),
    (
        Fault::ControlStale,
        "control-plane-stale",
        "the control plane's binary was replaced and the process not restarted",
    ),
    (
        Fault::ControlDatabase,
        "control-plane-other-database",
        "the control plane has another SQLite file open",
    ),
    (
        Fault::ControlTwice,
        "control-plane-twice",
        "a second control plane runs beside the one on 18190",
    ),
    (
        Fault::LeftoverProcess,
        "leftover-process",
        "a crm-verify process of an old acceptance run is still there",
    ),
    (
        Fault::StrayContainer,
        "stray-container",
        "a second sub2api container, sub2api-canary, runs beside production",
    ),
    (
        Fault::HostDatabase,
        "host-other-database",
        "the production host is set up with another database container",
    ),
    (
        Fault::ChannelLost,
        "channel-binding-lost",
        "channel 1 no longer lies over group 3",
    ),
    (Fault::KeyLost, "key-binding-lost", "key 11 is in no group"),
    (
        Fault::SubscriptionLost,
        "subscription-binding-lost",
        "account 7 is no longer bound to group 4",
    ),
    (
        Fault::ChannelUnpriced,
        "channel-unpriced",
        "channel 1 has lost its prices",
    ),
    (
        Fault::ChannelUnmapped,
        "channel-unmapped",
        "channel 1 has lost its model mapping",
    ),
    (
        Fault::AccountUnmapped,
        "account-unmapped",
        "account 7 maps no model any more",
    ),
    (
        Fault::AccountTwice,
        "account-twice",
        "account 7 is there a second time, active, under the same name",
    ),
    (
        Fault::ModelLost,
        "model-lost",
        "account 7 no longer serves gpt-5.4-mini",
    ),
    (
        Fault::ProfileKey,
        "profile-old-key",
        "the OpenClaw profile holds a key of an older host",
    ),
    (
        Fault::ProfileUrl,
        "profile-old-url",
        "the OpenClaw profile sends to 127.0.0.1:18169",
    ),
    (
        Fault::DeployScript,
        "deploy-script",
        "the deploy script's default port is 18169",
    ),
    (
        Fault::NginxExample,
        "nginx-example",
        "the example configuration in the repository passes / to 18169",
    ),
    (
        Fault::Certificate,
        "certificate",
        "the certificate of the public address ends in five days",
    ),
    (
        Fault::DiskFull,
        "disk-full",
        "the disk of remote43 is 97 % full",
    ),
    (
        Fault::TrialStack,
        "temporary-stack",
        "a temporary stack sub2api-trial of an acceptance run stands beside production on port 18087",
    ),
    (
        Fault::TrialRestarts,
        "stack-restarts",
        "the container of the temporary stack comes back whenever it is stopped",
    ),
    (
        Fault::TrialDatabase,
        "stack-database-restarts",
        "the database of the temporary stack comes back whenever it is stopped",
    ),
    (
        Fault::TrialTunnel,
        "stack-tunnel",
        "an SSH tunnel to the temporary stack still listens on port 18087",
    ),
    (
        Fault::TrialRouted,
        "stack-routed",
        "the site names 127.0.0.1:18087, the temporary stack's port",
    ),
    (
        Fault::TrialProfile,
        "stack-profile",
        "the OpenClaw profile sends to 127.0.0.1:18087, the temporary stack",
    ),
    (
        Fault::NginxBroken,
        "nginx-broken",
        "the nginx configuration on disk has a word that nginx does not know",
    ),
    (
        Fault::ReloadFails,
        "nginx-reload-fails",
        "systemd refuses to reload nginx",
    ),
    (
        Fault::UpstreamDown,
        "upstream-down",
        "every upstream vendor answers 502",
    ),
    (
        Fault::UpstreamBabble,
        "upstream-babble",
        "every upstream vendor answers, but never what it is asked for",
    ),
    (
        Fault::KeysDisabled,
        "keys-disabled",
        "the keys of group 3 are switched off",
    ),
    (
        Fault::OldMapping,
        "old-mapping",
        "an account with models of last year serves group 5",
    ),
    (
        Fault::TestWithoutModel,
        "test-without-model",
        "the control plane tests account 7 without naming a model",
    ),
    (
        Fault::KeyWrongHeader,
        "key-wrong-header",
        "the control plane sends a user's key as `x-api-key` to the admin API",
    ),
    (
        Fault::PackPath,
        "pack-path",
        "the control plane is given a pack path of another machine",
    ),
    (
        Fault::SiteFileEdited,
        "site-file-edited",
        "the site's file on disk has a directive more than what runs",
    ),
    (
        Fault::OutsideOld,
        "outside-old-address",
        "seen from accept44 the public name leads to an old stack",
    ),
    (
        Fault::AccountStray,
        "account-stray-group",
        "account 7 is bound to group 99 as well, which nobody watches",
    ),
    (
        Fault::ChannelStray,
        "channel-stray-group",
        "channel 1 still lies over group 99, which is deleted",
    ),
];

impl Fault {
    /// Every fault.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(fault, ..)| *fault)
    }

    fn row(self) -> (&'static str, &'static str) {
        let row = TABLE.iter().find(|(fault, ..)| *fault == self);
        row.map_or(("", ""), |(_, name, what)| (name, what))
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().0
    }

    fn what(self) -> &'static str {
        self.row().1
    }

    pub(crate) fn parse(name: &str) -> Result<Self, LabError> {
        Self::all()
            .find(|fault| fault.name() == name)
            .ok_or_else(|| LabError::UnknownFault {
                name: name.to_owned(),
                nearest: nearest(name),
            })
    }
}

/// A fault as the control socket lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRow {
    /// Its name.
    pub name: String,
    /// Is it on?
    pub on: bool,
    /// What it does, in one sentence.
    pub what: String,
}

/// Which faults are on, and since when. Cloning shares it.
#[derive(Clone, Default)]
pub(crate) struct FaultBoard {
    since: Arc<RwLock<BTreeMap<Fault, Timestamp>>>,
}

impl FaultBoard {
    /// Since when a fault is on.
    pub(crate) fn since(&self, fault: Fault) -> Option<Timestamp> {
        let since = self.since.read().unwrap_or_else(PoisonError::into_inner);
        since.get(&fault).copied()
    }

    pub(crate) fn on(&self, fault: Fault) -> bool {
        self.since(fault).is_some()
    }

    /// Switches; says whether that changed anything.
    pub(crate) fn switch(&self, fault: Fault, on: bool) -> bool {
        let mut since = self.since.write().unwrap_or_else(PoisonError::into_inner);
        if since.contains_key(&fault) == on {
            return false;
        }
        if on {
            since.insert(fault, Timestamp::now());
        } else {
            since.remove(&fault);
        }
        true
    }

    pub(crate) fn rows(&self) -> Vec<FaultRow> {
        Fault::all()
            .map(|fault| FaultRow {
                name: fault.name().to_owned(),
                on: self.on(fault),
                what: fault.what().to_owned(),
            })
            .collect()
    }
}

/// The fault that has the typed text in its name, else the one fewest edits away.
fn nearest(name: &str) -> &'static str {
    let apart = |known: &&'static str| {
        let part = !name.is_empty() && known.contains(name);
        (!part, distance(name, known))
    };
    Fault::all()
        .map(Fault::name)
        .min_by_key(apart)
        .unwrap_or_default()
}

/// Edit distance over bytes; names are short and plain.
fn distance(from: &str, to: &str) -> usize {
    let to = to.as_bytes();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, a) in from.bytes().take(64).enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (column, b) in to.iter().enumerate() {
            let above = row[column + 1];
            row[column + 1] = (corner + usize::from(a != *b))
                .min(above + 1)
                .min(row[column] + 1);
            corner = above;
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_fault_names_the_nearest_one() {
        for (typed, meant) in [
            ("nginx-oldport", "nginx-old-port"),
            ("tunel-down", "tunnel-down"),
            ("host502", "host-502"),
            ("quota", "upstream-quota"),
        ] {
            let Err(error) = Fault::parse(typed) else {
                panic!("{typed} is no fault");
            };
            assert!(error.hint().contains(meant), "{typed}: {}", error.hint());
        }
    }

    #[test]
    fn switching_twice_changes_once() {
        let board = FaultBoard::default();
        assert!(board.switch(Fault::Host502, true));
        assert!(!board.switch(Fault::Host502, true));
        assert!(board.on(Fault::Host502));
        assert!(board.switch(Fault::Host502, false));
        assert!(!board.switch(Fault::Host502, false));
        assert!(!board.on(Fault::Host502));
    }
}
