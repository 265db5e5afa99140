//! Sale offers, which the host calls plans (`host-contract.md` 4.7). A plan of ours is something
//! else (`plan`), hence the name; on screen and in JSON the resource is called `plan`.

use crate::ids::RemoteId;
use serde::{Deserialize, Serialize};

/// A stored offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Host id.
    pub id: RemoteId,
    /// Fields the cockpit sets.
    #[serde(flatten)]
    pub spec: OfferSpec,
}

/// What we want an offer to be. Names are not unique on the host: look before making one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfferSpec {
    /// Name.
    pub name: String,
    /// The subscription group it would sell.
    pub group_id: RemoteId,
    /// USD, > 0.
    pub price: f64,
    /// Days, > 0.
    pub validity_days: i64,
    /// Ours are never for sale.
    pub for_sale: bool,
}
