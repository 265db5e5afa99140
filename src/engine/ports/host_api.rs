//! The host's admin API in our words. One implementation speaks HTTP through a tunnel, one is
//! scripted for tests. Contract: `host-contract.md` 2 to 6.

use crate::failure::Outcome;
use async_trait::async_trait;
use cockpit_domain::host::{HostIdentity, HostSettings};
use cockpit_domain::ids::{HostId, RemoteId};
use cockpit_domain::inventory::{
    Account, ApiKey, Channel, ChannelSpec, Group, GroupSpec, NewAccount, NewUser, Offer, OfferSpec,
    Subscription, SubscriptionSpec, UsageRow, User,
};
use cockpit_domain::secret::Secret;
use std::sync::Arc;

/// What the host's account test came to (`host-contract.md` 4.3.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountTest {
    /// `test_complete`.
    Passed,
    /// An `error` event, with its reason, redacted. Never empty.
    Failed(String),
    /// The stream ended without a terminal event; what was last seen.
    Unfinished(String),
}

/// A user's session on the host.
#[derive(Debug, Clone)]
pub struct Session {
    /// Bearer token of the user.
    pub token: Secret,
    /// The user logged in.
    pub user_id: RemoteId,
}

/// A key to create as a user.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Name.
    pub name: String,
    /// Group to bind.
    pub group_id: RemoteId,
    /// The key text, derived by us (`custom_key`).
    pub custom_key: Secret,
}

/// Which usage rows are asked for; newest first.
#[derive(Debug, Clone, Default)]
pub struct UsageQuery {
    /// Rows of this user key.
    pub api_key_id: Option<RemoteId>,
    /// Rows of this account.
    pub account_id: Option<RemoteId>,
    /// Rows of keys of this group.
    pub group_id: Option<RemoteId>,
    /// Most rows.
    pub most: usize,
}

/// One host's admin API. Lists read all pages (trap 2). Strings in answers are redacted and made
/// harmless; HTTP status decides over `code` (trap 3).
///
/// # Errors
/// `Unreachable` (tunnel or connection), `Denied` (401/403 of the admin layer), `Remote` with the
/// answer (reason such as `GROUP_EXISTS` kept), and `maybe_done` set whenever a write may have
/// taken effect without an answer: timeouts, cut connections, 5xx of a proxy. A bare 500 means
/// "no" for most validations (trap 1) and is `maybe_done` as well: look before sending again.
#[async_trait]
pub trait HostApi: Send + Sync {
    /// Health, public settings, and whether the credential is taken. No side effects.
    async fn identity(&self) -> Outcome<HostIdentity>;

    /// All groups.
    async fn groups(&self) -> Outcome<Vec<Group>>;
    /// All channels.
    async fn channels(&self) -> Outcome<Vec<Channel>>;
    /// All sale offers (a plain array there).
    async fn offers(&self) -> Outcome<Vec<Offer>>;
    /// All accounts, or those of one group.
    async fn accounts(&self, group: Option<RemoteId>) -> Outcome<Vec<Account>>;
    /// Accounts whose name is exactly this. Names are not unique.
    async fn accounts_named(&self, name: &str) -> Outcome<Vec<Account>>;
    /// One account; `None` for 404.
    async fn account(&self, id: RemoteId) -> Outcome<Option<Account>>;
    /// The living user with exactly this e-mail.
    async fn user_by_email(&self, email: &str) -> Outcome<Option<User>>;
    /// One user; `None` for 404.
    async fn user(&self, id: RemoteId) -> Outcome<Option<User>>;
    /// Subscriptions of one user.
    async fn subscriptions(&self, user: RemoteId) -> Outcome<Vec<Subscription>>;
    /// Keys of one user.
    async fn user_keys(&self, user: RemoteId) -> Outcome<Vec<ApiKey>>;
    /// The user key with this text and its living owner. Only the key's last letters are ever part
    /// of an address, since addresses are logged.
    async fn key_owner(&self, key: &Secret) -> Outcome<Option<(User, ApiKey)>>;
    /// Keys bound to one group.
    async fn group_keys(&self, group: RemoteId) -> Outcome<Vec<ApiKey>>;
    /// Subscriptions of one group.
    async fn group_subscriptions(&self, group: RemoteId) -> Outcome<Vec<Subscription>>;
    /// Usage rows, newest first.
    async fn usage(&self, query: &UsageQuery) -> Outcome<Vec<UsageRow>>;
    /// Model ids the upstream lists for an account's own key (`models/sync-upstream`): a
    /// credential check that changes nothing.
    async fn upstream_models(&self, account: RemoteId) -> Outcome<Vec<String>>;

    /// Creates a group.
    async fn create_group(&self, spec: &GroupSpec) -> Outcome<Group>;
    /// Deletes a group; `false` when it was not there.
    async fn delete_group(&self, id: RemoteId) -> Outcome<bool>;
    /// Creates a channel.
    async fn create_channel(&self, spec: &ChannelSpec) -> Outcome<Channel>;
    /// Replaces a channel's fields.
    async fn update_channel(&self, id: RemoteId, spec: &ChannelSpec) -> Outcome<Channel>;
    /// Deletes a channel; `false` when it was not there.
    async fn delete_channel(&self, id: RemoteId) -> Outcome<bool>;
    /// Creates a sale offer.
    async fn create_offer(&self, spec: &OfferSpec) -> Outcome<Offer>;
    /// Deletes a sale offer; `false` when it was not there (a 500 there, trap 16).
    async fn delete_offer(&self, id: RemoteId) -> Outcome<bool>;
    /// Creates an account. The answer has no `group_ids` (trap 14): re-read it.
    async fn create_account(&self, new: &NewAccount, idempotency_key: &str) -> Outcome<Account>;
    /// Replaces the group bindings of an account.
    async fn bind_account(&self, id: RemoteId, groups: &[RemoteId]) -> Outcome<()>;
    /// Switches an account on or off for scheduling.
    async fn set_schedulable(&self, id: RemoteId, schedulable: bool) -> Outcome<()>;
    /// Makes the host forget what answers of the upstream did to an account: error, cool-down,
    /// limits. The operator's switch stays as it is (trap 19).
    async fn reset_account(&self, id: RemoteId) -> Outcome<()>;
    /// Deletes an account. The host answers 200 even for an unknown id (trap 16).
    async fn delete_account(&self, id: RemoteId) -> Outcome<()>;
    /// Runs the host's account test with a model. Spends tokens and changes the account's state
    /// (trap 20): journalled like a write.
    async fn test_account(&self, id: RemoteId, model: &str) -> Outcome<AccountTest>;
    /// Creates a user.
    async fn create_user(&self, new: &NewUser) -> Outcome<User>;
    /// Sets a user's password.
    async fn set_password(&self, id: RemoteId, password: &Secret) -> Outcome<()>;
    /// Sets a user's balance in USD; the host cannot set 0, it is then brought there by taking away
    /// what is left (trap 9). Repeats do no harm.
    async fn set_balance(&self, id: RemoteId, usd: f64) -> Outcome<User>;
    /// Replaces the exclusive groups that a user may bind keys to.
    async fn set_allowed_groups(&self, id: RemoteId, groups: &[RemoteId]) -> Outcome<User>;
    /// Deletes a user; `false` when it was not there.
    async fn delete_user(&self, id: RemoteId) -> Outcome<bool>;
    /// Assigns a subscription. Check `expires_at` of the answer (trap 7).
    async fn assign_subscription(&self, spec: &SubscriptionSpec) -> Outcome<Subscription>;
    /// Extends (or revives) a subscription by days.
    async fn extend_subscription(
        &self,
        id: RemoteId,
        days: i64,
        idempotency_key: &str,
    ) -> Outcome<Subscription>;
    /// Revokes a subscription; `false` when it was not there.
    async fn revoke_subscription(&self, id: RemoteId) -> Outcome<bool>;
    /// Binds an existing key of a user to a group (admin side), or to none.
    async fn bind_key(&self, key: RemoteId, group: Option<RemoteId>) -> Outcome<()>;

    /// Logs a user in.
    async fn login(&self, email: &str, password: &Secret) -> Outcome<Session>;
    /// Creates a key as the user.
    async fn create_key(
        &self,
        session: &Session,
        new: &NewKey,
        idempotency_key: &str,
    ) -> Outcome<ApiKey>;
    /// Deletes a key as the user; `false` when it was not there.
    async fn delete_key(&self, session: &Session, id: RemoteId) -> Outcome<bool>;
}

/// What opens a host that is not in the config yet.
#[derive(Debug, Clone)]
pub enum TrialCredential {
    /// The admin key.
    Key(Secret),
    /// An admin's login.
    Login {
        /// E-mail.
        email: String,
        /// Password.
        password: Secret,
    },
}

/// Gives the API of a host of the config.
#[async_trait]
pub trait Hosts: Send + Sync {
    /// Opens (or reuses) the way to a host and resolves its credential.
    async fn api(&self, host: &HostId) -> Outcome<Arc<dyn HostApi>>;

    /// Opens the way to a host that is not in the config, once.
    async fn trial(
        &self,
        host: &HostSettings,
        _credential: TrialCredential,
    ) -> Outcome<Arc<dyn HostApi>> {
        self.api(&host.id).await
    }
}
