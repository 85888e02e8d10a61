//! The simulated wallet's own page: the shopper confirms or refuses there, and the merchant hears
//! of it at once, whether or not the shop's page is still open.

use super::action::seconds;
use super::gateway::Gateway;
use super::outcome::{self, keep};
use super::simulation::{bank, silent};
use crate::domain::state::PaymentState;
use crate::gate::refusal::{Code, Refusal};
use crate::provider::Answer;
use crate::provider::WalletProvider;
use crate::provider::simulated::wallet::{SimulatedWallet, WalletDecision, WalletState};
use sealpay_protocol::ids::PaymentId;

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
pub enum Wish {
    /// Pays from an account.
    Confirm(String),
    /// Does not pay.
    Refuse,
}

/// What the page shows.
///
/// # Errors
/// [`Code::NotFound`], or the wallet does not answer.
pub async fn open(gateway: &Gateway, token: &str) -> Result<WalletScreen, Refusal> {
    let wallet = bank(gateway)?.wallet();
    find(&wallet, token).await.map(|(_, screen)| screen)
}

/// Does what the shopper wants; gives what the page shows then.
///
/// # Errors
/// [`Code::NotFound`], [`Code::InvalidParameter`] for an account that the wallet does not have, or
/// the wallet does not answer.
pub async fn decide(gateway: &Gateway, token: &str, wish: Wish) -> Result<WalletScreen, Refusal> {
    let wallet = bank(gateway)?.wallet();
    let (reference, mut screen) = find(&wallet, token).await?;
    let decided = match &wish {
        Wish::Confirm(account) => {
            gateway
                .within(Box::pin(wallet.confirm(token, account)))
                .await
        }
        Wish::Refuse => gateway.within(Box::pin(wallet.refuse(token))).await,
    };
    match decided {
        Ok(WalletDecision::UnknownPage) => return Err(Refusal::new(Code::NotFound)),
        Ok(WalletDecision::UnknownAccount) => {
            let detail = "account must name one of the accounts of the page.";
            return Err(Refusal::invalid("account", detail));
        }
        Ok(WalletDecision::Decided(_) | WalletDecision::Closed) => {
            tell(gateway, &wallet, reference).await?;
            (_, screen) = find(&wallet, token).await?;
        }
        // The bank is asked later what became of it.
        Err(silence) => {
            tracing::warn!(payment = %reference, ?silence, "the wallet's bank did not answer");
            screen.standing = Standing::Processing;
        }
    }
    Ok(screen)
}

async fn find(wallet: &SimulatedWallet, token: &str) -> Result<(PaymentId, WalletScreen), Refusal> {
    let page = wallet.open(token).await.map_err(silent)?;
    let page = page.ok_or(Refusal::new(Code::NotFound))?;
    let screen = WalletScreen {
        payee: page.payee,
        amount: page.money.to_string(),
        expires_at: seconds(page.expires_at_ms),
        accounts: page.accounts,
        standing: standing(&page.state),
    };
    Ok((page.reference, screen))
}

fn standing(state: &WalletState) -> Standing {
    match state {
        WalletState::Open => Standing::Open,
        WalletState::Confirmed => Standing::Processing,
        WalletState::Decided(Answer::Approved) => Standing::Paid,
        WalletState::Decided(Answer::Declined(reason)) if reason == "wallet_refused" => {
            Standing::Refused
        }
        WalletState::Decided(Answer::Declined(_)) => Standing::Declined,
        WalletState::Closed => Standing::Closed,
    }
}

/// Keeps what became of the payment and tells the merchant. Where the shop's page was quicker, what
/// it was told stands.
async fn tell(
    gateway: &Gateway,
    wallet: &SimulatedWallet,
    reference: PaymentId,
) -> Result<(), Refusal> {
    let Some(payment) = gateway.store.payment_by_id(reference).await? else {
        return Ok(());
    };
    if payment.state != PaymentState::RequiresAction {
        return Ok(());
    }
    let said = gateway.within(wallet.inquire(reference)).await;
    let outcome = said.map(|said| outcome::of_inquiry(&payment, said));
    if let Ok(Some(outcome)) = outcome {
        keep(gateway, &payment, outcome).await?;
    }
    Ok(())
}
