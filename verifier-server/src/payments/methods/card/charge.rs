//! Payments with a stored card that the merchant starts.

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::payments::methods::Charge;
use crate::payments::model::Payment;
use crate::payments::outcome;
use sealpay_provider::{AuthorizationRequest, CardSource, CredentialUse, Initiator, ProviderError};

/// Asks the acquirer that keeps the card, and records the outcome.
pub(super) async fn charge(
    gateway: &Gateway,
    charge: Charge<'_>,
    payment: Payment,
) -> Result<Payment, ApiError> {
    let Charge {
        agreement,
        instrument,
    } = charge;
    let providers = gateway.providers_for(payment.simulate.as_deref());
    let response = match providers.acquirer(&payment.provider) {
        None => Err(ProviderError::NotSent(format!(
            "there is no acquirer {}",
            payment.provider
        ))),
        Some(acquirer) => {
            let asked = acquirer.authorize(AuthorizationRequest {
                reference: payment.id,
                money: payment.money,
                capture: payment.capture,
                source: CardSource::Credential(&instrument.credential),
                authentication: None,
                stored_credential: Some(CredentialUse {
                    kind: agreement.kind,
                    initiator: Initiator::Merchant,
                    store: false,
                    network_transaction_id: agreement.network_transaction_id.as_deref(),
                }),
            });
            gateway.within(asked).await
        }
    };
    let outcome = outcome::of_authorization(&payment, Some(response));
    outcome::record(gateway, &payment, outcome).await
}
