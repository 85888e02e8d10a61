//! Limits for a stranger who knows a card's number: five wrong codes in a row start a pause, and the
//! messages to a phone in an hour are limited.
//!
//! A pause stops codes alone. Payments without a code go on, and so do passkeys, which cannot be
//! guessed. A pause is at most an hour: a stranger who wants to prevent a cardholder's payments has
//! to repeat it every hour, and each time the phone gets a message.

use sealpay_protocol::limits;
use sealpay_storage::{Fault, Tx, values};

const MINUTE_MS: i64 = 60 * 1000;

/// Pauses after five wrong codes, the first and the following ones, minutes. With five guesses an hour
/// among a million codes, one year in 23 finds a right one.
const PAUSES_MINUTES: [i64; 4] = [5, 15, 30, 60];

/// After a day without a pause, the next one is the first again.
const RESET_AFTER_MS: i64 = 24 * 60 * MINUTE_MS;

/// Maximum number of codes sent to one account's phone in an hour: two payments with every resend,
/// and two without. Personas have no limit, because tests pay with them all day.
const MESSAGES_AN_HOUR: u32 = 10;

const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Counts an attempt as wrong until it turns out to be right. During a pause it counts nothing; after
/// one the count starts again.
const COUNT_ATTEMPT: &str = "UPDATE bank_accounts SET
    wrong_codes = CASE WHEN codes_refused_until_ms > 0 THEN 1 ELSE wrong_codes + 1 END,
    code_cooldowns = CASE WHEN codes_refused_until_ms > 0 AND codes_refused_until_ms <= $4
        THEN 0 ELSE code_cooldowns END,
    codes_refused_until_ms = 0
    WHERE id = $1 AND ((codes_refused_until_ms = 0 AND wrong_codes < $2)
        OR (codes_refused_until_ms > 0 AND codes_refused_until_ms <= $3))
    RETURNING wrong_codes, code_cooldowns";

const PAUSE: &str = "UPDATE bank_accounts SET codes_refused_until_ms = $2,
    code_cooldowns = code_cooldowns + 1 WHERE id = $1";

const RESET: &str = "UPDATE bank_accounts SET wrong_codes = 0, codes_refused_until_ms = 0,
    code_cooldowns = 0 WHERE id = $1";

const MAY_SEND: &str = "SELECT COUNT(*) FROM bank_accounts WHERE id = $1
    AND (persona IS NOT NULL OR messages < $2 OR messages_since_ms <= $3)";

const COUNT_MESSAGE: &str = "UPDATE bank_accounts SET
    messages = CASE WHEN messages_since_ms <= $3 THEN 1 ELSE messages + 1 END,
    messages_since_ms = CASE WHEN messages_since_ms <= $3 THEN $4 ELSE messages_since_ms END
    WHERE id = $1 AND (persona IS NOT NULL OR messages < $2 OR messages_since_ms <= $3)";

/// The counts after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) wrong: u32,
    pauses: usize,
}

/// Counts an attempt before it is compared, so that attempts at once are no more than are left; none
/// where none is left.
pub(crate) async fn count_attempt(
    tx: &mut Tx<'_>,
    account: &str,
    now_ms: i64,
) -> Result<Option<Counted>, Fault> {
    let values = values![
        account.to_owned(),
        limits::ONE_TIME_CODE_ATTEMPTS,
        now_ms,
        now_ms - RESET_AFTER_MS,
    ];
    let counted = tx.get(COUNT_ATTEMPT, &values).await?;
    Ok(counted.map(|(wrong, pauses)| Counted { wrong, pauses }))
}

/// Starts a pause.
pub(crate) async fn pause(
    tx: &mut Tx<'_>,
    account: &str,
    counted: Counted,
    now_ms: i64,
) -> Result<(), Fault> {
    let until_ms = now_ms.saturating_add(pause_ms(counted.pauses));
    tx.execute(PAUSE, &values![account.to_owned(), until_ms])
        .await
        .map(drop)
}

fn pause_ms(earlier: usize) -> i64 {
    let [.., longest] = PAUSES_MINUTES;
    PAUSES_MINUTES.get(earlier).copied().unwrap_or(longest) * MINUTE_MS
}

/// Resets the counts after a right response.
pub(crate) async fn reset(tx: &mut Tx<'_>, account: &str) -> Result<(), Fault> {
    tx.execute(RESET, &values![account.to_owned()])
        .await
        .map(drop)
}

/// Whether another message may go to the account's phone.
pub(crate) async fn may_send(tx: &mut Tx<'_>, account: &str, now_ms: i64) -> Result<bool, Fault> {
    let values = values![account.to_owned(), MESSAGES_AN_HOUR, now_ms - HOUR_MS];
    let allowed = tx.scalar::<i64>(MAY_SEND, &values).await?;
    Ok(allowed > 0)
}

/// Counts a message that is sent in the same transaction.
pub(crate) async fn count_message(
    tx: &mut Tx<'_>,
    account: &str,
    now_ms: i64,
) -> Result<(), Fault> {
    let since_ms = now_ms - HOUR_MS;
    let values = values![account.to_owned(), MESSAGES_AN_HOUR, since_ms, now_ms];
    match tx.execute(COUNT_MESSAGE, &values).await? {
        0 => Err(Fault::Retry(
            "another message was the last one allowed".into(),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{MINUTE_MS, pause_ms};

    #[test]
    fn pauses_grow_up_to_an_hour() {
        let minutes: Vec<_> = (0..6)
            .map(|earlier| pause_ms(earlier) / MINUTE_MS)
            .collect();
        assert_eq!(minutes, [5, 15, 30, 60, 60, 60]);
    }
}
