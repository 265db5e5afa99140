//! A request's path as nginx sees it: escapes undone, slashes merged, dots resolved; and as it goes on
//! to an upstream, escaped anew.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What nginx escapes in a path that it writes anew.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The path that locations are compared with.
pub(super) fn normal(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let mut parts: Vec<&str> = Vec::new();
    for part in decoded.split('/').filter(|part| !part.is_empty()) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let folder = ["/", "/.", "/.."].iter().any(|end| decoded.ends_with(end));
    let end = if folder && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

/// The same on its way to an upstream.
pub(super) fn escaped(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_nginx_reads_it() {
        for (written, seen) in [
            ("/", "/"),
            ("/v1//models", "/v1/models"),
            ("/x/../v1/./models", "/v1/models"),
            ("/v1/%6dodels", "/v1/models"),
            ("/v1/x/..", "/v1/"),
            ("/v1/", "/v1/"),
            ("/..", "/"),
            ("/a%20b/", "/a b/"),
        ] {
            assert_eq!(normal(written), seen, "{written}");
        }
        assert_eq!(escaped("/a b%"), "/a%20b%25");
    }
}
