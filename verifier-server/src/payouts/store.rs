//! The repository of payouts: leases, outcomes and lists.

use crate::ledger::posting::Posting;
use crate::ledger::store::PreparedPosting;
use crate::payouts::model::{Payout, PayoutState};
use crate::store::lease::{self, leased};
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{Identifier, MerchantId, PayoutId};
use sealpay_storage::{ByName, Database, DatabaseError, Extent, Fault, Projection, Statement};
use sealpay_storage::{Tx, Value, entity, sql, values};

/// The filter of a payout list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayoutFilter {
    /// In this currency.
    pub currency: Option<Currency>,
    /// In this state.
    pub state: Option<PayoutState>,
    /// Older than this one.
    pub after: Option<PayoutId>,
    /// Maximum number of rows.
    pub limit: u32,
}

entity! {
    Payout in "payouts" {
        id,
        merchant,
        settlement,
        currency,
        amount_minor,
        account,
        state as ByName,
        failure,
        created_at_ms,
        updated_at_ms,
        lease_until_ms,
    }
}

const BY_ID: &str = sql!(Payout::SELECT, "WHERE id = $1");

leased!(Payout in "payouts" where "state = 'pending'");

/// The account is set once; it does not change afterwards.
const NAME_ACCOUNT: &str = "UPDATE payouts SET account = $2
    WHERE id = $1 AND account = '' AND state = 'pending'";

/// Decides every race between outcomes of one payout.
const UPDATE: &str = "UPDATE payouts SET state = $3, failure = $4, updated_at_ms = $5
    WHERE id = $1 AND state = $2";

const OF_MERCHANT: &str = sql!(
    Payout::SELECT,
    "WHERE merchant = $1 AND id < $2 AND currency = COALESCE($4, currency) \
     AND state = COALESCE($5, state) ORDER BY id DESC LIMIT $3"
);

const IN_TRANSIT: &str = "SELECT currency, CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT)
    FROM payouts WHERE merchant = $1 AND state = 'pending' GROUP BY currency ORDER BY currency";

struct Movement {
    values: [Value; 5],
    event: EventInsert,
    posting: Option<PreparedPosting>,
}

async fn change(tx: &mut Tx<'_>, movement: &Movement) -> Result<bool, Fault> {
    if tx.execute(UPDATE, &movement.values).await? == 0 {
        return Ok(false);
    }
    let mut statements: Vec<Statement<'_>> = movement.event.statements().to_vec();
    statements.extend(
        movement
            .posting
            .iter()
            .flat_map(PreparedPosting::statements),
    );
    tx.execute_together(&statements).await?;
    Ok(true)
}

/// The repository of payouts.
#[derive(Debug, Clone)]
pub struct PayoutStore {
    pub(crate) database: Database,
}

impl PayoutStore {
    /// Pending payouts whose lease has ended by a time, milliseconds since 1970; longest waiting
    /// first.
    pub async fn open(
        &self,
        lease_before_ms: i64,
        limit: u32,
    ) -> Result<Vec<Payout>, DatabaseError> {
        lease::open(&self.database, lease_before_ms, limit).await
    }

    /// Sets the account of a payout without one; returns whether it had none.
    pub async fn name_account(
        &self,
        payout: &Payout,
        account: &str,
    ) -> Result<bool, DatabaseError> {
        let values = values![payout.id, account.to_owned()];
        self.database.change(NAME_ACCOUNT, values).await
    }

    /// Leases a payout for the duration of the bank's time limit; returns whether the caller got
    /// it.
    pub async fn lease(&self, payout: &Payout, lease_until_ms: i64) -> Result<bool, DatabaseError> {
        let lease = (payout.lease_until_ms, lease_until_ms);
        let taken: Option<Payout> = lease::take(&self.database, payout.id, lease).await?;
        Ok(taken.is_some())
    }

    /// Records the outcome of a payout with its event and posting; returns whether it was still in
    /// the state that the caller saw. Otherwise nothing is written.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
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
            event: EventInsert::new(event)?,
            posting: posting.map(PreparedPosting::new).transpose()?,
        };
        self.database
            .write(movement, |tx, movement| Box::pin(change(tx, movement)))
            .await
    }

    /// A payout of any merchant. For messages of the bank, never for requests of merchants.
    pub async fn get(&self, id: PayoutId) -> Result<Option<Payout>, DatabaseError> {
        self.database.get(BY_ID, values![id]).await
    }

    /// A merchant's payout; none if it is another merchant's.
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
        let wanted = values![
            merchant,
            filter.after.unwrap_or(PayoutId::MAX),
            filter.limit,
            filter.currency,
            filter.state.map(PayoutState::name),
        ];
        self.database
            .scan_list(Extent::List, OF_MERCHANT, wanted)
            .await
    }

    /// The pending amounts of a merchant's payouts, by currency, minor units.
    pub async fn in_transit(
        &self,
        merchant: MerchantId,
    ) -> Result<Vec<(Currency, i64)>, DatabaseError> {
        self.database
            .scan_list(Extent::Sum, IN_TRANSIT, values![merchant])
            .await
    }
}
