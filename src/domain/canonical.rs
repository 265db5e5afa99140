//! Canonical JSON and its hash: what ties an approval to exactly one plan.

use crate::secret::sha256_hex;
use serde::Serialize;

/// JSON with sorted keys and no blanks. `serde_json`'s map is sorted already, so going through
/// `Value` is enough.
fn canonical<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(&serde_json::to_value(value)?)
}

/// SHA-256 of the canonical JSON, 64 hex digits.
pub fn hash_of<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    canonical(value).map(|text| sha256_hex(&text))
}

/// Whether a person's `--yes HASH` names this hash: at least 12 hex digits of its head.
pub fn hash_matches(given: &str, hash: &str) -> bool {
    given.len() >= 12
        && given.bytes().all(|b| b.is_ascii_hexdigit())
        && hash.starts_with(&given.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn field_order_does_not_change_the_hash() {
        let one: serde_json::Value = serde_json::from_str(r#"{"a":1,"b":[2]}"#).unwrap();
        let two: serde_json::Value = serde_json::from_str(r#"{ "b":[2], "a":1 }"#).unwrap();
        assert_eq!(hash_of(&one).unwrap(), hash_of(&two).unwrap());
        assert_ne!(
            hash_of(&one).unwrap(),
            hash_of(&json!({"a":1,"b":[3]})).unwrap()
        );
    }

    #[test]
    fn an_approval_needs_twelve_digits_of_the_right_head() {
        let hash = sha256_hex("x");
        assert!(hash_matches(&hash[..12], &hash));
        assert!(hash_matches(&hash[..12].to_uppercase(), &hash));
        assert!(!hash_matches(&hash[..11], &hash));
        assert!(!hash_matches("", &hash));
        assert!(!hash_matches(&hash[1..20], &hash));
    }
}
