//! What an approved payment stores: the instrument and the agreement, in the transaction of its
//! outcome.

use super::model::{Agreement, AgreementState, PendingAgreement};
use super::{store, view};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::idempotency::write::Prepared;
use crate::instruments;
use crate::instruments::model::{Instrument, InstrumentState, StoredCard};
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::{AgreementId, InstrumentId, MerchantId, PaymentId};
use sealpay_protocol::money::Money;

/// The approved payment that makes an agreement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstPayment<'a> {
    pub(crate) id: PaymentId,
    pub(crate) merchant: MerchantId,
    pub(crate) money: Money,
    pub(crate) card: &'a StoredCard,
    pub(crate) provider: &'a str,
    /// The provider's reference of the stored credential.
    pub(crate) credential: &'a str,
    pub(crate) network_transaction_id: Option<&'a str>,
}

/// The rows of a new agreement. Each statement has to change one row.
#[derive(Debug)]
pub(crate) struct NewAgreement {
    pub(crate) agreement: AgreementId,
    pub(crate) instrument: InstrumentId,
    pub(crate) statements: Vec<Prepared>,
    pub(crate) events: Vec<Event>,
}

/// The agreement that an approved payment makes. The customer may have saved the same card before.
///
/// # Errors
/// The store does not respond.
pub(crate) async fn prepare(
    gateway: &Gateway,
    payment: FirstPayment<'_>,
    pending: &PendingAgreement,
) -> Result<NewAgreement, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let mut events = Vec::new();
    let fingerprint = &payment.card.fingerprint;
    let instruments = &gateway.store.instruments;
    let known = instruments
        .get_by_card(pending.customer, fingerprint, payment.provider)
        .await?;
    let (instrument, change) = match known {
        Some(before) => {
            let mut after = before.clone();
            after.card = payment.card.clone();
            payment.credential.clone_into(&mut after.credential);
            after.state = InstrumentState::Active;
            after.revocation_due_ms = None;
            after.sequence = before.sequence.saturating_add(1);
            (after.used_at_ms, after.updated_at_ms) = (now_ms, now_ms);
            if before.state != InstrumentState::Active {
                events.push(instruments::view::event(
                    gateway,
                    "instrument.saved",
                    &after,
                    None,
                )?);
            }
            let change = instruments::store::update(before.sequence, &after);
            (after, change)
        }
        None => {
            let new = Instrument {
                id: InstrumentId::new(gateway.clock.now_ms(), gateway.rng.bytes()),
                merchant: payment.merchant,
                customer: pending.customer,
                card: payment.card.clone(),
                provider: payment.provider.to_owned(),
                credential: payment.credential.to_owned(),
                state: InstrumentState::Active,
                sequence: 1,
                revocation_due_ms: None,
                used_at_ms: now_ms,
                created_at_ms: now_ms,
                updated_at_ms: now_ms,
            };
            events.push(instruments::view::event(
                gateway,
                "instrument.saved",
                &new,
                None,
            )?);
            let change = instruments::store::insert(&new)?;
            (new, change)
        }
    };
    let agreement = Agreement {
        id: AgreementId::new(gateway.clock.now_ms(), gateway.rng.bytes()),
        merchant: payment.merchant,
        customer: pending.customer,
        instrument: instrument.id,
        kind: pending.terms.kind,
        state: AgreementState::Active,
        currency: payment.money.currency(),
        maximum_minor: pending.terms.maximum_amount,
        network_transaction_id: payment.network_transaction_id.map(str::to_owned),
        first_payment: payment.id,
        consent: pending.consent.clone(),
        sequence: 1,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    events.push(view::event(gateway, &agreement)?);
    Ok(NewAgreement {
        agreement: agreement.id,
        instrument: instrument.id,
        statements: vec![change, store::insert(&agreement)?],
        events,
    })
}
