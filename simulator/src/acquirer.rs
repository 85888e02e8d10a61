//! The simulated acquirers. `data/acquirers.json` has the cards that they accept and their fees.

use super::fault::RequestKind;
use super::journal::modify_authorization;
use super::outcome::Directive;
use super::simulation::{CardAuthorization, Simulation};
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{
    AcquirerTerms, Approval, AuthorizationRequest, CredentialVault, Inquiry, ModificationRequest,
    PaymentOperations, PaymentProvider, ProviderDecision, ProviderFuture,
};
use std::sync::{Arc, LazyLock};

static ALL: LazyLock<Vec<AcquirerTerms>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty list never ships.
    serde_json::from_str(include_str!("../data/acquirers.json")).unwrap_or_default()
});

/// The terms of every acquirer.
#[must_use]
pub fn all() -> &'static [AcquirerTerms] {
    &ALL
}

/// A simulated acquirer.
#[derive(Debug)]
pub(crate) struct Acquirer {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) terms: &'static AcquirerTerms,
    /// The outcome that the order asks for.
    pub(crate) directive: Option<Directive>,
}

impl PaymentProvider for Acquirer {
    fn terms(&self) -> &AcquirerTerms {
        self.terms
    }

    fn credentials(&self) -> Option<&dyn CredentialVault> {
        Some(self)
    }

    fn authorize<'a>(
        &'a self,
        request: AuthorizationRequest<'a>,
    ) -> ProviderFuture<'a, ProviderDecision> {
        let authorization = CardAuthorization {
            terms: self.terms,
            directed: self.directive.as_ref().map(|directive| &directive.outcome),
            request,
        };
        Box::pin(self.simulation.authorize_card(authorization))
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move {
            let name = &self.terms.name;
            let inquiry = RequestKind::Inquiry;
            self.simulation.receive(inquiry, name, reference).await?;
            self.simulation.inquire(name, reference).await
        })
    }
}

impl PaymentOperations for Acquirer {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        Box::pin(async move {
            let name = &self.terms.name;
            let modifying = self.simulation.modify(name, request, |tx, change| {
                Box::pin(modify_authorization(tx, change))
            });
            match modifying.await? {
                ProviderDecision::Approved(codes) if request.kind == ModificationKind::Capture => {
                    let reference = self.simulation.acquirer_reference(name, request.payment);
                    Ok(ProviderDecision::Approved(Approval {
                        acquirer_reference: Some(reference),
                        ..codes
                    }))
                }
                decision => Ok(decision),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::all;
    use sealpay_protocol::card::Brand;
    use sealpay_protocol::currency::Currency;
    use sealpay_provider::acquirer::UNKNOWN_BRAND;

    #[test]
    fn every_card_is_accepted_in_every_currency() {
        let brands = Brand::ALL.into_iter().map(Brand::slug);
        for brand in brands.chain([UNKNOWN_BRAND]) {
            for currency in Currency::all() {
                let is_accepted = all().iter().any(|terms| terms.takes(brand, currency));
                assert!(is_accepted, "{brand} {currency}");
            }
        }
    }

    #[test]
    fn accepted_brands_and_currencies_exist() {
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
