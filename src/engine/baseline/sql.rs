//! Questions to a database: proven to be the one in use before anything is asked.

use super::machines::{
    as_tool, machine_of, printed, ran, sealed, sealed_output, system, unreadable,
};
use super::own::untrusted;
use super::run::Shared;
use super::tools::Seen;
use cockpit_domain::baseline::{
    ContainerSeen, Judgement, LIST, Named, ask_database, judge_sql, matches_glob, not_proven,
    read_processes, read_rows, read_settings, read_tool,
};
use cockpit_domain::pack::{Check, SqlLook};
use std::collections::BTreeMap;

/// Proves the database, asks it, judges the rows.
pub(super) async fn sql(shared: &Shared, check: &Check, look: &SqlLook) -> Seen {
    if !shared.context.trusted {
        return Err(untrusted(shared, "a question to a database", &look.query));
    }
    let target = proven(shared, check, look).await?;
    // What the proof took is gone; the query itself ends before the check does.
    let limit = check.time_limit * 2 / 3;
    let argv = ask_database(look, target.user.as_deref(), &target.database, limit);
    let text = asked(shared, check, look, &argv).await?;
    let tool = tool(look);
    let rows = read_rows(&text).map_err(|reason| unreadable(tool, &reason, ""))?;
    let judgement = judge_sql(look, &rows, shared.context.clock.now_ms());
    let count = rows.len();
    let rows = serde_json::Value::Array(rows);
    Ok(shared.finding(check, judgement, |fact| match fact {
        "rows" => Some(count.to_string()),
        _ => super::facts::field(&rows, fact),
    }))
}

fn tool(look: &SqlLook) -> &'static str {
    if look.sqlite.is_some() {
        "sqlite3"
    } else {
        "psql"
    }
}

/// What the client printed. The query stands in the pack: what the client said is told, not that.
async fn asked(
    shared: &Shared,
    check: &Check,
    look: &SqlLook,
    argv: &[String],
) -> Result<String, Judgement> {
    let output = ran(shared, check, argv).await?;
    let words = match &look.container {
        Some(container) => format!("docker exec {container} psql"),
        None => tool(look).to_owned(),
    };
    let told = as_tool(&output, &words, argv, machine_of(check)?);
    let printed = read_tool(told).map(str::to_owned);
    printed.map_err(|judgement| password_wanted(look, judgement))
}

/// Where a client of PostgreSQL looks for a password by itself, so that none is in its arguments.
fn password_wanted(look: &SqlLook, judgement: Judgement) -> Judgement {
    let said = judgement.evidence.to_lowercase();
    let wanted = ["no password supplied", "password authentication failed"];
    if !wanted.iter().any(|words| said.contains(words)) {
        return judgement;
    }
    let user = look.user.as_deref().unwrap_or("its user");
    Judgement {
        fix: Some(format!(
            "Put the password of `{user}` into ~/.pgpass there, readable by its owner alone (0600)."
        )),
        ..judgement
    }
}

/// Who is asked for what.
struct Target {
    user: Option<String>,
    database: String,
}

/// Proves that the database is the one in use.
async fn proven(shared: &Shared, check: &Check, look: &SqlLook) -> Result<Target, Judgement> {
    if let (Some(path), Some(pattern)) = (&look.sqlite, &look.opened_by) {
        is_open(shared, check, look, path, pattern).await?;
        return Ok(Target {
            user: None,
            database: path.clone(),
        });
    }
    let settings = settings(shared, check, look).await?;
    let named = Named::of(look, |at| settings.get(at).map(String::as_str))
        .map_err(|reason| not_proven(look, &reason))?;
    if let Some(path) = &look.sqlite {
        if named.host != *path {
            return Err(not_proven(look, &format!("they name `{}`", named.host)));
        }
        return Ok(Target {
            user: None,
            database: path.clone(),
        });
    }
    let mut user = look.user.clone();
    if let Some(name) = &look.container {
        let seen = container(shared, check, name).await?;
        if !named.is_container(&seen) {
            return Err(not_proven(look, &format!("they name `{}`", named.host)));
        }
        user = user.or_else(|| seen.setting("POSTGRES_USER").map(str::to_owned));
        user = user.or_else(|| Some("postgres".to_owned()));
    } else if let Some(server) = &look.server
        && !named.is_server(server)
    {
        return Err(not_proven(look, &format!("they name `{}`", named.host)));
    }
    let Some(database) = named.database else {
        let reason = "they do not say its name; add `database_at` to the check";
        return Err(not_proven(look, reason));
    };
    // A name that begins with a dash or holds `=` would be more than a name to the client.
    if !database
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        || database.starts_with('-')
    {
        return Err(not_proven(look, "its name there is no plain name"));
    }
    Ok(Target { user, database })
}

/// The settings that must name the database. They hold secrets and go no further.
async fn settings(
    shared: &Shared,
    check: &Check,
    look: &SqlLook,
) -> Result<BTreeMap<String, String>, Judgement> {
    if let Some(path) = &look.settings {
        return Ok(read_settings(&sealed(shared, check, path).await?));
    }
    let name = look.used_by.as_deref().unwrap_or_default();
    let seen = container(shared, check, name).await?;
    let wanted = [&look.host_at, &look.database_at];
    Ok(wanted
        .into_iter()
        .flatten()
        .filter_map(|at| Some((at.clone(), seen.setting(at)?.to_owned())))
        .collect())
}

async fn container(shared: &Shared, check: &Check, name: &str) -> Result<ContainerSeen, Judgement> {
    let argv = ["docker", "inspect", name].map(str::to_owned);
    let printed = sealed_output(shared, check, &argv).await?;
    ContainerSeen::read(&printed)
        .map_err(|reason| unreadable(&format!("docker inspect {name}"), &reason, ""))
}

/// Whether a process has the file open.
async fn is_open(
    shared: &Shared,
    check: &Check,
    look: &SqlLook,
    path: &str,
    pattern: &str,
) -> Result<(), Judgement> {
    let system = system(shared, check).await?;
    let text = printed(shared, check, LIST).await?;
    let seen = read_processes(&text).map_err(|reason| unreadable("ps", &reason, &text))?;
    let mut looked_into = false;
    for process in seen
        .iter()
        .filter(|row| matches_glob(pattern, &row.command))
        .take(MOST)
    {
        let text = printed(shared, check, system.insides(process.pid)).await?;
        if system
            .read_insides(&text)
            .open_files
            .iter()
            .any(|open| open == path)
        {
            return Ok(());
        }
        looked_into = true;
    }
    let machine = machine_of(check)?;
    Err(not_proven(
        look,
        &if looked_into {
            format!("no such process on `{machine}` has it open")
        } else {
            format!("no such process runs on `{machine}`")
        },
    ))
}

/// More processes than this are not looked into.
const MOST: usize = 8;
