//! The table of a baseline's rules: what the document says, the check that holds it, the fault of
//! the lab that breaks it.

use std::error::Error;
use toml::{Table, Value};

/// The table out of a pack's `rules.toml`.
pub(super) fn table(source: &str) -> Result<String, Box<dyn Error>> {
    let file: Table = source.parse()?;
    let rules = file
        .get("rule")
        .and_then(Value::as_array)
        .ok_or("there is no [[rule]]")?;
    let mut lines = vec![
        "| rule | check | fault of the lab | triage says first | explained by it |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    for rule in rules {
        let text = |name: &str| {
            rule.get(name)
                .and_then(Value::as_str)
                .ok_or_else(|| format!("a rule without `{name}`"))
        };
        let muted: Vec<String> = rule
            .get("muted")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|id| format!("`{id}`"))
            .collect();
        lines.push(format!(
            "| {} | `{}` | `{}` | `{}` | {} |",
            text("text")?,
            text("check")?,
            text("fault")?,
            text("triage")?,
            muted.join(", ")
        ));
    }
    Ok(lines.join("\n"))
}

/// The table of symptoms out of the same file.
pub(super) fn symptoms(source: &str) -> Result<String, Box<dyn Error>> {
    let file: Table = source.parse()?;
    let rows = file
        .get("symptom")
        .and_then(Value::as_array)
        .ok_or("there is no [[symptom]]")?;
    let mut lines = vec![
        "| symptom | fault of the lab | triage says first |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    for row in rows {
        let text = |name: &str| {
            row.get(name)
                .and_then(Value::as_str)
                .ok_or_else(|| format!("a symptom without `{name}`"))
        };
        lines.push(format!(
            "| {} | `{}` | `{}` |",
            text("text")?,
            text("fault")?,
            text("triage")?
        ));
    }
    Ok(lines.join("\n"))
}
