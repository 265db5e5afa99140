//! What checks find that other checks compare: gathered only where a comparison wants it, and gone
//! when the run ends.

use super::run::Shared;
use cockpit_domain::baseline::{Facts, Judgement, judge_compare};
use cockpit_domain::pack::{BaselinePack, Check, CompareLook, Look};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Which facts of which check are wanted.
pub(super) type Wanted = BTreeMap<String, BTreeSet<String>>;

/// What the comparisons of a pack want.
pub(super) fn wanted(pack: &BaselinePack) -> Wanted {
    let mut wanted = Wanted::new();
    for check in &pack.checks {
        if let Look::Compare(look) = &check.look {
            for (check, fact) in look.sides() {
                wanted
                    .entry(check.to_owned())
                    .or_default()
                    .insert(fact.to_owned());
            }
        }
    }
    wanted
}

impl Shared {
    /// Adds what a check found, as far as another one compares it.
    pub(super) fn finding(
        &self,
        check: &Check,
        judgement: Judgement,
        fact: impl Fn(&str) -> Option<String>,
    ) -> Judgement {
        let Some(wanted) = self.wanted.get(&check.id) else {
            return judgement;
        };
        let facts: Facts = wanted
            .iter()
            .filter_map(|name| Some((name.clone(), fact(name)?)))
            .collect();
        judgement.finding(facts)
    }

    /// Whether another check compares something of this one.
    pub(super) fn wants(&self, check: &Check, fact: &str) -> bool {
        self.wanted
            .get(&check.id)
            .is_some_and(|names| names.contains(fact))
    }
}

/// `field.a.b` of a JSON value, as text.
pub(super) fn field(value: &Value, fact: &str) -> Option<String> {
    let mut at = value;
    for part in fact.strip_prefix("field.")?.split('.') {
        at = match at {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            other => other.get(part)?,
        };
    }
    Some(match at {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// `field.a.b` of a text that is JSON.
pub(super) fn field_of(text: &str, fact: &str) -> Option<String> {
    field(&serde_json::from_str(text.trim()).ok()?, fact)
}

/// Judges a comparison when both sides are in.
pub(super) fn compare(look: &CompareLook, found: &BTreeMap<String, Facts>) -> Judgement {
    let [this, that] = look.sides().map(|(check, fact)| {
        let facts = found.get(check)?;
        facts.get(fact).map(String::as_str)
    });
    judge_compare(look, this, that)
}
