//! `psql` inside a database container: a few plain `SELECT`s over the tables of the host's state, and
//! the words PostgreSQL has for what it refuses.

use super::answer::Output;
use super::state::Container;
use serde_json::{Map, Value};

/// Rows of a table, each a JSON object.
pub(crate) type Rows = Vec<Map<String, Value>>;

/// The tables of a database.
pub(crate) trait Tables: Send + Sync {
    /// The rows of one; `None` when there is no such table.
    fn rows(&self, table: &str) -> Option<Rows>;
}

/// Runs what stands behind `psql`.
pub(super) fn psql(container: &Container, words: &[&str]) -> Output {
    let Some(tables) = &container.tables else {
        return Output::fail(2, "psql: error: connection to server failed\n");
    };
    let (mut statements, mut database, mut user) = (Vec::new(), "", "");
    let mut rest = words.iter().copied();
    while let Some(word) = rest.next() {
        match word {
            "-c" => statements.extend(rest.next()),
            "-d" => database = rest.next().unwrap_or_default(),
            "-U" => user = rest.next().unwrap_or_default(),
            "-v" => {
                rest.next();
            }
            _ => {}
        }
    }
    for (setting, name, what) in [
        ("POSTGRES_USER", user, "role"),
        ("POSTGRES_DB", database, "database"),
    ] {
        if !container
            .env
            .iter()
            .any(|(at, value)| at == setting && value == name)
        {
            let said = format!("FATAL:  {what} \"{name}\" does not exist");
            let socket =
                "connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed";
            return Output::fail(2, format!("psql: error: {socket}: {said}\n"));
        }
    }
    let mut read_only = false;
    let mut output = Output::default();
    for statement in statements {
        let first = statement.split_whitespace().next().unwrap_or_default();
        match first.to_ascii_uppercase().as_str() {
            "SET" => read_only |= statement.contains("default_transaction_read_only"),
            "SELECT" => match select(tables.as_ref(), statement) {
                Ok(rows) => {
                    for row in rows {
                        let cells: Vec<String> = row.values().map(cell).collect();
                        output = output.and_out(format!("{}\n", cells.join("|")));
                    }
                }
                Err(said) => return Output::fail(1, format!("ERROR:  {said}\n")),
            },
            verb if read_only => {
                let said = format!("ERROR:  cannot execute {verb} in a read-only transaction\n");
                return Output::fail(1, said);
            }
            verb => return Output::fail(1, format!("ERROR:  permission denied for {verb}\n")),
        }
    }
    output
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The words of a statement: names, numbers, texts, and signs each by itself.
fn words_of(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for c in text.chars() {
        let plain = c.is_alphanumeric() || matches!(c, '_' | '.' | '\'' | '[' | ']');
        if plain && open {
            if let Some(last) = words.last_mut() {
                last.push(c);
            }
        } else if !c.is_whitespace() {
            words.push(c.to_string());
        }
        open = plain;
    }
    words
}

/// A statement that is being read.
struct Reader<'t> {
    tables: &'t dyn Tables,
    words: Vec<String>,
    at: usize,
}

fn select(tables: &dyn Tables, text: &str) -> Result<Rows, String> {
    let mut reader = Reader {
        tables,
        words: words_of(text),
        at: 0,
    };
    let rows = reader.select()?;
    match reader.words.get(reader.at) {
        None => Ok(rows),
        Some(word) => Err(near(word)),
    }
}

fn near(word: &str) -> String {
    format!("syntax error at or near \"{word}\"")
}

impl Reader<'_> {
    fn next(&mut self) -> String {
        let word = self.words.get(self.at).cloned().unwrap_or_default();
        self.at += 1;
        word
    }

    /// Whether the next word is this one; then it is taken.
    fn took(&mut self, word: &str) -> bool {
        let is = self
            .words
            .get(self.at)
            .is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.took(word) {
            return Ok(());
        }
        Err(near(&self.next()))
    }

    /// `SELECT columns FROM table-or-(select) [name] [WHERE a = 1 [AND ..]] [LIMIT n]`.
    fn select(&mut self) -> Result<Rows, String> {
        self.expect("select")?;
        let mut columns = Vec::new();
        let whole = self.took("coalesce");
        if whole {
            for word in ["(", "json_agg", "("] {
                self.expect(word)?;
            }
            self.next();
            for word in [")", ",", "'[]'", ")"] {
                self.expect(word)?;
            }
        } else {
            columns.push(self.next());
            while self.took(",") {
                columns.push(self.next());
            }
        }
        self.expect("from")?;
        let mut rows = if self.took("(") {
            let rows = self.select()?;
            self.expect(")")?;
            rows
        } else {
            let table = self.next();
            let rows = self.tables.rows(&table);
            rows.ok_or_else(|| format!("relation \"{table}\" does not exist"))?
        };
        let is_name =
            |word: &String| !["where", "limit", ")"].contains(&word.to_lowercase().as_str());
        if self.words.get(self.at).is_some_and(is_name) {
            self.next();
        }
        if self.took("where") {
            loop {
                let column = self.next();
                self.expect("=")?;
                let wanted = self.next();
                rows.retain(|row| row.get(&column).is_some_and(|value| cell(value) == wanted));
                if !self.took("and") {
                    break;
                }
            }
        }
        if self.took("limit") {
            let most = self.next();
            rows.truncate(most.parse().map_err(|_| near(&most))?);
        }
        if whole {
            let all = Value::Array(rows.into_iter().map(Value::Object).collect());
            return Ok(vec![Map::from_iter([("coalesce".to_owned(), all)])]);
        }
        if columns != ["*"] {
            for row in &mut rows {
                row.retain(|name, _| columns.contains(name));
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct One;

    impl Tables for One {
        fn rows(&self, table: &str) -> Option<Rows> {
            let rows = json!([{"account_id": 7, "group_id": 3}, {"account_id": 8, "group_id": 3}]);
            let row = |row: &Value| row.as_object().cloned();
            (table == "account_groups").then(|| {
                rows.as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(row)
                    .collect()
            })
        }
    }

    #[test]
    fn plain_selects_are_answered_and_the_rest_is_refused_in_the_words_of_postgresql() {
        let asked = |text: &str| match select(&One, text) {
            Ok(rows) => json!(rows).to_string(),
            Err(said) => said,
        };
        let plain = "SELECT group_id FROM account_groups WHERE account_id = 7";
        assert_eq!(asked(plain), r#"[{"group_id":3}]"#);
        let wrapped = format!(
            "SELECT coalesce(json_agg(q), '[]') FROM (SELECT * FROM (\n{plain}\n) q LIMIT 5) q"
        );
        assert_eq!(asked(&wrapped), r#"[{"coalesce":[{"group_id":3}]}]"#);
        assert_eq!(
            asked("SELECT a FROM nowhere"),
            "relation \"nowhere\" does not exist"
        );
        assert_eq!(
            asked("SELECT a FROM account_groups ORDER BY a"),
            "syntax error at or near \"BY\""
        );
    }
}
