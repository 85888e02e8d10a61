//! What all parts of the simulation share: the journal, the clock, the bank's key, and active
//! faults.

use super::account::{Account, day_of};
use super::book::{self, AuthorizationInput, Change, Modified, RecordedResult};
use super::fault::{AppliedFault, DropMode, Faults, Request};
use super::outcome::{self, SimulatedOutcome, Transit};
use super::persona::Persona;
use super::{amount, issuer, persona};
use hmac::Mac;
use sealpay_protocol::card::CardNumber;
use sealpay_protocol::check_digits::with_check_digits;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::limits;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::secret::Secret;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{
    AuthorizationRequest, Inquiry, ModificationRequest, ProviderDecision, ProviderError,
};
use sealpay_storage::{Database, DatabaseError, Operation};
use sealpay_system::{Clock, Rng, hmac_sha256};
use std::fmt::Display;
use std::time::Duration;

/// How long the bank takes when it is told to be slow.
const SLOW: Duration = Duration::from_secs(3);

/// What everybody in the simulated world shares.
#[derive(Debug)]
pub(super) struct World {
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) rng: Rng,
    /// The verifier's public origin, where the pages of the world stand as well.
    pub(super) origin: Origin,
    pub(super) faults: Faults,
    /// Whether personas and amounts mean something: in test mode only.
    pub(super) is_rehearsed: bool,
    key: Secret<[u8; 32]>,
}

/// What an acquirer passes on to the issuer.
pub(super) struct CardAuthorization<'a> {
    pub(super) acquirer: &'static str,
    /// Whether the acquirer takes the card's brand and the payment's currency.
    pub(super) takes_it: bool,
    /// What the order asks for.
    pub(super) directed: Option<&'a SimulatedOutcome>,
    pub(super) request: AuthorizationRequest<'a>,
}

/// What the bank is to say before any account is looked at, and how its answer travels.
struct Script {
    answer: Option<ProviderDecision>,
    arrival: Transit,
}

/// A database that fails leaves open what became of a request.
pub(super) fn silent(error: DatabaseError) -> ProviderError {
    ProviderError::OutcomeUnknown(format!("the bank's book failed: {error}"))
}

/// A connection on which nothing ever comes back.
pub(super) async fn never<T>() -> T {
    std::future::pending().await
}

fn unreadable() -> ProviderError {
    ProviderError::OutcomeUnknown("the bank's tables cannot be read".into())
}

impl World {
    pub(super) fn new(
        database: Database,
        key: Secret<[u8; 32]>,
        origin: Origin,
        clock: Clock,
        rng: Rng,
    ) -> Self {
        Self {
            database,
            clock,
            rng,
            origin,
            faults: Faults::default(),
            is_rehearsed: true,
            key,
        }
    }

    /// Keyed hash (HMAC-SHA256 under the bank's key) of a label and bytes: fingerprints, peppers
    /// and whatever else has to be the same each time and told to nobody.
    pub(super) fn keyed(&self, label: &str, bytes: &[u8]) -> [u8; 32] {
        let mut mac = hmac_sha256(self.key.expose());
        // The length keeps one label with its bytes apart from a longer label with fewer.
        let length = u64::try_from(label.len()).unwrap_or(u64::MAX);
        mac.update(&length.to_be_bytes());
        mac.update(label.as_bytes());
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    /// The account number (ISO 13616) that belongs to a label and bytes, at a bank that does not
    /// exist: no German bank code begins with 9.
    pub(super) fn iban(&self, label: &str, bytes: &[u8]) -> String {
        let keyed = self.keyed(label, bytes);
        let number = keyed
            .first_chunk::<8>()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let account = number % 10_000_000_000;
        with_check_digits("DE", &format!("99999999{account:010}"))
    }

    /// The persona whose card it is, where personas mean something.
    pub(super) fn persona_of(&self, number: &CardNumber) -> Option<&'static Persona> {
        persona::of_card(number).filter(|_| self.is_rehearsed)
    }

    fn meaning_of(&self, money: Money) -> Option<SimulatedOutcome> {
        meaning_of(money).filter(|_| self.is_rehearsed)
    }

    /// The account of a card as it is before its first payment.
    fn fresh_account(&self, number: &CardNumber) -> Result<Account, ProviderError> {
        let now_ms = self.clock.now_ms_i64();
        let account = match self.persona_of(number) {
            Some(persona) => persona.account(now_ms),
            None => {
                let fingerprint = self.keyed("account", number.digits().as_bytes());
                issuer::derived(number, &fingerprint, now_ms)
            }
        };
        account.ok_or_else(unreadable)
    }

    /// The account of a card, made when it is new. The number is not kept.
    pub(super) async fn account_of(&self, number: &CardNumber) -> Result<Account, ProviderError> {
        let fresh = self.fresh_account(number)?;
        self.stored_or(fresh).await
    }

    /// The account of that name; a persona's is made when it is new.
    pub(super) async fn account(&self, id: &str) -> Result<Option<Account>, ProviderError> {
        let stored = book::account(&self.database, id).await.map_err(silent)?;
        match persona::of_account(id) {
            Some(persona) if stored.is_none() => {
                let fresh = persona.account(self.clock.now_ms_i64());
                let fresh = fresh.ok_or_else(unreadable)?;
                self.stored_or(fresh).await.map(Some)
            }
            _ => Ok(stored),
        }
    }

    async fn stored_or(&self, fresh: Account) -> Result<Account, ProviderError> {
        let stored = book::account(&self.database, &fresh.id).await;
        match stored.map_err(silent)? {
            Some(stored) => Ok(stored),
            None => book::make_account(&self.database, fresh)
                .await
                .map_err(silent),
        }
    }

    /// Authorizes a card for an acquirer.
    pub(super) async fn authorize_card(
        &self,
        authorization: CardAuthorization<'_>,
    ) -> Result<ProviderDecision, ProviderError> {
        let CardAuthorization {
            acquirer,
            takes_it,
            directed,
            request,
        } = authorization;
        let struck = self
            .struck(Request::Authorization, Some(acquirer), request.reference)
            .await?;
        let persona = self.persona_of(&request.card.number);
        let by_persona = || persona.and_then(persona::Persona::script);
        let promised = persona.is_some_and(persona::Persona::is_promised);
        let by_amount = || self.meaning_of(request.money).filter(|_| !promised);
        let asked = directed.cloned().or_else(by_persona).or_else(by_amount);
        let mut script = self.play(asked, &struck).await;
        let is_declined = matches!(script.answer, Some(ProviderDecision::Declined(_)));
        if !takes_it && !is_declined {
            script.answer = Some(ProviderDecision::Declined("not_permitted_terminal".into()));
        }
        if script.arrival == Transit::Lost {
            return never().await;
        }
        let arrival = script.arrival;
        let request = AuthorizationInput {
            provider: acquirer.to_owned(),
            reference: request.reference,
            account: self.fresh_account(&request.card.number)?,
            money: request.money,
            capture: request.capture,
            script: script.answer,
        };
        let answer = self.book(request).await?;
        match answer {
            // The reference was given up before it arrived: a late message books nothing.
            RecordedResult::NeverReceived => {
                Ok(ProviderDecision::Declined("duplicate_transaction".into()))
            }
            RecordedResult::Answered(_) if arrival == Transit::ResponseLost => never().await,
            RecordedResult::Answered(answer) => Ok(answer),
        }
    }

    /// Authorizes on an account without a card (the wallet): the same engine and book as for
    /// cards. `provider` is the name under which it stands in the book. A lost message is an error
    /// at once, because here a person waits for a page.
    pub(super) async fn authorize_account(
        &self,
        provider: &str,
        reference: PaymentId,
        account: &str,
        money: Money,
        capture: Capture,
        directed: Option<&str>,
    ) -> Result<RecordedResult, ProviderError> {
        let struck = self.struck(Request::Authorization, None, reference).await?;
        let by_order = directed.and_then(outcome::find);
        let asked = by_order.or_else(|| self.meaning_of(money));
        let script = self.play(asked, &struck).await;
        let lost = || ProviderError::OutcomeUnknown("the bank's answer is lost".into());
        if script.arrival == Transit::Lost {
            return Err(lost());
        }
        let unknown = || ProviderError::OutcomeUnknown("there is no such account".into());
        let request = AuthorizationInput {
            provider: provider.to_owned(),
            reference,
            account: self.account(account).await?.ok_or_else(unknown)?,
            money,
            capture,
            script: script.answer,
        };
        match self.book(request).await? {
            RecordedResult::Answered(_) if script.arrival == Transit::ResponseLost => Err(lost()),
            result => Ok(result),
        }
    }

    async fn book(&self, request: AuthorizationInput) -> Result<RecordedResult, ProviderError> {
        let now_ms = self.clock.now_ms_i64();
        let hold_ms = i64::try_from(limits::HOLD_LIFETIME_SECONDS * 1000).unwrap_or(i64::MAX);
        let times = book::Times {
            now_ms,
            day: day_of(now_ms),
            hold_until_ms: now_ms.saturating_add(hold_ms),
        };
        book::authorize(&self.database, request, times)
            .await
            .map_err(silent)
    }

    /// What became of a reference; an unknown one is struck out, so that it cannot arrive later.
    pub(super) async fn inquire(
        &self,
        provider: &str,
        reference: PaymentId,
    ) -> Result<Inquiry, ProviderError> {
        let now_ms = self.clock.now_ms_i64();
        let booked = book::ask(&self.database, provider, reference, now_ms).await;
        Ok(match booked.map_err(silent)? {
            RecordedResult::Answered(answer) => Inquiry::Answered(answer),
            RecordedResult::NeverReceived => Inquiry::NeverReceived,
        })
    }

    /// Passes a modification on to whoever does it, through the faults.
    pub(super) async fn modify(
        &self,
        provider: &str,
        request: ModificationRequest,
        decide: Operation<Change, ProviderDecision>,
    ) -> Result<ProviderDecision, ProviderError> {
        let kind = match request.kind {
            ModificationKind::Refund => Request::Refund,
            ModificationKind::Capture | ModificationKind::Void | ModificationKind::Expiry => {
                Request::Completion
            }
        };
        let message = request.modification;
        let struck = self.struck(kind, Some(provider), message).await?;
        self.wait(&struck).await;
        self.arrive(&struck, message).await?;
        let unreached = || ProviderDecision::Declined("issuer_unavailable".into());
        let change = Change {
            provider: provider.to_owned(),
            request,
            script: struck.issuer_down.then(unreached),
            now_ms: self.clock.now_ms_i64(),
        };
        let modified = book::modify(&self.database, change, decide).await;
        let Modified {
            answer,
            is_repeated,
        } = modified.map_err(silent)?;
        match struck.response_lost {
            DropMode::Each => never().await,
            DropMode::Once if !is_repeated => never().await,
            DropMode::Once | DropMode::None => Ok(answer),
        }
    }

    /// Never ends for a message that is lost on its way.
    pub(super) async fn arrive(
        &self,
        struck: &AppliedFault,
        message: impl Display,
    ) -> Result<(), ProviderError> {
        let is_lost = match struck.lost {
            DropMode::None => false,
            DropMode::Each => true,
            DropMode::Once => {
                let lost = book::lose_once(&self.database, message.to_string()).await;
                lost.map_err(silent)?
            }
        };
        if is_lost { never().await } else { Ok(()) }
    }

    /// Lets holds go that nobody took in time; how many.
    pub(super) async fn expire_holds(&self, now_ms: i64, limit: u32) -> Result<u32, ProviderError> {
        book::expire_holds(&self.database, now_ms, limit)
            .await
            .map_err(silent)
    }

    /// Passes the question what became of a payment on to an acquirer, through the faults.
    pub(super) async fn reach(
        &self,
        acquirer: &str,
        reference: PaymentId,
    ) -> Result<(), ProviderError> {
        let struck = self
            .struck(Request::Inquiry, Some(acquirer), reference)
            .await?;
        self.wait(&struck).await;
        Ok(())
    }

    /// What goes wrong with a request; an error when it does not even leave.
    pub(super) async fn struck(
        &self,
        request: Request,
        provider: Option<&str>,
        reference: impl Display + Copy,
    ) -> Result<AppliedFault, ProviderError> {
        let struck = self
            .faults
            .strike(&self.database, request, provider, reference)
            .await
            .map_err(silent)?;
        match provider {
            Some(name) if struck.acquirer_down => {
                Err(ProviderError::NotSent(format!("{name} cannot be reached")))
            }
            _ => Ok(struck),
        }
    }

    async fn play(&self, asked: Option<SimulatedOutcome>, struck: &AppliedFault) -> Script {
        self.wait(struck).await;
        if asked.as_ref().is_some_and(|outcome| outcome.slow) {
            tokio::time::sleep(SLOW).await;
        }
        let asked_arrival = asked.as_ref().map(|outcome| outcome.arrival);
        let lost = struck.lost != DropMode::None || asked_arrival == Some(Transit::Lost);
        let response_lost =
            struck.response_lost != DropMode::None || asked_arrival == Some(Transit::ResponseLost);
        let arrival = match (lost, response_lost) {
            (true, _) => Transit::Lost,
            (false, true) => Transit::ResponseLost,
            (false, false) => Transit::Arrives,
        };
        let answer = if struck.issuer_down {
            Some(ProviderDecision::Declined("issuer_unavailable".into()))
        } else {
            asked.map(|outcome| outcome.answer)
        };
        Script { answer, arrival }
    }

    pub(super) async fn wait(&self, struck: &AppliedFault) {
        for (min_ms, max_ms) in &struck.latencies_ms {
            let width = u64::from(max_ms.saturating_sub(*min_ms)) + 1;
            let drawn = u64::from_be_bytes(self.rng.bytes()) % width;
            let latency = Duration::from_millis(u64::from(*min_ms) + drawn);
            tokio::time::sleep(latency).await;
        }
    }
}

/// What the amount asks for, if it means something: 9900.51 is written with two decimals.
fn meaning_of(money: Money) -> Option<SimulatedOutcome> {
    if money.currency().exponent() != 2 {
        return None;
    }
    amount::outcome_of(money.amount_minor()).and_then(outcome::find)
}

#[cfg(test)]
pub(super) mod tests;
