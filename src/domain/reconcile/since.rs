//! Since when a finding is as it is, as far as we looked: carried from run to run.

use super::ReconcileReport;
use crate::ids::RemoteId;
use crate::plan::{Change, Sign};
use crate::resource::ResourceKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When a finding was seen first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// UTC ms of the first of the unbroken row of looks that found it.
    pub since_ms: i64,
    /// UTC ms of the look before that, which did not; `None` when nobody had looked.
    pub last_good_ms: Option<i64>,
}

/// What makes a finding the same one in two runs: a change of other fields is another one.
type Key<'a> = (Sign, ResourceKind, Option<RemoteId>, &'a str, Vec<&'a str>);

fn key(change: &Change) -> Key<'_> {
    let fields = change.fields.iter().map(|field| field.field.as_str());
    (
        change.sign,
        change.kind,
        change.host_resource_id,
        &change.name,
        fields.collect(),
    )
}

/// Since when each finding of a run is there, in the order of its findings. `before` is the run
/// before it and the last time that nothing was found to be otherwise.
pub fn since(
    changes: &[Change],
    before: Option<(&ReconcileReport, i64)>,
    now_ms: i64,
) -> Vec<Since> {
    let mut known: BTreeMap<Key<'_>, Option<Since>> = BTreeMap::new();
    if let Some((report, _)) = before {
        for (at, change) in report.changes.iter().enumerate() {
            known.insert(key(change), report.since.get(at).copied());
        }
    }
    let last_ms = before.map(|(_, at_ms)| at_ms);
    let of = |change: &Change| match known.get(&key(change)) {
        Some(Some(since)) => *since,
        // Found before by a version that did not write down when.
        Some(None) => Since {
            since_ms: last_ms.unwrap_or(now_ms),
            last_good_ms: None,
        },
        None => Since {
            since_ms: now_ms,
            last_good_ms: last_ms,
        },
    };
    changes.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{run, settled};
    use super::*;

    #[test]
    fn a_finding_keeps_its_first_moment_until_a_look_does_not_find_it() {
        let (view, records) = settled();
        let well = run(&view, &records, Vec::new());
        let mut broken = view;
        broken.channels[0].spec.restrict_models = false;
        let mut drifted = run(&broken, &records, Vec::new());
        drifted.since = since(&drifted.changes, Some((&well, 100)), 200);
        let first = Since {
            since_ms: 200,
            last_good_ms: Some(100),
        };
        assert_eq!(drifted.since, [first]);

        let mut again = run(&broken, &records, Vec::new());
        again.since = since(&again.changes, Some((&drifted, 200)), 300);
        assert_eq!(again.since, [first]);

        // One more field of the same channel is another finding.
        broken.channels[0].spec.billing_model_source = "upstream".to_owned();
        let more = run(&broken, &records, Vec::new());
        let told = since(&more.changes, Some((&again, 300)), 400);
        assert_eq!((told[0].since_ms, told[0].last_good_ms), (400, Some(300)));

        // Nobody had looked before.
        let told = since(&drifted.changes, None, 500);
        assert_eq!((told[0].since_ms, told[0].last_good_ms), (500, None));
    }
}
