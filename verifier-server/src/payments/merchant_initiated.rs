//! Payments that the merchant starts by an agreement: the shopper is not present, and the agreement
//! has to permit each one.
//!
//! The steps are those of every payment: claim (transaction 1) → ask the provider, with no
//! transaction open → record (transaction 2). After a crash, recovery asks the provider.

use super::methods;
use super::methods::card::source::STORED;
use super::methods::{Charge, PaymentMethod};
use super::model::Payment;
use super::prepare::lease_until_ms;
use super::state::PaymentState;
use super::store::claim::InvoiceTry;
use crate::agreements;
use crate::agreements::model::{Agreement, NotPermitted};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::Written;
use crate::instruments::model::{Instrument, InstrumentState};
use sealpay_protocol::ids::{AgreementId, AttemptId, InvoiceId, MerchantId, PaymentId};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::{Capture, Simulate};
use sealpay_protocol::text;
use serde::Deserialize;
use utoipa::ToSchema;

/// How often a charge is claimed again because others charge the same card at the same time.
const TRIES_TO_CLAIM: u32 = 16;

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
    if let Some(simulate) = &wanted.simulate {
        gateway.check_simulated_outcome(&simulate.outcome)?;
    }
    let agreed = Agreed::check(gateway, agreement, money).await?;
    let mut payment = agreed.payment(gateway, money, wanted.order_ref)?;
    payment.owner = request.credential.clone();
    payment.body_digest = request.digest.clone();
    payment.capture = wanted.capture.unwrap_or(Capture::Automatic);
    payment.simulate = wanted.simulate.map(|simulate| simulate.outcome);
    for _ in 0..TRIES_TO_CLAIM {
        let card = (
            payment.merchant,
            agreed.instrument.card.fingerprint.as_str(),
        );
        let number = gateway.store.attempts.next_number(card).await?;
        let payments = &gateway.store.payments;
        let claimed = payments.claim_by_agreement(&payment, number, request).await;
        match claimed.map_err(ApiError::of_first_transaction)? {
            Written::Done => return agreed.charge(gateway, payment).await,
            Written::Repeated(replay) => return get(gateway, replay.resource()?).await,
            // The agreement has ended, or the card was charged for something else meanwhile.
            Written::Moved => {
                let current = gateway.store.agreements.get(agreed.agreement.id).await?;
                let current = current.ok_or(ApiError::new(ErrorCode::AgreementInactive))?;
                permitted(&current, money)?;
            }
        }
    }
    Err(ApiError::new(ErrorCode::Overloaded))
}

/// What a charge by agreement needs, checked.
#[derive(Debug)]
pub(crate) struct Agreed {
    agreement: Agreement,
    instrument: Instrument,
}

impl Agreed {
    /// Whether an agreement permits a payment of this amount, and its instrument can be charged.
    async fn check(
        gateway: &Gateway,
        agreement: Agreement,
        money: Money,
    ) -> Result<Self, ApiError> {
        permitted(&agreement, money)?;
        let instrument = gateway.store.instruments.get(agreement.instrument).await?;
        Ok(Self {
            instrument: chargeable(instrument)?,
            agreement,
        })
    }

    fn method(&self) -> &'static dyn PaymentMethod {
        methods::find(self.instrument.method)
    }

    /// The agreement and its instrument.
    pub(crate) const fn parts(&self) -> Charge<'_> {
        Charge {
            agreement: &self.agreement,
            instrument: &self.instrument,
        }
    }

    /// Asks the provider for a claimed payment, and records the outcome.
    async fn charge(&self, gateway: &Gateway, payment: Payment) -> Result<Payment, ApiError> {
        self.method().charge(gateway, self.parts(), payment).await
    }

    /// A payment that the merchant starts, if the method of the instrument permits it.
    fn payment(
        &self,
        gateway: &Gateway,
        money: Money,
        order_ref: String,
    ) -> Result<Payment, ApiError> {
        let now_ms = gateway.clock.now_ms();
        let created_at_ms = gateway.clock.now_ms_i64();
        let details = self
            .method()
            .charged_details(gateway, self.parts(), money)?;
        Ok(Payment {
            id: PaymentId::new(now_ms, gateway.rng.bytes()),
            session: None,
            agreement: Some(self.agreement.id),
            invoice: None,
            merchant: self.agreement.merchant,
            attempt: AttemptId::new(now_ms, gateway.rng.bytes()),
            owner: String::new(),
            body_digest: String::new(),
            order_ref,
            money,
            capture: Capture::Automatic,
            details,
            state: PaymentState::Authorizing,
            decline: None,
            provider: self.instrument.provider.clone(),
            route_reason: STORED.to_owned(),
            captured_minor: 0,
            refunded_minor: 0,
            disputed_minor: 0,
            returned_minor: 0,
            modification: None,
            simulate: None,
            sequence: 0,
            created_at_ms,
            updated_at_ms: created_at_ms,
            lease_until_ms: lease_until_ms(gateway),
        })
    }
}

/// A payment of an invoice.
#[derive(Debug)]
pub(crate) struct InvoicePayment {
    pub(crate) invoice: InvoiceId,
    pub(crate) merchant: MerchantId,
    pub(crate) money: Money,
    pub(crate) order_ref: String,
    pub(crate) simulate: Option<String>,
}

/// The payment of an invoice by an agreement, which has to permit it; no provider is asked yet.
///
/// # Errors
/// An error as [`charge`] has them.
pub(crate) async fn prepare_for_invoice(
    gateway: &Gateway,
    agreement: AgreementId,
    wanted: InvoicePayment,
) -> Result<(Agreed, Payment), ApiError> {
    let agreements = &gateway.store.agreements;
    let found = agreements.get_owned(wanted.merchant, agreement).await?;
    let agreement = found.ok_or(ApiError::new(ErrorCode::AgreementInactive))?;
    let agreed = Agreed::check(gateway, agreement, wanted.money).await?;
    let mut payment = agreed.payment(gateway, wanted.money, wanted.order_ref)?;
    payment.owner = wanted.invoice.to_string();
    payment.invoice = Some(wanted.invoice);
    payment.simulate = wanted.simulate;
    Ok((agreed, payment))
}

/// Charges a prepared payment. [`Written::Moved`]: nothing was charged, because the agreement, the
/// invoice or the tries of the card have changed since it was decided.
///
/// # Errors
/// The store does not respond. Recovery finds a payment that was claimed.
pub(crate) async fn charge_invoice(
    gateway: &Gateway,
    agreed: &Agreed,
    payment: Payment,
    decided: InvoiceTry,
) -> Result<Written, ApiError> {
    let payments = &gateway.store.payments;
    let claimed = payments.claim_for_invoice(&payment, decided).await;
    let claimed = claimed.map_err(ApiError::of_first_transaction)?;
    if claimed == Written::Done {
        agreed.charge(gateway, payment).await?;
    }
    Ok(claimed)
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
