//! The repository of prices.

use super::model::Price;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::{IdempotentWrite, Written};
use sealpay_protocol::ids::{Identifier, MerchantId, PriceId};
use sealpay_storage::{AsJson, AsOptionalJson, Database, DatabaseError, Entity, Projection};
use sealpay_storage::{Extent, entity, sql, values};

/// The filter of a price list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceFilter {
    /// Older than this one.
    pub after: Option<PriceId>,
    /// Maximum number of rows.
    pub limit: u32,
}

entity! {
    Price in "prices" {
        id,
        merchant,
        name,
        money: (amount_minor, currency),
        interval as AsJson: (billing_interval),
        trial_days,
        metadata as AsJson,
        simulate as AsOptionalJson,
        archived_at_ms,
        created_at_ms,
    }
}

const BY_ID: &str = sql!(Price::SELECT, "WHERE id = $1");

const OF_MERCHANT: &str = sql!(
    Price::SELECT,
    "WHERE merchant = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
);

const ARCHIVE: &str = "UPDATE prices SET archived_at_ms = $2
    WHERE id = $1 AND archived_at_ms IS NULL";

/// The repository of prices.
#[derive(Debug, Clone)]
pub struct PriceStore {
    pub(crate) database: Database,
}

impl PriceStore {
    /// Adds a price.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub(crate) async fn add(
        &self,
        price: &Price,
        request: &IdempotentRequest,
    ) -> Result<Written, DatabaseError> {
        IdempotentWrite::guarded_by(Price::INSERT, price.to_row()?)
            .answering(Some(request), price.id, price.created_at_ms)
            .run(&self.database)
            .await
    }

    /// Archives a price; [`Written::Moved`] if it is archived.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub(crate) async fn archive(
        &self,
        id: PriceId,
        now_ms: i64,
        request: &IdempotentRequest,
    ) -> Result<Written, DatabaseError> {
        IdempotentWrite::guarded_by(ARCHIVE, values![id, now_ms])
            .answering(Some(request), id, now_ms)
            .run(&self.database)
            .await
    }

    /// A merchant's price; none if it is another merchant's.
    pub(crate) async fn get_owned(
        &self,
        merchant: MerchantId,
        id: PriceId,
    ) -> Result<Option<Price>, DatabaseError> {
        let found: Option<Price> = self.database.get(BY_ID, values![id]).await?;
        Ok(found.filter(|price| price.merchant == merchant))
    }

    /// A merchant's prices, newest first.
    pub(crate) async fn list(
        &self,
        merchant: MerchantId,
        filter: &PriceFilter,
    ) -> Result<Vec<Price>, DatabaseError> {
        let after = filter.after.unwrap_or(PriceId::MAX);
        self.database
            .scan_list(
                Extent::List,
                OF_MERCHANT,
                values![merchant, after, filter.limit],
            )
            .await
    }
}
