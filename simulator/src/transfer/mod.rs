//! Simulated bank transfers: a collection account, a creditor reference, and credits that arrive on
//! schedule or that a tester sends.

mod refund;
#[cfg(test)]
mod tests;

use super::outcome::{Directive, TransferScenario};
use super::simulation::Simulation;
use sealpay_protocol::check_digits::with_check_digits;
use sealpay_protocol::encoding::hex;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::creditor_reference::{meant_by, plain};
use sealpay_provider::transfer::{CollectionAccount, IncomingCredit, TransferRequest};
use sealpay_provider::{
    ModificationRequest, PaymentOperations, ProviderDecision, ProviderError, ProviderFuture,
    TransferProvider,
};
use sealpay_storage::{ByName, Entity, Fault, Projection, Tx, entity, sql, values};
use std::sync::Arc;

/// The name on payments.
pub const NAME: &str = "simulated_transfer";

/// The holder of the collection accounts.
const HOLDER: &str = "Sealpay Collections";

/// ISO 9362: no bank has this code. An eighth character of 0 marks codes for tests.
const BIC: &str = "SEALDEF0XXX";

/// Letters and digits that are not mistaken for each other.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a reference after its check digits: 60 bits, too many to meet by a typo.
const REFERENCE_CHARACTERS: usize = 12;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// How long a transfer takes.
const IN_TIME_MS: i64 = 24 * HOUR_MS;

/// How long a late transfer takes.
const LATE_MS: i64 = 8 * 24 * HOUR_MS;

/// Longest text that a sender can write (SEPA remittance information).
const REMITTANCE_CHARACTERS: usize = 140;

/// Maximum number of transfers that are listed at once.
const LISTED: u32 = 200;

struct Collection {
    reference: PaymentId,
    creditor_reference: String,
    money: Money,
    created_at_ms: i64,
}

entity! {
    Collection in "bank_collections" {
        reference,
        creditor_reference,
        money: (amount, currency),
        created_at_ms,
    }
}

const EXPECT: &str = sql!(Collection::INSERT, "ON CONFLICT DO NOTHING");

const BY_REFERENCE: &str = sql!(Collection::SELECT, "WHERE reference = $1");

const BY_CREDITOR_REFERENCE: &str = sql!(Collection::SELECT, "WHERE creditor_reference = $1");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoredState {
    Pending,
    Matched,
    Returned,
}

sealpay_protocol::names! {
    StoredState {
        Pending = "pending",
        Matched = "matched",
        Returned = "returned",
    }
}

struct StoredTransfer {
    id: String,
    creditor_reference: String,
    money: Money,
    arrives_at_ms: i64,
    state: StoredState,
    plain_reference: String,
}

entity! {
    StoredTransfer in "bank_transfers" {
        id,
        creditor_reference,
        money: (amount, currency),
        arrives_at_ms,
        state as ByName,
        plain_reference,
    }
}

const ARRIVED: &str = sql!(
    StoredTransfer::SELECT,
    "WHERE state = 'pending' AND arrives_at_ms <= $1 ORDER BY arrives_at_ms, id LIMIT $2"
);

const ACKNOWLEDGE: &str = "UPDATE bank_transfers SET state = $2
    WHERE id = $1 AND (state = 'pending' OR (state = 'matched' AND $2 = 'returned'))";

const NEWEST: &str = sql!(StoredTransfer::SELECT, "ORDER BY id DESC LIMIT $1");

/// A transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its id; ids sort by time.
    pub id: String,
    /// The sender's text.
    pub reference: String,
    /// The amount.
    pub money: Money,
    /// When it arrives or arrived, milliseconds since 1970.
    pub arrives_at_ms: i64,
    /// The state.
    pub state: TransferState,
}

/// The state of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferState {
    /// It has not arrived.
    Scheduled,
    /// It has arrived, and nobody has acknowledged it.
    Arrived,
    /// It belongs to a payment.
    Matched,
    /// It belongs to no payment and was returned.
    Returned,
}

sealpay_protocol::names! {
    TransferState {
        Scheduled = "scheduled",
        Arrived = "arrived",
        Matched = "matched",
        Returned = "returned",
    }
}

/// The bank that collects transfers.
#[derive(Debug, Clone)]
pub struct SimulatedTransfers {
    simulation: Arc<Simulation>,
    /// The outcome that the order asks for.
    directive: Option<Directive>,
}

/// A collection, and the transfer of its scenario.
struct Expectation {
    collection: Collection,
    transfer: Option<StoredTransfer>,
}

/// Stores it unless the reference is known; gives the stored collection, or none where another one
/// has the creditor reference.
async fn expect(tx: &mut Tx<'_>, expected: &Expectation) -> Result<Option<Collection>, Fault> {
    let collection = &expected.collection;
    if tx.execute(EXPECT, &collection.to_row()?).await? > 0
        && let Some(transfer) = &expected.transfer
    {
        tx.execute(StoredTransfer::INSERT, &transfer.to_row()?)
            .await?;
    }
    tx.get(BY_REFERENCE, &values![collection.reference]).await
}

/// The amount of a scenario, and how long it takes; none where nothing is sent.
fn sent_amount(scenario: TransferScenario, money: Money) -> Option<(Money, i64)> {
    let currency = money.currency();
    let unit = 10_i64.checked_pow(currency.exponent().into())?;
    let amount = money.amount_minor();
    let (sent, after) = match scenario {
        TransferScenario::Paid | TransferScenario::WrongReference => (amount, IN_TIME_MS),
        TransferScenario::Late => (amount, LATE_MS),
        TransferScenario::Short if amount > unit => (amount - unit, IN_TIME_MS),
        TransferScenario::Short => (amount / 2, IN_TIME_MS),
        TransferScenario::Over => (amount.checked_add(unit)?, IN_TIME_MS),
        TransferScenario::Never => return None,
    };
    (sent > 0).then_some((Money::new(sent, currency), after))
}

/// The reference with its last character changed, as by a typo.
fn mistyped(reference: &str) -> String {
    let mut text = reference.to_owned();
    let last = text.pop();
    text.push(if last == Some('7') { '1' } else { '7' });
    text
}

impl SimulatedTransfers {
    pub(crate) const fn new(simulation: Arc<Simulation>, directive: Option<Directive>) -> Self {
        Self {
            simulation,
            directive,
        }
    }

    fn creditor_reference(&self, reference: PaymentId, turn: u8) -> String {
        let message = format!("{reference} {turn}");
        let simulation = &self.simulation;
        let keyed = simulation.keyed("creditor reference", message.as_bytes());
        let characters = keyed.iter().take(REFERENCE_CHARACTERS);
        let text: String = characters
            .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
            .collect();
        with_check_digits("RF", &text)
    }

    fn schedule(&self, reference: String, money: Money, arrives_at_ms: i64) -> StoredTransfer {
        // An id begins with the time, so that ids sort.
        let time = self.simulation.clock.now_ms().to_be_bytes();
        let random = self.simulation.rng.bytes::<10>();
        StoredTransfer {
            id: format!("trf_{}{}", hex(&time), hex(&random)),
            plain_reference: plain(&reference),
            creditor_reference: reference,
            money,
            arrives_at_ms,
            state: StoredState::Pending,
        }
    }

    async fn collect(&self, request: TransferRequest) -> Result<CollectionAccount, ProviderError> {
        let TransferRequest { reference, money } = request;
        let now_ms = self.simulation.clock.now_ms_i64();
        let directed = self.directive.as_ref();
        let scenario = directed
            .and_then(|directive| directive.outcome.transfer)
            .unwrap_or(TransferScenario::Paid);
        // A payment whose creditor reference another one has gets the next one.
        for turn in 0..4 {
            let creditor_reference = self.creditor_reference(reference, turn);
            let written = match scenario {
                TransferScenario::WrongReference => mistyped(&creditor_reference),
                _ => creditor_reference.clone(),
            };
            let expected = Expectation {
                transfer: sent_amount(scenario, money)
                    .map(|(money, after_ms)| self.schedule(written, money, now_ms + after_ms)),
                collection: Collection {
                    reference,
                    creditor_reference,
                    money,
                    created_at_ms: now_ms,
                },
            };
            let journal = &self.simulation.journal;
            let stored = journal.write(expected, |tx, expected| Box::pin(expect(tx, expected)));
            if let Some(stored) = stored.await? {
                let currency = stored.money.currency().code();
                let simulation = &self.simulation;
                return Ok(CollectionAccount {
                    holder: HOLDER.into(),
                    iban: simulation.iban("collection account", currency.as_bytes()),
                    bic: BIC.into(),
                    reference: stored.creditor_reference,
                });
            }
        }
        let reason = "no creditor reference was free";
        Err(ProviderError::OutcomeUnknown(reason.into()))
    }

    /// Sends a transfer by hand; gives its id. None where the text is empty, longer than a bank
    /// accepts or has control characters, or the amount cannot be paid.
    pub async fn send(
        &self,
        reference: &str,
        money: Money,
        arrives_at_ms: i64,
    ) -> Result<Option<String>, ProviderError> {
        let length = reference.chars().count();
        let is_writable = (1..=REMITTANCE_CHARACTERS).contains(&length)
            && !reference.chars().any(char::is_control);
        if !is_writable || Money::charge(money.amount_minor(), money.currency()).is_err() {
            return Ok(None);
        }
        let mut transfer = self.schedule(reference.into(), money, arrives_at_ms);
        if let Some(expected) = self.expected_reference(reference).await? {
            transfer.plain_reference = expected;
        }
        let journal = &self.simulation.journal;
        journal.add(StoredTransfer::INSERT, &transfer).await?;
        Ok(Some(transfer.id))
    }

    /// The expected creditor reference in a text; none where there are two.
    async fn expected_reference(&self, text: &str) -> Result<Option<String>, ProviderError> {
        let mut found: Option<String> = None;
        for reference in meant_by(text) {
            let reference = values![reference];
            let journal = &self.simulation.journal;
            let collection = journal.get(BY_CREDITOR_REFERENCE, reference).await?;
            let Some(Collection {
                creditor_reference, ..
            }) = collection
            else {
                continue;
            };
            if found.is_some_and(|other| other != creditor_reference) {
                return Ok(None);
            }
            found = Some(creditor_reference);
        }
        Ok(found)
    }

    /// The newest transfers, newest first.
    pub async fn list(&self, limit: u32) -> Result<Vec<Transfer>, ProviderError> {
        let now_ms = self.simulation.clock.now_ms_i64();
        let limit = values![limit.min(LISTED)];
        let stored: Vec<StoredTransfer> = self.simulation.journal.list(NEWEST, limit).await?;
        let transfers = stored.into_iter().map(|stored| Transfer {
            id: stored.id,
            reference: stored.creditor_reference,
            money: stored.money,
            arrives_at_ms: stored.arrives_at_ms,
            state: match stored.state {
                StoredState::Pending if stored.arrives_at_ms > now_ms => TransferState::Scheduled,
                StoredState::Pending => TransferState::Arrived,
                StoredState::Matched => TransferState::Matched,
                StoredState::Returned => TransferState::Returned,
            },
        });
        Ok(transfers.collect())
    }
}

impl PaymentOperations for SimulatedTransfers {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        Box::pin(self.simulation.modify(NAME, request, |tx, change| {
            Box::pin(refund::decide(tx, change))
        }))
    }
}

impl TransferProvider for SimulatedTransfers {
    fn name(&self) -> &str {
        NAME
    }

    fn start(&self, request: TransferRequest) -> ProviderFuture<'_, CollectionAccount> {
        Box::pin(self.collect(request))
    }

    fn arrivals(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<IncomingCredit>> {
        Box::pin(async move {
            let arrived = self.simulation.journal.list(ARRIVED, values![by_ms, limit]);
            let arrived: Vec<StoredTransfer> = arrived.await?;
            let credits = arrived.into_iter().map(|stored| IncomingCredit {
                id: stored.id,
                reference: stored.creditor_reference,
                money: stored.money,
                arrived_at_ms: stored.arrives_at_ms,
            });
            Ok(credits.collect())
        })
    }

    fn acknowledge<'a>(&'a self, id: &'a str, returned: bool) -> ProviderFuture<'a, ()> {
        Box::pin(async move {
            let state = if returned {
                StoredState::Returned
            } else {
                StoredState::Matched
            };
            let values = values![id.to_owned(), state.name()];
            let journal = &self.simulation.journal;
            journal.change(ACKNOWLEDGE, values).await.map(drop)
        })
    }
}
