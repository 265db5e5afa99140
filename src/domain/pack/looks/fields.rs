//! Fields of a JSON value: what a look may expect of each. Shared by the kinds that get JSON.

use super::rules::Rules;
use serde::{Deserialize, Serialize};

/// What one field must be. Several may be said at once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// Names and places with dots between: `projects.*.db_size_bytes`; `*` is every one.
    pub path: String,
    /// Its value as text.
    #[serde(default)]
    pub equals: Option<String>,
    /// Values as text, one of which it must be.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// The least number it may be.
    #[serde(default)]
    pub min: Option<f64>,
    /// The greatest number it may be.
    #[serde(default)]
    pub max: Option<f64>,
    /// It is a time, this many seconds ago at most.
    #[serde(default)]
    pub max_age_s: Option<u64>,
    /// Offset of a time that names none, such as `+08:00`; UTC without it.
    #[serde(default)]
    pub offset: Option<String>,
    /// It must not be there.
    #[serde(default)]
    pub absent: bool,
}

impl FieldRule {
    /// Names the faults of a list of rules.
    pub(super) fn rules(all: &[Self], rules: &mut Rules<'_, '_>) {
        for field in all {
            if field.path.split('.').any(str::is_empty) {
                rules.fault(
                    format!("`{}` is no path of a field", field.path),
                    "names with dots between, such as `data.status`",
                );
            }
            let says = field.equals.is_some()
                || !field.one_of.is_empty()
                || field.min.is_some()
                || field.max.is_some()
                || field.max_age_s.is_some();
            if field.absent && says {
                rules.fault(
                    format!("`{}` must be absent and something else", field.path),
                    "decide for one",
                );
            }
            if let (Some(min), Some(max)) = (field.min, field.max)
                && min > max
            {
                rules.fault(
                    format!("`{}` has a `min` above its `max`", field.path),
                    "swap them",
                );
            }
            if let Some(offset) = &field.offset {
                let whole = format!("2000-01-01T00:00:00{offset}");
                if whole.parse::<jiff::Timestamp>().is_err() {
                    rules.fault(format!("`{offset}` is no offset"), "such as \"+08:00\"");
                }
                if field.max_age_s.is_none() {
                    rules.fault("`offset` is only of use for a time", "add `max_age_s`");
                }
            }
        }
    }
}
