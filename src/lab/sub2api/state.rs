//! All that a simulated host knows, and the helpers that seed it. Behind one mutex, never held
//! across an await.

use super::idempotency::Record;
use super::log_lines::LogLines;
use super::model::{Account, ApiKey, Channel, Group, User};
use super::model_sales::{OpsError, Plan, Subscription, UsageRow};
use crate::scripted::Scripted;
use cockpit_domain::secret::sha256_hex;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Switches and waiting times; tests shorten the times.
#[derive(Debug, Clone)]
pub struct Settings {
    /// An unknown key stays unknown for this long.
    pub negative_key_ttl: Duration,
    /// Age of a cached `/v1/models`.
    pub models_ttl: Duration,
    /// Until the scheduler sees a new binding or probe flag.
    pub snapshot_lag: Duration,
    /// A conversation stays with its account for this long; zero switches it off.
    pub sticky_ttl: Duration,
    /// How long a running request is said to need, in `Retry-After`.
    pub idempotency_lock: Duration,
    /// A failed idempotency record blocks its key for this long.
    pub idempotency_backoff: Duration,
    /// The operator's `observe_only = false`: supported routes refuse a call without a key.
    pub idempotency_required: bool,
    /// Logins a minute.
    pub logins_per_minute: usize,
    /// Default wait after a 429 without reset time.
    pub rate_limit_fallback: Duration,
    /// `http://` upstreams may be used (the stock compose file says no).
    pub allow_insecure_http: bool,
    /// Login wants a captcha token.
    pub captcha: bool,
    /// Only admins may log in.
    pub backend_mode: bool,
    /// Keys without a group may be used.
    pub ungrouped_scheduling: bool,
    /// How long the update check behind `/system/version` hangs.
    pub version_check: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            negative_key_ttl: Duration::from_secs(30),
            models_ttl: Duration::from_secs(15),
            snapshot_lag: Duration::from_secs(1),
            sticky_ttl: Duration::from_hours(1),
            idempotency_lock: Duration::from_secs(30),
            idempotency_backoff: Duration::from_secs(5),
            idempotency_required: false,
            logins_per_minute: 20,
            rate_limit_fallback: Duration::from_secs(5),
            allow_insecure_http: true,
            captcha: false,
            backend_mode: false,
            ungrouped_scheduling: false,
            version_check: Duration::from_secs(8),
        }
    }
}

/// When a dropped request takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Never.
    BeforeCommit,
    /// Before the connection is closed.
    AfterCommit,
    /// The connection closes at once, the effect comes this much later.
    CommitAfter(Duration),
    /// Never, and its idempotency record stays in progress: the host gave up with its client.
    Stuck,
}

/// Says of a request whether its connection is lost, and what becomes of its effect.
pub type Losing = Box<dyn FnMut(&str, &str) -> Option<When> + Send>;

/// The next matching request loses its connection without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropRule {
    /// Method, `*` for any.
    pub method: String,
    /// Head of the path.
    pub path_prefix: String,
    /// What becomes of the effect.
    pub when: When,
}

/// Somebody else's hand: what becomes of the rows right after a request was answered, once.
pub struct Afterwards {
    /// Method, `*` for any.
    pub method: String,
    /// Head of the path.
    pub path_prefix: String,
    /// What is done to the rows.
    pub act: Box<dyn FnOnce(&mut State) + Send>,
}

/// A login.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) user_id: i64,
    pub(super) token_version: u64,
    pub(super) expires_at: Timestamp,
}

/// The host's rows, switches and faults.
pub struct State {
    /// Groups by id, soft-deleted ones included.
    pub groups: BTreeMap<i64, Group>,
    /// Channels by id.
    pub channels: BTreeMap<i64, Channel>,
    /// Accounts by id, soft-deleted ones included.
    pub accounts: BTreeMap<i64, Account>,
    /// (account, group) to the time from which the scheduler sees it.
    pub account_groups: BTreeMap<(i64, i64), Timestamp>,
    /// Users by id, soft-deleted ones included.
    pub users: BTreeMap<i64, User>,
    /// Keys by id, soft-deleted ones included.
    pub keys: BTreeMap<i64, ApiKey>,
    /// Subscriptions by id, soft-deleted ones included.
    pub subscriptions: BTreeMap<i64, Subscription>,
    /// Plans by id.
    pub plans: BTreeMap<i64, Plan>,
    /// Billed requests, oldest first.
    pub usage: Vec<UsageRow>,
    /// Failed gateway requests, oldest first.
    pub ops_errors: Vec<OpsError>,
    /// The one admin key, if any.
    pub admin_key: Option<String>,
    /// Switches and waiting times.
    pub settings: Settings,
    /// Fault: the next matching request loses its connection.
    pub drop_next: Option<DropRule>,
    /// Fault: somebody else writes right after the next matching request.
    pub afterwards: Vec<Afterwards>,
    /// Fault: every answer waits this long.
    pub delay: Duration,
    /// Fault: which other requests lose their connection, by method and path.
    pub losing: Option<Losing>,
    /// Answers given instead of its own.
    pub scripted: Vec<Scripted>,
    /// Requests that are being answered now.
    pub in_flight: usize,
    /// The most there ever were at once.
    pub most_in_flight: usize,
    pub(super) log: LogLines,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) negative_keys: BTreeMap<String, Timestamp>,
    pub(super) models_cache: BTreeMap<(i64, String), (Timestamp, Value)>,
    pub(super) sticky: BTreeMap<(i64, String), (i64, Timestamp)>,
    pub(super) idempotency: BTreeMap<(String, String), Record>,
    pub(super) login_window: (Option<Timestamp>, usize),
    pub(super) key_collisions: Vec<(i64, Timestamp)>,
    pub(super) pending_probes: Vec<i64>,
    seed: u64,
    drawn: u64,
    last_ids: BTreeMap<&'static str, i64>,
    skew: SignedDuration,
}

impl State {
    pub(super) fn new(seed: u64, log: LogLines) -> Self {
        let mut state = Self {
            groups: BTreeMap::new(),
            channels: BTreeMap::new(),
            accounts: BTreeMap::new(),
            account_groups: BTreeMap::new(),
            users: BTreeMap::new(),
            keys: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            plans: BTreeMap::new(),
            usage: Vec::new(),
            ops_errors: Vec::new(),
            admin_key: None,
            settings: Settings::default(),
            drop_next: None,
            afterwards: Vec::new(),
            delay: Duration::ZERO,
            losing: None,
            scripted: Vec::new(),
            in_flight: 0,
            most_in_flight: 0,
            log,
            sessions: BTreeMap::new(),
            negative_keys: BTreeMap::new(),
            models_cache: BTreeMap::new(),
            sticky: BTreeMap::new(),
            idempotency: BTreeMap::new(),
            login_window: (None, 0),
            key_collisions: Vec::new(),
            pending_probes: Vec::new(),
            seed,
            drawn: 0,
            last_ids: BTreeMap::new(),
            skew: SignedDuration::ZERO,
        };
        // What the migrations leave on a fresh host.
        state.add_group(Group::new("default", "anthropic"));
        state
    }

    /// The host's clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + self.skew
    }

    /// Moves the host's clock forward, so that caches and cooldowns end without waiting.
    pub fn advance(&mut self, by: Duration) {
        self.skew += SignedDuration::try_from(by).unwrap_or(SignedDuration::ZERO);
    }

    /// The next id of a kind of row; a chosen id moves the counter past itself.
    pub(super) fn take_id(&mut self, what: &'static str, chosen: i64) -> i64 {
        let last = self.last_ids.entry(what).or_insert(0);
        let id = if chosen > 0 { chosen } else { *last + 1 };
        *last = (*last).max(id);
        id
    }

    /// 64 hex digits that repeat with the seed.
    pub(super) fn random_hex(&mut self, purpose: &str) -> String {
        self.drawn += 1;
        sha256_hex(&format!("{}/{}/{purpose}", self.seed, self.drawn))
    }

    /// Adds a group and gives its id.
    pub fn add_group(&mut self, mut group: Group) -> i64 {
        group.id = self.take_id("group", group.id);
        let id = group.id;
        self.groups.insert(id, group);
        id
    }

    /// Adds a channel and gives its id.
    pub fn add_channel(&mut self, mut channel: Channel) -> i64 {
        channel.id = self.take_id("channel", channel.id);
        let id = channel.id;
        self.channels.insert(id, channel);
        id
    }

    /// Adds an account, unbound, and gives its id. No probe is run.
    pub fn add_account(&mut self, mut account: Account) -> i64 {
        account.id = self.take_id("account", account.id);
        let id = account.id;
        self.accounts.insert(id, account);
        id
    }

    /// Adds a user and gives its id.
    pub fn add_user(&mut self, mut user: User) -> i64 {
        user.id = self.take_id("user", user.id);
        let id = user.id;
        self.users.insert(id, user);
        id
    }

    /// Adds a key and gives its id.
    pub fn add_key(&mut self, mut key: ApiKey) -> i64 {
        key.id = self.take_id("key", key.id);
        let id = key.id;
        self.keys.insert(id, key);
        id
    }

    /// Adds a subscription and gives its id.
    pub fn add_subscription(&mut self, mut subscription: Subscription) -> i64 {
        subscription.id = self.take_id("subscription", subscription.id);
        let id = subscription.id;
        self.subscriptions.insert(id, subscription);
        id
    }

    /// Adds a plan and gives its id.
    pub fn add_plan(&mut self, mut plan: Plan) -> i64 {
        plan.id = self.take_id("plan", plan.id);
        let id = plan.id;
        self.plans.insert(id, plan);
        id
    }

    /// Binds an account to a group; the scheduler sees it at once.
    pub fn bind(&mut self, account: i64, group: i64) {
        let now = self.now();
        self.account_groups.insert((account, group), now);
    }

    /// Takes a binding away.
    pub fn unbind(&mut self, account: i64, group: i64) {
        self.account_groups.remove(&(account, group));
    }

    /// Binds as the API does: an empty group's bucket is read through to the database, any
    /// other one is a snapshot behind.
    pub(super) fn bind_by_api(&mut self, account: i64, group: i64) {
        let now = self.now();
        let empty = !self.account_groups.keys().any(|(other, at)| {
            let holds = |row: &Account| super::ops::available(row, now);
            *at == group && *other != account && self.account(*other).is_some_and(holds)
        });
        let lag = SignedDuration::try_from(self.settings.snapshot_lag).unwrap_or_default();
        let seen = if empty { now } else { now + lag };
        self.account_groups.entry((account, group)).or_insert(seen);
    }

    /// Groups of an account, in order.
    pub fn groups_of(&self, account: i64) -> Vec<i64> {
        let bindings = self
            .account_groups
            .range((account, i64::MIN)..=(account, i64::MAX));
        bindings.map(|((_, group), _)| *group).collect()
    }

    /// A living group.
    pub fn group(&self, id: i64) -> Option<&Group> {
        self.groups.get(&id).filter(|row| row.deleted_at.is_none())
    }

    /// A living account.
    pub fn account(&self, id: i64) -> Option<&Account> {
        self.accounts
            .get(&id)
            .filter(|row| row.deleted_at.is_none())
    }

    /// A living account, to change.
    pub fn account_mut(&mut self, id: i64) -> Option<&mut Account> {
        let row = self.accounts.get_mut(&id);
        row.filter(|row| row.deleted_at.is_none())
    }

    /// A living user.
    pub fn user(&self, id: i64) -> Option<&User> {
        self.users.get(&id).filter(|row| row.deleted_at.is_none())
    }

    /// A living key.
    pub fn key(&self, id: i64) -> Option<&ApiKey> {
        self.keys.get(&id).filter(|row| row.deleted_at.is_none())
    }

    /// The user's subscription of a group, active and unexpired.
    pub fn active_subscription(&self, user: i64, group: i64) -> Option<&Subscription> {
        let now = self.now();
        self.subscriptions.values().find(|row| {
            row.user_id == user
                && row.group_id == group
                && row.deleted_at.is_none()
                && row.status_at(now) == "active"
        })
    }

    /// Writes a line of the host's log.
    pub(super) fn note(&self, level: &str, component: &str, message: &str, fields: Value) {
        let mut fields = fields;
        fields["component"] = json!(component);
        let caller = match component.split('.').next() {
            Some("http") => "middleware/logger.go:62",
            Some("service") => "service/logging.go:41",
            Some(_) | None => "handler/logging.go:27",
        };
        self.log.add(self.now(), level, caller, message, &fields);
    }
}
