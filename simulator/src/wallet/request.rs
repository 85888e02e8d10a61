//! A request as the wallet keeps it. Its one row decides every race.

use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::ProviderDecision;
use sealpay_storage::{DatabaseError, Fault, Row, Tx, Value};

/// Decline key: the shopper refused.
pub(super) const REFUSED: &str = "wallet_refused";

/// Decline key: the shopper did nothing until it was too late, or gave up in the shop.
pub(super) const ABANDONED: &str = "payment_abandoned";

pub(super) const APPROVED: &str = "approved";

/// The answer to a confirmation that the bank was asked about before it arrived, and that it has
/// tombstoned.
pub(super) const NEVER_RECEIVED: &str = "never_received";

/// How a tombstone is shown to the shopper.
const TOMBSTONED: &str = "duplicate_transaction";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Confirmed,
    Refused,
    Withdrawn,
    NeverReceived,
}

impl State {
    pub(super) const ALL: [Self; 5] = [
        Self::Open,
        Self::Confirmed,
        Self::Refused,
        Self::Withdrawn,
        Self::NeverReceived,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::NeverReceived => "never_received",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A request as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) reference: PaymentId,
    pub(super) state: State,
    pub(super) money: Money,
    pub(super) capture: Capture,
    pub(super) payee: String,
    pub(super) simulate: Option<String>,
    pub(super) expires_at_ms: i64,
    pub(super) account: Option<String>,
    pub(super) answer: Option<String>,
    pub(super) decided_at_ms: Option<i64>,
}

macro_rules! columns {
    () => {
        "reference, state, amount, currency, capture, payee, simulate, expires_at_ms, account, \
         answer, decided_at_ms"
    };
}

pub(super) const START: &str =
    "INSERT INTO bank_wallet_requests (reference, token_hash, state, amount,
    currency, capture, payee, simulate, expires_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";

pub(super) const BY_REFERENCE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM bank_wallet_requests WHERE reference = $1"
);

pub(super) const BY_TOKEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM bank_wallet_requests WHERE token_hash = $1 AND state <> 'never_received'"
);

/// The shopper decides, once and in time.
pub(super) const DECIDE: &str =
    "UPDATE bank_wallet_requests SET state = $2, account = $3, decided_at_ms = $4
    WHERE reference = $1 AND state = 'open' AND expires_at_ms > $4";

/// The shop decides, or time does: with `$3` only what is too late is closed.
pub(super) const WITHDRAW: &str =
    "UPDATE bank_wallet_requests SET state = 'withdrawn', decided_at_ms = $2
    WHERE reference = $1 AND state = 'open' AND expires_at_ms <= COALESCE($3, expires_at_ms)";

pub(super) const ANSWER: &str = "UPDATE bank_wallet_requests SET answer = $2
    WHERE reference = $1 AND state = 'confirmed' AND answer IS NULL";

impl Request {
    pub(super) fn read(mut row: Row) -> Result<Self, DatabaseError> {
        Ok(Self {
            reference: row.parsed()?,
            state: row.read(State::from_name)?,
            money: Money::new(row.integer()?, row.parsed()?),
            capture: row.read(capture_of)?,
            payee: row.text()?,
            simulate: row.optional_text()?,
            expires_at_ms: row.integer()?,
            account: row.optional_text()?,
            answer: row.optional_text()?,
            decided_at_ms: row.optional_integer()?,
        })
    }

    /// Whether the bank has tombstoned it, or it never arrived.
    pub(super) fn is_tombstoned(&self) -> bool {
        let is_answered_so = self.answer.as_deref() == Some(NEVER_RECEIVED);
        self.state == State::NeverReceived || (self.state == State::Confirmed && is_answered_so)
    }

    /// What is known without asking the book.
    pub(super) fn answer(&self) -> Option<ProviderDecision> {
        let declined = |key: &str| Some(ProviderDecision::Declined(key.into()));
        match (self.state, self.answer.as_deref()) {
            (State::Confirmed, Some(APPROVED)) => Some(ProviderDecision::Approved),
            (State::Confirmed, Some(NEVER_RECEIVED)) => declined(TOMBSTONED),
            (State::Confirmed, Some(key)) => declined(key),
            (State::Refused, _) => declined(REFUSED),
            (State::Withdrawn, _) => declined(ABANDONED),
            (State::Open | State::NeverReceived | State::Confirmed, _) => None,
        }
    }
}

pub(super) const fn capture_name(capture: Capture) -> &'static str {
    match capture {
        Capture::Automatic => "automatic",
        Capture::Manual => "manual",
    }
}

pub(super) fn capture_of(name: &str) -> Option<Capture> {
    [Capture::Automatic, Capture::Manual]
        .into_iter()
        .find(|capture| capture_name(*capture) == name)
}

/// The statements that close a request.
pub(super) struct Closing {
    pub(super) withdraw: [Value; 3],
    pub(super) strike_out: [Value; 9],
    pub(super) find: [Value; 1],
}

/// A reference that never arrived is struck out, so that it is refused should it arrive later.
pub(super) async fn close(tx: &mut Tx<'_>, request: &Closing) -> Result<Request, Fault> {
    if tx.execute(WITHDRAW, &request.withdraw).await? == 0 {
        tx.execute(START, &request.strike_out).await?;
    }
    let row = tx.optional(BY_REFERENCE, &request.find).await?;
    let row = row.ok_or_else(|| Fault::Retry("a request was there and is gone".into()))?;
    Ok(Request::read(row)?)
}
