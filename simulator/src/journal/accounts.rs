//! Accounts in the bank's journal.

use super::Journal;
use crate::account::{Account, AccountStatus, Enrolment};
use crate::control::AccountRequest;
use sealpay_provider::ProviderError;
use sealpay_storage::{ByName, Entity, Fault, Projection, Tx, entity, sql, values};

entity! {
    Account in "bank_accounts" {
        id,
        persona,
        holder,
        issuer,
        last4,
        brand,
        country,
        currency,
        kind as ByName,
        status as ByName,
        balance_minor,
        held_minor,
        credit_limit_minor,
        per_transaction_limit_minor,
        daily_count_limit,
        daily_sum_limit_minor,
        day,
        day_count,
        day_sum_minor,
        enrolment as ByName,
        phone,
        wrong_codes,
        codes_refused_until_ms,
        created_at_ms,
    }
}

const BY_ID: &str = sql!(Account::SELECT, "WHERE id = $1");

const PERSONAS: &str = sql!(Account::SELECT, "WHERE persona IS NOT NULL");

const NEWEST_DERIVED: &str = sql!(
    Account::SELECT,
    "WHERE persona IS NULL ORDER BY created_at_ms DESC, id LIMIT $1"
);

const ADD: &str = sql!(Account::INSERT, "ON CONFLICT (id) DO NOTHING");

/// Debits an amount, or holds it, if the account allows it: the same conditions as in
/// `Account::decide`. The day's count starts again on another day.
pub(super) const RESERVE: &str = "UPDATE bank_accounts SET
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

/// Undoes [`RESERVE`] in the same transaction.
pub(super) const UNDO_RESERVE: &str = "UPDATE bank_accounts SET
    held_minor = held_minor - $3, balance_minor = balance_minor + $4,
    day_count = day_count - 1, day_sum_minor = day_sum_minor - $2
    WHERE id = $1";

/// Releases a part of the held amount, and debits the balance or, with a negative amount, credits
/// it. The day's count stays.
pub(super) const ADJUST: &str = "UPDATE bank_accounts SET
    held_minor = held_minor - $2, balance_minor = balance_minor - $3 WHERE id = $1";

pub(super) async fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Account>, Fault> {
    tx.get(BY_ID, &values![id.to_owned()]).await
}

/// The stored account, inserted where it is new. Requests at the same time get the same one.
pub(super) async fn get_or_insert(tx: &mut Tx<'_>, fresh: &Account) -> Result<Account, Fault> {
    tx.execute(ADD, &fresh.to_row()?).await?;
    let stored = find(tx, &fresh.id).await?;
    stored.ok_or_else(|| Fault::Retry("a new account is gone".into()))
}

/// Changes only the requested members, because payments may change the others meanwhile.
const UPDATE: &str = "UPDATE bank_accounts SET
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

const REPLACE_CARD: &str = "UPDATE bank_accounts SET last4 = $2 WHERE id = $1";

/// Writes the last four digits of an account's new card.
async fn replace_card(tx: &mut Tx<'_>, account: &Account) -> Result<(), Fault> {
    get_or_insert(tx, account).await?;
    let replaced = values![&account.id, &account.last4];
    tx.execute(REPLACE_CARD, &replaced).await?;
    Ok(())
}

async fn change(
    tx: &mut Tx<'_>,
    (fresh, request): &(Account, AccountRequest),
) -> Result<Account, Fault> {
    get_or_insert(tx, fresh).await?;
    let limit = |member: &Option<Option<i64>>| (member.is_some(), member.flatten());
    let (has_credit, credit) = limit(&request.credit_limit_minor);
    let (has_transaction, transaction) = limit(&request.per_transaction_limit_minor);
    let (has_count, count) = limit(&request.daily_count_limit);
    let (has_sum, sum) = limit(&request.daily_sum_limit_minor);
    let values = values![
        &fresh.id,
        request.status.map(AccountStatus::name),
        request.balance_minor,
        has_credit,
        credit,
        has_transaction,
        transaction,
        has_count,
        count,
        has_sum,
        sum,
        request.enrolment.map(Enrolment::name),
        request.phone.clone(),
        request.wrong_codes,
    ];
    tx.execute(UPDATE, &values).await?;
    get_or_insert(tx, fresh).await
}

impl Journal {
    /// The account with this id.
    pub(crate) async fn account(&self, id: &str) -> Result<Option<Account>, ProviderError> {
        self.get(BY_ID, values![id.to_owned()]).await
    }

    /// The stored account, inserted where it is new.
    pub(crate) async fn get_or_insert_account(
        &self,
        fresh: Account,
    ) -> Result<Account, ProviderError> {
        self.write(fresh, |tx, fresh| Box::pin(get_or_insert(tx, fresh)))
            .await
    }

    /// The accounts of personas that were used or changed, and the newest of other cards.
    pub(crate) async fn accounts(&self, limit: u32) -> Result<Vec<Account>, ProviderError> {
        let mut accounts = self.list(PERSONAS, []).await?;
        accounts.extend(self.list(NEWEST_DERIVED, values![limit]).await?);
        Ok(accounts)
    }

    /// Writes the last four digits of an account's new card. The account is inserted first where it
    /// is new.
    pub(crate) async fn replace_card(&self, account: Account) -> Result<(), ProviderError> {
        self.write(account, |tx, account| Box::pin(replace_card(tx, account)))
            .await
    }

    /// Changes an account, which is inserted first where it is new. The held amount and the day's
    /// counts stay.
    pub(crate) async fn change_account(
        &self,
        fresh: Account,
        request: AccountRequest,
    ) -> Result<Account, ProviderError> {
        self.write((fresh, request), |tx, input| Box::pin(change(tx, input)))
            .await
    }
}
