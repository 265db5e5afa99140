//! What a host stores, as its admin API tells it: only the fields the cockpit acts on. Unknown
//! fields are ignored by the adapter, so newer hosts stay readable.

mod account;
mod channel;
mod group;
mod offer;
mod usage;
mod user;

pub use account::{Account, NewAccount, ResponsesMode};
pub use channel::{Channel, ChannelSpec, PricingEntry};
pub use group::{Group, GroupLimits, GroupSpec};
pub use offer::{Offer, OfferSpec};
pub use usage::UsageRow;
pub use user::{ApiKey, NewUser, Standing, Subscription, SubscriptionSpec, User};
