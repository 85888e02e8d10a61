//! A simulated wallet: its own page asks the shopper to confirm, and pays from one of a few
//! accounts.
//!
//! The one row of a request decides between a confirmation, a refusal and a withdrawal; the journal
//! decides about a confirmed request, as for cards.

mod account;
mod request;
#[cfg(test)]
mod tests;

use super::journal::modify_authorization;
use super::outcome::Directive;
use super::simulation::Simulation;
use account::ACCOUNTS;
use request::{Closing, RequestState, StoredRequest, close, stored_decision};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::wallet::WalletRequest;
use sealpay_provider::{
    Inquiry, ModificationRequest, PaymentOperations, ProviderDecision, ProviderError,
    ProviderFuture, WalletProvider,
};
use sealpay_storage::values;
use std::sync::Arc;

/// The name on payments and in the journal.
pub const NAME: &str = "simulated_wallet";

/// How long the bank may take to decide about a confirmed request before an inquiry, which
/// tombstones a request that has not arrived. A slow bank takes three seconds.
const RESPONSE_TIMEOUT_MS: i64 = 15_000;

/// The wallet's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletPage {
    /// The payment.
    pub reference: PaymentId,
    /// The merchant's name.
    pub payee: String,
    /// The amount.
    pub money: Money,
    /// Until when it can be confirmed, milliseconds since 1970.
    pub expires_at_ms: i64,
    /// The state of the request.
    pub state: WalletState,
    /// The accounts to pay from: the id of each, and its name for the shopper.
    pub accounts: Vec<(&'static str, &'static str)>,
}

/// The state of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletState {
    /// The shopper can confirm.
    Open,
    /// The shopper confirmed, and the bank has not decided yet.
    Confirmed,
    /// It is decided.
    Decided(ProviderDecision),
    /// It has expired or was withdrawn.
    Closed,
}

/// The result of the shopper's confirmation or refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletDecision {
    /// It is decided, now or earlier.
    Decided(ProviderDecision),
    /// It has expired or was withdrawn.
    Closed,
    /// The wallet has no such account; nothing is changed.
    UnknownAccount,
    /// There is no such page.
    UnknownPage,
}

/// The wallet.
#[derive(Debug, Clone)]
pub struct SimulatedWallet {
    simulation: Arc<Simulation>,
    /// The outcome that the order asks for.
    directive: Option<Directive>,
}

impl SimulatedWallet {
    pub(crate) const fn new(simulation: Arc<Simulation>, directive: Option<Directive>) -> Self {
        Self {
            simulation,
            directive,
        }
    }

    /// The part of the page's address that identifies the request: 192 bits that cannot be guessed,
    /// and that the bank can derive again without storing them.
    fn token(&self, reference: PaymentId) -> String {
        let reference = reference.to_string();
        let token = self.simulation.keyed("wallet page", reference.as_bytes());
        base64url(&token[..24])
    }

    fn token_hash(&self, token: &str) -> String {
        base64url(&self.simulation.keyed("wallet page hash", token.as_bytes()))
    }

    fn address(&self, reference: PaymentId) -> String {
        format!("/test/wallet/{}", self.token(reference))
    }

    async fn request(&self, reference: PaymentId) -> Result<Option<StoredRequest>, ProviderError> {
        let journal = &self.simulation.journal;
        journal.get(request::BY_REFERENCE, values![reference]).await
    }

    async fn by_token(&self, token: &str) -> Result<Option<StoredRequest>, ProviderError> {
        let token_hash = values![self.token_hash(token)];
        let journal = &self.simulation.journal;
        journal.get(request::BY_TOKEN, token_hash).await
    }

    /// The wallet's page; none where the token is unknown.
    pub async fn open(&self, token: &str) -> Result<Option<WalletPage>, ProviderError> {
        let Some(found) = self.by_token(token).await? else {
            return Ok(None);
        };
        let is_expired = self.simulation.clock.now_ms_i64() >= found.expires_at_ms;
        let state = match (found.state, found.decision()) {
            (RequestState::Withdrawn, _) => WalletState::Closed,
            (_, Some(decision)) => WalletState::Decided(decision),
            (RequestState::Confirmed, None) => WalletState::Confirmed,
            (_, None) if is_expired => WalletState::Closed,
            (_, None) => WalletState::Open,
        };
        Ok(Some(WalletPage {
            reference: found.reference,
            payee: found.payee,
            money: found.money,
            expires_at_ms: found.expires_at_ms,
            state,
            accounts: ACCOUNTS.map(|(id, label, _)| (id, label)).to_vec(),
        }))
    }

    /// The shopper confirms and pays from an account. A repeated confirmation has the same result,
    /// whatever the account.
    ///
    /// # Errors
    /// The journal failed, or the bank did not respond.
    pub async fn confirm(
        &self,
        token: &str,
        account: &str,
    ) -> Result<WalletDecision, ProviderError> {
        let now_ms = self.simulation.clock.now_ms_i64();
        let Some(fresh) = account::fresh(account, now_ms) else {
            return Ok(WalletDecision::UnknownAccount);
        };
        self.simulation.journal.get_or_insert_account(fresh).await?;
        let confirmed = RequestState::Confirmed;
        let Some(found) = self.decide(token, confirmed, Some(account)).await? else {
            return Ok(WalletDecision::UnknownPage);
        };
        let (RequestState::Confirmed, Some(account)) = (found.state, &found.account) else {
            return Ok(decision_of(Some(found)));
        };
        let decision = self.simulation.authorize_account(
            NAME,
            found.reference,
            account,
            (found.money, found.capture),
            found.simulate.as_deref(),
        );
        self.record(found.reference, decision.await?).await?;
        Ok(decision_of(self.request(found.reference).await?))
    }

    /// Records the journal's decision about a confirmed request. It is the same for every caller.
    async fn record(
        &self,
        reference: PaymentId,
        decision: Option<ProviderDecision>,
    ) -> Result<(), ProviderError> {
        let values = values![reference, stored_decision(decision)];
        let journal = &self.simulation.journal;
        journal.change(request::RECORD, values).await.map(drop)
    }

    /// Asks the journal about a confirmed request, and records the decision.
    async fn resolve(&self, reference: PaymentId) -> Result<Inquiry, ProviderError> {
        let now_ms = self.simulation.clock.now_ms_i64();
        let journal = &self.simulation.journal;
        let decision = journal.inquire(NAME, reference, now_ms).await?;
        self.record(reference, decision.clone()).await?;
        Ok(decision.map_or(Inquiry::NeverReceived, Inquiry::Answered))
    }

    /// The shopper refuses.
    pub async fn refuse(&self, token: &str) -> Result<WalletDecision, ProviderError> {
        let refused = self.decide(token, RequestState::Refused, None).await;
        refused.map(decision_of)
    }

    /// Decides a request that is open; gives what is stored then.
    async fn decide(
        &self,
        token: &str,
        state: RequestState,
        account: Option<&str>,
    ) -> Result<Option<StoredRequest>, ProviderError> {
        let Some(found) = self.by_token(token).await? else {
            return Ok(None);
        };
        let decision = values![
            found.reference,
            state.name(),
            account.map(str::to_owned),
            self.simulation.clock.now_ms_i64(),
        ];
        let journal = &self.simulation.journal;
        journal.change(request::DECIDE, decision).await?;
        self.request(found.reference).await
    }

    /// What became of a request. After a while the journal is asked about a confirmed one.
    async fn outcome(&self, found: &StoredRequest) -> Result<Inquiry, ProviderError> {
        let now_ms = self.simulation.clock.now_ms_i64();
        match (found.state, found.decision()) {
            _ if found.is_tombstoned() => Ok(Inquiry::NeverReceived),
            (_, Some(decision)) => Ok(Inquiry::Answered(decision)),
            (RequestState::Confirmed, None) => match found.decided_at_ms {
                Some(decided_at_ms) if now_ms - decided_at_ms < RESPONSE_TIMEOUT_MS => {
                    Ok(Inquiry::Waiting)
                }
                _ => self.resolve(found.reference).await,
            },
            (_, None) => Ok(Inquiry::Waiting),
        }
    }

    /// Withdraws an open request, or only one that has expired; gives what is stored then.
    async fn close(
        &self,
        reference: PaymentId,
        only_expired: bool,
    ) -> Result<StoredRequest, ProviderError> {
        let closing = Closing {
            reference,
            now_ms: self.simulation.clock.now_ms_i64(),
            only_expired,
            token_hash: self.token_hash(&self.token(reference)),
        };
        let journal = &self.simulation.journal;
        journal
            .write(closing, |tx, closing| Box::pin(close(tx, closing)))
            .await
    }
}

/// The decision about a request that is not open.
fn decision_of(found: Option<StoredRequest>) -> WalletDecision {
    let Some(found) = found else {
        return WalletDecision::UnknownPage;
    };
    match (found.state, found.decision()) {
        (RequestState::Confirmed | RequestState::Refused, Some(decision)) => {
            WalletDecision::Decided(decision)
        }
        _ => WalletDecision::Closed,
    }
}

impl PaymentOperations for SimulatedWallet {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        Box::pin(self.simulation.modify(NAME, request, |tx, change| {
            Box::pin(modify_authorization(tx, change))
        }))
    }
}

impl WalletProvider for SimulatedWallet {
    fn name(&self) -> &str {
        NAME
    }

    fn start<'a>(&'a self, request: WalletRequest<'a>) -> ProviderFuture<'a, String> {
        Box::pin(async move {
            let started = StoredRequest {
                reference: request.reference,
                token_hash: self.token_hash(&self.token(request.reference)),
                state: RequestState::Open,
                money: request.money,
                capture: request.capture,
                payee: request.payee.to_owned(),
                simulate: self.directive.as_ref().map(|asked| asked.name.clone()),
                expires_at_ms: request.expires_at_ms,
                account: None,
                decision: None,
                decided_at_ms: None,
            };
            let journal = &self.simulation.journal;
            journal.add(request::START, &started).await?;
            Ok(self.address(request.reference))
        })
    }

    fn page(&self, reference: PaymentId) -> ProviderFuture<'_, Option<String>> {
        Box::pin(async move {
            let found = self.request(reference).await?;
            let found = found.filter(|found| found.state != RequestState::NeverReceived);
            Ok(found.map(|_| self.address(reference)))
        })
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move {
            let found = self.close(reference, true).await?;
            self.outcome(&found).await
        })
    }

    fn withdraw(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move {
            let found = self.close(reference, false).await?;
            // A confirmation may be on its way: the journal decides.
            if found.state == RequestState::Confirmed && found.decision.is_none() {
                return self.resolve(reference).await;
            }
            self.outcome(&found).await
        })
    }
}
