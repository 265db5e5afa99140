//! Boot grace: what was started a moment ago is warming up, not broken.

use super::machines::{printed_on, sealed_on};
use super::run::Shared;
use cockpit_domain::baseline::{
    Judgement, LIST, Verdict, matches_glob, read_processes, started_ago,
};
use cockpit_domain::ids::MachineId;
use cockpit_domain::pack::{Check, Grace, Place};

/// A judgement that is bad becomes `unknown` while what the check names is warming up. What cannot
/// be seen spares nothing.
pub(super) async fn spared(shared: &Shared, check: &Check, judgement: Judgement) -> Judgement {
    let Some(grace) = &check.pace.grace else {
        return judgement;
    };
    if !matches!(judgement.verdict, Verdict::Fail | Verdict::Unreachable) {
        return judgement;
    }
    let machine = grace.machine().or_else(|| match &check.vantage {
        Place::Machine(machine) => Some(machine.clone()),
        _ => None,
    });
    let Some(machine) = machine else {
        return judgement;
    };
    match age(shared, &machine, grace).await {
        Some(age) if age < grace.seconds => {
            let named = grace.container.as_ref().or(grace.process.as_ref());
            let what = named.map_or("", String::as_str);
            let found = format!(
                "warming up: `{what}` was started {age} s ago; {}",
                judgement.found
            );
            Judgement::unknown(
                &found,
                &judgement.evidence,
                format!("Look again in {} s.", grace.seconds - age),
            )
        }
        _ => judgement,
    }
}

/// Seconds since the start of what is named; `None` when that cannot be seen, or when it is started
/// again and again.
async fn age(shared: &Shared, machine: &MachineId, grace: &Grace) -> Option<u64> {
    if let Some(name) = &grace.container {
        let argv = ["docker", "inspect", name].map(str::to_owned);
        let seen = sealed_on(shared, machine, &argv).await.ok()?;
        let now = printed_on(shared, machine, &["date".to_owned(), "+%s".to_owned()])
            .await
            .ok()?;
        return started_ago(&seen, now.trim().parse().ok()?);
    }
    let pattern = grace.process.as_deref()?;
    let list = LIST.map(str::to_owned);
    let text = printed_on(shared, machine, &list).await.ok()?;
    let seen = read_processes(&text).ok()?;
    seen.iter()
        .filter(|process| matches_glob(pattern, &process.command))
        .map(|process| process.age_s)
        .min()
}
