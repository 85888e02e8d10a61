//! Entering an authorization: the entry and the account in one transaction, or the entry alone
//! where no account has a say.

use super::{EntryState, RecordedResult, accounts, key};
use crate::account::{Account, Verdict};
use crate::exchange::exchange;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::limits;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::ProviderDecision;
use sealpay_storage::{Database, DatabaseError, Fault, Tx, Value, values};

/// What the book is asked to enter.
#[derive(Debug)]
pub(in super::super) struct AuthorizationInput {
    /// The name under which it stands in the book.
    pub(in super::super) provider: String,
    pub(in super::super) reference: PaymentId,
    /// The account as it is when it is new; the one in the book counts, once there is one.
    pub(in super::super) account: Account,
    pub(in super::super) money: Money,
    pub(in super::super) capture: Capture,
    /// The answer, where it does not depend on the account.
    pub(in super::super) script: Option<ProviderDecision>,
}

/// When it is asked.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Times {
    pub(in super::super) now_ms: i64,
    pub(in super::super) day: i64,
    pub(in super::super) hold_until_ms: i64,
}

macro_rules! columns {
    () => {
        "reference, provider, account, amount_minor, currency, account_minor, counted, state, \
         decline, booked_minor, booked_account_minor, created_at_ms, changed_at_ms, hold_until_ms"
    };
}

/// The first answer stands.
const ENTER: &str = concat!(
    "INSERT INTO bank_authorizations (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13) \
     ON CONFLICT (reference, provider) DO NOTHING"
);

/// Enters an approval on an account that nothing limits. The account is only looked at, so that
/// many servers can pay with it at once; one that was limited on purpose stops this.
const ENTER_UNLIMITED: &str = concat!(
    "INSERT INTO bank_authorizations (",
    columns!(),
    ") SELECT $1, $2, $3, CAST($4 AS BIGINT), $5, CAST($6 AS BIGINT), CAST($7 AS BIGINT), $8, \
     CAST($9 AS TEXT), CAST($10 AS BIGINT), CAST($11 AS BIGINT), CAST($12 AS BIGINT), \
     CAST($12 AS BIGINT), CAST($13 AS BIGINT) \
     WHERE NOT EXISTS (SELECT 1 FROM bank_accounts WHERE id = $3 \
     AND (status <> 'active' OR (wrong_codes >= $14 AND codes_refused_until_ms = 0) \
     OR credit_limit_minor IS NOT NULL \
     OR per_transaction_limit_minor IS NOT NULL OR daily_count_limit IS NOT NULL \
     OR daily_sum_limit_minor IS NOT NULL)) \
     ON CONFLICT (reference, provider) DO NOTHING"
);

const DECLINE: &str = "UPDATE bank_authorizations SET state = 'declined', decline = $3,
    account_minor = 0, counted = 0, booked_minor = 0, booked_account_minor = 0,
    hold_until_ms = NULL WHERE reference = $1 AND provider = $2";

const CORRECT: &str = "UPDATE bank_authorizations SET account_minor = $3,
    booked_account_minor = $4 WHERE reference = $1 AND provider = $2";

/// What a transaction is given, made ready by whoever asks, so that the one writer has less to do.
struct Entering {
    input: AuthorizationInput,
    times: Times,
    unlimited: Option<[Value; 14]>,
    entry: [Value; 13],
    taking: Option<Taking>,
}

/// What the account's row is asked for.
struct Taking {
    amount_minor: i64,
    take: [Value; 7],
}

/// What of an amount is held and what is booked.
const fn split(capture: Capture, amount_minor: i64) -> (i64, i64) {
    match capture {
        Capture::Automatic => (0, amount_minor),
        Capture::Manual => (amount_minor, 0),
    }
}

fn taking(
    input: &AuthorizationInput,
    account: &Account,
    times: Times,
    amount_minor: i64,
) -> Taking {
    let (held, booked) = split(input.capture, amount_minor);
    let take = values![
        &account.id,
        amount_minor,
        times.day,
        held,
        booked,
        account.currency.code().to_owned(),
        limits::ONE_TIME_CODE_ATTEMPTS,
    ];
    Taking { amount_minor, take }
}

/// The entry of an answer; `counted` is what the account's sums come to know of it.
fn entry(
    input: &AuthorizationInput,
    times: Times,
    answer: &ProviderDecision,
    counted: Option<i64>,
) -> [Value; 13] {
    let (state, decline) = match (answer, input.capture) {
        (ProviderDecision::Approved, Capture::Automatic) => (EntryState::Captured, None),
        (ProviderDecision::Approved, Capture::Manual) => (EntryState::Held, None),
        (ProviderDecision::Declined(reason), _) => (EntryState::Declined, Some(reason.clone())),
    };
    let is_booked = state == EntryState::Captured;
    let booked = |amount: i64| if is_booked { amount } else { 0 };
    let hold_until_ms = (state == EntryState::Held).then_some(times.hold_until_ms);
    values![
        input.reference,
        input.provider.clone(),
        &input.account.id,
        input.money.amount_minor(),
        input.money.currency().code().to_owned(),
        counted.unwrap_or(0),
        i64::from(counted.is_some()),
        state.name(),
        decline,
        booked(input.money.amount_minor()),
        booked(counted.unwrap_or(0)),
        times.now_ms,
        hold_until_ms,
    ]
}

fn entering(input: AuthorizationInput, times: Times) -> Entering {
    let script = input.script.as_ref();
    let unlimited = (script.is_none() && input.account.is_unlimited()).then(|| {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m] =
            entry(&input, times, &ProviderDecision::Approved, None);
        let locked_from = Value::from(limits::ONE_TIME_CODE_ATTEMPTS);
        [a, b, c, d, e, f, g, h, i, j, k, l, m, locked_from]
    });
    let amount = match input
        .account
        .decide(exchange(input.money, input.account.currency), 0)
    {
        _ if script.is_some() => None,
        Verdict::Approved(amount) => Some(amount),
        // What a new account refuses the one in the book may allow, so it is asked as well.
        Verdict::Declined(_) => None,
    };
    let taking = amount.map(|amount| taking(&input, &input.account, times, amount));
    let counted = script.is_none().then_some(amount.unwrap_or(0));
    let entry = entry(
        &input,
        times,
        script.unwrap_or(&ProviderDecision::Approved),
        counted,
    );
    Entering {
        input,
        times,
        unlimited,
        entry,
        taking,
    }
}

async fn enter(tx: &mut Tx<'_>, entering: &Entering) -> Result<RecordedResult, Fault> {
    if let Some(unlimited) = &entering.unlimited {
        if tx.execute(ENTER_UNLIMITED, unlimited).await? == 1 {
            return Ok(RecordedResult::Answered(ProviderDecision::Approved));
        }
        if let Some(stands) = stands(tx, &entering.input).await? {
            return Ok(stands);
        }
    }
    if let Some(answer) = &entering.input.script {
        let entered = tx.execute(ENTER, &entering.entry).await?;
        return if entered == 1 {
            Ok(RecordedResult::Answered(answer.clone()))
        } else {
            came_before(tx, &entering.input).await
        };
    }
    // An approval costs two statements in one journey; what should not stay is taken back.
    let (entered, taken) = match &entering.taking {
        Some(taking) => {
            let statements = [
                (ENTER, entering.entry.as_slice()),
                (accounts::TAKE, taking.take.as_slice()),
            ];
            match tx.execute_together(&statements).await?[..] {
                [entered, taken] => (entered, taken),
                _ => {
                    let text = "two statements have two counts";
                    return Err(DatabaseError::Corrupt(text.into()).into());
                }
            }
        }
        None => (tx.execute(ENTER, &entering.entry).await?, 0),
    };
    match (entered, taken, &entering.taking) {
        (1, 1, _) => Ok(RecordedResult::Answered(ProviderDecision::Approved)),
        (1, _, _) => look_closer(tx, entering).await,
        (_, 1, Some(taking)) => {
            return_funds(tx, &entering.input, taking).await?;
            came_before(tx, &entering.input).await
        }
        _ => came_before(tx, &entering.input).await,
    }
}

/// The entry stands and the account was not touched: it is new, another one than was thought, or
/// there is a reason to decline.
async fn look_closer(tx: &mut Tx<'_>, entering: &Entering) -> Result<RecordedResult, Fault> {
    let Entering { input, times, .. } = entering;
    let account = accounts::make(tx, &input.account).await?;
    let amount = exchange(input.money, account.currency);
    let reason = match account.decide(amount, times.day) {
        Verdict::Declined(reason) => reason,
        Verdict::Approved(amount) => {
            let taking = taking(input, &account, *times, amount);
            if tx.execute(accounts::TAKE, &taking.take).await? == 0 {
                return Err(Fault::Retry("an account changed in between".into()));
            }
            let (_, booked) = split(input.capture, taking.amount_minor);
            let correct = values![
                input.reference,
                input.provider.clone(),
                taking.amount_minor,
                booked,
            ];
            tx.execute(CORRECT, &correct).await?;
            return Ok(RecordedResult::Answered(ProviderDecision::Approved));
        }
    };
    let decline = values![input.reference, input.provider.clone(), reason];
    tx.execute(DECLINE, &decline).await?;
    Ok(RecordedResult::Answered(ProviderDecision::Declined(
        reason.into(),
    )))
}

async fn return_funds(
    tx: &mut Tx<'_>,
    input: &AuthorizationInput,
    taking: &Taking,
) -> Result<(), Fault> {
    let (held, booked) = split(input.capture, taking.amount_minor);
    let values = values![&input.account.id, taking.amount_minor, held, booked];
    tx.execute(accounts::GIVE_BACK, &values).await.map(drop)
}

async fn stands(
    tx: &mut Tx<'_>,
    input: &AuthorizationInput,
) -> Result<Option<RecordedResult>, Fault> {
    let row = tx
        .optional(super::ENTRY, &key(input.reference, &input.provider))
        .await?;
    Ok(row.map(super::entry).transpose()?.map(super::Entry::booked))
}

async fn came_before(tx: &mut Tx<'_>, input: &AuthorizationInput) -> Result<RecordedResult, Fault> {
    let stands = stands(tx, input).await?;
    stands.ok_or_else(|| Fault::Retry("an entry was there and is gone".into()))
}

/// Enters an authorization unless the reference has an answer already, and says what stands.
pub(in super::super) async fn authorize(
    database: &Database,
    input: AuthorizationInput,
    times: Times,
) -> Result<RecordedResult, DatabaseError> {
    database
        .write(entering(input, times), |tx, entering| {
            Box::pin(enter(tx, entering))
        })
        .await
}

struct Question {
    strike_out: [Value; 3],
    key: [Value; 2],
}

async fn strike_out_or_read(tx: &mut Tx<'_>, question: &Question) -> Result<RecordedResult, Fault> {
    if tx.execute(super::STRIKE_OUT, &question.strike_out).await? == 1 {
        return Ok(RecordedResult::NeverReceived);
    }
    let row = tx.optional(super::ENTRY, &question.key).await?;
    let row = row.ok_or_else(|| Fault::Retry("an entry was there and is gone".into()))?;
    Ok(super::entry(row)?.booked())
}

/// What became of a reference; an unknown one is struck out, so that it cannot arrive later.
pub(in super::super) async fn ask(
    database: &Database,
    provider: &str,
    reference: PaymentId,
    now_ms: i64,
) -> Result<RecordedResult, DatabaseError> {
    let question = Question {
        strike_out: values![reference, provider.to_owned(), now_ms],
        key: key(reference, provider),
    };
    database
        .write(question, |tx, question| {
            Box::pin(strike_out_or_read(tx, question))
        })
        .await
}
