//! Access prepared for a caller of an exclusive group: leave, money and the key's binding are given to
//! somebody else's user. What the sweep cuts, and what has to be true afterwards.

use crate::access::{Caller, OWN, bound_to, caller};
use crate::support::inside::{Census, Inside};
use cockpit_domain::batch::AccessMode;
use cockpit_domain::secret::Secret;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::Outcome;
use cockpit_engine::import::CallerKey;
use cockpit_lab::sub2api::model::Group;

const FRAME: &str = "relay-lab-self-service";

/// A caller without money, and an exclusive group that the caller is not let in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shut {
    person: Caller,
    group: i64,
}

/// Makes them.
pub(super) fn shut(inside: &Inside) -> Shut {
    let group = inside.with(|state| {
        let mut group = Group::new(FRAME, "openai");
        group.is_exclusive = true;
        state.add_group(group)
    });
    Shut {
        person: caller(inside, 0.0),
        group,
    }
}

/// Plans and applies access for the caller's own key.
pub(super) async fn let_in(inside: &Inside) -> Outcome<()> {
    let command = Command::AccessPlan {
        host: inside.host_id(),
        provider: Inside::provider(),
        access: AccessMode::SelfService,
        user_key: Some(CallerKey::Given(Secret::new(OWN))),
    };
    let planned = match inside.engine().call(command).await? {
        Answer::AccessPlan(planned) => planned,
        other => panic!("{other:?}"),
    };
    assert_eq!(planned.plan.blockers, Vec::<String>::new());
    let command = Command::AccessApply {
        plan: planned.id,
        approval: inside.word(&planned.hash),
    };
    inside.engine().call(command).await.map(drop)
}

impl Shut {
    /// Money, groups that the caller may bind keys to, and the group of the caller's key.
    fn stored(self, inside: &Inside) -> (f64, Vec<i64>, Option<i64>) {
        let (balance, allowed) = inside.with(|state| {
            let user = state.user(self.person.user).expect("the caller");
            (user.balance, user.allowed_groups.iter().copied().collect())
        });
        (balance, allowed, bound_to(inside, self.person.key))
    }

    /// The caller can call, and has been given everything once.
    pub(super) fn is_let_in(self, inside: &Inside, before: &Census) {
        let given = (5.0, vec![self.group], Some(self.group));
        assert_eq!(self.stored(inside), given);
        let wrong = inside.census().differences(&before.with("channel", FRAME));
        assert!(wrong.is_empty(), "not whole: {wrong:#?}");
    }

    /// The caller has what was there before, and nothing of ours.
    pub(super) fn is_as_before(self, inside: &Inside) {
        let was = (0.0, vec![], Some(self.person.group));
        assert_eq!(self.stored(inside), was);
    }
}
