//! The rows of a simulated host, with constructors that give a fresh row its usual values.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A group of accounts that keys are bound to.
#[derive(Debug, Clone)]
pub struct Group {
    /// 0 lets the state choose.
    pub id: i64,
    /// Unique among living groups.
    pub name: String,
    /// Free text.
    pub description: String,
    /// `anthropic`, `openai`, `gemini` or `antigravity`.
    pub platform: String,
    /// Multiplies the price.
    pub rate_multiplier: f64,
    /// Only users with the group in `allowed_groups` may bind it.
    pub is_exclusive: bool,
    /// `standard` or `subscription`.
    pub subscription_type: String,
    /// Daily, weekly and monthly limit in USD.
    pub limits: [Option<f64>; 3],
    /// `active` or `inactive`.
    pub status: String,
    /// Order in lists.
    pub sort_order: i64,
    /// Fields this lab only stores and gives back.
    pub more: Map<String, Value>,
    /// Row times.
    pub created_at: Timestamp,
    /// Row times.
    pub updated_at: Timestamp,
    /// Soft deletion.
    pub deleted_at: Option<Timestamp>,
}

impl Group {
    /// An active standard group.
    pub fn new(name: &str, platform: &str) -> Self {
        let now = Timestamp::now();
        Self {
            id: 0,
            name: name.to_owned(),
            description: String::new(),
            platform: platform.to_owned(),
            rate_multiplier: 1.0,
            is_exclusive: false,
            subscription_type: "standard".to_owned(),
            limits: [None; 3],
            status: "active".to_owned(),
            sort_order: 0,
            more: Map::new(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// The same group, sold by subscription.
    #[must_use]
    pub fn by_subscription(mut self) -> Self {
        "subscription".clone_into(&mut self.subscription_type);
        self
    }
}

/// A pricing and model policy over groups.
#[derive(Debug, Clone)]
pub struct Channel {
    /// 0 lets the state choose.
    pub id: i64,
    /// Unique.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Free text.
    pub features: String,
    /// `active` or `disabled`.
    pub status: String,
    /// Groups it lies over; dead ids stay.
    pub group_ids: Vec<i64>,
    /// Pricing entries as JSON objects.
    pub model_pricing: Vec<Value>,
    /// Platform to requested to target.
    pub model_mapping: Map<String, Value>,
    /// `requested`, `upstream` or `channel_mapped`.
    pub billing_model_source: String,
    /// Only priced models may be used.
    pub restrict_models: bool,
    /// Fields this lab only stores and gives back.
    pub more: Map<String, Value>,
    /// Row times.
    pub created_at: Timestamp,
    /// Row times.
    pub updated_at: Timestamp,
}

impl Channel {
    /// An active channel over groups, without prices.
    pub fn new(name: &str, group_ids: Vec<i64>) -> Self {
        let now = Timestamp::now();
        Self {
            id: 0,
            name: name.to_owned(),
            description: String::new(),
            features: String::new(),
            status: "active".to_owned(),
            group_ids,
            model_pricing: Vec::new(),
            model_mapping: Map::new(),
            billing_model_source: "channel_mapped".to_owned(),
            restrict_models: false,
            more: Map::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

/// An upstream account.
#[derive(Debug, Clone)]
pub struct Account {
    /// 0 lets the state choose.
    pub id: i64,
    /// Not unique.
    pub name: String,
    /// Free text.
    pub notes: Option<String>,
    /// Not checked against a list.
    pub platform: String,
    /// `apikey` and so on.
    pub kind: String,
    /// With secrets in clear, as on the real host.
    pub credentials: Map<String, Value>,
    /// Flags.
    pub extra: Map<String, Value>,
    /// Proxy row.
    pub proxy_id: Option<i64>,
    /// 0 is unlimited.
    pub concurrency: i64,
    /// Lower wins.
    pub priority: i64,
    /// Multiplies cost statistics.
    pub rate_multiplier: f64,
    /// 1 to 10000.
    pub load_factor: Option<i64>,
    /// `active`, `inactive` or `error`.
    pub status: String,
    /// Why `error`.
    pub error_message: String,
    /// The operator's switch.
    pub schedulable: bool,
    /// End of life.
    pub expires_at: Option<Timestamp>,
    /// Stop scheduling at `expires_at`.
    pub auto_pause_on_expired: bool,
    /// When the last 429 came.
    pub rate_limited_at: Option<Timestamp>,
    /// Not before.
    pub rate_limit_reset_at: Option<Timestamp>,
    /// Not before.
    pub overload_until: Option<Timestamp>,
    /// Not before.
    pub temp_unschedulable_until: Option<Timestamp>,
    /// JSON text.
    pub temp_unschedulable_reason: String,
    /// Recent 403 answers; the third within three hours is an error.
    pub forbidden: Vec<Timestamp>,
    /// The scheduler does not see the probe's flag before this.
    pub probe_visible_at: Option<Timestamp>,
    /// For the least-recently-used order.
    pub last_used_at: Option<Timestamp>,
    /// Row times.
    pub created_at: Timestamp,
    /// Row times.
    pub updated_at: Timestamp,
    /// Soft deletion.
    pub deleted_at: Option<Timestamp>,
}

impl Account {
    /// An active account of type `apikey`.
    pub fn apikey(name: &str, platform: &str, base_url: &str, key: &str) -> Self {
        let now = Timestamp::now();
        let mut credentials = Map::new();
        credentials.insert("api_key".to_owned(), json!(key));
        credentials.insert("base_url".to_owned(), json!(base_url));
        Self {
            id: 0,
            name: name.to_owned(),
            notes: None,
            platform: platform.to_owned(),
            kind: "apikey".to_owned(),
            credentials,
            extra: Map::new(),
            proxy_id: None,
            concurrency: 0,
            priority: 0,
            rate_multiplier: 1.0,
            load_factor: None,
            status: "active".to_owned(),
            error_message: String::new(),
            schedulable: true,
            expires_at: None,
            auto_pause_on_expired: true,
            rate_limited_at: None,
            rate_limit_reset_at: None,
            overload_until: None,
            temp_unschedulable_until: None,
            temp_unschedulable_reason: String::new(),
            forbidden: Vec::new(),
            probe_visible_at: None,
            last_used_at: None,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// The same account with these models, each mapped to itself.
    #[must_use]
    pub fn with_models(mut self, models: &[&str]) -> Self {
        let mapping: Map<String, Value> = models
            .iter()
            .map(|model| ((*model).to_owned(), json!(model)))
            .collect();
        self.credentials
            .insert("model_mapping".to_owned(), Value::Object(mapping));
        self
    }

    /// The same account with the operator's choice of upstream protocol.
    #[must_use]
    pub fn with_responses_mode(mut self, mode: &str) -> Self {
        self.extra
            .insert("openai_responses_mode".to_owned(), json!(mode));
        self
    }
}

/// A person or program that owns keys.
#[derive(Debug, Clone)]
pub struct User {
    /// 0 lets the state choose.
    pub id: i64,
    /// Unique among living users.
    pub email: String,
    /// In clear: this is a lab.
    pub password: String,
    /// Shown name.
    pub username: String,
    /// Operator's notes.
    pub notes: String,
    /// `user` or `admin`.
    pub role: String,
    /// USD.
    pub balance: f64,
    /// 0 is unlimited.
    pub concurrency: i64,
    /// 0 is unlimited.
    pub rpm_limit: i64,
    /// `active` or `disabled`.
    pub status: String,
    /// Exclusive groups this user may bind.
    pub allowed_groups: BTreeSet<i64>,
    /// Per-group multiplier.
    pub group_rates: BTreeMap<i64, f64>,
    /// Login answers with `requires_2fa`.
    pub two_factor: bool,
    /// Grows with each password change; older tokens die.
    pub token_version: u64,
    /// Last login.
    pub last_active_at: Option<Timestamp>,
    /// Last gateway request.
    pub last_used_at: Option<Timestamp>,
    /// Row times.
    pub created_at: Timestamp,
    /// Row times.
    pub updated_at: Timestamp,
    /// Soft deletion.
    pub deleted_at: Option<Timestamp>,
}

impl User {
    /// An active ordinary user without balance.
    pub fn new(email: &str, password: &str) -> Self {
        let now = Timestamp::now();
        Self {
            id: 0,
            email: email.to_owned(),
            password: password.to_owned(),
            username: String::new(),
            notes: String::new(),
            role: "user".to_owned(),
            balance: 0.0,
            concurrency: 5,
            rpm_limit: 0,
            status: "active".to_owned(),
            allowed_groups: BTreeSet::new(),
            group_rates: BTreeMap::new(),
            two_factor: false,
            token_version: 0,
            last_active_at: None,
            last_used_at: None,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// The same user with money.
    #[must_use]
    pub fn with_balance(mut self, balance: f64) -> Self {
        self.balance = balance;
        self
    }
}

/// A user's key.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// 0 lets the state choose.
    pub id: i64,
    /// Owner.
    pub user_id: i64,
    /// The key text, unique among living rows.
    pub key: String,
    /// Shown name.
    pub name: String,
    /// Bound group.
    pub group_id: Option<i64>,
    /// `active`, `inactive`, `quota_exhausted` or `expired`.
    pub status: String,
    /// Addresses that may use it; empty is all.
    pub ip_whitelist: Vec<String>,
    /// Addresses that may not.
    pub ip_blacklist: Vec<String>,
    /// USD, 0 is unlimited.
    pub quota: f64,
    /// USD.
    pub quota_used: f64,
    /// End of life.
    pub expires_at: Option<Timestamp>,
    /// Stored limits for 5 h, 1 d and 7 d; not enforced here.
    pub rate_limits: [f64; 3],
    /// Last gateway request.
    pub last_used_at: Option<Timestamp>,
    /// Row times.
    pub created_at: Timestamp,
    /// Row times.
    pub updated_at: Timestamp,
    /// Soft deletion.
    pub deleted_at: Option<Timestamp>,
}

impl ApiKey {
    /// An active key.
    pub fn new(user_id: i64, key: &str, group_id: Option<i64>) -> Self {
        let now = Timestamp::now();
        Self {
            id: 0,
            user_id,
            key: key.to_owned(),
            name: "lab".to_owned(),
            group_id,
            status: "active".to_owned(),
            ip_whitelist: Vec::new(),
            ip_blacklist: Vec::new(),
            quota: 0.0,
            quota_used: 0.0,
            expires_at: None,
            rate_limits: [0.0; 3],
            last_used_at: None,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }
}
