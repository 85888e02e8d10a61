//! What all parts of the simulation share: the journal, the clock, the bank's key, and the faults
//! in force.

mod card;

pub(crate) use card::CardAuthorization;

use super::account::Account;
use super::fault::{AppliedFault, DropMode, Faults, RequestKind, pending_forever};
use super::journal::{AuthorizationInput, Change, Journal};
use super::outcome::{self, SimulatedOutcome, Transit};
use super::persona::{self, Persona};
use super::{amount, issuer};
use hmac::Mac;
use sealpay_protocol::card::CardNumber;
use sealpay_protocol::check_digits::with_check_digits;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::secret::Secret;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{Approval, Inquiry, ModificationRequest, ProviderDecision, ProviderError};
use sealpay_storage::{Database, Operation};
use sealpay_system::{Clock, Rng, hmac_sha256};
use std::fmt::Display;
use std::time::Duration;

/// How long the bank takes for the outcome `slow`.
const SLOW: Duration = Duration::from_secs(3);

/// What all parts of the simulation share.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub(crate) journal: Journal,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    /// The verifier's public origin, which also serves the simulation's pages.
    pub(crate) origin: Origin,
    pub(crate) faults: Faults,
    /// Whether personas and amounts have special outcomes.
    pub(crate) is_test_mode: bool,
    key: Secret<[u8; 32]>,
}

/// A decision that does not depend on the account, and how the messages travel.
struct Scenario {
    decision: Option<ProviderDecision>,
    transit: Transit,
}

fn unreadable() -> ProviderError {
    ProviderError::OutcomeUnknown("the bank's tables cannot be read".into())
}

impl Simulation {
    pub(crate) fn new(
        database: Database,
        key: Secret<[u8; 32]>,
        origin: Origin,
        clock: Clock,
        rng: Rng,
    ) -> Self {
        Self {
            journal: Journal { database },
            clock,
            rng,
            origin,
            faults: Faults::default(),
            is_test_mode: true,
            key,
        }
    }

    /// Keyed hash (HMAC-SHA256 under the bank's key) of a label and bytes: for fingerprints, peppers
    /// and other values that must be the same each time and stay secret.
    pub(crate) fn keyed(&self, label: &str, bytes: &[u8]) -> [u8; 32] {
        let mut mac = hmac_sha256(self.key.expose());
        // The length separates a label and its bytes from a longer label with fewer bytes.
        let length = u64::try_from(label.len()).unwrap_or(u64::MAX);
        mac.update(&length.to_be_bytes());
        mac.update(label.as_bytes());
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    /// The account number (ISO 13616) that belongs to a label and bytes, at a bank that does not
    /// exist: no German bank code begins with 9.
    pub(crate) fn iban(&self, label: &str, bytes: &[u8]) -> String {
        let keyed = self.keyed(label, bytes);
        let number = keyed
            .first_chunk::<8>()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let account = number % 10_000_000_000;
        with_check_digits("DE", &format!("99999999{account:010}"))
    }

    /// The persona with this card number, in test mode.
    pub(crate) fn persona_of(&self, number: &CardNumber) -> Option<&'static Persona> {
        persona::of_card(number).filter(|_| self.is_test_mode)
    }

    /// The outcome of an amount, in test mode. 9900.51 is written with two decimals, so other
    /// currencies have none.
    fn outcome_of(&self, money: Money) -> Option<SimulatedOutcome> {
        if !self.is_test_mode || money.currency().exponent() != 2 {
            return None;
        }
        amount::outcome_of(money.amount_minor()).and_then(outcome::find)
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

    /// The account of a card, inserted where it is new. The number is not stored.
    pub(crate) async fn account_of(&self, number: &CardNumber) -> Result<Account, ProviderError> {
        let fresh = self.fresh_account(number)?;
        match self.journal.account(&fresh.id).await? {
            Some(stored) => Ok(stored),
            None => self.journal.get_or_insert_account(fresh).await,
        }
    }

    /// The account with this id; that of a persona is inserted where it is new.
    pub(crate) async fn account(&self, id: &str) -> Result<Option<Account>, ProviderError> {
        let stored = self.journal.account(id).await?;
        match persona::of_account(id) {
            Some(persona) if stored.is_none() => {
                let fresh = persona.account(self.clock.now_ms_i64());
                let fresh = fresh.ok_or_else(unreadable)?;
                self.journal.get_or_insert_account(fresh).await.map(Some)
            }
            _ => Ok(stored),
        }
    }

    /// Authorizes on an account without a card (the wallet), in the same journal as for cards; none
    /// where the reference is tombstoned. A lost message is an error at once, because a person waits
    /// for the page.
    pub(crate) async fn authorize_account(
        &self,
        provider: &str,
        reference: PaymentId,
        account: &str,
        (money, capture): (Money, Capture),
        directed: Option<&str>,
    ) -> Result<Option<ProviderDecision>, ProviderError> {
        let applied = self
            .apply_faults(RequestKind::Authorization, None, reference)
            .await?;
        let directed = directed.and_then(outcome::find);
        let outcome = directed.or_else(|| self.outcome_of(money));
        let scenario = self.run_scenario(outcome, &applied).await;
        let lost = || ProviderError::OutcomeUnknown("the bank's response is lost".into());
        if scenario.transit == Transit::Lost {
            return Err(lost());
        }
        let unknown = || ProviderError::OutcomeUnknown("there is no such account".into());
        let recorded = self.journal.authorize(AuthorizationInput {
            provider: provider.to_owned(),
            reference,
            account: self.account(account).await?.ok_or_else(unknown)?,
            money,
            capture,
            decision: scenario.decision,
            codes: Approval::NONE,
            now_ms: self.clock.now_ms_i64(),
        });
        match recorded.await? {
            Some(_) if scenario.transit == Transit::ResponseLost => Err(lost()),
            decision => Ok(decision),
        }
    }

    /// What became of a reference; an unknown one is tombstoned.
    pub(crate) async fn inquire(
        &self,
        provider: &str,
        reference: PaymentId,
    ) -> Result<Inquiry, ProviderError> {
        let now_ms = self.clock.now_ms_i64();
        let decision = self.journal.inquire(provider, reference, now_ms).await?;
        Ok(decision.map_or(Inquiry::NeverReceived, Inquiry::Answered))
    }

    /// Modifies a payment, with the faults in force.
    pub(crate) async fn modify(
        &self,
        provider: &str,
        request: ModificationRequest,
        decide: Operation<Change, ProviderDecision>,
    ) -> Result<ProviderDecision, ProviderError> {
        let kind = match request.kind {
            ModificationKind::Refund => RequestKind::Refund,
            ModificationKind::Capture | ModificationKind::Void | ModificationKind::Expiry => {
                RequestKind::Completion
            }
        };
        let applied = self.receive(kind, provider, request.modification).await?;
        let unavailable = || ProviderDecision::declined("issuer_unavailable");
        let change = Change {
            provider: provider.to_owned(),
            request,
            decision: applied.issuer_down.then(unavailable),
            now_ms: self.clock.now_ms_i64(),
        };
        let modified = self.journal.modify(change, decide).await?;
        applied.send_response(modified.is_repeated).await;
        Ok(modified.decision)
    }

    /// Receives a message with the faults in force. Never ends for one that is lost on its way.
    pub(crate) async fn receive(
        &self,
        kind: RequestKind,
        provider: &str,
        message: impl Display + Copy,
    ) -> Result<AppliedFault, ProviderError> {
        let applied = self.apply_faults(kind, Some(provider), message).await?;
        self.delay(&applied).await;
        let is_lost = match applied.lost {
            DropMode::Never => false,
            DropMode::Every => true,
            DropMode::First => self.journal.lose_once(message.to_string()).await?,
        };
        if is_lost {
            return pending_forever().await;
        }
        Ok(applied)
    }

    /// The faults that apply to a request; an error when it is not even sent.
    async fn apply_faults(
        &self,
        kind: RequestKind,
        provider: Option<&str>,
        reference: impl Display + Copy,
    ) -> Result<AppliedFault, ProviderError> {
        let faults = &self.faults;
        let applied = faults.apply(&self.journal, kind, provider, reference);
        let applied = applied.await?;
        match provider {
            Some(name) if applied.acquirer_down => {
                Err(ProviderError::NotSent(format!("{name} cannot be reached")))
            }
            _ => Ok(applied),
        }
    }

    async fn run_scenario(
        &self,
        outcome: Option<SimulatedOutcome>,
        applied: &AppliedFault,
    ) -> Scenario {
        self.delay(applied).await;
        if let Some(outcome) = &outcome {
            self.take_time(outcome).await;
        }
        let directed = outcome.as_ref().map(|outcome| outcome.transit);
        let lost = applied.lost != DropMode::Never || directed == Some(Transit::Lost);
        let response_lost =
            applied.response_lost != DropMode::Never || directed == Some(Transit::ResponseLost);
        let transit = match (lost, response_lost) {
            (true, _) => Transit::Lost,
            (false, true) => Transit::ResponseLost,
            (false, false) => Transit::Arrives,
        };
        let decision = if applied.issuer_down {
            Some(ProviderDecision::declined("issuer_unavailable"))
        } else {
            outcome.map(|outcome| outcome.decision)
        };
        Scenario { decision, transit }
    }

    /// Waits as long as the bank takes for an outcome.
    pub(crate) async fn take_time(&self, outcome: &SimulatedOutcome) {
        if outcome.slow {
            tokio::time::sleep(SLOW).await;
        }
    }

    async fn delay(&self, applied: &AppliedFault) {
        for (min_ms, max_ms) in &applied.latencies_ms {
            let width = u64::from(max_ms.saturating_sub(*min_ms)) + 1;
            let drawn = u64::from_be_bytes(self.rng.bytes()) % width;
            let latency = Duration::from_millis(u64::from(*min_ms) + drawn);
            tokio::time::sleep(latency).await;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
