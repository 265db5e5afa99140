//! What holds for every host: whatever was deleted, edited or added there is counted as exactly that.

use super::tests::{account, counts, record, run, settled};
use super::*;
use crate::recorded;
use crate::resource::Origin;
use proptest::prelude::*;

/// What became of an account of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Deleted,
    SwitchedOff,
    Moved,
    /// Switched off and moved at once: one resource, two fields.
    Both,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Kept),
        1 => Just(Fate::Deleted),
        1 => Just(Fate::SwitchedOff),
        1 => Just(Fate::Moved),
        1 => Just(Fate::Both),
    ]
}

/// The settled host with more accounts of ours, all recorded.
fn grown(more: usize) -> (HostView, Vec<BatchResource>) {
    let (mut view, mut records) = settled();
    for id in (0_i64..).take(more).map(|at| 1_000 + at) {
        let made = account(id, &format!("lab.{id:012x}"), true);
        records.push(record(
            ResourceKind::Account,
            id,
            &made.name,
            Origin::Created,
            recorded::of_account(&made),
        ));
        view.accounts.push(made);
    }
    (view, records)
}

proptest! {
    #[test]
    fn every_drift_is_counted_once_and_named(
        fates in prop::collection::vec(fate(), 2..40),
        strangers in 0_usize..5,
        leftovers in 0_usize..20,
        turned in any::<usize>(),
    ) {
        let (mut view, records) = grown(fates.len() - 2);
        for (found, fate) in view.accounts.iter_mut().zip(&fates) {
            if matches!(fate, Fate::SwitchedOff | Fate::Both) {
                found.schedulable = false;
            }
            if matches!(fate, Fate::Moved | Fate::Both) {
                found.group_ids = vec![RemoteId(77)];
            }
        }
        let mut kept = fates.iter().map(|fate| *fate != Fate::Deleted);
        view.accounts.retain(|_| kept.next().unwrap());
        for at in (0_i64..).take(strangers) {
            view.accounts.push(account(5_000 + at, &format!("somebody-{at}"), true));
        }
        for at in (0_i64..).take(leftovers) {
            view.accounts.push(account(6_000 + at, &format!("old-lab-{at}"), true));
        }
        // The host lists them in any order.
        let turns = turned % view.accounts.len().max(1);
        view.accounts.rotate_left(turns);

        let report = run(&view, &records, Vec::new());
        let of = |wanted: &[Fate]| fates.iter().filter(|fate| wanted.contains(fate)).count();
        let missing = of(&[Fate::Deleted]);
        let changed = of(&[Fate::SwitchedOff, Fate::Moved, Fate::Both]);
        let raw = strangers + leftovers;
        prop_assert_eq!(counts(&report), (missing, changed, strangers, raw, leftovers));
        let drifted = missing + changed + strangers > 0;
        prop_assert_eq!(report.status == ReconcileStatus::Drifted, drifted);
        prop_assert_eq!(report.status == ReconcileStatus::Active, !drifted);
        let fields: usize = report
            .changes
            .iter()
            .filter(|change| change.sign == Sign::Change)
            .map(|change| change.fields.len())
            .sum();
        prop_assert_eq!(fields, changed + of(&[Fate::Both]));
    }
}
