//! The repository of subscriptions.

use super::model::{Due, EndReason, Subscription};
use super::state::SubscriptionState;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::{IdempotentWrite, Prepared, Rows, Written};
use crate::invoices::finalize::Issue;
use crate::store::lease::{self, leased};
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::{CustomerId, Identifier, MerchantId, SubscriptionId};
use sealpay_storage::{
    AsJson, AsOptionalJson, ByName, ByOptionalName, Codec, Database, DatabaseError, Entity, Extent,
    Fault, Projection, Tx, entity, sql, values,
};

/// The filter of a subscription list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriptionFilter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// In this state.
    pub state: Option<SubscriptionState>,
    /// Older than this one.
    pub after: Option<SubscriptionId>,
    /// Maximum number of rows.
    pub limit: u32,
}

entity! {
    Subscription in "subscriptions" {
        id,
        merchant,
        customer,
        agreement,
        state as ByName,
        plan as AsJson,
        queued_plan as AsOptionalJson,
        anchor as AsJson,
        period_number,
        period_start_ms,
        period_end_ms,
        cancels_at_period_end,
        ended_at_ms,
        end_reason as ByOptionalName,
        paused_at_ms,
        resumes_at_ms,
        dunning as AsOptionalJson,
        metadata as AsJson,
        due as ByOptionalName,
        due_at_ms,
        lease_until_ms,
        sequence,
        created_at_ms,
        updated_at_ms,
    }
}

leased!(Subscription in "subscriptions" where "due IS NOT NULL");

/// What a server is doing is due when it says so, not when its lease ends.
const NEXT_DUE: &str = "SELECT MIN(lease_until_ms) FROM subscriptions
    WHERE due IS NOT NULL AND lease_until_ms > $1 AND lease_until_ms = due_at_ms";

/// Behind everything that is due: others get their turn.
const RELEASE: &str = "UPDATE subscriptions SET lease_until_ms = $3
    WHERE id = $1 AND lease_until_ms = $2";

/// What a server is doing at a time.
const LEASED: &str = "SELECT COUNT(*) FROM subscriptions
    WHERE due IS NOT NULL AND due_at_ms <= $1 AND lease_until_ms > $1";

const UPCOMING: &str = sql!(
    Subscription::SELECT,
    "WHERE due IS NOT NULL ORDER BY lease_until_ms LIMIT $1"
);

const BY_ID: &str = sql!(Subscription::SELECT, "WHERE id = $1");

const OF_MERCHANT: &str = sql!(
    Subscription::SELECT,
    "WHERE merchant = $1 AND id < $2 AND customer = COALESCE($4, customer) \
     AND state = COALESCE($5, state) ORDER BY id DESC LIMIT $3"
);

const GOING_ON_OF: &str = sql!(
    Subscription::SELECT,
    "WHERE customer = $1 AND state NOT IN ('canceled', 'incomplete_expired') ORDER BY id LIMIT $2"
);

/// Decides every race between changes of one subscription.
const UPDATE: &str = "UPDATE subscriptions SET agreement = $3, state = $4, plan = $5,
        queued_plan = $6, anchor = $7, period_number = $8, period_start_ms = $9,
        period_end_ms = $10, cancels_at_period_end = $11, ended_at_ms = $12, end_reason = $13,
        paused_at_ms = $14, resumes_at_ms = $15, dunning = $16, metadata = $17, due = $18,
        due_at_ms = $19, lease_until_ms = $20, sequence = $21, updated_at_ms = $22
    WHERE id = $1 AND sequence = $2";

/// The statement that changes a subscription, if it is as it was when it had this sequence.
pub(crate) fn update(
    before_sequence: i64,
    after: &Subscription,
) -> Result<Prepared, DatabaseError> {
    let [plan] = AsJson::write(&after.plan)?;
    let [queued_plan] = AsOptionalJson::write(&after.queued_plan)?;
    let [anchor] = AsJson::write(&after.anchor)?;
    let [dunning] = AsOptionalJson::write(&after.dunning)?;
    let [metadata] = AsJson::write(&after.metadata)?;
    let values = values![
        after.id,
        before_sequence,
        after.agreement,
        after.state.name(),
        plan,
        queued_plan,
        anchor,
        after.period_number,
        after.period_start_ms,
        after.period_end_ms,
        after.cancels_at_period_end,
        after.ended_at_ms,
        after.end_reason.map(EndReason::name),
        after.paused_at_ms,
        after.resumes_at_ms,
        dunning,
        metadata,
        after.due.map(Due::name),
        after.due_at_ms,
        after.lease_until_ms,
        after.sequence,
        after.updated_at_ms,
    ];
    Ok((UPDATE, values.to_vec()))
}

/// A subscription that goes on, with everything that happens at that moment.
pub(crate) struct Renewal {
    pub(crate) before_sequence: i64,
    pub(crate) subscription: Subscription,
    pub(crate) event: Event,
    /// The invoice of the period that begins.
    pub(crate) invoice: Option<Issue>,
}

/// Writes one renewal; another server, or a request, may have been first.
async fn renew(tx: &mut Tx<'_>, renewal: &Renewal) -> Result<bool, Fault> {
    let (guard, values) = update(renewal.before_sequence, &renewal.subscription)?;
    if tx.execute(guard, &values).await? == 0 {
        return Ok(false);
    }
    let event = EventInsert::new(&renewal.event)?;
    tx.execute_together(&event.statements()).await?;
    if let Some(issue) = &renewal.invoice {
        issue.write(tx).await?;
    }
    Ok(true)
}

/// The repository of subscriptions.
#[derive(Debug, Clone)]
pub struct SubscriptionStore {
    pub(crate) database: Database,
}

impl SubscriptionStore {
    /// Adds a subscription, with its first invoice if there is one.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub(crate) async fn add(
        &self,
        subscription: &Subscription,
        rows: Rows,
        invoice: Option<Issue>,
        request: &IdempotentRequest,
    ) -> Result<Written, DatabaseError> {
        let row = subscription.to_row()?;
        let write = IdempotentWrite::guarded((Subscription::INSERT, row.as_ref().to_vec()))
            .answering(Some(request), subscription.id, subscription.created_at_ms)
            .with_rows(rows)?;
        let write = match invoice {
            Some(issue) => write.then(issue),
            None => write,
        };
        write.run(&self.database).await
    }

    /// Changes a subscription with everything that belongs to it; [`Written::Moved`] if it has
    /// changed since it was read.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub(crate) async fn change(
        &self,
        (before_sequence, after): (i64, &Subscription),
        rows: Rows,
        invoice: Option<Issue>,
        request: Option<&IdempotentRequest>,
    ) -> Result<Written, DatabaseError> {
        let write = IdempotentWrite::guarded(update(before_sequence, after)?)
            .answering(request, after.id, after.updated_at_ms)
            .with_rows(rows)?;
        let write = match invoice {
            Some(issue) => write.then(issue),
            None => write,
        };
        write.run(&self.database).await
    }

    /// Writes renewals in one transaction, in this order; returns how many were not outdated.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub(crate) async fn renew(&self, renewals: Vec<Renewal>) -> Result<usize, DatabaseError> {
        self.database
            .write(renewals, |tx, renewals| {
                Box::pin(async move {
                    let mut renewed = 0;
                    for renewal in renewals {
                        renewed += usize::from(renew(tx, renewal).await?);
                    }
                    Ok(renewed)
                })
            })
            .await
    }

    /// A subscription of any merchant.
    pub(crate) async fn get(
        &self,
        id: SubscriptionId,
    ) -> Result<Option<Subscription>, DatabaseError> {
        self.database.get(BY_ID, values![id]).await
    }

    /// A merchant's subscription; none if it is another merchant's.
    pub(crate) async fn get_owned(
        &self,
        merchant: MerchantId,
        id: SubscriptionId,
    ) -> Result<Option<Subscription>, DatabaseError> {
        let found = self.get(id).await?;
        Ok(found.filter(|subscription| subscription.merchant == merchant))
    }

    /// The subscriptions of a customer that have not ended, oldest first.
    pub(crate) async fn going_on_of(
        &self,
        customer: CustomerId,
        limit: u32,
    ) -> Result<Vec<Subscription>, DatabaseError> {
        self.database
            .list(GOING_ON_OF, values![customer, limit])
            .await
    }

    /// Takes over due subscriptions until a time; longest waiting first.
    pub(crate) async fn claim_due(
        &self,
        by_ms: i64,
        until_ms: i64,
        limit: u32,
    ) -> Result<Vec<Subscription>, DatabaseError> {
        lease::claim(&self.database, by_ms, until_ms, limit).await
    }

    /// Gives a lease back at a time: what is due has to wait for something else.
    pub(crate) async fn release(
        &self,
        leased: &Subscription,
        now_ms: i64,
    ) -> Result<(), DatabaseError> {
        let values = values![leased.id, leased.lease_until_ms, now_ms];
        self.database.change(RELEASE, values).await.map(drop)
    }

    /// How many a server is working on at a time, milliseconds since 1970.
    pub(crate) async fn count_leased(&self, now_ms: i64) -> Result<u64, DatabaseError> {
        self.database.scalar(LEASED, values![now_ms]).await
    }

    /// The subscriptions for which something is planned, the next one first.
    pub(crate) async fn upcoming(&self, limit: u32) -> Result<Vec<Subscription>, DatabaseError> {
        self.database.list(UPCOMING, values![limit]).await
    }

    /// When the next subscription is due after a time, milliseconds since 1970.
    pub(crate) async fn next_due_ms(&self, after_ms: i64) -> Result<Option<i64>, DatabaseError> {
        self.database.scalar(NEXT_DUE, values![after_ms]).await
    }

    /// A merchant's subscriptions, newest first.
    pub(crate) async fn list(
        &self,
        merchant: MerchantId,
        filter: &SubscriptionFilter,
    ) -> Result<Vec<Subscription>, DatabaseError> {
        let wanted = values![
            merchant,
            filter.after.unwrap_or(SubscriptionId::MAX),
            filter.limit,
            filter.customer,
            filter.state.map(SubscriptionState::name),
        ];
        self.database
            .scan_list(Extent::List, OF_MERCHANT, wanted)
            .await
    }
}
