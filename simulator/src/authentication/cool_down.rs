//! What a stranger who knows a card's number can do about its codes, and what not: five wrong ones
//! in a row, and then a pause; so many messages to the phone in an hour, and no more.
//!
//! A pause stops codes alone. Payments that need none go on, and so do passkeys, which nobody can
//! guess. It grows up to an hour and no further: whoever wants to keep a cardholder from paying has
//! to come back every hour, and each time the phone tells of it.

use sealpay_protocol::limits;
use sealpay_storage::{Fault, Tx, values};

const MINUTE_MS: i64 = 60 * 1000;

/// Pauses after five wrong codes, the first time and the next ones in a row, minutes. At an hour for
/// five tries among a million codes, a year of guessing finds one in 23.
const PAUSES_MINUTES: [i64; 4] = [5, 15, 30, 60];

/// After a day without a pause the next one is the first again.
const FORGOTTEN_AFTER_MS: i64 = 24 * 60 * MINUTE_MS;

/// Most messages with a code to one account's phone in an hour: two payments with every code sent
/// again, and two without. Personas have no limit, for tests pay with them all day.
const MESSAGES_AN_HOUR: u32 = 10;

const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Counts a try as wrong until it is known to be right. During a pause it counts nothing, and after
/// one the count begins anew.
const COUNT_TRY: &str = "UPDATE bank_accounts SET
    wrong_codes = CASE WHEN codes_refused_until_ms > 0 THEN 1 ELSE wrong_codes + 1 END,
    code_cooldowns = CASE WHEN codes_refused_until_ms > 0 AND codes_refused_until_ms <= $4
        THEN 0 ELSE code_cooldowns END,
    codes_refused_until_ms = 0
    WHERE id = $1 AND ((codes_refused_until_ms = 0 AND wrong_codes < $2)
        OR (codes_refused_until_ms > 0 AND codes_refused_until_ms <= $3))
    RETURNING wrong_codes, code_cooldowns";

const PAUSE: &str = "UPDATE bank_accounts SET codes_refused_until_ms = $2,
    code_cooldowns = code_cooldowns + 1 WHERE id = $1";

/// The last of an account's tries may be the right one, though it is counted as wrong until then.
const FORGIVE: &str = "UPDATE bank_accounts SET wrong_codes = 0, codes_refused_until_ms = 0,
    code_cooldowns = 0 WHERE id = $1";

const MAY_SEND: &str = "SELECT COUNT(*) FROM bank_accounts WHERE id = $1
    AND (persona IS NOT NULL OR messages < $2 OR messages_since_ms <= $3)";

const COUNT_MESSAGE: &str = "UPDATE bank_accounts SET
    messages = CASE WHEN messages_since_ms <= $3 THEN 1 ELSE messages + 1 END,
    messages_since_ms = CASE WHEN messages_since_ms <= $3 THEN $4 ELSE messages_since_ms END
    WHERE id = $1 AND (persona IS NOT NULL OR messages < $2 OR messages_since_ms <= $3)";

/// A try that was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) wrong: u32,
    rounds: usize,
}

/// Counts a try before it is compared, so that many at once are not more than there are; none where
/// the account has none left.
pub(super) async fn count_try(
    tx: &mut Tx<'_>,
    account: &str,
    now_ms: i64,
) -> Result<Option<Counted>, Fault> {
    let values = values![
        account.to_owned(),
        limits::ONE_TIME_CODE_ATTEMPTS,
        now_ms,
        now_ms - FORGOTTEN_AFTER_MS,
    ];
    let row = tx.optional(COUNT_TRY, &values).await?;
    let counted = row.map(|mut row| {
        Ok::<_, Fault>(Counted {
            wrong: row.number()?,
            rounds: row.number()?,
        })
    });
    counted.transpose()
}

/// Begins a pause.
pub(super) async fn pause(
    tx: &mut Tx<'_>,
    account: &str,
    counted: Counted,
    now_ms: i64,
) -> Result<(), Fault> {
    let until_ms = now_ms.saturating_add(pause_ms(counted.rounds));
    tx.execute(PAUSE, &values![account.to_owned(), until_ms])
        .await
        .map(drop)
}

fn pause_ms(rounds: usize) -> i64 {
    let [.., longest] = PAUSES_MINUTES;
    PAUSES_MINUTES.get(rounds).copied().unwrap_or(longest) * MINUTE_MS
}

/// A right proof makes everything good.
pub(super) async fn forgive(tx: &mut Tx<'_>, account: &str) -> Result<(), Fault> {
    tx.execute(FORGIVE, &values![account.to_owned()])
        .await
        .map(drop)
}

/// Whether another message may go to the account's phone.
pub(super) async fn may_send(tx: &mut Tx<'_>, account: &str, now_ms: i64) -> Result<bool, Fault> {
    let values = values![account.to_owned(), MESSAGES_AN_HOUR, now_ms - HOUR_MS];
    let row = tx.optional(MAY_SEND, &values).await?;
    let allowed = row.map(|mut row| row.integer()).transpose()?;
    Ok(allowed.is_some_and(|count| count > 0))
}

/// Counts a message that is sent in the same transaction.
pub(super) async fn count_message(
    tx: &mut Tx<'_>,
    account: &str,
    now_ms: i64,
) -> Result<(), Fault> {
    let since_ms = now_ms - HOUR_MS;
    let values = values![account.to_owned(), MESSAGES_AN_HOUR, since_ms, now_ms];
    match tx.execute(COUNT_MESSAGE, &values).await? {
        0 => Err(Fault::Retry("another message took the last place".into())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{MINUTE_MS, pause_ms};

    #[test]
    fn pauses_grow_to_an_hour_and_no_further() {
        let minutes: Vec<_> = (0..6).map(|rounds| pause_ms(rounds) / MINUTE_MS).collect();
        assert_eq!(minutes, [5, 15, 30, 60, 60, 60]);
    }
}
