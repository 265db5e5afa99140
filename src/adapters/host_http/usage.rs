//! Usage rows (`host-contract.md` 9): the proof of which account served a request.

use super::call::Call;
use super::client::HostHttp;
use super::wire::or_default;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::UsageRow;
use cockpit_engine::failure::Outcome;
use cockpit_engine::ports::UsageQuery;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct WireUsage {
    id: RemoteId,
    #[serde(default)]
    api_key_id: Option<RemoteId>,
    #[serde(default)]
    account_id: Option<RemoteId>,
    #[serde(default)]
    group_id: Option<RemoteId>,
    #[serde(default)]
    channel_id: Option<RemoteId>,
    #[serde(default, deserialize_with = "or_default")]
    model: String,
    #[serde(default)]
    upstream_model: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    upstream_endpoint: String,
    #[serde(default, deserialize_with = "or_default")]
    created_at: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default, deserialize_with = "or_default")]
    items: Vec<WireUsage>,
    #[serde(default, deserialize_with = "or_default")]
    pages: u64,
}

impl HostHttp {
    fn usage_row(&self, wire: &WireUsage) -> UsageRow {
        UsageRow {
            id: wire.id,
            api_key_id: wire.api_key_id.unwrap_or(RemoteId(0)),
            account_id: wire.account_id.unwrap_or(RemoteId(0)),
            group_id: wire.group_id,
            channel_id: wire.channel_id,
            model: self.line(&wire.model),
            upstream_model: wire.upstream_model.as_deref().map(|name| self.line(name)),
            upstream_endpoint: self.line(&wire.upstream_endpoint),
            created_at: self.line(&wire.created_at),
        }
    }

    /// The newest rows only, so no total is checked: the list grows while it is read.
    pub(super) async fn usage_rows(&self, query: &UsageQuery) -> Outcome<Vec<UsageRow>> {
        let mut rows = BTreeMap::new();
        let size = query.most.clamp(1, 200) as u64;
        let mut page = 1;
        while rows.len() < query.most {
            let mut call = Call::read("/usage", "reading the usage rows")
                .query("page", page)
                .query("page_size", size)
                .query("sort_by", "created_at")
                .query("sort_order", "desc");
            if let Some(id) = query.api_key_id {
                call = call.query("api_key_id", id);
            }
            if let Some(id) = query.account_id {
                call = call.query("account_id", id);
            }
            if let Some(id) = query.group_id {
                call = call.query("group_id", id);
            }
            let got: Page = self.get(&call).await?;
            let is_empty = got.items.is_empty();
            for row in &got.items {
                rows.insert(row.id, self.usage_row(row));
            }
            if is_empty || page >= got.pages {
                break;
            }
            page += 1;
        }
        Ok(rows.into_values().rev().take(query.most).collect())
    }
}
