//! The port, handed on to one file an endpoint group.

use super::client::HostHttp;
use async_trait::async_trait;
use cockpit_domain::host::HostIdentity;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{
    Account, ApiKey, Channel, ChannelSpec, Group, GroupSpec, NewAccount, NewUser, Offer, OfferSpec,
    Subscription, SubscriptionSpec, UsageRow, User,
};
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::Outcome;
use cockpit_engine::ports::{AccountTest, HostApi, NewKey, Session, UsageQuery};

#[async_trait]
impl HostApi for HostHttp {
    async fn identity(&self) -> Outcome<HostIdentity> {
        self.who().await
    }

    async fn groups(&self) -> Outcome<Vec<Group>> {
        self.list_groups().await
    }

    async fn channels(&self) -> Outcome<Vec<Channel>> {
        self.list_channels().await
    }

    async fn offers(&self) -> Outcome<Vec<Offer>> {
        self.list_offers().await
    }

    async fn accounts(&self, group: Option<RemoteId>) -> Outcome<Vec<Account>> {
        self.list_accounts(group).await
    }

    async fn accounts_named(&self, name: &str) -> Outcome<Vec<Account>> {
        self.accounts_by_name(name).await
    }

    async fn account(&self, id: RemoteId) -> Outcome<Option<Account>> {
        self.read_account(id).await
    }

    async fn user_by_email(&self, email: &str) -> Outcome<Option<User>> {
        self.find_user(email).await
    }

    async fn user(&self, id: RemoteId) -> Outcome<Option<User>> {
        self.read_user(id).await
    }

    async fn subscriptions(&self, user: RemoteId) -> Outcome<Vec<Subscription>> {
        self.subscriptions_of_user(user).await
    }

    async fn user_keys(&self, user: RemoteId) -> Outcome<Vec<ApiKey>> {
        self.keys_of_user(user).await
    }

    async fn key_owner(&self, key: &Secret) -> Outcome<Option<(User, ApiKey)>> {
        self.owner_of(key).await
    }

    async fn group_keys(&self, group: RemoteId) -> Outcome<Vec<ApiKey>> {
        self.keys_of_group(group).await
    }

    async fn group_subscriptions(&self, group: RemoteId) -> Outcome<Vec<Subscription>> {
        self.subscriptions_of_group(group).await
    }

    async fn usage(&self, query: &UsageQuery) -> Outcome<Vec<UsageRow>> {
        self.usage_rows(query).await
    }

    async fn upstream_models(&self, account: RemoteId) -> Outcome<Vec<String>> {
        self.models_of_upstream(account).await
    }

    async fn create_group(&self, spec: &GroupSpec) -> Outcome<Group> {
        self.make_group(spec).await
    }

    async fn delete_group(&self, id: RemoteId) -> Outcome<bool> {
        self.drop_group(id).await
    }

    async fn create_channel(&self, spec: &ChannelSpec) -> Outcome<Channel> {
        self.make_channel(spec).await
    }

    async fn update_channel(&self, id: RemoteId, spec: &ChannelSpec) -> Outcome<Channel> {
        self.change_channel(id, spec).await
    }

    async fn delete_channel(&self, id: RemoteId) -> Outcome<bool> {
        self.drop_channel(id).await
    }

    async fn create_offer(&self, spec: &OfferSpec) -> Outcome<Offer> {
        self.make_offer(spec).await
    }

    async fn delete_offer(&self, id: RemoteId) -> Outcome<bool> {
        self.drop_offer(id).await
    }

    async fn create_account(&self, new: &NewAccount, idempotency_key: &str) -> Outcome<Account> {
        self.make_account(new, idempotency_key).await
    }

    async fn bind_account(&self, id: RemoteId, groups: &[RemoteId]) -> Outcome<()> {
        self.bind_groups(id, groups).await
    }

    async fn set_schedulable(&self, id: RemoteId, schedulable: bool) -> Outcome<()> {
        self.switch_account(id, schedulable).await
    }

    async fn reset_account(&self, id: RemoteId) -> Outcome<()> {
        self.forget_state(id).await
    }

    async fn delete_account(&self, id: RemoteId) -> Outcome<()> {
        self.drop_account(id).await
    }

    async fn test_account(&self, id: RemoteId, model: &str) -> Outcome<AccountTest> {
        self.run_test(id, model).await
    }

    async fn create_user(&self, new: &NewUser) -> Outcome<User> {
        self.make_user(new).await
    }

    async fn set_password(&self, id: RemoteId, password: &Secret) -> Outcome<()> {
        self.change_password(id, password).await
    }

    async fn set_balance(&self, id: RemoteId, usd: f64) -> Outcome<User> {
        self.change_balance(id, usd).await
    }

    async fn set_allowed_groups(&self, id: RemoteId, groups: &[RemoteId]) -> Outcome<User> {
        self.change_allowed_groups(id, groups).await
    }

    async fn delete_user(&self, id: RemoteId) -> Outcome<bool> {
        self.drop_user(id).await
    }

    async fn assign_subscription(&self, spec: &SubscriptionSpec) -> Outcome<Subscription> {
        self.assign(spec).await
    }

    async fn extend_subscription(
        &self,
        id: RemoteId,
        days: i64,
        idempotency_key: &str,
    ) -> Outcome<Subscription> {
        self.extend(id, days, idempotency_key).await
    }

    async fn revoke_subscription(&self, id: RemoteId) -> Outcome<bool> {
        self.revoke(id).await
    }

    async fn bind_key(&self, key: RemoteId, group: Option<RemoteId>) -> Outcome<()> {
        self.bind(key, group).await
    }

    async fn login(&self, email: &str, password: &Secret) -> Outcome<Session> {
        self.log_in(email, password).await
    }

    async fn create_key(
        &self,
        session: &Session,
        new: &NewKey,
        idempotency_key: &str,
    ) -> Outcome<ApiKey> {
        self.make_key(session, new, idempotency_key).await
    }

    async fn delete_key(&self, session: &Session, id: RemoteId) -> Outcome<bool> {
        self.drop_key(session, id).await
    }
}
