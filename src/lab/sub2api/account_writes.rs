//! Acts on accounts besides create and update: switches, resets, batches, bulk update.

use super::account_lists::{living, passes};
use super::accounts;
use super::model::Account;
use super::reply::{Answer, Content, Reply};
use super::req::{Input, Req, id};
use super::state::State;
use super::views;
use serde_json::{Map, Value, json};

/// What binding to a group that never existed comes to, below the envelope.
const UNKNOWN_GROUP: &str = "ent: constraint failed: pq: insert or update on table \"account_groups\" violates foreign key constraint \"account_groups_group_id_fkey\"";

pub(super) fn schedulable(state: &mut State, req: &Req, text: &str) -> Answer {
    let flag = req.input()?.flag("schedulable")?.unwrap_or_default();
    change(state, text, |row| row.schedulable = flag)
}

/// `clear-error` and `recover-state`: everything but the operator's switch.
pub(super) fn clear_error(state: &mut State, text: &str) -> Answer {
    change(state, text, heal)
}

pub(super) fn clear_rate_limit(state: &mut State, text: &str) -> Answer {
    change(state, text, |row| {
        row.rate_limited_at = None;
        row.rate_limit_reset_at = None;
        row.overload_until = None;
        clear_pause(row);
    })
}

pub(super) fn clear_cooldown(state: &mut State, text: &str) -> Answer {
    change(state, text, clear_pause)?;
    Ok(Reply::message("Temp unschedulable cleared successfully"))
}

pub(super) fn reset_quota(state: &mut State, text: &str) -> Answer {
    change(state, text, |row| {
        row.extra
            .retain(|name, _| !(name.starts_with("quota_") && name.ends_with("_used")));
    })
}

/// What a passed test or an operator's reset undoes; `schedulable` stays as it is.
pub(super) fn heal(row: &mut Account) {
    "active".clone_into(&mut row.status);
    row.error_message.clear();
    row.rate_limited_at = None;
    row.rate_limit_reset_at = None;
    row.overload_until = None;
    row.forbidden.clear();
    row.extra.remove("model_rate_limits");
    clear_pause(row);
}

fn clear_pause(row: &mut Account) {
    row.temp_unschedulable_until = None;
    row.temp_unschedulable_reason.clear();
}

fn change(state: &mut State, text: &str, act: impl FnOnce(&mut Account)) -> Answer {
    let at = id(text, "account")?;
    let now = state.now();
    let row = state
        .account_mut(at)
        .ok_or_else(|| Reply::missing("ACCOUNT"))?;
    act(row);
    row.updated_at = now;
    let row = living(state, text)?;
    Ok(Reply::ok(views::account(state, row)))
}

/// `POST /accounts/batch`: 200 even if every one failed.
pub(super) fn batch(state: &mut State, req: &Req) -> Answer {
    let input = req.input()?;
    let bodies = input.given("accounts").and_then(Value::as_array).cloned();
    let bodies = bodies.ok_or_else(|| Reply::binding_field("accounts", "required"))?;
    let mut results = Vec::new();
    let mut success = 0;
    for body in &bodies {
        let fields = body.as_object().cloned().unwrap_or_default();
        let one = accounts::create_from(state, &Input { fields });
        let mut result = json!({ "name": body["name"], "success": one.is_ok() });
        match one.unwrap_or_else(|reply| reply).content {
            Content::Json(answer) if result["success"] == json!(true) => {
                result["id"] = answer["data"]["id"].clone();
                success += 1;
            }
            // Here an error is told in the words of the database.
            Content::Json(answer) if answer["code"] == json!(500) => {
                result["error"] = json!(UNKNOWN_GROUP);
            }
            Content::Json(answer) => result["error"] = answer["message"].clone(),
            Content::Raw(..) | Content::Stream(..) | Content::Cut => {}
        }
        results.push(result);
    }
    let failed = bodies.len() - success;
    Ok(Reply::ok(
        json!({ "success": success, "failed": failed, "results": results }),
    ))
}

/// `POST /accounts/batch-clear-error`.
pub(super) fn batch_clear(state: &mut State, req: &Req) -> Answer {
    let ids = req.input()?.ids("account_ids")?.unwrap_or_default();
    let total = ids.len();
    let mut errors = Vec::new();
    for at in ids {
        if clear_error(state, &at.to_string()).is_err() {
            errors.push(json!({ "account_id": at, "error": "account not found" }));
        }
    }
    let failed = errors.len();
    Ok(Reply::ok(json!({
        "total": total, "success": total - failed, "failed": failed, "errors": errors,
    })))
}

/// `POST /accounts/bulk-update`: credentials and extra are merged, and no probe follows.
pub(super) fn bulk_update(state: &mut State, req: &Req) -> Answer {
    let input = req.input()?;
    let ids = match input.ids("account_ids")?.filter(|ids| !ids.is_empty()) {
        Some(ids) => ids,
        None => by_filter(state, &input)?,
    };
    let change = Change::read(&input)?;
    let groups = input.ids("group_ids")?;
    if let Some(groups) = &groups
        && groups.iter().any(|group| state.group(*group).is_none())
    {
        return Err(Reply::missing("GROUP"));
    }
    let now = state.now();
    let (mut good, mut bad, mut results) = (Vec::new(), Vec::new(), Vec::new());
    for at in ids {
        let Some(row) = state.account_mut(at) else {
            bad.push(at);
            results
                .push(json!({ "account_id": at, "success": false, "error": "account not found" }));
            continue;
        };
        change.apply(row);
        row.updated_at = now;
        if let Some(groups) = &groups {
            state
                .account_groups
                .retain(|(account, group), _| *account != at || groups.contains(group));
            for group in groups {
                state.bind_by_api(at, *group);
            }
        }
        good.push(at);
        results.push(json!({ "account_id": at, "success": true }));
    }
    Ok(Reply::ok(json!({
        "success": good.len(), "failed": bad.len(), "success_ids": good, "failed_ids": bad,
        "results": results,
    })))
}

fn by_filter(state: &State, input: &Input) -> Result<Vec<i64>, Reply> {
    let Some(filters) = input.object("filters")? else {
        return Err(Reply::bad_request("account_ids or filters is required"));
    };
    let field = |name: &str| filters.get(name).and_then(Value::as_str).map(str::to_owned);
    let wanted = field("search").unwrap_or_default().to_lowercase();
    let rows = state.accounts.values();
    let rows = rows.filter(|row| {
        passes(state, row, |name| {
            field(name).filter(|text| !text.is_empty())
        }) && row.name.to_lowercase().contains(&wanted)
    });
    Ok(rows.map(|row| row.id).collect())
}

/// The fields a bulk update may carry.
struct Change {
    name: Option<String>,
    proxy_id: Option<i64>,
    concurrency: Option<i64>,
    priority: Option<i64>,
    rate_multiplier: Option<f64>,
    load_factor: Option<i64>,
    status: Option<String>,
    schedulable: Option<bool>,
    credentials: Map<String, Value>,
    extra: Map<String, Value>,
}

impl Change {
    fn read(input: &Input) -> Result<Self, Reply> {
        Ok(Self {
            name: input.text("name")?.filter(|name| !name.is_empty()),
            proxy_id: input.int("proxy_id")?,
            concurrency: input.int("concurrency")?,
            priority: input.int("priority")?,
            rate_multiplier: input.float("rate_multiplier")?,
            load_factor: input.int("load_factor")?,
            status: input.one_of("status", &["active", "inactive", "error"])?,
            schedulable: input.flag("schedulable")?,
            credentials: input.object("credentials")?.unwrap_or_default(),
            extra: input.object("extra")?.unwrap_or_default(),
        })
    }

    fn apply(&self, row: &mut Account) {
        if let Some(name) = &self.name {
            row.name.clone_from(name);
        }
        if let Some(status) = &self.status {
            row.status.clone_from(status);
        }
        row.proxy_id = self.proxy_id.or(row.proxy_id);
        row.load_factor = self.load_factor.or(row.load_factor);
        row.concurrency = self.concurrency.unwrap_or(row.concurrency);
        row.priority = self.priority.unwrap_or(row.priority);
        row.rate_multiplier = self.rate_multiplier.unwrap_or(row.rate_multiplier);
        row.schedulable = self.schedulable.unwrap_or(row.schedulable);
        row.credentials.extend(self.credentials.clone());
        row.extra.extend(self.extra.clone());
    }
}
