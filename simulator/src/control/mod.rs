//! What a tester can read and change in the bank, in test mode only.

mod account_request;
mod fault_request;
#[cfg(test)]
mod tests;

pub use account_request::AccountRequest;
pub use fault_request::FaultRequest;

use super::account::{Account, AccountKind, AccountStatus, Enrolment};
use super::book::{self, Entry};
use super::fault::{Fault, Faults};
use super::issuer::letters;
use super::world::silent;
use super::{SimulatedBank, persona};
use sealpay_provider::ProviderError;
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// How many faults may be in force at once: every request looks at all of them.
const FAULTS: usize = 100;

/// How many accounts or authorizations are listed at once.
const LISTED: u32 = 200;

/// Why the bank did not do what it was told, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlError {
    /// There is nothing of that name.
    NotFound,
    /// A member of the request is invalid.
    Invalid {
        /// Which.
        field: &'static str,
        /// A sentence that says why.
        reason: String,
    },
    /// The bank's journal did not respond.
    Silent(ProviderError),
}

impl From<ProviderError> for ControlError {
    fn from(error: ProviderError) -> Self {
        Self::Silent(error)
    }
}

fn invalid(field: &'static str, reason: impl Into<String>) -> ControlError {
    ControlError::Invalid {
        field,
        reason: reason.into(),
    }
}

/// An account as a tester sees it. Amounts are minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountView {
    /// Its name: `persona:` and the persona's, or a keyed fingerprint of the card.
    pub id: String,
    /// The persona whose account it is.
    pub persona: Option<String>,
    /// The name on the card.
    pub holder: String,
    /// The bank that issued the card.
    pub issuer: String,
    /// The brand's slug.
    pub brand: String,
    /// The last four digits of the card.
    pub last4: String,
    /// Where the account is kept (ISO 3166-1).
    pub country: String,
    /// ISO 4217.
    pub currency: String,
    /// Debit or credit.
    pub kind: AccountKind,
    /// Whether it may be used.
    pub status: AccountStatus,
    /// The balance; a negative balance is owed to the bank.
    pub balance_minor: i64,
    /// The part of the balance that is on hold.
    pub held_minor: i64,
    /// What is still available; null means no limit.
    pub available_minor: Option<i64>,
    /// The credit limit; null means no limit.
    pub credit_limit_minor: Option<i64>,
    /// The most that one payment may take.
    pub per_transaction_limit_minor: Option<i64>,
    /// How many payments a day (UTC) may make.
    pub daily_count_limit: Option<i64>,
    /// How much the payments of a day (UTC) may take together.
    pub daily_sum_limit_minor: Option<i64>,
    /// The day that the next two count for, in days since 1970.
    pub day: i64,
    /// Payments approved on that day.
    pub day_count: i64,
    /// How much they took.
    pub day_sum_minor: i64,
    /// What the issuer does when it is asked who the shopper is.
    pub enrolment: Enrolment,
    /// Where one-time codes are sent.
    pub phone: String,
    /// Wrong one-time codes in a row.
    pub wrong_codes: u32,
    /// Whether the bank has locked it over them.
    pub locked: bool,
    /// When codes are accepted again after five wrong ones, milliseconds since 1970.
    pub codes_refused_until_ms: Option<i64>,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            available_minor: account.available_minor(),
            id: account.id,
            persona: account.persona,
            holder: account.holder,
            issuer: account.issuer,
            brand: account.brand,
            last4: account.last4,
            country: account.country,
            currency: account.currency.code().to_owned(),
            kind: account.kind,
            status: account.status,
            balance_minor: account.balance_minor,
            held_minor: account.held_minor,
            credit_limit_minor: account.credit_limit_minor,
            per_transaction_limit_minor: account.per_transaction_limit_minor,
            daily_count_limit: account.daily_count_limit,
            daily_sum_limit_minor: account.daily_sum_limit_minor,
            day: account.day,
            day_count: account.day_count,
            day_sum_minor: account.day_sum_minor,
            enrolment: account.enrolment,
            phone: account.phone,
            wrong_codes: account.wrong_codes,
            locked: account.locked,
            codes_refused_until_ms: Some(account.codes_refused_until_ms).filter(|ms| *ms > 0),
        }
    }
}

/// An authorization as a tester sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuthorizationView {
    /// The payment.
    pub reference: String,
    /// Who passed it on to the bank.
    pub provider: String,
    /// The account, unless the reference was given up before it arrived.
    pub account: Option<String>,
    /// The persona whose account it is.
    pub persona: Option<String>,
    /// The brand's slug, where the account is known.
    pub brand: Option<String>,
    /// The last four digits of the card, where the account is known.
    pub last4: Option<String>,
    /// What was asked for, minor units.
    pub amount_minor: i64,
    /// ISO 4217; null when the reference was given up before it arrived.
    pub currency: Option<String>,
    /// What was taken of it, minor units.
    pub booked_minor: i64,
    /// What went back of that, minor units.
    pub refunded_minor: i64,
    /// What it is on the account, minor units of the account's currency.
    pub account_minor: i64,
    /// `held`, `booked`, `released`, `declined` or `struck_out`.
    pub state: &'static str,
    /// The reason, when it was declined.
    pub decline: Option<String>,
    /// When it came, milliseconds since 1970.
    pub created_at_ms: i64,
    /// Until when the money is held, milliseconds since 1970.
    pub hold_until_ms: Option<i64>,
}

fn authorization(entry: Entry, accounts: &HashMap<String, Account>) -> AuthorizationView {
    let account = accounts.get(&entry.account);
    let known = |text: String| Some(text).filter(|text| !text.is_empty());
    AuthorizationView {
        persona: account.and_then(|account| account.persona.clone()),
        brand: account.map(|account| account.brand.clone()),
        last4: account.map(|account| account.last4.clone()),
        reference: entry.reference,
        provider: entry.provider,
        account: known(entry.account),
        amount_minor: entry.amount_minor,
        currency: known(entry.currency),
        booked_minor: entry.booked_minor,
        refunded_minor: entry.refunded_minor,
        account_minor: entry.account_minor,
        state: entry.state.name(),
        decline: entry.decline,
        created_at_ms: entry.created_at_ms,
        hold_until_ms: entry.hold_until_ms,
    }
}

impl SimulatedBank {
    /// The accounts of all personas, then the newest of other cards, at most so many.
    pub async fn accounts(&self, limit: u32) -> Result<Vec<AccountView>, ProviderError> {
        let stored = book::accounts(&self.world.database, limit.min(LISTED)).await;
        let mut others = Vec::new();
        let mut personas = HashMap::new();
        for account in stored.map_err(silent)? {
            if account.persona.is_some() {
                personas.insert(account.id.clone(), account);
            } else {
                others.push(account);
            }
        }
        let now_ms = self.world.clock.now_ms_i64();
        let personas = persona::all().iter().filter_map(|persona| {
            let stored = personas.remove(&persona.account_id());
            stored.or_else(|| persona.account(now_ms))
        });
        let personas: Vec<_> = personas.collect();
        let all = personas.into_iter().chain(others);
        Ok(all.map(AccountView::from).collect())
    }

    /// The account of a persona's name, or of an account's.
    ///
    /// # Errors
    /// There is none, or the book did not do its work.
    pub async fn account(&self, name: &str) -> Result<AccountView, ControlError> {
        self.find(name).await.map(AccountView::from)
    }

    async fn find(&self, name: &str) -> Result<Account, ControlError> {
        let id = persona::named(name).map(persona::Persona::account_id);
        let id = id.as_deref().unwrap_or(name);
        let found = self.world.account(id).await?;
        found.ok_or(ControlError::NotFound)
    }

    /// Changes the account of a persona's name, or of an account's, and says how it stands then.
    ///
    /// # Errors
    /// There is none, it cannot be as ordered, or the book did not do its work.
    pub async fn change_account(
        &self,
        name: &str,
        order: AccountRequest,
    ) -> Result<AccountView, ControlError> {
        let account = self.find(name).await?;
        let persona = account.persona.as_deref().and_then(persona::named);
        if let Some(persona) = persona.filter(|persona| persona.script().is_some())
            && let Some(field) = order.of_money()
        {
            let outcome = &persona.outcome;
            let reason = format!(
                "The outcome of this persona is always {outcome}; its account has no say in it."
            );
            return Err(invalid(field, reason));
        }
        order.check(account.kind)?;
        let changed = book::change_account(&self.world.database, account, order).await;
        Ok(changed.map_err(silent)?.into())
    }

    /// The faults in force, in the order in which they were ordered.
    pub async fn faults(&self) -> Result<Vec<Fault>, ProviderError> {
        let faults = self.world.faults.refresh(&self.world.database).await;
        faults.map_err(silent)
    }

    /// The faults that have struck as often as was ordered, the newest first.
    pub async fn spent_faults(&self) -> Result<Vec<Fault>, ProviderError> {
        Faults::spent(&self.world.database).await.map_err(silent)
    }

    /// Orders a fault.
    ///
    /// # Errors
    /// It cannot be as ordered, there are too many, or the book did not do its work.
    pub async fn add_fault(&self, order: FaultRequest) -> Result<Fault, ControlError> {
        let world = &self.world;
        let id = ["flt_", &letters(&world.rng.bytes::<10>())].concat();
        let fault = order.fault(id, world.clock.now_ms_i64())?;
        if self.faults().await?.len() >= FAULTS {
            let reason = format!("There are {FAULTS} faults in force; take one away first.");
            return Err(invalid("kind", reason));
        }
        let added = world.faults.add(&world.database, &fault).await;
        added.map_err(silent)?;
        Ok(fault)
    }

    /// Takes a fault away.
    ///
    /// # Errors
    /// There is none of that name, or the book did not do its work.
    pub async fn remove_fault(&self, id: &str) -> Result<(), ControlError> {
        let removed = self.world.faults.remove(&self.world.database, id).await;
        if removed.map_err(silent)? {
            Ok(())
        } else {
            Err(ControlError::NotFound)
        }
    }

    /// Takes every fault away.
    pub async fn remove_faults(&self) -> Result<(), ProviderError> {
        let removed = self.world.faults.remove_all(&self.world.database).await;
        removed.map(drop).map_err(silent)
    }

    /// The newest authorizations, at most so many.
    pub async fn authorizations(
        &self,
        limit: u32,
    ) -> Result<Vec<AuthorizationView>, ProviderError> {
        let database = &self.world.database;
        let entries = book::newest(database, limit.min(LISTED)).await;
        let entries = entries.map_err(silent)?;
        let now_ms = self.world.clock.now_ms_i64();
        let mut accounts = HashMap::new();
        for entry in &entries {
            if accounts.contains_key(&entry.account) {
                continue;
            }
            let stored = book::account(database, &entry.account).await;
            // A persona that nothing limits is paid with before its account is ever written.
            let fresh = || persona::of_account(&entry.account)?.account(now_ms);
            if let Some(account) = stored.map_err(silent)?.or_else(fresh) {
                accounts.insert(entry.account.clone(), account);
            }
        }
        let entries = entries.into_iter();
        Ok(entries
            .map(|entry| authorization(entry, &accounts))
            .collect())
    }
}
