//! What must hold before an ordinary user can call the model, named one by one, and who makes it
//! true: it holds, the plan does it, or a person has to (`product.md` 4, access closure).

use super::balance::usd;
use super::names::managed_email;
use super::plan::ImportRequest;
use super::view::HostView;
use crate::batch::{AccessMode, words};
use crate::inventory::{Group, Standing, User};
use serde::{Deserialize, Serialize};

words! {
    /// Whether a precondition holds.
    Holds {
        /// It is so.
        Yes = "yes",
        /// A plan makes it so.
        Planned = "planned",
        /// A person has to make it so.
        No = "no",
        /// Could not be looked at.
        Unknown = "unknown",
    }
}

/// One precondition with what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precondition {
    /// `captcha`, `backend_mode`, `registration`, `user`, `login`, `group`, `allowed_groups`,
    /// `subscription`, `balance` or `binding`.
    pub name: String,
    /// Whether it holds.
    pub holds: Holds,
    /// What was found.
    pub found: String,
    /// What makes it true; empty when it is.
    pub next: String,
}

impl Precondition {
    /// A row.
    pub fn new(
        name: &str,
        holds: Holds,
        found: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            holds,
            found: found.into(),
            next: next.into(),
        }
    }

    fn yes(name: &str, found: impl Into<String>) -> Self {
        Self::new(name, Holds::Yes, found, "")
    }
}

/// Names every precondition that stored state tells of. What only a login tells is the caller's to
/// add.
pub fn preconditions(request: &ImportRequest, view: &HostView, now_ms: i64) -> Vec<Precondition> {
    let own = request.user_key.is_some();
    let mut rows = Vec::new();
    // A caller's key is there already: nobody logs in for it.
    if !own {
        rows.push(captcha(view));
        rows.push(backend_mode(view));
        rows.push(registration(view));
    }
    let group = view.group(&request.pack.subscription.group);
    rows.push(user(request, view));
    rows.push(group_row(request, group));
    match request.access {
        AccessMode::Subscription => rows.push(subscription(request, view, group, now_ms)),
        AccessMode::SelfService => {
            rows.push(allowed(request, view, group));
            rows.push(balance(request, view));
        }
    }
    rows.push(binding(request, view, group));
    rows
}

fn captcha(view: &HostView) -> Precondition {
    if !view.captcha {
        return Precondition::yes("captcha", "off");
    }
    Precondition::new(
        "captcha",
        Holds::No,
        "the host wants a captcha on login, so the managed user cannot log in",
        "switch it off in the host's settings for the import, or prove with a caller's own key (--user-key)",
    )
}

fn backend_mode(view: &HostView) -> Precondition {
    if !view.backend_mode {
        return Precondition::yes("backend_mode", "off");
    }
    Precondition::new(
        "backend_mode",
        Holds::No,
        "the host is in backend mode: only admins log in, so no managed key can be made",
        "switch it off for the import, or prove with a caller's own key (--user-key)",
    )
}

/// Told because people ask: it plays no part, since an admin makes the managed user.
fn registration(view: &HostView) -> Precondition {
    let state = if view.registration { "on" } else { "off" };
    let found = format!("{state}; not needed, the managed user is made by the admin");
    Precondition::yes("registration", found)
}

fn is_ordinary(user: &User) -> bool {
    user.role == "user" && user.status == "active"
}

fn user(request: &ImportRequest, view: &HostView) -> Precondition {
    let own = request.user_key.is_some();
    let Some(user) = &view.user else {
        let email = managed_email(&request.pack.id);
        if own {
            return Precondition::new(
                "user",
                Holds::No,
                "no living user of the host owns the caller's key",
                "give a key that this host issued, or leave --user-key away",
            );
        }
        return Precondition::new(
            "user",
            Holds::Planned,
            format!("`{email}` is not there"),
            "the plan makes it",
        );
    };
    let found = format!(
        "user `{}` #{} is {} and {}",
        user.email, user.id, user.role, user.status
    );
    if is_ordinary(user) {
        return Precondition::yes("user", found);
    }
    let whose = if own {
        "the key's owner"
    } else {
        "the managed user"
    };
    let next = format!("{whose} must be an active ordinary user");
    Precondition::new("user", Holds::No, found, next)
}

fn group_row(request: &ImportRequest, group: Option<&Group>) -> Precondition {
    let wanted = request.group_spec();
    let Some(found) = group else {
        let found = format!("`{}` is not there", wanted.name);
        return Precondition::new("group", Holds::Planned, found, "an import makes it");
    };
    let (is, want) = (&found.spec.subscription_type, &wanted.subscription_type);
    let text = format!(
        "`{}` #{} is {} and {is}",
        found.spec.name, found.id, found.status
    );
    if is != want {
        let next = format!("this access mode needs a group of type `{want}`");
        return Precondition::new("group", Holds::No, text, next);
    }
    if found.status != "active" {
        return Precondition::new("group", Holds::No, text, "activate it first");
    }
    Precondition::yes("group", text)
}

fn subscription(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    now_ms: i64,
) -> Precondition {
    let row = group.and_then(|group| {
        let mut rows = view.subscriptions.iter();
        rows.find(|row| row.group_id == group.id)
    });
    let days = request.pack.subscription.validity_days;
    let planned = |found: String, next: String| {
        Precondition::new("subscription", Holds::Planned, found, next)
    };
    let Some(row) = row else {
        let next = format!("the plan assigns one for {days} days");
        return planned("none for this group".to_owned(), next);
    };
    let found = format!("#{} until {}", row.id, row.until());
    match row.standing(now_ms) {
        Some(Standing::Alive) => Precondition::yes("subscription", found),
        // Assigning it again answers 200 and changes nothing (trap 7).
        Some(Standing::Over) => planned(
            format!("{found}, which is over"),
            format!("the plan extends it by {days} days"),
        ),
        Some(Standing::OverThere) => planned(
            format!("#{} {}", row.id, row.over_there()),
            format!(
                "the plan extends it by {days} days; set the clock of the host's machine, or all that ends there ends at another time than it says"
            ),
        ),
        Some(Standing::Suspended) if request.user_key.is_some() => Precondition::new(
            "subscription",
            Holds::No,
            format!("{found} is {}", row.status),
            "somebody took this right away: ask who runs the host, the plan does not overrule it",
        ),
        Some(Standing::Suspended) => planned(
            format!("{found} is {}: an assign would conflict", row.status),
            "the plan revokes it and assigns a new one".to_owned(),
        ),
        None => Precondition::new(
            "subscription",
            Holds::Unknown,
            format!("#{}: the host gave `{}` as its end", row.id, row.expires_at),
            "the host's version may differ; `cockpit doctor` shows it",
        ),
    }
}

fn allowed(request: &ImportRequest, view: &HostView, group: Option<&Group>) -> Precondition {
    let Some(group) = group.filter(|group| group.spec.is_exclusive) else {
        return Precondition::yes("allowed_groups", "the group is open to every user");
    };
    let user = view.user.as_ref();
    if user.is_some_and(|user| user.allowed_groups.contains(&group.id)) {
        return Precondition::yes("allowed_groups", format!("holds group #{}", group.id));
    }
    let name = user.map_or_else(
        || managed_email(&request.pack.id),
        |user| user.email.clone(),
    );
    let (holds, next) = if request.prepare {
        (
            Holds::Planned,
            format!("the plan allows user `{name}` in it"),
        )
    } else {
        (
            Holds::No,
            format!(
                "open the group, or allow user `{name}` in it: `cockpit access prepare plan` does"
            ),
        )
    };
    Precondition::new(
        "allowed_groups",
        holds,
        format!(
            "group `{}` #{} is exclusive and the user is not allowed in it",
            group.spec.name, group.id
        ),
        next,
    )
}

fn balance(request: &ImportRequest, view: &HostView) -> Precondition {
    let balance = view.user.as_ref().map_or(0.0, |user| user.balance);
    let found = usd(balance);
    if request.can_pay(balance) {
        return Precondition::yes("balance", found);
    }
    if request.user_key.is_some() && !request.prepare {
        // Other people's money is theirs: an import gives nothing and takes nothing.
        let next = "a standard group serves only who can pay: the owner has to top up, or `cockpit access prepare plan` with this key gives some";
        return Precondition::new("balance", Holds::No, found, next);
    }
    Precondition::new("balance", Holds::Planned, found, "the plan sets it")
}

fn binding(request: &ImportRequest, view: &HostView, group: Option<&Group>) -> Precondition {
    if request.user_key.is_none() {
        return match request.managed_key(view) {
            Some(key) => {
                let found = format!("managed key #{} {} is bound", key.id, key.key.masked());
                Precondition::yes("binding", found)
            }
            None => Precondition::new(
                "binding",
                Holds::Planned,
                "no managed key is bound to the group",
                "the plan makes a key bound to the group",
            ),
        };
    }
    let Some(key) = &view.caller_key else {
        return Precondition::new(
            "binding",
            Holds::No,
            "the host does not hold the caller's key",
            "give a key that this host issued",
        );
    };
    let bound = key.group_id.map_or_else(
        || "bound to no group".to_owned(),
        |id| format!("bound to group #{id}"),
    );
    let found = format!(
        "key #{} {} is {}, {bound}",
        key.id,
        key.key.masked(),
        key.status
    );
    if key.status != "active" {
        return Precondition::new("binding", Holds::No, found, "the owner has to activate it");
    }
    if group.is_some_and(|group| key.group_id == Some(group.id)) {
        return Precondition::yes("binding", found);
    }
    Precondition::new("binding", Holds::Planned, found, "the plan binds it")
}
