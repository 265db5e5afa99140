//! Taking over what stands on a host by the pack's names and patterns (`product.md` 4, Neighbours):
//! what would be recorded, what is recorded already, and what is not adoptable, each with its reason.
//! Nothing on the host is changed.

use crate::batch::AccessMode;
use crate::canonical::hash_of;
use crate::host::Role;
use crate::ids::{HostId, PackId, RemoteId};
use crate::import::{HostView, Leftovers, managed_email, managed_key_name};
use crate::inventory::{Account, Standing};
use crate::legacy::{self, Stands};
use crate::pack::{ProviderPack, upstream_root};
use crate::plan::{Change, Sign, Totals, expiry};
use crate::recorded;
use crate::resource::{BatchResource, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One resource that would be recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adoption {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: ResourceKind,
    /// Its id.
    pub host_resource_id: RemoteId,
    /// Its name.
    pub name: String,
    /// What is written down of it: how it stands now.
    pub recorded: Value,
}

/// A plan. Its hash is over this value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdoptPlan {
    /// Host.
    pub host: HostId,
    /// Provider.
    pub provider: PackId,
    /// `+` what would be recorded, `=` what is recorded already, `!` what cannot be.
    pub changes: Vec<Change>,
    /// Their totals.
    pub totals: Totals,
    /// What would be recorded, in order.
    pub adoptions: Vec<Adoption>,
    /// Why it cannot be carried out; empty when it can.
    pub blockers: Vec<String>,
    /// Who else writes to this host.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Hash of what it read.
    pub revision: String,
    /// UTC ms after which it is refused, on production.
    pub expires_ms: Option<i64>,
}

/// What is known when planning.
pub struct AdoptInput<'a> {
    /// Host.
    pub host: &'a HostId,
    /// Its role decides expiry.
    pub role: Role,
    /// The provider's pack: its names and patterns.
    pub pack: &'a ProviderPack,
    /// Stored state.
    pub view: &'a HostView,
    /// What batches of ours hold on this host, of whatever provider, and have not undone.
    pub records: &'a [BatchResource],
    /// UTC ms.
    pub now_ms: i64,
}

/// Makes the plan.
pub fn plan_adopt(input: &AdoptInput<'_>) -> AdoptPlan {
    let mut draft = Draft {
        input,
        changes: Vec::new(),
        adoptions: Vec::new(),
        groups: BTreeSet::new(),
    };
    let modes = [AccessMode::Subscription, AccessMode::SelfService];
    let packs = modes.map(|mode| input.pack.clone().for_access(mode));
    for pack in &packs {
        draft.group(&pack.subscription.group);
    }
    for pack in &packs {
        draft.channel(&pack.subscription.channel);
    }
    draft.offers(&input.pack.subscription.plan);
    draft.accounts();
    draft.access();
    let Draft {
        changes, adoptions, ..
    } = draft;
    let blockers = if adoptions.is_empty() {
        vec![format!(
            "nothing on `{}` with the names of `{}` is left to be taken over",
            input.host, input.pack.id
        )]
    } else {
        Vec::new()
    };
    AdoptPlan {
        host: input.host.clone(),
        provider: input.pack.id.clone(),
        totals: Totals::of(&changes),
        revision: hash_of(&json!([changes, adoptions])).unwrap_or_default(),
        changes,
        adoptions,
        blockers,
        warnings: Vec::new(),
        expires_ms: expiry(input.role, input.now_ms),
    }
}

struct Draft<'a> {
    input: &'a AdoptInput<'a>,
    changes: Vec<Change>,
    adoptions: Vec<Adoption>,
    /// The provider's groups: recorded already, or taken over by this plan.
    groups: BTreeSet<RemoteId>,
}

impl Draft<'_> {
    fn say(
        &mut self,
        sign: Sign,
        kind: ResourceKind,
        name: &str,
        id: RemoteId,
        why: impl Into<String>,
    ) {
        let change = Change::new(sign, kind, name, why.into());
        self.changes.push(change.at(id));
    }

    /// Takes something over, unless a batch of ours holds it.
    fn take(&mut self, kind: ResourceKind, name: &str, id: RemoteId, recorded: Value, why: &str) {
        if let Some(batch) = self.holder(kind, id) {
            self.say(
                Sign::Keep,
                kind,
                name,
                id,
                format!("recorded by {batch} already"),
            );
            return;
        }
        self.say(Sign::Create, kind, name, id, why);
        self.adoptions.push(Adoption {
            kind,
            host_resource_id: id,
            name: name.to_owned(),
            recorded,
        });
    }

    fn holder(&self, kind: ResourceKind, id: RemoteId) -> Option<crate::ids::BatchId> {
        let mut records = self.input.records.iter();
        let held =
            records.find(|row| row.kind == kind && row.host_resource_id == id && !row.undone);
        held.map(|row| row.batch)
    }

    fn group(&mut self, name: &str) {
        let Some(group) = self.input.view.group(name) else {
            return;
        };
        let (kind, id) = (ResourceKind::Group, group.id);
        let platform = &self.input.pack.platform;
        if group.spec.platform != *platform {
            let why = format!(
                "is of platform `{}`, the pack is of `{platform}`: not the group it means",
                group.spec.platform
            );
            self.say(Sign::Attention, kind, name, id, why);
            return;
        }
        self.groups.insert(id);
        let recorded = recorded::of_group(group);
        self.take(
            kind,
            name,
            id,
            recorded,
            "has the pack's name for its group",
        );
    }

    fn channel(&mut self, name: &str) {
        for channel in &self.input.view.channels {
            let (kind, id) = (ResourceKind::Channel, channel.id);
            let ours = |group: &RemoteId| self.groups.contains(group);
            let over = &channel.spec.group_ids;
            if channel.spec.name == name {
                if over.is_empty() || over.iter().all(ours) {
                    let recorded = recorded::of_channel(channel);
                    let why = "has the pack's name for its channel";
                    self.take(kind, name, id, recorded, why);
                } else {
                    let others: Vec<String> = over
                        .iter()
                        .filter(|group| !ours(group))
                        .map(ToString::to_string)
                        .collect();
                    let why = format!(
                        "lies over group {} as well, which is not taken over: whose it is cannot be told",
                        others.join(", ")
                    );
                    self.say(Sign::Attention, kind, name, id, why);
                }
            }
        }
    }

    fn offers(&mut self, name: &str) {
        let offers = &self.input.view.offers;
        let in_ours = |group: RemoteId| self.groups.contains(&group);
        let of_ours: Vec<_> = offers
            .iter()
            .filter(|row| in_ours(row.spec.group_id))
            .collect();
        let named = of_ours.iter().filter(|row| row.spec.name == name).count();
        for offer in of_ours {
            let kind = ResourceKind::Plan;
            if offer.spec.name != name {
                let why = format!("sells the group under another name than `{name}`; left alone");
                self.say(Sign::Attention, kind, &offer.spec.name, offer.id, why);
            } else if named > 1 && self.holder(kind, offer.id).is_none() {
                let why = "has a double of the same name: which one counts cannot be told";
                self.say(Sign::Attention, kind, name, offer.id, why);
            } else {
                let recorded = recorded::of_offer(offer);
                self.take(
                    kind,
                    name,
                    offer.id,
                    recorded,
                    "has the pack's name for its offer",
                );
            }
        }
    }

    fn accounts(&mut self) {
        let pack = self.input.pack;
        let names = Leftovers::of(pack);
        let groups = self.groups.clone();
        for account in &self.input.view.accounts {
            let bound = account.group_ids.iter().any(|id| groups.contains(id));
            let (kind, id, name) = (ResourceKind::Account, account.id, &account.name);
            if !names.holds(name) {
                // Of whom it is nobody can tell; it is no part of the plan unless it serves here.
                if bound && self.holder(kind, id).is_none() {
                    let why = "serves the group, but has no name of the pack; left alone";
                    self.say(Sign::Attention, kind, name, id, why);
                }
                continue;
            }
            if self.holder(kind, id).is_none()
                && let Some(why) = self.doubtful(account)
            {
                self.say(Sign::Attention, kind, name, id, why);
                continue;
            }
            let recorded = recorded::of_account(account);
            let why = stands(account, bound, pack);
            self.take(kind, name, id, recorded, &why);
        }
    }

    /// The managed user of the provider, with its rights and keys in the provider's groups. People's
    /// own are nobody's to take over.
    fn access(&mut self) {
        let input = self.input;
        let Some(user) = &input.view.user else {
            return;
        };
        let (kind, id, email) = (ResourceKind::User, user.id, user.email.as_str());
        if user.email != managed_email(&input.pack.id) {
            return;
        }
        if user.role != "user" {
            let why = format!("has the managed user's address and is `{}`", user.role);
            self.say(Sign::Attention, kind, email, id, why);
            return;
        }
        let why = match legacy::user(&user.status) {
            Stands::InService => "is the provider's managed user".to_owned(),
            other => format!("is the provider's managed user, {other}"),
        };
        self.take(kind, email, id, recorded::of_user(user), &why);
        for row in &input.view.subscriptions {
            let (kind, id) = (ResourceKind::Subscription, row.id);
            if !self.groups.contains(&row.group_id) {
                let why = format!(
                    "a right of the managed user to group #{}, which is none of the provider's",
                    row.group_id
                );
                self.say(Sign::Attention, kind, email, id, why);
                continue;
            }
            let stands = match row.standing(input.now_ms) {
                Some(Standing::Alive) => format!("until {}", row.until()),
                Some(Standing::Over) => format!("ran out at {}", row.until()),
                Some(Standing::OverThere) => row.over_there(),
                Some(Standing::Suspended) => format!("is {}", row.status),
                None => format!("until `{}`, which cannot be read", row.expires_at),
            };
            let why = format!("a right of the managed user, {stands}");
            self.take(kind, email, id, recorded::of_subscription(row), &why);
        }
        let name = managed_key_name(&input.pack.id);
        for key in &input.view.managed_keys {
            let (kind, id) = (ResourceKind::Key, key.id);
            let ours = key
                .group_id
                .is_some_and(|group| self.groups.contains(&group));
            if key.name != name || !ours {
                let bound = key.group_id.map_or_else(
                    || "bound to no group".to_owned(),
                    |group| format!("bound to group #{group}"),
                );
                let why =
                    format!("a key of the managed user, {bound}: not the one that an import makes");
                self.say(Sign::Attention, kind, &key.name, id, why);
                continue;
            }
            let stands = match legacy::key(&key.status) {
                Stands::InService => String::new(),
                other => format!(", {other}"),
            };
            let why = format!("managed key {}{stands}", key.key.masked());
            self.take(kind, &name, id, recorded::of_key(key), &why);
        }
    }

    /// Why it cannot be told whether an account is what its name says; `None` when it can.
    fn doubtful(&self, account: &Account) -> Option<String> {
        let pack = self.input.pack;
        if account.platform != pack.platform {
            return Some(format!(
                "is of platform `{}`, the pack is of `{}`",
                account.platform, pack.platform
            ));
        }
        if account.kind != "apikey" {
            return Some(format!("is of type `{}`, not a key", account.kind));
        }
        let same = self.input.view.accounts_named(&account.name).count();
        (same > 1)
            .then(|| format!("{same} accounts have this name: which one counts cannot be told"))
    }
}

/// How an account stands, in words that include those of older tools.
fn stands(account: &Account, bound: bool, pack: &ProviderPack) -> String {
    let own = crate::import::is_own_name(&pack.id, &account.name);
    let mut told = vec![if own {
        "has a name of ours".to_owned()
    } else {
        "has a name of an older tool".to_owned()
    }];
    told.push(match legacy::account(&account.status) {
        Stands::InService if !account.schedulable => "switched off".to_owned(),
        stands => stands.to_string(),
    });
    if !bound {
        told.push("in no group of the provider".to_owned());
    }
    if !account.base_url.is_empty()
        && upstream_root(&account.base_url) != upstream_root(&pack.base_url)
    {
        told.push(format!(
            "asks {} where the pack says {}",
            account.base_url, pack.base_url
        ));
    }
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::BatchId;
    use crate::inventory::{ApiKey, Subscription, User};
    use crate::reconcile::tests::{account, pack, settled};
    use crate::secret::Secret;

    fn plan(view: &HostView, records: &[BatchResource]) -> AdoptPlan {
        plan_adopt(&AdoptInput {
            host: &HostId::new("h").unwrap(),
            role: Role::Acceptance,
            pack: &pack(),
            view,
            records,
            now_ms: 0,
        })
    }

    fn row<'a>(plan: &'a AdoptPlan, name: &str) -> &'a Change {
        let found = plan.changes.iter().find(|row| row.name == name);
        found.unwrap_or_else(|| panic!("no {name}: {:?}", plan.changes))
    }

    #[test]
    fn what_has_the_packs_names_is_taken_over_and_what_is_recorded_is_not() {
        let (mut view, records) = settled();
        view.accounts.push(account(30, "old-lab-7", false));
        view.accounts.push(account(31, "somebody", true));
        let all = plan(&view, &[]);
        let taken: Vec<&str> = all.adoptions.iter().map(|row| row.name.as_str()).collect();
        let wanted = [
            "g",
            "c",
            "lab.000000000020",
            "lab.000000000021",
            "old-lab-7",
        ];
        assert_eq!(taken, wanted, "{:?}", all.changes);
        let old = row(&all, "old-lab-7");
        assert!(old.reason.contains("older tool, switched off"), "{old:?}");
        assert_eq!(row(&all, "somebody").sign, Sign::Attention);
        assert_eq!(all.blockers, Vec::<String>::new());

        let rest = plan(&view, &records);
        let taken: Vec<&str> = rest.adoptions.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(taken, ["old-lab-7"]);
        let known = row(&rest, "lab.000000000020");
        assert_eq!(known.sign, Sign::Keep);
        assert!(known.reason.contains(&BatchId(3).to_string()), "{known:?}");
    }

    #[test]
    fn the_managed_user_is_taken_over_with_its_rights_and_keys_in_the_providers_groups() {
        let (mut view, _) = settled();
        let email = managed_email(&pack().id);
        view.user = Some(User {
            id: RemoteId(30),
            email: email.clone(),
            role: "user".to_owned(),
            status: "disabled".to_owned(),
            balance: 0.0,
            allowed_groups: Vec::new(),
        });
        let right = |id: i64, group: i64| Subscription {
            id: RemoteId(id),
            user_id: RemoteId(30),
            group_id: RemoteId(group),
            status: "active".to_owned(),
            starts_at: "2026-01-01T00:00:00Z".to_owned(),
            expires_at: "2027-01-01T00:00:00Z".to_owned(),
            notes: String::new(),
        };
        view.subscriptions = vec![right(50, view.groups[0].id.0), right(51, 77)];
        let key = |id: i64, name: &str, group: Option<RemoteId>| ApiKey {
            id: RemoteId(id),
            user_id: RemoteId(30),
            name: name.to_owned(),
            key: Secret::new(format!("sk-relay-{id:020}")),
            group_id: group,
            status: "quota_exhausted".to_owned(),
        };
        let name = managed_key_name(&pack().id);
        let group = Some(view.groups[0].id);
        view.managed_keys = vec![
            key(60, &name, group),
            key(61, &name, None),
            key(62, "own", group),
        ];
        let found = plan(&view, &[]);
        let of = |kind: ResourceKind| -> String {
            let rows = found.changes.iter().filter(|row| row.kind == kind);
            rows.map(|row| row.sign.as_char()).collect()
        };
        assert_eq!(of(ResourceKind::User), "+");
        assert_eq!(of(ResourceKind::Subscription), "+!");
        assert_eq!(of(ResourceKind::Key), "+!!");
        assert!(
            row(&found, &email)
                .reason
                .ends_with("managed user, out of service")
        );
        assert!(
            row(&found, &name).reason.ends_with(", run out"),
            "{:?}",
            found.changes
        );
        let written = serde_json::to_string(&found).unwrap();
        assert!(!written.contains("sk-relay-0000"), "{written}");
        // An admin by that address is nobody's managed user.
        view.user.as_mut().unwrap().role = "admin".to_owned();
        let found = plan(&view, &[]);
        assert_eq!(row(&found, &email).sign, Sign::Attention);
        assert!(
            found
                .adoptions
                .iter()
                .all(|row| row.kind != ResourceKind::Key)
        );
    }

    #[test]
    fn what_cannot_be_told_apart_is_left_with_its_reason() {
        let (mut view, _) = settled();
        view.accounts.push(account(30, "lab.000000000020", true));
        view.accounts[1].platform = "anthropic".to_owned();
        view.channels[0].spec.group_ids.push(RemoteId(77));
        let found = plan(&view, &[]);
        let taken: Vec<&str> = found
            .adoptions
            .iter()
            .map(|row| row.name.as_str())
            .collect();
        assert_eq!(taken, ["g"], "{:?}", found.changes);
        for (name, why) in [
            ("lab.000000000020", "2 accounts have this name"),
            ("lab.000000000021", "is of platform `anthropic`"),
            ("c", "lies over group 77 as well"),
        ] {
            assert_eq!(row(&found, name).sign, Sign::Attention);
            assert!(
                row(&found, name).reason.contains(why),
                "{:?}",
                found.changes
            );
        }

        view.groups[0].spec.platform = "anthropic".to_owned();
        view.accounts.clear();
        let none = plan(&view, &[]);
        assert!(none.adoptions.is_empty());
        assert!(
            none.blockers[0].contains("left to be taken over"),
            "{none:?}"
        );
    }
}
