//! Looking into JSON by a path, and saying what is there instead of what was expected.

use serde_json::{Value, json};

/// What stands at a path: `items.0.account_status`, `items.*.key` (all of them), `items.#` (how many),
/// `changes.sign=+.name` (of the rows whose field is so).
pub(super) fn at(value: &Value, path: &str) -> Value {
    if path.is_empty() {
        return value.clone();
    }
    let (head, rest) = path.split_once('.').unwrap_or((path, ""));
    match (value, head) {
        (Value::Array(rows), "#") => json!(rows.len()),
        (Value::Array(rows), "*") => rows.iter().map(|row| at(row, rest)).collect(),
        (Value::Array(rows), field) if field.contains('=') => {
            let (name, wanted) = field.split_once('=').unwrap_or_default();
            let fits: Value = rows
                .iter()
                .filter(|row| plain(&row[name]) == wanted)
                .cloned()
                .collect();
            let rest = if rest.is_empty() || rest.starts_with('#') {
                rest.to_owned()
            } else {
                format!("*.{rest}")
            };
            at(&fits, &rest)
        }
        (Value::Array(rows), number) => number
            .parse::<usize>()
            .ok()
            .and_then(|number| rows.get(number))
            .map_or(Value::Null, |row| at(row, rest)),
        (value, field) => at(&value[field], rest),
    }
}

/// A value without quotes.
pub(super) fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// TOML has no null: the text `null` stands for it.
pub(super) fn wanted(value: &toml::Value, expand: &impl Fn(&str) -> String) -> Value {
    match value {
        toml::Value::String(text) if text == "null" => Value::Null,
        toml::Value::String(text) => json!(expand(text)),
        toml::Value::Array(rows) => rows.iter().map(|row| wanted(row, expand)).collect(),
        toml::Value::Table(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), wanted(value, expand)))
            .collect(),
        other => serde_json::to_value(other).expect("plain values are JSON"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_fields_rows_counts_and_rows_by_a_field() {
        let value = json!({"items": [{"a": 1, "s": "+"}, {"a": 2, "s": "-"}, {"a": 3, "s": "+"}]});
        for (path, expected) in [
            ("items.1.a", json!(2)),
            ("items.*.a", json!([1, 2, 3])),
            ("items.#", json!(3)),
            ("items.s=+.a", json!([1, 3])),
            ("items.s=+.#", json!(2)),
            ("items.7.a", Value::Null),
            ("nothing.here", Value::Null),
        ] {
            assert_eq!(at(&value, path), expected, "{path}");
        }
    }
}
