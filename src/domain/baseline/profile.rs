//! A client's profile, against the base URL it must have and the keys it may have. The profile is a
//! secret as a whole; only its base URL and the key's fingerprint leave this.

use super::judgement::Judgement;
use crate::inventory::ApiKey;
use crate::pack::ProfileLook;
use crate::secret::Secret;
use serde_json::Value;

/// Judges a profile by the keys that the host has in the group.
pub fn judge_profile(look: &ProfileLook, profile: &Secret, keys: &[ApiKey]) -> Judgement {
    let Ok(value) = serde_json::from_str::<Value>(profile.expose()) else {
        return Judgement::unknown(
            &format!("{} is no JSON", look.path),
            "",
            "Look at the file; this check reads JSON profiles.",
        );
    };
    let mut faults = Vec::new();
    let mut told = Vec::new();
    match text_at(&value, &look.base_url_at) {
        None => faults.push(format!("there is no `{}` in it", look.base_url_at)),
        Some(url) if url.trim_end_matches('/') == look.base_url.trim_end_matches('/') => {
            told.push(url.to_owned());
        }
        Some(url) => faults.push(format!("it sends to {url}, expected {}", look.base_url)),
    }
    match text_at(&value, &look.key_at).filter(|key| !key.is_empty()) {
        None => faults.push(format!("there is no key at `{}` in it", look.key_at)),
        Some(key) => {
            let key = Secret::new(key);
            let shown = format!("{} ({})", key.masked(), key.fingerprint());
            let known = keys
                .iter()
                .find(|known| known.key.fingerprint() == key.fingerprint());
            match known {
                None => faults.push(format!(
                    "key {shown} is none of group {} on this host: an older host's or group's",
                    look.group
                )),
                Some(known) if known.status != "active" => {
                    faults.push(format!("key {shown} is {} on this host", known.status));
                }
                Some(known) => told.push(format!("key {} {shown}", known.id)),
            }
        }
    }
    Judgement::of_faults(expectation(look), &faults, &told.join(" with "), "")
}

/// Where a profile sends to, and the key it keeps; `None` where it is no JSON or has none.
pub fn read_profile(look: &ProfileLook, profile: &Secret) -> Option<(String, Secret)> {
    let value = serde_json::from_str::<Value>(profile.expose()).ok()?;
    let url = text_at(&value, &look.base_url_at)?;
    let key = text_at(&value, &look.key_at).filter(|key| !key.is_empty())?;
    Some((url.to_owned(), Secret::new(key)))
}

/// A text inside a JSON value, by names with dots between.
fn text_at<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    path.split('.')
        .try_fold(value, |value, part| value.get(part))?
        .as_str()
}

pub(super) fn expectation(look: &ProfileLook) -> String {
    format!(
        "{}: sends to {} with an active key of group {}",
        look.path, look.base_url, look.group
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Verdict;
    use crate::ids::RemoteId;

    #[test]
    fn a_profile_is_known_by_its_address_and_the_fingerprint_of_its_key() {
        let look = ProfileLook {
            path: "/home/me/client.json".to_owned(),
            base_url_at: "relay.baseUrl".to_owned(),
            base_url: "https://example.com/v1".to_owned(),
            key_at: "relay.apiKey".to_owned(),
            group: 3,
        };
        let key = |id: i64, text: &str, status: &str| ApiKey {
            id: RemoteId(id),
            user_id: RemoteId(1),
            name: String::new(),
            key: Secret::new(text),
            group_id: Some(RemoteId(3)),
            status: status.to_owned(),
        };
        let keys = [
            key(11, "sk-active-0123456789", "active"),
            key(12, "sk-ended-0123456789", "disabled"),
        ];
        let judged = |url: &str, key: &str| {
            let profile = format!(r#"{{"relay": {{"baseUrl": "{url}", "apiKey": "{key}"}}}}"#);
            judge_profile(&look, &Secret::new(profile), &keys)
        };
        let good = judged("https://example.com/v1/", "sk-active-0123456789");
        assert_eq!(good.verdict, Verdict::Ok, "{}", good.found);
        let old = judged("https://example.com/v1", "sk-older-0123456789");
        assert!(old.found.contains("is none of group 3"), "{}", old.found);
        assert!(!old.found.contains("older-0123"), "{}", old.found);
        assert!(
            judged("https://example.com/v1", "sk-ended-0123456789")
                .found
                .contains("is disabled")
        );
        assert_eq!(
            judged("http://127.0.0.1:18169/v1", "sk-active-0123456789").found,
            "it sends to http://127.0.0.1:18169/v1, expected https://example.com/v1"
        );
        assert_eq!(
            judge_profile(&look, &Secret::new("no"), &keys).verdict,
            Verdict::Unknown
        );
    }
}
