//! Acquirers of the simulated world. What they take and cost is known to the routes.

use super::book;
use super::world::{CardAuthorization, World};
use crate::payments::methods::card::route;
use crate::provider::{
    AuthorizationRequest, Inquiry, ModificationRequest, PaymentOperations, PaymentProvider,
    ProviderDecision, ProviderFuture,
};
use sealpay_protocol::card::Brand;
use sealpay_protocol::ids::PaymentId;
use std::sync::Arc;

/// An acquirer of the simulated world.
#[derive(Debug)]
pub(super) struct Acquirer {
    pub(super) world: Arc<World>,
    pub(super) facts: &'static route::Acquirer,
}

impl PaymentProvider for Acquirer {
    fn name(&self) -> &'static str {
        &self.facts.name
    }

    fn authorize<'a>(
        &'a self,
        request: AuthorizationRequest<'a>,
    ) -> ProviderFuture<'a, ProviderDecision> {
        let brand = request
            .card
            .number
            .brand()
            .map_or(route::UNKNOWN_BRAND, Brand::slug);
        let currency = request.money.currency();
        let authorization = CardAuthorization {
            acquirer: &self.facts.name,
            takes_it: self.facts.takes(brand, currency),
            request,
        };
        Box::pin(self.world.authorize_card(authorization))
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move {
            let name = &self.facts.name;
            self.world.reach(name, reference).await?;
            self.world.inquire(name, reference).await
        })
    }
}

impl PaymentOperations for Acquirer {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        let name = &self.facts.name;
        Box::pin(self.world.modify(name, request, |tx, change| {
            Box::pin(book::modify_authorization(tx, change))
        }))
    }
}
