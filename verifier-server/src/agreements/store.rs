//! The repository of agreements.

use super::model::{Agreement, AgreementState};
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::{IdempotentWrite, Prepared, Written};
use crate::instruments;
use crate::instruments::model::{Instrument, InstrumentState};
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::{AgreementId, CustomerId, Identifier, InstrumentId, MerchantId};
use sealpay_storage::{
    AsOptionalJson, ByName, Database, DatabaseError, Entity, Extent, Projection,
};
use sealpay_storage::{entity, sql, values};

/// The filter of an agreement list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgreementFilter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// In this state.
    pub state: Option<AgreementState>,
    /// Older than this one.
    pub after: Option<AgreementId>,
    /// Maximum number of rows.
    pub limit: u32,
}

entity! {
    Agreement in "agreements" {
        id,
        merchant,
        customer,
        instrument,
        kind as ByName,
        state as ByName,
        currency,
        maximum_minor,
        network_transaction_id,
        first_payment,
        consent,
        mandate as AsOptionalJson,
        lapses_at_ms,
        accepted_at_ms,
        sequence,
        created_at_ms,
        updated_at_ms,
    }
}

const BY_ID: &str = sql!(Agreement::SELECT, "WHERE id = $1");

const OF_INSTRUMENT: &str = sql!(
    Agreement::SELECT,
    "WHERE instrument = $1 AND state = 'active' ORDER BY id"
);

const OF_MERCHANT: &str = sql!(
    Agreement::SELECT,
    "WHERE merchant = $1 AND id < $2 AND customer = COALESCE($4, customer) \
     AND state = COALESCE($5, state) ORDER BY id DESC LIMIT $3"
);

/// Mandates without a collection for too long.
const LAPSED: &str = sql!(
    Agreement::SELECT,
    "WHERE state = 'active' AND lapses_at_ms <= $1 ORDER BY lapses_at_ms LIMIT $2"
);

const NEXT_LAPSE: &str = "SELECT MIN(lapses_at_ms) FROM agreements
    WHERE state = 'active' AND lapses_at_ms > $1";

/// A collection that is made later does not shorten the life of a mandate.
const EXTEND: &str = "UPDATE agreements SET lapses_at_ms = $2
    WHERE id = $1 AND lapses_at_ms < $2";

/// The statement that lets a mandate lapse later, because of another collection.
pub(crate) fn extend(agreement: AgreementId, lapses_at_ms: i64) -> Prepared {
    (EXTEND, values![agreement, lapses_at_ms].to_vec())
}

/// Agreements change only together with their instrument, whose guard decides every race.
const UPDATE: &str = "UPDATE agreements SET state = $2, sequence = $3, updated_at_ms = $4
    WHERE id = $1";

/// A detached instrument is no default.
const NO_DEFAULT: &str = "UPDATE customers SET default_instrument = NULL
    WHERE id = $1 AND default_instrument = $2";

/// The acquirer has stored the card again, by another payment of the customer.
const CONTINUE: &str = "UPDATE agreements SET network_transaction_id = $2
    WHERE instrument = $1 AND state = 'active'";

/// The statement that lets an instrument's agreements quote another payment of the customer.
pub(crate) fn quote(instrument: InstrumentId, network_transaction_id: &str) -> Prepared {
    let values = values![instrument, network_transaction_id.to_owned()];
    (CONTINUE, values.to_vec())
}

/// The statement that adds an agreement.
pub(crate) fn insert(agreement: &Agreement) -> Result<Prepared, DatabaseError> {
    Ok((Agreement::INSERT, agreement.to_row()?.to_vec()))
}

/// A change of an instrument and its agreements.
#[derive(Debug)]
pub struct InstrumentChange<'a> {
    /// The number of changes that the caller saw.
    pub before_sequence: i64,
    /// The instrument afterwards.
    pub instrument: &'a Instrument,
    /// The agreements that change with it.
    pub agreements: &'a [Agreement],
    /// The events about all of them.
    pub events: &'a [Event],
    /// The request, and the resource that it answers with.
    pub request: Option<(&'a IdempotentRequest, String)>,
}

/// The repository of agreements.
#[derive(Debug, Clone)]
pub struct AgreementStore {
    pub(crate) database: Database,
}

impl AgreementStore {
    /// Changes an instrument and its agreements; [`Written::Moved`] if the instrument has changed
    /// since the caller read it, and then its agreements.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub async fn change(&self, change: InstrumentChange<'_>) -> Result<Written, DatabaseError> {
        let (instrument, now_ms) = (change.instrument, change.instrument.updated_at_ms);
        let guard = instruments::store::update(change.before_sequence, instrument);
        let mut write = IdempotentWrite::guarded(guard);
        if let Some((request, resource)) = change.request {
            write = write.answering(Some(request), resource, now_ms);
        }
        for agreement in change.agreements {
            let values = values![
                agreement.id,
                agreement.state.name(),
                agreement.sequence,
                agreement.updated_at_ms,
            ];
            write = write.and(UPDATE, values);
        }
        if instrument.state == InstrumentState::Detached {
            let (sql, values) = instruments::store::revocation(
                &instrument.provider,
                &instrument.credential,
                now_ms,
            );
            write = write.and(sql, values);
            write = write.and(NO_DEFAULT, values![instrument.customer, instrument.id]);
        }
        for event in change.events {
            write = write.publishing(event)?;
        }
        write.run(&self.database).await
    }

    /// An agreement of any merchant.
    pub async fn get(&self, id: AgreementId) -> Result<Option<Agreement>, DatabaseError> {
        self.database.get(BY_ID, values![id]).await
    }

    /// A merchant's agreement; none if it is another merchant's.
    pub async fn get_owned(
        &self,
        merchant: MerchantId,
        id: AgreementId,
    ) -> Result<Option<Agreement>, DatabaseError> {
        let found = self.get(id).await?;
        Ok(found.filter(|agreement| agreement.merchant == merchant))
    }

    /// The active agreements of an instrument, oldest first.
    pub async fn of_instrument(
        &self,
        instrument: InstrumentId,
    ) -> Result<Vec<Agreement>, DatabaseError> {
        self.database.list(OF_INSTRUMENT, values![instrument]).await
    }

    /// Active mandates that have lapsed by a time, milliseconds since 1970, longest first.
    pub(crate) async fn lapsed(
        &self,
        by_ms: i64,
        limit: u32,
    ) -> Result<Vec<Agreement>, DatabaseError> {
        self.database.list(LAPSED, values![by_ms, limit]).await
    }

    /// The first time after another at which an active mandate lapses, milliseconds since 1970.
    pub(crate) async fn next_lapse_ms(&self, after_ms: i64) -> Result<Option<i64>, DatabaseError> {
        self.database.scalar(NEXT_LAPSE, values![after_ms]).await
    }

    /// A merchant's agreements, newest first.
    pub async fn list(
        &self,
        merchant: MerchantId,
        filter: &AgreementFilter,
    ) -> Result<Vec<Agreement>, DatabaseError> {
        let wanted = values![
            merchant,
            filter.after.unwrap_or(AgreementId::MAX),
            filter.limit,
            filter.customer,
            filter.state.map(AgreementState::name),
        ];
        self.database
            .scan_list(Extent::List, OF_MERCHANT, wanted)
            .await
    }
}
