//! What stored state says of a gateway's refusal that outlived the warming window: no answer tells
//! a model that is not allowed from accounts that are not chosen (`host-contract.md` trap 24).

use super::why::{is_restricted, of_group, of_model};
use super::{Reason, channel_over, why_not};
use crate::ids::RemoteId;
use crate::import::HostView;
use crate::text::shorten;
use std::collections::BTreeMap;

/// Most of what the host says of one account.
const SAID: usize = 80;

/// Why a group serves a model to nobody, in one sentence, or that by stored state it should.
pub fn unserved(view: &HostView, group: RemoteId, model: &str, now_ms: i64) -> String {
    let Some(found) = view.groups.iter().find(|row| row.id == group) else {
        return format!("there is no group #{group}");
    };
    let name = &found.spec.name;
    if found.status != "active" {
        return format!("group `{name}` is `{}`", found.status);
    }
    if let Some(channel) = channel_over(view, group)
        && is_restricted(channel, &found.spec.platform, model)
    {
        return format!(
            "channel `{}` lets only priced models through, and has no price of platform `{}` for `{model}`",
            channel.spec.name, found.spec.platform
        );
    }
    let mut accounts = view.accounts.iter();
    let bound: Vec<_> = accounts
        .by_ref()
        .filter(|account| account.group_ids.contains(&group))
        .collect();
    if bound.is_empty() {
        return format!("no account is bound to group `{name}`");
    }
    // How many for each first reason, and what is said of one of them.
    let mut reasons: BTreeMap<Reason, (usize, String)> = BTreeMap::new();
    let mut choosable = 0;
    for account in &bound {
        let mut why = why_not(account, now_ms);
        why.extend(of_group(account, found));
        why.extend(of_model(account, model));
        match why.into_iter().next() {
            None => choosable += 1,
            Some(first) => {
                let row = reasons.entry(first.reason).or_insert((0, first.said));
                row.0 += 1;
            }
        }
    }
    let told: Vec<String> = reasons
        .iter()
        .map(|(reason, (count, said))| format!("{count} {reason} ({})", shorten(said, SAID)))
        .collect();
    let told = told.join(", ");
    match (choosable, told.is_empty()) {
        (0, _) => format!(
            "none of the {} account(s) of group `{name}` is chosen: {told}",
            bound.len()
        ),
        (_, true) => format!(
            "all {choosable} account(s) of group `{name}` should be chosen, so that only the host's log tells why"
        ),
        (_, false) => format!(
            "{choosable} of {} account(s) of group `{name}` should be chosen, so that only the host's log tells why; the others: {told}",
            bound.len()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::tests::settled;

    #[test]
    fn each_cause_of_one_and_the_same_answer_is_told_from_stored_state() {
        type Change = fn(&mut HostView);
        let cases: [(&str, Change, &str); 8] = [
            ("nothing", |_| {}, "all 2 account(s) of group"),
            (
                "the group is gone",
                |view| view.groups.clear(),
                "there is no group #5",
            ),
            (
                "it is switched off",
                |view| view.groups[0].status = "inactive".to_owned(),
                "is `inactive`",
            ),
            (
                "a channel without a price",
                |view| {
                    view.channels[0].spec.restrict_models = true;
                    view.channels[0].spec.model_pricing.clear();
                },
                "lets only priced models through",
            ),
            (
                "nobody is bound",
                |view| {
                    for row in &mut view.accounts {
                        row.group_ids.clear();
                    }
                },
                "no account is bound",
            ),
            (
                "all switched off",
                |view| (view.accounts.iter_mut()).for_each(|row| row.schedulable = false),
                "none of the 2 account(s) of group",
            ),
            (
                "the model is mapped by nobody",
                |view| {
                    view.accounts.iter_mut().for_each(|row| {
                        row.model_mapping = [("other".to_owned(), "other".to_owned())].into();
                    });
                },
                "2 model_not_mapped",
            ),
            (
                "one of two",
                |view| view.accounts[0].schedulable = false,
                "1 of 2 account(s) of group",
            ),
        ];
        for (name, change, told) in cases {
            let (mut view, _) = settled();
            view.channels[0].spec.restrict_models = false;
            for account in &mut view.accounts {
                account.model_mapping.clear();
            }
            change(&mut view);
            let said = unserved(&view, RemoteId(5), "gpt-5.4", 0);
            assert!(said.contains(told), "{name}: {said}");
        }
    }
}
