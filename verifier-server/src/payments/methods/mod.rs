//! What differs from one payment method to the next: one module for each, behind one trait.
//!
//! Everything else is the same for all of them: the request, the claim, the outcome, the events.

pub mod bank_transfer;
pub mod card;
pub mod details;
mod wallet;

use super::model::Payment;
use super::outcome::PaymentOutcome;
use crate::auth::signed_request::VerifiedRequest;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::sessions::model::Session;
use sealpay_protocol::api::{ActionView, EnrolmentView, PayRequest};
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::method::Method;
use sealpay_provider::authentication::Step;
use sealpay_provider::{Inquiry, PaymentOperations, ProviderFuture, Providers};
use std::pin::Pin;

/// What a method does, which may wait for a provider or for the store.
pub(crate) type MethodFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Starts a payment that has been claimed: by whoever claimed it, and only once.
pub(crate) type Start<'a> =
    Box<dyn FnOnce(Payment) -> MethodFuture<'a, Result<Payment, ApiError>> + Send + 'a>;

/// The request of an attempt to pay.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) session: &'a Session,
    pub(crate) request: &'a VerifiedRequest,
}

/// A payment before it is claimed, and how it starts then.
pub(crate) struct Prepared<'a> {
    pub(crate) payment: Payment,
    pub(crate) start: Start<'a>,
}

impl<'a> Prepared<'a> {
    /// A payment that one provider takes, whatever it is for.
    fn with_provider(mut payment: Payment, provider: &str, start: Start<'a>) -> Self {
        provider.clone_into(&mut payment.provider);
        "method".clone_into(&mut payment.route_reason);
        Self { payment, start }
    }
}

/// What the shopper pays with, decrypted and checked. It does not outlive its request.
pub(crate) trait Instrument: Send + Sync {
    /// Finds out everything that has to be known before the attempt is claimed. No provider is
    /// asked for money here.
    fn prepare<'a>(
        &'a self,
        attempt: Attempt<'a>,
    ) -> MethodFuture<'a, Result<Prepared<'a>, ApiError>>;

    /// The same attempt again, for a payment that waited for the shopper: it may go on now.
    fn resume<'a>(
        &'a self,
        attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>>;
}

/// How a shopper pays by one method, from the body of the request to the end of the payment.
pub(crate) trait PaymentMethod: Send + Sync {
    /// Whether orders may offer it here: whether a provider for it is configured.
    fn is_offered(&self, gateway: &Gateway) -> bool;

    /// Whether what comes with the request costs much to decrypt: a request that was recorded is
    /// not worth it.
    fn is_encrypted(&self) -> bool {
        false
    }

    /// Whether the body holds what this method needs, and nothing that belongs to another.
    ///
    /// # Errors
    /// [`ErrorCode::MalformedRequest`].
    fn check(&self, body: &PayRequest) -> Result<(), ApiError> {
        if body.card.is_none() {
            return Ok(());
        }
        Err(card_belongs_to_cards())
    }

    /// Decrypts what the shopper pays with. Whether the session has expired does not matter: a
    /// challenge may end later than the session in which it began.
    ///
    /// # Errors
    /// [`ErrorCode::SealedCardRefused`].
    fn instrument(
        &self,
        attempt: Attempt<'_>,
        body: PayRequest,
    ) -> Result<Box<dyn Instrument>, ApiError>;

    /// The same attempt again, without what the shopper pays with: it cannot be decrypted any more,
    /// or the session has expired.
    fn resume<'a>(
        &'a self,
        attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>>;

    /// The provider may know more about a payment that waits for the shopper: gives it as it stands
    /// then.
    fn refresh<'a>(
        &'a self,
        _gateway: &'a Gateway,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async { Ok(stored) })
    }

    /// Takes a step of a challenge, for methods that have one.
    fn step<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _payment: Payment,
        _attempt: AttemptId,
        _step: Step,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async { Err(challenge_closed()) })
    }

    /// The shopper gives up. Whoever was asked is told first, because it may have been quicker.
    fn cancel<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: Payment,
        attempt: AttemptId,
    ) -> MethodFuture<'a, Result<Payment, ApiError>>;

    /// Takes in what has arrived in time, before anything of this method expires.
    fn before_expiry<'a>(
        &'a self,
        _gateway: &'a Gateway,
    ) -> MethodFuture<'a, Result<(), ApiError>> {
        Box::pin(async { Ok(()) })
    }

    /// The shopper's time is up; says whether the payment has ended.
    fn expire<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
    ) -> MethodFuture<'a, Result<bool, ApiError>>;

    /// Withdraws the request, for methods whose provider waits for the shopper; none while it
    /// cannot be known what became of it.
    fn withdraw<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _payment: &'a Payment,
    ) -> MethodFuture<'a, Result<Option<PaymentOutcome>, ApiError>> {
        Box::pin(async { Ok(None) })
    }

    /// The outcome of a payment without one for which no provider can have been asked for money.
    fn outcome_unasked(&self, _payment: &Payment) -> Option<PaymentOutcome> {
        None
    }

    /// Asks a provider of this name what became of a payment; none when it cannot be asked.
    fn inquire<'a>(
        &self,
        providers: &'a Providers,
        provider: &str,
        payment: &Payment,
    ) -> Option<ProviderFuture<'a, Inquiry>>;

    /// Who captures, voids and refunds what a provider of this name approved; none when it is not
    /// configured any more.
    fn operations<'a>(
        &self,
        providers: &'a Providers,
        provider: &str,
    ) -> Option<&'a dyn PaymentOperations>;

    /// What the shopper has to do about a payment that waits for them; none while the provider
    /// cannot be asked: the widget asks again. A challenge is shown only to the key that made the
    /// attempt.
    fn action<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
        requester: &'a str,
    ) -> MethodFuture<'a, Option<ActionView>>;

    /// How the shopper can make the next payment easier, once this one is paid.
    fn enrolment<'a>(
        &'a self,
        _gateway: &'a Gateway,
        _payment: &'a Payment,
        _requester: &'a str,
    ) -> MethodFuture<'a, Option<EnrolmentView>> {
        Box::pin(async { None })
    }
}

/// The method of a name. Nothing else in the server tells one method from another.
pub(crate) fn find(method: Method) -> &'static dyn PaymentMethod {
    match method {
        Method::Card => &card::CardMethod,
        Method::Wallet => &wallet::WalletMethod,
        Method::BankTransfer => &bank_transfer::BankTransferMethod,
    }
}

/// The challenge is over, or there never was one.
pub(crate) fn challenge_closed() -> ApiError {
    ApiError::for_param(ErrorCode::ChallengeClosed, "payment")
}

fn card_belongs_to_cards() -> ApiError {
    let detail = "card must be there with the method card, and with no other.";
    ApiError::for_param(ErrorCode::MalformedRequest, "card").explained(detail)
}
