//! A synchronous provider with only the standard library and one file: cards and operations on
//! their payments. It uses nothing of the simulator, to show that the traits suffice.

use super::credentials::{repeated, stores_anyway};
use super::journal::{Authorized, Event, Journal, Mutant};
use sealpay_protocol::card::Brand;
use sealpay_protocol::check_digits::with_check_digits;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::acquirer::UNKNOWN_BRAND;
use sealpay_provider::conformance::Transmission;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{
    AcquirerFee, AcquirerTerms, Approval, AuthorizationRequest, CardSource, CredentialReference,
    CredentialVault, Inquiry, ModificationRequest, PaymentOperations, PaymentProvider,
    ProviderDecision, ProviderFuture,
};
use std::future::poll_fn;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// The card that is always declined.
pub(super) const DECLINED: &str = "4000000000000002";

/// Number of polls before a late message arrives.
pub(super) const LATE_POLLS: u32 = 4;

pub(super) struct FileBank {
    pub(super) journal: Mutex<Journal>,
    /// How the next message is delivered.
    pub(super) next: Arc<Mutex<Option<Transmission>>>,
    clock: Arc<AtomicI64>,
    terms: AcquirerTerms,
    pub(super) mutant: Mutant,
}

pub(super) fn declined(reason: &str) -> ProviderDecision {
    ProviderDecision::declined(reason)
}

/// A payment to record.
pub(super) struct Authorization<'a> {
    pub(super) reference: String,
    pub(super) money: Money,
    pub(super) capture: Capture,
    pub(super) decline: Option<&'a str>,
    /// The codes, if it is approved.
    pub(super) approval: Approval,
    pub(super) series: Option<CredentialReference>,
}

fn decide(payment: &Authorized, request: ModificationRequest, mutant: Mutant) -> ProviderDecision {
    let amount_minor = request.money.amount_minor();
    let fits = |most_minor: i64| {
        payment.currency == request.money.currency().code()
            && (1..=most_minor).contains(&amount_minor)
    };
    let refundable_minor = payment.captured_minor - payment.refunded_minor;
    let authorized_minor = payment.amount_minor - payment.captured_minor;
    let is_whole = authorized_minor == 0;
    match request.kind {
        ModificationKind::Capture if !payment.is_open => declined("invalid_transaction"),
        ModificationKind::Capture if mutant == Mutant::CapturesTooMuch => {
            ProviderDecision::approved()
        }
        ModificationKind::Capture if !fits(authorized_minor) => declined("invalid_amount"),
        ModificationKind::Void | ModificationKind::Expiry if is_whole => {
            declined("invalid_transaction")
        }
        ModificationKind::Refund if payment.captured_minor == 0 => declined("invalid_transaction"),
        ModificationKind::Refund if !fits(refundable_minor) => declined("invalid_amount"),
        _ => ProviderDecision::approved(),
    }
}

impl FileBank {
    pub(super) fn open(
        path: &Path,
        clock: Arc<AtomicI64>,
        next: Arc<Mutex<Option<Transmission>>>,
        mutant: Mutant,
    ) -> Self {
        let terms = AcquirerTerms {
            name: "file_bank".into(),
            title: "File Bank".into(),
            country: "DE".into(),
            brands: vec!["visa".into()],
            currencies: vec!["EUR".into()],
            fee: AcquirerFee {
                basis_points: 0,
                fixed_minor: 0,
            },
        };
        Self {
            journal: Mutex::new(Journal::open(path, mutant)),
            next,
            clock,
            terms,
            mutant,
        }
    }

    /// Simulates message loss around one synchronous step of the bank.
    pub(super) fn send<'a, T: Send + 'a>(
        &'a self,
        act: impl FnOnce() -> T + Send + 'a,
    ) -> ProviderFuture<'a, T> {
        Box::pin(async move {
            let transmission = self.next.lock().unwrap().take();
            match transmission {
                Some(Transmission::RequestLost) => return std::future::pending().await,
                Some(Transmission::Late) => arrive_after(LATE_POLLS).await,
                Some(Transmission::ResponseLost) | None => {}
            }
            let answer = act();
            if transmission == Some(Transmission::ResponseLost) {
                return std::future::pending().await;
            }
            Ok(answer)
        })
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn authorize_now(&self, request: &AuthorizationRequest<'_>) -> ProviderDecision {
        let refused = self.refuse_credential(request);
        let (brand, digits) = match request.source {
            CardSource::Card(card) => {
                let brand = card.number.brand().map_or(UNKNOWN_BRAND, Brand::slug);
                (brand.to_owned(), card.number.digits())
            }
            CardSource::Credential(reference) => {
                let brand = self.stored_card(reference).map(|card| card.brand);
                (brand.unwrap_or_else(|| UNKNOWN_BRAND.into()), "")
            }
        };
        let takes_it = self.terms.takes(&brand, request.money.currency());
        let decline = match digits {
            DECLINED => Some("do_not_honor"),
            _ if !takes_it && self.mutant != Mutant::IgnoresItsTerms => {
                Some("not_permitted_terminal")
            }
            _ => None,
        };
        let decline = refused.or(decline);
        let (approval, stored, series) = self.approval(request);
        let authorization = Authorization {
            reference: request.reference.to_string(),
            money: request.money,
            capture: request.capture,
            decline,
            approval,
            series,
        };
        if decline.is_some() {
            stores_anyway(self, request);
        }
        self.record(authorization, stored)
    }

    /// Authorizes unless the reference is already recorded.
    pub(super) fn record(
        &self,
        authorization: Authorization<'_>,
        stored_card: Option<Event>,
    ) -> ProviderDecision {
        let Authorization {
            reference,
            money,
            capture,
            decline,
            approval,
            series,
        } = authorization;
        let mut journal = self.journal.lock().unwrap();
        let is_given_up = journal.book.tombstones.contains(&reference);
        if is_given_up && self.mutant != Mutant::IgnoresTombstones {
            return declined("duplicate_transaction");
        }
        let stands = journal.book.decisions.get(&reference).cloned();
        let forgets = matches!(
            self.mutant,
            Mutant::ForgetsReferences | Mutant::LooksTooEarly
        );
        let stands = stands.filter(|_| !forgets);
        let is_doubled = self.mutant == Mutant::ReservesDuplicates
            && stands.as_ref().is_some_and(ProviderDecision::is_approved);
        if let Some(stands) = stands
            && !is_doubled
        {
            return repeated(self.mutant, stands);
        }
        let decline = decline.map(str::to_owned);
        let answer = match &decline {
            None => ProviderDecision::Approved(approval.clone()),
            Some(reason) => declined(reason),
        };
        if let (true, Some(stored)) = (answer.is_approved(), stored_card) {
            journal.append(stored);
        }
        journal.append(Event::Authorization {
            reference,
            amount_minor: money.amount_minor(),
            currency: money.currency().code().to_owned(),
            is_captured: capture == Capture::Automatic,
            decline,
            approval,
            series,
        });
        answer
    }

    pub(super) fn inquire_now(&self, reference: PaymentId) -> Inquiry {
        let mut journal = self.journal.lock().unwrap();
        let reference = reference.to_string();
        match journal.book.decisions.get(&reference) {
            Some(decision) => Inquiry::Answered(decision.clone()),
            None => {
                journal.append(Event::Tombstone { reference });
                Inquiry::NeverReceived
            }
        }
    }

    pub(super) fn modify_now(&self, request: ModificationRequest) -> ProviderDecision {
        let mut journal = self.journal.lock().unwrap();
        let (id, reference) = (
            request.modification.to_string(),
            request.payment.to_string(),
        );
        let repeats =
            self.mutant == Mutant::RepeatsRefunds && request.kind == ModificationKind::Refund;
        if let Some(answer) = journal.book.operations.get(&id)
            && !repeats
        {
            return answer.clone();
        }
        let answer = match (journal.book.payments.get(&reference), request.kind) {
            (Some(payment), _) => decide(payment, request, self.mutant),
            // The payment request may still be in transit.
            (None, ModificationKind::Void | ModificationKind::Expiry) => {
                journal.append(Event::Tombstone {
                    reference: reference.clone(),
                });
                ProviderDecision::approved()
            }
            (None, _) => declined("invalid_transaction"),
        };
        journal.append(Event::Operation {
            id,
            reference,
            kind: request.kind,
            amount_minor: request.money.amount_minor(),
            is_final: request.is_final,
            decline: answer.reason().map(str::to_owned),
        });
        answer
    }
}

/// Completes after this number of polls.
async fn arrive_after(waits: u32) {
    let mut polls = 0;
    poll_fn(|context| {
        polls += 1;
        context.waker().wake_by_ref();
        match polls > waits {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

impl PaymentProvider for FileBank {
    fn terms(&self) -> &AcquirerTerms {
        &self.terms
    }

    fn credentials(&self) -> Option<&dyn CredentialVault> {
        Some(self)
    }

    fn authorize<'a>(
        &'a self,
        request: AuthorizationRequest<'a>,
    ) -> ProviderFuture<'a, ProviderDecision> {
        if self.mutant != Mutant::LooksTooEarly {
            return self.send(move || self.authorize_now(&request));
        }
        Box::pin(async move {
            let known = {
                let journal = self.journal.lock().unwrap();
                let reference = request.reference.to_string();
                journal.book.decisions.get(&reference).cloned()
            };
            arrive_after(1).await;
            Ok(known.unwrap_or_else(|| self.authorize_now(&request)))
        })
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move { Ok(self.inquire_now(reference)) })
    }
}

impl PaymentOperations for FileBank {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        self.send(move || self.modify_now(request))
    }
}

/// A valid account number at a fictional bank.
pub(super) fn iban(number: usize) -> String {
    with_check_digits("DE", &format!("00000000{number:010}"))
}
