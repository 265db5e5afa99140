//! Groups (`host-contract.md` 4.1).

use super::call::Call;
use super::client::HostHttp;
use super::wire::or_default;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{Group, GroupLimits, GroupSpec};
use cockpit_engine::failure::Outcome;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct WireGroup {
    id: RemoteId,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    platform: String,
    #[serde(default, deserialize_with = "or_default")]
    subscription_type: String,
    #[serde(default, deserialize_with = "or_default")]
    rate_multiplier: f64,
    #[serde(default, deserialize_with = "or_default")]
    is_exclusive: bool,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default)]
    daily_limit_usd: Option<f64>,
    #[serde(default)]
    weekly_limit_usd: Option<f64>,
    #[serde(default)]
    monthly_limit_usd: Option<f64>,
}

/// A stored 0 is no limit: the host does not enforce it.
fn enforced(limit: Option<f64>) -> Option<f64> {
    limit.filter(|usd| *usd > 0.0)
}

impl HostHttp {
    fn group(&self, wire: &WireGroup) -> Group {
        Group {
            id: wire.id,
            spec: GroupSpec {
                name: self.line(&wire.name),
                platform: self.line(&wire.platform),
                subscription_type: self.line(&wire.subscription_type),
                rate_multiplier: wire.rate_multiplier,
                is_exclusive: wire.is_exclusive,
            },
            status: self.line(&wire.status),
            limits: GroupLimits {
                daily_limit_usd: enforced(wire.daily_limit_usd),
                weekly_limit_usd: enforced(wire.weekly_limit_usd),
                monthly_limit_usd: enforced(wire.monthly_limit_usd),
            },
        }
    }

    pub(super) async fn list_groups(&self) -> Outcome<Vec<Group>> {
        let rows = self
            .paged::<WireGroup>(Call::read("/groups", "reading the groups"))
            .await?;
        Ok(rows.iter().map(|row| self.group(row)).collect())
    }

    pub(super) async fn make_group(&self, spec: &GroupSpec) -> Outcome<Group> {
        let call = Call::write(
            Method::POST,
            "/groups",
            format!("creating group `{}`", spec.name),
        )
        // The three limits stay absent: absent is none here, an explicit null would store 0.
        .body(json!({
            "name": spec.name,
            "platform": spec.platform,
            "subscription_type": spec.subscription_type,
            "rate_multiplier": spec.rate_multiplier,
            "is_exclusive": spec.is_exclusive,
        }));
        let row: WireGroup = self.get(&call).await?;
        Ok(self.group(&row))
    }

    pub(super) async fn drop_group(&self, id: RemoteId) -> Outcome<bool> {
        let path = format!("/groups/{id}");
        self.remove(&Call::write(
            Method::DELETE,
            path,
            format!("deleting group {id}"),
        ))
        .await
    }
}
