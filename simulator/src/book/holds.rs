//! What becomes of an authorization: its hold is taken, by parts or whole, let go, or forgotten;
//! and what was taken goes back, by parts or whole.
//!
//! Amounts on the account are shares of the whole, rounded up and taken as differences of what they
//! are together: parts that add up to the whole take the whole, whatever the rates.

use super::{Change, Entry, EntryState, accounts};
use crate::account::AccountStatus;
use crate::exchange::share;
use sealpay_provider::ProviderDecision;
use sealpay_provider::modification::ModificationKind;
use sealpay_storage::{Database, DatabaseError, Fault, Tx, values};

/// Decides every race: it changes an entry only as it was read.
const CHANGE: &str = "UPDATE bank_authorizations SET state = $3, booked_minor = $4,
    booked_account_minor = $5, refunded_minor = $6, refunded_account_minor = $7,
    changed_at_ms = $8, hold_until_ms = $9
    WHERE reference = $1 AND provider = $2 AND state = $10 AND booked_minor = $11
    AND refunded_minor = $12";

const EXPIRED: &str = "SELECT reference, provider FROM bank_authorizations
    WHERE state = 'held' AND hold_until_ms <= $1 ORDER BY hold_until_ms LIMIT $2";

/// Why a modification is refused.
const TRANSACTION: &str = "invalid_transaction";
const AMOUNT: &str = "invalid_amount";
const CLOSED: &str = "closed_account";

fn no_share() -> Fault {
    DatabaseError::Corrupt("an entry of the book has no amount".into()).into()
}

impl Entry {
    /// What is held of the account, minor units of its currency.
    const fn held_account_minor(&self) -> i64 {
        match self.state {
            EntryState::Held => self.account_minor.saturating_sub(self.booked_account_minor),
            _ => 0,
        }
    }

    const fn held_minor(&self) -> i64 {
        match self.state {
            EntryState::Held => self.amount_minor.saturating_sub(self.booked_minor),
            _ => 0,
        }
    }

    const fn refundable_minor(&self) -> i64 {
        self.booked_minor.saturating_sub(self.refunded_minor)
    }

    fn is_over(&self, now_ms: i64) -> bool {
        self.hold_until_ms.is_some_and(|until| until <= now_ms)
    }

    /// The entry once nothing of it is held any more.
    fn ended(&self) -> Self {
        let state = match self.state {
            EntryState::Held if self.booked_minor > 0 => EntryState::Captured,
            EntryState::Held => EntryState::Released,
            other => other,
        };
        Self {
            state,
            hold_until_ms: None,
            ..self.clone()
        }
    }

    /// The entry once more of it was taken; the rest stays held.
    fn taken(&self, amount_minor: i64) -> Option<Self> {
        let booked_minor = self.booked_minor.checked_add(amount_minor)?;
        let booked_account_minor = share(self.account_minor, booked_minor, self.amount_minor)?;
        Some(Self {
            booked_minor,
            booked_account_minor,
            ..self.clone()
        })
    }

    /// The entry once more of it went back. What stays is rounded up, as what is taken is.
    fn given_back(&self, amount_minor: i64) -> Option<Self> {
        let refunded_minor = self.refunded_minor.checked_add(amount_minor)?;
        let left_minor = self.booked_minor.checked_sub(refunded_minor)?;
        let left = share(self.booked_account_minor, left_minor, self.booked_minor)?;
        Some(Self {
            refunded_minor,
            refunded_account_minor: self.booked_account_minor.checked_sub(left)?,
            ..self.clone()
        })
    }

    /// What the account has lost to it, minor units of its currency.
    const fn spent_account_minor(&self) -> i64 {
        self.booked_account_minor
            .saturating_sub(self.refunded_account_minor)
    }
}

async fn find(tx: &mut Tx<'_>, reference: &str, provider: &str) -> Result<Option<Entry>, Fault> {
    let key = values![reference.to_owned(), provider.to_owned()];
    let row = tx.optional(super::ENTRY, &key).await?;
    Ok(row.map(super::entry).transpose()?)
}

/// Writes an entry as it is afterwards, and moves the money on the account by the difference.
async fn keep(tx: &mut Tx<'_>, before: &Entry, after: &Entry, now_ms: i64) -> Result<(), Fault> {
    let changed = values![
        &before.reference,
        &before.provider,
        after.state.name(),
        after.booked_minor,
        after.booked_account_minor,
        after.refunded_minor,
        after.refunded_account_minor,
        now_ms,
        after.hold_until_ms,
        before.state.name(),
        before.booked_minor,
        before.refunded_minor,
    ];
    if tx.execute(CHANGE, &changed).await? == 0 {
        return Err(Fault::Retry("an entry changed in between".into()));
    }
    if before.counted {
        let freed = before.held_account_minor() - after.held_account_minor();
        let spent = after.spent_account_minor() - before.spent_account_minor();
        let values = values![&before.account, freed, spent];
        tx.execute(accounts::MOVE, &values).await?;
    }
    Ok(())
}

fn refused(reason: &str) -> Result<ProviderDecision, Fault> {
    Ok(ProviderDecision::Declined(reason.into()))
}

/// Whether an amount is a part of what there is, in the payment's currency.
fn fits(entry: &Entry, change: &Change, most_minor: i64) -> bool {
    let money = change.request.money;
    entry.currency == money.currency().code() && (1..=most_minor).contains(&money.amount_minor())
}

async fn take(tx: &mut Tx<'_>, change: &Change, entry: &Entry) -> Result<ProviderDecision, Fault> {
    if entry.state != EntryState::Held {
        return refused(TRANSACTION);
    }
    if entry.is_over(change.now_ms) {
        keep(tx, entry, &entry.ended(), change.now_ms).await?;
        return refused(TRANSACTION);
    }
    if !fits(entry, change, entry.held_minor()) {
        return refused(AMOUNT);
    }
    let taken = entry.taken(change.request.money.amount_minor());
    let taken = taken.ok_or_else(no_share)?;
    let is_last = change.request.is_final || taken.held_minor() == 0;
    let after = if is_last { taken.ended() } else { taken };
    keep(tx, entry, &after, change.now_ms).await?;
    Ok(ProviderDecision::Approved)
}

/// What was to be let go and is gone already is as it was wanted.
async fn let_go(
    tx: &mut Tx<'_>,
    change: &Change,
    entry: &Entry,
) -> Result<ProviderDecision, Fault> {
    match entry.state {
        EntryState::Held => {
            keep(tx, entry, &entry.ended(), change.now_ms).await?;
            Ok(ProviderDecision::Approved)
        }
        EntryState::Captured if entry.booked_minor == entry.amount_minor => refused(TRANSACTION),
        EntryState::Released | EntryState::StruckOut | EntryState::Captured => {
            Ok(ProviderDecision::Approved)
        }
        EntryState::Declined => refused(TRANSACTION),
    }
}

async fn return_funds(
    tx: &mut Tx<'_>,
    change: &Change,
    entry: &Entry,
) -> Result<ProviderDecision, Fault> {
    if entry.booked_minor == 0 {
        return refused(TRANSACTION);
    }
    if !fits(entry, change, entry.refundable_minor()) {
        return refused(AMOUNT);
    }
    // A lost or blocked card has an account behind it all the same; a closed account has nobody.
    let account = accounts::find(tx, &entry.account).await?;
    if account.is_some_and(|account| account.status == AccountStatus::Closed) {
        return refused(CLOSED);
    }
    let ended = entry.ended();
    let after = ended.given_back(change.request.money.amount_minor());
    keep(tx, entry, &after.ok_or_else(no_share)?, change.now_ms).await?;
    Ok(ProviderDecision::Approved)
}

async fn strike_out(tx: &mut Tx<'_>, change: &Change) -> Result<ProviderDecision, Fault> {
    let values = values![
        change.request.payment,
        change.provider.clone(),
        change.now_ms
    ];
    match tx.execute(super::STRIKE_OUT, &values).await? {
        1 => Ok(ProviderDecision::Approved),
        _ => Err(Fault::Retry("an entry came in between".into())),
    }
}

/// Does to an authorization what is asked, or says why not.
pub(in super::super) async fn modify_authorization(
    tx: &mut Tx<'_>,
    change: &Change,
) -> Result<ProviderDecision, Fault> {
    use ModificationKind::{Capture, Expiry, Refund, Void};
    let reference = change.request.payment.to_string();
    let entry = find(tx, &reference, &change.provider).await?;
    match (change.request.kind, entry) {
        (Capture, Some(entry)) => take(tx, change, &entry).await,
        (Void | Expiry, Some(entry)) => let_go(tx, change, &entry).await,
        (Refund, Some(entry)) => return_funds(tx, change, &entry).await,
        // It may still be on its way: then it must find that nobody wants it any more.
        (Void | Expiry, None) => strike_out(tx, change).await,
        (Capture | Refund, None) => refused(TRANSACTION),
    }
}

/// A hold whose time is over.
struct Overdue {
    reference: String,
    provider: String,
    now_ms: i64,
}

/// Lets a hold go if its time is over; says whether it did.
async fn expire(tx: &mut Tx<'_>, overdue: &Overdue) -> Result<bool, Fault> {
    let Overdue {
        reference,
        provider,
        now_ms,
    } = overdue;
    let entry = find(tx, reference, provider).await?;
    match entry.filter(|entry| entry.state == EntryState::Held && entry.is_over(*now_ms)) {
        Some(entry) => {
            keep(tx, &entry, &entry.ended(), *now_ms).await?;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Lets holds go whose time is over, the oldest first; how many. Each in a transaction of its own,
/// so that two servers that do it at once never wait for each other in a circle.
pub(in super::super) async fn expire_holds(
    database: &Database,
    now_ms: i64,
    limit: u32,
) -> Result<u32, DatabaseError> {
    let mut expired = 0;
    for mut row in database.rows(EXPIRED, values![now_ms, limit]).await? {
        let overdue = Overdue {
            reference: row.text()?,
            provider: row.text()?,
            now_ms,
        };
        let ended = database.write(overdue, |tx, overdue| Box::pin(expire(tx, overdue)));
        expired += u32::from(ended.await?);
    }
    Ok(expired)
}
