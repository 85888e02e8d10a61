//! Payments that the merchant starts by an agreement: the shopper is not present, and the agreement
//! has to permit each one.
//!
//! The steps are those of every payment: claim (transaction 1) → ask the provider, with no
//! transaction open → record (transaction 2). After a crash, recovery asks the provider.

use super::methods;
use super::methods::Charge;
use super::methods::card::source::STORED;
use super::methods::details::PaymentDetails;
use super::model::Payment;
use super::prepare::lease_until_ms;
use super::state::PaymentState;
use crate::agreements;
use crate::agreements::model::{Agreement, NotPermitted};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::Written;
use crate::instruments::model::{Instrument, InstrumentState};
use crate::sessions;
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::{Capture, Simulate};
use sealpay_protocol::text;
use serde::Deserialize;
use utoipa::ToSchema;

/// A payment by an agreement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeRequest {
    /// Minor units of the agreement's currency, at most the agreement's maximum.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    pub amount: i64,
    /// ISO 4217; the agreement's currency, which it has to be, if omitted.
    pub currency: Option<String>,
    /// The merchant's order number: 1 to 64 printable ASCII characters.
    #[schema(min_length = 1, max_length = 64, pattern = "^[ -~]+$")]
    pub order_ref: String,
    /// When the payment is captured; `automatic` if omitted.
    pub capture: Option<Capture>,
    /// Requests an outcome from the simulated bank; test mode only.
    pub simulate: Option<Simulate>,
}

/// Charges an agreement's instrument, once for each `Idempotency-Key`. A decline is not an error.
///
/// # Errors
/// An error; no provider was asked. [`ErrorCode::NotFound`] also for another merchant's agreement.
pub async fn charge(
    gateway: &Gateway,
    request: &IdempotentRequest,
    agreement: &str,
    wanted: ChargeRequest,
) -> Result<Payment, ApiError> {
    if let Some(made) = idempotency::made_before(gateway, request).await? {
        return get(gateway, made).await;
    }
    let agreement = agreements::service::get(gateway, request.merchant, agreement).await?;
    let money = amount(&agreement, &wanted)?;
    if !text::is_reference(&wanted.order_ref) {
        let detail = "order_ref must be 1 to 64 printable ASCII characters.";
        return Err(ApiError::invalid("order_ref", detail));
    }
    let simulate = wanted.simulate.as_ref();
    sessions::open::check_simulation(gateway, simulate)?;
    permitted(&agreement, money)?;
    let instrument = gateway.store.instruments.get(agreement.instrument).await?;
    let instrument = chargeable(instrument)?;
    let charge = Charge {
        agreement: &agreement,
        instrument: &instrument,
    };
    let method = methods::find(instrument.method);
    let details = method.charged_details(gateway, charge, money)?;
    let payment = new(gateway, request, (charge, details), (money, wanted));
    let claimed = gateway.store.payments.claim_by_agreement(&payment, request);
    match claimed.await.map_err(ApiError::of_first_transaction)? {
        Written::Done => method.charge(gateway, charge, payment).await,
        Written::Repeated(replay) => get(gateway, replay.resource()?).await,
        Written::Moved => Err(ApiError::new(ErrorCode::AgreementInactive)),
    }
}

/// An instrument that was detached has no active agreement any more.
fn chargeable(instrument: Option<Instrument>) -> Result<Instrument, ApiError> {
    let code = match instrument {
        Some(instrument) if instrument.state.is_chargeable() => return Ok(instrument),
        Some(instrument) if instrument.state == InstrumentState::Closed => {
            ErrorCode::InstrumentUnavailable
        }
        _ => ErrorCode::AgreementInactive,
    };
    Err(ApiError::new(code))
}

async fn get(gateway: &Gateway, id: PaymentId) -> Result<Payment, ApiError> {
    let found = gateway.store.payments.get(id).await?;
    found.ok_or_else(idempotency::missing)
}

fn amount(agreement: &Agreement, wanted: &ChargeRequest) -> Result<Money, ApiError> {
    let currency = match &wanted.currency {
        None => agreement.currency,
        Some(code) => code
            .parse()
            .map_err(|_| ApiError::for_param(ErrorCode::CurrencyUnknown, "currency"))?,
    };
    Money::charge(wanted.amount, currency)
        .map_err(|_| ApiError::for_param(ErrorCode::AmountInvalid, "amount"))
}

fn permitted(agreement: &Agreement, money: Money) -> Result<(), ApiError> {
    agreement.permits(money).map_err(|reason| match reason {
        NotPermitted::Inactive => ApiError::new(ErrorCode::AgreementInactive),
        NotPermitted::CustomerInitiatedOnly => ApiError::new(ErrorCode::AgreementNotChargeable),
        NotPermitted::Currency(currency) => {
            let detail = format!("The agreement is for payments in {currency}.");
            ApiError::for_param(ErrorCode::AgreementCurrencyMismatch, "currency").explained(detail)
        }
        NotPermitted::AboveMaximum(maximum) => {
            let detail = format!("The customer agreed to at most {maximum} minor units.");
            ApiError::for_param(ErrorCode::AgreementMaximumExceeded, "amount").explained(detail)
        }
    })
}

fn new(
    gateway: &Gateway,
    request: &IdempotentRequest,
    (charge, details): (Charge<'_>, PaymentDetails),
    (money, wanted): (Money, ChargeRequest),
) -> Payment {
    let Charge {
        agreement,
        instrument,
    } = charge;
    let now_ms = gateway.clock.now_ms();
    let created_at_ms = gateway.clock.now_ms_i64();
    Payment {
        id: PaymentId::new(now_ms, gateway.rng.bytes()),
        session: None,
        agreement: Some(agreement.id),
        merchant: agreement.merchant,
        attempt: AttemptId::new(now_ms, gateway.rng.bytes()),
        owner: request.credential.clone(),
        body_digest: request.digest.clone(),
        order_ref: wanted.order_ref,
        money,
        capture: wanted.capture.unwrap_or(Capture::Automatic),
        details,
        state: PaymentState::Authorizing,
        decline: None,
        provider: instrument.provider.clone(),
        route_reason: STORED.to_owned(),
        captured_minor: 0,
        refunded_minor: 0,
        disputed_minor: 0,
        returned_minor: 0,
        modification: None,
        simulate: wanted.simulate.map(|simulate| simulate.outcome),
        sequence: 0,
        created_at_ms,
        updated_at_ms: created_at_ms,
        lease_until_ms: lease_until_ms(gateway),
    }
}
