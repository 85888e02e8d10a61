//! The repository of invoices and credit notes.

use super::finalize::{Issue, NewCreditNote};
use super::model::{CreditNote, Invoice, InvoiceState};
pub(crate) use super::update::update;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::{IdempotentWrite, Prepared, Rows, Written};
use crate::store::lease::{self, leased};
use sealpay_protocol::ids::{
    CreditNoteId, CustomerId, Identifier, InvoiceId, MerchantId, SubscriptionId,
};
use sealpay_storage::{
    AsJson, ByName, ByOptionalName, Database, DatabaseError, Extent, Projection, entity, sql,
    values,
};

/// The filter of an invoice list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvoiceFilter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// Of this subscription.
    pub subscription: Option<SubscriptionId>,
    /// In this state.
    pub state: Option<InvoiceState>,
    /// Older than this one.
    pub after: Option<InvoiceId>,
    /// Maximum number of rows.
    pub limit: u32,
}

entity! {
    Invoice in "invoices" {
        id,
        merchant,
        customer,
        subscription,
        period_number,
        number,
        reason as ByName,
        state as ByName,
        lines as AsJson,
        total: (total_minor, currency),
        applied_minor,
        paid_minor,
        credited_minor,
        collection as AsJson,
        due as ByOptionalName,
        due_at_ms,
        lease_until_ms,
        finalized_at_ms,
        closed_at_ms,
        sequence,
        created_at_ms,
        updated_at_ms,
    }
}

entity! {
    CreditNote in "credit_notes" {
        id,
        merchant,
        invoice,
        number,
        money: (amount_minor, currency),
        to_balance_minor,
        reason,
        created_at_ms,
    }
}

leased!(Invoice in "invoices" where "due IS NOT NULL");

/// What a server is doing is due when it says so, not when its lease ends.
const NEXT_DUE: &str = "SELECT MIN(lease_until_ms) FROM invoices
    WHERE due IS NOT NULL AND lease_until_ms > $1 AND lease_until_ms = due_at_ms";

const RELEASE: &str = "UPDATE invoices SET lease_until_ms = $3
    WHERE id = $1 AND lease_until_ms = $2";

/// What a server is doing at a time.
const LEASED: &str = "SELECT COUNT(*) FROM invoices
    WHERE due IS NOT NULL AND due_at_ms <= $1 AND lease_until_ms > $1";

const UPCOMING: &str = sql!(
    Invoice::SELECT,
    "WHERE due IS NOT NULL ORDER BY lease_until_ms LIMIT $1"
);

/// An invoice by its id.
pub(crate) const BY_ID: &str = sql!(Invoice::SELECT, "WHERE id = $1");

const OF_SUBSCRIPTION: &str = sql!(
    Invoice::SELECT,
    "WHERE subscription = $1 AND state IN ('draft', 'open') ORDER BY id"
);

const OF_MERCHANT: &str = sql!(
    Invoice::SELECT,
    "WHERE merchant = $1 AND id < $2 AND customer = COALESCE($4, customer) \
     AND (CAST($5 AS TEXT) IS NULL OR subscription = $5) AND state = COALESCE($6, state) \
     ORDER BY id DESC LIMIT $3"
);

const NOTES_OF_INVOICE: &str = sql!(
    CreditNote::SELECT,
    "WHERE invoice = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
);

const CREDIT_NOTE: &str = sql!(CreditNote::SELECT, "WHERE id = $1");

/// The credit notes of an invoice have lowered what is due, and given no credit.
const NOTES_LOWER_WHAT_IS_DUE: &str = "UPDATE credit_notes SET to_balance_minor = 0
    WHERE invoice = $1";

pub(super) fn notes_lower_what_is_due(invoice: InvoiceId) -> Prepared {
    (NOTES_LOWER_WHAT_IS_DUE, values![invoice].to_vec())
}

/// What was credited after the invoice was paid.
const CREDITED_TO_BALANCE: &str = "SELECT CAST(COALESCE(SUM(to_balance_minor), 0) AS BIGINT) FROM credit_notes WHERE invoice = $1";

const CREDIT: &str = "SELECT amount_minor FROM customer_credits
    WHERE customer = $1 AND currency = $2";

/// The repository of invoices and credit notes.
#[derive(Debug, Clone)]
pub struct InvoiceStore {
    pub(crate) database: Database,
}

impl InvoiceStore {
    /// An invoice of any merchant.
    pub(crate) async fn get(&self, id: InvoiceId) -> Result<Option<Invoice>, DatabaseError> {
        self.database.get(BY_ID, values![id]).await
    }

    /// A merchant's invoice; none if it is another merchant's.
    pub(crate) async fn get_owned(
        &self,
        merchant: MerchantId,
        id: InvoiceId,
    ) -> Result<Option<Invoice>, DatabaseError> {
        let found = self.get(id).await?;
        Ok(found.filter(|invoice| invoice.merchant == merchant))
    }

    /// The drafts and open invoices of a subscription, oldest first.
    pub(crate) async fn unpaid_of(
        &self,
        subscription: SubscriptionId,
    ) -> Result<Vec<Invoice>, DatabaseError> {
        self.database
            .list(OF_SUBSCRIPTION, values![subscription])
            .await
    }

    /// What a merchant owes a customer in a currency, minor units.
    pub(crate) async fn credit_of(
        &self,
        customer: CustomerId,
        currency: sealpay_protocol::currency::Currency,
    ) -> Result<i64, DatabaseError> {
        let found: Option<(i64,)> = self
            .database
            .get(CREDIT, values![customer, currency])
            .await?;
        Ok(found.map_or(0, |(amount_minor,)| amount_minor))
    }

    /// Gives a lease back at a time: something else has changed the invoice.
    pub(crate) async fn release(
        &self,
        leased: (InvoiceId, i64),
        now_ms: i64,
    ) -> Result<(), DatabaseError> {
        let values = values![leased.0, leased.1, now_ms];
        self.database.change(RELEASE, values).await.map(drop)
    }

    /// How many a server is working on at a time, milliseconds since 1970.
    pub(crate) async fn count_leased(&self, now_ms: i64) -> Result<u64, DatabaseError> {
        self.database.scalar(LEASED, values![now_ms]).await
    }

    /// The invoices for which something is planned, the next one first.
    pub(crate) async fn upcoming(&self, limit: u32) -> Result<Vec<Invoice>, DatabaseError> {
        self.database.list(UPCOMING, values![limit]).await
    }

    /// Takes over due invoices until a time; longest waiting first.
    pub(crate) async fn claim_due(
        &self,
        by_ms: i64,
        until_ms: i64,
        limit: u32,
    ) -> Result<Vec<Invoice>, DatabaseError> {
        lease::claim(&self.database, by_ms, until_ms, limit).await
    }

    /// When the next invoice is due after a time, milliseconds since 1970.
    pub(crate) async fn next_due_ms(&self, after_ms: i64) -> Result<Option<i64>, DatabaseError> {
        self.database.scalar(NEXT_DUE, values![after_ms]).await
    }

    /// Changes an invoice with everything that belongs to it; [`Written::Moved`] if it has changed
    /// since it was read.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub(crate) async fn change(
        &self,
        before_sequence: i64,
        after: &Invoice,
        rows: Rows,
        request: Option<&IdempotentRequest>,
    ) -> Result<Written, DatabaseError> {
        IdempotentWrite::guarded(update(before_sequence, after)?)
            .answering(request, after.id, after.updated_at_ms)
            .with_rows(rows)?
            .run(&self.database)
            .await
    }

    /// Issues a draft; [`Written::Moved`] if it has changed since it was read.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub(crate) async fn issue_draft(
        &self,
        issue: Issue,
        request: &IdempotentRequest,
    ) -> Result<Written, DatabaseError> {
        let id = issue.invoice.id;
        let touched = "UPDATE invoices SET sequence = sequence WHERE id = $1 AND sequence = $2";
        let guard = values![id, issue.invoice.sequence - 1];
        IdempotentWrite::guarded_by(touched, guard)
            .answering(Some(request), id, issue.invoice.updated_at_ms)
            .then(issue)
            .run(&self.database)
            .await
    }

    /// Writes a credit note; [`Written::Moved`] if the invoice has changed since it was read.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub(crate) async fn credit(
        &self,
        note: NewCreditNote,
        (before_sequence, after): (i64, &Invoice),
        rows: Rows,
        request: &IdempotentRequest,
    ) -> Result<Written, DatabaseError> {
        IdempotentWrite::guarded(update(before_sequence, after)?)
            .answering(Some(request), note.0.id, note.0.created_at_ms)
            .with_rows(rows)?
            .then(note)
            .run(&self.database)
            .await
    }

    /// What was credited to the customer after an invoice was paid, minor units.
    pub(crate) async fn credited_to_balance(
        &self,
        invoice: InvoiceId,
    ) -> Result<i64, DatabaseError> {
        self.database
            .scalar(CREDITED_TO_BALANCE, values![invoice])
            .await
    }

    /// A credit note of any merchant.
    pub(crate) async fn credit_note(
        &self,
        id: CreditNoteId,
    ) -> Result<Option<CreditNote>, DatabaseError> {
        self.database.get(CREDIT_NOTE, values![id]).await
    }

    /// The credit notes of an invoice, newest first.
    pub(crate) async fn credit_notes(
        &self,
        invoice: InvoiceId,
        after: Option<CreditNoteId>,
        limit: u32,
    ) -> Result<Vec<CreditNote>, DatabaseError> {
        let wanted = values![invoice, after.unwrap_or(CreditNoteId::MAX), limit];
        self.database.list(NOTES_OF_INVOICE, wanted).await
    }

    /// A merchant's invoices, newest first.
    pub(crate) async fn list(
        &self,
        merchant: MerchantId,
        filter: &InvoiceFilter,
    ) -> Result<Vec<Invoice>, DatabaseError> {
        let wanted = values![
            merchant,
            filter.after.unwrap_or(InvoiceId::MAX),
            filter.limit,
            filter.customer,
            filter.subscription,
            filter.state.map(InvoiceState::name),
        ];
        self.database
            .scan_list(Extent::List, OF_MERCHANT, wanted)
            .await
    }
}
