//! Simulated bank transfers: an account to send to, a reference to write, and money that arrives by
//! the clock or by hand.

mod refund;
#[cfg(test)]
mod tests;

use super::outcome::{Directive, TransferScript};
use super::world::{World, silent};
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
use sealpay_storage::{DatabaseError, Fault, Row, Tx, Value, values};
use std::sync::Arc;

/// The name on payments.
pub const NAME: &str = "simulated_transfer";

/// Whose account it is.
const HOLDER: &str = "Sealpay Collections";

/// ISO 9362: a bank that is not there. An eighth character of 0 marks codes for tests.
const BIC: &str = "SEALDEF0XXX";

/// Letters and digits that are not taken for each other.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a reference behind its check digits: 60 bits that nobody meets by a typo.
const REFERENCE_CHARACTERS: usize = 12;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// How long a transfer takes.
const IN_TIME_MS: i64 = 24 * HOUR_MS;

/// How long one takes that comes too late.
const LATE_MS: i64 = 8 * 24 * HOUR_MS;

/// Longest text that a sender can write (SEPA remittance information).
const REMITTANCE_CHARACTERS: usize = 140;

/// Maximum number of transfers that are shown at once.
const SHOWN: u32 = 200;

const EXPECT: &str = "INSERT INTO bank_collections
    (reference, creditor_reference, amount, currency, created_at_ms)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const EXPECTED: &str = "SELECT creditor_reference, currency FROM bank_collections
    WHERE reference = $1";

const BEARS: &str = "SELECT creditor_reference FROM bank_collections WHERE creditor_reference = $1";

const SCHEDULE: &str = "INSERT INTO bank_transfers
    (id, creditor_reference, amount, currency, arrives_at_ms, state, plain_reference)
    VALUES ($1, $2, $3, $4, $5, 'pending', $6)";

const ARRIVED: &str = "SELECT id, creditor_reference, amount, currency, arrives_at_ms
    FROM bank_transfers WHERE state = 'pending' AND arrives_at_ms <= $1
    ORDER BY arrives_at_ms, id LIMIT $2";

const ACKNOWLEDGE: &str = "UPDATE bank_transfers SET state = $2
    WHERE id = $1 AND (state = 'pending' OR (state = 'matched' AND $2 = 'returned'))";

const NEWEST: &str = "SELECT id, creditor_reference, amount, currency, arrives_at_ms, state
    FROM bank_transfers ORDER BY id DESC LIMIT $1";

/// A transfer as the control page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its name; later ones have later names.
    pub id: String,
    /// What the sender wrote.
    pub reference: String,
    /// How much.
    pub money: Money,
    /// When it arrives or arrived, milliseconds since 1970.
    pub arrives_at_ms: i64,
    /// Where it stands.
    pub state: TransferState,
}

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferState {
    /// It is on its way.
    Scheduled,
    /// It is there, and nobody has looked at it yet.
    Arrived,
    /// It belongs to a payment.
    Matched,
    /// Nobody expected it, and it went back.
    Returned,
}

impl TransferState {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Arrived => "arrived",
            Self::Matched => "matched",
            Self::Returned => "returned",
        }
    }
}

/// The bank that money is sent to.
#[derive(Debug, Clone)]
pub struct SimulatedTransfers {
    world: Arc<World>,
    /// What the order asks for.
    directive: Option<Directive>,
}

/// What is kept when a transfer is expected: the row, and what the script sends.
struct Expectation {
    reference: PaymentId,
    collection: [Value; 5],
    transfer: Option<[Value; 6]>,
}

/// Keeps it unless it is kept; gives the reference and the currency that were said first.
async fn expect(tx: &mut Tx<'_>, request: &Expectation) -> Result<Option<(String, String)>, Fault> {
    if tx.execute(EXPECT, &request.collection).await? > 0
        && let Some(transfer) = &request.transfer
    {
        tx.execute(SCHEDULE, transfer).await?;
    }
    let row = tx.optional(EXPECTED, &values![request.reference]).await?;
    row.map(|mut row| Ok((row.text()?, row.text()?)))
        .transpose()
}

/// How much a script sends, and how long it takes; none sends nothing.
fn scripted(script: TransferScript, money: Money) -> Option<(Money, i64)> {
    let currency = money.currency();
    let unit = 10_i64.checked_pow(currency.exponent().into())?;
    let amount = money.amount_minor();
    let (sent, after) = match script {
        TransferScript::Paid | TransferScript::WrongReference => (amount, IN_TIME_MS),
        TransferScript::Late => (amount, LATE_MS),
        TransferScript::Short if amount > unit => (amount - unit, IN_TIME_MS),
        TransferScript::Short => (amount / 2, IN_TIME_MS),
        TransferScript::Over => (amount.checked_add(unit)?, IN_TIME_MS),
        TransferScript::Never => return None,
    };
    (sent > 0).then_some((Money::new(sent, currency), after))
}

/// The reference with its last character changed, as somebody types it who is in a hurry.
fn mistyped(reference: &str) -> String {
    let mut text = reference.to_owned();
    let last = text.pop();
    text.push(if last == Some('7') { '1' } else { '7' });
    text
}

impl SimulatedTransfers {
    pub(super) const fn new(world: Arc<World>, directive: Option<Directive>) -> Self {
        Self { world, directive }
    }

    fn creditor_reference(&self, reference: PaymentId, turn: u8) -> String {
        let message = format!("{reference} {turn}");
        let keyed = self.world.keyed("creditor reference", message.as_bytes());
        let characters = keyed.iter().take(REFERENCE_CHARACTERS);
        let text: String = characters
            .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
            .collect();
        with_check_digits("RF", &text)
    }

    /// Names begin with the time of their making, so that they sort.
    fn transfer_id(&self) -> String {
        let time = self.world.clock.now_ms().to_be_bytes();
        format!("trf_{}{}", hex(&time), hex(&self.world.rng.bytes::<10>()))
    }

    fn schedule(&self, reference: String, money: Money, arrives_at_ms: i64) -> [Value; 6] {
        let plain_reference = plain(&reference);
        values![
            self.transfer_id(),
            reference,
            money.amount_minor(),
            money.currency().code().to_owned(),
            arrives_at_ms,
            plain_reference,
        ]
    }

    async fn collect(&self, request: TransferRequest) -> Result<CollectionAccount, ProviderError> {
        let now_ms = self.world.clock.now_ms_i64();
        let asked = self.directive.as_ref();
        let script = asked
            .and_then(|asked| asked.outcome.transfer)
            .unwrap_or(TransferScript::Paid);
        // Two payments that draw the same reference are not expected; one of them draws again.
        for turn in 0..4 {
            let creditor_reference = self.creditor_reference(request.reference, turn);
            let written = match script {
                TransferScript::WrongReference => mistyped(&creditor_reference),
                _ => creditor_reference.clone(),
            };
            let transfer = scripted(script, request.money)
                .map(|(money, after)| self.schedule(written, money, now_ms + after));
            let money = request.money;
            let request = Expectation {
                reference: request.reference,
                collection: values![
                    request.reference,
                    creditor_reference,
                    money.amount_minor(),
                    money.currency().code().to_owned(),
                    now_ms,
                ],
                transfer,
            };
            let kept = self
                .world
                .database
                .write(request, |tx, request| Box::pin(expect(tx, request)));
            if let Some((reference, currency)) = kept.await.map_err(silent)? {
                return Ok(CollectionAccount {
                    holder: HOLDER.into(),
                    iban: self.world.iban("collection account", currency.as_bytes()),
                    bic: BIC.into(),
                    reference,
                });
            }
        }
        let text = "no creditor reference was free";
        Err(silent(DatabaseError::Corrupt(text.into())))
    }

    /// Sends money by hand; gives the transfer's name. None when the text is empty, longer than a
    /// bank takes or has control characters, or the amount is none to be paid.
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
        let id = match &transfer {
            [Value::Text(id), ..] => id.to_string(),
            _ => String::new(),
        };
        if let Some(borne) = self.borne(reference).await.map_err(silent)? {
            transfer[5] = borne.into();
        }
        let sent = self.world.database.execute(SCHEDULE, transfer).await;
        sent.map_err(silent)?;
        Ok(Some(id))
    }

    /// The one reference that is expected and that a text bears.
    async fn borne(&self, text: &str) -> Result<Option<String>, DatabaseError> {
        let mut found: Option<String> = None;
        for reference in meant_by(text) {
            let row = self.world.database.row(BEARS, values![reference]).await?;
            let Some(reference) = row.map(|mut row| row.text()).transpose()? else {
                continue;
            };
            if found.is_some_and(|other| other != reference) {
                return Ok(None);
            }
            found = Some(reference);
        }
        Ok(found)
    }

    /// The newest transfers, newest first.
    pub async fn list(&self, limit: u32) -> Result<Vec<Transfer>, ProviderError> {
        let now_ms = self.world.clock.now_ms_i64();
        let values = values![limit.min(SHOWN)];
        let rows = self.world.database.rows(NEWEST, values).await;
        let rows = rows.map_err(silent)?.into_iter();
        rows.map(|row| transfer(row, now_ms))
            .collect::<Result<_, _>>()
            .map_err(silent)
    }
}

fn transfer(mut row: Row, now_ms: i64) -> Result<Transfer, DatabaseError> {
    let id = row.text()?;
    let reference = row.text()?;
    let money = Money::new(row.integer()?, row.parsed()?);
    let arrives_at_ms = row.integer()?;
    let state = row.read(|state| match state {
        "pending" if arrives_at_ms > now_ms => Some(TransferState::Scheduled),
        "pending" => Some(TransferState::Arrived),
        "matched" => Some(TransferState::Matched),
        "returned" => Some(TransferState::Returned),
        _ => None,
    })?;
    Ok(Transfer {
        id,
        reference,
        money,
        arrives_at_ms,
        state,
    })
}

fn arrival(mut row: Row) -> Result<IncomingCredit, DatabaseError> {
    Ok(IncomingCredit {
        id: row.text()?,
        reference: row.text()?,
        money: Money::new(row.integer()?, row.parsed()?),
        arrived_at_ms: row.integer()?,
    })
}

impl PaymentOperations for SimulatedTransfers {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        Box::pin(self.world.modify(NAME, request, |tx, change| {
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
            let rows = self.world.database.rows(ARRIVED, values![by_ms, limit]);
            let rows = rows.await.map_err(silent)?.into_iter();
            rows.map(arrival).collect::<Result<_, _>>().map_err(silent)
        })
    }

    fn acknowledge<'a>(&'a self, id: &'a str, returned: bool) -> ProviderFuture<'a, ()> {
        Box::pin(async move {
            let state = if returned { "returned" } else { "matched" };
            let values = values![id.to_owned(), state];
            let done = self.world.database.execute(ACKNOWLEDGE, values).await;
            done.map(drop).map_err(silent)
        })
    }
}
