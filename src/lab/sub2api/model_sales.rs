//! Rows about time and money: subscriptions, plans, usage, operations errors.

use jiff::{SignedDuration, Timestamp};

/// A user's right to a subscription group for a while.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// 0 lets the state choose.
    pub id: i64,
    /// Owner.
    pub user_id: i64,
    /// Group of type `subscription`.
    pub group_id: i64,
    /// Begin.
    pub starts_at: Timestamp,
    /// End.
    pub expires_at: Timestamp,
    /// `active`; a past `expires_at` reads as `expired`.
    pub status: String,
    /// Used USD in the daily, weekly and monthly window.
    pub usage: [f64; 3],
    /// Begin of the windows; none before the first billed request.
    pub windows: [Option<Timestamp>; 3],
    /// Compared when an assign is repeated.
    pub notes: String,
    /// Who assigned it.
    pub assigned_by: i64,
    /// Row times.
    pub created_at: Timestamp,
    /// Row times.
    pub updated_at: Timestamp,
    /// Soft deletion.
    pub deleted_at: Option<Timestamp>,
}

impl Subscription {
    /// A subscription that begins now.
    pub fn new(user_id: i64, group_id: i64, days: i64, notes: &str) -> Self {
        let now = Timestamp::now();
        Self {
            id: 0,
            user_id,
            group_id,
            starts_at: now,
            expires_at: now + days_long(days),
            status: "active".to_owned(),
            usage: [0.0; 3],
            windows: [None; 3],
            notes: notes.to_owned(),
            assigned_by: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// The status as lists show it.
    pub fn status_at(&self, now: Timestamp) -> &str {
        if self.status == "active" && self.expires_at <= now {
            "expired"
        } else {
            &self.status
        }
    }
}

/// A sales offer.
#[derive(Debug, Clone)]
pub struct Plan {
    /// 0 lets the state choose.
    pub id: i64,
    /// Not checked.
    pub group_id: i64,
    /// Not unique.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Above 0.
    pub price: f64,
    /// Crossed-out price.
    pub original_price: Option<f64>,
    /// Above 0.
    pub validity_days: i64,
    /// `day`, `week` or `month`.
    pub validity_unit: String,
    /// Free text.
    pub features: String,
    /// Free text.
    pub product_name: String,
    /// Shown to users.
    pub for_sale: bool,
    /// Order in lists.
    pub sort_order: i64,
    /// Row times.
    pub created_at: Timestamp,
    /// Row times.
    pub updated_at: Timestamp,
    /// Open orders refuse a deletion.
    pub open_orders: bool,
}

/// One billed request.
#[derive(Debug, Clone)]
pub struct UsageRow {
    /// Counts up.
    pub id: i64,
    /// Who.
    pub user_id: i64,
    /// With which key.
    pub api_key_id: i64,
    /// Served by which account.
    pub account_id: i64,
    /// The gateway's request id.
    pub request_id: String,
    /// As the client named it.
    pub model: String,
    /// As the upstream was asked.
    pub upstream_model: String,
    /// Bound group of the key.
    pub group_id: i64,
    /// Subscription that paid.
    pub subscription_id: Option<i64>,
    /// Channel over the group.
    pub channel_id: Option<i64>,
    /// How a channel's mapping turned the model, if one did.
    pub mapping_chain: Option<String>,
    /// Input tokens.
    pub input_tokens: i64,
    /// Output tokens.
    pub output_tokens: i64,
    /// USD after the multiplier.
    pub actual_cost: f64,
    /// The multiplier.
    pub rate_multiplier: f64,
    /// Asked for a stream.
    pub stream: bool,
    /// Whole time.
    pub duration_ms: i64,
    /// Time to the first token, where the host measured it.
    pub first_token_ms: Option<i64>,
    /// Path the client called.
    pub inbound_endpoint: String,
    /// Path the host called.
    pub upstream_endpoint: String,
    /// When.
    pub created_at: Timestamp,
}

/// One row of the operations error list.
#[derive(Debug, Clone)]
pub struct OpsError {
    /// Counts up.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// `routing`, `upstream` or `auth`.
    pub phase: String,
    /// The upstream's status where there was one, else the answered one.
    pub status_code: u16,
    /// Error type of the answer.
    pub kind: String,
    /// Path the client called.
    pub inbound_endpoint: String,
    /// Asked for a stream.
    pub stream: bool,
    /// Answered text.
    pub message: String,
    /// Requested model.
    pub model: String,
    /// Key's group.
    pub group_id: Option<i64>,
    /// Key.
    pub api_key_id: i64,
    /// Account tried last.
    pub account_id: Option<i64>,
    /// Hidden by the default view.
    pub business_limited: bool,
}

/// So many days as a duration; the range keeps date arithmetic within the calendar.
pub(super) fn days_long(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days.clamp(-400_000, 400_000))
}
