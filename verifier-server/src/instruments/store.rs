//! The repository of saved instruments.

use super::model::{Instrument, InstrumentState, StoredCard};
use crate::idempotency::write::Prepared;
use sealpay_protocol::ids::{CustomerId, Identifier, InstrumentId, MerchantId};
use sealpay_provider::CredentialReference;
use sealpay_storage::{ByName, Codec, Database, DatabaseError, Entity, Extent, Projection};
use sealpay_storage::{Row, Value, columns, entity, sql, values};

/// The filter of an instrument list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstrumentFilter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// In this state.
    pub state: Option<InstrumentState>,
    /// Older than this one.
    pub after: Option<InstrumentId>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// Stores a reference as its text.
struct Credential;

impl Codec<CredentialReference, 1> for Credential {
    fn write(credential: &CredentialReference) -> Result<[Value; 1], DatabaseError> {
        Ok([credential.to_string().into()])
    }

    fn read(row: &mut Row) -> Result<CredentialReference, DatabaseError> {
        row.take_as(|text: String| CredentialReference::new(text).ok())
    }
}

columns! {
    StoredCard {
        brand,
        last4,
        expiry,
        fingerprint,
        country,
    }
}

entity! {
    Instrument in "instruments" {
        id,
        merchant,
        customer,
        method as ByName,
        card: (brand, last4, expiry, fingerprint, country),
        provider,
        credential as Credential: (credential),
        state as ByName,
        sequence,
        is_assessed,
        used_at_ms,
        created_at_ms,
        updated_at_ms,
    }
}

/// A customer has a card once, at each acquirer.
const INSERT: &str = sql!(
    Instrument::INSERT,
    "ON CONFLICT (customer, fingerprint, provider) DO NOTHING"
);

/// Decides every race between changes of one instrument.
pub(crate) const UPDATE: &str = "UPDATE instruments SET brand = $3, last4 = $4, expiry = $5,
    fingerprint = $6, country = $7, credential = $8, state = $9, sequence = $10,
    is_assessed = $11, used_at_ms = $12, updated_at_ms = $13
    WHERE id = $1 AND sequence = $2";

const BY_ID: &str = sql!(Instrument::SELECT, "WHERE id = $1");

const BY_CARD: &str = sql!(
    Instrument::SELECT,
    "WHERE customer = $1 AND fingerprint = $2 AND provider = $3"
);

const BY_CREDENTIAL: &str = sql!(
    Instrument::SELECT,
    "WHERE provider = $1 AND credential = $2"
);

const OF_CUSTOMER: &str = sql!(
    Instrument::SELECT,
    "WHERE customer = $1 AND state <> 'detached' ORDER BY id DESC"
);

/// The shopper agreed to see them again.
const ON_FILE: &str = sql!(
    Instrument::SELECT,
    "WHERE customer = $1 AND state = 'active' AND id IN ( \
         SELECT instrument FROM agreements \
         WHERE customer = $1 AND kind = 'card_on_file' AND state = 'active') \
     ORDER BY used_at_ms DESC, id DESC LIMIT $2"
);

const OF_MERCHANT: &str = sql!(
    Instrument::SELECT,
    "WHERE merchant = $1 AND id < $2 AND customer = COALESCE($4, customer) \
     AND state = COALESCE($5, state) ORDER BY id DESC LIMIT $3"
);

/// A payment with the instrument; it is no change.
const USED: &str = "UPDATE instruments SET used_at_ms = $2 WHERE id = $1";

const REVOKE: &str = "INSERT INTO credential_revocations (provider, credential, due_at_ms)
    VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const REVOCATIONS: &str = "SELECT provider, credential FROM credential_revocations
    WHERE due_at_ms <= $1 ORDER BY due_at_ms LIMIT $2";

const POSTPONE: &str = "UPDATE credential_revocations SET due_at_ms = $3
    WHERE provider = $1 AND credential = $2";

const REVOKED: &str = "DELETE FROM credential_revocations WHERE provider = $1 AND credential = $2";

/// Whether an instrument uses the credential: an acquirer may give the same card one credential.
const IN_USE: &str = "SELECT COUNT(*) FROM instruments
    WHERE provider = $1 AND credential = $2 AND state <> 'detached'";

/// Instruments of erased customers, if the erasure was interrupted or a payment came in between.
const LEFT: &str = sql!(
    Instrument::SELECT,
    "WHERE state <> 'detached' AND customer IN ( \
         SELECT id FROM customers WHERE erased_at_ms >= $1) ORDER BY id LIMIT $2"
);

/// The statement that adds an instrument; it changes no row if the customer has the card already.
pub(crate) fn insert(instrument: &Instrument) -> Result<Prepared, DatabaseError> {
    Ok((INSERT, instrument.to_row()?.to_vec()))
}

/// The statement that changes an instrument; it changes no row if the instrument has changed since
/// it had this number of changes.
pub(crate) fn update(sequence: i64, after: &Instrument) -> Prepared {
    let card = after.card.clone();
    let values = values![
        after.id,
        sequence,
        card.brand,
        card.last4,
        card.expiry,
        card.fingerprint,
        card.country,
        after.credential.to_string(),
        after.state.name(),
        after.sequence,
        after.is_assessed,
        after.used_at_ms,
        after.updated_at_ms,
    ];
    (UPDATE, values.to_vec())
}

/// The statement that records a payment with an instrument.
pub(crate) fn used(instrument: InstrumentId, at_ms: i64) -> Prepared {
    (USED, values![instrument, at_ms].to_vec())
}

/// The statement that schedules the deletion of a credential.
pub(crate) fn revocation(
    provider: &str,
    credential: &CredentialReference,
    due_at_ms: i64,
) -> (&'static str, [Value; 3]) {
    let values = values![provider.to_owned(), credential.to_string(), due_at_ms];
    (REVOKE, values)
}

/// The repository of saved instruments.
#[derive(Debug, Clone)]
pub struct InstrumentStore {
    pub(crate) database: Database,
}

impl InstrumentStore {
    /// An instrument of any merchant.
    pub async fn get(&self, id: InstrumentId) -> Result<Option<Instrument>, DatabaseError> {
        self.database.get(BY_ID, values![id]).await
    }

    /// A merchant's instrument; none if it is another merchant's.
    pub async fn get_owned(
        &self,
        merchant: MerchantId,
        id: InstrumentId,
    ) -> Result<Option<Instrument>, DatabaseError> {
        let found = self.get(id).await?;
        Ok(found.filter(|instrument| instrument.merchant == merchant))
    }

    /// The instrument of a customer's card at an acquirer.
    pub async fn get_by_card(
        &self,
        customer: CustomerId,
        fingerprint: &str,
        provider: &str,
    ) -> Result<Option<Instrument>, DatabaseError> {
        let wanted = values![customer, fingerprint.to_owned(), provider.to_owned()];
        self.database.get(BY_CARD, wanted).await
    }

    /// The instruments of an acquirer's credential.
    pub async fn list_by_credential(
        &self,
        provider: &str,
        credential: &str,
    ) -> Result<Vec<Instrument>, DatabaseError> {
        let wanted = values![provider.to_owned(), credential.to_owned()];
        self.database.list(BY_CREDENTIAL, wanted).await
    }

    /// A customer's instruments that are not detached, newest first.
    pub async fn of_customer(
        &self,
        customer: CustomerId,
    ) -> Result<Vec<Instrument>, DatabaseError> {
        self.database.list(OF_CUSTOMER, values![customer]).await
    }

    /// The instruments that a customer may pay with again, the last used first.
    pub async fn on_file(
        &self,
        customer: CustomerId,
        limit: u32,
    ) -> Result<Vec<Instrument>, DatabaseError> {
        self.database.list(ON_FILE, values![customer, limit]).await
    }

    /// A merchant's instruments, newest first.
    pub async fn list(
        &self,
        merchant: MerchantId,
        filter: &InstrumentFilter,
    ) -> Result<Vec<Instrument>, DatabaseError> {
        let wanted = values![
            merchant,
            filter.after.unwrap_or(InstrumentId::MAX),
            filter.limit,
            filter.customer,
            filter.state.map(InstrumentState::name),
        ];
        self.database
            .scan_list(Extent::List, OF_MERCHANT, wanted)
            .await
    }

    /// Schedules the deletion of a credential at its provider.
    pub async fn schedule_revocation(
        &self,
        provider: &str,
        credential: &CredentialReference,
        due_at_ms: i64,
    ) -> Result<(), DatabaseError> {
        let (sql, values) = revocation(provider, credential, due_at_ms);
        self.database.execute(sql, values).await.map(drop)
    }

    /// Credentials that their providers have to delete by a time, milliseconds since 1970; longest
    /// waiting first.
    pub async fn revocations(
        &self,
        by_ms: i64,
        limit: u32,
    ) -> Result<Vec<(String, String)>, DatabaseError> {
        self.database.list(REVOCATIONS, values![by_ms, limit]).await
    }

    /// Sets when the provider is asked again.
    pub async fn postpone_revocation(
        &self,
        provider: &str,
        credential: &str,
        due_at_ms: i64,
    ) -> Result<(), DatabaseError> {
        let values = values![provider.to_owned(), credential.to_owned(), due_at_ms];
        self.database.execute(POSTPONE, values).await.map(drop)
    }

    /// Removes a credential that was deleted, or need not be.
    pub async fn end_revocation(
        &self,
        provider: &str,
        credential: &str,
    ) -> Result<(), DatabaseError> {
        let values = values![provider.to_owned(), credential.to_owned()];
        self.database.execute(REVOKED, values).await.map(drop)
    }

    /// Whether an instrument uses a credential.
    pub async fn is_in_use(&self, provider: &str, credential: &str) -> Result<bool, DatabaseError> {
        let values = values![provider.to_owned(), credential.to_owned()];
        let count: i64 = self.database.scalar(IN_USE, values).await?;
        Ok(count > 0)
    }

    /// Instruments that customers erased since a time, milliseconds since 1970, still have.
    pub async fn of_erased(
        &self,
        since_ms: i64,
        limit: u32,
    ) -> Result<Vec<Instrument>, DatabaseError> {
        self.database.list(LEFT, values![since_ms, limit]).await
    }
}
