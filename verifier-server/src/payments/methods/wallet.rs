//! Wallets: the shopper confirms on the wallet's own page.

use super::details::PaymentDetails;
use super::{Attempt, Instrument, MethodFuture, PaymentMethod, Prepared, challenge_closed};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::payments::model::Payment;
use crate::payments::outcome::{self, PaymentOutcome, record, record_as};
use crate::payments::prepare::{deadline_ms, new_payment, payee_of};
use sealpay_protocol::api::{ActionView, PayRequest, WalletView};
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::limits;
use sealpay_provider::wallet::WalletRequest;
use sealpay_provider::{Inquiry, PaymentOperations, ProviderError, ProviderFuture, Providers};
use sealpay_system::unix_seconds;

pub(super) struct WalletMethod;

/// The paying account is known to the wallet only.
struct WalletAccount;

impl Instrument for WalletAccount {
    fn prepare<'a>(
        &'a self,
        attempt: Attempt<'a>,
    ) -> MethodFuture<'a, Result<Prepared<'a>, ApiError>> {
        let provider = attempt.gateway.providers.wallet();
        let prepared = provider.map_err(ApiError::from).map(|provider| {
            let start = Box::new(move |payment| -> MethodFuture<'a, _> {
                Box::pin(start(attempt, payment))
            });
            let payment = new_payment(attempt, PaymentDetails::Wallet);
            Prepared::with_provider(payment, provider.name(), start)
        });
        Box::pin(async { prepared })
    }

    fn resume<'a>(
        &'a self,
        attempt: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        WalletMethod.resume(attempt, stored)
    }
}

impl PaymentMethod for WalletMethod {
    fn is_offered(&self, gateway: &Gateway) -> bool {
        gateway.providers.wallet.is_some()
    }

    fn instrument(
        &self,
        _attempt: Attempt<'_>,
        _body: PayRequest,
    ) -> Result<Box<dyn Instrument>, ApiError> {
        Ok(Box::new(WalletAccount))
    }

    fn resume<'a>(
        &'a self,
        Attempt { gateway, .. }: Attempt<'a>,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async move {
            match inquire(gateway, &stored).await {
                Ok(inquiry) => record_inquired(gateway, stored, inquiry).await,
                // The widget polls again soon.
                Err(_) => Ok(stored),
            }
        })
    }

    fn refresh<'a>(
        &'a self,
        gateway: &'a Gateway,
        stored: Payment,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async move {
            let inquiry = inquire(gateway, &stored).await?;
            record_inquired(gateway, stored, inquiry).await
        })
    }

    fn cancel<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: Payment,
        _attempt: AttemptId,
    ) -> MethodFuture<'a, Result<Payment, ApiError>> {
        Box::pin(async move {
            match self.withdraw(gateway, &payment).await? {
                Some(outcome) => record(gateway, &payment, outcome).await,
                None => Err(challenge_closed()),
            }
        })
    }

    fn expire<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
    ) -> MethodFuture<'a, Result<bool, ApiError>> {
        Box::pin(async move {
            match self.withdraw(gateway, payment).await? {
                Some(outcome) => record(gateway, payment, outcome).await.map(|_| true),
                None => Ok(false),
            }
        })
    }

    fn withdraw<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
    ) -> MethodFuture<'a, Result<Option<PaymentOutcome>, ApiError>> {
        Box::pin(async move {
            let wallet = gateway.providers.wallet()?;
            let asked = wallet.withdraw(payment.id);
            let inquiry = gateway.within(asked).await?;
            Ok(match inquiry {
                Inquiry::NeverReceived => Some(PaymentOutcome::declined("payment_abandoned")),
                inquiry => outcome::of_inquiry(payment, inquiry),
            })
        })
    }

    fn inquire<'a>(
        &self,
        providers: &'a Providers,
        _provider: &str,
        payment: &Payment,
    ) -> Option<ProviderFuture<'a, Inquiry>> {
        Some(providers.wallet.as_ref()?.inquire(payment.id))
    }

    fn operations<'a>(
        &self,
        providers: &'a Providers,
        _provider: &str,
    ) -> Option<&'a dyn PaymentOperations> {
        let wallet = providers.wallet.as_deref()?;
        Some(wallet)
    }

    /// A real wallet requires its own sign-in, so a reloaded page may show the URL.
    fn action<'a>(
        &'a self,
        gateway: &'a Gateway,
        payment: &'a Payment,
        _requester: &'a str,
    ) -> MethodFuture<'a, Option<ActionView>> {
        Box::pin(async move {
            let asked = gateway.providers.wallet.as_ref()?.page(payment.id);
            let url = gateway.within(asked).await.ok().flatten()?;
            Some(ActionView::Wallet(WalletView {
                url,
                expires_at: unix_seconds(payment.lease_until_ms),
            }))
        })
    }
}

async fn inquire(gateway: &Gateway, payment: &Payment) -> Result<Inquiry, ProviderError> {
    let wallet = gateway.providers.wallet()?;
    gateway.within(wallet.inquire(payment.id)).await
}

async fn record_inquired(
    gateway: &Gateway,
    stored: Payment,
    inquiry: Inquiry,
) -> Result<Payment, ApiError> {
    match outcome::of_inquiry(&stored, inquiry) {
        Some(outcome) => record(gateway, &stored, outcome).await,
        None => Ok(stored),
    }
}

async fn start(attempt: Attempt<'_>, payment: Payment) -> Result<Payment, ApiError> {
    let gateway = attempt.gateway;
    let payee = payee_of(gateway, attempt.session).await?;
    let expires_at_ms = deadline_ms(gateway, limits::WALLET_LIFETIME_SECONDS);
    let providers = gateway.providers_for(payment.simulate.as_deref());
    let wallet = providers.wallet()?;
    let started = wallet.start(WalletRequest {
        reference: payment.id,
        money: payment.money,
        capture: payment.capture,
        payee: &payee,
        expires_at_ms,
    });
    match gateway.within(started).await {
        Ok(_) => {
            let mut changed = payment.clone();
            changed.lease_until_ms = expires_at_ms;
            record_as(gateway, &payment, PaymentOutcome::REQUIRES_ACTION, changed).await
        }
        Err(error) => {
            let outcome = outcome::of_authorization(&payment, Some(Err(error)));
            record(gateway, &payment, outcome).await
        }
    }
}
