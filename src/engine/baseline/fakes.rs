//! Scripted far ends: machines that answer, hang or refuse, a web of paths, one host.

use super::BaselineContext;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{
    AccountTest, Clock, HostApi, Hosts, MachineCheck, NewKey, Remote, RemoteCommand, RunOutput,
    Session, StreamText, UsageQuery, Web, WebAnswer, WebRequest,
};
use async_trait::async_trait;
use cockpit_domain::host::HostIdentity;
use cockpit_domain::ids::{HostId, MachineId, RemoteId};
use cockpit_domain::inventory::{
    Account, ApiKey, Channel, ChannelSpec, Group, GroupSpec, NewAccount, NewUser, Offer, OfferSpec,
    Subscription, SubscriptionSpec, UsageRow, User,
};
use cockpit_domain::secret::Secret;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What a far end does with a request.
#[derive(Clone)]
pub(super) enum Script<T> {
    /// Answers after a while.
    Answer(Duration, T),
    /// Fails at once.
    Fail(Failure),
    /// Never answers.
    Hang,
    /// Breaks the check that asked.
    Panic,
}

impl<T: Clone> Script<T> {
    async fn play(self) -> Outcome<T> {
        match self {
            Self::Answer(wait, answer) => {
                tokio::time::sleep(wait).await;
                Ok(answer)
            }
            Self::Fail(failure) => Err(failure),
            Self::Hang => std::future::pending().await,
            Self::Panic => panic!("scripted"),
        }
    }
}

/// Everything the fakes know.
#[derive(Default)]
pub(super) struct World {
    /// `machine program` to what comes of it; `machine *` for the rest.
    pub(super) commands: BTreeMap<String, Script<RunOutput>>,
    /// `METHOD path [model] [key]`, the most exact first, to what comes of it.
    pub(super) web: BTreeMap<String, Script<WebAnswer>>,
    pub(super) accounts: Vec<Account>,
    pub(super) channels: Vec<Channel>,
    pub(super) keys: Vec<ApiKey>,
    pub(super) keys_fail: Option<Failure>,
    pub(super) api_fail: Option<Failure>,
    /// The account that serves what is answered, as the host books it.
    pub(super) serves: Option<i64>,
    pub(super) usage: Vec<UsageRow>,
    pub(super) usage_fail: Option<Failure>,
    /// Commands as they were run: `machine argv`.
    pub(super) ran: Vec<String>,
    /// Requests as they were sent.
    pub(super) asked: Vec<WebRequest>,
}

/// One handle for every port.
#[derive(Clone, Default)]
pub(super) struct Fakes {
    world: Arc<Mutex<World>>,
}

impl Fakes {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Books a completion, as the host does for the key that asked.
    fn book(&self, request: &WebRequest) {
        let mut world = self.world();
        let model = request.json.as_ref().and_then(|body| body.get("model"));
        let (Some(model), Some(account), Some(bearer)) =
            (model, world.serves, request.bearer.as_ref())
        else {
            return;
        };
        let keys = world.keys.iter();
        let key = keys.clone().find(|key| key.key.expose() == bearer.expose());
        let Some((id, group)) = key.map(|key| (key.id, key.group_id)) else {
            return;
        };
        let row = UsageRow {
            id: RemoteId(i64::try_from(world.usage.len()).unwrap_or(0) + 1),
            api_key_id: id,
            account_id: RemoteId(account),
            group_id: group,
            channel_id: Some(RemoteId(1)),
            model: model.as_str().unwrap_or_default().to_owned(),
            upstream_model: None,
            upstream_endpoint: String::new(),
            created_at: String::new(),
        };
        world.usage.push(row);
    }

    pub(super) fn context(&self) -> BaselineContext {
        BaselineContext {
            remote: Arc::new(self.clone()),
            web: Arc::new(self.clone()),
            hosts: Arc::new(self.clone()),
            clock: Arc::new(self.clone()),
            store: None,
            trusted: false,
            host: Some(HostId::new("prod").unwrap()),
            outside: None,
            before: None,
            stacks: Ok(Vec::new()),
        }
    }
}

/// Output of a command that ended well.
pub(super) fn output(stdout: &str) -> RunOutput {
    RunOutput {
        status: Some(0),
        stdout: stdout.to_owned(),
        stderr: String::new(),
        truncated: false,
        took: Duration::ZERO,
        sealed: None,
    }
}

/// An answer of the web.
pub(super) fn answer(status: u16, content_type: &str, body: &str) -> Script<WebAnswer> {
    Script::Answer(
        Duration::ZERO,
        WebAnswer {
            status,
            content_type: content_type.to_owned(),
            headers: Vec::new(),
            tls_until_ms: None,
            body: body.to_owned(),
            truncated: false,
            took: Duration::ZERO,
        },
    )
}

fn not_scripted<T>() -> Outcome<T> {
    Err(Failure::new(FailureKind::Internal, "not scripted"))
}

impl Clock for Fakes {
    fn now_ms(&self) -> i64 {
        1_780_531_200_000
    }

    fn uuid(&self) -> String {
        String::new()
    }
}

#[async_trait]
impl Remote for Fakes {
    async fn run(&self, machine: &MachineId, command: &RemoteCommand) -> Outcome<RunOutput> {
        let script = {
            let mut world = self.world();
            world
                .ran
                .push(format!("{machine} {}", command.argv.join(" ")));
            let exact = format!("{machine} {}", command.argv[0]);
            world
                .commands
                .get(&exact)
                .or_else(|| world.commands.get(&format!("{machine} *")))
                .cloned()
        };
        match script {
            Some(script) => script.play().await,
            None => not_scripted(),
        }
    }

    async fn follow(
        &self,
        _machine: &MachineId,
        _argv: &[String],
        _lines: mpsc::Sender<StreamText>,
        _stop: CancellationToken,
    ) -> Outcome<Option<i32>> {
        not_scripted()
    }

    /// A Linux, unless `machine uname` is scripted or nothing answers there.
    async fn check(&self, machine: &MachineId) -> Outcome<MachineCheck> {
        let script = {
            let world = self.world();
            let scripts = &world.commands;
            let exact = scripts.get(&format!("{machine} uname"));
            exact
                .or_else(|| scripts.get(&format!("{machine} *")))
                .cloned()
        };
        let system = match script {
            Some(script) => script.play().await?.stdout,
            None => "Linux".to_owned(),
        };
        Ok(MachineCheck {
            round_trip: Duration::ZERO,
            system,
            reconnects: 0,
        })
    }

    async fn close(&self) {}
}

#[async_trait]
impl Web for Fakes {
    async fn fetch(&self, request: &WebRequest) -> Outcome<WebAnswer> {
        let script = {
            let mut world = self.world();
            world.asked.push(request.clone());
            let path = request.url.splitn(4, '/').nth(3).unwrap_or_default();
            let plain = format!("{} /{path}", request.method);
            let model = request
                .json
                .as_ref()
                .and_then(|body| body.get("model"))
                .and_then(|model| model.as_str())
                .map(|model| format!("{plain} {model}"));
            let key = request
                .bearer
                .as_ref()
                .map(|key| format!("{plain} {}", key.expose()));
            [model, key, Some(plain)]
                .into_iter()
                .flatten()
                .find_map(|name| world.web.get(&name))
                .cloned()
        };
        if let Some(Script::Answer(_, WebAnswer { status: 200, .. })) = &script {
            self.book(request);
        }
        match script {
            Some(script) => script.play().await,
            None => not_scripted(),
        }
    }
}

#[async_trait]
impl Hosts for Fakes {
    async fn api(&self, _host: &HostId) -> Outcome<Arc<dyn HostApi>> {
        match &self.world().api_fail {
            Some(failure) => Err(failure.clone()),
            None => Ok(Arc::new(self.clone())),
        }
    }
}

#[async_trait]
impl HostApi for Fakes {
    async fn identity(&self) -> Outcome<HostIdentity> {
        not_scripted()
    }
    async fn groups(&self) -> Outcome<Vec<Group>> {
        not_scripted()
    }
    async fn channels(&self) -> Outcome<Vec<Channel>> {
        Ok(self.world().channels.clone())
    }
    async fn offers(&self) -> Outcome<Vec<Offer>> {
        not_scripted()
    }
    async fn accounts(&self, _group: Option<RemoteId>) -> Outcome<Vec<Account>> {
        not_scripted()
    }
    async fn accounts_named(&self, _name: &str) -> Outcome<Vec<Account>> {
        not_scripted()
    }
    async fn account(&self, id: RemoteId) -> Outcome<Option<Account>> {
        Ok(self
            .world()
            .accounts
            .iter()
            .find(|account| account.id == id)
            .cloned())
    }
    async fn user_by_email(&self, _email: &str) -> Outcome<Option<User>> {
        not_scripted()
    }
    async fn user(&self, _id: RemoteId) -> Outcome<Option<User>> {
        not_scripted()
    }
    async fn subscriptions(&self, _user: RemoteId) -> Outcome<Vec<Subscription>> {
        not_scripted()
    }
    async fn user_keys(&self, _user: RemoteId) -> Outcome<Vec<ApiKey>> {
        not_scripted()
    }
    async fn key_owner(&self, _key: &Secret) -> Outcome<Option<(User, ApiKey)>> {
        not_scripted()
    }
    async fn group_keys(&self, group: RemoteId) -> Outcome<Vec<ApiKey>> {
        let world = self.world();
        if let Some(failure) = &world.keys_fail {
            return Err(failure.clone());
        }
        Ok(world
            .keys
            .iter()
            .filter(|key| key.group_id == Some(group))
            .cloned()
            .collect())
    }
    async fn group_subscriptions(&self, _group: RemoteId) -> Outcome<Vec<Subscription>> {
        not_scripted()
    }
    async fn usage(&self, query: &UsageQuery) -> Outcome<Vec<UsageRow>> {
        let world = self.world();
        if let Some(failure) = &world.usage_fail {
            return Err(failure.clone());
        }
        let newest = world.usage.iter().rev();
        let of_key = newest.filter(|row| Some(row.api_key_id) == query.api_key_id);
        Ok(of_key.take(query.most).cloned().collect())
    }
    async fn upstream_models(&self, _account: RemoteId) -> Outcome<Vec<String>> {
        not_scripted()
    }
    async fn create_group(&self, _spec: &GroupSpec) -> Outcome<Group> {
        not_scripted()
    }
    async fn delete_group(&self, _id: RemoteId) -> Outcome<bool> {
        not_scripted()
    }
    async fn create_channel(&self, _spec: &ChannelSpec) -> Outcome<Channel> {
        not_scripted()
    }
    async fn update_channel(&self, _id: RemoteId, _spec: &ChannelSpec) -> Outcome<Channel> {
        not_scripted()
    }
    async fn delete_channel(&self, _id: RemoteId) -> Outcome<bool> {
        not_scripted()
    }
    async fn create_offer(&self, _spec: &OfferSpec) -> Outcome<Offer> {
        not_scripted()
    }
    async fn delete_offer(&self, _id: RemoteId) -> Outcome<bool> {
        not_scripted()
    }
    async fn create_account(&self, _new: &NewAccount, _idempotency_key: &str) -> Outcome<Account> {
        not_scripted()
    }
    async fn bind_account(&self, _id: RemoteId, _groups: &[RemoteId]) -> Outcome<()> {
        not_scripted()
    }
    async fn reset_account(&self, _id: RemoteId) -> Outcome<()> {
        not_scripted()
    }
    async fn set_schedulable(&self, _id: RemoteId, _schedulable: bool) -> Outcome<()> {
        not_scripted()
    }
    async fn delete_account(&self, _id: RemoteId) -> Outcome<()> {
        not_scripted()
    }
    async fn test_account(&self, _id: RemoteId, _model: &str) -> Outcome<AccountTest> {
        not_scripted()
    }
    async fn create_user(&self, _new: &NewUser) -> Outcome<User> {
        not_scripted()
    }
    async fn set_balance(&self, _id: RemoteId, _usd: f64) -> Outcome<User> {
        not_scripted()
    }
    async fn set_allowed_groups(&self, _id: RemoteId, _groups: &[RemoteId]) -> Outcome<User> {
        not_scripted()
    }
    async fn set_password(&self, _id: RemoteId, _password: &Secret) -> Outcome<()> {
        not_scripted()
    }
    async fn delete_user(&self, _id: RemoteId) -> Outcome<bool> {
        not_scripted()
    }
    async fn assign_subscription(&self, _spec: &SubscriptionSpec) -> Outcome<Subscription> {
        not_scripted()
    }
    async fn extend_subscription(
        &self,
        _id: RemoteId,
        _days: i64,
        _idempotency_key: &str,
    ) -> Outcome<Subscription> {
        not_scripted()
    }
    async fn revoke_subscription(&self, _id: RemoteId) -> Outcome<bool> {
        not_scripted()
    }
    async fn bind_key(&self, _key: RemoteId, _group: Option<RemoteId>) -> Outcome<()> {
        not_scripted()
    }
    async fn login(&self, _email: &str, _password: &Secret) -> Outcome<Session> {
        not_scripted()
    }
    async fn create_key(
        &self,
        _session: &Session,
        _new: &NewKey,
        _idempotency_key: &str,
    ) -> Outcome<ApiKey> {
        not_scripted()
    }
    async fn delete_key(&self, _session: &Session, _id: RemoteId) -> Outcome<bool> {
        not_scripted()
    }
}
