//! The fixture: what the two hosts and the vendors hold when a lab starts. Every name and id that
//! others rely on is a constant here.

use crate::error::LabError;
use crate::faults::Fault;
use crate::machine::{Growing, Line};
use crate::machines::{ACCEPT44, REMOTE43};
use crate::net::AddressTable;
use crate::request_log::RequestLog;
use crate::serve::{Life, serve_http};
use crate::sub2api::log_lines::LogLines;
use crate::sub2api::model::{Account, ApiKey, Channel, Group, User};
use crate::sub2api::model_sales::Subscription;
use crate::sub2api::state::State;
use crate::sub2api::{HostOptions, SimHost};
use crate::upstream::{Ailment, Mood, Vendor, VendorKind};
use cockpit_domain::secret::{Secret, sha256_hex};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Admin key of the production host.
pub const PROD_ADMIN_KEY: &str =
    "admin-2cb29c226d518309707dc0bdaf07500d970b859cfa636465aff97e9c9d285cb7";
/// Admin key of the acceptance host.
pub const ACCEPT_ADMIN_KEY: &str =
    "admin-beb1b8f9ecc4552f16c142b1cc7cf7c498be987293404eb51415168a34bb4e64";
/// Login of the first admin on both hosts.
pub const ADMIN_EMAIL: &str = "admin@sub2api.local";
/// Password of the first admin on both hosts.
pub const ADMIN_PASSWORD: &str = "lab-admin-password";
/// The active user key of production: key 11, bound to group 3, its owner has balance.
pub const PROD_USER_KEY: &str =
    "sk-da57ab9ffbcc330e9bcb35e171beeb1d25f12af47bf987e80b725a3f17fac3e9";
/// Self-service group of production.
pub const PROD_GROUP: i64 = 3;
/// Subscription group of production.
pub const PROD_SUBSCRIPTION_GROUP: i64 = 4;
/// Group of production that nothing serves any more.
pub const OLD_GROUP: i64 = 5;
/// The account that serves both.
pub const PROD_ACCOUNT: i64 = 7;
/// The active user key's id.
pub const PROD_KEY: i64 = 11;
/// Models production serves.
pub const PROD_MODELS: [&str; 2] = ["gpt-5.4", "gpt-5.4-mini"];
/// Group of provider `lab` on the acceptance host; it exists.
pub const LAB_GROUP: &str = "relay-lab";
/// Channel of provider `lab`; it exists, but half-made: without prices.
pub const LAB_CHANNEL: &str = "relay-lab";
/// Plan of provider `lab`; it does not exist yet.
pub const LAB_PLAN: &str = "relay-lab-monthly";
/// Account names of provider `lab` begin so, then a dot and the key's fingerprint.
pub const LAB_PROVIDER: &str = "lab";
/// How many older accounts the provider's group holds.
pub const LAB_OLD_ACCOUNTS: usize = 10;
/// Models of provider `lab`.
pub const LAB_MODELS: [&str; 3] = ["gpt-5.4", "gpt-5.4-mini", "lab-chat"];
/// The vendor that does everything right.
pub const GOOD_UPSTREAM: &str = "good.upstream.lab";
/// The vendor that has only `/chat/completions`.
pub const CHAT_UPSTREAM: &str = "chat.upstream.lab";
/// Models of the chat-only vendor.
pub const CHAT_MODELS: [&str; 2] = ["lab-chat", "deepseek-chat"];

/// Key number `number` (from 1) of the older accounts.
pub fn old_key(number: usize) -> String {
    format!("sk-lab-good-old-{number}")
}

/// The text of a user key of production by its id: 8 is in no group, 9 in a group without account, 10
/// has an ended subscription, 12 is well, 13 has an owner without balance.
pub fn prod_key(id: i64) -> String {
    if id == PROD_KEY {
        return PROD_USER_KEY.to_owned();
    }
    format!("sk-{}", sha256_hex(&format!("lab prod key {id}")))
}

/// The name of the account that holds a key of provider `lab`.
pub fn account_name(key: &str) -> String {
    format!("{LAB_PROVIDER}.{}", Secret::new(key).fingerprint())
}

/// The far ends of the lab.
#[derive(Clone)]
pub(crate) struct Fleet {
    pub(crate) prod: SimHost,
    pub(crate) accept: SimHost,
    pub(crate) good: Vendor,
    pub(crate) chat: Vendor,
    table: AddressTable,
    /// Where the vendors listen, also while they are off the net.
    vendors: Arc<Mutex<Vec<(&'static str, SocketAddr)>>>,
}

impl Fleet {
    pub(crate) fn new(table: &AddressTable, log: &RequestLog, probe_delay: Duration) -> Self {
        let host = |id: &str, machine: &str, admin_key: &str, seed| {
            SimHost::new(HostOptions {
                id: id.to_owned(),
                machine: machine.to_owned(),
                admin_key: admin_key.to_owned(),
                admin_email: ADMIN_EMAIL.to_owned(),
                admin_password: ADMIN_PASSWORD.to_owned(),
                table: table.clone(),
                log: log.clone(),
                probe_delay,
                seed,
            })
        };
        let vendor = |name: &str, kind, models: &[&str]| {
            let models = models.iter().map(|model| (*model).to_owned()).collect();
            Vendor::new(name, kind, models, log.clone())
        };
        let fleet = Self {
            prod: host("prod", REMOTE43, PROD_ADMIN_KEY, 43),
            accept: host("accept", ACCEPT44, ACCEPT_ADMIN_KEY, 44),
            good: vendor("good", VendorKind::Good, &LAB_MODELS),
            chat: vendor("chat", VendorKind::ChatOnly, &CHAT_MODELS),
            table: table.clone(),
            vendors: Arc::default(),
        };
        fleet.prod.with(seed_production);
        fleet.accept.with(seed_acceptance);
        fleet
    }

    /// Puts the vendors where every machine finds them.
    pub(crate) async fn serve_vendors(
        &self,
        table: &AddressTable,
        life: &Life,
    ) -> Result<(), LabError> {
        for (name, vendor) in [(GOOD_UPSTREAM, &self.good), (CHAT_UPSTREAM, &self.chat)] {
            let at = serve_http(vendor.router(), life).await?;
            table.bind("*", name, 80, at);
            let vendors = self.vendors.lock();
            vendors
                .unwrap_or_else(PoisonError::into_inner)
                .push((name, at));
        }
        Ok(())
    }

    /// A request to production that is only told of; its status.
    pub(crate) fn pulse(&self, number: u64) -> u16 {
        let refused = self.good.refuses_all();
        self.prod
            .pulse(PROD_GROUP, PROD_KEY, PROD_MODELS[0], refused, number)
    }

    fn ail(&self, ailment: Ailment, on: bool) {
        for vendor in [&self.good, &self.chat] {
            vendor.ail(ailment, on);
        }
        if !on {
            // What it did to accounts goes with it, or the fault would outlive its end.
            self.prod.with(heal);
            self.accept.with(heal);
        }
    }

    /// Takes the vendors off the net, or puts them back where they were.
    fn silence(&self, on: bool) {
        let vendors = self.vendors.lock();
        for (name, at) in vendors.unwrap_or_else(PoisonError::into_inner).iter() {
            if on {
                self.table.unbind("*", name, 80);
            } else {
                self.table.bind("*", name, 80, *at);
            }
        }
    }

    /// What a fault changes here.
    pub(crate) fn switch(&self, fault: Fault, on: bool) {
        match fault {
            Fault::BindingLost if on => self.prod.with(|state| {
                state.unbind(PROD_ACCOUNT, PROD_GROUP);
            }),
            Fault::BindingLost => self.prod.with(|state| state.bind(PROD_ACCOUNT, PROD_GROUP)),
            Fault::UpstreamQuota => self.ail(Ailment::Quota, on),
            Fault::UpstreamRateLimited => self.ail(Ailment::RateLimited, on),
            Fault::UpstreamAuth => self.ail(Ailment::KeyRefused, on),
            Fault::UpstreamPage => self.ail(Ailment::Page, on),
            Fault::UpstreamChatOnly => self.ail(Ailment::NoResponses, on),
            Fault::UpstreamSilent => self.silence(on),
            Fault::UpstreamDown | Fault::UpstreamBabble => {
                let mood = match (on, fault) {
                    (false, _) => Mood::Well,
                    (true, Fault::UpstreamDown) => Mood::Down,
                    (true, _) => Mood::Babbling,
                };
                for vendor in [&self.good, &self.chat] {
                    vendor.set_mood(mood);
                }
                if !on {
                    self.prod.with(heal_failures);
                    self.accept.with(heal_failures);
                }
            }
            Fault::Host502 => {
                let (level, message, fields) = if on {
                    let error = "dial tcp: lookup sub2api-postgres: connection refused";
                    ("FATAL", "server failed to start", json!({ "error": error }))
                } else {
                    ("INFO", "server started", json!({ "addr": "0.0.0.0:8080" }))
                };
                let now = self.prod.with(|state| state.now());
                let log = self.prod.log_lines();
                log.add(now, level, "server/main.go:97", message, &fields);
            }
            fault => self.prod.with(|state| switch_stored(state, fault, on)),
        }
    }
}

/// A group that nothing serves.
const STRAY_GROUP: i64 = 99;

/// What a fault changes of what production has stored; most change nothing there.
fn switch_stored(state: &mut State, fault: Fault, on: bool) {
    const TWIN: i64 = 70;
    const OLDER: i64 = 71;
    let whole = production_channel();
    match fault {
        Fault::SubscriptionLost if on => state.unbind(PROD_ACCOUNT, PROD_SUBSCRIPTION_GROUP),
        Fault::SubscriptionLost => state.bind(PROD_ACCOUNT, PROD_SUBSCRIPTION_GROUP),
        Fault::AccountStray if on => state.bind(PROD_ACCOUNT, STRAY_GROUP),
        Fault::AccountStray => state.unbind(PROD_ACCOUNT, STRAY_GROUP),
        Fault::ChannelStray => {
            if let Some(channel) = state.channels.get_mut(&whole.id) {
                channel.group_ids.retain(|group| *group != STRAY_GROUP);
                channel.group_ids.extend(on.then_some(STRAY_GROUP));
            }
        }
        Fault::KeyLost => {
            if let Some(key) = state.keys.get_mut(&PROD_KEY) {
                key.group_id = (!on).then_some(PROD_GROUP);
            }
        }
        Fault::ChannelLost | Fault::ChannelUnpriced | Fault::ChannelUnmapped => {
            let Some(channel) = state.channels.get_mut(&whole.id) else {
                return;
            };
            match fault {
                Fault::ChannelLost if on => channel.group_ids.clear(),
                Fault::ChannelUnpriced if on => channel.model_pricing.clear(),
                Fault::ChannelUnmapped if on => channel.model_mapping.clear(),
                Fault::ChannelLost => channel.group_ids = whole.group_ids,
                Fault::ChannelUnpriced => channel.model_pricing = whole.model_pricing,
                _ => channel.model_mapping = whole.model_mapping,
            }
        }
        Fault::AccountUnmapped | Fault::ModelLost => {
            let models: &[&str] = match fault {
                Fault::AccountUnmapped if on => &[],
                Fault::ModelLost if on => &PROD_MODELS[..1],
                _ => &PROD_MODELS,
            };
            if let Some(account) = state.accounts.get_mut(&PROD_ACCOUNT) {
                *account = account.clone().with_models(models);
            }
        }
        Fault::KeysDisabled => {
            let word = if on { "inactive" } else { "active" };
            let keys = state.keys.values_mut();
            for key in keys.filter(|key| key.group_id == Some(PROD_GROUP)) {
                word.clone_into(&mut key.status);
            }
        }
        Fault::OldMapping if on => {
            let mut older = relay_account("kimi-old", "sk-lab-good-older-71", &["kimi-k1"]);
            older.id = OLDER;
            state.add_account(older);
            state.bind(OLDER, OLD_GROUP);
        }
        Fault::OldMapping => {
            state.unbind(OLDER, OLD_GROUP);
            state.accounts.remove(&OLDER);
        }
        Fault::AccountTwice if on => {
            let mut twin = production_account();
            twin.id = TWIN;
            state.add_account(twin);
            state.bind(TWIN, PROD_GROUP);
        }
        Fault::AccountTwice => {
            state.unbind(TWIN, PROD_GROUP);
            state.accounts.remove(&TWIN);
        }
        _ => {}
    }
}

/// Account 7 as it should be.
fn production_account() -> Account {
    let mut account = relay_account(
        "openai-relay-main",
        "sk-lab-good-production-7",
        &PROD_MODELS,
    );
    account.id = PROD_ACCOUNT;
    account
}

/// Channel 1 as it should be.
fn production_channel() -> Channel {
    let mut channel = Channel::new("openai-relay", vec![PROD_GROUP]);
    channel.id = 1;
    channel.restrict_models = true;
    channel.model_pricing = vec![json!({
        "id": 1, "platform": "openai", "models": PROD_MODELS, "billing_mode": "token",
        "input_price": 0.000_002, "output_price": 0.000_008,
        "cache_write_price": null, "cache_read_price": null, "image_output_price": null,
        "per_request_price": null, "intervals": [],
    })];
    let same = PROD_MODELS.map(|model| (model.to_owned(), json!(model)));
    let models = serde_json::Map::from_iter(same);
    channel
        .model_mapping
        .insert("openai".to_owned(), models.into());
    channel
}

/// Undoes what answers of 5xx did to accounts.
fn heal_failures(state: &mut State) {
    for account in state.accounts.values_mut() {
        account.temp_unschedulable_until = None;
        account.temp_unschedulable_reason.clear();
        account.overload_until = None;
    }
}

/// Undoes what answers of 403 did to accounts.
fn heal(state: &mut State) {
    for account in state.accounts.values_mut() {
        account.rate_limited_at = None;
        account.rate_limit_reset_at = None;
        account.temp_unschedulable_until = None;
        account.temp_unschedulable_reason.clear();
        account.forbidden.clear();
        let words = &account.error_message;
        let by_answer = ["(401)", "(402)", "403"]
            .iter()
            .any(|code| words.contains(code));
        if account.status == "error" && by_answer {
            "active".clone_into(&mut account.status);
            account.error_message.clear();
        }
    }
}

fn relay_account(name: &str, key: &str, models: &[&str]) -> Account {
    let base_url = format!("http://{GOOD_UPSTREAM}");
    let mut account = Account::apikey(name, "openai", &base_url, key).with_models(models);
    account.concurrency = 10;
    account.priority = 1;
    account
        .extra
        .insert("openai_responses_supported".to_owned(), json!(true));
    account
}

/// The bindings of the production baseline, and keys that are old for a reason each.
fn seed_production(state: &mut State) {
    let group = |id, name: &str| Group {
        id,
        ..Group::new(name, "openai")
    };
    state.add_group(group(2, "internal"));
    state.add_group(group(PROD_GROUP, "openai-relay"));
    state.add_group(group(PROD_SUBSCRIPTION_GROUP, "openai-monthly").by_subscription());
    state.add_group(group(OLD_GROUP, "kimi-old"));
    state.add_account(production_account());
    state.bind(PROD_ACCOUNT, PROD_GROUP);
    state.bind(PROD_ACCOUNT, PROD_SUBSCRIPTION_GROUP);

    state.add_channel(production_channel());

    let user = |id, email: &str, balance| User {
        id,
        ..User::new(email, "lab-user-password").with_balance(balance)
    };
    state.add_user(user(5, "ops-smoke@example.com", 25.0));
    state.add_user(user(6, "lin@example.com", 3.5));
    state.add_user(user(7, "moved-away@example.com", 1.0));
    state.add_user(user(8, "empty@example.com", 0.0));
    let key = |id, owner, text: &str, group| ApiKey {
        id,
        ..ApiKey::new(owner, text, group)
    };
    let old = prod_key;
    state.add_key(key(8, 7, &old(8), None));
    state.add_key(key(9, 7, &old(9), Some(OLD_GROUP)));
    state.add_key(key(10, 7, &old(10), Some(PROD_SUBSCRIPTION_GROUP)));
    state.add_key(key(PROD_KEY, 5, PROD_USER_KEY, Some(PROD_GROUP)));
    state.add_key(key(12, 6, &old(12), Some(PROD_SUBSCRIPTION_GROUP)));
    state.add_key(key(13, 8, &old(13), Some(PROD_GROUP)));
    state.add_subscription(Subscription::new(6, PROD_SUBSCRIPTION_GROUP, 30, "monthly"));
    let ended = Subscription::new(7, PROD_SUBSCRIPTION_GROUP, -3, "monthly");
    state.add_subscription(ended);
}

/// A fresh host that an older program imported ten keys of provider `lab` into.
fn seed_acceptance(state: &mut State) {
    let group = state.add_group(Group::new(LAB_GROUP, "openai").by_subscription());
    for number in 1..=LAB_OLD_ACCOUNTS {
        let key = old_key(number);
        let account = state.add_account(relay_account(&account_name(&key), &key, &LAB_MODELS));
        state.bind(account, group);
    }
    state.add_channel(Channel::new(LAB_CHANNEL, vec![group]));
}

/// A host's log as `docker logs` follows it.
pub(crate) struct HostLog(pub(crate) LogLines);

impl Growing for HostLog {
    fn lines_from(&self, from: usize) -> (Vec<Line>, usize) {
        let lines = self.0.since(from as u64);
        let next = lines
            .last()
            .and_then(|line| usize::try_from(line.no).ok())
            .unwrap_or(from);
        let lines = lines.into_iter().map(|line| Line {
            stderr: line.stderr,
            text: format!("{}\n", line.text),
        });
        (lines.collect(), next)
    }

    fn changes(&self) -> Option<watch::Receiver<usize>> {
        Some(self.0.last())
    }
}
