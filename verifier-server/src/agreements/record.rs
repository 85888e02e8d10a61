//! What an approved payment stores: the instrument and the agreement, in the transaction of its
//! outcome.

use super::model::{Agreement, AgreementState, Mandate, PendingAgreement};
use super::{store, view};
use crate::customers;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::idempotency::write::Rows;
use crate::instruments;
use crate::instruments::model::{Instrument, InstrumentState, StoredCard};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::ids::{AgreementId, CustomerId, InstrumentId, MerchantId, PaymentId};
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use sealpay_provider::CredentialReference;

/// The approved payment that makes an agreement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstPayment<'a> {
    pub(crate) id: PaymentId,
    pub(crate) merchant: MerchantId,
    pub(crate) money: Money,
    pub(crate) method: Method,
    /// What can be shown of the instrument.
    pub(crate) card: &'a StoredCard,
    /// Whether the fraud rules apply to the card.
    pub(crate) is_assessed: bool,
    pub(crate) provider: &'a str,
    /// The saved instrument that paid; none for a typed card.
    pub(crate) instrument: Option<InstrumentId>,
    /// The provider's reference of a typed card, if it has stored it.
    pub(crate) credential: Option<&'a CredentialReference>,
    pub(crate) network_transaction_id: Option<&'a str>,
    /// The mandate of a direct debit.
    pub(crate) mandate: Option<&'a Mandate>,
    /// When the mandate lapses, milliseconds since 1970.
    pub(crate) lapses_at_ms: Option<i64>,
}

/// The rows of a new agreement.
#[derive(Debug, Default)]
pub struct NewAgreement {
    /// The agreement; none if the credential is only to be deleted.
    pub(crate) agreement: Option<AgreementId>,
    pub(crate) rows: Rows,
}

impl NewAgreement {
    /// Has the provider delete a credential.
    fn delete(&mut self, provider: &str, credential: &CredentialReference, now_ms: i64) {
        let (sql, values) = instruments::store::revocation(provider, credential, now_ms);
        self.rows.others.push((sql, values.to_vec()));
    }
}

/// An instrument after a payment that stores it, and the rows of this change.
struct Saved {
    instrument: Instrument,
    rows: NewAgreement,
}

/// The agreement that an approved payment makes; none if the provider has stored nothing. If the
/// customer is gone, what the provider has stored is deleted.
///
/// # Errors
/// The store does not respond.
pub(crate) async fn prepare(
    gateway: &Gateway,
    payment: FirstPayment<'_>,
    pending: &PendingAgreement,
) -> Result<Option<NewAgreement>, ApiError> {
    let named = (pending.customer, pending.reference.as_str());
    let customer = customers::service::of_order(gateway, payment.merchant, named).await?;
    let saved = match customer {
        Some(customer) => save(gateway, payment, customer).await?,
        None => None,
    };
    let Some(Saved {
        instrument,
        mut rows,
    }) = saved
    else {
        tracing::warn!(payment = %payment.id, provider = payment.provider,
            "no agreement is made: the provider stored no card, or the customer or the instrument \
             is gone");
        return Ok(payment.credential.map(|credential| {
            let mut rows = NewAgreement::default();
            rows.delete(payment.provider, credential, gateway.clock.now_ms_i64());
            rows
        }));
    };
    let now_ms = gateway.clock.now_ms_i64();
    let kind = pending.terms.kind;
    if kind == AgreementKind::CardOnFile {
        let active = gateway
            .store
            .agreements
            .of_instrument(instrument.id)
            .await?;
        if let Some(made) = active.iter().find(|agreement| agreement.kind == kind) {
            rows.agreement = Some(made.id);
            return Ok(Some(rows));
        }
    }
    let id = AgreementId::new(gateway.clock.now_ms(), gateway.rng.bytes());
    rows.agreement = Some(id);
    let agreement = Agreement {
        id,
        merchant: payment.merchant,
        customer: instrument.customer,
        instrument: instrument.id,
        kind,
        state: AgreementState::Active,
        currency: payment.money.currency(),
        maximum_minor: pending.terms.maximum_amount,
        network_transaction_id: payment.network_transaction_id.map(str::to_owned),
        first_payment: payment.id,
        consent: pending.consent.clone(),
        mandate: payment.mandate.cloned(),
        lapses_at_ms: payment.lapses_at_ms,
        accepted_at_ms: pending.accepted_at_ms,
        sequence: 1,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    rows.rows.events.push(view::event(gateway, &agreement)?);
    rows.rows.guarded.push(store::insert(&agreement)?);
    Ok(Some(rows))
}

/// The instrument that paid. The customer may have saved the same card before.
async fn save(
    gateway: &Gateway,
    payment: FirstPayment<'_>,
    customer: CustomerId,
) -> Result<Option<Saved>, ApiError> {
    let instruments = &gateway.store.instruments;
    let known = match payment.instrument {
        Some(id) => instruments.get(id).await?,
        None => {
            let fingerprint = &payment.card.fingerprint;
            instruments
                .get_by_card(customer, fingerprint, payment.provider)
                .await?
        }
    };
    let credential = payment.credential;
    let credential = credential.or(known.as_ref().map(|instrument| &instrument.credential));
    let Some(credential) = credential.cloned() else {
        return Ok(None);
    };
    let now_ms = gateway.clock.now_ms_i64();
    let mut rows = NewAgreement::default();
    let instrument = match known {
        Some(before) => {
            let Some(after) = saved_again(&payment, &before, credential, now_ms) else {
                return Ok(None);
            };
            if before.credential != after.credential {
                rows.delete(&before.provider, &before.credential, now_ms);
                if let Some(id) = payment.network_transaction_id {
                    rows.rows.others.push(store::quote(before.id, id));
                }
            }
            if before.state != after.state {
                let event = instruments::view::event(gateway, "instrument.saved", &after, None)?;
                rows.rows.events.push(event);
            }
            rows.rows
                .guarded
                .push(instruments::store::update(before.sequence, &after));
            after
        }
        None => {
            let new = Instrument {
                id: InstrumentId::new(gateway.clock.now_ms(), gateway.rng.bytes()),
                merchant: payment.merchant,
                customer,
                method: payment.method,
                card: payment.card.clone(),
                provider: payment.provider.to_owned(),
                credential,
                state: InstrumentState::Active,
                is_assessed: payment.is_assessed,
                sequence: 1,
                used_at_ms: now_ms,
                created_at_ms: now_ms,
                updated_at_ms: now_ms,
            };
            let event = instruments::view::event(gateway, "instrument.saved", &new, None)?;
            rows.rows.events.push(event);
            rows.rows.guarded.push(instruments::store::insert(&new)?);
            new
        }
    };
    Ok(Some(Saved { instrument, rows }))
}

/// A known instrument after another payment. A card that was typed again is stored again; a saved
/// one stays as it is, and as it has become meanwhile. None if it was detached while its payment was
/// under way.
fn saved_again(
    payment: &FirstPayment<'_>,
    before: &Instrument,
    credential: CredentialReference,
    now_ms: i64,
) -> Option<Instrument> {
    let mut after = Instrument {
        sequence: before.sequence.saturating_add(1),
        used_at_ms: now_ms,
        updated_at_ms: now_ms,
        ..before.clone()
    };
    if payment.instrument.is_some() {
        return (before.state != InstrumentState::Detached).then_some(after);
    }
    after.card = payment.card.clone();
    after.credential = credential;
    after.state = InstrumentState::Active;
    after.is_assessed = payment.is_assessed;
    Some(after)
}
