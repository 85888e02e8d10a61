//! Before anybody is asked for money: what the fraud rules say, who is to be asked, and whether the
//! shopper has to prove who they are.

use super::instrument::Opened;
use super::methods::card::risk;
use super::methods::card::risk::{Assessment, RiskInput, RiskOutcome};
use super::methods::card::route;
use super::methods::card::route::{Query, Route};
use super::methods::card::step_up;
use super::methods::card::step_up::{ChallengeDecision, ChallengeInput};
use super::model::{Payment, StoredCard};
use super::state::PaymentState;
use crate::auth::signed_request::{Source, VerifiedRequest};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::sessions::model::Session;
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::method::Method;
use sealpay_provider::acquirer::UNKNOWN_BRAND;
use std::time::Duration;

/// How long after the provider's time is up a claim without an outcome is looked into.
const LEASE_MARGIN: Duration = Duration::from_secs(1);

/// Decline key: the fraud rules stopped it.
pub(crate) const BLOCKED: &str = "risk_blocked";
/// Decline key: no acquirer takes such a payment.
pub(crate) const NO_ROUTE: &str = "not_permitted_terminal";

/// What is going to be done. Only [`plan`] makes one.
pub(crate) struct Plan {
    payment: Payment,
    course: Course,
}

/// How a payment goes on once it is claimed.
pub(crate) enum Course {
    /// Nobody is asked: the reason is the key of a decline.
    Decline(&'static str),
    /// The acquirers of the route are asked, after the issuer where there is a demand.
    Card {
        route: Route,
        decision: Option<ChallengeDecision>,
    },
    /// The shopper is sent to the wallet.
    Wallet,
    /// The shopper is told where the money has to go.
    BankTransfer,
}

impl Plan {
    pub(crate) const fn payment(&self) -> &Payment {
        &self.payment
    }

    pub(crate) fn into_parts(self) -> (Payment, Course) {
        (self.payment, self.course)
    }
}

/// Until when a claim that is made or taken up now is somebody's, milliseconds since 1970.
pub(crate) fn lease_until_ms(gateway: &Gateway) -> i64 {
    let lease = gateway.settings.provider_timeout + LEASE_MARGIN;
    let lease_ms = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
    gateway.clock.now_ms_i64().saturating_add(lease_ms)
}

/// Looks at everything that has to be known before the attempt is claimed.
pub(crate) async fn plan(
    gateway: &Gateway,
    session: &Session,
    request: &VerifiedRequest,
    opened: &Opened,
) -> Result<Plan, ApiError> {
    let mut payment = new_payment(gateway, session, request);
    let course = match opened {
        Opened::Card(card) => plan_card(gateway, session, request, card, &mut payment).await?,
        Opened::Wallet => {
            payment.method = Method::Wallet;
            gateway
                .providers
                .wallet
                .name()
                .clone_into(&mut payment.provider);
            "method".clone_into(&mut payment.route_reason);
            Course::Wallet
        }
        Opened::BankTransfer => {
            payment.method = Method::BankTransfer;
            gateway
                .providers
                .transfers
                .name()
                .clone_into(&mut payment.provider);
            "method".clone_into(&mut payment.route_reason);
            Course::BankTransfer
        }
    };
    Ok(Plan { payment, course })
}

async fn plan_card(
    gateway: &Gateway,
    session: &Session,
    request: &VerifiedRequest,
    card: &Card,
    payment: &mut Payment,
) -> Result<Course, ApiError> {
    let kept = kept_card(gateway, session, card);
    let country = gateway.providers.issuers.country_of(&card.number);
    let route = route_of(gateway, session, card);
    let rehearsal = &gateway.providers.rehearsal;
    // What a persona's card does is promised, however often it is used from one desk.
    if !rehearsal.is_persona(&card.number) {
        let network = request.source.network();
        payment.address = network.map(|network| {
            gateway
                .encryption
                .address_fingerprint(session.merchant, network)
        });
        let is_unknown = request.source == Source::Unknown;
        let assessment = assess(gateway, session, &kept, payment, country, is_unknown).await?;
        payment.risk = Some(assessment);
    }
    payment.card = Some(kept);
    let risk = payment
        .risk
        .as_ref()
        .map_or(RiskOutcome::Allow, |risk| risk.outcome);
    if risk == RiskOutcome::Block {
        "risk".clone_into(&mut payment.route_reason);
        return Ok(Course::Decline(BLOCKED));
    }
    let Some(route) = route else {
        "none".clone_into(&mut payment.route_reason);
        return Ok(Course::Decline(NO_ROUTE));
    };
    payment.provider = route.acquirers.first().cloned().unwrap_or_default();
    payment.route_reason.clone_from(&route.reason);
    let decision = step_up::decision(&ChallengeInput {
        money: session.money,
        risk,
        merchant_requires: session.requires_authentication,
        is_staged: rehearsal.stages_authentication(&card.number, session.simulate.as_deref()),
    });
    Ok(Course::Card { route, decision })
}

/// Which acquirers a card's payment may be sent to.
pub(crate) fn route_of(gateway: &Gateway, session: &Session, card: &Card) -> Option<Route> {
    route::find(
        gateway.providers.terms(),
        &Query {
            brand: brand_of(card),
            money: session.money,
            country: gateway.providers.issuers.country_of(&card.number),
        },
    )
}

fn brand_of(card: &Card) -> &'static str {
    card.number
        .brand()
        .map_or(UNKNOWN_BRAND, |brand| brand.slug())
}

async fn assess(
    gateway: &Gateway,
    session: &Session,
    card: &StoredCard,
    payment: &Payment,
    issuer_country: Option<&str>,
    is_address_unknown: bool,
) -> Result<Assessment, ApiError> {
    let now_ms = payment.created_at_ms;
    let since_ms = now_ms.saturating_sub(risk::HISTORY_MS);
    let store = &gateway.store;
    let of_card = store
        .payments
        .earlier_of_card(&card.fingerprint, since_ms)
        .await?;
    let of_address = match &payment.address {
        Some(address) => store.payments.earlier_of_address(address, since_ms).await?,
        None => Vec::new(),
    };
    let assessment = risk::assess(&RiskInput {
        money: session.money,
        now_ms,
        issuer_country,
        billing_country: session.billing_country.as_deref(),
        session_attempts: session.attempts,
        is_address_unknown,
        of_card: &of_card,
        of_address: &of_address,
    });
    if !assessment.reasons.is_empty() {
        tracing::info!(payment = %payment.id, outcome = ?assessment.outcome,
            score = assessment.score, reasons = assessment.reasons.join(" "), "fraud rules fit");
    }
    Ok(assessment)
}

fn kept_card(gateway: &Gateway, session: &Session, card: &Card) -> StoredCard {
    let digits = card.number.digits();
    StoredCard {
        brand: brand_of(card).to_owned(),
        last4: card.number.last_four().to_owned(),
        expiry: card.expiry.to_string(),
        fingerprint: gateway
            .encryption
            .card_fingerprint(session.merchant, digits),
        country: gateway
            .providers
            .issuers
            .country_of(&card.number)
            .map(str::to_owned),
    }
}

fn new_payment(gateway: &Gateway, session: &Session, request: &VerifiedRequest) -> Payment {
    let now_ms = gateway.clock.now_ms();
    let created_at_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    Payment {
        id: PaymentId::new(now_ms, gateway.rng.bytes()),
        session: session.id,
        merchant: session.merchant,
        attempt: request.attempt,
        owner: request.thumbprint.as_str().to_owned(),
        body_digest: request.body_digest.clone(),
        order_ref: session.order_ref.clone(),
        money: session.money,
        capture: session.capture,
        method: Method::Card,
        card: None,
        address: None,
        state: PaymentState::Authorizing,
        decline: None,
        provider: String::new(),
        route_reason: String::new(),
        risk: None,
        authentication: None,
        transfer: None,
        captured_minor: 0,
        refunded_minor: 0,
        disputed_minor: 0,
        modification: None,
        simulate: session.simulate.clone(),
        sequence: 0,
        created_at_ms,
        updated_at_ms: created_at_ms,
        lease_until_ms: lease_until_ms(gateway),
    }
}
