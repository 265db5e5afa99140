//! Two installations on one host: each derives the managed user's password from a key of its own,
//! so that whoever comes second sets another one. Neither is kept from taking its work back.

use super::MANAGED;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::BatchStatus;

const ONE: [&str; 1] = ["sk-lab-good-shared-000001"];

#[test]
fn a_rollback_after_another_installation_set_the_password_takes_everything_back() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let before = inside.census();
        let ours = inside.import(&ONE).await;
        assert_eq!(ours.batch_status, BatchStatus::Succeeded, "{}", ours.reason);

        // What an update of the user with another password does there.
        inside.with(|state| {
            let mut users = state.users.values_mut();
            let user = users
                .find(|user| user.email == MANAGED)
                .expect("the managed user");
            user.password = "another installation's".to_owned();
            user.token_version += 1;
        });
        let back = inside.roll_back(ours.id).await;
        assert_eq!(back.batch.batch_status, BatchStatus::RolledBack, "{back:?}");
        assert_eq!(inside.census().differences(&before), Vec::<String>::new());
        let events = inside.show(ours.id).await.events;
        let set = events.iter().any(|event| event.kind == "password_set");
        assert!(set, "{events:?}");
        inside.end().await;
    });
}
