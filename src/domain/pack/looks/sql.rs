//! A question to a database that is proven to be the one in use, asked so that nothing can be
//! written. It runs only when the pack is trusted, as a command of its own does.

use super::fields::FieldRule;
use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// Longest query.
const LONGEST: usize = 8 << 10;

/// One query and the rows it must give.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlLook {
    /// Container of a PostgreSQL: its own `psql` is asked, inside.
    #[serde(default)]
    pub container: Option<String>,
    /// `HOST:PORT` of a PostgreSQL: the machine's `psql` is asked.
    #[serde(default)]
    pub server: Option<String>,
    /// Path of a SQLite file: the machine's `sqlite3` is asked.
    #[serde(default)]
    pub sqlite: Option<String>,
    /// The container whose settings must name this database.
    #[serde(default)]
    pub used_by: Option<String>,
    /// Or a file of settings, `NAME=value` a line, that must name it.
    #[serde(default)]
    pub settings: Option<String>,
    /// Or a pattern of the command line of a process that must have the file open.
    #[serde(default)]
    pub opened_by: Option<String>,
    /// The setting that names its host, its path or its URL.
    #[serde(default)]
    pub host_at: Option<String>,
    /// The setting that holds its name, where `host_at` is no URL.
    #[serde(default)]
    pub database_at: Option<String>,
    /// Who asks; without it the owner that a container was made with.
    #[serde(default)]
    pub user: Option<String>,
    /// One `SELECT`, without a semicolon.
    pub query: String,
    /// Rules for the rows: `0.name`, `*.status`.
    #[serde(default)]
    pub fields: Vec<FieldRule>,
    /// Whether no row may come.
    #[serde(default)]
    pub empty: bool,
}

impl Kind for SqlLook {
    const NEEDS: Needs = Needs::Machine;
    const REQUIRED: &'static [&'static str] = &["query"];
    const FACTS: &'static [&'static str] = &["rows", "field.*"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        let places = [&self.container, &self.server, &self.sqlite];
        if places.into_iter().flatten().count() != 1 {
            rules.fault(
                "it is not said which database is asked",
                "exactly one of `container`, `server`, `sqlite`",
            );
        }
        let proofs = [&self.used_by, &self.settings, &self.opened_by];
        if proofs.into_iter().flatten().count() != 1 {
            rules.fault(
                "nothing proves that the database is the one in use",
                "exactly one of `used_by`, `settings`, `opened_by`",
            );
        }
        if self.opened_by.is_some() != self.host_at.is_none() {
            let (message, hint) = if self.host_at.is_some() {
                ("`opened_by` reads no settings", "leave `host_at` out")
            } else {
                (
                    "it is not said which setting names the database",
                    "add `host_at = \"NAME\"`",
                )
            };
            rules.fault(message, hint);
        }
        if self.sqlite.is_some() && (self.used_by.is_some() || self.user.is_some()) {
            rules.fault(
                "a SQLite file has no user, and a container sees it under another path",
                "leave `user` out, and prove it by `opened_by` or `settings`",
            );
        }
        if self.sqlite.is_none() && self.opened_by.is_some() {
            rules.fault(
                "only a file is opened by a process",
                "prove it by `used_by` or `settings`",
            );
        }
        if let Some(server) = &self.server
            && !server
                .rsplit_once(':')
                .is_some_and(|(host, port)| is_plain(host) && port.parse::<u16>().is_ok())
        {
            rules.fault("`server` is no host and port", "such as \"127.0.0.1:5432\"");
        }
        rules.paths(self.sqlite.iter().chain(&self.settings));
        let names = [&self.container, &self.used_by, &self.user];
        let settings = [&self.host_at, &self.database_at];
        for name in names.into_iter().chain(settings).flatten() {
            if !is_plain(name) {
                rules.fault(
                    format!("`{name}` is no plain name"),
                    "letters, digits, `_`, `-` and `.`, beginning with a letter or digit",
                );
            }
        }
        rules.no_blank(self.opened_by.iter());
        self.query_rules(rules);
        FieldRule::rules(&self.fields, rules);
        match (self.empty, self.fields.is_empty()) {
            (true, false) => rules.fault("no row may come and rows have rules", "decide for one"),
            (false, true) => rules.nothing("`fields` or `empty = true`"),
            _ => {}
        }
    }
}

impl SqlLook {
    fn query_rules(&self, rules: &mut Rules<'_, '_>) {
        let query = self.query.trim();
        let first: String = query
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        if !matches!(first.to_ascii_lowercase().as_str(), "select" | "with") {
            rules.fault("`query` does not only look", "begin it with SELECT or WITH");
        }
        if query.contains(';') {
            rules.fault(
                "`query` is more than one statement",
                "one SELECT, without a semicolon",
            );
        }
        if query.len() > LONGEST || query.contains('\0') {
            rules.fault(
                "`query` is too long to be read by a person",
                format!("at most {LONGEST} bytes of text"),
            );
        }
    }
}

/// A name that no program can take for an option or a path.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}
