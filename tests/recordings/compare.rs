//! The differences between two answers, said so that they can be acted on.

use serde_json::Value;

/// Differences below `at`: what was recorded, and what the lab says.
pub(super) fn differences(at: &str, recorded: &Value, lab: &Value, found: &mut Vec<String>) {
    match (recorded, lab) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                let at = format!("{at}/{name}");
                match right.get(name) {
                    Some(other) => differences(&at, value, other, found),
                    None => found.push(format!("{at}: recorded {}, lab has none", short(value))),
                }
            }
            for (name, value) in right.iter().filter(|(name, _)| !left.contains_key(*name)) {
                found.push(format!(
                    "{at}/{name}: recorded none, lab has {}",
                    short(value)
                ));
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differences(&format!("{at}/{index}"), left, right, found);
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            let (was, is) = (left.len(), right.len());
            let (left, right) = (short(recorded), short(lab));
            found.push(format!(
                "{at}: recorded {was} items, lab has {is}: {left} / {right}"
            ));
        }
        (Value::Number(left), Value::Number(right)) if left.as_f64() == right.as_f64() => {}
        (left, right) if left == right => {}
        (left, right) => {
            found.push(format!(
                "{at}: recorded {}, lab has {}",
                short(left),
                short(right)
            ));
        }
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
