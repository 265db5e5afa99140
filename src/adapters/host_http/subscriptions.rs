//! Subscriptions (`host-contract.md` 4.6).

use super::call::Call;
use super::client::HostHttp;
use super::wire::or_default;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{Subscription, SubscriptionSpec};
use cockpit_engine::failure::Outcome;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct WireSubscription {
    id: RemoteId,
    user_id: RemoteId,
    group_id: RemoteId,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    starts_at: String,
    #[serde(default, deserialize_with = "or_default")]
    expires_at: String,
    #[serde(default, deserialize_with = "or_default")]
    notes: String,
}

impl HostHttp {
    fn subscription(&self, wire: &WireSubscription) -> Subscription {
        Subscription {
            id: wire.id,
            user_id: wire.user_id,
            group_id: wire.group_id,
            status: self.line(&wire.status),
            starts_at: self.line(&wire.starts_at),
            expires_at: self.line(&wire.expires_at),
            notes: self.line(&wire.notes),
        }
    }

    /// Newer hosts (seen on 0.1.179) go on listing what was revoked; 0.1.129 deletes it. Either way
    /// it gives no right any more.
    fn living(&self, rows: &[WireSubscription]) -> Vec<Subscription> {
        rows.iter()
            .filter(|row| row.status != "revoked")
            .map(|row| self.subscription(row))
            .collect()
    }

    pub(super) async fn subscriptions_of_user(&self, user: RemoteId) -> Outcome<Vec<Subscription>> {
        let call = Call::read(
            format!("/users/{user}/subscriptions"),
            format!("reading the subscriptions of user {user}"),
        );
        let rows = self.array::<WireSubscription>(&call).await?;
        Ok(self.living(&rows))
    }

    pub(super) async fn subscriptions_of_group(
        &self,
        group: RemoteId,
    ) -> Outcome<Vec<Subscription>> {
        let call = Call::read(
            format!("/groups/{group}/subscriptions"),
            format!("reading the subscriptions of group {group}"),
        );
        let rows = self.paged::<WireSubscription>(call).await?;
        Ok(self.living(&rows))
    }

    pub(super) async fn assign(&self, spec: &SubscriptionSpec) -> Outcome<Subscription> {
        let doing = format!(
            "subscribing user {} to group {}",
            spec.user_id, spec.group_id
        );
        let call = Call::write(Method::POST, "/subscriptions/assign", doing).body(json!({
            "user_id": spec.user_id.0,
            "group_id": spec.group_id.0,
            "validity_days": spec.validity_days,
            "notes": spec.notes,
        }));
        let row: WireSubscription = self.get(&call).await?;
        Ok(self.subscription(&row))
    }

    pub(super) async fn extend(
        &self,
        id: RemoteId,
        days: i64,
        idempotency_key: &str,
    ) -> Outcome<Subscription> {
        let path = format!("/subscriptions/{id}/extend");
        let doing = format!("extending subscription {id} by {days} days");
        let call = Call::write(Method::POST, path, doing)
            .once(idempotency_key)
            .body(json!({ "days": days }));
        let row: WireSubscription = self.get(&call).await?;
        Ok(self.subscription(&row))
    }

    pub(super) async fn revoke(&self, id: RemoteId) -> Outcome<bool> {
        let path = format!("/subscriptions/{id}");
        let doing = format!("revoking subscription {id}");
        self.remove(&Call::write(Method::DELETE, path, doing)).await
    }
}
