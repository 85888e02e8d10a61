//! A simulated wallet: its own page asks the shopper to confirm, and pays from one of a few
//! accounts.
//!
//! The one row of a request decides between confirming, refusing and taking back; what was
//! confirmed is decided by the book, as for cards.

mod account;
mod request;
#[cfg(test)]
mod tests;

use super::book::{self, RecordedResult};
use super::outcome::Directive;
use super::world::{World, silent};
use account::ACCOUNTS;
use request::{APPROVED, Closing, NEVER_RECEIVED, Request, State, capture_name, close};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::wallet::WalletRequest;
use sealpay_provider::{
    Inquiry, ModificationRequest, PaymentOperations, ProviderDecision, ProviderError,
    ProviderFuture, WalletProvider,
};
use sealpay_storage::{Value, values};
use std::sync::Arc;

/// The name on payments and in the book.
pub const NAME: &str = "simulated_wallet";

/// How long the bank may take over what was confirmed before it is asked, which strikes it out
/// should it never have arrived. A slow bank takes three seconds.
const PATIENCE_MS: i64 = 15_000;

/// What the wallet's page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletPage {
    /// Whose confirmation it asks for.
    pub reference: PaymentId,
    /// Who is paid.
    pub payee: String,
    /// How much.
    pub money: Money,
    /// Until when it can be confirmed, milliseconds since 1970.
    pub expires_at_ms: i64,
    /// Where it stands.
    pub state: WalletState,
    /// What it can be paid from: the account, and its name for the shopper.
    pub accounts: Vec<(&'static str, &'static str)>,
}

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletState {
    /// It waits for the shopper.
    Open,
    /// The shopper confirmed, and the bank has not answered yet.
    Confirmed,
    /// It is decided.
    Decided(ProviderDecision),
    /// It is too late, or it was taken back.
    Closed,
}

/// What became of what the shopper did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletDecision {
    /// It is decided, now or before.
    Decided(ProviderDecision),
    /// It is too late, or it was taken back.
    Closed,
    /// The wallet has no such account; nothing happened.
    UnknownAccount,
    /// There is no such page.
    UnknownPage,
}

/// The wallet.
#[derive(Debug, Clone)]
pub struct SimulatedWallet {
    world: Arc<World>,
    /// What the order asks for.
    directive: Option<Directive>,
}

impl SimulatedWallet {
    pub(super) const fn new(world: Arc<World>, directive: Option<Directive>) -> Self {
        Self { world, directive }
    }

    /// The part of the address that opens a request's page: 192 bits that nobody can guess, and
    /// that the bank can tell again without having kept them.
    fn token(&self, reference: PaymentId) -> String {
        let token = self
            .world
            .keyed("wallet page", reference.to_string().as_bytes());
        base64url(&token[..24])
    }

    fn token_hash(&self, token: &str) -> String {
        base64url(&self.world.keyed("wallet page hash", token.as_bytes()))
    }

    fn address(&self, reference: PaymentId) -> String {
        format!("/test/wallet/{}", self.token(reference))
    }

    fn row(
        &self,
        reference: PaymentId,
        state: State,
        request: Option<&WalletRequest<'_>>,
    ) -> [Value; 9] {
        let money = request.map(|request| request.money);
        values![
            reference,
            self.token_hash(&self.token(reference)),
            state.name(),
            money.map_or(0, Money::amount_minor),
            money.map_or_else(|| "EUR".into(), |money| money.currency().to_string()),
            request.map_or("automatic", |request| capture_name(request.capture)),
            request.map_or("", |request| request.payee).to_owned(),
            self.directive.as_ref().map(|asked| asked.name.clone()),
            request.map_or(0, |request| request.expires_at_ms),
        ]
    }

    async fn request(&self, reference: PaymentId) -> Result<Option<Request>, ProviderError> {
        let row = self
            .world
            .database
            .row(request::BY_REFERENCE, values![reference]);
        row.await
            .and_then(|row| row.map(Request::read).transpose())
            .map_err(silent)
    }

    async fn by_token(&self, token: &str) -> Result<Option<Request>, ProviderError> {
        let values = values![self.token_hash(token)];
        let row = self.world.database.row(request::BY_TOKEN, values);
        row.await
            .and_then(|row| row.map(Request::read).transpose())
            .map_err(silent)
    }

    /// What the wallet's page shows; none when there is no such page.
    pub async fn open(&self, token: &str) -> Result<Option<WalletPage>, ProviderError> {
        let Some(found) = self.by_token(token).await? else {
            return Ok(None);
        };
        let is_late = self.world.clock.now_ms_i64() >= found.expires_at_ms;
        let state = match (found.state, found.answer()) {
            (State::Withdrawn, _) => WalletState::Closed,
            (_, Some(answer)) => WalletState::Decided(answer),
            (State::Confirmed, None) => WalletState::Confirmed,
            (_, None) if is_late => WalletState::Closed,
            (_, None) => WalletState::Open,
        };
        Ok(Some(WalletPage {
            reference: found.reference,
            payee: found.payee,
            money: found.money,
            expires_at_ms: found.expires_at_ms,
            state,
            accounts: ACCOUNTS
                .iter()
                .map(|(id, label, _)| (*id, *label))
                .collect(),
        }))
    }

    /// The shopper confirms and pays from an account. Again gives the same answer, whatever the
    /// account.
    ///
    /// # Errors
    /// The bank's book failed, or the bank did not answer.
    pub async fn confirm(
        &self,
        token: &str,
        account: &str,
    ) -> Result<WalletDecision, ProviderError> {
        let Some(fresh) = account::fresh(account, self.world.clock.now_ms_i64()) else {
            return Ok(WalletDecision::UnknownAccount);
        };
        let made = book::make_account(&self.world.database, fresh).await;
        made.map_err(silent)?;
        let decided = self.decide(token, State::Confirmed, Some(account)).await?;
        let Some(found) = decided else {
            return Ok(WalletDecision::UnknownPage);
        };
        let (State::Confirmed, Some(account)) = (found.state, &found.account) else {
            return Ok(said(&found));
        };
        let answer = self.world.authorize_account(
            NAME,
            found.reference,
            account,
            found.money,
            found.capture,
            found.simulate.as_deref(),
        );
        let answer = match answer.await? {
            RecordedResult::Answered(answer) => Inquiry::Answered(answer),
            RecordedResult::NeverReceived => Inquiry::NeverReceived,
        };
        self.record(found.reference, &answer).await?;
        let found = self.request(found.reference).await?;
        Ok(found.map_or(WalletDecision::UnknownPage, |found| said(&found)))
    }

    /// Records what the book says of a confirmation. It says the same to everyone, so that it does
    /// not matter who records it.
    async fn record(&self, reference: PaymentId, answer: &Inquiry) -> Result<(), ProviderError> {
        let text = match answer {
            Inquiry::Answered(ProviderDecision::Approved) => APPROVED,
            Inquiry::Answered(ProviderDecision::Declined(key)) => key,
            Inquiry::NeverReceived => NEVER_RECEIVED,
            Inquiry::Waiting => return Ok(()),
        };
        let values = values![reference, text.to_owned()];
        let recorded = self.world.database.execute(request::ANSWER, values).await;
        recorded.map(drop).map_err(silent)
    }

    /// Asks the book what became of a confirmation; from then on the request says the same.
    async fn resolve(&self, reference: PaymentId) -> Result<Inquiry, ProviderError> {
        let answer = self.world.inquire(NAME, reference).await?;
        self.record(reference, &answer).await?;
        Ok(answer)
    }

    /// The shopper refuses.
    pub async fn refuse(&self, token: &str) -> Result<WalletDecision, ProviderError> {
        let decided = self.decide(token, State::Refused, None).await?;
        Ok(decided.map_or(WalletDecision::UnknownPage, |found| said(&found)))
    }

    /// Decides, unless it is decided; gives the request as it stands.
    async fn decide(
        &self,
        token: &str,
        state: State,
        account: Option<&str>,
    ) -> Result<Option<Request>, ProviderError> {
        let Some(found) = self.by_token(token).await? else {
            return Ok(None);
        };
        let decision = values![
            found.reference,
            state.name(),
            account.map(str::to_owned),
            self.world.clock.now_ms_i64(),
        ];
        let database = &self.world.database;
        database
            .execute(request::DECIDE, decision)
            .await
            .map_err(silent)?;
        self.request(found.reference).await
    }

    /// What stands; what is waited for too long is asked for.
    async fn stands(&self, found: &Request) -> Result<Inquiry, ProviderError> {
        let now_ms = self.world.clock.now_ms_i64();
        match (found.state, found.answer()) {
            _ if found.is_tombstoned() => Ok(Inquiry::NeverReceived),
            (_, Some(answer)) => Ok(Inquiry::Answered(answer)),
            (State::Confirmed, None) => {
                let since = found
                    .decided_at_ms
                    .map_or(i64::MAX, |decided| now_ms - decided);
                if since < PATIENCE_MS {
                    return Ok(Inquiry::Waiting);
                }
                self.resolve(found.reference).await
            }
            (_, None) => Ok(Inquiry::Waiting),
        }
    }

    /// Closes what is open, all of it or only what is too late; then says what stands.
    async fn close(&self, reference: PaymentId, only_late: bool) -> Result<Request, ProviderError> {
        let now_ms = self.world.clock.now_ms_i64();
        let request = Closing {
            withdraw: values![reference, now_ms, only_late.then_some(now_ms)],
            strike_out: self.row(reference, State::NeverReceived, None),
            find: values![reference],
        };
        let closed = self
            .world
            .database
            .write(request, |tx, request| Box::pin(close(tx, request)));
        closed.await.map_err(silent)
    }
}

/// What a shopper hears of a request that has nothing left to decide.
fn said(found: &Request) -> WalletDecision {
    match (found.state, found.answer()) {
        (State::Confirmed | State::Refused, Some(answer)) => WalletDecision::Decided(answer),
        _ => WalletDecision::Closed,
    }
}

impl PaymentOperations for SimulatedWallet {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        Box::pin(self.world.modify(NAME, request, |tx, change| {
            Box::pin(book::modify_authorization(tx, change))
        }))
    }
}

impl WalletProvider for SimulatedWallet {
    fn name(&self) -> &str {
        NAME
    }

    fn start<'a>(&'a self, request: WalletRequest<'a>) -> ProviderFuture<'a, String> {
        Box::pin(async move {
            let row = self.row(request.reference, State::Open, Some(&request));
            let started = self.world.database.execute(request::START, row).await;
            started.map_err(silent)?;
            Ok(self.address(request.reference))
        })
    }

    fn page(&self, reference: PaymentId) -> ProviderFuture<'_, Option<String>> {
        Box::pin(async move {
            let found = self.request(reference).await?;
            let found = found.filter(|found| found.state != State::NeverReceived);
            Ok(found.map(|_| self.address(reference)))
        })
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move {
            let found = self.close(reference, true).await?;
            self.stands(&found).await
        })
    }

    fn withdraw(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move {
            let found = self.close(reference, false).await?;
            // Between a confirmation that is on its way and this, the book decides.
            if found.state == State::Confirmed && found.answer.is_none() {
                return self.resolve(reference).await;
            }
            self.stands(&found).await
        })
    }
}
