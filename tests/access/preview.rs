//! What access needs, named one by one before anything is written, and a later look that is not
//! misled by a login limit.

use super::{KEY, OWN, caller};
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, AccessStatus, BatchStatus};
use cockpit_domain::import::Holds;
use cockpit_domain::secret::Secret;
use cockpit_engine::access::{AccessLook, AccessPreview};
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::context::Timing;
use cockpit_engine::import::CallerKey;
use cockpit_lab::sub2api::model_sales::Subscription;
use cockpit_lab::sub2api::state::State;
use std::time::Duration;

const MANAGED: &str = "relay-lab@cockpit.invalid";

async fn preview(inside: &Inside, access: AccessMode, own: bool) -> AccessPreview {
    let user_key = own.then(|| CallerKey::Given(Secret::new(OWN)));
    let command = Command::AccessPreview {
        host: inside.host_id(),
        provider: Inside::provider(),
        access,
        user_key,
    };
    match inside.engine().call(command).await.expect("a look") {
        Answer::Preview(look) => *look,
        other => panic!("{other:?}"),
    }
}

fn row<'l>(look: &'l AccessPreview, name: &str) -> (Holds, &'l str, &'l str) {
    let mut rows = look.preconditions.iter();
    let row = rows.find(|row| row.name == name);
    let row = row.unwrap_or_else(|| panic!("no {name}: {look:?}"));
    (row.holds, &row.found, &row.next)
}

async fn status(inside: &Inside, batch: cockpit_domain::ids::BatchId) -> AccessLook {
    let looked = inside.engine().call(Command::AccessStatus { batch });
    match looked.await.expect("a look") {
        Answer::Access(look) => *look,
        other => panic!("{other:?}"),
    }
}

/// The host's managed user, in its rows.
fn managed(state: &mut State) -> &mut cockpit_lab::sub2api::model::User {
    let mut users = state.users.values_mut();
    users.find(|user| user.email == MANAGED).expect("a user")
}

#[test]
fn every_precondition_of_access_is_named_with_who_makes_it_true() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let look = preview(&inside, AccessMode::Subscription, false).await;
        let names: Vec<&str> = look
            .preconditions
            .iter()
            .map(|row| row.name.as_str())
            .collect();
        let wanted = [
            "captcha",
            "backend_mode",
            "registration",
            "user",
            "login",
            "group",
            "subscription",
            "binding",
        ];
        assert_eq!(names, wanted);
        assert!(look.open, "{look:?}");
        assert_eq!(row(&look, "user").0, Holds::Planned);
        assert_eq!(row(&look, "group").0, Holds::Yes);

        let look = preview(&inside, AccessMode::SelfService, false).await;
        assert_eq!(row(&look, "balance").0, Holds::Planned);
        assert_eq!(row(&look, "allowed_groups").0, Holds::Yes);

        inside.with(|state| state.settings.captcha = true);
        let look = preview(&inside, AccessMode::Subscription, false).await;
        assert!(!look.open);
        let (holds, found, next) = row(&look, "captcha");
        assert_eq!(holds, Holds::No);
        assert!(
            found.contains("captcha on login") && next.contains("switch it off"),
            "{next}"
        );
        inside.with(|state| {
            state.settings.captcha = false;
            state.settings.backend_mode = true;
        });
        let look = preview(&inside, AccessMode::Subscription, false).await;
        assert_eq!(row(&look, "backend_mode").0, Holds::No);
        // Nobody logs in for a caller's own key: both switches play no part.
        caller(&inside, 0.0);
        let look = preview(&inside, AccessMode::Subscription, true).await;
        assert!(look.open, "{look:?}");
        assert!(
            row(&look, "binding").1.contains("bound to group"),
            "{look:?}"
        );
        let look = preview(&inside, AccessMode::SelfService, true).await;
        assert_eq!(row(&look, "balance").0, Holds::No);
        assert!(inside.writes().is_empty(), "{:?}", inside.writes());
        inside.end().await;
    });
}

#[test]
fn a_second_factor_a_login_limit_and_a_right_that_ran_out_are_told_apart() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let batch = inside.import(&[KEY]).await;
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        let look = preview(&inside, AccessMode::Subscription, false).await;
        assert_eq!(row(&look, "login").0, Holds::Yes);
        assert_eq!(row(&look, "subscription").0, Holds::Yes);

        inside.with(|state| managed(state).two_factor = true);
        let look = preview(&inside, AccessMode::Subscription, false).await;
        let (holds, found, _) = row(&look, "login");
        assert_eq!(
            (holds, found),
            (Holds::No, "the managed user wants a second factor")
        );
        inside.with(|state| {
            managed(state).two_factor = false;
            "somebody-changed-it".clone_into(&mut managed(state).password);
        });
        let look = preview(&inside, AccessMode::Subscription, false).await;
        assert_eq!(row(&look, "login").0, Holds::Planned);

        inside.with(|state| state.settings.logins_per_minute = 0);
        let look = preview(&inside, AccessMode::Subscription, false).await;
        let (holds, found, _) = row(&look, "login");
        assert_eq!(holds, Holds::Unknown);
        assert!(found.contains("login limit"), "{found}");
        // A limit says nothing of the access: the key goes on working.
        let look = status(&inside, batch.id).await;
        let login = &look.preconditions[0];
        assert_eq!(
            (login.name, login.ok, login.looked),
            ("login", false, false)
        );
        assert!(login.found.contains("login limit"), "{}", login.found);
        assert_eq!(look.latest_access_status, AccessStatus::SubscriptionReady);

        inside.with(|state| {
            let rows = state.subscriptions.values_mut();
            for row in rows {
                row.expires_at = row.starts_at - jiff::SignedDuration::from_hours(1);
            }
        });
        let look = preview(&inside, AccessMode::Subscription, false).await;
        let (holds, found, next) = row(&look, "subscription");
        assert_eq!(holds, Holds::Planned);
        assert!(
            found.contains("which is over") && next.contains("extends"),
            "{found} {next}"
        );
        let look = status(&inside, batch.id).await;
        assert_eq!(look.latest_access_status, AccessStatus::Broken);
        let right = &look.preconditions[1];
        assert!(right.found.contains("ran out at"), "{}", right.found);
        inside.with(|state| {
            let ids: Vec<i64> = state.subscriptions.keys().copied().collect();
            for id in ids {
                let row = state.subscriptions.get_mut(&id).expect("a row");
                *row = Subscription {
                    id,
                    ..Subscription::new(row.user_id, row.group_id, 30, "x")
                };
                "suspended".clone_into(&mut row.status);
            }
        });
        let look = preview(&inside, AccessMode::Subscription, false).await;
        assert!(
            row(&look, "subscription").2.contains("revokes it"),
            "{look:?}"
        );
        inside.end().await;
    });
}

#[test]
fn fully_ready_is_said_by_a_later_look_with_a_login_of_its_own() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let settled = Duration::from_secs(4);
        let timing = Timing {
            settled_after: settled,
            ..quick()
        };
        assert_eq!(Timing::default().settled_after, Duration::from_secs(16));
        let inside = Inside::start("accept", timing).await;
        let batch = inside.import(&[KEY]).await;
        let ended = std::time::Instant::now();
        let logins = |inside: &Inside| {
            let writes = inside.writes();
            writes
                .iter()
                .filter(|row| row.path.ends_with("/auth/login"))
                .count()
        };
        let before = logins(&inside);
        let early = status(&inside, batch.id).await;
        assert_eq!(early.latest_access_status, AccessStatus::SubscriptionReady);
        assert_eq!(logins(&inside), before + 1, "a login of its own");
        tokio::time::sleep_until((ended + settled).into()).await;
        let late = status(&inside, batch.id).await;
        assert_eq!(late.latest_access_status, AccessStatus::FullyReady);
        assert_eq!(logins(&inside), before + 2);
        assert!(late.gateway.served_by_ours);
        inside.end().await;
    });
}
