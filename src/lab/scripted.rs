//! Answers that a test puts into a far end's mouth: what was seen in an incident, word by word. Each
//! is given a number of times, then the far end answers by itself again.

use cockpit_domain::secret::Secret;

/// One answer given instead of the far end's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scripted {
    /// Method, `*` for any.
    pub method: String,
    /// End of the path, without the query.
    pub path: String,
    /// The key that has to be presented; none for any.
    pub key: Option<String>,
    /// So many requests that fit get the far end's own answer first.
    pub after: u32,
    /// So many get this one.
    pub times: u32,
    /// Status.
    pub status: u16,
    /// Content type.
    pub content_type: String,
    /// Body.
    pub body: String,
}

impl Scripted {
    fn fits(&self, method: &str, path: &str, key: &str) -> bool {
        (self.method == "*" || self.method == method)
            && path.trim_end_matches('/').ends_with(&self.path)
            && self.key.as_deref().is_none_or(|wanted| {
                Secret::new(wanted).fingerprint() == Secret::new(key).fingerprint()
            })
    }
}

/// The next answer for a request, if one is put down for it. The first line that fits decides.
pub(crate) fn take(
    lines: &mut [Scripted],
    method: &str,
    path: &str,
    key: &str,
) -> Option<Scripted> {
    let line = lines
        .iter_mut()
        .find(|line| line.times > 0 && line.fits(method, path, key))?;
    if line.after > 0 {
        line.after -= 1;
        return None;
    }
    line.times -= 1;
    Some(line.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_to_who_it_is_for_after_so_many_and_so_often() {
        let mut lines = [Scripted {
            method: "POST".to_owned(),
            path: "/chat/completions".to_owned(),
            key: Some("sk-one".to_owned()),
            after: 1,
            times: 2,
            status: 429,
            content_type: "text/plain".to_owned(),
            body: "slow down".to_owned(),
        }];
        let mut ask = |method, path, key| take(&mut lines, method, path, key).is_some();
        let chat = "/v1/chat/completions";
        assert!(!ask("GET", chat, "sk-one"), "another method");
        assert!(!ask("POST", "/v1/responses", "sk-one"), "another path");
        assert!(!ask("POST", chat, "sk-two"), "another key");
        let told: Vec<bool> = (0..4).map(|_| ask("POST", chat, "sk-one")).collect();
        assert_eq!(told, [false, true, true, false]);
    }
}
