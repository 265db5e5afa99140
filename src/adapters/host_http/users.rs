//! Users (`host-contract.md` 4.4).

use super::accounts::numbers;
use super::call::Call;
use super::client::HostHttp;
use super::wire::or_default;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{NewUser, User};
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct WireUser {
    id: RemoteId,
    email: String,
    #[serde(default, deserialize_with = "or_default")]
    role: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    balance: f64,
    #[serde(default, deserialize_with = "or_default")]
    allowed_groups: Vec<RemoteId>,
}

impl HostHttp {
    fn user_of(&self, wire: WireUser) -> User {
        User {
            id: wire.id,
            email: self.line(&wire.email),
            role: self.line(&wire.role),
            status: self.line(&wire.status),
            balance: wire.balance,
            allowed_groups: wire.allowed_groups,
        }
    }

    pub(super) async fn find_user(&self, email: &str) -> Outcome<Option<User>> {
        // The search looks into user names, notes and keys too.
        let call =
            Call::read("/users", format!("looking for user `{email}`")).query("search", email);
        let rows = self.paged::<WireUser>(call).await?;
        Ok(rows
            .into_iter()
            .find(|row| row.email == email)
            .map(|row| self.user_of(row)))
    }

    /// Users in whose name, notes or keys a text is found.
    pub(super) async fn search_users(&self, text: &str) -> Outcome<Vec<User>> {
        let call = Call::read("/users", "looking for the owner of a key").query("search", text);
        let rows = self.paged::<WireUser>(call).await?;
        Ok(rows.into_iter().map(|row| self.user_of(row)).collect())
    }

    pub(super) async fn read_user(&self, id: RemoteId) -> Outcome<Option<User>> {
        let call = Call::read(format!("/users/{id}"), format!("reading user {id}"));
        let found = self.find::<WireUser>(&call).await?;
        Ok(found.map(|row| self.user_of(row)))
    }

    pub(super) async fn make_user(&self, new: &NewUser) -> Outcome<User> {
        self.redactor.learn(&new.password);
        let doing = format!("creating user `{}`", new.email);
        let call = Call::write(Method::POST, "/users", doing).body(json!({
            "email": new.email,
            "password": new.password.expose(),
            "balance": new.balance,
            "allowed_groups": numbers(&new.allowed_groups),
        }));
        self.get(&call).await.map(|row| self.user_of(row))
    }

    /// Only the password is sent: `allowed_groups` would be replaced when present, and absent
    /// fields stay as they are (contract 4.4).
    pub(super) async fn change_password(&self, id: RemoteId, password: &Secret) -> Outcome<()> {
        self.redactor.learn(password);
        let doing = format!("setting the password of user {id}");
        let call = Call::write(Method::PUT, format!("/users/{id}"), doing)
            .body(json!({ "password": password.expose() }));
        self.data(&call).await.map(drop)
    }

    /// The list takes the place of the one that is there; nothing else of the user is sent.
    pub(super) async fn change_allowed_groups(
        &self,
        id: RemoteId,
        groups: &[RemoteId],
    ) -> Outcome<User> {
        let doing = format!("setting the groups that user {id} is allowed in");
        let call = Call::write(Method::PUT, format!("/users/{id}"), doing)
            .body(json!({ "allowed_groups": numbers(groups) }));
        self.get(&call).await.map(|row| self.user_of(row))
    }

    /// Without an idempotency key: a repeated `set` is the same balance, and a repeated `subtract`
    /// of all there is goes below zero, which the host refuses (contract 4.4).
    pub(super) async fn change_balance(&self, id: RemoteId, usd: f64) -> Outcome<User> {
        let doing = format!("setting the balance of user {id}");
        let (operation, amount) = if usd > 0.0 {
            ("set", usd)
        } else {
            let found = self.read_user(id).await?;
            match found {
                Some(user) if user.balance > 0.0 => ("subtract", user.balance),
                Some(user) => return Ok(user),
                None => {
                    return Err(
                        Failure::new(FailureKind::Remote, format!("user #{id} is gone"))
                            .doing(doing)
                            .hint("read the host again; nothing was written"),
                    );
                }
            }
        };
        let call = Call::write(Method::POST, format!("/users/{id}/balance"), doing).body(json!({
            "balance": amount,
            "operation": operation,
            "notes": "relay-cockpit",
        }));
        self.get(&call).await.map(|row| self.user_of(row))
    }

    pub(super) async fn drop_user(&self, id: RemoteId) -> Outcome<bool> {
        let path = format!("/users/{id}");
        let doing = format!("deleting user {id}");
        self.remove(&Call::write(Method::DELETE, path, doing)).await
    }
}
