//! User keys: listed and bound as admin, made and deleted as their user (`host-contract.md` 4.5, 6).

use super::call::Call;
use super::client::HostHttp;
use super::wire::{id_or_none, or_default};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{ApiKey, User};
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::Outcome;
use cockpit_engine::ports::{NewKey, Session};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

/// Letters of a key that its owner is looked for by: few enough to give nothing away.
const SEARCHED: usize = 6;

#[derive(Deserialize)]
struct WireKey {
    id: RemoteId,
    #[serde(default)]
    user_id: Option<RemoteId>,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default)]
    key: Option<Secret>,
    #[serde(default)]
    group_id: Option<RemoteId>,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
}

impl WireKey {
    /// The key, unless the host starred it out.
    fn clear(&self) -> Option<&Secret> {
        self.key
            .as_ref()
            .filter(|key| !key.expose().is_empty() && !key.expose().contains('*'))
    }
}

impl HostHttp {
    fn key(&self, wire: &WireKey, owner: RemoteId, known: Option<&Secret>) -> ApiKey {
        let key = wire.clear().or(known).cloned();
        if let Some(key) = &key {
            self.redactor.learn(key);
        }
        ApiKey {
            id: wire.id,
            user_id: wire.user_id.unwrap_or(owner),
            name: self.line(&wire.name),
            key: key.unwrap_or_else(|| Secret::new("")),
            group_id: id_or_none(wire.group_id),
            status: self.line(&wire.status),
        }
    }

    async fn keys(&self, call: Call<'_>, owner: RemoteId) -> Outcome<Vec<ApiKey>> {
        let rows = self.paged::<WireKey>(call).await?;
        // All are learnt before any name is shown: a name may hold another row's key.
        for row in &rows {
            if let Some(key) = row.clear() {
                self.redactor.learn(key);
            }
        }
        Ok(rows.iter().map(|row| self.key(row, owner, None)).collect())
    }

    pub(super) async fn keys_of_user(&self, user: RemoteId) -> Outcome<Vec<ApiKey>> {
        let path = format!("/users/{user}/api-keys");
        let doing = format!("reading the keys of user {user}");
        self.keys(Call::read(path, doing), user).await
    }

    pub(super) async fn keys_of_group(&self, group: RemoteId) -> Outcome<Vec<ApiKey>> {
        let path = format!("/groups/{group}/api-keys");
        let doing = format!("reading the keys of group {group}");
        self.keys(Call::read(path, doing), RemoteId(0)).await
    }

    /// Looks for users by the key's tail and compares whole keys here: the whole one in an address
    /// would stand in every log on the way.
    pub(super) async fn owner_of(&self, key: &Secret) -> Outcome<Option<(User, ApiKey)>> {
        self.redactor.learn(key);
        let text: Vec<char> = key.expose().chars().collect();
        let tail: String = text[text.len().saturating_sub(SEARCHED)..].iter().collect();
        for user in self.search_users(&tail).await? {
            let keys = self.keys_of_user(user.id).await?;
            if let Some(row) = keys.into_iter().find(|row| row.key == *key) {
                return Ok(Some((user, row)));
            }
        }
        Ok(None)
    }

    pub(super) async fn bind(&self, key: RemoteId, group: Option<RemoteId>) -> Outcome<()> {
        let doing = match group {
            Some(group) => format!("binding key {key} to group {group}"),
            None => format!("unbinding key {key}"),
        };
        // 0 unbinds (contract 4.5).
        let group = group.unwrap_or(RemoteId(0));
        let call = Call::write(Method::PUT, format!("/api-keys/{key}"), doing)
            .body(json!({ "group_id": group.0 }));
        self.data(&call).await.map(drop)
    }

    pub(super) async fn make_key(
        &self,
        session: &Session,
        new: &NewKey,
        idempotency_key: &str,
    ) -> Outcome<ApiKey> {
        self.redactor.learn(&new.custom_key);
        let doing = format!("creating key `{}` as user {}", new.name, session.user_id);
        let call = Call::user(Method::POST, "/keys", &session.token, doing)
            .once(idempotency_key)
            .body(json!({
                "name": new.name,
                "group_id": new.group_id.0,
                "custom_key": new.custom_key.expose(),
            }));
        let row: WireKey = self.get(&call).await?;
        // A replay of newer hosts stars the key out; we derived it and know it.
        Ok(self.key(&row, session.user_id, Some(&new.custom_key)))
    }

    pub(super) async fn drop_key(&self, session: &Session, id: RemoteId) -> Outcome<bool> {
        let path = format!("/keys/{id}");
        let doing = format!("deleting key {id} as user {}", session.user_id);
        self.remove(&Call::user(Method::DELETE, path, &session.token, doing))
            .await
    }
}
