//! The bank's journal: the references that it was asked for, its outcomes, and the amounts that are
//! reserved for them.
//!
//! It is not flushed at every entry: the bank stands for an external system, whose durability is
//! not the verifier's.

mod accounts;
mod authorizing;
mod holds;
mod modifying;
#[cfg(test)]
mod tests;

pub(super) use authorizing::{AuthorizationInput, Times, ask, authorize};
pub(super) use holds::{expire_holds, modify_authorization};
pub(super) use modifying::{Change, Modified, lose_once, modify};

use super::account::Account;
use super::control::AccountRequest;
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::ProviderDecision;
use sealpay_storage::{Database, DatabaseError, Row, Value, values};

/// What the book says of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RecordedResult {
    /// It was answered like this, now or before.
    Answered(ProviderDecision),
    /// An inquiry came before the request, which is refused if it arrives later.
    NeverReceived,
}

/// How an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryState {
    /// Approved, and the money is held; some of it may have been taken.
    Held,
    /// Approved, and money was taken; nothing is held any more.
    Captured,
    /// Approved, and all the money was released.
    Released,
    /// Declined.
    Declined,
    /// Given up before it arrived.
    StruckOut,
}

impl EntryState {
    pub(super) const ALL: [Self; 5] = [
        Self::Held,
        Self::Captured,
        Self::Released,
        Self::Declined,
        Self::StruckOut,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Captured => "booked",
            Self::Released => "released",
            Self::Declined => "declined",
            Self::StruckOut => "struck_out",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// One entry of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) reference: String,
    pub(super) provider: String,
    pub(super) account: String,
    /// What was asked for, minor units of the payment's currency.
    pub(super) amount_minor: i64,
    /// Empty when the reference was given up before it arrived.
    pub(super) currency: String,
    /// The same in the account's currency.
    pub(super) account_minor: i64,
    /// Whether it counts in the account's totals; accounts without limits have none.
    pub(super) counted: bool,
    pub(super) state: EntryState,
    pub(super) decline: Option<String>,
    /// What was taken, minor units of the payment's currency.
    pub(super) booked_minor: i64,
    /// The same in the account's currency.
    pub(super) booked_account_minor: i64,
    /// The amount refunded, in minor units of the payment's currency.
    pub(super) refunded_minor: i64,
    /// The same in the account's currency.
    pub(super) refunded_account_minor: i64,
    pub(super) created_at_ms: i64,
    pub(super) hold_until_ms: Option<i64>,
}

macro_rules! entry_columns {
    () => {
        "reference, provider, account, amount_minor, currency, account_minor, counted, state, \
         decline, booked_minor, booked_account_minor, refunded_minor, refunded_account_minor, \
         created_at_ms, hold_until_ms"
    };
}

const ENTRY: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM bank_authorizations WHERE reference = $1 AND provider = $2"
);

/// An entry without anything, so that a reference that was given up cannot arrive later.
const STRIKE_OUT: &str = "INSERT INTO bank_authorizations
    (reference, provider, account, amount_minor, currency, account_minor, counted, state, decline,
    booked_minor, booked_account_minor, created_at_ms, changed_at_ms, hold_until_ms)
    VALUES ($1, $2, '', 0, '', 0, 0, 'struck_out', NULL, 0, 0, $3, $3, NULL)
    ON CONFLICT (reference, provider) DO NOTHING";

const NEWEST: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM bank_authorizations ORDER BY reference DESC, provider LIMIT $1"
);

fn entry(mut row: Row) -> Result<Entry, DatabaseError> {
    Ok(Entry {
        reference: row.text()?,
        provider: row.text()?,
        account: row.text()?,
        amount_minor: row.integer()?,
        currency: row.text()?,
        account_minor: row.integer()?,
        counted: row.integer()? != 0,
        state: row.read(EntryState::from_name)?,
        decline: row.optional_text()?,
        booked_minor: row.integer()?,
        booked_account_minor: row.integer()?,
        refunded_minor: row.integer()?,
        refunded_account_minor: row.integer()?,
        created_at_ms: row.integer()?,
        hold_until_ms: row.optional_integer()?,
    })
}

impl Entry {
    /// The original decision: a released hold was approved, too.
    fn booked(self) -> RecordedResult {
        match self.state {
            EntryState::Held | EntryState::Captured | EntryState::Released => {
                RecordedResult::Answered(ProviderDecision::Approved)
            }
            EntryState::Declined => {
                // A decline always has a reason. The fallback is the most general one.
                let reason = self.decline.unwrap_or_else(|| "do_not_honor".into());
                RecordedResult::Answered(ProviderDecision::Declined(reason))
            }
            EntryState::StruckOut => RecordedResult::NeverReceived,
        }
    }
}

/// The key of an entry.
fn key(reference: PaymentId, provider: &str) -> [Value; 2] {
    values![reference, provider.to_owned()]
}

/// The newest entries.
pub(super) async fn newest(database: &Database, limit: u32) -> Result<Vec<Entry>, DatabaseError> {
    let rows = database.rows(NEWEST, values![limit]).await?;
    rows.into_iter().map(entry).collect()
}

/// The account of that name.
pub(super) async fn account(
    database: &Database,
    id: &str,
) -> Result<Option<Account>, DatabaseError> {
    let row = database
        .row(accounts::BY_ID, values![id.to_owned()])
        .await?;
    row.map(accounts::account).transpose()
}

/// The account as it stands, made when it is new.
pub(super) async fn make_account(
    database: &Database,
    fresh: Account,
) -> Result<Account, DatabaseError> {
    database
        .write(fresh, |tx, fresh| Box::pin(accounts::make(tx, fresh)))
        .await
}

/// The accounts of personas that were used or changed, and the newest of other cards.
pub(super) async fn accounts(
    database: &Database,
    limit: u32,
) -> Result<Vec<Account>, DatabaseError> {
    let mut rows = database.rows(accounts::PERSONAS, []).await?;
    rows.extend(
        database
            .rows(accounts::NEWEST_DERIVED, values![limit])
            .await?,
    );
    rows.into_iter().map(accounts::account).collect()
}

/// Changes an account, which is made first when it is new.
pub(super) async fn change_account(
    database: &Database,
    fresh: Account,
    order: AccountRequest,
) -> Result<Account, DatabaseError> {
    database
        .write((fresh, order), |tx, input| {
            Box::pin(accounts::change(tx, input))
        })
        .await
}
