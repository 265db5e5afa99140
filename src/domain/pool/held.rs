//! What a batch holds, beside what stands on the host now. What a newer batch wrote down of the same
//! thing is what is expected of it; the older record is not held against it.

use crate::batch::words;
use crate::plan::{FieldChange, diff_fields};
use crate::resource::BatchResource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

words! {
    /// How a recorded thing stands on its host.
    HostSide {
        /// As it was recorded.
        AsRecorded = "as_recorded",
        /// There, and otherwise than recorded.
        Changed = "changed",
        /// Not there any more.
        Gone = "gone",
        /// The host could not be looked at.
        Unknown = "unknown",
    }
}

/// The host's side of a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Now {
    /// How it stands.
    pub state: HostSide,
    /// What is otherwise: as it is, and as it was recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

impl Now {
    /// Of a host that could not be looked at.
    pub fn unknown() -> Self {
        Self {
            state: HostSide::Unknown,
            fields: Vec::new(),
        }
    }

    /// Compares a record with what the host stores. `records` are those of every standing batch.
    pub fn of(record: &BatchResource, stored: Option<&Value>, records: &[BatchResource]) -> Self {
        let Some(stored) = stored else {
            return Self {
                state: HostSide::Gone,
                fields: Vec::new(),
            };
        };
        let newer: Vec<&BatchResource> = records
            .iter()
            .filter(|other| other.batch > record.batch && !other.undone)
            .filter(|other| {
                (other.kind, other.host_resource_id) == (record.kind, record.host_resource_id)
            })
            .collect();
        let mut fields = diff_fields(stored, &record.recorded);
        fields.retain(|field| {
            record.recorded.get(&field.field).is_some()
                && !newer
                    .iter()
                    .any(|other| other.recorded.get(&field.field).is_some())
        });
        Self {
            state: if fields.is_empty() {
                HostSide::AsRecorded
            } else {
                HostSide::Changed
            },
            fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::tests::record;
    use crate::resource::{Origin, ResourceKind};
    use serde_json::json;

    #[test]
    fn a_record_is_compared_field_by_field_and_a_newer_one_takes_its_place() {
        let fields = json!({"name": "a", "schedulable": true});
        let old = record(ResourceKind::Account, 20, "a", Origin::Created, fields);
        let is = |stored: Option<&Value>, records: &[BatchResource]| {
            let now = Now::of(&old, stored, records);
            let names: Vec<String> = now.fields.iter().map(|row| row.field.clone()).collect();
            (now.state, names.join(" "))
        };
        let parked = json!({"name": "a", "schedulable": false, "concurrency": 3});
        let same = json!({"name": "a", "schedulable": true, "concurrency": 3});
        assert_eq!(is(None, &[]), (HostSide::Gone, String::new()));
        assert_eq!(is(Some(&same), &[]), (HostSide::AsRecorded, String::new()));
        assert_eq!(
            is(Some(&parked), &[]),
            (HostSide::Changed, "schedulable".to_owned())
        );
        let mut newer = old.clone();
        newer.batch = crate::ids::BatchId(old.batch.0 + 1);
        newer.recorded = json!({"schedulable": false});
        assert_eq!(
            is(Some(&parked), &[newer]),
            (HostSide::AsRecorded, String::new())
        );
    }
}
