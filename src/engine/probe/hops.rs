//! From the client to the vendor: which hop breaks. A request passes client, nginx, host and
//! upstream in this order; what breaks at one hop is seen from every hop before it, so the deepest
//! bad one is where it breaks.

use super::{Probe, ProbeClass};
use crate::context::Job;
use cockpit_domain::host::HostSettings;
use cockpit_domain::inventory::Account;
use cockpit_domain::pack::{Look, Pack};
use cockpit_domain::pool::{Reason, WhyNot, why_not};

/// The hops, the client's first.
pub const HOPS: [&str; 4] = ["client", "nginx", "host", "upstream"];

/// Whether a probe found something bad.
pub fn is_bad(probe: &Probe) -> bool {
    !matches!(probe.class, ProbeClass::Ok | ProbeClass::Skipped)
}

/// Where the path breaks: the first bad row of the deepest bad hop. Silence of everything that is
/// asked from the host's machine is the machine's, so it stands at the host.
pub fn first_bad(probes: &[Probe]) -> Option<usize> {
    let silent = |hop: &str| {
        let mut rows = probes.iter().filter(|probe| probe.hop == hop).peekable();
        rows.peek().is_some() && rows.all(|probe| probe.class == ProbeClass::Unreachable)
    };
    let dark = silent("host") && silent("upstream");
    HOPS.iter()
        .rev()
        .filter(|hop| !(dark && **hop == "upstream"))
        .find_map(|hop| {
            probes
                .iter()
                .position(|probe| probe.hop == *hop && is_bad(probe))
        })
        .or_else(|| probes.iter().position(is_bad))
}

/// The public address that clients of a host use: what the smoke of its baseline calls.
pub(super) fn public_base(job: &Job, host: &HostSettings) -> Option<String> {
    let pack = job.ports.packs.read(host.baseline.as_ref()?).ok()?;
    let Pack::Baseline(pack) = pack else {
        return None;
    };
    pack.checks.iter().find_map(|check| match &check.look {
        Look::Smoke(look) => Some(look.base.trim_end_matches('/').to_owned()),
        _ => None,
    })
}

/// What an answer of the upstream did to these accounts, as the host stores it: the vendor's own
/// words, with whose they are.
pub(crate) fn vendor_words(accounts: &[Account], now_ms: i64) -> Vec<(ProbeClass, String)> {
    accounts
        .iter()
        .flat_map(|account| {
            let why = why_not(account, now_ms).into_iter();
            why.filter_map(move |why| Some((class_of(&why)?, line(account, &why))))
        })
        .collect()
}

fn line(account: &Account, why: &WhyNot) -> String {
    let until = why
        .next_try
        .as_ref()
        .map_or_else(String::new, |time| format!(" until {time}"));
    format!(
        "account {} #{}, {}{until}: {}",
        account.name, account.id, why.reason, why.said
    )
}

fn class_of(why: &WhyNot) -> Option<ProbeClass> {
    let said = why.said.to_lowercase();
    match why.reason {
        Reason::RateLimited | Reason::Overloaded => Some(ProbeClass::RateLimited),
        Reason::Error | Reason::CoolingDown
            if said.contains("quota") || said.contains("balance") =>
        {
            Some(ProbeClass::Quota)
        }
        Reason::Error | Reason::CoolingDown => Some(ProbeClass::Auth),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cockpit_domain::ids::HostId;
    use std::borrow::Cow;

    fn probe(hop: &'static str, class: ProbeClass) -> Probe {
        Probe {
            host: HostId::new("prod").unwrap(),
            provider: None,
            hop: Cow::Borrowed(hop),
            protocol: Cow::Borrowed("chat"),
            class,
            status: 0,
            content_type: String::new(),
            found: String::new(),
            duration_ms: 0,
        }
    }

    #[test]
    fn the_deepest_bad_hop_is_where_it_breaks() {
        use ProbeClass::{NoAccount, Ok, Quota, Skipped, Unexpected, Unreachable};
        let cases = [
            ("all well", [Ok, Ok, Ok, Ok], None),
            ("not asked", [Skipped, Skipped, Ok, Skipped], None),
            (
                "the vendor",
                [Unexpected, Unexpected, Unexpected, Quota],
                Some("upstream"),
            ),
            (
                "the host",
                [Unexpected, Unexpected, NoAccount, Ok],
                Some("host"),
            ),
            ("nginx", [Unexpected, Unexpected, Ok, Ok], Some("nginx")),
            ("the way there", [Unreachable, Ok, Ok, Ok], Some("client")),
            (
                "the vendor is silent",
                [Unexpected, Unexpected, Unexpected, Unreachable],
                Some("upstream"),
            ),
            (
                "the machine is silent",
                [Unreachable, Unreachable, Unreachable, Unreachable],
                Some("host"),
            ),
        ];
        for (what, classes, wanted) in cases {
            let rows: Vec<Probe> = HOPS
                .iter()
                .zip(classes)
                .map(|(hop, class)| probe(hop, class))
                .collect();
            let found = first_bad(&rows).map(|at| rows[at].hop.as_ref());
            assert_eq!(found, wanted, "{what}");
        }
    }
}
