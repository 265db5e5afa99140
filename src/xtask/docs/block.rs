//! Finding and replacing one generated block in a text.

const END: &str = "<!-- /generated -->";

fn start(name: &str) -> String {
    format!("<!-- generated: {name} -->")
}

/// Whether the text has a block of this name.
pub(super) fn is_in(text: &str, name: &str) -> bool {
    text.contains(&start(name))
}

/// The text with the block's content replaced; `None` when there is none or it does not end.
pub(super) fn replace(text: &str, name: &str, content: &str) -> Option<String> {
    let start = start(name);
    let (before, rest) = text.split_once(&start)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!(
        "{before}{start}\n\n{}\n\n{END}{after}",
        content.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_block_changes_and_twice_is_as_once() {
        let text = "# A\n<!-- generated: cli -->\nold\n<!-- /generated -->\nrest\n";
        let new = replace(text, "cli", "new\n").unwrap();
        assert_eq!(
            new,
            "# A\n<!-- generated: cli -->\n\nnew\n\n<!-- /generated -->\nrest\n"
        );
        assert_eq!(replace(&new, "cli", "new\n").unwrap(), new);
        assert!(is_in(text, "cli") && !is_in(text, "keys"));
        assert_eq!(replace("<!-- generated: cli -->\n", "cli", "new"), None);
    }
}
