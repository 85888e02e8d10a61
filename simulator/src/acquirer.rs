//! Acquirers of the simulated world: `data/acquirers.json` says what they take and what they cost.

use super::book;
use super::outcome::Directive;
use super::world::{CardAuthorization, World};
use sealpay_protocol::card::Brand;
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::acquirer::UNKNOWN_BRAND;
use sealpay_provider::{
    AcquirerTerms, AuthorizationRequest, Inquiry, ModificationRequest, PaymentOperations,
    PaymentProvider, ProviderDecision, ProviderFuture,
};
use std::sync::{Arc, LazyLock};

static ALL: LazyLock<Vec<AcquirerTerms>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty list never ships.
    serde_json::from_str(include_str!("../data/acquirers.json")).unwrap_or_default()
});

/// What every acquirer takes.
#[must_use]
pub fn all() -> &'static [AcquirerTerms] {
    &ALL
}

/// An acquirer of the simulated world.
#[derive(Debug)]
pub(super) struct Acquirer {
    pub(super) world: Arc<World>,
    pub(super) terms: &'static AcquirerTerms,
    /// What the order asks for.
    pub(super) directive: Option<Directive>,
}

impl PaymentProvider for Acquirer {
    fn terms(&self) -> &AcquirerTerms {
        self.terms
    }

    fn authorize<'a>(
        &'a self,
        request: AuthorizationRequest<'a>,
    ) -> ProviderFuture<'a, ProviderDecision> {
        let brand = request
            .card
            .number
            .brand()
            .map_or(UNKNOWN_BRAND, Brand::slug);
        let currency = request.money.currency();
        let authorization = CardAuthorization {
            acquirer: &self.terms.name,
            takes_it: self.terms.takes(brand, currency),
            directed: self.directive.as_ref().map(|asked| &asked.outcome),
            request,
        };
        Box::pin(self.world.authorize_card(authorization))
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move {
            let name = &self.terms.name;
            self.world.reach(name, reference).await?;
            self.world.inquire(name, reference).await
        })
    }
}

impl PaymentOperations for Acquirer {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        let name = &self.terms.name;
        Box::pin(self.world.modify(name, request, |tx, change| {
            Box::pin(book::modify_authorization(tx, change))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::all;
    use sealpay_protocol::card::Brand;
    use sealpay_protocol::currency::Currency;
    use sealpay_provider::acquirer::UNKNOWN_BRAND;

    #[test]
    fn somebody_takes_every_card_in_every_currency() {
        let brands = Brand::ALL.into_iter().map(Brand::slug);
        for brand in brands.chain([UNKNOWN_BRAND]) {
            for currency in Currency::all() {
                let mut acquirers = all().iter();
                assert!(
                    acquirers.any(|one| one.takes(brand, currency)),
                    "{brand} {currency}"
                );
            }
        }
    }

    #[test]
    fn acquirers_take_brands_and_currencies_that_exist() {
        assert_ne!(all()[0].fee, all()[1].fee);
        for acquirer in all() {
            for brand in acquirer.brands.iter().filter(|brand| *brand != "*") {
                assert!(Brand::from_slug(brand).is_some(), "{brand}");
            }
            for code in acquirer.currencies.iter().filter(|code| *code != "*") {
                assert!(code.parse::<Currency>().is_ok(), "{code}");
            }
        }
    }
}
