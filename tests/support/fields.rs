//! What a host's rows hold, field by field: for stories that have to leave them as they were.

use cockpit_lab::Lab;
use serde_json::{Value, json};

/// Accounts and channels of a host with what people may have cared about.
pub(crate) fn fields(lab: &Lab, host: &str) -> Value {
    lab.host(host).with(|state| {
        let accounts: Vec<Value> = state
            .accounts
            .values()
            .filter(|row| row.deleted_at.is_none())
            .map(|row| {
                json!([
                    row.id,
                    row.name,
                    row.schedulable,
                    row.status,
                    row.credentials,
                    row.extra,
                    state.groups_of(row.id)
                ])
            })
            .collect();
        let channels: Vec<Value> = state
            .channels
            .values()
            .map(|row| {
                json!([
                    row.id,
                    row.name,
                    row.group_ids,
                    row.model_pricing,
                    row.model_mapping,
                    row.billing_model_source,
                    row.restrict_models,
                    row.status
                ])
            })
            .collect();
        json!({"accounts": accounts, "channels": channels})
    })
}
