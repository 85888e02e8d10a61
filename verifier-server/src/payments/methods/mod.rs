//! The payment methods: one module for each, behind one trait.
//!
//! Requests, claims, outcomes and events are the same for all methods.

pub mod bank_transfer;
pub mod card;
pub mod details;
pub mod sepa_debit;
mod wallet;

use super::model::Payment;
use super::outcome::PaymentOutcome;
use crate::agreements::model::Agreement;
use crate::auth::signed_request::VerifiedRequest;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::instruments::model as instruments;
use crate::merchants::model::Merchant;
use crate::sessions::model::Session;
use details::PaymentDetails;
use sealpay_protocol::api::{ActionView, EnrolmentView, PayRequest};
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::authentication::Step;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{Inquiry, PaymentOperations, ProviderFuture, Providers};
use std::pin::Pin;

/// A future of a method, which may call a provider or the store.
pub(crate) type MethodFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Starts a claimed payment; called once, by the request that claimed it.
pub(crate) type Start<'a> =
    Box<dyn FnOnce(Payment) -> MethodFuture<'a, Result<Payment, ApiError>> + Send + 'a>;

/// The request of a payment attempt.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) session: &'a Session,
    pub(crate) request: &'a VerifiedRequest,
}

/// A payment before its claim, and how to start it afterwards.
pub(crate) struct Prepared<'a> {
    pub(crate) payment: Payment,
    pub(crate) start: Start<'a>,
}

impl<'a> Prepared<'a> {
    /// Prepares a payment for a single provider.
    fn with_provider(mut payment: Payment, provider: &str, start: Start<'a>) -> Self {
        provider.clone_into(&mut payment.provider);
        "method".clone_into(&mut payment.route_reason);
        Self { payment, start }
    }
}

/// A payment that the merchant starts: its agreement, and the saved instrument.
#[derive(Clone, Copy)]
pub(crate) struct Charge<'a> {
    pub(crate) agreement: &'a Agreement,
    pub(crate) instrument: &'a instruments::Instrument,
}

/// The shopper's decrypted and validated payment data. It does not outlive its request.
pub(crate) trait Instrument: Send + Sync {
    /// Collects the facts that are needed before the claim. No provider is asked for money here.
    fn prepare<'a>(
        &'a self,
        attempt: Attempt<'a>,
    ) -> MethodFuture<'a, Result<Prepared<'a>, ApiError>>;

    /// Resumes a payment that required action, when the same attempt is repeated.
    fn resume<'a>(
        &'a self,
        attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>>;
}

/// A payment method, from the body of the request to the end of the payment.
pub(crate) trait PaymentMethod: Send + Sync {
    /// Whether orders may offer it: whether a provider for it is configured.
    fn is_offered(&self, gateway: &Gateway) -> bool;

    /// Whether a merchant's order of this amount may offer it.
    ///
    /// # Errors
    /// A sentence that says why not.
    fn check_order(&self, _merchant: &Merchant, _money: Money) -> Result<(), &'static str> {
        Ok(())
    }

    /// Whether a payment can store its instrument, and a saved one can pay.
    fn stores_instruments(&self) -> bool {
        false
    }

    /// Whether the request has encrypted data. Decryption is costly, so replayed requests are
    /// rejected before it.
    fn is_encrypted(&self) -> bool {
        false
    }

    /// Checks that the body has the members of this method, and no others.
    ///
    /// # Errors
    /// [`ErrorCode::MalformedRequest`].
    fn check(&self, body: &PayRequest) -> Result<(), ApiError> {
        let has_card = body.card.is_some() || body.instrument.is_some();
        if !has_card && body.consent.is_none() && body.debit.is_none() {
            return Ok(());
        }
        let detail = "card, instrument, consent and debit belong to other methods.";
        Err(ApiError::for_param(ErrorCode::MalformedRequest, "card").explained(detail))
    }

    /// Decrypts the payment data. An expired session does not matter: a challenge may end later
    /// than its session.
    ///
    /// # Errors
    /// [`ErrorCode::SealedCardRefused`].
    fn instrument(
        &self,
        attempt: Attempt<'_>,
        body: PayRequest,
    ) -> Result<Box<dyn Instrument>, ApiError>;

    /// Handles a repeated attempt without payment data: it can no longer be decrypted, or the
    /// session has expired.
    fn resume<'a>(
        &'a self,
        attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>>;

    /// Queries the provider about a payment that requires action; returns the current payment.
    fn refresh<'a>(
        &'a self,
        _gateway: &'a Gateway,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async { Ok(stored) })
    }

    /// Processes a step of a challenge, for methods that have one.
    fn step<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _payment: Payment,
        _attempt: AttemptId,
        _step: Step,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async { Err(challenge_closed()) })
    }

    /// Cancels the payment at the shopper's request. The provider is asked first, because it may
    /// have approved already.
    fn cancel<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: Payment,
        attempt: AttemptId,
    ) -> MethodFuture<'a, Result<Payment, ApiError>>;

    /// Processes what has arrived in time, before payments of this method expire.
    fn before_expiry<'a>(
        &'a self,
        _gateway: &'a Gateway,
    ) -> MethodFuture<'a, Result<(), ApiError>> {
        Box::pin(async { Ok(()) })
    }

    /// Expires a payment that required action; returns whether it has ended.
    fn expire<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
    ) -> MethodFuture<'a, Result<bool, ApiError>>;

    /// Returns money that arrived for a payment which has ended; repeating it changes nothing.
    fn return_funds<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _payment: &'a Payment,
    ) -> MethodFuture<'a, Result<(), ApiError>> {
        Box::pin(async { Ok(()) })
    }

    /// Withdraws the request at a provider that waits for the shopper; none while the outcome
    /// cannot be known.
    fn withdraw<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _payment: &'a Payment,
    ) -> MethodFuture<'a, Result<Option<PaymentOutcome>, ApiError>> {
        Box::pin(async { Ok(None) })
    }

    /// The outcome of a payment without one, if no provider can have been asked for money.
    fn outcome_unasked(&self, _payment: &Payment) -> Option<PaymentOutcome> {
        None
    }

    /// Queries the outcome of a payment at the provider with this name; none if it cannot be
    /// reached.
    fn inquire<'a>(
        &self,
        providers: &'a Providers,
        provider: &str,
        payment: &Payment,
    ) -> Option<ProviderFuture<'a, Inquiry>>;

    /// The provider that captures, voids and refunds its approved payments; none if it is no longer
    /// configured.
    fn operations<'a>(
        &self,
        providers: &'a Providers,
        provider: &str,
    ) -> Option<&'a dyn PaymentOperations>;

    /// How a late approval is reversed.
    fn reversal(&self, payment: &Payment) -> ModificationKind {
        match payment.capture {
            Capture::Automatic => ModificationKind::Refund,
            Capture::Manual => ModificationKind::Void,
        }
    }

    /// The details of a payment that the merchant starts.
    ///
    /// # Errors
    /// [`ErrorCode::AgreementNotChargeable`], and what the method has against this payment.
    fn charged_details(
        &self,
        _gateway: &Gateway,
        _charge: Charge<'_>,
        _money: Money,
    ) -> Result<PaymentDetails, ApiError> {
        Err(ApiError::new(ErrorCode::AgreementNotChargeable))
    }

    /// Asks the provider for a claimed payment that the merchant starts, and records the outcome.
    fn charge<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _charge: Charge<'a>,
        _payment: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async { Err(ApiError::new(ErrorCode::AgreementNotChargeable)) })
    }

    /// The action that the shopper has to take; none while the provider cannot be reached, so that
    /// the widget asks again. A challenge is shown only to the key that made the attempt.
    fn action<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
        requester: &'a str,
    ) -> MethodFuture<'a, Option<ActionView>>;

    /// An offer that makes the next payment easier, once this one is paid.
    fn enrolment<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _payment: &'a Payment,
        _requester: &'a str,
    ) -> MethodFuture<'a, Option<EnrolmentView>> {
        Box::pin(async { None })
    }
}

/// The implementation of a method; the only place that distinguishes methods.
pub(crate) fn find(method: Method) -> &'static dyn PaymentMethod {
    match method {
        Method::Card => &card::CardMethod,
        Method::Wallet => &wallet::WalletMethod,
        Method::BankTransfer => &bank_transfer::BankTransferMethod,
        Method::SepaDebit => &sepa_debit::SepaDebitMethod,
    }
}

/// The error for a challenge that is over or never existed.
pub(crate) fn challenge_closed() -> ApiError {
    ApiError::for_param(ErrorCode::ChallengeClosed, "payment")
}
