//! Stored cards in the bank's journal. A card is stored and charged in the transaction of its
//! authorization.

use super::Journal;
use super::authorization::find;
use super::authorize::{AuthorizationInput, authorize, prepare};
use crate::credential::CardUpdate;
use crate::renewals::Renewals;
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::card::YearMonth;
use sealpay_provider::credential::CredentialReference;
use sealpay_provider::{Approval, ProviderDecision, ProviderError};
use sealpay_storage::{AsText, ByName, Entity, Fault, Projection, Tx, entity, sql, values};

/// A stored card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BankCredential {
    pub(crate) reference: CredentialReference,
    /// The acquirer.
    pub(crate) provider: String,
    pub(crate) account: String,
    pub(crate) kind: AgreementKind,
    /// The brand's slug.
    pub(crate) brand: String,
    /// The last four digits when it was stored.
    pub(crate) last4: String,
    /// The expiry when it was stored.
    pub(crate) expiry: YearMonth,
    pub(crate) charges: i64,
    pub(crate) authenticated_charges: i64,
    pub(crate) created_at_ms: i64,
    pub(crate) revoked_at_ms: Option<i64>,
}

entity! {
    BankCredential in "bank_credentials" {
        reference as AsText,
        provider,
        account,
        kind as ByName,
        brand,
        last4,
        expiry as AsText,
        charges,
        authenticated_charges,
        created_at_ms,
        revoked_at_ms,
    }
}

/// News of the account updater, from `due_at_ms` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredUpdate {
    pub(crate) id: String,
    pub(crate) credential: CredentialReference,
    /// The acquirer.
    pub(crate) provider: String,
    pub(crate) kind: CardUpdate,
    pub(crate) last4: Option<String>,
    pub(crate) expiry: Option<String>,
    pub(crate) due_at_ms: i64,
    pub(crate) is_acknowledged: bool,
}

entity! {
    StoredUpdate in "bank_credential_updates" {
        id,
        credential as AsText,
        provider,
        kind as ByName,
        last4,
        expiry,
        due_at_ms,
        is_acknowledged: (acknowledged),
    }
}

const ADD: &str = sql!(BankCredential::INSERT, "ON CONFLICT (reference) DO NOTHING");
const ADD_UPDATE: &str = sql!(StoredUpdate::INSERT, "ON CONFLICT (id) DO NOTHING");
const ADD_TO_SERIES: &str =
    "INSERT INTO bank_credential_series (credential, network_transaction_id)
    VALUES ($1, $2) ON CONFLICT DO NOTHING";
const IN_SERIES: &str = "SELECT COUNT(*) FROM bank_credential_series
    WHERE credential = $1 AND network_transaction_id = $2";

const BY_REFERENCE: &str = sql!(BankCredential::SELECT, "WHERE reference = $1");
const OF_ACCOUNT: &str = sql!(
    BankCredential::SELECT,
    "WHERE account = $1 ORDER BY created_at_ms DESC, reference LIMIT $2"
);
const NEWEST: &str = sql!(
    BankCredential::SELECT,
    "ORDER BY created_at_ms DESC, reference LIMIT $1"
);

/// Stores the credential at its authorization, so that repeated requests return it.
const NOTE: &str = "UPDATE bank_authorizations SET credential = $3
    WHERE reference = $1 AND provider = $2";

/// Counts a charge of a credential that nobody has charged or revoked since it was read: that
/// decides every race.
const COUNT: &str = "UPDATE bank_credentials SET charges = charges + $2
    WHERE reference = $1 AND charges = $3 AND revoked_at_ms IS NULL";
const AUTHENTICATED: &str = "UPDATE bank_credentials SET authenticated_charges = charges
    WHERE reference = $1";
const REVOKE: &str = "UPDATE bank_credentials SET revoked_at_ms = $3
    WHERE reference = $1 AND provider = $2 AND revoked_at_ms IS NULL";

/// In the order of their time.
const UPDATES_OF: &str = sql!(
    StoredUpdate::SELECT,
    "WHERE credential = $1 AND due_at_ms <= $2 ORDER BY due_at_ms, id"
);
const NEWEST_UPDATES: &str = sql!(
    StoredUpdate::SELECT,
    "WHERE due_at_ms <= $1 ORDER BY due_at_ms DESC, id DESC LIMIT $2"
);
const DUE: &str = sql!(
    StoredUpdate::SELECT,
    "WHERE provider = $1 AND acknowledged = 0 AND due_at_ms <= $2 AND NOT EXISTS
    (SELECT 1 FROM bank_credentials WHERE reference = bank_credential_updates.credential
    AND revoked_at_ms IS NOT NULL) ORDER BY due_at_ms, id LIMIT $3"
);
const ACKNOWLEDGE: &str = "UPDATE bank_credential_updates SET acknowledged = 1 WHERE id = $1";

/// The last four digits and the expiry of a stored card, with what the account updater has reported.
pub(crate) fn on_file(
    credential: &BankCredential,
    updates: &[StoredUpdate],
) -> (String, YearMonth) {
    let replaced = updates.iter().rev().find_map(|update| {
        let expiry = update.expiry.as_ref()?.parse().ok()?;
        Some((update.last4.clone()?, expiry))
    });
    replaced.unwrap_or_else(|| (credential.last4.clone(), credential.expiry))
}

/// What an authorization does with a stored card.
#[derive(Debug)]
pub(crate) enum CredentialStep {
    /// Stores the card if it is approved.
    Store(Box<NewCredential>),
    /// Charges a stored card.
    Charge(Charge),
}

/// A card to store.
#[derive(Debug)]
pub(crate) struct NewCredential {
    pub(crate) credential: BankCredential,
    /// What the account updater will report.
    pub(crate) planned: Option<StoredUpdate>,
}

/// A charge of a stored card.
#[derive(Debug)]
pub(crate) struct Charge {
    pub(crate) reference: CredentialReference,
    pub(crate) is_by_merchant: bool,
    /// The payment of the series that the request names.
    pub(crate) network_transaction_id: Option<String>,
    /// Whether the shopper has authenticated this payment.
    pub(crate) is_authenticated: bool,
    /// Whether the approval names the credential.
    pub(crate) store: bool,
    pub(crate) renewals: Option<&'static Renewals>,
}

#[derive(Debug)]
struct CredentialInput {
    authorization: AuthorizationInput,
    step: CredentialStep,
}

type Decided = Option<ProviderDecision>;

async fn decide(tx: &mut Tx<'_>, input: &CredentialInput) -> Result<Decided, Fault> {
    let authorization = &input.authorization;
    if let Some(stored) = find(tx, authorization.reference, &authorization.provider).await? {
        return Ok(stored.decision());
    }
    match &input.step {
        CredentialStep::Store(new) => store(tx, authorization, new).await,
        CredentialStep::Charge(charge) => charge_credential(tx, authorization, charge).await,
    }
}

/// Adds a payment that the shopper initiated to the series of a credential.
async fn add_to_series(
    tx: &mut Tx<'_>,
    reference: &CredentialReference,
    approval: &Approval,
) -> Result<(), Fault> {
    if let Some(network_transaction_id) = &approval.network_transaction_id {
        let series = values![reference.to_string(), network_transaction_id.clone()];
        tx.execute(ADD_TO_SERIES, &series).await?;
    }
    Ok(())
}

/// An approval that names the credential, now and when it is repeated.
async fn name_credential(
    tx: &mut Tx<'_>,
    authorization: &AuthorizationInput,
    reference: &CredentialReference,
    approval: Approval,
) -> Result<Decided, Fault> {
    let noted = values![
        authorization.reference,
        authorization.provider.clone(),
        reference.to_string(),
    ];
    tx.execute(NOTE, &noted).await?;
    Ok(Some(ProviderDecision::Approved(Approval {
        credential: Some(reference.clone()),
        ..approval
    })))
}

async fn store(
    tx: &mut Tx<'_>,
    authorization: &AuthorizationInput,
    new: &NewCredential,
) -> Result<Decided, Fault> {
    let decision = authorize(tx, &prepare(authorization.clone())?).await?;
    let Some(ProviderDecision::Approved(approval)) = decision else {
        return Ok(decision);
    };
    let reference = &new.credential.reference;
    tx.execute(ADD, &new.credential.to_row()?).await?;
    add_to_series(tx, reference, &approval).await?;
    if let Some(planned) = &new.planned {
        tx.execute(ADD_UPDATE, &planned.to_row()?).await?;
    }
    name_credential(tx, authorization, reference, approval).await
}

async fn charge_credential(
    tx: &mut Tx<'_>,
    authorization: &AuthorizationInput,
    charge: &Charge,
) -> Result<Decided, Fault> {
    let mut authorization = authorization.clone();
    if let Some(decision) = decide_charge(tx, &authorization, charge).await? {
        authorization.decision = Some(decision);
    }
    let decision = authorize(tx, &prepare(authorization.clone())?).await?;
    let Some(ProviderDecision::Approved(approval)) = decision else {
        return Ok(decision);
    };
    if charge.is_by_merchant {
        return Ok(Some(ProviderDecision::Approved(approval)));
    }
    add_to_series(tx, &charge.reference, &approval).await?;
    if charge.is_authenticated {
        let authenticated = values![charge.reference.to_string()];
        tx.execute(AUTHENTICATED, &authenticated).await?;
    }
    if charge.store {
        return name_credential(tx, &authorization, &charge.reference, approval).await;
    }
    Ok(Some(ProviderDecision::Approved(approval)))
}

fn declined(reason: &str) -> Result<Decided, Fault> {
    Ok(Some(ProviderDecision::declined(reason)))
}

/// The decision about a charge that does not depend on the account, and counts the charge.
async fn decide_charge(
    tx: &mut Tx<'_>,
    authorization: &AuthorizationInput,
    charge: &Charge,
) -> Result<Decided, Fault> {
    let reference = charge.reference.to_string();
    let stored: Option<BankCredential> = tx.get(BY_REFERENCE, &values![&reference]).await?;
    let credential = stored.ok_or_else(|| Fault::Retry("a credential is gone".into()))?;
    if credential.revoked_at_ms.is_some() {
        return declined("revocation_one");
    }
    if charge.is_by_merchant {
        let named = values![&reference, charge.network_transaction_id.clone()];
        let count: i64 = tx.scalar(IN_SERIES, &named).await?;
        if count == 0 {
            return declined("invalid_transaction");
        }
    }
    let counted = i64::from(charge.is_by_merchant);
    let count = values![&reference, counted, credential.charges];
    if tx.execute(COUNT, &count).await? == 0 {
        return Err(Fault::Retry("a credential changed meanwhile".into()));
    }
    if authorization.decision.is_some() {
        return Ok(None);
    }
    let now_ms = authorization.now_ms;
    let updates: Vec<StoredUpdate> = tx.list(UPDATES_OF, &values![&reference, now_ms]).await?;
    let (_, expiry) = on_file(&credential, &updates);
    let now = YearMonth::from_unix_seconds(u64::try_from(now_ms / 1000).unwrap_or(0));
    if now > expiry {
        return declined("expired_card");
    }
    let renewals = charge.renewals.filter(|_| charge.is_by_merchant);
    let decline = renewals.and_then(|renewals| {
        let number = credential.charges + counted;
        let rejection = renewals.decline(number, credential.authenticated_charges)?;
        Some((rejection, renewals.update))
    });
    let Some((rejection, update)) = decline else {
        return Ok(None);
    };
    let is_new = |kind| !updates.iter().any(|update| update.kind == kind);
    if let Some(kind) = update.filter(|kind| is_new(*kind)) {
        let about = (&credential.reference, credential.provider.as_str());
        let news = StoredUpdate::new(about, kind, None, now_ms);
        tx.execute(ADD_UPDATE, &news.to_row()?).await?;
    }
    Ok(Some(ProviderDecision::Declined(rejection)))
}

async fn add_updates(tx: &mut Tx<'_>, updates: &Vec<StoredUpdate>) -> Result<(), Fault> {
    for update in updates {
        tx.execute(ADD_UPDATE, &update.to_row()?).await?;
    }
    Ok(())
}

impl Journal {
    /// Records an authorization that stores or charges a card, unless the reference is known; gives
    /// the decision that stands, or none where the reference is tombstoned.
    pub(crate) async fn authorize_credential(
        &self,
        authorization: AuthorizationInput,
        step: CredentialStep,
    ) -> Result<Decided, ProviderError> {
        let input = CredentialInput {
            authorization,
            step,
        };
        self.write(input, |tx, input| Box::pin(decide(tx, input)))
            .await
    }

    /// A stored card.
    pub(crate) async fn credential(
        &self,
        reference: &CredentialReference,
    ) -> Result<Option<BankCredential>, ProviderError> {
        self.get(BY_REFERENCE, values![reference.to_string()]).await
    }

    /// The newest stored cards of an account.
    pub(crate) async fn credentials_of(
        &self,
        account: &str,
        limit: u32,
    ) -> Result<Vec<BankCredential>, ProviderError> {
        self.list(OF_ACCOUNT, values![account.to_owned(), limit])
            .await
    }

    /// The newest stored cards.
    pub(crate) async fn newest_credentials(
        &self,
        limit: u32,
    ) -> Result<Vec<BankCredential>, ProviderError> {
        self.list(NEWEST, values![limit]).await
    }

    /// What the account updater has reported about a stored card, in the order of time.
    pub(crate) async fn updates_of(
        &self,
        credential: &CredentialReference,
        by_ms: i64,
    ) -> Result<Vec<StoredUpdate>, ProviderError> {
        self.list(UPDATES_OF, values![credential.to_string(), by_ms])
            .await
    }

    /// The newest reports of the account updater, in the order of time.
    pub(crate) async fn newest_updates(
        &self,
        by_ms: i64,
        limit: u32,
    ) -> Result<Vec<StoredUpdate>, ProviderError> {
        let mut updates = self.list(NEWEST_UPDATES, values![by_ms, limit]).await?;
        updates.reverse();
        Ok(updates)
    }

    /// News of an acquirer that nobody has acknowledged, the oldest first.
    pub(crate) async fn due_updates(
        &self,
        provider: &str,
        by_ms: i64,
        limit: u32,
    ) -> Result<Vec<StoredUpdate>, ProviderError> {
        self.list(DUE, values![provider.to_owned(), by_ms, limit])
            .await
    }

    pub(crate) async fn add_updates(
        &self,
        updates: Vec<StoredUpdate>,
    ) -> Result<(), ProviderError> {
        self.write(updates, |tx, updates| Box::pin(add_updates(tx, updates)))
            .await
    }

    pub(crate) async fn acknowledge_update(&self, id: &str) -> Result<(), ProviderError> {
        self.change(ACKNOWLEDGE, values![id.to_owned()])
            .await
            .map(drop)
    }

    pub(crate) async fn revoke_credential(
        &self,
        provider: &str,
        reference: &CredentialReference,
        now_ms: i64,
    ) -> Result<(), ProviderError> {
        let revoked = values![reference.to_string(), provider.to_owned(), now_ms];
        self.change(REVOKE, revoked).await.map(drop)
    }
}
