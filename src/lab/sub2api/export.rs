//! `/accounts/data`: the export with secrets in clear, and the import without groups or probe.

use super::model::Account;
use super::reply::{Answer, Reply};
use super::req::Req;
use super::state::State;
use serde_json::{Value, json};

pub(super) fn export(state: &State, req: &Req) -> Reply {
    let ids: Option<Vec<i64>> = req.filter("ids").map(|text| {
        text.split(',')
            .filter_map(|id| id.trim().parse().ok())
            .collect()
    });
    let rows = state.accounts.values().filter(|row| {
        row.deleted_at.is_none()
            && ids.as_ref().is_none_or(|ids| ids.contains(&row.id))
            && req
                .filter("platform")
                .is_none_or(|platform| row.platform == platform)
    });
    let accounts: Vec<Value> = rows
        .map(|row| {
            let mut view = json!({
                "name": row.name, "platform": row.platform,
                "type": row.kind, "credentials": row.credentials, "extra": row.extra,
                "concurrency": row.concurrency, "priority": row.priority,
                "rate_multiplier": row.rate_multiplier,
                "auto_pause_on_expired": row.auto_pause_on_expired,
            });
            if let Some(notes) = &row.notes {
                view["notes"] = json!(notes);
            }
            view
        })
        .collect();
    Reply::ok(json!({
        "exported_at": state.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "proxies": [], "accounts": accounts,
    }))
}

pub(super) fn import(state: &mut State, req: &Req) -> Answer {
    let input = req.input()?;
    let data = input.object("data")?;
    let data = data.ok_or_else(|| Reply::binding_field("data", "required"))?;
    let rows = data.get("accounts").and_then(Value::as_array);
    let (mut created, mut failed) = (0, 0);
    for row in rows.into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let Some(credentials) = row["credentials"].as_object() else {
            failed += 1;
            continue;
        };
        let mut account = Account::apikey(&text("name"), &text("platform"), "", "");
        account.kind = text("type");
        account.credentials.clone_from(credentials);
        account.extra = row["extra"].as_object().cloned().unwrap_or_default();
        account.concurrency = row["concurrency"].as_i64().unwrap_or_default();
        account.priority = row["priority"].as_i64().unwrap_or_default();
        state.add_account(account);
        created += 1;
    }
    Ok(Reply::ok(json!({
        "proxy_created": 0, "proxy_reused": 0, "proxy_failed": 0,
        "account_created": created, "account_failed": failed,
    })))
}
