//! What the suite pays with: a typed card, or a card that the acquirer has stored before.

use super::run::CheckRun;
use super::{CardKind, Payer};
use crate::credential::{CredentialReference, Initiator};
use crate::{
    Approval, AuthorizationRequest, CardSource, CredentialUse, PaymentProvider, ProviderDecision,
    ProviderFuture,
};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

/// The amount of a payment that stores a card, minor units.
const FIRST_AMOUNT: i64 = 100;

/// What a payment of the suite is charged to.
pub(super) enum PaymentSource {
    /// A typed card.
    Card(Card),
    /// A stored card, which the merchant charges.
    Series(Series),
}

/// A stored card, and the payment that stored it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) credential: CredentialReference,
    pub(super) network_transaction_id: String,
}

impl Series {
    /// How the merchant charges the card.
    pub(super) const fn charge(&self) -> CredentialUse<'_> {
        CredentialUse {
            kind: AgreementKind::Unscheduled,
            initiator: Initiator::Merchant,
            store: false,
            network_transaction_id: Some(self.network_transaction_id.as_str()),
        }
    }
}

impl PaymentSource {
    /// A request that charges it.
    pub(super) const fn request(
        &self,
        reference: PaymentId,
        money: Money,
        capture: Capture,
    ) -> AuthorizationRequest<'_> {
        let (source, stored_credential) = match self {
            Self::Card(card) => (CardSource::Card(card), None),
            Self::Series(series) => (
                CardSource::Credential(&series.credential),
                Some(series.charge()),
            ),
        };
        AuthorizationRequest {
            reference,
            money,
            capture,
            source,
            authentication: None,
            stored_credential,
        }
    }
}

pub(super) fn authorize<'a>(
    acquirer: &'a dyn PaymentProvider,
    reference: PaymentId,
    money: Money,
    capture: Capture,
    source: &'a PaymentSource,
) -> ProviderFuture<'a, ProviderDecision> {
    acquirer.authorize(source.request(reference, money, capture))
}

/// A payment that the shopper initiates with a card, which is stored if it is approved.
pub(super) const fn storing(
    reference: PaymentId,
    money: Money,
    card: &Card,
) -> AuthorizationRequest<'_> {
    AuthorizationRequest {
        reference,
        money,
        capture: Capture::Automatic,
        source: CardSource::Card(card),
        authentication: None,
        stored_credential: Some(CredentialUse {
            kind: AgreementKind::Unscheduled,
            initiator: Initiator::Customer,
            store: true,
            network_transaction_id: None,
        }),
    }
}

impl CheckRun<'_> {
    /// What a payer pays with. A card is stored by a payment of its own.
    pub(super) async fn source(&self, payer: Payer, kind: CardKind) -> PaymentSource {
        if payer != Payer::Credential {
            return PaymentSource::Card(self.card(kind));
        }
        let acquirer = self.acquirer().await;
        PaymentSource::Series(self.store(&*acquirer, kind).await)
    }

    /// Stores a card. One whose payments are declined is declined only when the merchant charges
    /// it.
    pub(super) async fn store(&self, acquirer: &dyn PaymentProvider, kind: CardKind) -> Series {
        let card = match kind {
            CardKind::Declined => self.card(CardKind::DeclinedLater),
            _ => self.card(kind),
        };
        let request = storing(self.payment(), self.money(FIRST_AMOUNT), &card);
        let what = "the payment that stores the card";
        let decision = self.decision(what, acquirer.authorize(request)).await;
        self.series(what, decision)
    }

    /// The stored card that an approval names.
    pub(super) fn series(&self, what: &str, decision: ProviderDecision) -> Series {
        let ProviderDecision::Approved(approval) = decision else {
            self.fail(format!("{what}: {decision:?}"))
        };
        let Approval {
            credential: Some(credential),
            network_transaction_id: Some(network_transaction_id),
            ..
        } = approval
        else {
            self.fail(format!(
                "{what}: no credential or no network transaction id: {approval:?}"
            ))
        };
        Series {
            credential,
            network_transaction_id,
        }
    }
}
