//! SEPA direct debits: the shopper signs a mandate, the bank accepts the collection, and the money
//! comes days later.

mod input;
pub mod model;
pub mod news;

use super::details::PaymentDetails;
use super::{Attempt, Charge, Instrument, MethodFuture, PaymentMethod, Prepared, challenge_closed};
use crate::agreements::model::{Mandate, PendingAgreement};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::merchants::model::Merchant;
use crate::payments::model::Payment;
use crate::payments::outcome;
use crate::payments::prepare::new_payment;
use crate::sessions::model::Session;
use input::TypedAccount;
use jiff::civil::Date;
use model::{DebitDetails, StoredAccount, date_of, requested_date};
use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use sealpay_protocol::api::{ActionView, PayRequest};
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::limits::DIRECT_DEBIT_MINOR;
use sealpay_protocol::money::Money;
use sealpay_provider::direct_debit::{
    self, CollectionRequest, Debtor, DebtorAccount, Scheme, SequenceType,
};
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{Inquiry, PaymentOperations, ProviderDecision, ProviderError};
use sealpay_provider::{ProviderFuture, Providers};

pub(super) struct SepaDebitMethod;

/// The account of this attempt, and the text of the mandate.
struct SignedMandate {
    account: TypedAccount,
    consent: String,
}

impl Instrument for SignedMandate {
    fn prepare<'a>(
        &'a self,
        attempt: Attempt<'a>,
    ) -> MethodFuture<'a, Result<Prepared<'a>, ApiError>> {
        Box::pin(prepare(attempt, self))
    }

    fn resume<'a>(
        &'a self,
        attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        SepaDebitMethod.resume(attempt, stored)
    }
}

/// Whether an amount can be collected: euros, at most eleven digits (EPC130-08).
fn is_collectable(money: Money) -> bool {
    money.currency().code() == "EUR" && money.amount_minor() <= DIRECT_DEBIT_MINOR
}

impl PaymentMethod for SepaDebitMethod {
    fn is_offered(&self, gateway: &Gateway) -> bool {
        gateway.providers.direct_debits.is_some()
    }

    fn check_order(&self, merchant: &Merchant, money: Money) -> Result<(), &'static str> {
        if merchant.creditor_identifier.is_none() {
            return Err("The merchant has no creditor identifier for the method sepa_debit.");
        }
        if !is_collectable(money) {
            return Err("The method sepa_debit is for at most 999999999.99 euros.");
        }
        Ok(())
    }

    fn stores_instruments(&self) -> bool {
        true
    }

    fn check(&self, body: &PayRequest) -> Result<(), ApiError> {
        if body.debit.is_some() && body.card.is_none() && body.instrument.is_none() {
            return Ok(());
        }
        let detail = "debit must be there with the method sepa_debit, and no card or instrument.";
        Err(ApiError::for_param(ErrorCode::MalformedRequest, "debit").explained(detail))
    }

    fn instrument(
        &self,
        _attempt: Attempt<'_>,
        body: PayRequest,
    ) -> Result<Box<dyn Instrument>, ApiError> {
        let (account, consent) = input::read(body.debit, body.consent)?;
        Ok(Box::new(SignedMandate { account, consent }))
    }

    /// The shopper has nothing more to do.
    fn resume<'a>(
        &'a self,
        _attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async { Ok(stored) })
    }

    fn cancel<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _payment: Payment,
        _attempt: AttemptId,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async { Err(challenge_closed()) })
    }

    fn expire<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _payment: &'a Payment,
    ) -> MethodFuture<'a, Result<bool, ApiError>> {
        Box::pin(async { Ok(false) })
    }

    fn inquire<'a>(
        &self,
        providers: &'a Providers,
        _provider: &str,
        payment: &Payment,
    ) -> Option<ProviderFuture<'a, Inquiry>> {
        Some(providers.direct_debits.as_ref()?.inquire(payment.id))
    }

    fn operations<'a>(
        &self,
        providers: &'a Providers,
        _provider: &str,
    ) -> Option<&'a dyn PaymentOperations> {
        let direct_debits = providers.direct_debits.as_deref()?;
        Some(direct_debits)
    }

    /// A late acceptance is found long before its settlement.
    fn reversal(&self, _payment: &Payment) -> ModificationKind {
        ModificationKind::Void
    }

    fn action<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _payment: &'a Payment,
        _requester: &'a str,
    ) -> MethodFuture<'a, Option<ActionView>> {
        Box::pin(async { None })
    }

    fn charged_details(
        &self,
        gateway: &Gateway,
        charge: Charge<'_>,
        money: Money,
    ) -> Result<PaymentDetails, ApiError> {
        let Charge {
            agreement,
            instrument,
        } = charge;
        let Some(mandate) = agreement.mandate.clone() else {
            return Err(ApiError::new(ErrorCode::AgreementNotChargeable));
        };
        let now_ms = gateway.clock.now_ms_i64();
        if agreement.lapses_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            return Err(ApiError::new(ErrorCode::AgreementInactive));
        }
        if !is_collectable(money) {
            let detail = "A direct debit is of at most 999999999.99 euros.";
            let error = ApiError::for_param(ErrorCode::AmountInvalid, "amount");
            return Err(error.explained(detail));
        }
        let sequence = SequenceType::Rcur;
        Ok(PaymentDetails::SepaDebit(Box::new(DebitDetails {
            account: StoredAccount::from(&instrument.card),
            mandate,
            scheme: scheme_of(agreement.kind),
            signed_at_ms: agreement.accepted_at_ms,
            consent: None,
            sequence,
            collection_date: requested_date(sequence, now_ms).to_string(),
            settled_at_ms: None,
            reversal: None,
            instrument: Some(instrument.id),
            storing: None,
        })))
    }

    fn charge<'a>(
        &'a self,
        gateway: &'a Gateway,
        charge: Charge<'a>,
        payment: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        let debtor = Debtor::Credential(&charge.instrument.credential);
        Box::pin(collect(gateway, payment, debtor))
    }
}

const fn scheme_of(kind: AgreementKind) -> Scheme {
    match kind {
        AgreementKind::SddB2b => Scheme::B2b,
        _ => Scheme::Core,
    }
}

/// The reference of the mandate that a payment makes: unique, and of the characters that SEPA
/// accepts.
fn mandate_reference(payment: PaymentId) -> String {
    payment.to_string().replace('_', "-").to_ascii_uppercase()
}

async fn prepare<'a>(
    attempt: Attempt<'a>,
    signed: &'a SignedMandate,
) -> Result<Prepared<'a>, ApiError> {
    let Attempt {
        gateway, session, ..
    } = attempt;
    let provider = gateway.providers.direct_debits().map_err(ApiError::from)?;
    let merchant = gateway.store.merchants.get(session.merchant).await?;
    let creditor = merchant.and_then(|merchant| merchant.creditor_identifier);
    let creditor =
        creditor.ok_or_else(|| ApiError::for_param(ErrorCode::MethodNotOffered, "method"))?;
    let storing = pending(attempt, &signed.consent).await?;
    let now_ms = gateway.clock.now_ms_i64();
    let sequence = match &storing {
        Some(_) => SequenceType::Frst,
        None => SequenceType::Ooff,
    };
    let account = &signed.account;
    let kind = storing.as_ref().map(|storing| storing.terms.kind);
    let details = DebitDetails {
        account: account.stored(gateway, session.merchant),
        mandate: Mandate {
            reference: String::new(),
            creditor,
        },
        scheme: scheme_of(kind.unwrap_or(AgreementKind::SddCore)),
        signed_at_ms: now_ms,
        consent: Some(signed.consent.clone()),
        sequence,
        collection_date: requested_date(sequence, now_ms).to_string(),
        settled_at_ms: None,
        reversal: None,
        instrument: None,
        storing,
    };
    let mut payment = new_payment(attempt, PaymentDetails::SepaDebit(Box::new(details)));
    let reference = mandate_reference(payment.id);
    if let Some(debit) = payment.details.debit_mut() {
        debit.mandate.reference = reference;
    }
    let start = Box::new(move |payment| -> MethodFuture<'a, _> {
        Box::pin(collect(gateway, payment, Debtor::Account(account.debtor())))
    });
    Ok(Prepared::with_provider(payment, provider.name(), start))
}

/// The mandate that the order asks for, as an agreement; none for a single payment.
async fn pending(
    attempt: Attempt<'_>,
    consent: &str,
) -> Result<Option<PendingAgreement>, ApiError> {
    let Session {
        agreement,
        customer,
        merchant,
        ..
    } = attempt.session;
    let (Some(terms), Some(reference)) = (agreement, customer) else {
        return Ok(None);
    };
    if !terms.kind.is_merchant_initiated() {
        return Ok(None);
    }
    let store = &attempt.gateway.store;
    let customer = store.customers.get_by_reference(*merchant, reference);
    let kind = match terms.kind {
        AgreementKind::SddB2b => AgreementKind::SddB2b,
        _ => AgreementKind::SddCore,
    };
    Ok(Some(PendingAgreement {
        customer: customer.await?.map(|customer| customer.id),
        reference: reference.clone(),
        terms: AgreementTerms {
            kind,
            maximum_amount: terms.maximum_amount,
        },
        consent: consent.to_owned(),
        accepted_at_ms: attempt.gateway.clock.now_ms_i64(),
    }))
}

/// Submits a claimed payment, and records whether the bank accepts it.
async fn collect(
    gateway: &Gateway,
    payment: Payment,
    debtor: Debtor<'_>,
) -> Result<Payment, ApiError> {
    let response = submit(gateway, &payment, debtor).await;
    let outcome = outcome::of_authorization(&payment, Some(response));
    outcome::record(gateway, &payment, outcome).await
}

async fn submit(
    gateway: &Gateway,
    payment: &Payment,
    debtor: Debtor<'_>,
) -> Result<ProviderDecision, ProviderError> {
    let providers = gateway.providers_for(payment.simulate.as_deref());
    let bank = providers.direct_debits()?;
    let Some(debit) = payment.details.debit() else {
        return Err(ProviderError::NotSent("it is no direct debit".into()));
    };
    let collect_on: Date = debit
        .collection_date
        .parse()
        .map_err(|_| ProviderError::NotSent("the payment has no collection date".into()))?;
    let asked = bank.collect(CollectionRequest {
        reference: payment.id,
        money: payment.money,
        mandate: direct_debit::Mandate {
            creditor: &debit.mandate.creditor,
            reference: &debit.mandate.reference,
            signed_on: date_of(debit.signed_at_ms),
            scheme: debit.scheme,
        },
        sequence: debit.sequence,
        debtor,
        collect_on,
    });
    gateway.within(asked).await
}

impl TypedAccount {
    fn debtor(&self) -> DebtorAccount<'_> {
        DebtorAccount {
            iban: self.iban.expose(),
            holder: self.holder.as_str(),
        }
    }
}
