//! The repository of customers.

use super::model::Customer;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::{IdempotentWrite, Written};
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::{CustomerId, Identifier, MerchantId};
use sealpay_storage::{AsOptionalJson, Codec, Database, DatabaseError, Entity, Extent, Projection};
use sealpay_storage::{entity, sql, values};

/// The filter of a customer list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// With this reference.
    pub reference: Option<String>,
    /// Older than this one.
    pub after: Option<CustomerId>,
    /// Maximum number of rows.
    pub limit: u32,
}

entity! {
    Customer in "customers" {
        id,
        merchant,
        reference,
        email,
        name,
        locale,
        time_zone,
        default_instrument,
        simulate as AsOptionalJson,
        sequence,
        erased_at_ms,
        created_at_ms,
        updated_at_ms,
    }
}

const INSERT: &str = sql!(
    Customer::INSERT,
    "ON CONFLICT (merchant, reference) DO NOTHING"
);

const BY_ID: &str = sql!(Customer::SELECT, "WHERE id = $1");

const BY_REFERENCE: &str = sql!(Customer::SELECT, "WHERE merchant = $1 AND reference = $2");

/// Decides every race between changes of one customer; an erased one does not change any more.
const UPDATE: &str = "UPDATE customers SET reference = $3, email = $4, name = $5, locale = $6,
    time_zone = $7, default_instrument = $8, sequence = $9, erased_at_ms = $10, updated_at_ms = $11,
    simulate = $12
    WHERE id = $1 AND sequence = $2 AND erased_at_ms IS NULL";

/// Sessions name their customer by the reference, which may be personal.
const FORGET: &str = "UPDATE sessions SET customer = NULL WHERE merchant = $1 AND customer = $2";

const OF_MERCHANT: &str = sql!(
    Customer::SELECT,
    "WHERE merchant = $1 AND id < $2 AND (CAST($4 AS TEXT) IS NULL OR reference = $4) \
     ORDER BY id DESC LIMIT $3"
);

/// The repository of customers.
#[derive(Debug, Clone)]
pub struct CustomerStore {
    pub(crate) database: Database,
}

impl CustomerStore {
    /// Adds a customer; [`Written::Moved`] if the merchant has one with this reference.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub async fn add(
        &self,
        customer: &Customer,
        event: &Event,
        request: Option<&IdempotentRequest>,
    ) -> Result<Written, DatabaseError> {
        IdempotentWrite::guarded_by(INSERT, customer.to_row()?)
            .answering(request, customer.id, customer.created_at_ms)
            .publishing(event)?
            .run(&self.database)
            .await
    }

    /// Changes a customer; [`Written::Moved`] if it has changed since `before` was read.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub async fn change(
        &self,
        before: &Customer,
        after: &Customer,
        event: &Event,
        request: Option<&IdempotentRequest>,
    ) -> Result<Written, DatabaseError> {
        let [simulate] = AsOptionalJson::write(&after.simulate)?;
        let values = values![
            before.id,
            before.sequence,
            after.reference.clone(),
            after.email.clone(),
            after.name.clone(),
            after.locale.clone(),
            &after.time_zone,
            after.default_instrument,
            after.sequence,
            after.erased_at_ms,
            after.updated_at_ms,
            simulate,
        ];
        let mut write = IdempotentWrite::guarded_by(UPDATE, values)
            .answering(request, after.id, after.updated_at_ms)
            .publishing(event)?;
        if let (Some(former), None) = (&before.reference, &after.reference) {
            write = write.and(FORGET, values![before.merchant, former.clone()]);
        }
        write.run(&self.database).await
    }

    /// A merchant's customer; none if it is another merchant's.
    pub async fn get_owned(
        &self,
        merchant: MerchantId,
        id: CustomerId,
    ) -> Result<Option<Customer>, DatabaseError> {
        let found: Option<Customer> = self.database.get(BY_ID, values![id]).await?;
        Ok(found.filter(|customer| customer.merchant == merchant))
    }

    /// A merchant's customer by the merchant's own reference.
    pub async fn get_by_reference(
        &self,
        merchant: MerchantId,
        reference: &str,
    ) -> Result<Option<Customer>, DatabaseError> {
        let wanted = values![merchant, reference.to_owned()];
        self.database.get(BY_REFERENCE, wanted).await
    }

    /// A merchant's customers, newest first.
    pub async fn list(
        &self,
        merchant: MerchantId,
        filter: &CustomerFilter,
    ) -> Result<Vec<Customer>, DatabaseError> {
        let wanted = values![
            merchant,
            filter.after.unwrap_or(CustomerId::MAX),
            filter.limit,
            filter.reference.clone(),
        ];
        self.database
            .scan_list(Extent::List, OF_MERCHANT, wanted)
            .await
    }
}
