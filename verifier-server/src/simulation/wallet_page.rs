//! The simulated wallet's own page: the shopper confirms or refuses there, and the merchant hears
//! of it at once, whether or not the shop's page is still open.

use super::bank;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::reconcile;
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::ProviderDecision;
use sealpay_simulator::wallet::{SimulatedWallet, WalletDecision, WalletState};
use sealpay_system::unix_seconds;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletScreen {
    /// Who is paid.
    pub payee: String,
    /// How much, for people.
    pub amount: String,
    /// Until when it can be confirmed, seconds since 1970.
    pub expires_at: u64,
    /// What it can be paid from: the account, and its name for the shopper.
    pub accounts: Vec<(&'static str, &'static str)>,
    /// Where it stands.
    pub standing: Standing,
}

/// Where a request to the wallet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits for the shopper.
    Open,
    /// The shopper confirmed, and the bank has not answered yet.
    Processing,
    /// It is paid.
    Paid,
    /// The shopper refused.
    Refused,
    /// The bank said no.
    Declined,
    /// It is too late, or it was taken back.
    Closed,
}

/// What the shopper does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletAction {
    /// Pays from an account.
    Confirm(String),
    /// Does not pay.
    Refuse,
}

/// What the page shows.
///
/// # Errors
/// [`ErrorCode::NotFound`], or the wallet does not answer.
pub async fn open(gateway: &Gateway, token: &str) -> Result<WalletScreen, ApiError> {
    let wallet = bank(gateway)?.wallet();
    find(&wallet, token).await.map(|(_, screen)| screen)
}

/// Does what the shopper wants; gives what the page shows then.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::InvalidParameter`] for an account that the wallet does not have, or
/// the wallet does not answer.
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
            // As a wallet would notify: the shop's page may be gone. Where that fails, the bank is
            // asked later.
            if let Err(error) = reconcile::look_at(gateway, reference).await {
                tracing::warn!(payment = %reference, ?error, "the wallet could not notify");
            }
            (_, screen) = find(&wallet, token).await?;
        }
        // The bank is asked later what became of it.
        Err(error) => {
            tracing::warn!(payment = %reference, ?error, "the wallet's bank did not answer");
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
        WalletState::Decided(ProviderDecision::Approved) => Standing::Paid,
        WalletState::Decided(ProviderDecision::Declined(reason)) if reason == "wallet_refused" => {
            Standing::Refused
        }
        WalletState::Decided(ProviderDecision::Declined(_)) => Standing::Declined,
        WalletState::Closed => Standing::Closed,
    }
}
