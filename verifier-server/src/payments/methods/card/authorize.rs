//! Authorizes a card at the acquirers of its route. The next acquirer is tried only if the request
//! certainly did not reach the previous one, and only after the store has recorded the new one, so
//! that reconciliation after a crash asks the right acquirer.

use super::source::PayingCard;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::payments::model::Payment;
use crate::payments::store::outcome::Recorded;
use crate::payments::{outcome, prepare};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_provider::{
    AuthorizationRequest, CredentialUse, Initiator, ProviderDecision, ProviderError,
};

/// Requests the authorization; returns the payment as it is finally stored.
pub(super) async fn ask(
    gateway: &Gateway,
    payment: Payment,
    card: &PayingCard<'_>,
    acquirers: &[String],
) -> Result<Payment, ApiError> {
    let mut asking = payment;
    let walking = walk(gateway, &mut asking, card, acquirers);
    // All acquirers share one provider timeout, because the lease is no longer than that.
    let walked = tokio::time::timeout(gateway.settings.provider_timeout, walking).await;
    let response = match walked {
        Ok(Walked::Responded(response)) => Some(response),
        // Recovery or another request took over; its result stands.
        Ok(Walked::Overtaken(stored)) => return Ok(*stored),
        Ok(Walked::Refused(error)) => return Err(error),
        Err(_) => None,
    };
    let outcome = outcome::of_authorization(&asking, response);
    outcome::record(gateway, &asking, outcome).await
}

/// The result of trying the acquirers of a route.
enum Walked {
    Responded(Result<ProviderDecision, ProviderError>),
    Overtaken(Box<Payment>),
    Refused(ApiError),
}

async fn walk(
    gateway: &Gateway,
    asking: &mut Payment,
    card: &PayingCard<'_>,
    acquirers: &[String],
) -> Walked {
    let mut response = Err(ProviderError::NotSent("the route names nobody".into()));
    for (place, name) in acquirers.iter().enumerate() {
        if place > 0 {
            match reroute(gateway, asking, name).await {
                Ok(Recorded::Done(rerouted)) => *asking = rerouted,
                Ok(Recorded::NotInState(stored)) => return Walked::Overtaken(Box::new(stored)),
                Err(error) => return Walked::Refused(error),
            }
        }
        response = authorize(gateway, asking, card, name).await;
        if !matches!(response, Err(ProviderError::NotSent(_))) {
            break;
        }
    }
    Walked::Responded(response)
}

async fn authorize(
    gateway: &Gateway,
    payment: &Payment,
    card: &PayingCard<'_>,
    name: &str,
) -> Result<ProviderDecision, ProviderError> {
    let providers = gateway.providers_for(payment.simulate.as_deref());
    let Some(acquirer) = providers.acquirer(name) else {
        return Err(ProviderError::NotSent(format!(
            "there is no acquirer {name}"
        )));
    };
    let details = payment.details.card();
    let storing = details.and_then(|card| card.storing.as_ref());
    let kind = storing.map_or(AgreementKind::CardOnFile, |pending| pending.terms.kind);
    let is_saved = card.instrument().is_some();
    let stored_credential = (is_saved || storing.is_some()).then_some(CredentialUse {
        kind,
        initiator: Initiator::Customer,
        store: storing.is_some() && !is_saved,
        network_transaction_id: card.network_transaction_id(),
    });
    acquirer
        .authorize(AuthorizationRequest {
            reference: payment.id,
            money: payment.money,
            capture: payment.capture,
            source: card.source(),
            authentication: details.and_then(|card| card.authentication.as_ref()),
            stored_credential,
        })
        .await
}

async fn reroute(gateway: &Gateway, payment: &Payment, to: &str) -> Result<Recorded, ApiError> {
    let mut rerouted = payment.clone();
    to.clone_into(&mut rerouted.provider);
    rerouted.route_reason = format!(
        "{}, {} was not reached",
        payment.route_reason, payment.provider
    );
    rerouted.updated_at_ms = gateway.clock.now_ms_i64();
    rerouted.lease_until_ms = prepare::lease_until_ms(gateway);
    tracing::warn!(payment = %payment.id, from = payment.provider, to, "trying the next acquirer");
    Ok(gateway.store.payments.reroute(payment, &rerouted).await?)
}
