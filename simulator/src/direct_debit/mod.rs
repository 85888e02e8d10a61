//! Simulated SEPA direct debits: a bank that collects from debtors, whose banks may reject, return
//! or refund the money later.

pub mod debtor;
mod schedule;
mod store;
#[cfg(test)]
mod tests;

use crate::SimulatedBank;
use crate::control::{ControlError, invalid};
use crate::fault::{RequestKind, pending_forever};
use crate::issuer::letters;
use crate::outcome::{DebitScenario, Directive, SimulatedOutcome, Transit};
use crate::simulation::Simulation;
use debtor::Debtor;
use schedule::schedule;
use sealpay_protocol::iban;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::direct_debit::{
    CollectionNews, CollectionRequest, ReasonCode, ReasonKind, SequenceType, is_mandate_reference,
};
use sealpay_provider::{
    CredentialReference, DirectDebitProvider, Inquiry, ModificationRequest, PaymentOperations,
    ProviderDecision, ProviderError, ProviderFuture, direct_debit,
};
use sealpay_storage::values;
use std::sync::Arc;
use store::{BankDebit, DebitState, DebtorRow, Refusal, Requested, StoredNews, Submission};

/// The name on payments.
pub const NAME: &str = "simulated_debit";

/// The bank that collects direct debits.
#[derive(Debug, Clone)]
pub struct SimulatedDirectDebits {
    simulation: Arc<Simulation>,
    /// The outcome that the order asks for.
    directive: Option<Directive>,
}

/// Why a request is declined whatever its debtor's outcome is.
fn malformed(request: &CollectionRequest<'_>) -> Option<&'static str> {
    let money = request.money;
    if money.currency().code() != "EUR" || money.amount_minor() <= 0 {
        return Some("invalid_amount");
    }
    let mandate = &request.mandate;
    let is_mandate = is_mandate_reference(mandate.reference) && !mandate.creditor.is_empty();
    (!is_mandate).then_some("debit_mandate_invalid")
}

impl SimulatedDirectDebits {
    pub(crate) const fn new(simulation: Arc<Simulation>, directive: Option<Directive>) -> Self {
        Self {
            simulation,
            directive,
        }
    }

    /// The persona of an account.
    ///
    /// # Errors
    /// Why it cannot be debited.
    async fn persona(
        &self,
        debtor: direct_debit::Debtor<'_>,
    ) -> Result<Result<Option<&'static Debtor>, &'static str>, ProviderError> {
        let is_test_mode = self.simulation.is_test_mode;
        let found = match debtor {
            direct_debit::Debtor::Account(account) => match iban::parse(account.iban) {
                Ok(plain) if plain.get(..2).is_some_and(iban::is_in_sepa) => {
                    Ok(debtor::of_account(&plain))
                }
                _ => Err("debit_account_invalid"),
            },
            direct_debit::Debtor::Credential(credential) => {
                let credential = values![credential.to_string()];
                let journal = &self.simulation.journal;
                let row: Option<DebtorRow> = journal.get(store::BY_CREDENTIAL, credential).await?;
                row.map(|row| row.debtor.as_deref().and_then(debtor::named))
                    .ok_or("debit_mandate_invalid")
            }
        };
        Ok(found.map(|persona| persona.filter(|_| is_test_mode)))
    }

    /// The credential that a collection stores: the same for each repetition.
    fn credential_of(&self, reference: PaymentId) -> Option<CredentialReference> {
        let payment = reference.to_string();
        let keyed = self.simulation.keyed("debtor account", payment.as_bytes());
        CredentialReference::new(["dba_", &letters(&keyed[..16])].concat()).ok()
    }

    fn submission(
        &self,
        request: &CollectionRequest<'_>,
        persona: Option<&Debtor>,
        (decline, scenario): (Option<String>, Option<DebitScenario>),
    ) -> Submission {
        let now_ms = self.simulation.clock.now_ms_i64();
        let date = schedule().collection_date(request.collect_on, now_ms);
        let (charged, stored) = match request.debtor {
            direct_debit::Debtor::Credential(credential) => (Some(credential.clone()), None),
            direct_debit::Debtor::Account(_) => {
                let stores = request.sequence == SequenceType::Frst;
                (
                    None,
                    self.credential_of(request.reference).filter(|_| stores),
                )
            }
        };
        let scheme = request.mandate.scheme;
        let fate = match scenario {
            Some(scenario) => schedule().fate(scenario, scheme, date),
            None => schedule().settled(date),
        };
        Submission {
            fate,
            charged,
            debit: BankDebit {
                state: match &decline {
                    Some(_) => DebitState::Declined,
                    None => DebitState::Accepted,
                },
                scheme,
                stored_credential: stored.as_ref().map(CredentialReference::to_string),
                collection_date: Some(date.to_string()),
                settles_at_ms: schedule().settles_at_ms(date),
                decline,
                ..BankDebit::tombstone(request.reference, request.money, now_ms)
            },
            stored: stored.map(|credential| DebtorRow {
                credential,
                debtor: persona.map(|persona| persona.name.clone()),
                collections: 1,
                created_at_ms: now_ms,
                revoked_at_ms: None,
            }),
        }
    }

    async fn submit(
        &self,
        request: CollectionRequest<'_>,
    ) -> Result<ProviderDecision, ProviderError> {
        let simulation = &self.simulation;
        let kind = RequestKind::Authorization;
        let applied = simulation.receive(kind, NAME, request.reference).await?;
        let found = self.persona(request.debtor).await?;
        let persona = found.ok().flatten();
        let directed = self.directive.as_ref().map(|directive| &directive.outcome);
        let outcome = directed.cloned();
        let outcome = outcome.or_else(|| persona.and_then(Debtor::simulated));
        let outcome = outcome.unwrap_or(SimulatedOutcome::approved());
        simulation.take_time(&outcome).await;
        if outcome.transit == Transit::Lost {
            return pending_forever().await;
        }
        let down = applied.issuer_down.then_some("issuer_unavailable");
        let reason = malformed(&request).or(found.err()).or(down);
        let decline = reason.or(outcome.decision.reason()).map(str::to_owned);
        let submission = self.submission(&request, persona, (decline, outcome.debit));
        let journal = &simulation.journal;
        let recorded = journal.write(submission, |tx, new| Box::pin(store::submit(tx, new)));
        let (stored, is_new) = recorded.await?;
        applied.send_response(!is_new).await;
        let is_same = stored.money == request.money;
        let duplicate = ProviderDecision::declined("duplicate_transaction");
        match stored.decision() {
            Some(_) if outcome.transit == Transit::ResponseLost => pending_forever().await,
            Some(decision) if is_same => Ok(decision),
            // An inquiry came first, or the amount is another one.
            _ => Ok(duplicate),
        }
    }

    async fn decision(&self, reference: PaymentId) -> Result<Inquiry, ProviderError> {
        let simulation = &self.simulation;
        simulation
            .receive(RequestKind::Inquiry, NAME, reference)
            .await?;
        let euro = "EUR".parse();
        let euro = euro.map_err(|_| ProviderError::OutcomeUnknown("no euro".into()))?;
        let now_ms = simulation.clock.now_ms_i64();
        let tombstone = BankDebit::tombstone(reference, Money::new(0, euro), now_ms);
        let journal = &simulation.journal;
        let asked = journal.write(tombstone, |tx, one| Box::pin(store::inquire(tx, one)));
        let decision = asked.await?;
        Ok(decision.map_or(Inquiry::NeverReceived, Inquiry::Answered))
    }
}

impl PaymentOperations for SimulatedDirectDebits {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        Box::pin(self.simulation.modify(NAME, request, |tx, change| {
            Box::pin(store::decide(tx, change))
        }))
    }
}

impl DirectDebitProvider for SimulatedDirectDebits {
    fn name(&self) -> &str {
        NAME
    }

    fn collect<'a>(
        &'a self,
        request: CollectionRequest<'a>,
    ) -> ProviderFuture<'a, ProviderDecision> {
        Box::pin(self.submit(request))
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(self.decision(reference))
    }

    fn news(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<CollectionNews>> {
        Box::pin(async move {
            let due = self
                .simulation
                .journal
                .list(store::DUE, values![by_ms, limit]);
            let due: Vec<StoredNews> = due.await?;
            Ok(due.into_iter().map(CollectionNews::from).collect())
        })
    }

    fn acknowledge<'a>(&'a self, id: &'a str) -> ProviderFuture<'a, ()> {
        Box::pin(async move {
            let journal = &self.simulation.journal;
            let done = journal.change(store::ACKNOWLEDGE, values![id.to_owned()]);
            done.await.map(drop)
        })
    }

    fn revoke<'a>(&'a self, credential: &'a CredentialReference) -> ProviderFuture<'a, ()> {
        Box::pin(async move {
            let now_ms = self.simulation.clock.now_ms_i64();
            let journal = &self.simulation.journal;
            let revoked = journal.change(store::REVOKE, values![credential.to_string(), now_ms]);
            revoked.await.map(drop)
        })
    }
}

impl SimulatedBank {
    /// When the first news of a direct debit after a time is due, milliseconds since 1970.
    ///
    /// # Errors
    /// The journal failed.
    pub async fn next_debit_news_ms(&self, after_ms: i64) -> Result<Option<i64>, ProviderError> {
        let journal = &self.simulation.journal;
        let found: Option<(Option<i64>,)> = journal.get(store::NEXT_DUE, values![after_ms]).await?;
        Ok(found.and_then(|(due_ms,)| due_ms))
    }

    /// The news of direct debits that is not acknowledged yet, and when it is due, milliseconds since
    /// 1970; the next first.
    ///
    /// # Errors
    /// The journal failed.
    pub async fn upcoming_debit_news(
        &self,
        limit: u32,
    ) -> Result<Vec<(PaymentId, i64)>, ProviderError> {
        let journal = &self.simulation.journal;
        journal.list(store::UPCOMING, values![limit]).await
    }

    /// The debtor's bank rejects, returns or refunds a collection now, in place of what was to
    /// happen later.
    ///
    /// # Errors
    /// There is no accepted collection, it is too early or too late, the scheme has no such
    /// R-transaction, or the journal failed.
    pub async fn reverse_debit(
        &self,
        reference: PaymentId,
        kind: ReasonKind,
        code: ReasonCode,
    ) -> Result<(), ControlError> {
        if !code.is_for(kind) {
            let reason = format!("{} is no reason to {}.", code.name(), kind.name());
            return Err(invalid("reason", reason));
        }
        let requested = Requested {
            reference,
            kind,
            code,
            now_ms: self.simulation.clock.now_ms_i64(),
        };
        let journal = &self.simulation.journal;
        let reversed = journal.write(requested, |tx, one| Box::pin(store::reverse(tx, one)));
        match reversed.await? {
            Ok(()) => Ok(()),
            Err(Refusal::Unknown) => Err(ControlError::NotFound),
            Err(Refusal::NotNow) => {
                let reason =
                    "It is too early or too late, or the scheme has no such R-transaction.";
                Err(invalid("type", reason))
            }
        }
    }
}
