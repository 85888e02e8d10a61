//! Captures, voids and refunds of an authorization, and its expiry.

use super::authorization::{ADD, Authorization, AuthorizationState, find};
use super::{Change, Journal, accounts};
use crate::account::AccountStatus;
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{ProviderDecision, ProviderError};
use sealpay_storage::{DatabaseError, Entity, Fault, Tx, values};

/// Applies only to an authorization that nobody has changed since it was read: that decides every
/// race.
const UPDATE: &str = "UPDATE bank_authorizations SET state = $3, booked_minor = $4,
    booked_account_minor = $5, refunded_minor = $6, refunded_account_minor = $7,
    changed_at_ms = $8, hold_until_ms = $9
    WHERE reference = $1 AND provider = $2 AND state = $10 AND booked_minor = $11
    AND refunded_minor = $12";

const EXPIRED: &str = "SELECT reference, provider FROM bank_authorizations
    WHERE state = 'held' AND hold_until_ms <= $1 ORDER BY hold_until_ms LIMIT $2";

const INVALID_TRANSACTION: &str = "invalid_transaction";
const INVALID_AMOUNT: &str = "invalid_amount";
const CLOSED_ACCOUNT: &str = "closed_account";

fn no_share() -> Fault {
    DatabaseError::Corrupt("an authorization has no amount".into()).into()
}

/// Writes a changed authorization, and moves the difference on the account.
async fn update(
    tx: &mut Tx<'_>,
    before: &Authorization,
    after: &Authorization,
    now_ms: i64,
) -> Result<(), Fault> {
    let changed = values![
        before.reference,
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
    if tx.execute(UPDATE, &changed).await? == 0 {
        return Err(Fault::Retry("an authorization changed meanwhile".into()));
    }
    if before.counted {
        let released = before.held_account_minor() - after.held_account_minor();
        let spent = after.spent_account_minor() - before.spent_account_minor();
        let values = values![&before.account, released, spent];
        tx.execute(accounts::ADJUST, &values).await?;
    }
    Ok(())
}

fn declined(reason: &str) -> Result<ProviderDecision, Fault> {
    Ok(ProviderDecision::declined(reason))
}

/// Whether the amount is positive, at most this much, and in the payment's currency.
fn is_within(authorization: &Authorization, change: &Change, most_minor: i64) -> bool {
    let money = change.request.money;
    authorization.currency == money.currency().code()
        && (1..=most_minor).contains(&money.amount_minor())
}

async fn capture(
    tx: &mut Tx<'_>,
    change: &Change,
    authorization: &Authorization,
) -> Result<ProviderDecision, Fault> {
    if authorization.state != AuthorizationState::Authorized {
        return declined(INVALID_TRANSACTION);
    }
    if authorization.is_expired(change.now_ms) {
        update(tx, authorization, &authorization.closed(), change.now_ms).await?;
        return declined(INVALID_TRANSACTION);
    }
    if !is_within(authorization, change, authorization.held_minor()) {
        return declined(INVALID_AMOUNT);
    }
    let captured = authorization.captured(change.request.money.amount_minor());
    let captured = captured.ok_or_else(no_share)?;
    let is_last = change.request.is_final || captured.held_minor() == 0;
    let after = if is_last { captured.closed() } else { captured };
    update(tx, authorization, &after, change.now_ms).await?;
    Ok(ProviderDecision::approved())
}

/// Approved as well where nothing is held any more, unless the whole amount was captured.
async fn void(
    tx: &mut Tx<'_>,
    change: &Change,
    authorization: &Authorization,
) -> Result<ProviderDecision, Fault> {
    match authorization.state {
        AuthorizationState::Authorized => {
            update(tx, authorization, &authorization.closed(), change.now_ms).await?;
            Ok(ProviderDecision::approved())
        }
        AuthorizationState::Captured
            if authorization.booked_minor == authorization.amount_minor =>
        {
            declined(INVALID_TRANSACTION)
        }
        AuthorizationState::Released
        | AuthorizationState::Tombstoned
        | AuthorizationState::Captured => Ok(ProviderDecision::approved()),
        AuthorizationState::Declined => declined(INVALID_TRANSACTION),
    }
}

async fn refund(
    tx: &mut Tx<'_>,
    change: &Change,
    authorization: &Authorization,
) -> Result<ProviderDecision, Fault> {
    if authorization.booked_minor == 0 {
        return declined(INVALID_TRANSACTION);
    }
    if !is_within(authorization, change, authorization.refundable_minor()) {
        return declined(INVALID_AMOUNT);
    }
    // The account of a lost or blocked card takes refunds; a closed account does not.
    let account = accounts::find(tx, &authorization.account).await?;
    if account.is_some_and(|account| account.status == AccountStatus::Closed) {
        return declined(CLOSED_ACCOUNT);
    }
    let closed = authorization.closed();
    let after = closed.refunded(change.request.money.amount_minor());
    let after = after.ok_or_else(no_share)?;
    update(tx, authorization, &after, change.now_ms).await?;
    Ok(ProviderDecision::approved())
}

async fn tombstone(tx: &mut Tx<'_>, change: &Change) -> Result<ProviderDecision, Fault> {
    let payment = change.request.payment;
    let row = Authorization::tombstone(payment, &change.provider, change.now_ms).to_row()?;
    match tx.execute(ADD, &row).await? {
        1 => Ok(ProviderDecision::approved()),
        _ => Err(Fault::Retry("an authorization came meanwhile".into())),
    }
}

/// Modifies an authorization, or declines with a reason.
pub(crate) async fn modify_authorization(
    tx: &mut Tx<'_>,
    change: &Change,
) -> Result<ProviderDecision, Fault> {
    use ModificationKind::{Capture, Expiry, Refund, Void};
    let authorization = find(tx, change.request.payment, &change.provider).await?;
    match (change.request.kind, authorization) {
        (Capture, Some(authorization)) => capture(tx, change, &authorization).await,
        (Void | Expiry, Some(authorization)) => void(tx, change, &authorization).await,
        (Refund, Some(authorization)) => refund(tx, change, &authorization).await,
        // The request may still arrive, and is declined then.
        (Void | Expiry, None) => tombstone(tx, change).await,
        (Capture | Refund, None) => declined(INVALID_TRANSACTION),
    }
}

type Expired = (PaymentId, String, i64);

/// Releases an authorization if it has expired; says whether it did.
async fn expire(tx: &mut Tx<'_>, (reference, provider, now_ms): &Expired) -> Result<bool, Fault> {
    let found = find(tx, *reference, provider).await?;
    let Some(expired) = found
        .filter(|found| found.state == AuthorizationState::Authorized && found.is_expired(*now_ms))
    else {
        return Ok(false);
    };
    update(tx, &expired, &expired.closed(), *now_ms).await?;
    Ok(true)
}

impl Journal {
    /// Releases expired authorizations, the oldest first; how many. Each has a transaction of its
    /// own, so that two servers at once cannot deadlock.
    pub(crate) async fn expire_holds(&self, now_ms: i64, limit: u32) -> Result<u32, ProviderError> {
        let mut released = 0;
        let expired: Vec<(PaymentId, String)> = self.list(EXPIRED, values![now_ms, limit]).await?;
        for (reference, provider) in expired {
            let expired = (reference, provider, now_ms);
            let is_released = self.write(expired, |tx, expired| Box::pin(expire(tx, expired)));
            released += u32::from(is_released.await?);
        }
        Ok(released)
    }
}
