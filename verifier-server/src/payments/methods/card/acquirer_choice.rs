//! The route of a card payment.

use super::acquirer_rules::{self, Query, Route};
use crate::gateway::Gateway;
use crate::sessions::model::Session;
use sealpay_protocol::card::Card;
use sealpay_provider::acquirer::UNKNOWN_BRAND;

/// The acquirers to try for a card payment.
pub(super) fn route_of(gateway: &Gateway, session: &Session, card: &Card) -> Option<Route> {
    acquirer_rules::find(
        gateway.providers.terms(),
        &Query {
            brand: brand_of(card),
            money: session.money,
            country: gateway.providers.issuers.country_of(&card.number),
        },
    )
}

/// The brand slug of a card.
pub(super) fn brand_of(card: &Card) -> &'static str {
    card.number
        .brand()
        .map_or(UNKNOWN_BRAND, |brand| brand.slug())
}
