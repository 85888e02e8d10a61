//! Payouts: the lease of pending ones, their outcomes, and lists.

use crate::balance::store::or_any;
use crate::ledger::posting::Posting;
use crate::ledger::store::PreparedPosting;
use crate::settlements::model::{Payout, PayoutState};
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PayoutId};
use sealpay_storage::{Database, DatabaseError, Extent, Fault, Row, Statement, Tx, Value, values};

/// Which of a merchant's payouts, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayoutFilter {
    /// Only those in this currency.
    pub currency: Option<Currency>,
    /// Only those in this state.
    pub state: Option<PayoutState>,
    /// Only those older than this one.
    pub after: Option<PayoutId>,
    /// At most so many.
    pub limit: u32,
}

macro_rules! columns {
    () => {
        "id, merchant, settlement, currency, amount_minor, account, state, failure, \
         created_at_ms, updated_at_ms, lease_until_ms"
    };
}

pub(crate) const INSERT: &str = concat!(
    "INSERT INTO payouts (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
);

const BY_ID: &str = concat!("SELECT ", columns!(), " FROM payouts WHERE id = $1");

/// The condition is that of the partial index, word for word.
const OPEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payouts WHERE state = 'pending' AND lease_until_ms <= $1 \
     ORDER BY lease_until_ms, id LIMIT $2"
);

/// Decides between two processes that saw the same payout.
const LEASE: &str = "UPDATE payouts SET lease_until_ms = $3
    WHERE id = $1 AND lease_until_ms = $2 AND state = 'pending'";

/// An account is named once; afterwards the payout goes there.
const NAME_ACCOUNT: &str = "UPDATE payouts SET account = $2
    WHERE id = $1 AND account = '' AND state = 'pending'";

/// Decides every race between outcomes of one payout.
const MOVE: &str = "UPDATE payouts SET state = $3, failure = $4, updated_at_ms = $5
    WHERE id = $1 AND state = $2";

const OF_MERCHANT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payouts WHERE merchant = $1 AND id < $2 AND ($3 = '' OR currency = $3) \
     AND ($4 = '' OR state = $4) ORDER BY id DESC LIMIT $5"
);

const IN_TRANSIT: &str = "SELECT currency, CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT)
    FROM payouts WHERE merchant = $1 AND state = 'pending' GROUP BY currency ORDER BY currency";

/// Sorts behind every identifier of a payout.
const BEHIND_ALL: &str = "pyo_z";

pub(crate) fn insert_values(payout: &Payout) -> [Value; 11] {
    values![
        payout.id,
        payout.merchant,
        payout.settlement,
        payout.currency.code().to_owned(),
        payout.amount_minor,
        &payout.account,
        payout.state.name(),
        payout.failure.clone(),
        payout.created_at_ms,
        payout.updated_at_ms,
        payout.lease_until_ms,
    ]
}

fn payout(mut row: Row) -> Result<Payout, DatabaseError> {
    Ok(Payout {
        id: row.parsed()?,
        merchant: row.parsed()?,
        settlement: row.parsed()?,
        currency: row.parsed()?,
        amount_minor: row.integer()?,
        account: row.text()?,
        state: row.read(PayoutState::from_name)?,
        failure: row.optional_text()?,
        created_at_ms: row.integer()?,
        updated_at_ms: row.integer()?,
        lease_until_ms: row.integer()?,
    })
}

struct Movement {
    values: [Value; 5],
    told: EventInsert,
    books: Option<PreparedPosting>,
}

async fn change(tx: &mut Tx<'_>, movement: &Movement) -> Result<bool, Fault> {
    if tx.execute(MOVE, &movement.values).await? == 0 {
        return Ok(false);
    }
    let mut statements: Vec<Statement<'_>> = movement.told.statements().to_vec();
    statements.extend(movement.books.iter().flat_map(PreparedPosting::statements));
    tx.execute_together(&statements).await?;
    Ok(true)
}

/// What is stored of payouts.
#[derive(Debug, Clone)]
pub struct PayoutStore {
    pub(crate) database: Database,
}

impl PayoutStore {
    /// Payouts that the bank is to be told of and that are nobody's by a moment, milliseconds since
    /// 1970; those that wait longest first.
    pub async fn open(
        &self,
        lease_before_ms: i64,
        limit: u32,
    ) -> Result<Vec<Payout>, DatabaseError> {
        let wanted = values![lease_before_ms, limit];
        let rows = self.database.rows(OPEN, wanted).await?;
        rows.into_iter().map(payout).collect()
    }

    /// Names the account of a payout that has none; says whether it had none.
    pub async fn name_account(
        &self,
        payout: &Payout,
        account: &str,
    ) -> Result<bool, DatabaseError> {
        let values = values![payout.id, account.to_owned()];
        self.database.change(NAME_ACCOUNT, values).await
    }

    /// Takes a payout for as long as the bank may take to answer; says whether it is the caller's.
    pub async fn lease(&self, payout: &Payout, lease_until_ms: i64) -> Result<bool, DatabaseError> {
        let values = values![payout.id, payout.lease_until_ms, lease_until_ms];
        self.database.change(LEASE, values).await
    }

    /// Writes down what became of a payout, with the event and what goes into the books; says
    /// whether it was still in the state that the caller saw. Otherwise nothing is written.
    ///
    /// # Errors
    /// The database did not do its work; nothing was written, unless the outcome is unknown.
    pub async fn change(
        &self,
        before: &Payout,
        after: &Payout,
        event: &Event,
        posting: Option<&Posting>,
    ) -> Result<bool, DatabaseError> {
        let movement = Movement {
            values: values![
                before.id,
                before.state.name(),
                after.state.name(),
                after.failure.clone(),
                after.updated_at_ms,
            ],
            told: EventInsert::of(event),
            books: posting.map(PreparedPosting::of),
        };
        self.database
            .write(movement, |tx, movement| Box::pin(change(tx, movement)))
            .await
    }

    /// A payout, whoever's it is: for what the bank says of it, and never for what somebody asks.
    pub async fn get(&self, id: PayoutId) -> Result<Option<Payout>, DatabaseError> {
        let row = self.database.row(BY_ID, values![id]).await?;
        row.map(payout).transpose()
    }

    /// A merchant's payout; nothing when it is somebody else's.
    pub async fn get_owned(
        &self,
        merchant: MerchantId,
        id: PayoutId,
    ) -> Result<Option<Payout>, DatabaseError> {
        let found = self.get(id).await?;
        Ok(found.filter(|payout| payout.merchant == merchant))
    }

    /// A merchant's payouts, newest first.
    pub async fn list(
        &self,
        merchant: MerchantId,
        filter: &PayoutFilter,
    ) -> Result<Vec<Payout>, DatabaseError> {
        let after = filter.after;
        let after = after.map_or_else(|| Value::from(BEHIND_ALL), Value::from);
        let currency = or_any(filter.currency.map(|currency| currency.code().to_owned()));
        let state = or_any(filter.state.map(PayoutState::name));
        let wanted = values![merchant, after, currency, state, filter.limit];
        let rows = self
            .database
            .scanned_rows(Extent::List, OF_MERCHANT, wanted)
            .await?;
        rows.into_iter().map(payout).collect()
    }

    /// What a merchant's bank account is about to get, by currency, minor units.
    pub async fn in_transit(
        &self,
        merchant: MerchantId,
    ) -> Result<Vec<(Currency, i64)>, DatabaseError> {
        let rows = self
            .database
            .scanned_rows(Extent::Sum, IN_TRANSIT, values![merchant])
            .await?;
        let sums = rows
            .into_iter()
            .map(|mut row| Ok((row.parsed()?, row.integer()?)));
        sums.collect()
    }
}
