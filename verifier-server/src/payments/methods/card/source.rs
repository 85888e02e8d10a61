//! The card of an attempt: typed now, or saved by an earlier payment.

use super::acquirer_choice::{self, brand_of};
use super::acquirer_rules::Route;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::instruments::model::{Instrument, StoredCard};
use crate::payments::methods::Attempt;
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::card::{Brand, Card};
use sealpay_protocol::ids::InstrumentId;
use sealpay_provider::CardSource;

/// The key of the route to the acquirer that has stored the card.
pub(crate) const STORED: &str = "stored_credential";

/// What the request says about the card.
pub(super) enum CardChoice {
    /// The shopper typed it.
    Typed(Card),
    /// The shopper chose a saved one.
    Saved(InstrumentId),
}

/// The card that pays.
pub(super) enum PayingCard<'a> {
    Typed(&'a Card),
    Saved(Box<SavedCard>),
}

/// A saved card with what its acquirer needs.
pub(super) struct SavedCard {
    pub(super) instrument: Instrument,
    /// The scheme's id of the payment by which it was saved.
    pub(super) network_transaction_id: Option<String>,
}

/// Finds the card that pays.
///
/// # Errors
/// [`ErrorCode::InstrumentUnavailable`] if the order's customer may not pay with it: the responses
/// for unknown, foreign and removed cards are the same.
pub(super) async fn find<'a>(
    attempt: Attempt<'a>,
    choice: &'a CardChoice,
) -> Result<PayingCard<'a>, ApiError> {
    let id = match choice {
        CardChoice::Typed(card) => return Ok(PayingCard::Typed(card)),
        CardChoice::Saved(id) => *id,
    };
    let Attempt {
        gateway, session, ..
    } = attempt;
    let unavailable = || ApiError::for_param(ErrorCode::InstrumentUnavailable, "instrument");
    let store = &gateway.store;
    let reference = session.customer.as_deref();
    let reference = reference.filter(|_| session.invoice.is_none());
    let reference = reference.ok_or_else(unavailable)?;
    let customer = store
        .customers
        .get_by_reference(session.merchant, reference);
    let customer = customer.await?.ok_or_else(unavailable)?;
    let found = store.instruments.get_owned(session.merchant, id).await?;
    let instrument = found
        .filter(|one| one.customer == customer.id && one.state.is_chargeable())
        .ok_or_else(unavailable)?;
    let agreements = store.agreements.of_instrument(id).await?;
    let on_file = agreements
        .into_iter()
        .find(|agreement| agreement.kind == AgreementKind::CardOnFile)
        .ok_or_else(unavailable)?;
    Ok(PayingCard::Saved(Box::new(SavedCard {
        instrument,
        network_transaction_id: on_file.network_transaction_id,
    })))
}

impl PayingCard<'_> {
    pub(super) fn source(&self) -> CardSource<'_> {
        match self {
            Self::Typed(card) => CardSource::Card(card),
            Self::Saved(saved) => CardSource::Credential(&saved.instrument.credential),
        }
    }

    pub(super) fn brand(&self) -> Option<Brand> {
        match self {
            Self::Typed(card) => card.number.brand(),
            Self::Saved(saved) => Brand::from_slug(&saved.instrument.card.brand),
        }
    }

    pub(super) const fn instrument(&self) -> Option<&Instrument> {
        match self {
            Self::Typed(_) => None,
            Self::Saved(saved) => Some(&saved.instrument),
        }
    }

    /// The scheme's id of the payment by which the card was saved.
    pub(super) fn network_transaction_id(&self) -> Option<&str> {
        match self {
            Self::Typed(_) => None,
            Self::Saved(saved) => saved.network_transaction_id.as_deref(),
        }
    }

    /// The part of the card that may be stored.
    pub(super) fn stored(&self, attempt: Attempt<'_>) -> StoredCard {
        let Attempt {
            gateway, session, ..
        } = attempt;
        match self {
            Self::Saved(saved) => saved.instrument.card.clone(),
            Self::Typed(card) => StoredCard {
                brand: brand_of(card).to_owned(),
                last4: card.number.last_four().to_owned(),
                expiry: card.expiry.to_string(),
                fingerprint: gateway
                    .encryption
                    .card_fingerprint(session.merchant, card.number.digits()),
                country: gateway
                    .providers
                    .issuers
                    .country_of(&card.number)
                    .map(str::to_owned),
            },
        }
    }

    /// Whether the fraud rules apply. The outcome of a persona's card is fixed, however often it is
    /// used from one address.
    pub(super) fn is_assessed(&self, gateway: &Gateway) -> bool {
        match self {
            Self::Saved(saved) => saved.instrument.is_assessed,
            Self::Typed(card) => {
                let scenarios = gateway.providers.test_scenarios.as_ref();
                !scenarios.is_some_and(|scenarios| scenarios.is_persona(&card.number))
            }
        }
    }

    /// Whether a test card or a requested outcome asks for authentication. What a saved card does is
    /// up to its issuer, which is always asked.
    pub(super) fn stages_authentication(&self, attempt: Attempt<'_>) -> bool {
        let Attempt {
            gateway, session, ..
        } = attempt;
        match self {
            Self::Saved(_) => true,
            Self::Typed(card) => {
                let outcome = session.simulate.as_deref();
                let scenarios = gateway.providers.test_scenarios.as_ref();
                scenarios.is_some_and(|all| all.stages_authentication(&card.number, outcome))
            }
        }
    }

    /// The acquirers to try. Only the acquirer that has stored a card can charge it, and only one
    /// that stores cards is asked to.
    pub(super) fn route(&self, attempt: Attempt<'_>, is_stored: bool) -> Option<Route> {
        let Attempt {
            gateway, session, ..
        } = attempt;
        let mut route = match self {
            Self::Typed(card) => acquirer_choice::route_of(gateway, session, card)?,
            Self::Saved(saved) => Route {
                acquirers: vec![saved.instrument.provider.clone()],
                reason: STORED.to_owned(),
            },
        };
        if is_stored || self.instrument().is_some() {
            let providers = &gateway.providers;
            route
                .acquirers
                .retain(|name| providers.credentials(name).is_some());
        }
        (!route.acquirers.is_empty()).then_some(route)
    }
}
