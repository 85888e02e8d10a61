//! Payments as the merchant sees them.

use super::methods::bank_transfer::model::AmountMatch;
use super::methods::card::model::CardDetails;
use super::methods::card::risk::Assessment;
use super::methods::sepa_debit::model::DebitDetails;
use super::model::Payment;
use super::state::PaymentState;
use sealpay_protocol::encoding::hex;
use sealpay_protocol::limits::HOLD_LIFETIME_SECONDS;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use sealpay_provider::Initiator;
use sealpay_provider::authentication::Authentication;
use sealpay_provider::decline;
use sealpay_provider::decline::DeclineClass;
use sealpay_provider::direct_debit::{ReasonCode, ReasonKind, Scheme, SequenceType};
use sealpay_system::unix_seconds;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// A payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaymentRecord {
    /// `pay_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `chk_…`: the session in which the shopper made it; null if the merchant made it.
    pub session: Option<String>,
    /// `agr_…`: the agreement by which the merchant made it, or that the shopper made with it.
    pub agreement: Option<String>,
    /// `inv_…`: the invoice that it pays.
    pub invoice: Option<String>,
    /// Who made it.
    pub initiator: Initiator,
    /// `att_…`.
    pub attempt: String,
    /// `mer_…`.
    pub merchant: String,
    /// The merchant's order number.
    pub order_ref: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// Captured amount, minor units.
    pub amount_captured: i64,
    /// Refunded amount, minor units.
    pub amount_refunded: i64,
    /// Disputed amount, minor units.
    pub amount_disputed: i64,
    /// Amount of a direct debit that the debtor's bank has taken back, minor units.
    pub amount_returned: i64,
    /// When the payment is captured.
    pub capture: Capture,
    /// The payment method.
    pub method: Method,
    /// The current state.
    pub state: PaymentState,
    /// The stored part of the card; only with the method `card`.
    pub card: Option<CardRecord>,
    /// The reason for a decline.
    pub decline: Option<DeclineRecord>,
    /// The provider, and why it was chosen.
    pub route: RouteRecord,
    /// The result of the fraud rules; null for a persona's card and for other methods.
    pub risk: Option<Assessment>,
    /// The result of the issuer's authentication, if it was requested.
    pub authentication: Option<Authentication>,
    /// The bank transfer; only with the method `bank_transfer`.
    pub transfer: Option<TransferRecord>,
    /// The direct debit; only with the method `sepa_debit`.
    pub direct_debit: Option<DirectDebitRecord>,
    /// Until when the authorization can be captured, seconds since 1970; null if nothing is
    /// authorized.
    pub capture_before: Option<u64>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

/// The stored part of a card, and the codes of its authorization.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CardRecord {
    /// The brand's slug, or `unknown`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `YYYY-MM`.
    pub expiry: String,
    /// Identifies the same card without revealing its number.
    pub fingerprint: String,
    /// The issuer's country (ISO 3166-1 alpha-2), if its first digits are known.
    pub country: Option<String>,
    /// The issuer's authorization code: six letters and digits.
    pub authorization_code: Option<String>,
    /// The acquirer reference number (ARN), once money is captured: with it the shopper's bank finds
    /// the payment and its refunds.
    pub acquirer_reference: Option<String>,
    /// The scheme's id of the transaction.
    pub network_transaction_id: Option<String>,
}

/// The provider, and why it was chosen.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RouteRecord {
    /// The provider's name.
    pub provider: String,
    /// The key of the rule that chose it, and the reason of a failover.
    pub reason: String,
}

/// An expected bank transfer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TransferRecord {
    /// The IBAN (ISO 13616).
    pub iban: String,
    /// The account holder; banks compare it with the IBAN.
    pub holder: String,
    /// The BIC (ISO 9362).
    pub bic: String,
    /// The creditor reference of the transfer (ISO 11649).
    pub reference: String,
    /// The deadline, seconds since 1970, while the transfer is expected.
    pub expires_at: Option<u64>,
    /// The received amount, minor units.
    pub received: i64,
    /// The overpaid amount, minor units; the merchant has to refund it.
    pub overpaid: i64,
}

/// A direct debit.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DirectDebitRecord {
    /// The country of the account (ISO 3166-1 alpha-2).
    pub country: String,
    /// The last four characters of the IBAN.
    pub last4: String,
    /// Identifies the same account without revealing its IBAN.
    pub fingerprint: String,
    /// The scheme.
    pub scheme: Scheme,
    /// The reference of the mandate.
    pub mandate: String,
    /// The creditor identifier (EPC262-08).
    pub creditor: String,
    /// When the mandate was signed, seconds since 1970.
    pub signed_at: u64,
    /// SHA-256 of the mandate's text in UTF-8, lowercase hexadecimal; null if the payment did not
    /// make the mandate.
    pub consent_sha256: Option<String>,
    /// The place in the series of the mandate.
    pub sequence_type: SequenceType,
    /// When it is or was collected, `YYYY-MM-DD`: the requested date until the bank has accepted it.
    pub collection_date: String,
    /// When it settled, seconds since 1970.
    pub settled_at: Option<u64>,
    /// The R-transaction, if there was one.
    pub reversal: Option<DebitReversalRecord>,
}

/// An R-transaction.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DebitReversalRecord {
    /// `reject` before the settlement; `return` or `refund` after it.
    #[serde(rename = "type")]
    pub kind: ReasonKind,
    /// The reason (ISO 20022).
    pub code: ReasonCode,
    /// A sentence about the reason.
    pub detail: String,
    /// Seconds since 1970.
    pub at: u64,
}

impl DirectDebitRecord {
    fn new(debit: &DebitDetails) -> Self {
        let hash = |text: &String| hex(&Sha256::digest(text.as_bytes()));
        Self {
            country: debit.account.country.clone(),
            last4: debit.account.last4.clone(),
            fingerprint: debit.account.fingerprint.clone(),
            scheme: debit.scheme,
            mandate: debit.mandate.reference.clone(),
            creditor: debit.mandate.creditor.clone(),
            signed_at: unix_seconds(debit.signed_at_ms),
            consent_sha256: debit.consent.as_ref().map(hash),
            sequence_type: debit.sequence,
            collection_date: debit.collection_date.clone(),
            settled_at: debit.settled_at_ms.map(unix_seconds),
            reversal: debit.reversal.map(|reversal| DebitReversalRecord {
                kind: reversal.kind,
                code: reversal.code,
                detail: reversal
                    .code
                    .row()
                    .map(|row| row.title.clone())
                    .unwrap_or_default(),
                at: unix_seconds(reversal.at_ms),
            }),
        }
    }
}

/// Why a payment was declined.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeclineRecord {
    /// The stable key.
    pub code: String,
    /// ISO 8583 response code, if the issuer sent one.
    pub response_code: Option<String>,
    /// Whether a retry can help.
    pub class: DeclineClass,
    /// A sentence for the merchant about what to do.
    pub detail: String,
    /// The scheme's merchant advice code, two digits, if the issuer sent one: whether and when the
    /// same card may be tried again.
    pub advice_code: Option<String>,
}

impl PaymentRecord {
    /// A payment as its merchant sees it.
    #[must_use]
    pub fn new(payment: &Payment, livemode: bool) -> Self {
        let card = payment.details.card();
        Self {
            id: payment.id.to_string(),
            livemode,
            session: payment.session.map(|id| id.to_string()),
            agreement: payment.agreement.map(|id| id.to_string()),
            invoice: payment.invoice.map(|id| id.to_string()),
            initiator: payment.initiator(),
            attempt: payment.attempt.to_string(),
            merchant: payment.merchant.to_string(),
            order_ref: payment.order_ref.clone(),
            amount: payment.money.amount_minor(),
            currency: payment.money.currency().to_string(),
            amount_captured: payment.captured_minor,
            amount_refunded: payment.refunded_minor,
            amount_disputed: payment.disputed_minor,
            amount_returned: payment.returned_minor,
            capture: payment.capture,
            method: payment.details.method(),
            state: payment.state,
            card: card.map(CardRecord::new),
            decline: payment.decline.as_deref().and_then(|key| {
                decline_record(key, card.and_then(|card| card.codes.advice_code.clone()))
            }),
            route: RouteRecord {
                provider: payment.provider.clone(),
                reason: payment.route_reason.clone(),
            },
            risk: card.and_then(|details| details.risk.clone()),
            authentication: card.and_then(|details| details.authentication.clone()),
            transfer: payment.details.transfer().map(|expected| TransferRecord {
                iban: expected.iban.clone(),
                holder: expected.holder.clone(),
                bic: expected.bic.clone(),
                reference: expected.reference.clone(),
                expires_at: (payment.state == PaymentState::RequiresAction)
                    .then(|| unix_seconds(payment.lease_until_ms)),
                received: expected.received_minor,
                overpaid: match expected.sum(payment.money.amount_minor()) {
                    AmountMatch::Over(minor) => minor,
                    AmountMatch::Short(_) | AmountMatch::Exact => 0,
                },
            }),
            direct_debit: payment.details.debit().map(DirectDebitRecord::new),
            capture_before: (payment.capturable_minor() > 0)
                .then(|| unix_seconds(payment.created_at_ms).saturating_add(HOLD_LIFETIME_SECONDS)),
            created_at: unix_seconds(payment.created_at_ms),
            updated_at: unix_seconds(payment.updated_at_ms),
        }
    }
}

impl CardRecord {
    fn new(details: &CardDetails) -> Self {
        let CardDetails { card, codes, .. } = details;
        Self {
            brand: card.brand.clone(),
            last4: card.last4.clone(),
            expiry: card.expiry.clone(),
            fingerprint: card.fingerprint.clone(),
            country: card.country.clone(),
            authorization_code: codes.authorization_code.clone(),
            acquirer_reference: codes.acquirer_reference.clone(),
            network_transaction_id: codes.network_transaction_id.clone(),
        }
    }
}

fn decline_record(key: &str, advice_code: Option<String>) -> Option<DeclineRecord> {
    let decline = decline::find(key)?;
    Some(DeclineRecord {
        code: decline.key.clone(),
        response_code: decline.response_code.clone(),
        class: decline.class,
        detail: decline.detail.clone(),
        advice_code,
    })
}
