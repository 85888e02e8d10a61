//! Cards: decrypted, assessed for fraud, routed, authenticated if required, and authorized by the
//! acquirers of the route.

mod acquirer_choice;
pub mod acquirer_rules;
pub mod authorize;
mod challenge;
mod charge;
mod consent;
mod decrypt;
pub mod model;
mod prepare;
pub mod risk;
pub(crate) mod source;
pub mod step_up;
pub mod velocity;

use super::details::PaymentDetails;
use super::{Attempt, Charge, Instrument, MethodFuture, PaymentMethod, Prepared};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::model::Payment;
use crate::payments::outcome::{PaymentOutcome, record};
use model::CardDetails;
use risk::RiskOutcome;
use sealpay_protocol::api::{ActionView, EnrolmentView, PayRequest};
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::money::Money;
use sealpay_provider::authentication::Step;
use sealpay_provider::{Inquiry, PaymentOperations, ProviderFuture, Providers};
use source::CardChoice;

pub(super) struct CardMethod;

/// The card of this attempt, and the sentence that the shopper agreed to.
struct CardInstrument {
    choice: CardChoice,
    consent: Option<String>,
}

impl Instrument for CardInstrument {
    fn prepare<'a>(
        &'a self,
        attempt: Attempt<'a>,
    ) -> MethodFuture<'a, Result<Prepared<'a>, ApiError>> {
        Box::pin(prepare::prepare(
            attempt,
            &self.choice,
            self.consent.as_deref(),
        ))
    }

    fn resume<'a>(
        &'a self,
        attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(challenge::resume(attempt, stored, Some(&self.choice)))
    }
}

impl PaymentMethod for CardMethod {
    fn is_offered(&self, gateway: &Gateway) -> bool {
        !gateway.providers.acquirers.is_empty()
    }

    fn stores_instruments(&self) -> bool {
        true
    }

    fn is_encrypted(&self) -> bool {
        true
    }

    fn check(&self, body: &PayRequest) -> Result<(), ApiError> {
        if body.card.is_some() != body.instrument.is_some() && body.debit.is_none() {
            return Ok(());
        }
        let detail = "card or instrument must be there with the method card, and not both.";
        Err(ApiError::for_param(ErrorCode::MalformedRequest, "card").explained(detail))
    }

    fn instrument(
        &self,
        attempt: Attempt<'_>,
        body: PayRequest,
    ) -> Result<Box<dyn Instrument>, ApiError> {
        let consent = consent::check(attempt.session, body.consent)?;
        let choice = match (body.card, body.instrument) {
            (Some(sealed), _) => CardChoice::Typed(decrypt::decrypt(attempt, &sealed)?),
            (None, Some(id)) => CardChoice::Saved(id),
            (None, None) => return Err(ApiError::new(ErrorCode::MalformedRequest)),
        };
        Ok(Box::new(CardInstrument { choice, consent }))
    }

    fn resume<'a>(
        &'a self,
        attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(challenge::resume(attempt, stored, None))
    }

    fn step<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: Payment,
        attempt: AttemptId,
        step: Step,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(challenge::step(gateway, payment, attempt, step))
    }

    fn cancel<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: Payment,
        attempt: AttemptId,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async move {
            let authenticator = &gateway.providers.authenticator;
            let asked = authenticator.step(payment.id, attempt, Step::Cancel);
            // Whatever the issuer responds, no authorization was requested.
            gateway.within(asked).await?;
            let outcome = PaymentOutcome::declined("payment_abandoned");
            record(gateway, &payment, outcome).await
        })
    }

    fn expire<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
    ) -> MethodFuture<'a, Result<bool, ApiError>> {
        Box::pin(async move {
            let outcome = PaymentOutcome::declined("payment_abandoned");
            record(gateway, payment, outcome).await.map(|_| true)
        })
    }

    /// The fraud rules blocked the payment, and the server crashed before recording that.
    fn outcome_unasked(&self, payment: &Payment) -> Option<PaymentOutcome> {
        if !payment.provider.is_empty() {
            return None;
        }
        let reason = match prepare::risk_of(payment) {
            RiskOutcome::Block => prepare::BLOCKED,
            RiskOutcome::Allow | RiskOutcome::StepUp | RiskOutcome::Review => prepare::NO_ROUTE,
        };
        Some(PaymentOutcome::declined(reason))
    }

    fn inquire<'a>(
        &self,
        providers: &'a Providers,
        provider: &str,
        payment: &Payment,
    ) -> Option<ProviderFuture<'a, Inquiry>> {
        let acquirer = providers.acquirer(provider)?;
        Some(acquirer.inquire(payment.id))
    }

    fn operations<'a>(
        &self,
        providers: &'a Providers,
        provider: &str,
    ) -> Option<&'a dyn PaymentOperations> {
        let acquirer = providers.acquirer(provider)?;
        Some(acquirer)
    }

    fn charged_details(
        &self,
        _gateway: &Gateway,
        charge: Charge<'_>,
        _money: Money,
    ) -> Result<PaymentDetails, ApiError> {
        let mut details = CardDetails::new(charge.instrument.card.clone());
        details.instrument = Some(charge.instrument.id);
        Ok(PaymentDetails::Card(Box::new(details)))
    }

    fn charge<'a>(
        &'a self,
        gateway: &'a Gateway,
        charge: Charge<'a>,
        payment: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(charge::charge(gateway, charge, payment))
    }

    fn action<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
        requester: &'a str,
    ) -> MethodFuture<'a, Option<ActionView>> {
        Box::pin(challenge::action(gateway, payment, requester))
    }

    fn enrolment<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
        requester: &'a str,
    ) -> MethodFuture<'a, Option<EnrolmentView>> {
        Box::pin(challenge::enrolment(gateway, payment, requester))
    }
}
