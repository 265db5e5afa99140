//! Creating the sale offer. Names are not unique there: a lost answer is looked up, and doubles
//! are swept at the end (trap 31).

use crate::basis::Basis;
use crate::failure::Outcome;
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use async_trait::async_trait;
use cockpit_domain::inventory::{Offer, OfferSpec};
use cockpit_domain::journal::StepKind;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use serde_json::{Value, json};

pub(in crate::import) struct CreateOffer<'a> {
    pub(in crate::import) scene: &'a Scene,
    pub(in crate::import) spec: OfferSpec,
}

#[async_trait]
impl RemoteWrite for CreateOffer<'_> {
    type Made = Offer;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::CreatePlan,
            resource: ResourceKind::Plan,
            target: self.spec.name.clone(),
            request: json!(self.spec),
            before: Value::Null,
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        // Names of offers are not unique over there, so that nothing else would notice a second one.
        let made = self.look("").await?;
        Ok(made.map(|made| Basis::of(json!({"id": null}), Some(json!({"id": made.id})))))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<Offer>> {
        let offers = self.scene.api.offers().await?;
        Ok(offers.into_iter().find(|offer| {
            offer.spec.name == self.spec.name && offer.spec.group_id == self.spec.group_id
        }))
    }

    async fn send(&self, _key: &str) -> Outcome<Offer> {
        self.scene.api.create_offer(&self.spec).await
    }

    fn record(&self, made: &Offer) -> Option<BatchResource> {
        Some(self.scene.resource(
            ResourceKind::Plan,
            made.id,
            &made.spec.name,
            Origin::Created,
            recorded::of_offer(made),
        ))
    }

    fn answer(&self, made: &Offer) -> String {
        format!("plan #{}", made.id)
    }
}
