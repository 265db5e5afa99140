//! Sale offers, `plans` on the wire (`host-contract.md` 4.7): a plain array without zero values.

use super::call::Call;
use super::client::HostHttp;
use super::wire::or_default;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{Offer, OfferSpec};
use cockpit_engine::failure::Outcome;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct WireOffer {
    id: RemoteId,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default)]
    group_id: Option<RemoteId>,
    #[serde(default, deserialize_with = "or_default")]
    price: f64,
    #[serde(default, deserialize_with = "or_default")]
    validity_days: i64,
    #[serde(default, deserialize_with = "or_default")]
    for_sale: bool,
}

impl HostHttp {
    fn offer(&self, wire: &WireOffer) -> Offer {
        Offer {
            id: wire.id,
            spec: OfferSpec {
                name: self.line(&wire.name),
                group_id: wire.group_id.unwrap_or(RemoteId(0)),
                price: wire.price,
                validity_days: wire.validity_days,
                for_sale: wire.for_sale,
            },
        }
    }

    pub(super) async fn list_offers(&self) -> Outcome<Vec<Offer>> {
        let rows = self
            .array::<WireOffer>(&Call::read("/payment/plans", "reading the sale offers"))
            .await?;
        Ok(rows.iter().map(|row| self.offer(row)).collect())
    }

    pub(super) async fn make_offer(&self, spec: &OfferSpec) -> Outcome<Offer> {
        let doing = format!("creating sale offer `{}`", spec.name);
        let call = Call::write(Method::POST, "/payment/plans", doing).body(json!({
            "name": spec.name,
            "group_id": spec.group_id.0,
            "price": spec.price,
            "validity_days": spec.validity_days,
            "validity_unit": "day",
            "for_sale": spec.for_sale,
        }));
        self.get(&call).await.map(|row: WireOffer| self.offer(&row))
    }

    pub(super) async fn drop_offer(&self, id: RemoteId) -> Outcome<bool> {
        let path = format!("/payment/plans/{id}");
        let doing = format!("deleting sale offer {id}");
        let mut refused = match self.remove(&Call::write(Method::DELETE, path, doing)).await {
            Err(failure) if failure.status() == 500 => failure,
            outcome => return outcome,
        };
        // A missing offer is a bare 500 (trap 16), as is real trouble: the list tells them apart.
        match self.list_offers().await {
            Ok(offers) if offers.iter().all(|offer| offer.id != id) => Ok(false),
            Ok(_) => {
                refused.maybe_done = false;
                Err(refused)
            }
            Err(_) => Err(refused),
        }
    }
}
