//! A question to a database: the proof that it is the one in use, the words that ask it so that
//! nothing can be written, and what came back against what is expected.

use super::fields::{self, field_faults};
use super::judgement::Judgement;
use super::verdict::Verdict;
use crate::pack::SqlLook;
use crate::secret::Secret;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use url::{Host, Url};

/// Most rows of an answer that are judged.
const MOST_ROWS: usize = 100;
/// A container that its restart policy brought up this often is not warming up.
const MOST_RESTARTS: u64 = 3;

/// What a container says of itself, as far as the proof needs it. Its settings hold secrets: it is
/// never shown.
pub struct ContainerSeen {
    settings: BTreeMap<String, String>,
    /// Every name and address under which others reach it.
    names: Vec<String>,
}

impl ContainerSeen {
    /// Reads what `docker inspect` prints of one container.
    ///
    /// # Errors
    /// One sentence when it is nothing of the kind.
    pub fn read(printed: &Secret) -> Result<Self, String> {
        let all: Value =
            serde_json::from_str(printed.expose()).map_err(|_| "it is no JSON".to_owned())?;
        let one = all.get(0).ok_or("it names no container")?;
        let settings = one
            .pointer("/Config/Env")
            .and_then(Value::as_array)
            .ok_or("it says no settings")?
            .iter()
            .filter_map(|row| row.as_str()?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let mut names: Vec<String> = Vec::new();
        names.extend(text(one.get("Name")).map(|name| name.trim_start_matches('/').to_owned()));
        names.extend(text(one.pointer("/Config/Hostname")));
        let networks = one.pointer("/NetworkSettings/Networks");
        for network in networks.and_then(Value::as_object).into_iter().flatten() {
            names.extend(text(network.1.get("IPAddress")));
            for list in ["Aliases", "DNSNames"] {
                let aliases = network.1.get(list).and_then(Value::as_array);
                names.extend(
                    aliases
                        .into_iter()
                        .flatten()
                        .filter_map(|name| text(Some(name))),
                );
            }
        }
        names.retain(|name| !name.is_empty());
        Ok(Self { settings, names })
    }

    /// One of its settings.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }
}

/// Seconds since a container was started, by its machine's clock; `None` when it does not run, or when
/// it is brought up again and again.
pub fn started_ago(printed: &Secret, now_s: i64) -> Option<u64> {
    let all: Value = serde_json::from_str(printed.expose()).ok()?;
    let state = all.pointer("/0/State")?;
    let is = |name: &str| state.get(name).and_then(Value::as_bool) == Some(true);
    let restarts = all.pointer("/0/RestartCount").and_then(Value::as_u64);
    if !is("Running") || is("Restarting") || restarts.is_some_and(|count| count >= MOST_RESTARTS) {
        return None;
    }
    let started: jiff::Timestamp = state.get("StartedAt")?.as_str()?.parse().ok()?;
    u64::try_from(now_s.saturating_sub(started.as_second())).ok()
}

/// Reads a file of settings, `NAME=value` a line, as a container would be given it.
pub fn read_settings(text: &Secret) -> BTreeMap<String, String> {
    let bare = |value: &str| {
        let value = value.trim();
        let quoted = ['"', '\''].into_iter().find_map(|quote| {
            value
                .strip_prefix(quote)
                .and_then(|rest| rest.strip_suffix(quote))
        });
        quoted.unwrap_or(value).to_owned()
    };
    text.expose()
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.strip_prefix("export ").unwrap_or(line))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), bare(value)))
        .collect()
}

/// What the settings of a program say of its database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Host, or a path.
    pub host: String,
    /// Name of the database.
    pub database: Option<String>,
}

impl Named {
    /// Takes it out of settings.
    ///
    /// # Errors
    /// Which setting is not there.
    pub fn of<'s>(
        look: &SqlLook,
        setting: impl Fn(&str) -> Option<&'s str>,
    ) -> Result<Self, String> {
        let at = look.host_at.as_deref().unwrap_or_default();
        let value = setting(at).ok_or_else(|| format!("there is no setting `{at}`"))?;
        let named = look.database_at.as_deref();
        let database = named.map(|at| {
            let value = setting(at).map(str::to_owned);
            value.ok_or_else(|| format!("there is no setting `{at}`"))
        });
        let database = database.transpose()?;
        let url = value
            .contains("://")
            .then(|| Url::parse(value).ok())
            .flatten();
        let Some(url) = url else {
            let path = value.strip_prefix("sqlite:").unwrap_or(value);
            return Ok(Self {
                host: path.split('?').next().unwrap_or(path).to_owned(),
                database,
            });
        };
        let path = url.path().trim_start_matches('/').to_owned();
        Ok(match url.host_str() {
            Some(host) if !host.is_empty() => Self {
                host: match url.port() {
                    Some(port) => format!("{host}:{port}"),
                    None => host.to_owned(),
                },
                database: database.or_else(|| (!path.is_empty()).then_some(path)),
            },
            _ => Self {
                host: format!("/{path}"),
                database,
            },
        })
    }

    /// Whether it names a container.
    pub fn is_container(&self, seen: &ContainerSeen) -> bool {
        let host = self
            .host
            .rsplit_once(':')
            .map_or(self.host.as_str(), |(host, _)| host);
        seen.names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(host))
    }

    /// Whether it names a server by host and port.
    pub fn is_server(&self, server: &str) -> bool {
        let (host, port) = self.host.rsplit_once(':').unwrap_or((&self.host, ""));
        let (other, other_port) = server.rsplit_once(':').unwrap_or((server, ""));
        let loopback = |name: &str| match Host::parse(name) {
            Ok(Host::Ipv4(ip)) => ip.is_loopback(),
            Ok(Host::Ipv6(ip)) => ip.is_loopback(),
            Ok(Host::Domain(name)) => name == "localhost",
            Err(_) => false,
        };
        let same = host.eq_ignore_ascii_case(other) || loopback(host) && loopback(other);
        same && (port.is_empty() || port == other_port)
    }
}

/// The judgement of a database that is not proven to be the one in use.
pub fn not_proven(look: &SqlLook, reason: &str) -> Judgement {
    let by = [&look.used_by, &look.settings, &look.opened_by];
    let by = by.into_iter().flatten().next().map_or("", String::as_str);
    Judgement::unknown(
        &format!(
            "`{}` is not proven to be the database of `{by}`: {reason}",
            place(look)
        ),
        "",
        format!("Nothing was asked. Compare the settings of `{by}` with the check."),
    )
}

fn place(look: &SqlLook) -> &str {
    let places = [&look.container, &look.server, &look.sqlite];
    places
        .into_iter()
        .flatten()
        .next()
        .map_or("", String::as_str)
}

/// The words that ask, for a machine's command line. Nothing can be written, and neither time nor
/// rows are without bound.
pub fn ask(look: &SqlLook, user: Option<&str>, database: &str, limit: Duration) -> Vec<String> {
    let query = look.query.trim();
    let most = MOST_ROWS + 1;
    if let Some(path) = &look.sqlite {
        let wait = format!(".timeout {}", limit.as_millis().min(5000));
        let query = format!("SELECT * FROM (\n{query}\n) LIMIT {most}");
        return [
            "sqlite3",
            "-readonly",
            "-batch",
            "-bail",
            "-json",
            "-cmd",
            &wait,
            path,
            &query,
        ]
        .map(str::to_owned)
        .to_vec();
    }
    let mut words: Vec<String> = Vec::new();
    if let Some(container) = &look.container {
        words.extend(["docker", "exec", container].map(str::to_owned));
    }
    words.extend(
        [
            "psql",
            "-X",
            "-q",
            "-A",
            "-t",
            "-w",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        .map(str::to_owned),
    );
    if let Some((host, port)) = look
        .server
        .as_ref()
        .and_then(|server| server.rsplit_once(':'))
    {
        words.extend(["-h", host, "-p", port].map(str::to_owned));
    }
    if let Some(user) = user {
        words.extend(["-U", user].map(str::to_owned));
    }
    words.extend(["-d", database].map(str::to_owned));
    let bound = format!("SET statement_timeout = {}", limit.as_millis());
    let query = format!(
        "SELECT coalesce(json_agg(q), '[]') FROM (SELECT * FROM (\n{query}\n) q LIMIT {most}) q"
    );
    for statement in ["SET default_transaction_read_only = on", &bound, &query] {
        words.extend(["-c".to_owned(), statement.to_owned()]);
    }
    words
}

/// Reads the rows that came back.
///
/// # Errors
/// One sentence when they are no rows.
pub fn read_rows(text: &str) -> Result<Vec<Value>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Array(rows)) => Ok(rows),
        _ => Err("it is no list of rows".to_owned()),
    }
}

/// Judges the rows. They are not kept: only what a rule names is told.
pub fn judge_sql(look: &SqlLook, rows: &[Value], now_ms: i64) -> Judgement {
    let expected = expectation(look);
    let told = match rows.len() {
        0 => "no row".to_owned(),
        1 => "1 row".to_owned(),
        more if more > MOST_ROWS => format!("more than {MOST_ROWS} rows"),
        more => format!("{more} rows"),
    };
    if look.empty {
        return match rows.first() {
            None => Judgement::new(Verdict::Ok, expected, &told, &look.query),
            Some(row) => {
                let found = format!("{told}, such as {row}");
                Judgement::new(Verdict::Fail, expected, &found, &look.query)
            }
        };
    }
    if rows.len() > MOST_ROWS {
        return Judgement::unknown(&told, &look.query, "Make `query` of the check narrower.")
            .expecting(expected);
    }
    let faults = field_faults(&look.fields, &Value::Array(rows.to_vec()), now_ms);
    Judgement::of_faults(expected, &faults, &told, &look.query)
}

pub(super) fn expectation(look: &SqlLook) -> String {
    let wanted = if look.empty {
        "no row".to_owned()
    } else {
        fields::expectations(&look.fields).join("; ")
    };
    format!("{} says: {wanted}", place(look))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::FieldRule;
    use serde_json::json;

    fn look() -> SqlLook {
        SqlLook {
            container: Some("app-postgres".to_owned()),
            used_by: Some("app".to_owned()),
            host_at: Some("DB_HOST".to_owned()),
            database_at: Some("DB_NAME".to_owned()),
            query: "SELECT group_id FROM account_groups WHERE account_id = 7".to_owned(),
            fields: vec![FieldRule {
                path: "*.group_id".to_owned(),
                one_of: vec!["3".to_owned(), "4".to_owned()],
                ..FieldRule::default()
            }],
            ..SqlLook::default()
        }
    }

    fn seen(name: &str, alias: &str, env: &[&str]) -> ContainerSeen {
        let printed = json!([{
            "Name": format!("/{name}"),
            "Config": {"Env": env},
            "NetworkSettings": {"Networks": {"app": {"IPAddress": "172.18.0.3", "Aliases": [alias]}}},
        }]);
        ContainerSeen::read(&Secret::new(printed.to_string())).unwrap()
    }

    #[test]
    fn a_database_is_proven_by_the_settings_of_the_container_that_uses_it() {
        let database = seen("app-postgres", "db", &["POSTGRES_USER=app"]);
        let rows: [(&str, &[&str], Result<bool, &str>); 7] = [
            (
                "by name",
                &["DB_HOST=app-postgres", "DB_NAME=app"],
                Ok(true),
            ),
            ("by alias", &["DB_HOST=db", "DB_NAME=app"], Ok(true)),
            (
                "by address",
                &["DB_HOST=172.18.0.3:5432", "DB_NAME=app"],
                Ok(true),
            ),
            (
                "by URL",
                &[
                    "DB_HOST=postgres://u:p@db:5432/app?sslmode=disable",
                    "DB_NAME=app",
                ],
                Ok(true),
            ),
            (
                "another one",
                &["DB_HOST=old-postgres", "DB_NAME=app"],
                Ok(false),
            ),
            (
                "no setting",
                &["DB_NAME=app"],
                Err("there is no setting `DB_HOST`"),
            ),
            (
                "no name",
                &["DB_HOST=db"],
                Err("there is no setting `DB_NAME`"),
            ),
        ];
        for (name, env, expected) in rows {
            let app = seen("app", "app", env);
            let named = Named::of(&look(), |at| app.setting(at));
            let found = named.map(|named| named.is_container(&database));
            assert_eq!(found, expected.map_err(str::to_owned), "{name}");
        }
        let url = SqlLook {
            database_at: None,
            ..look()
        };
        let app = seen("app", "app", &["DB_HOST=postgres://u:p@db/shop"]);
        let named = Named::of(&url, |at| app.setting(at)).unwrap();
        assert_eq!(named.database.as_deref(), Some("shop"));
        assert_eq!(database.setting("POSTGRES_USER"), Some("app"));
    }

    #[test]
    fn the_age_of_a_container_is_by_its_last_start_unless_it_comes_up_again_and_again() {
        let started = |running: bool, restarts: u64| {
            let printed = json!([{
                "State": {"Running": running, "Restarting": false, "StartedAt": "2030-01-31T10:00:00Z"},
                "RestartCount": restarts,
            }]);
            let now: jiff::Timestamp = "2030-01-31T10:00:20Z".parse().unwrap();
            started_ago(&Secret::new(printed.to_string()), now.as_second())
        };
        assert_eq!(started(true, 0), Some(20));
        assert_eq!(started(true, MOST_RESTARTS - 1), Some(20));
        assert_eq!(started(true, MOST_RESTARTS), None, "a loop is no start");
        assert_eq!(started(false, 0), None);
    }

    #[test]
    fn a_server_and_a_file_are_named_in_a_file_of_settings() {
        let text = "# ours\nexport DB_HOST='localhost'\nDB_NAME=app\nDATABASE_URL=\"sqlite:///srv/app.db?mode=rw\"\n";
        let settings = read_settings(&Secret::new(text));
        let setting = |at: &str| settings.get(at).map(String::as_str);
        let named = Named::of(&look(), setting).unwrap();
        assert!(named.is_server("127.0.0.1:5432"));
        assert!(!named.is_server("10.0.0.1:5432"));
        let url = read_settings(&Secret::new(
            "DB_HOST=postgres://u:p@localhost:5433/app\nDB_NAME=app\n",
        ));
        let named = Named::of(&look(), |at| url.get(at).map(String::as_str)).unwrap();
        assert!(named.is_server("127.0.0.1:5433"));
        assert!(!named.is_server("127.0.0.1:5432"), "another server there");
        let sqlite = SqlLook {
            sqlite: Some("/srv/app.db".to_owned()),
            host_at: Some("DATABASE_URL".to_owned()),
            database_at: None,
            ..SqlLook::default()
        };
        assert_eq!(Named::of(&sqlite, setting).unwrap().host, "/srv/app.db");
    }

    #[test]
    fn what_is_asked_can_write_nothing_and_has_bounds() {
        let words = ask(&look(), Some("app"), "shop", Duration::from_secs(10));
        let line = words.join(" ");
        assert!(line.starts_with("docker exec app-postgres psql -X -q -A -t -w -v ON_ERROR_STOP=1 -U app -d shop -c SET default_transaction_read_only = on -c SET statement_timeout = 10000 -c SELECT"), "{line}");
        assert!(line.contains("LIMIT 101"), "{line}");
        let sqlite = SqlLook {
            sqlite: Some("/srv/app.db".to_owned()),
            container: None,
            ..look()
        };
        let words = ask(&sqlite, None, "", Duration::from_secs(10));
        assert_eq!(words[..2], ["sqlite3", "-readonly"]);
        assert!(words.join(" ").ends_with(") LIMIT 101"), "{words:?}");
    }

    #[test]
    fn rows_are_judged_and_only_what_is_wrong_of_them_is_told() {
        let rows = |text: &str| read_rows(text).unwrap();
        let judged = |text: &str| {
            let judgement = judge_sql(&look(), &rows(text), 0);
            (judgement.verdict, judgement.found)
        };
        let good = r#"[{"group_id":3,"note":"x"}, {"group_id":4}]"#;
        assert_eq!(judged(good), (Verdict::Ok, "2 rows".to_owned()));
        let bad = judged(r#"[{"group_id":9}]"#);
        assert_eq!(
            bad,
            (
                Verdict::Fail,
                "0.group_id is `9`, expected one of 3, 4".to_owned()
            )
        );
        assert_eq!(judged("").0, Verdict::Fail);
        let many: Vec<Value> = (0..101).map(|_| json!({"group_id": 3})).collect();
        assert_eq!(judge_sql(&look(), &many, 0).verdict, Verdict::Unknown);
        assert!(read_rows("psql: hello").is_err());
        let none = SqlLook {
            empty: true,
            fields: Vec::new(),
            ..look()
        };
        assert_eq!(judge_sql(&none, &[], 0).verdict, Verdict::Ok);
        let judgement = judge_sql(&none, &rows(r#"[{"id":1}]"#), 0);
        assert_eq!(judgement.found, "1 row, such as {\"id\":1}");
    }
}
