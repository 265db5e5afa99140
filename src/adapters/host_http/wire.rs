//! Shapes shared by the wire types: what may be missing or null is its default, so that older and
//! newer hosts stay readable.

use cockpit_domain::ids::RemoteId;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// Null is the default, as missing is with `#[serde(default)]`.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A number or nothing; zero is nothing, as no row has it.
pub(super) fn id_or_none(id: Option<RemoteId>) -> Option<RemoteId> {
    id.filter(|id| id.0 != 0)
}

/// The text entries of an object; entries of another type are skipped, not fatal.
pub(super) fn texts(value: &Value) -> BTreeMap<String, String> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}
