//! The bank's accounts.

use super::members::Members;
use super::{AccountRequest, AccountView, bank, name, refused};
use crate::error::ApiError;
use crate::gateway::Gateway;
use serde::Serialize;
use utoipa::ToSchema;

/// How many accounts of cards that are no persona's are shown, the newest ones.
const OTHERS: u32 = 20;

/// The bank's accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accounts {
    /// Those of all personas, then the newest of other cards.
    pub data: Vec<AccountView>,
}

/// The bank's accounts.
pub async fn list(gateway: &Gateway) -> Result<Accounts, ApiError> {
    let listed = bank(gateway)?.accounts(OTHERS).await;
    Ok(Accounts { data: listed? })
}

/// The account of a persona, or of an account's id.
///
/// # Errors
/// An error when there is none, or the bank does not answer.
pub async fn one(gateway: &Gateway, account: &str) -> Result<AccountView, ApiError> {
    bank(gateway)?
        .account(name(account)?)
        .await
        .map_err(refused)
}

/// Changes an account: members that are left out stay as they are.
///
/// # Errors
/// An error that names the member at fault, says that there is no such account, or that the bank
/// does not answer.
pub async fn change(
    gateway: &Gateway,
    account: &str,
    body: &[u8],
) -> Result<AccountView, ApiError> {
    let bank = bank(gateway)?;
    let order = order(body)?;
    let changed = bank
        .change_account(name(account)?, order)
        .await
        .map_err(refused)?;
    tracing::info!(account = changed.id, "a tester changed an account");
    Ok(changed)
}

fn order(body: &[u8]) -> Result<AccountRequest, ApiError> {
    let mut members = Members::read(
        body,
        &[
            "status",
            "balance_minor",
            "credit_limit_minor",
            "per_transaction_limit_minor",
            "daily_count_limit",
            "daily_sum_limit_minor",
            "enrolment",
            "phone",
            "wrong_codes",
        ],
    )?;
    Ok(AccountRequest {
        status: members.take("status")?,
        balance_minor: members.take("balance_minor")?,
        credit_limit_minor: members.take("credit_limit_minor")?,
        per_transaction_limit_minor: members.take("per_transaction_limit_minor")?,
        daily_count_limit: members.take("daily_count_limit")?,
        daily_sum_limit_minor: members.take("daily_sum_limit_minor")?,
        enrolment: members.take("enrolment")?,
        phone: members.take("phone")?,
        wrong_codes: members.take("wrong_codes")?,
    })
}
