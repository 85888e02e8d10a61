//! Direct debits of the file-backed bank: what becomes of a collection follows from the account.

use super::bank::{FileBank, declined};
use super::journal::{Event, Mutant, decision};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use sealpay_protocol::iban;
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::conformance::DebtorKind;
use sealpay_provider::direct_debit::{
    CollectionNews, CollectionRequest, CollectionStatus, Debtor, ReasonCode, SequenceType,
    is_mandate_reference,
};
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{
    Approval, CredentialReference, DirectDebitProvider, Inquiry, ModificationRequest,
    PaymentOperations, ProviderDecision, ProviderFuture,
};
use std::sync::Arc;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The accounts of the suite's debtors.
const DEBTORS: [(DebtorKind, &str); 5] = [
    (DebtorKind::Settled, "DE89370400440532013000"),
    (DebtorKind::Declined, "NL91ABNA0417164300"),
    (DebtorKind::Rejected, "AT611904300234573201"),
    (DebtorKind::Returned, "FR1420041010050500013M02606"),
    (DebtorKind::Refunded, "BE68539007547034"),
];

pub(super) fn debtor(kind: DebtorKind) -> &'static str {
    let found = DEBTORS.iter().find(|(of, _)| *of == kind);
    found.map(|(_, iban)| *iban).expect("every kind has a row")
}

/// The first weekday from a date on.
fn weekday_from(mut date: Date) -> Date {
    while matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
        date = date.tomorrow().unwrap();
    }
    date
}

fn settles_at_ms(date: &str) -> i64 {
    let date: Date = date.parse().unwrap();
    let morning = date.at(8, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap();
    morning.timestamp().as_millisecond()
}

/// A collection as the journal has it.
#[derive(Clone)]
struct Collection {
    place: usize,
    reference: String,
    amount_minor: i64,
    date: String,
    account: usize,
    credential: Option<CredentialReference>,
    decline: Option<String>,
}

impl Collection {
    fn decision(&self) -> ProviderDecision {
        match &self.decline {
            Some(reason) => declined(reason),
            None => ProviderDecision::Approved(Approval {
                credential: self.credential.clone(),
                collection_date: Some(self.date.parse().unwrap()),
                ..Approval::NONE
            }),
        }
    }

    /// What becomes of it, and when.
    fn fate(&self) -> Vec<(CollectionStatus, i64)> {
        let settles_ms = settles_at_ms(&self.date);
        let settled = (CollectionStatus::Settled, settles_ms);
        match DEBTORS[self.account].0 {
            DebtorKind::Settled | DebtorKind::Declined => vec![settled],
            DebtorKind::Rejected => {
                let rejected = CollectionStatus::Rejected(ReasonCode::Ms03);
                vec![(rejected, settles_ms - 1)]
            }
            DebtorKind::Returned => {
                let returned = CollectionStatus::Returned(ReasonCode::Am04);
                vec![settled, (returned, settles_ms + 3 * DAY_MS)]
            }
            DebtorKind::Refunded => {
                let refunded = CollectionStatus::Refunded(ReasonCode::Md06);
                vec![settled, (refunded, settles_ms + 20 * DAY_MS)]
            }
        }
    }
}

/// The bank as a collector of direct debits.
pub(super) struct Debits(pub(super) Arc<FileBank>);

impl Debits {
    fn collections(&self) -> Vec<Collection> {
        let journal = self.0.journal.lock().unwrap();
        let events = journal.book.events.iter().enumerate();
        let collections = events.filter_map(|(place, event)| match event {
            Event::Debit {
                reference,
                amount_minor,
                date,
                account,
                credential,
                decline,
            } => Some(Collection {
                place,
                reference: reference.clone(),
                amount_minor: *amount_minor,
                date: date.clone(),
                account: *account,
                credential: credential.clone(),
                decline: decline.clone(),
            }),
            _ => None,
        });
        collections.collect()
    }

    fn collection(&self, reference: PaymentId) -> Option<Collection> {
        let reference = reference.to_string();
        let mut all = self.collections().into_iter();
        all.find(|collection| collection.reference == reference)
    }

    /// The approved operations on a collection: their kinds, amounts and times.
    fn operations(&self, reference: &str) -> Vec<(ModificationKind, i64, i64)> {
        let journal = self.0.journal.lock().unwrap();
        let events = journal.book.events.iter();
        let done = events.filter_map(|event| match event {
            Event::DebitOperation {
                reference: of,
                kind,
                amount_minor,
                at_ms,
                decline: None,
                ..
            } if of == reference => Some((*kind, *amount_minor, *at_ms)),
            _ => None,
        });
        done.collect()
    }

    /// What happens to a collection, with the operations on it.
    fn happens(&self, collection: &Collection) -> Vec<(CollectionStatus, i64)> {
        if collection.decline.is_some() {
            return Vec::new();
        }
        let operations = self.operations(&collection.reference);
        let mut fate = collection.fate();
        for (kind, _, at_ms) in operations {
            let ends = kind != ModificationKind::Refund || self.0.mutant != Mutant::ReturnsRefunded;
            fate.retain(|(_, happens_ms)| !ends || *happens_ms <= at_ms);
        }
        fate
    }

    fn account_of(&self, debtor: Debtor<'_>) -> Result<usize, &'static str> {
        match debtor {
            Debtor::Account(account) => {
                if iban::parse(account.iban).is_err() || !iban::is_in_sepa(&account.iban[..2]) {
                    return Err("debit_account_invalid");
                }
                let place = DEBTORS.iter().position(|(_, iban)| *iban == account.iban);
                place.ok_or("debit_account_invalid")
            }
            Debtor::Credential(reference) => {
                let journal = self.0.journal.lock().unwrap();
                let mut found = Err("debit_mandate_invalid");
                for event in &journal.book.events {
                    match event {
                        Event::Debit {
                            credential: Some(credential),
                            account,
                            ..
                        } if credential == reference => found = Ok(*account),
                        Event::Revoked { credential }
                            if credential == reference
                                && self.0.mutant != Mutant::CollectsRevoked =>
                        {
                            found = Err("debit_mandate_invalid");
                        }
                        _ => {}
                    }
                }
                found
            }
        }
    }

    fn decline(&self, request: &CollectionRequest<'_>) -> Result<usize, &'static str> {
        let reference = request.reference.to_string();
        let tombstones = &self.0.journal.lock().unwrap().book.tombstones;
        if tombstones.contains(&reference) {
            return Err("duplicate_transaction");
        }
        if request.money.currency().code() != "EUR" || request.money.amount_minor() <= 0 {
            return Err("invalid_amount");
        }
        if !is_mandate_reference(request.mandate.reference) {
            return Err("debit_mandate_invalid");
        }
        Ok(0)
    }

    fn collect_now(&self, request: &CollectionRequest<'_>) -> ProviderDecision {
        if let Some(known) = self.collection(request.reference)
            && self.0.mutant != Mutant::CollectsTwice
        {
            return known.decision();
        }
        let checked = self.decline(request);
        let account = checked.and_then(|_| self.account_of(request.debtor));
        let account = account.and_then(|account| match DEBTORS[account].0 {
            DebtorKind::Declined => Err("debit_account_closed"),
            _ => Ok(account),
        });
        let stores = matches!(request.debtor, Debtor::Account(_))
            && request.sequence == SequenceType::Frst
            && account.is_ok();
        let name = format!("account-{}", request.reference.to_string().replace('_', ""));
        self.0.journal.lock().unwrap().append(Event::Debit {
            reference: request.reference.to_string(),
            amount_minor: request.money.amount_minor(),
            date: weekday_from(request.collect_on).to_string(),
            account: account.unwrap_or_default(),
            credential: stores.then(|| CredentialReference::new(name).unwrap()),
            decline: account.err().map(str::to_owned),
        });
        let known = self.collection(request.reference);
        known.expect("it was recorded").decision()
    }

    fn decide(&self, request: ModificationRequest) -> Option<&'static str> {
        let now_ms = self.0.now_ms();
        let amount_minor = request.money.amount_minor();
        let found = self.collection(request.payment);
        let accepted = found.filter(|collection| collection.decline.is_none());
        let Some(collection) = accepted else {
            let is_void = request.kind == ModificationKind::Void;
            if is_void {
                let reference = request.payment.to_string();
                let tombstone = Event::Tombstone { reference };
                self.0.journal.lock().unwrap().append(tombstone);
            }
            return (!is_void).then_some("invalid_transaction");
        };
        let mut happened = self.happens(&collection);
        happened.retain(|(_, at_ms)| *at_ms <= now_ms);
        let statuses: Vec<_> = happened.iter().map(|(status, _)| *status).collect();
        let refunded_minor: i64 = self
            .operations(&collection.reference)
            .iter()
            .filter(|(kind, ..)| *kind == ModificationKind::Refund)
            .map(|(_, amount_minor, _)| amount_minor)
            .sum();
        match (request.kind, &statuses[..]) {
            (ModificationKind::Void, []) => None,
            (ModificationKind::Refund, [CollectionStatus::Settled])
                if (1..=collection.amount_minor - refunded_minor).contains(&amount_minor) =>
            {
                None
            }
            (ModificationKind::Refund, [CollectionStatus::Settled]) => Some("invalid_amount"),
            _ => Some("invalid_transaction"),
        }
    }

    fn modify_now(&self, request: ModificationRequest) -> ProviderDecision {
        let id = request.modification.to_string();
        {
            let journal = self.0.journal.lock().unwrap();
            let mut events = journal.book.events.iter();
            let known = events.find_map(|event| match event {
                Event::DebitOperation {
                    id: of, decline, ..
                } if *of == id => Some(decision(decline.as_ref())),
                _ => None,
            });
            if let Some(known) = known {
                return known;
            }
        }
        let decline = self.decide(request).map(str::to_owned);
        let answer = decision(decline.as_ref());
        self.0
            .journal
            .lock()
            .unwrap()
            .append(Event::DebitOperation {
                id,
                reference: request.payment.to_string(),
                kind: request.kind,
                amount_minor: request.money.amount_minor(),
                at_ms: self.0.now_ms(),
                decline,
            });
        answer
    }
}

impl PaymentOperations for Debits {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        self.0.send(move || self.modify_now(request))
    }
}

impl DirectDebitProvider for Debits {
    fn name(&self) -> &str {
        "file_debit"
    }

    fn collect<'a>(
        &'a self,
        request: CollectionRequest<'a>,
    ) -> ProviderFuture<'a, ProviderDecision> {
        self.0.send(move || self.collect_now(&request))
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move {
            let tombstone = Event::Tombstone {
                reference: reference.to_string(),
            };
            match self.collection(reference) {
                Some(collection) => Ok(Inquiry::Answered(collection.decision())),
                None => {
                    self.0.journal.lock().unwrap().append(tombstone);
                    Ok(Inquiry::NeverReceived)
                }
            }
        })
    }

    fn news(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<CollectionNews>> {
        let mut news: Vec<_> = self
            .collections()
            .iter()
            .flat_map(|collection| {
                let happens = self.happens(collection).into_iter().enumerate();
                let of_one = happens.map(|(number, (status, at_ms))| CollectionNews {
                    id: format!("debit-{}-{number}", collection.place),
                    reference: collection.reference.parse().unwrap(),
                    status,
                    at_ms,
                });
                of_one.collect::<Vec<_>>()
            })
            .collect();
        let journal = self.0.journal.lock().unwrap();
        let is_done = |id: &str| {
            let mut events = journal.book.events.iter();
            events.any(|event| matches!(event, Event::NewsDone { id: done } if done == id))
        };
        news.retain(|news| news.at_ms <= by_ms && !is_done(&news.id));
        news.sort_by_key(|news| news.at_ms);
        news.truncate(usize::try_from(limit).unwrap());
        Box::pin(async { Ok(news) })
    }

    fn acknowledge<'a>(&'a self, id: &'a str) -> ProviderFuture<'a, ()> {
        let done = Event::NewsDone { id: id.into() };
        self.0.journal.lock().unwrap().append(done);
        Box::pin(async { Ok(()) })
    }

    fn revoke<'a>(&'a self, credential: &'a CredentialReference) -> ProviderFuture<'a, ()> {
        let credential = credential.clone();
        let revoked = Event::Revoked { credential };
        self.0.journal.lock().unwrap().append(revoked);
        Box::pin(async { Ok(()) })
    }
}
