//! The simulated wallet's page: the shopper confirms or cancels, and the gateway is notified
//! immediately, whether or not the shop's page is still open.

use super::bank;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::reconcile;
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::ProviderDecision;
use sealpay_simulator::wallet::{SimulatedWallet, WalletDecision, WalletState};
use sealpay_system::unix_seconds;

/// The content of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletScreen {
    /// The payee.
    pub payee: String,
    /// The formatted amount.
    pub amount: String,
    /// When the request expires, seconds since 1970.
    pub expires_at: u64,
    /// The accounts to pay from: name and display name.
    pub accounts: Vec<(&'static str, &'static str)>,
    /// The state of the request.
    pub standing: Standing,
}

/// The state of a wallet request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Waiting for the shopper.
    Open,
    /// Confirmed; the bank has not responded yet.
    Processing,
    /// Paid.
    Paid,
    /// Cancelled by the shopper.
    Refused,
    /// Declined by the bank.
    Declined,
    /// Expired or withdrawn.
    Closed,
}

/// The shopper's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletAction {
    /// Pay from an account.
    Confirm(String),
    /// Cancel.
    Refuse,
}

/// The content of the page.
///
/// # Errors
/// [`ErrorCode::NotFound`], or the wallet does not respond.
pub async fn open(gateway: &Gateway, token: &str) -> Result<WalletScreen, ApiError> {
    let wallet = bank(gateway)?.wallet();
    find(&wallet, token).await.map(|(_, screen)| screen)
}

/// Processes the shopper's decision; returns the new content.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::InvalidParameter`] for an unknown account, or the wallet
/// does not respond.
pub async fn decide(
    gateway: &Gateway,
    token: &str,
    action: WalletAction,
) -> Result<WalletScreen, ApiError> {
    let wallet = bank(gateway)?.wallet();
    let (reference, mut screen) = find(&wallet, token).await?;
    let decided = match &action {
        WalletAction::Confirm(account) => {
            gateway
                .within(Box::pin(wallet.confirm(token, account)))
                .await
        }
        WalletAction::Refuse => gateway.within(Box::pin(wallet.refuse(token))).await,
    };
    match decided {
        Ok(WalletDecision::UnknownPage) => return Err(ApiError::new(ErrorCode::NotFound)),
        Ok(WalletDecision::UnknownAccount) => {
            let detail = "account must name one of the accounts of the page.";
            return Err(ApiError::invalid("account", detail));
        }
        Ok(WalletDecision::Decided(_) | WalletDecision::Closed) => {
            // Notifies the gateway as a wallet would, because the shop's page may be gone. If that
            // fails, the bank is queried later.
            if let Err(error) = reconcile::look_at(gateway, reference).await {
                tracing::warn!(payment = %reference, ?error, "the wallet's notification failed");
            }
            (_, screen) = find(&wallet, token).await?;
        }
        // The outcome is queried later.
        Err(error) => {
            tracing::warn!(payment = %reference, ?error, "the wallet's bank did not respond");
            screen.standing = Standing::Processing;
        }
    }
    Ok(screen)
}

async fn find(
    wallet: &SimulatedWallet,
    token: &str,
) -> Result<(PaymentId, WalletScreen), ApiError> {
    let page = wallet.open(token).await?;
    let page = page.ok_or(ApiError::new(ErrorCode::NotFound))?;
    let screen = WalletScreen {
        payee: page.payee,
        amount: page.money.to_string(),
        expires_at: unix_seconds(page.expires_at_ms),
        accounts: page.accounts,
        standing: standing(&page.state),
    };
    Ok((page.reference, screen))
}

fn standing(state: &WalletState) -> Standing {
    match state {
        WalletState::Open => Standing::Open,
        WalletState::Confirmed => Standing::Processing,
        WalletState::Decided(ProviderDecision::Approved(_)) => Standing::Paid,
        WalletState::Decided(ProviderDecision::Declined(rejection))
            if rejection.reason == "wallet_refused" =>
        {
            Standing::Refused
        }
        WalletState::Decided(ProviderDecision::Declined(_)) => Standing::Declined,
        WalletState::Closed => Standing::Closed,
    }
}
