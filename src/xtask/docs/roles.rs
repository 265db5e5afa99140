//! The list of theme roles, from the table in the screen's crate.

use super::rust::{Token, body, code, doc, rows};
use std::error::Error;

/// The table of all roles.
pub(super) fn table(source: &str) -> Result<String, Box<dyn Error>> {
    let tokens = body(source, "\nroles! {")?;
    let mut rows_of: Vec<(String, String, String, String)> = Vec::new();
    for row in rows(&tokens, ';') {
        let [Token::Word(role), Token::Text(name), Token::Word(parent)] = &code(row)[..] else {
            return Err(format!("not a row of the table of roles: {row:?}").into());
        };
        rows_of.push((role.clone(), name.clone(), parent.clone(), doc(row)));
    }
    let mut lines = vec![
        "| role | what it means | looks like, if left away |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    for (role, name, parent, about) in &rows_of {
        let parent = if role == parent {
            "the terminal's own text".to_owned()
        } else {
            let above = rows_of.iter().find(|(other, ..)| other == parent);
            let (_, above, ..) = above.ok_or_else(|| format!("there is no role `{parent}`"))?;
            format!("`{above}`")
        };
        lines.push(format!("| `{name}` | {about} | {parent} |"));
    }
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_a_row_with_its_parent() {
        let source = "macro_rules! roles {\n}\n\nroles! {\n    /// Ordinary text.\n    \
                      Text \"text\" Text;\n    /// Act\n    /// now.\n    Fail \"fail\" Text;\n}\n";
        assert_eq!(
            table(source).unwrap(),
            "| role | what it means | looks like, if left away |\n|---|---|---|\n\
             | `text` | Ordinary text | the terminal's own text |\n\
             | `fail` | Act now | `text` |"
        );
        assert!(table("\nroles! {\n    Fail \"fail\" Wran;\n}\n").is_err());
    }
}
