//! Two installations on one host: each derives the managed user's password from a key of its own,
//! so that whoever comes second sets another one. Neither is kept from taking its work back.

use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::BatchStatus;

const ONE: [&str; 1] = ["sk-lab-good-shared-000001"];
const OTHER: [&str; 1] = ["sk-lab-good-shared-000002"];

#[test]
fn a_rollback_after_another_installation_set_the_password_takes_everything_back() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let mut inside = Inside::start("accept", quick()).await;
        let before = inside.census();
        let ours = inside.import(&ONE).await;
        assert_eq!(ours.batch_status, BatchStatus::Succeeded, "{}", ours.reason);

        let mut other = inside.second_installation(quick());
        inside.swap(&mut other);
        let theirs = inside.import(&OTHER).await;
        let (status, reason) = (theirs.batch_status, &theirs.reason);
        assert_eq!(status, BatchStatus::Succeeded, "{reason}");
        let back = inside.roll_back(theirs.id).await;
        assert_eq!(back.batch.batch_status, BatchStatus::RolledBack, "{back:?}");

        inside.swap(&mut other);
        let back = inside.roll_back(ours.id).await;
        assert_eq!(back.batch.batch_status, BatchStatus::RolledBack, "{back:?}");
        assert_eq!(inside.census().differences(&before), Vec::<String>::new());
        let events = inside.show(ours.id).await.events;
        let set = events.iter().any(|event| event.kind == "password_set");
        assert!(set, "{events:?}");
        other.close().await;
        inside.end().await;
    });
}
