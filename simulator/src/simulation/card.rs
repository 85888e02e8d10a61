//! Authorizes a card, typed or stored, for an acquirer.

use super::{Scenario, Simulation};
use crate::account::Account;
use crate::credential::CardUpdate;
use crate::fault::{RequestKind, pending_forever};
use crate::journal::{
    AuthorizationInput, BankCredential, Charge, CredentialStep, NewCredential, StoredUpdate,
};
use crate::outcome::{SimulatedOutcome, Transit};
use crate::persona::{self, Persona};
use sealpay_protocol::card::{Brand, Card};
use sealpay_protocol::currency::Currency;
use sealpay_provider::acquirer::UNKNOWN_BRAND;
use sealpay_provider::authentication::AuthenticationStatus;
use sealpay_provider::credential::Initiator;
use sealpay_provider::{
    AcquirerTerms, AuthorizationRequest, CardSource, CredentialReference, CredentialUse,
    ProviderDecision, ProviderError,
};

/// What an acquirer passes on to the issuer.
pub(crate) struct CardAuthorization<'a> {
    /// Those of the acquirer.
    pub(crate) terms: &'static AcquirerTerms,
    /// The outcome that the order asks for.
    pub(crate) directed: Option<&'a SimulatedOutcome>,
    pub(crate) request: AuthorizationRequest<'a>,
}

/// The owner of a card.
struct Cardholder {
    /// As it is when it is new.
    account: Account,
    persona: Option<&'static Persona>,
    /// The brand's slug.
    brand: String,
}

/// The reason to decline a request that the acquirer does not pass on.
fn malformed(request: &AuthorizationRequest<'_>) -> Option<&'static str> {
    let is_wrong = match (request.source, &request.stored_credential) {
        (CardSource::Credential(_), None) => true,
        (_, None) => false,
        (source, Some(stored)) => {
            let by_merchant = stored.initiator == Initiator::Merchant;
            let is_typed = source.card().is_some();
            by_merchant && (is_typed || stored.store || stored.network_transaction_id.is_none())
        }
    };
    is_wrong.then_some("invalid_transaction")
}

impl Simulation {
    /// The owner of a card; none where the acquirer has no such credential.
    async fn cardholder(
        &self,
        acquirer: &str,
        source: CardSource<'_>,
    ) -> Result<Option<Cardholder>, ProviderError> {
        let reference = match source {
            CardSource::Card(card) => {
                return Ok(Some(Cardholder {
                    account: self.fresh_account(&card.number)?,
                    persona: self.persona_of(&card.number),
                    brand: slug(card).to_owned(),
                }));
            }
            CardSource::Credential(reference) => reference,
        };
        let found = self.journal.credential(reference).await?;
        let Some(credential) = found.filter(|found| found.provider == acquirer) else {
            return Ok(None);
        };
        let persona = persona::of_account(&credential.account).filter(|_| self.is_test_mode);
        let account = match persona {
            Some(persona) => persona.account(self.clock.now_ms_i64()),
            None => self.journal.account(&credential.account).await?,
        };
        Ok(account.map(|account| Cardholder {
            account,
            persona,
            brand: credential.brand,
        }))
    }

    /// The account of a typed or a stored card, inserted where it is new.
    pub(crate) async fn account_of_source(
        &self,
        source: CardSource<'_>,
    ) -> Result<Account, ProviderError> {
        let reference = match source {
            CardSource::Card(card) => return self.account_of(&card.number).await,
            CardSource::Credential(reference) => reference,
        };
        let unknown = || ProviderError::NotSent("there is no such credential".into());
        let credential = self.journal.credential(reference).await?;
        let account = credential.ok_or_else(unknown)?.account;
        self.account(&account).await?.ok_or_else(unknown)
    }

    /// What the request does with a stored card.
    fn credential_step(
        &self,
        acquirer: &str,
        request: &AuthorizationRequest<'_>,
        cardholder: &Cardholder,
    ) -> Option<CredentialStep> {
        let stored = request.stored_credential.as_ref()?;
        let renewals = cardholder
            .persona
            .and_then(|persona| persona.renewals.as_ref());
        match request.source {
            CardSource::Card(card) if stored.store => {
                let reference = self.credential_of(acquirer, request.reference)?;
                let mut new = self.new_credential((acquirer, reference), card, stored, cardholder);
                if renewals.is_some_and(|own| own.update == Some(CardUpdate::Replaced)) {
                    new.planned = Some(self.planned_replacement(&new.credential));
                }
                Some(CredentialStep::Store(Box::new(new)))
            }
            CardSource::Card(_) => None,
            CardSource::Credential(reference) => {
                let id = stored.network_transaction_id;
                let authentication = request.authentication;
                Some(CredentialStep::Charge(Charge {
                    reference: reference.clone(),
                    is_by_merchant: stored.initiator == Initiator::Merchant,
                    network_transaction_id: id.map(str::to_owned),
                    is_authenticated: authentication.is_some_and(|authentication| {
                        authentication.status == AuthenticationStatus::Authenticated
                    }),
                    store: stored.store,
                    renewals,
                }))
            }
        }
    }

    fn new_credential(
        &self,
        (acquirer, reference): (&str, CredentialReference),
        card: &Card,
        stored: &CredentialUse<'_>,
        cardholder: &Cardholder,
    ) -> NewCredential {
        NewCredential {
            credential: BankCredential {
                reference,
                provider: acquirer.to_owned(),
                account: cardholder.account.id.clone(),
                kind: stored.kind,
                brand: cardholder.brand.clone(),
                last4: card.number.last_four().to_owned(),
                expiry: card.expiry.year_month(),
                charges: 0,
                authenticated_charges: 0,
                created_at_ms: self.clock.now_ms_i64(),
                revoked_at_ms: None,
            },
            planned: None,
        }
    }

    /// The replacement of a card at the beginning of the month in which it expires.
    fn planned_replacement(&self, credential: &BankCredential) -> StoredUpdate {
        let due = credential.expiry.first_unix_second().saturating_mul(1000);
        let due_at_ms = i64::try_from(due).unwrap_or(i64::MAX);
        let due_at_ms = due_at_ms.max(credential.created_at_ms);
        let card = self.replacement((&credential.account, &credential.last4), due_at_ms);
        let about = (&credential.reference, credential.provider.as_str());
        StoredUpdate::new(about, CardUpdate::Replaced, Some(card), due_at_ms)
    }

    /// Authorizes a card for an acquirer.
    pub(crate) async fn authorize_card(
        &self,
        authorization: CardAuthorization<'_>,
    ) -> Result<ProviderDecision, ProviderError> {
        let CardAuthorization {
            terms,
            directed,
            request,
        } = authorization;
        let acquirer = &terms.name;
        let kind = RequestKind::Authorization;
        let faults = self.apply_faults(kind, Some(acquirer), request.reference);
        let applied = faults.await?;
        let found = self.cardholder(acquirer, request.source).await?;
        let refused = malformed(&request).or(found.is_none().then_some("invalid_number"));
        let currency = request.money.currency();
        let cardholder = found.unwrap_or_else(|| self.nobody(currency));
        let persona = cardholder.persona;
        let by_persona = || persona.and_then(Persona::fixed_outcome);
        let promised = persona.is_some_and(Persona::is_promised);
        let by_amount = || self.outcome_of(request.money).filter(|_| !promised);
        let outcome = directed.cloned().or_else(by_persona).or_else(by_amount);
        let Scenario {
            mut decision,
            transit,
        } = self.run_scenario(outcome, &applied).await;
        let is_declined = matches!(decision, Some(ProviderDecision::Declined(_)));
        if !terms.takes(&cardholder.brand, currency) && !is_declined {
            decision = Some(ProviderDecision::declined("not_permitted_terminal"));
        }
        if let Some(reason) = refused {
            decision = Some(ProviderDecision::declined(reason));
        }
        if transit == Transit::Lost {
            return pending_forever().await;
        }
        let step = match refused {
            Some(_) => None,
            None => self.credential_step(acquirer, &request, &cardholder),
        };
        let (reference, capture) = (request.reference, request.capture);
        let input = AuthorizationInput {
            provider: acquirer.clone(),
            reference,
            codes: self.approval_codes(acquirer, reference, &cardholder.brand, capture),
            account: cardholder.account,
            money: request.money,
            capture,
            decision,
            now_ms: self.clock.now_ms_i64(),
        };
        let recorded = match step {
            None => self.journal.authorize(input).await?,
            Some(step) => self.journal.authorize_credential(input, step).await?,
        };
        match recorded {
            // An inquiry came first: nothing is recorded for a request that arrives later.
            None => Ok(ProviderDecision::declined("duplicate_transaction")),
            Some(_) if transit == Transit::ResponseLost => pending_forever().await,
            Some(decision) => Ok(decision),
        }
    }

    /// Stands in for the owner of an unknown credential; the request is declined.
    fn nobody(&self, currency: Currency) -> Cardholder {
        Cardholder {
            account: Account::new(String::new(), currency, self.clock.now_ms_i64()),
            persona: None,
            brand: UNKNOWN_BRAND.to_owned(),
        }
    }
}

fn slug(card: &Card) -> &'static str {
    card.number.brand().map_or(UNKNOWN_BRAND, Brand::slug)
}
