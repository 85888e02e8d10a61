//! Personas: test cards with a name. Each has one outcome, or an account in a known state, and
//! keeps it in later versions.

use super::account::{Account, AccountKind, AccountStatus, Enrolment};
use super::issuer;
use super::outcome::{self, SimulatedOutcome};
use super::renewals::Renewals;
use sealpay_protocol::card::CardNumber;
use sealpay_protocol::currency::Currency;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use utoipa::ToSchema;

/// The outcome of a persona whose account decides.
pub const BY_ACCOUNT: &str = "account";

/// A test card with a name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// The stable name.
    pub name: String,
    /// The display name.
    pub title: String,
    /// The test card's number.
    pub number: String,
    /// The brand's slug.
    pub brand: String,
    /// The outcome at the bank: its name, or `account` if the account decides.
    pub outcome: String,
    /// A description.
    pub description: String,
    /// The initial account, if the account decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Terms>,
    /// What becomes of later payments if the card is stored; the account decides if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewals: Option<Renewals>,
}

/// The initial account of a persona. Omitted limits do not apply.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// Debit or credit; credit if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<AccountKind>,
    /// The status; active if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
    /// The currency of every amount; the issuer's if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub currency: Option<Currency>,
    /// The country of the account; the issuer's if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The balance, minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance_minor: Option<i64>,
    /// The credit limit, minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_limit_minor: Option<i64>,
    /// Maximum amount of one payment, minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_transaction_limit_minor: Option<i64>,
    /// Maximum number of payments in a day (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_count_limit: Option<i64>,
    /// Maximum total of payments in a day (UTC), minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_sum_limit_minor: Option<i64>,
    /// The issuer's response to an authentication request; frictionless if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<Enrolment>,
    /// Wrong one-time codes in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong_codes: Option<u32>,
}

static PERSONAS: LazyLock<Vec<Persona>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty list never ships.
    serde_json::from_str(include_str!("../data/personas.json")).unwrap_or_default()
});

/// Every persona.
#[must_use]
pub fn all() -> &'static [Persona] {
    &PERSONAS
}

/// The persona of a name.
pub(crate) fn named(name: &str) -> Option<&'static Persona> {
    PERSONAS.iter().find(|persona| persona.name == name)
}

/// The persona with this card number.
pub(crate) fn of_card(number: &CardNumber) -> Option<&'static Persona> {
    let digits = number.digits();
    PERSONAS.iter().find(|persona| persona.number == digits)
}

/// The id of a persona's account is this prefix and its name.
const ACCOUNT_PREFIX: &str = "persona:";

/// The persona whose account has this id.
pub(crate) fn of_account(id: &str) -> Option<&'static Persona> {
    named(id.strip_prefix(ACCOUNT_PREFIX)?)
}

impl Persona {
    /// The id of its account.
    pub(crate) fn account_id(&self) -> String {
        [ACCOUNT_PREFIX, &self.name].concat()
    }

    fn outcome(&self) -> Option<SimulatedOutcome> {
        outcome::find(&self.outcome)
    }

    /// The outcome that does not depend on the account. None for personas that are approved, so that
    /// testers can block their accounts.
    pub(crate) fn fixed_outcome(&self) -> Option<SimulatedOutcome> {
        self.outcome().filter(|outcome| {
            let enrolment = outcome.enrolment;
            *outcome
                != SimulatedOutcome {
                    enrolment,
                    ..SimulatedOutcome::approved()
                }
        })
    }

    /// Whether its outcome is the same for every amount.
    pub(crate) fn is_promised(&self) -> bool {
        self.outcome != BY_ACCOUNT
    }

    /// Whether it demonstrates an authentication.
    pub(crate) fn stages_authentication(&self) -> bool {
        let by_outcome = self.outcome().and_then(|outcome| outcome.enrolment);
        let terms = self.account.as_ref();
        by_outcome.is_some() || terms.is_some_and(|terms| terms.enrolment.is_some())
    }

    /// Its account before the first payment. None where the number or its issuer is unknown, which a
    /// test excludes.
    pub(crate) fn account(&self, now_ms: i64) -> Option<Account> {
        let number = CardNumber::parse(&self.number).ok()?;
        let issuer = issuer::find(&number)?;
        let terms = self.account.clone().unwrap_or_default();
        let kind = terms.kind.unwrap_or(AccountKind::Credit);
        let currency = terms.currency.unwrap_or(issuer.currency);
        let debit = kind == AccountKind::Debit;
        let of_outcome = self.outcome().and_then(|outcome| outcome.enrolment);
        let place = PERSONAS
            .iter()
            .position(|persona| persona.name == self.name)?;
        Some(Account {
            persona: Some(self.name.clone()),
            holder: self.title.clone(),
            issuer: issuer.name.clone(),
            last4: number.last_four().to_owned(),
            brand: self.brand.clone(),
            country: terms.country.unwrap_or_else(|| issuer.country.clone()),
            kind,
            status: terms.status.unwrap_or(AccountStatus::Active),
            balance_minor: terms.balance_minor.unwrap_or(0),
            credit_limit_minor: terms.credit_limit_minor.or(debit.then_some(0)),
            per_transaction_limit_minor: terms.per_transaction_limit_minor,
            daily_count_limit: terms.daily_count_limit,
            daily_sum_limit_minor: terms.daily_sum_limit_minor,
            enrolment: of_outcome
                .or(terms.enrolment)
                .unwrap_or(Enrolment::Frictionless),
            // The country code 999 is not assigned (ITU-T E.164).
            phone: format!("+9990{place:07}"),
            wrong_codes: terms.wrong_codes.unwrap_or(0),
            ..Account::new(self.account_id(), currency, now_ms)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{BY_ACCOUNT, Persona, all, of_account, of_card};
    use crate::account::{AccountStatus, Enrolment};
    use crate::direct_debit::debtor;
    use crate::outcome::{AUTHENTICATION, DebitScenario, SPECIAL, find};
    use sealpay_protocol::card::CardNumber;
    use sealpay_provider::decline;
    use std::collections::HashSet;

    #[test]
    fn every_persona_has_a_card_of_its_brand_and_an_outcome_that_exists() {
        let members: [fn(&Persona) -> &str; 3] = [|p| &p.name, |p| &p.number, |p| &p.title];
        for member in members {
            let values: HashSet<_> = all().iter().map(member).collect();
            assert_eq!(values.len(), all().len());
        }
        for persona in all() {
            let number = CardNumber::parse(&persona.number).unwrap();
            let name = &persona.name;
            assert_eq!(number.brand().unwrap().slug(), persona.brand, "{name}");
            let by_account = persona.outcome == BY_ACCOUNT;
            let is_known = by_account || find(&persona.outcome).is_some();
            assert!(is_known, "{name}");
            assert_eq!(persona.account.is_some(), by_account, "{name}");
            assert_eq!(of_card(&number).unwrap().name, *name);
        }
    }

    #[test]
    fn every_outcome_has_a_persona() {
        let personas = all().iter().map(|persona| persona.outcome.as_str());
        let debtors = debtor::all().iter().map(|debtor| debtor.outcome.as_str());
        let reachable: HashSet<_> = personas.chain(debtors).collect();
        let keys = decline::all().iter().map(|decline| decline.key.as_str());
        for key in keys.filter(|key| find(key).is_some()) {
            assert!(reachable.contains(key), "{key}");
        }
        let special = SPECIAL.map(|(name, _)| name);
        let authentications = AUTHENTICATION.map(|(name, ..)| name);
        let special = special.into_iter().chain(authentications);
        for name in special.chain(DebitScenario::NAMES) {
            assert!(reachable.contains(name), "{name}");
        }
    }

    #[test]
    fn every_persona_has_an_account_of_its_own() {
        let accounts: Vec<_> = all()
            .iter()
            .map(|persona| persona.account(3).unwrap())
            .collect();
        let phones: HashSet<_> = accounts.iter().map(|account| &account.phone).collect();
        assert_eq!(phones.len(), accounts.len());
        for (persona, account) in all().iter().zip(&accounts) {
            assert_eq!(of_account(&account.id).unwrap().name, persona.name);
            let decides = persona.outcome == BY_ACCOUNT;
            assert!(decides || account.is_unlimited(), "{}", persona.name);
        }
        for status in AccountStatus::ALL {
            assert!(accounts.iter().any(|account| account.status == status));
        }
        for enrolment in Enrolment::ALL {
            let mut accounts = accounts.iter();
            let found = accounts.any(|account| account.enrolment == enrolment);
            // Every persona's issuer takes part.
            assert_eq!(found, enrolment != Enrolment::None, "{enrolment:?}");
        }
        assert!(accounts.iter().any(|account| account.is_locked()));
    }

    #[test]
    fn the_account_decides_for_personas_that_are_approved() {
        for persona in all() {
            let outcome = persona.fixed_outcome();
            let decides = matches!(
                persona.outcome.as_str(),
                BY_ACCOUNT
                    | "approved"
                    | "challenge_code"
                    | "challenge_passkey"
                    | "frictionless"
                    | "attempted"
                    | "authentication_unavailable"
            );
            assert_eq!(outcome.is_none(), decides, "{}", persona.name);
            assert_eq!(persona.is_promised(), persona.outcome != BY_ACCOUNT);
        }
    }
}
