//! Accounts as they stand in the bank's book.

use crate::account::{Account, AccountKind, AccountStatus, Enrolment, locks};
use crate::control::AccountRequest;
use sealpay_storage::{DatabaseError, Fault, Row, Tx, Value, values};

macro_rules! columns {
    () => {
        "id, persona, holder, issuer, last4, brand, country, currency, kind, status, \
         balance_minor, held_minor, credit_limit_minor, per_transaction_limit_minor, \
         daily_count_limit, daily_sum_limit_minor, day, day_count, day_sum_minor, enrolment, \
         phone, wrong_codes, codes_refused_until_ms, created_at_ms"
    };
}

pub(super) const BY_ID: &str = concat!("SELECT ", columns!(), " FROM bank_accounts WHERE id = $1");

pub(in super::super) const PERSONAS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM bank_accounts WHERE persona IS NOT NULL"
);

pub(in super::super) const NEWEST_DERIVED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM bank_accounts WHERE persona IS NULL ORDER BY created_at_ms DESC, id LIMIT $1"
);

/// The first to ask makes the account; whoever comes at the same time gets the same one.
pub(super) const MAKE: &str = concat!(
    "INSERT INTO bank_accounts (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
     $19, $20, $21, $22, $23, $24) ON CONFLICT (id) DO NOTHING"
);

/// Takes an amount and holds a part of it, if the account allows it: the same questions as
/// `Account::decide` asks. The day's count begins anew on another day.
pub(super) const TAKE: &str = "UPDATE bank_accounts SET
    held_minor = held_minor + $4, balance_minor = balance_minor - $5, day = $3,
    day_count = CASE WHEN day = $3 THEN day_count + 1 ELSE 1 END,
    day_sum_minor = CASE WHEN day = $3 THEN day_sum_minor + $2 ELSE $2 END
    WHERE id = $1 AND currency = $6 AND status = 'active'
    AND (wrong_codes < $7 OR codes_refused_until_ms > 0)
    AND (per_transaction_limit_minor IS NULL OR per_transaction_limit_minor >= $2)
    AND (daily_count_limit IS NULL
        OR daily_count_limit > CASE WHEN day = $3 THEN day_count ELSE 0 END)
    AND (daily_sum_limit_minor IS NULL
        OR daily_sum_limit_minor - CASE WHEN day = $3 THEN day_sum_minor ELSE 0 END >= $2)
    AND (credit_limit_minor IS NULL OR balance_minor + credit_limit_minor - held_minor >= $2)";

/// Undoes what was taken a moment ago, in the same transaction.
pub(super) const GIVE_BACK: &str = "UPDATE bank_accounts SET
    held_minor = held_minor - $3, balance_minor = balance_minor + $4,
    day_count = day_count - 1, day_sum_minor = day_sum_minor - $2
    WHERE id = $1";

/// Lets go of a part of what is held, and takes or gives back a part of the balance. The day's
/// count stays.
pub(super) const MOVE: &str = "UPDATE bank_accounts SET
    held_minor = held_minor - $2, balance_minor = balance_minor - $3 WHERE id = $1";

pub(in super::super) fn account(mut row: Row) -> Result<Account, DatabaseError> {
    let mut account = Account {
        id: row.text()?,
        persona: row.optional_text()?,
        holder: row.text()?,
        issuer: row.text()?,
        last4: row.text()?,
        brand: row.text()?,
        country: row.text()?,
        currency: row.parsed()?,
        kind: row.read(AccountKind::from_name)?,
        status: row.read(AccountStatus::from_name)?,
        balance_minor: row.integer()?,
        held_minor: row.integer()?,
        credit_limit_minor: row.optional_integer()?,
        per_transaction_limit_minor: row.optional_integer()?,
        daily_count_limit: row.optional_integer()?,
        daily_sum_limit_minor: row.optional_integer()?,
        day: row.integer()?,
        day_count: row.integer()?,
        day_sum_minor: row.integer()?,
        enrolment: row.read(Enrolment::from_name)?,
        phone: row.text()?,
        wrong_codes: row.number()?,
        locked: false,
        codes_refused_until_ms: row.integer()?,
        created_at_ms: row.integer()?,
    };
    // A pause is no lock: what needs no code goes on.
    account.locked = locks(account.wrong_codes) && account.codes_refused_until_ms == 0;
    Ok(account)
}

pub(super) fn values_of(account: &Account) -> [Value; 24] {
    values![
        &account.id,
        account.persona.clone(),
        &account.holder,
        &account.issuer,
        &account.last4,
        &account.brand,
        &account.country,
        account.currency.code().to_owned(),
        account.kind.name(),
        account.status.name(),
        account.balance_minor,
        account.held_minor,
        account.credit_limit_minor,
        account.per_transaction_limit_minor,
        account.daily_count_limit,
        account.daily_sum_limit_minor,
        account.day,
        account.day_count,
        account.day_sum_minor,
        account.enrolment.name(),
        &account.phone,
        account.wrong_codes,
        account.codes_refused_until_ms,
        account.created_at_ms,
    ]
}

pub(super) async fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Account>, Fault> {
    let row = tx.optional(BY_ID, &values![id.to_owned()]).await?;
    Ok(row.map(account).transpose()?)
}

/// The account as it stands, made when it is new.
pub(in super::super) async fn make(tx: &mut Tx<'_>, fresh: &Account) -> Result<Account, Fault> {
    tx.execute(MAKE, &values_of(fresh)).await?;
    let made = find(tx, &fresh.id).await?;
    made.ok_or_else(|| Fault::Retry("an account was made and is gone".into()))
}

/// Changes what a tester ordered and leaves the rest to the payments that come at the same time.
const CHANGE: &str = "UPDATE bank_accounts SET
    status = COALESCE($2, status), balance_minor = COALESCE($3, balance_minor),
    credit_limit_minor =
        CASE WHEN CAST($4 AS BIGINT) = 1 THEN $5 ELSE credit_limit_minor END,
    per_transaction_limit_minor =
        CASE WHEN CAST($6 AS BIGINT) = 1 THEN $7 ELSE per_transaction_limit_minor END,
    daily_count_limit = CASE WHEN CAST($8 AS BIGINT) = 1 THEN $9 ELSE daily_count_limit END,
    daily_sum_limit_minor =
        CASE WHEN CAST($10 AS BIGINT) = 1 THEN $11 ELSE daily_sum_limit_minor END,
    enrolment = COALESCE($12, enrolment), phone = COALESCE($13, phone),
    codes_refused_until_ms =
        CASE WHEN CAST($14 AS BIGINT) IS NULL THEN codes_refused_until_ms ELSE 0 END,
    code_cooldowns = CASE WHEN CAST($14 AS BIGINT) IS NULL THEN code_cooldowns ELSE 0 END,
    wrong_codes = COALESCE($14, wrong_codes)
    WHERE id = $1";

/// Changes an account, which is made first when it is new. What is held and what was counted for
/// the day stays.
pub(super) async fn change(
    tx: &mut Tx<'_>,
    (fresh, order): &(Account, AccountRequest),
) -> Result<Account, Fault> {
    make(tx, fresh).await?;
    let given = |member: &Option<Option<i64>>| i64::from(member.is_some());
    let values = values![
        &fresh.id,
        order.status.map(AccountStatus::name),
        order.balance_minor,
        given(&order.credit_limit_minor),
        order.credit_limit_minor.flatten(),
        given(&order.per_transaction_limit_minor),
        order.per_transaction_limit_minor.flatten(),
        given(&order.daily_count_limit),
        order.daily_count_limit.flatten(),
        given(&order.daily_sum_limit_minor),
        order.daily_sum_limit_minor.flatten(),
        order.enrolment.map(Enrolment::name),
        order.phone.clone(),
        order.wrong_codes,
    ];
    tx.execute(CHANGE, &values).await?;
    make(tx, fresh).await
}
