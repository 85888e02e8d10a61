//! Testers read and change the bank, in test mode only.

mod account_request;
mod fault_request;
#[cfg(test)]
mod tests;

pub use account_request::AccountRequest;
pub use fault_request::FaultRequest;

use super::account::{Account, AccountKind, AccountStatus, Enrolment};
use super::credential::CredentialView;
use super::fault::{Fault, Faults};
use super::issuer::letters;
use super::journal::Authorization;
use super::persona::{self, Persona};
use super::{SimulatedBank, simulation::Simulation};
use sealpay_provider::ProviderError;
use serde::Serialize;
use utoipa::ToSchema;

/// Maximum number of faults in force: every request looks at all of them.
const FAULTS: usize = 100;

/// Maximum number of accounts or authorizations that are listed at once.
const LISTED: u32 = 200;

/// Why the bank did not do what a tester requested, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlError {
    /// There is none with this name.
    NotFound,
    /// A member of the request is invalid.
    Invalid {
        /// The id.
        field: &'static str,
        /// A sentence that says why.
        reason: String,
    },
    /// The bank's journal failed.
    Provider(ProviderError),
}

impl From<ProviderError> for ControlError {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

pub(crate) fn invalid(field: &'static str, reason: impl Into<String>) -> ControlError {
    ControlError::Invalid {
        field,
        reason: reason.into(),
    }
}

/// An account, for testers. Amounts are minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountView {
    /// The account's name: `persona:` and the name of the persona, or a keyed fingerprint of the
    /// card.
    pub id: String,
    /// The persona that owns the account.
    pub persona: Option<String>,
    /// The name on the card.
    pub holder: String,
    /// The bank that issued the card.
    pub issuer: String,
    /// The brand's slug.
    pub brand: String,
    /// The last four digits of the card.
    pub last4: String,
    /// The country of the account (ISO 3166-1).
    pub country: String,
    /// ISO 4217.
    pub currency: String,
    /// Debit or credit.
    pub kind: AccountKind,
    /// The status of the account.
    pub status: AccountStatus,
    /// The balance; a negative balance is owed to the bank.
    pub balance_minor: i64,
    /// The part of the balance that is on hold.
    pub held_minor: i64,
    /// What is still available; null means no limit.
    pub available_minor: Option<i64>,
    /// The credit limit; null means no limit.
    pub credit_limit_minor: Option<i64>,
    /// Maximum amount of one payment.
    pub per_transaction_limit_minor: Option<i64>,
    /// Maximum number of payments in a day (UTC).
    pub daily_count_limit: Option<i64>,
    /// Maximum total of payments in a day (UTC).
    pub daily_sum_limit_minor: Option<i64>,
    /// The day of the next two counters, in days since 1970.
    pub day: i64,
    /// Payments approved on that day.
    pub day_count: i64,
    /// Their total amount.
    pub day_sum_minor: i64,
    /// The issuer's response to an authentication request.
    pub enrolment: Enrolment,
    /// The phone number for one-time codes.
    pub phone: String,
    /// Wrong one-time codes in a row.
    pub wrong_codes: u32,
    /// Whether the bank has locked the account because of them.
    pub locked: bool,
    /// When codes are accepted again after five wrong ones, milliseconds since 1970.
    pub codes_refused_until_ms: Option<i64>,
    /// The stored cards of the account, the newest first; of a list, only the newest of all.
    pub credentials: Vec<CredentialView>,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            available_minor: account.available_minor(),
            locked: account.is_locked(),
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
            codes_refused_until_ms: Some(account.codes_refused_until_ms).filter(|ms| *ms > 0),
            credentials: Vec::new(),
        }
    }
}

impl SimulatedBank {
    /// The accounts of all personas, then the newest of other cards, at most so many.
    pub async fn accounts(&self, limit: u32) -> Result<Vec<AccountView>, ProviderError> {
        let stored = self.simulation.journal.accounts(limit.min(LISTED)).await?;
        let (personas, others): (Vec<_>, Vec<_>) = stored
            .into_iter()
            .partition(|account| account.persona.is_some());
        let now_ms = self.simulation.clock.now_ms_i64();
        let personas = persona::all().iter().filter_map(|persona| {
            let id = persona.account_id();
            let stored = personas.iter().find(|account| account.id == id);
            stored.cloned().or_else(|| persona.account(now_ms))
        });
        let mut accounts: Vec<_> = personas.chain(others).map(AccountView::from).collect();
        let stored = self.newest_credentials().await?;
        self.add_credentials(&mut accounts, stored).await?;
        Ok(accounts)
    }

    /// The account with a persona's name, or with an id.
    ///
    /// # Errors
    /// There is none, or the journal failed.
    pub async fn account(&self, name: &str) -> Result<AccountView, ControlError> {
        let account = self.find(name).await?;
        self.view(account).await
    }

    async fn view(&self, account: Account) -> Result<AccountView, ControlError> {
        let stored = self.credentials_of(&account.id).await?;
        let mut view = [AccountView::from(account)];
        self.add_credentials(&mut view, stored).await?;
        let [view] = view;
        Ok(view)
    }

    pub(crate) async fn find(&self, name: &str) -> Result<Account, ControlError> {
        let id = persona::named(name).map(Persona::account_id);
        let found = self.simulation.account(id.as_deref().unwrap_or(name));
        found.await?.ok_or(ControlError::NotFound)
    }

    /// Changes the account with a persona's name, or with an id; gives the changed account.
    ///
    /// # Errors
    /// There is none, the request is invalid, or the journal failed.
    pub async fn change_account(
        &self,
        name: &str,
        request: AccountRequest,
    ) -> Result<AccountView, ControlError> {
        let account = self.find(name).await?;
        let persona = account.persona.as_deref().and_then(persona::named);
        if let Some(persona) = persona.filter(|persona| persona.fixed_outcome().is_some())
            && let Some(field) = request.first_payment_field()
        {
            let outcome = &persona.outcome;
            let reason = format!(
                "The outcome of this persona is always {outcome}; its account has no say in it."
            );
            return Err(invalid(field, reason));
        }
        request.check(account.kind)?;
        let journal = &self.simulation.journal;
        let changed = journal.change_account(account, request).await?;
        self.view(changed).await
    }

    /// The faults in force, the oldest first.
    pub async fn faults(&self) -> Result<Vec<Fault>, ProviderError> {
        let simulation = &self.simulation;
        simulation.faults.refresh(&simulation.journal).await
    }

    /// The faults that have applied as often as was requested, the newest first.
    pub async fn spent_faults(&self) -> Result<Vec<Fault>, ProviderError> {
        Faults::spent(&self.simulation.journal).await
    }

    /// Adds a fault.
    ///
    /// # Errors
    /// The request is invalid, there are too many faults, or the journal failed.
    pub async fn add_fault(&self, request: FaultRequest) -> Result<Fault, ControlError> {
        let Simulation {
            journal,
            clock,
            rng,
            faults,
            ..
        } = self.simulation.as_ref();
        let id = ["flt_", &letters(&rng.bytes::<10>())].concat();
        let fault = request.fault(id, clock.now_ms_i64())?;
        if self.faults().await?.len() >= FAULTS {
            let reason = format!("There are {FAULTS} faults in force; take one away first.");
            return Err(invalid("kind", reason));
        }
        faults.add(journal, &fault).await?;
        Ok(fault)
    }

    /// Removes a fault.
    ///
    /// # Errors
    /// There is none with this id, or the journal failed.
    pub async fn remove_fault(&self, id: &str) -> Result<(), ControlError> {
        let simulation = &self.simulation;
        match simulation.faults.remove(&simulation.journal, id).await? {
            true => Ok(()),
            false => Err(ControlError::NotFound),
        }
    }

    /// Removes every fault.
    pub async fn remove_faults(&self) -> Result<(), ProviderError> {
        let simulation = &self.simulation;
        simulation.faults.remove_all(&simulation.journal).await
    }

    /// The newest authorizations, at most so many.
    pub async fn authorizations(&self, limit: u32) -> Result<Vec<Authorization>, ProviderError> {
        let journal = &self.simulation.journal;
        journal.authorizations(limit.min(LISTED)).await
    }
}
