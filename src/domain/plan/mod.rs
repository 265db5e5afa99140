//! What a plan is made of, whoever makes it: signed changes with reasons, and their totals.

mod body;

pub(crate) use body::LIFE_MS;
pub use body::{PlanBody, expiry};

use crate::ids::RemoteId;
use crate::resource::ResourceKind;
use serde::{Deserialize, Serialize};

/// The sign in front of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sign {
    /// Will be made.
    #[serde(rename = "+")]
    Create,
    /// Will be changed.
    #[serde(rename = "~")]
    Change,
    /// Will be removed, parked or revoked.
    #[serde(rename = "-")]
    Remove,
    /// Needs a look: not done, or only under a condition.
    #[serde(rename = "!")]
    Attention,
    /// Is there and right: taken over as it is.
    #[serde(rename = "=")]
    Keep,
}

impl Sign {
    /// The character.
    pub fn as_char(self) -> char {
        match self {
            Self::Create => '+',
            Self::Change => '~',
            Self::Remove => '-',
            Self::Attention => '!',
            Self::Keep => '=',
        }
    }
}

/// One field of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Name of the field as the host calls it.
    pub field: String,
    /// What it is.
    pub from: serde_json::Value,
    /// What it will be.
    pub to: serde_json::Value,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Sign.
    pub sign: Sign,
    /// Kind of the resource.
    #[serde(rename = "type")]
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// Its id, where it exists.
    pub host_resource_id: Option<RemoteId>,
    /// Why.
    pub reason: String,
    /// What changes in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

impl Change {
    /// A change without fields.
    pub fn new(
        sign: Sign,
        kind: ResourceKind,
        name: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            sign,
            kind,
            name: name.into(),
            host_resource_id: None,
            reason: reason.into(),
            fields: Vec::new(),
        }
    }

    /// With the id of what exists.
    #[must_use]
    pub fn at(mut self, id: RemoteId) -> Self {
        self.host_resource_id = Some(id);
        self
    }

    /// With its fields.
    #[must_use]
    pub fn fields(mut self, fields: Vec<FieldChange>) -> Self {
        self.fields = fields;
        self
    }

    /// One line for people: `+ account lab.0123456789ab  new key`.
    pub fn line(&self) -> String {
        let id = self
            .host_resource_id
            .map(|id| format!(" #{id}"))
            .unwrap_or_default();
        let fields = if self.fields.is_empty() {
            String::new()
        } else {
            let names: Vec<&str> = self
                .fields
                .iter()
                .map(|field| field.field.as_str())
                .collect();
            format!(" [{}]", names.join(", "))
        };
        format!(
            "{} {} {}{id}{fields}  {}",
            self.sign.as_char(),
            self.kind,
            self.name,
            self.reason
        )
    }
}

/// How many changes of each sign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// `+`
    pub create: usize,
    /// `~`
    pub change: usize,
    /// `-`
    pub remove: usize,
    /// `!`
    pub attention: usize,
}

impl Totals {
    /// Counts changes.
    pub fn of(changes: &[Change]) -> Self {
        let count = |sign| changes.iter().filter(|change| change.sign == sign).count();
        Self {
            create: count(Sign::Create),
            change: count(Sign::Change),
            remove: count(Sign::Remove),
            attention: count(Sign::Attention),
        }
    }

    /// `3 to create, 1 to change, 10 to remove, 1 to look at`.
    pub fn line(&self) -> String {
        format!(
            "{} to create, {} to change, {} to remove, {} to look at",
            self.create, self.change, self.remove, self.attention
        )
    }
}

/// Field-by-field difference of two JSON objects, in field order.
pub fn diff_fields(from: &serde_json::Value, to: &serde_json::Value) -> Vec<FieldChange> {
    let empty = serde_json::Map::new();
    let from = from.as_object().unwrap_or(&empty);
    let to = to.as_object().unwrap_or(&empty);
    let mut names: Vec<&String> = from.keys().chain(to.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter_map(|name| {
            let (was, will) = (from.get(name).cloned(), to.get(name).cloned());
            let (was, will) = (was.unwrap_or_default(), will.unwrap_or_default());
            (!same(&was, &will)).then(|| FieldChange {
                field: name.clone(),
                from: was,
                to: will,
            })
        })
        .collect()
}

/// Equal as the host means it: 1 and 1.0 are one number; lists of ids have no order.
fn same(one: &serde_json::Value, two: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (one, two) {
        (Number(a), Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= f64::EPSILON * a.abs().max(b.abs()),
            _ => a == b,
        },
        (Array(a), Array(b)) => {
            a.len() == b.len()
                && a.iter().all(|x| b.iter().any(|y| same(x, y)))
                && b.iter().all(|x| a.iter().any(|y| same(x, y)))
        }
        (Object(a), Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, x)| b.get(k).is_some_and(|y| same(x, y)))
        }
        _ => one == two,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_names_its_fields_only() {
        let fields = diff_fields(
            &json!({"a":1,"b":[1,2],"c":"x"}),
            &json!({"a":1.0,"b":[2,1],"c":"y"}),
        );
        assert_eq!(fields.len(), 1);
        assert_eq!(
            (fields[0].field.as_str(), &fields[0].to),
            ("c", &json!("y"))
        );
        assert!(diff_fields(&json!({"a":{}}), &json!({"a":{}})).is_empty());
        assert_eq!(diff_fields(&json!({}), &json!({"n":null})).len(), 0);
    }
}
