//! What stands in for a capability that is not configured.

use crate::authentication::{
    Authentication, AuthenticationRequest, AuthenticationStatus, Progress, Step, Stepped,
};
use crate::payout::{PayoutRequest, ReturnedPayout};
use crate::{
    Authenticator, BinLookup, PayoutProvider, ProviderDecision, ProviderError, ProviderFuture,
};
use sealpay_protocol::card::CardNumber;
use sealpay_protocol::ids::{AttemptId, PaymentId, PayoutId};
use std::sync::Arc;

pub(super) fn absent(what: &str) -> ProviderError {
    ProviderError::NotSent(format!("no provider for {what} is configured"))
}

/// Stands in for a capability that is not configured.
pub struct Absent;

/// Makes a stand-in.
pub trait StandIn<T: ?Sized> {
    /// The capability without a provider.
    fn stand_in() -> Arc<T>;
}

macro_rules! stand_ins {
    ($($provider:ident),*) => {$(
        impl StandIn<dyn $provider> for Absent {
            fn stand_in() -> Arc<dyn $provider> {
                Arc::new(Self)
            }
        }
    )*};
}

stand_ins!(Authenticator, BinLookup, PayoutProvider);

impl Authenticator for Absent {
    /// The issuer cannot be reached: `U` of EMV 3-D Secure.
    fn authenticate<'a>(
        &'a self,
        request: AuthenticationRequest<'a>,
    ) -> ProviderFuture<'a, Progress> {
        let status = AuthenticationStatus::Unavailable;
        let authentication = Authentication {
            status,
            eci: status.eci(request.brand).to_owned(),
            value: None,
            challenge: None,
            reasons: request.reasons,
        };
        Box::pin(async { Ok(Progress::Done(authentication)) })
    }

    fn progress(&self, _reference: PaymentId) -> ProviderFuture<'_, Option<Progress>> {
        Box::pin(async { Ok(None) })
    }

    fn step(
        &self,
        _reference: PaymentId,
        _id: AttemptId,
        _step: Step,
    ) -> ProviderFuture<'_, Stepped> {
        Box::pin(async { Ok(Stepped::Closed) })
    }
}

impl BinLookup for Absent {
    fn country_of(&self, _number: &CardNumber) -> Option<&str> {
        None
    }
}

impl PayoutProvider for Absent {
    fn pay(&self, _request: PayoutRequest) -> ProviderFuture<'_, ProviderDecision> {
        Box::pin(async { Err(absent("payouts")) })
    }

    fn returned(&self, _by_ms: i64, _limit: u32) -> ProviderFuture<'_, Vec<ReturnedPayout>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn acknowledge_return(&self, _payout: PayoutId) -> ProviderFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
