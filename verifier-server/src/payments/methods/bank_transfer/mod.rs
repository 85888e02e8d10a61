//! Bank transfers: the shopper gets transfer instructions, and credits arrive later.

pub mod incoming;
pub mod model;

use super::details::PaymentDetails;
use super::{Attempt, Instrument, MethodFuture, PaymentMethod, Prepared, challenge_closed};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::payments::model::Payment;
use crate::payments::outcome::{PaymentOutcome, record, record_as};
use crate::payments::prepare::{deadline_ms, new_payment};
use crate::payments::state::PaymentState;
use model::{AmountMatch, TransferInstructions};
use sealpay_protocol::api::{ActionView, PayRequest, TransferView};
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::limits;
use sealpay_provider::transfer::TransferRequest;
use sealpay_provider::{Inquiry, PaymentOperations, ProviderFuture, Providers};
use sealpay_system::unix_seconds;

pub(super) struct BankTransferMethod;

/// The paying account is known only once money arrives.
struct AnyAccount;

impl Instrument for AnyAccount {
    fn prepare<'a>(
        &'a self,
        attempt: Attempt<'a>,
    ) -> MethodFuture<'a, Result<Prepared<'a>, ApiError>> {
        let provider = attempt.gateway.providers.transfers();
        let prepared = provider.map_err(ApiError::from).map(|provider| {
            let start = Box::new(move |payment| -> MethodFuture<'a, _> {
                Box::pin(start(attempt.gateway, payment))
            });
            let details = PaymentDetails::BankTransfer { transfer: None };
            Prepared::with_provider(new_payment(attempt, details), provider.name(), start)
        });
        Box::pin(async { prepared })
    }

    fn resume<'a>(
        &'a self,
        attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        BankTransferMethod.resume(attempt, stored)
    }
}

impl PaymentMethod for BankTransferMethod {
    fn is_offered(&self, gateway: &Gateway) -> bool {
        gateway.providers.transfers.is_some()
    }

    fn instrument(
        &self,
        _attempt: Attempt<'_>,
        _body: PayRequest,
    ) -> Result<Box<dyn Instrument>, ApiError> {
        Ok(Box::new(AnyAccount))
    }

    /// Only an incoming credit can complete the payment.
    fn resume<'a>(
        &'a self,
        _attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async { Ok(stored) })
    }

    /// Money that has arrived is not lost: it completes the payment or is returned.
    fn cancel<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: Payment,
        _attempt: AttemptId,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async move {
            incoming::collect(gateway).await?;
            let payments = &gateway.store.payments;
            let found = payments.get(payment.id).await?;
            let payment = found.unwrap_or(payment);
            let has_come = payment
                .details
                .transfer()
                .is_some_and(|expected| expected.received_minor > 0);
            if has_come || payment.state != PaymentState::RequiresAction {
                return Err(challenge_closed());
            }
            let outcome = PaymentOutcome::declined("payment_abandoned");
            record(gateway, &payment, outcome).await
        })
    }

    /// Credits that arrived in time count, even if they have not been processed yet.
    fn before_expiry<'a>(&'a self, gateway: &'a Gateway) -> MethodFuture<'a, Result<(), ApiError>> {
        Box::pin(async { incoming::collect(gateway).await.map(drop) })
    }

    fn expire<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
    ) -> MethodFuture<'a, Result<bool, ApiError>> {
        Box::pin(async move {
            let stored = record(gateway, payment, PaymentOutcome::EXPIRED).await?;
            Ok(!stored.state.is_open())
        })
    }

    fn return_funds<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
    ) -> MethodFuture<'a, Result<(), ApiError>> {
        Box::pin(incoming::return_funds(gateway, payment))
    }

    /// The shopper never saw the instructions, so no money can arrive.
    fn outcome_unasked(&self, _payment: &Payment) -> Option<PaymentOutcome> {
        Some(PaymentOutcome::declined("not_processed"))
    }

    fn inquire<'a>(
        &self,
        _providers: &'a Providers,
        _provider: &str,
        _payment: &Payment,
    ) -> Option<ProviderFuture<'a, Inquiry>> {
        None
    }

    fn operations<'a>(
        &self,
        providers: &'a Providers,
        _provider: &str,
    ) -> Option<&'a dyn PaymentOperations> {
        let transfers = providers.transfers.as_deref()?;
        Some(transfers)
    }

    /// Transfer instructions are not secret: a reloaded page may show them.
    fn action<'a>(
        &'a self,
        _gateway: &'a Gateway,
        payment: &'a Payment,
        _requester: &'a str,
    ) -> MethodFuture<'a, Option<ActionView>> {
        let expected = payment.details.transfer();
        let action = expected.map(|expected| ActionView::Transfer(view(payment, expected)));
        Box::pin(async { action })
    }
}

fn view(payment: &Payment, expected: &TransferInstructions) -> TransferView {
    let amount_due = match expected.sum(payment.money.amount_minor()) {
        AmountMatch::Short(minor) => minor,
        AmountMatch::Exact | AmountMatch::Over(_) => 0,
    };
    TransferView {
        holder: expected.holder.clone(),
        iban: expected.iban.clone(),
        bic: expected.bic.clone(),
        reference: expected.reference.clone(),
        amount_due,
        amount_received: expected.received_minor,
        expires_at: unix_seconds(payment.lease_until_ms),
    }
}

async fn start(gateway: &Gateway, payment: Payment) -> Result<Payment, ApiError> {
    let providers = gateway.providers_for(payment.simulate.as_deref());
    let transfers = providers.transfers()?;
    let started = transfers.start(TransferRequest {
        reference: payment.id,
        money: payment.money,
    });
    match gateway.within(started).await {
        Ok(collection) => {
            let mut changed = payment.clone();
            changed.lease_until_ms = deadline_ms(gateway, limits::TRANSFER_LIFETIME_SECONDS);
            changed.details = PaymentDetails::BankTransfer {
                transfer: Some(TransferInstructions {
                    holder: collection.holder,
                    iban: collection.iban,
                    bic: collection.bic,
                    reference: collection.reference,
                    received_minor: 0,
                    arrivals: Vec::new(),
                }),
            };
            record_as(gateway, &payment, PaymentOutcome::REQUIRES_ACTION, changed).await
        }
        // The shopper saw no instructions, so no money can arrive.
        Err(error) => {
            tracing::warn!(payment = %payment.id, ?error, "the bank assigned no account");
            let outcome = PaymentOutcome::declined("system_malfunction");
            record(gateway, &payment, outcome).await
        }
    }
}
