//! Name patterns: `*` is any text, everything else is itself.

/// Whether a name matches a pattern as a whole.
pub fn matches_glob(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| name.strip_prefix(head)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches_glob;

    #[test]
    fn stars_stand_for_any_text_and_the_ends_are_anchored() {
        for (pattern, name, expected) in [
            ("sub2api", "sub2api", true),
            ("sub2api", "sub2api-postgres", false),
            ("crm-verify-*", "crm-verify-20260601", true),
            ("crm-verify-*", "old-crm-verify-1", false),
            ("*-redis", "sub2api-redis", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("宿*", "宿主", true),
        ] {
            assert_eq!(matches_glob(pattern, name), expected, "{pattern} {name}");
        }
    }
}
