//! The list of keys, from the table of actions and the English catalogue.

use super::rust::{Token, body, code, doc, rows};
use std::error::Error;

/// One action of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    keys: Vec<String>,
    scope: String,
}

/// A table for each scope that has actions.
pub(super) fn tables(actions: &str, catalogue: &str) -> Result<String, Box<dyn Error>> {
    let catalogue: toml::Table = catalogue.parse()?;
    let table = body(actions, "\nactions! {")?;
    let actions_of = rows(&table, ';')
        .into_iter()
        .map(row)
        .collect::<Result<Vec<Row>, _>>()?;
    let scopes = body(actions, "\npub enum Scope {")?;
    let mut blocks = Vec::new();
    for scope in rows(&scopes, ',') {
        let [Token::Word(name)] = &code(scope)[..] else {
            return Err("a scope is more than a name".into());
        };
        let mut lines = vec![
            format!("**{}**", doc(scope)),
            String::new(),
            "| key | action | what it does |".to_owned(),
            "|---|---|---|".to_owned(),
        ];
        let before = lines.len();
        for row in actions_of.iter().filter(|row| row.scope == *name) {
            lines.push(line(row, &catalogue)?);
        }
        if lines.len() > before {
            blocks.push(lines.join("\n"));
        }
    }
    Ok(blocks.join("\n\n"))
}

/// `Open "open" ["enter"] Everywhere Look [] 1`.
fn row(tokens: &[Token]) -> Result<Row, Box<dyn Error>> {
    let tokens = code(tokens);
    let [
        Token::Word(_),
        Token::Text(name),
        Token::Sign('['),
        rest @ ..,
    ] = &tokens[..]
    else {
        return Err(format!("not a row of the table of actions: {tokens:?}").into());
    };
    let end = rest.iter().position(|token| *token == Token::Sign(']'));
    let (keys, rest) = rest.split_at(end.ok_or("a list of keys does not end")?);
    let [_, Token::Word(scope), ..] = rest else {
        return Err(format!("`{name}` has no scope").into());
    };
    let keys = keys.iter().filter_map(|token| match token {
        Token::Text(key) => Some(key.clone()),
        _ => None,
    });
    Ok(Row {
        name: name.clone(),
        keys: keys.collect(),
        scope: scope.clone(),
    })
}

fn line(row: &Row, catalogue: &toml::Table) -> Result<String, Box<dyn Error>> {
    let key = format!("action.{}", row.name);
    let says = say(catalogue, &key).ok_or_else(|| format!("the catalogue has no `{key}`"))?;
    let keys: Vec<String> = row.keys.iter().map(|key| format!("`{key}`")).collect();
    let keys = if keys.is_empty() {
        format!("`:{}`", row.name)
    } else {
        keys.join(" ")
    };
    // A bar inside a cell would end it.
    Ok(format!(
        "| {} | `{}` | {} |",
        keys.replace('|', "\\|"),
        row.name,
        says.replace('|', "\\|")
    ))
}

/// The words of a key; dots lead into tables.
fn say<'a>(catalogue: &'a toml::Table, key: &str) -> Option<&'a str> {
    if let Some(value) = catalogue.get(key) {
        return value.as_str();
    }
    let (first, rest) = key.split_once('.')?;
    say(catalogue.get(first)?.as_table()?, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIONS: &str = "\npub enum Scope {\n    /// On every page.\n    Everywhere,\n    \
                           /// Nowhere yet.\n    Empty,\n    /// On a plan.\n    Plan,\n}\n\
                           \nactions! {\n    Open \"open\" [\"enter\", \"|\"] Everywhere Look [] 1;\n    \
                           Apply \"apply\" [\"]\"] Plan Write [] 1;\n    \
                           Arm \"arm\" [] Everywhere Write [Host, Duration] 0;\n}\n";

    #[test]
    fn every_action_stands_under_its_scope_with_its_keys() {
        let catalogue =
            "[action]\nopen = \"Open a|b\"\narm = \"Allow writes\"\napply = \"Apply\"\n";
        assert_eq!(
            tables(ACTIONS, catalogue).unwrap(),
            "**On every page**\n\n| key | action | what it does |\n|---|---|---|\n\
             | `enter` `\\|` | `open` | Open a\\|b |\n\
             | `:arm` | `arm` | Allow writes |\n\n\
             **On a plan**\n\n| key | action | what it does |\n|---|---|---|\n\
             | `]` | `apply` | Apply |"
        );
        let flat = "\"action.open\" = \"O\"\naction.apply = \"A\"\naction.arm = \"R\"\n";
        assert!(tables(ACTIONS, flat).unwrap().contains("| `open` | O |"));
    }

    #[test]
    fn an_action_without_words_or_a_row_of_another_form_is_an_error() {
        let error = tables(ACTIONS, "[action]\nopen = \"O\"\n").unwrap_err();
        assert_eq!(error.to_string(), "the catalogue has no `action.arm`");
        let odd = "\npub enum Scope {\n}\n\nactions! {\n    Open [] Everywhere;\n}\n";
        assert!(tables(odd, "").is_err());
    }
}
