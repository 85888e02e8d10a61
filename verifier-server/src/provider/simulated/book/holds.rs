//! What becomes of a hold: it is taken, in part or whole, let go, or forgotten.

use super::super::exchange::share;
use super::{Entry, EntryState, accounts};
use crate::database::{Database, DatabaseError, Fault, Tx, values};
use crate::provider::Answer;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;

/// Decides every race between ends of one hold.
const END: &str = "UPDATE bank_authorizations SET state = $3, booked_minor = $4,
    booked_account_minor = $5, changed_at_ms = $6, hold_until_ms = NULL
    WHERE reference = $1 AND provider = $2 AND state = 'held'";

const EXPIRED: &str = "SELECT reference, provider FROM bank_authorizations
    WHERE state = 'held' AND hold_until_ms <= $1 ORDER BY hold_until_ms LIMIT $2";

/// A wish about a hold. The reference is a text, because the book names it when holds expire.
struct Wish {
    reference: String,
    provider: String,
    now_ms: i64,
}

fn refused(reason: &str) -> Answer {
    Answer::Declined(reason.into())
}

async fn find(tx: &mut Tx<'_>, wish: &Wish) -> Result<Option<Entry>, Fault> {
    let key = values![&wish.reference, &wish.provider];
    let row = tx.optional(super::ENTRY, &key).await?;
    Ok(row.map(super::entry).transpose()?)
}

/// Ends a hold: a part of it is booked, and nothing of it is held any more.
async fn end(tx: &mut Tx<'_>, wish: &Wish, entry: &Entry, booked_minor: i64) -> Result<(), Fault> {
    let account_part = share(entry.account_minor, booked_minor, entry.amount_minor);
    let account_part = account_part
        .ok_or_else(|| DatabaseError::Corrupt("an entry of the book has no amount".into()))?;
    let state = if booked_minor > 0 {
        EntryState::Booked
    } else {
        EntryState::Released
    };
    let ended = values![
        &wish.reference,
        &wish.provider,
        state.name(),
        booked_minor,
        account_part,
        wish.now_ms,
    ];
    if tx.execute(END, &ended).await? == 0 {
        return Err(Fault::Retry("a hold ended in between".into()));
    }
    if entry.counted {
        let values = values![&entry.account, entry.account_minor, account_part];
        tx.execute(accounts::END_HOLD, &values).await?;
    }
    Ok(())
}

fn is_over(entry: &Entry, now_ms: i64) -> bool {
    entry.hold_until_ms.is_some_and(|until| until <= now_ms)
}

async fn take(tx: &mut Tx<'_>, (wish, money): &(Wish, Money)) -> Result<Answer, Fault> {
    let Some(entry) = find(tx, wish).await? else {
        return Ok(refused("invalid_transaction"));
    };
    let fits = entry.currency == money.currency().code();
    let amount = money.amount_minor();
    match entry.state {
        EntryState::Held if is_over(&entry, wish.now_ms) => {
            end(tx, wish, &entry, 0).await?;
            Ok(refused("invalid_transaction"))
        }
        EntryState::Held if !fits || amount <= 0 || amount > entry.amount_minor => {
            Ok(refused("invalid_amount"))
        }
        EntryState::Held => {
            end(tx, wish, &entry, amount).await?;
            Ok(Answer::Approved)
        }
        EntryState::Booked if fits && amount == entry.booked_minor => Ok(Answer::Approved),
        EntryState::Booked => Ok(refused("invalid_amount")),
        EntryState::Released | EntryState::Declined | EntryState::StruckOut => {
            Ok(refused("invalid_transaction"))
        }
    }
}

async fn let_go(tx: &mut Tx<'_>, wish: &Wish) -> Result<Answer, Fault> {
    let Some(entry) = find(tx, wish).await? else {
        // It may still be on its way: then it must find that nobody wants it any more.
        let values = values![&wish.reference, &wish.provider, wish.now_ms];
        return match tx.execute(super::STRIKE_OUT, &values).await? {
            1 => Ok(Answer::Approved),
            _ => Err(Fault::Retry("an entry came in between".into())),
        };
    };
    match entry.state {
        EntryState::Held => {
            end(tx, wish, &entry, 0).await?;
            Ok(Answer::Approved)
        }
        EntryState::Released | EntryState::StruckOut => Ok(Answer::Approved),
        EntryState::Booked | EntryState::Declined => Ok(refused("invalid_transaction")),
    }
}

/// Lets a hold go if its time is over; says whether it did.
async fn expire(tx: &mut Tx<'_>, wish: &Wish) -> Result<bool, Fault> {
    let entry = find(tx, wish).await?;
    match entry.filter(|entry| entry.state == EntryState::Held && is_over(entry, wish.now_ms)) {
        Some(entry) => {
            end(tx, wish, &entry, 0).await?;
            Ok(true)
        }
        None => Ok(false),
    }
}

fn wish(provider: &str, reference: PaymentId, now_ms: i64) -> Wish {
    Wish {
        reference: reference.to_string(),
        provider: provider.to_owned(),
        now_ms,
    }
}

/// Takes held money, all of it or part; the rest is let go. Again is the same as once.
pub(in super::super) async fn capture(
    database: &Database,
    provider: &str,
    reference: PaymentId,
    money: Money,
    now_ms: i64,
) -> Result<Answer, DatabaseError> {
    let input = (wish(provider, reference, now_ms), money);
    database
        .write(input, |tx, input| Box::pin(take(tx, input)))
        .await
}

/// Lets held money go. Again is the same as once.
pub(in super::super) async fn void(
    database: &Database,
    provider: &str,
    reference: PaymentId,
    now_ms: i64,
) -> Result<Answer, DatabaseError> {
    let input = wish(provider, reference, now_ms);
    database
        .write(input, |tx, input| Box::pin(let_go(tx, input)))
        .await
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
        let wish = Wish {
            reference: row.text()?,
            provider: row.text()?,
            now_ms,
        };
        let ended = database.write(wish, |tx, wish| Box::pin(expire(tx, wish)));
        expired += u32::from(ended.await?);
    }
    Ok(expired)
}
