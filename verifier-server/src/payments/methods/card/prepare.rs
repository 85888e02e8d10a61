//! Decisions before a provider is asked: fraud rules, route, and whether the shopper has to
//! authenticate.

use super::acquirer_rules::Route;
use super::authorize;
use super::challenge::{Identified, identify};
use super::consent;
use super::model::CardDetails;
use super::risk::{self, Assessment, RiskInput, RiskOutcome};
use super::source::{self, CardChoice, PayingCard};
use super::step_up::{self, ChallengeDecision, ChallengeInput};
use crate::auth::signed_request::Source;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::payments::methods::details::PaymentDetails;
use crate::payments::methods::{Attempt, Prepared};
use crate::payments::model::Payment;
use crate::payments::outcome::{PaymentOutcome, record};
use crate::payments::prepare::new_payment;
use crate::sessions::model::Session;

/// Decline key: blocked by the fraud rules.
pub(super) const BLOCKED: &str = "risk_blocked";
/// Decline key: no acquirer accepts the payment.
pub(super) const NO_ROUTE: &str = "not_permitted_terminal";

/// Collects the facts and decisions that are needed before the claim.
pub(super) async fn prepare<'a>(
    attempt: Attempt<'a>,
    choice: &'a CardChoice,
    consent: Option<&str>,
) -> Result<Prepared<'a>, ApiError> {
    let Attempt {
        gateway,
        session,
        request,
    } = attempt;
    let card = source::find(attempt, choice).await?;
    let mut details = CardDetails::new(card.stored(attempt));
    details.instrument = card.instrument().map(|instrument| instrument.id);
    details.storing = consent::pending(attempt, consent, details.instrument.is_some()).await?;
    let is_stored = details.storing.is_some();
    let route = card.route(attempt, is_stored);
    if card.is_assessed(gateway) {
        let network = request.source.network();
        details.address = network.map(|network| {
            gateway
                .encryption
                .address_fingerprint(session.merchant, network)
        });
        let is_unknown = request.source == Source::Unknown;
        details.risk = Some(assess(gateway, session, &details, is_unknown).await?);
    }
    let mut payment = new_payment(attempt, PaymentDetails::Card(Box::new(details)));
    let risk = risk_of(&payment);
    log_assessment(&payment);
    if risk == RiskOutcome::Block {
        "risk".clone_into(&mut payment.route_reason);
        return Ok(declined(gateway, payment, BLOCKED));
    }
    let Some(route) = route else {
        "none".clone_into(&mut payment.route_reason);
        return Ok(declined(gateway, payment, NO_ROUTE));
    };
    payment.provider = route.acquirers.first().cloned().unwrap_or_default();
    payment.route_reason.clone_from(&route.reason);
    let decision = step_up::decision(&ChallengeInput {
        money: session.money,
        risk,
        merchant_requires: session.requires_authentication,
        is_stored,
        is_staged: card.stages_authentication(attempt),
    });
    Ok(Prepared {
        payment,
        start: Box::new(move |payment| Box::pin(start(attempt, card, route, decision, payment))),
    })
}

fn log_assessment(payment: &Payment) {
    let assessment = payment.details.card().and_then(|card| card.risk.as_ref());
    if let Some(assessment) = assessment.filter(|assessment| !assessment.reasons.is_empty()) {
        tracing::info!(payment = %payment.id, outcome = ?assessment.outcome,
            score = assessment.score, reasons = assessment.reasons.join(" "),
            "fraud rules matched");
    }
}

/// The fraud rules' outcome for a card payment.
pub(super) fn risk_of(payment: &Payment) -> RiskOutcome {
    let risk = payment.details.card().and_then(|card| card.risk.as_ref());
    risk.map_or(RiskOutcome::Allow, |risk| risk.outcome)
}

/// Declines without asking a provider; `reason` is the decline key.
fn declined<'a>(gateway: &'a Gateway, payment: Payment, reason: &'static str) -> Prepared<'a> {
    let start = async move |payment: Payment| {
        record(gateway, &payment, PaymentOutcome::declined(reason)).await
    };
    Prepared {
        payment,
        start: Box::new(move |payment| Box::pin(start(payment))),
    }
}

/// Requests authentication if that was decided, then the authorization.
async fn start(
    attempt: Attempt<'_>,
    card: PayingCard<'_>,
    route: Route,
    decision: Option<ChallengeDecision>,
    payment: Payment,
) -> Result<Payment, ApiError> {
    let payment = match decision {
        None => payment,
        Some(decision) => match identify(attempt, payment, &card, decision).await? {
            Identified::Continue(payment) => payment,
            Identified::Finished(stored) => return Ok(stored),
        },
    };
    authorize::ask(attempt.gateway, payment, &card, &route.acquirers).await
}

async fn assess(
    gateway: &Gateway,
    session: &Session,
    details: &CardDetails,
    is_address_unknown: bool,
) -> Result<Assessment, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let since_ms = now_ms.saturating_sub(risk::HISTORY_MS);
    let store = &gateway.store;
    let of_card = store
        .payments
        .earlier_of_card(&details.card.fingerprint, since_ms)
        .await?;
    let of_address = match &details.address {
        Some(address) => store.payments.earlier_of_address(address, since_ms).await?,
        None => Vec::new(),
    };
    Ok(risk::assess(&RiskInput {
        money: session.money,
        now_ms,
        issuer_country: details.card.country.as_deref(),
        billing_country: session.billing_country.as_deref(),
        session_attempts: session.attempts,
        is_address_unknown,
        of_card: &of_card,
        of_address: &of_address,
    }))
}
