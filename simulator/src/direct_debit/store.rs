//! Direct debits in the bank's journal. A row of the collection decides every race.

use super::schedule::status_of;
use crate::journal::Change;
use jiff::civil::Date;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::direct_debit::{
    CollectionNews, CollectionStatus, ReasonCode, ReasonKind, Scheme,
};
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{Approval, CredentialReference, ProviderDecision};
use sealpay_storage::{
    AsText, ByName, Codec, DatabaseError, Entity, Fault, Projection, Row, Tx, Value, entity, sql,
    values,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DebitState {
    Accepted,
    Declined,
    Voided,
    Tombstoned,
}

sealpay_protocol::names! {
    DebitState {
        Accepted = "accepted",
        Declined = "declined",
        Voided = "voided",
        Tombstoned = "tombstoned",
    }
}

/// A collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BankDebit {
    pub(super) reference: PaymentId,
    pub(super) state: DebitState,
    pub(super) money: Money,
    pub(super) scheme: Scheme,
    pub(super) decline: Option<String>,
    pub(super) stored_credential: Option<String>,
    /// `YYYY-MM-DD`.
    pub(super) collection_date: Option<String>,
    pub(super) settles_at_ms: i64,
    pub(super) refunded_minor: i64,
    pub(super) created_at_ms: i64,
}

entity! {
    BankDebit in "bank_debits" {
        reference,
        state as ByName,
        money: (amount_minor, currency),
        scheme as ByName,
        decline,
        stored_credential,
        collection_date,
        settles_at_ms,
        refunded_minor,
        created_at_ms,
    }
}

/// What becomes of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredNews {
    id: String,
    reference: PaymentId,
    status: CollectionStatus,
    due_at_ms: i64,
    is_acknowledged: bool,
}

/// A status as its kind and its reason.
struct Status;

const SETTLED: &str = "settled";

impl Codec<CollectionStatus, 2> for Status {
    fn write(status: &CollectionStatus) -> Result<[Value; 2], DatabaseError> {
        let (kind, code) = match status {
            CollectionStatus::Settled => return Ok([SETTLED.into(), Value::Null]),
            CollectionStatus::Rejected(code) => (ReasonKind::Reject, code),
            CollectionStatus::Returned(code) => (ReasonKind::Return, code),
            CollectionStatus::Refunded(code) => (ReasonKind::Refund, code),
        };
        Ok([kind.name().into(), code.name().into()])
    }

    fn read(row: &mut Row) -> Result<CollectionStatus, DatabaseError> {
        let kind: String = row.take()?;
        let code: Option<String> = row.take()?;
        if kind == SETTLED {
            return Ok(CollectionStatus::Settled);
        }
        let kind = ReasonKind::from_name(&kind);
        let code = code.and_then(|code| ReasonCode::from_name(&code));
        let status = kind.zip(code).map(|(kind, code)| status_of(kind, code));
        status.ok_or_else(|| DatabaseError::Corrupt("news of no known kind".into()))
    }
}

entity! {
    StoredNews in "bank_debit_news" {
        id,
        reference,
        status as Status: (kind, reason),
        due_at_ms,
        is_acknowledged: (acknowledged),
    }
}

/// A stored account.
#[derive(Debug, Clone)]
pub(super) struct DebtorRow {
    pub(super) credential: CredentialReference,
    /// The persona of the account.
    pub(super) debtor: Option<String>,
    pub(super) collections: i64,
    pub(super) created_at_ms: i64,
    pub(super) revoked_at_ms: Option<i64>,
}

entity! {
    DebtorRow in "bank_debtor_accounts" {
        credential as AsText,
        debtor,
        collections,
        created_at_ms,
        revoked_at_ms,
    }
}

pub(super) const BY_REFERENCE: &str = sql!(BankDebit::SELECT, "WHERE reference = $1");

const ADD: &str = sql!(BankDebit::INSERT, "ON CONFLICT (reference) DO NOTHING");

pub(super) const BY_CREDENTIAL: &str = sql!(DebtorRow::SELECT, "WHERE credential = $1");

/// Decides every race between a collection and the revocation.
const COUNT: &str = "UPDATE bank_debtor_accounts SET collections = collections + 1
    WHERE credential = $1 AND revoked_at_ms IS NULL";

pub(super) const REVOKE: &str = "UPDATE bank_debtor_accounts SET revoked_at_ms = $2
    WHERE credential = $1 AND revoked_at_ms IS NULL";

pub(super) const DUE: &str = sql!(
    StoredNews::SELECT,
    "WHERE acknowledged = 0 AND due_at_ms <= $1 ORDER BY due_at_ms, id LIMIT $2"
);

pub(super) const UPCOMING: &str = "SELECT reference, due_at_ms FROM bank_debit_news
    WHERE acknowledged = 0 ORDER BY due_at_ms, id LIMIT $1";

pub(super) const NEXT_DUE: &str = "SELECT MIN(due_at_ms) FROM bank_debit_news
    WHERE acknowledged = 0 AND due_at_ms > $1";

pub(super) const ACKNOWLEDGE: &str = "UPDATE bank_debit_news SET acknowledged = 1 WHERE id = $1";

/// Locks a collection: its news is decided only while the lock is held.
const LOCK: &str = "UPDATE bank_debits SET refunded_minor = refunded_minor + $2
    WHERE reference = $1 AND state = 'accepted'";

const HAPPENED: &str = sql!(
    StoredNews::SELECT,
    "WHERE reference = $1 AND due_at_ms <= $2 ORDER BY due_at_ms, id"
);

const CANCEL: &str = "DELETE FROM bank_debit_news WHERE reference = $1 AND due_at_ms > $2";

const VOID: &str = "UPDATE bank_debits SET state = 'voided' WHERE reference = $1";

/// A submission.
pub(super) struct Submission {
    pub(super) debit: BankDebit,
    /// What becomes of it if it is accepted.
    pub(super) fate: Vec<(CollectionStatus, i64)>,
    /// The stored account that it charges.
    pub(super) charged: Option<CredentialReference>,
    /// The account that it stores if it is accepted.
    pub(super) stored: Option<DebtorRow>,
}

impl BankDebit {
    /// A reference that was asked about before it arrived.
    pub(super) const fn tombstone(reference: PaymentId, money: Money, now_ms: i64) -> Self {
        Self {
            reference,
            state: DebitState::Tombstoned,
            money,
            scheme: Scheme::Core,
            decline: None,
            stored_credential: None,
            collection_date: None,
            settles_at_ms: 0,
            refunded_minor: 0,
            created_at_ms: now_ms,
        }
    }

    /// The original decision: a voided collection was accepted, too. None for a tombstone.
    pub(super) fn decision(self) -> Option<ProviderDecision> {
        match self.state {
            DebitState::Tombstoned => None,
            DebitState::Declined => Some(ProviderDecision::declined(
                self.decline.unwrap_or_else(|| "debit_refused".into()),
            )),
            DebitState::Accepted | DebitState::Voided => {
                let date = self.collection_date;
                Some(ProviderDecision::Approved(Approval {
                    credential: self
                        .stored_credential
                        .and_then(|text| CredentialReference::new(text).ok()),
                    collection_date: date.and_then(|date| date.parse::<Date>().ok()),
                    ..Approval::NONE
                }))
            }
        }
    }
}

impl From<StoredNews> for CollectionNews {
    fn from(news: StoredNews) -> Self {
        Self {
            id: news.id,
            reference: news.reference,
            status: news.status,
            at_ms: news.due_at_ms,
        }
    }
}

/// Records a submission unless its reference is known; gives the stored one, and whether it is new.
pub(super) async fn submit(
    tx: &mut Tx<'_>,
    submission: &Submission,
) -> Result<(BankDebit, bool), Fault> {
    let mut debit = submission.debit.clone();
    if let Some(stored) = tx.get(BY_REFERENCE, &values![debit.reference]).await? {
        return Ok((stored, false));
    }
    if let (DebitState::Accepted, Some(credential)) = (debit.state, &submission.charged)
        && tx.execute(COUNT, &values![credential.to_string()]).await? == 0
    {
        debit.state = DebitState::Declined;
        debit.decline = Some("debit_mandate_invalid".into());
    }
    if tx.execute(ADD, &debit.to_row()?).await? == 0 {
        return Err(Fault::Retry("a collection came twice at once".into()));
    }
    if debit.state == DebitState::Accepted {
        for (status, due_at_ms) in &submission.fate {
            let news = new(debit.reference, *status, *due_at_ms);
            tx.execute(StoredNews::INSERT, &news.to_row()?).await?;
        }
        if let Some(account) = &submission.stored {
            tx.execute(DebtorRow::INSERT, &account.to_row()?).await?;
        }
    }
    Ok((debit, true))
}

/// News about a collection. It has only one of each kind.
fn new(reference: PaymentId, status: CollectionStatus, due_at_ms: i64) -> StoredNews {
    let kind = match status {
        CollectionStatus::Settled => SETTLED,
        CollectionStatus::Rejected(_) => ReasonKind::Reject.name(),
        CollectionStatus::Returned(_) => ReasonKind::Return.name(),
        CollectionStatus::Refunded(_) => ReasonKind::Refund.name(),
    };
    StoredNews {
        id: format!("{reference}:{kind}"),
        reference,
        status,
        due_at_ms,
        is_acknowledged: false,
    }
}

/// The decision on a reference; an unknown one is tombstoned.
pub(super) async fn inquire(
    tx: &mut Tx<'_>,
    tombstone: &BankDebit,
) -> Result<Option<ProviderDecision>, Fault> {
    tx.execute(ADD, &tombstone.to_row()?).await?;
    let stored = tx
        .get::<BankDebit>(BY_REFERENCE, &values![tombstone.reference])
        .await?;
    Ok(stored.and_then(BankDebit::decision))
}

/// What has happened to a collection, with its row locked; none if it was not accepted.
async fn happened(
    tx: &mut Tx<'_>,
    reference: PaymentId,
    now_ms: i64,
) -> Result<Option<Vec<CollectionStatus>>, Fault> {
    if tx.execute(LOCK, &values![reference, 0_i64]).await? == 0 {
        return Ok(None);
    }
    let news: Vec<StoredNews> = tx.list(HAPPENED, &values![reference, now_ms]).await?;
    Ok(Some(news.into_iter().map(|news| news.status).collect()))
}

fn declined(reason: &str) -> Result<ProviderDecision, Fault> {
    Ok(ProviderDecision::declined(reason))
}

/// Voids before the settlement, and refunds after it.
pub(super) async fn decide(tx: &mut Tx<'_>, change: &Change) -> Result<ProviderDecision, Fault> {
    let (reference, money, now_ms) = (change.request.payment, change.request.money, change.now_ms);
    let is_void = match change.request.kind {
        ModificationKind::Capture => return declined("invalid_transaction"),
        ModificationKind::Void | ModificationKind::Expiry => true,
        ModificationKind::Refund => false,
    };
    if is_void {
        let tombstone = BankDebit::tombstone(reference, money, now_ms);
        tx.execute(ADD, &tombstone.to_row()?).await?;
    }
    let Some(debit) = tx
        .get::<BankDebit>(BY_REFERENCE, &values![reference])
        .await?
    else {
        return declined("invalid_transaction");
    };
    let happened = happened(tx, reference, now_ms).await?;
    match (is_void, happened.as_deref()) {
        (true, None) => match debit.state {
            DebitState::Tombstoned | DebitState::Voided => Ok(ProviderDecision::approved()),
            DebitState::Accepted | DebitState::Declined => declined("invalid_transaction"),
        },
        (true, Some([])) => {
            tx.execute(CANCEL, &values![reference, now_ms]).await?;
            tx.execute(VOID, &values![reference]).await?;
            Ok(ProviderDecision::approved())
        }
        (false, Some([CollectionStatus::Settled])) => {
            // The row is locked: read again what may be refunded.
            let left = tx
                .get::<BankDebit>(BY_REFERENCE, &values![reference])
                .await?
                .map_or(0, |debit| debit.money.amount_minor() - debit.refunded_minor);
            let amount_minor = money.amount_minor();
            let fits = (1..=left).contains(&amount_minor);
            if !fits || money.currency() != debit.money.currency() {
                return declined("invalid_amount");
            }
            tx.execute(LOCK, &values![reference, amount_minor]).await?;
            // No R-transaction follows a refund by the merchant.
            tx.execute(CANCEL, &values![reference, now_ms]).await?;
            Ok(ProviderDecision::approved())
        }
        _ => declined("invalid_transaction"),
    }
}

/// An R-transaction that a tester requests.
pub(super) struct Requested {
    pub(super) reference: PaymentId,
    pub(super) kind: ReasonKind,
    pub(super) code: ReasonCode,
    pub(super) now_ms: i64,
}

/// Why a tester's R-transaction does not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such collection.
    Unknown,
    /// It is too early or too late for it, or the scheme has none.
    NotNow,
}

/// Makes an R-transaction happen now, in place of what was to happen later.
pub(super) async fn reverse(
    tx: &mut Tx<'_>,
    requested: &Requested,
) -> Result<Result<(), Refusal>, Fault> {
    let Requested {
        reference,
        kind,
        code,
        now_ms,
    } = *requested;
    let Some(happened) = happened(tx, reference, now_ms).await? else {
        return Ok(Err(Refusal::Unknown));
    };
    let debit = tx
        .get::<BankDebit>(BY_REFERENCE, &values![reference])
        .await?;
    let Some(debit) = debit else {
        return Ok(Err(Refusal::Unknown));
    };
    let schedule = super::schedule::schedule();
    let is_in_time = match (kind, &happened[..]) {
        (ReasonKind::Reject, []) => true,
        (ReasonKind::Return, [CollectionStatus::Settled]) => debit.refunded_minor == 0,
        (ReasonKind::Refund, [CollectionStatus::Settled]) => {
            let is_refundable = schedule.is_refundable(code, debit.settles_at_ms, now_ms);
            debit.refunded_minor == 0 && is_refundable
        }
        _ => false,
    };
    if !is_in_time || !super::schedule::is_permitted(kind, code, debit.scheme) {
        return Ok(Err(Refusal::NotNow));
    }
    tx.execute(CANCEL, &values![reference, now_ms]).await?;
    let news = new(reference, status_of(kind, code), now_ms);
    tx.execute(StoredNews::INSERT, &news.to_row()?).await?;
    Ok(Ok(()))
}
