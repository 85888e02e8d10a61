//! The cards that the file-backed bank stores.

use super::bank::{FileBank, declined};
use super::journal::{Event, Mutant};
use sealpay_protocol::card::{Brand, Card, YearMonth};
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::acquirer::UNKNOWN_BRAND;
use sealpay_provider::conformance::CardNews;
use sealpay_provider::credential::{
    CardOnFile, CredentialStatus, CredentialUpdate, CredentialVault, Initiator,
};
use sealpay_provider::{
    Approval, AuthorizationRequest, CardSource, CredentialReference, ProviderDecision,
    ProviderFuture,
};

/// The card whose later payments are declined.
pub(super) const DECLINED_LATER: &str = "4000000000000341";

/// A stored card, as the journal has it.
#[derive(Debug, Clone)]
pub(super) struct StoredCard {
    pub(super) brand: String,
    last4: String,
    expiry: YearMonth,
    account: String,
    pub(super) declines_later: bool,
    news: Option<CardNews>,
    is_revoked: bool,
}

impl StoredCard {
    fn on_file(&self) -> CardOnFile {
        CardOnFile {
            brand: self.brand.clone(),
            last4: self.last4.clone(),
            expiry: self.expiry,
            account: self.account.clone(),
        }
    }

    fn status(&self) -> CredentialStatus {
        match self.news {
            None => CredentialStatus::Current(self.on_file()),
            Some(CardNews::Replaced) => CredentialStatus::Replaced(self.on_file()),
            Some(CardNews::ContactCardholder) => CredentialStatus::ContactCardholder,
            Some(CardNews::Closed) => CredentialStatus::Closed,
        }
    }
}

/// An opaque name of a card: no digit of it remains.
fn account(digits: &str) -> String {
    let letters = digits.bytes().rev();
    letters
        .map(|digit| char::from(digit + b'A' - b'0'))
        .collect()
}

fn news_of(kind: &str) -> CardNews {
    match kind {
        "replaced" => CardNews::Replaced,
        "closed" => CardNews::Closed,
        _ => CardNews::ContactCardholder,
    }
}

/// The scheme's id of a payment.
pub(super) fn network_transaction_id(reference: PaymentId) -> String {
    reference.to_string().replace('_', "")
}

impl FileBank {
    /// The card of a reference after everything that the journal has about it.
    pub(super) fn stored_card(&self, reference: &CredentialReference) -> Option<StoredCard> {
        let journal = self.journal.lock().unwrap();
        let mut found = None;
        for event in &journal.book.events {
            match event {
                Event::Stored {
                    credential,
                    brand,
                    last4,
                    expiry,
                    account,
                    declines_later,
                } if credential == reference => {
                    found = Some(StoredCard {
                        brand: brand.clone(),
                        last4: last4.clone(),
                        expiry: expiry.parse().unwrap(),
                        account: account.clone(),
                        declines_later: *declines_later,
                        news: None,
                        is_revoked: false,
                    });
                }
                Event::News {
                    credential, kind, ..
                } if credential == reference => {
                    let card = found.as_mut()?;
                    card.news = Some(news_of(kind));
                    if kind == "replaced" {
                        card.last4 = "0341".into();
                        card.account.push_str("-replaced");
                    }
                }
                Event::Revoked { credential } if credential == reference => {
                    found.as_mut()?.is_revoked = true;
                }
                _ => {}
            }
        }
        found
    }

    /// Whether a payment that the shopper initiated with this credential has this id.
    fn is_in_series(&self, reference: &CredentialReference, id: Option<&str>) -> bool {
        let journal = self.journal.lock().unwrap();
        journal.book.events.iter().any(|event| match event {
            Event::Authorization {
                series: Some(series),
                approval,
                ..
            } => series == reference && approval.network_transaction_id.as_deref() == id,
            _ => false,
        })
    }

    /// The reason to decline a payment for what it does with a stored card.
    pub(super) fn refuse_credential(
        &self,
        request: &AuthorizationRequest<'_>,
    ) -> Option<&'static str> {
        let stored = request.stored_credential;
        let by_merchant = stored.is_some_and(|stored| stored.initiator == Initiator::Merchant);
        let reference = match request.source {
            CardSource::Card(_) => return by_merchant.then_some("invalid_transaction"),
            CardSource::Credential(reference) => reference,
        };
        let Some(card) = self.stored_card(reference) else {
            return Some("invalid_number");
        };
        let named = stored.and_then(|stored| stored.network_transaction_id);
        let lacks_series = by_merchant && !self.is_in_series(reference, named);
        if stored.is_none() || lacks_series && self.mutant != Mutant::ChargesWithoutSeries {
            return Some("invalid_transaction");
        }
        if card.is_revoked && self.mutant != Mutant::ChargesRevoked {
            return Some("revocation_one");
        }
        match card.news {
            Some(CardNews::Closed) => Some("closed_account"),
            _ => (card.declines_later && by_merchant).then_some("do_not_honor"),
        }
    }

    /// The codes of an approval, and the card that it stores.
    pub(super) fn approval(
        &self,
        request: &AuthorizationRequest<'_>,
    ) -> (Approval, Option<Event>, Option<CredentialReference>) {
        let mut approval = Approval {
            network_transaction_id: Some(network_transaction_id(request.reference)),
            ..Approval::NONE
        };
        let stored = request.stored_credential;
        let Some(stored) = stored.filter(|stored| stored.initiator == Initiator::Customer) else {
            return (approval, None, None);
        };
        let card = match request.source {
            CardSource::Credential(reference) => {
                approval.credential = stored.store.then(|| reference.clone());
                return (approval, None, Some(reference.clone()));
            }
            CardSource::Card(_) if !stored.store => return (approval, None, None),
            CardSource::Card(card) => card,
        };
        let reference = format!("card-{}", network_transaction_id(request.reference));
        let reference = CredentialReference::new(reference).unwrap();
        approval.credential = Some(reference.clone());
        let event = stored_event(reference.clone(), card);
        (approval, Some(event), Some(reference))
    }

    /// How many cards the file has.
    pub(super) fn count_cards(&self) -> usize {
        let journal = self.journal.lock().unwrap();
        let events = journal.book.events.iter();
        events
            .filter(|event| matches!(event, Event::Stored { .. }))
            .count()
    }

    /// The issuer of a card changes it.
    pub(super) fn report(&self, credential: &CredentialReference, news: CardNews) {
        let at_ms = self.now_ms();
        let mut journal = self.journal.lock().unwrap();
        let id = format!("news-{}", journal.book.events.len());
        let kind = match news {
            CardNews::Replaced => "replaced",
            CardNews::ContactCardholder => "contact_cardholder",
            CardNews::Closed => "closed",
        };
        journal.append(Event::News {
            id,
            credential: credential.clone(),
            kind: kind.into(),
            at_ms,
        });
    }
}

fn stored_event(credential: CredentialReference, card: &Card) -> Event {
    Event::Stored {
        credential,
        brand: card
            .number
            .brand()
            .map_or(UNKNOWN_BRAND, Brand::slug)
            .into(),
        last4: card.number.last_four().into(),
        expiry: card.expiry.year_month().to_string(),
        account: account(card.number.digits()),
        declines_later: card.number.digits() == DECLINED_LATER,
    }
}

impl CredentialVault for FileBank {
    fn status<'a>(
        &'a self,
        credential: &'a CredentialReference,
    ) -> ProviderFuture<'a, CredentialStatus> {
        let found = self.stored_card(credential).filter(|card| !card.is_revoked);
        let status = found.map_or(CredentialStatus::Unknown, |card| card.status());
        Box::pin(async move { Ok(status) })
    }

    fn updates(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<CredentialUpdate>> {
        let (mut news, mut done) = (Vec::new(), Vec::new());
        for event in &self.journal.lock().unwrap().book.events {
            match event {
                Event::News {
                    id,
                    credential,
                    at_ms,
                    ..
                } if *at_ms <= by_ms => news.push((id.clone(), credential.clone(), *at_ms)),
                Event::NewsDone { id } => done.push(id.clone()),
                _ => {}
            }
        }
        news.retain(|(id, ..)| !done.contains(id));
        news.truncate(usize::try_from(limit).unwrap());
        if self.mutant == Mutant::ReportsNewsOnce {
            for (id, ..) in &news {
                let done = Event::NewsDone { id: id.clone() };
                self.journal.lock().unwrap().append(done);
            }
        }
        let updates = news.into_iter().map(|(id, credential, at_ms)| {
            let card = self.stored_card(&credential).unwrap();
            CredentialUpdate {
                id,
                credential,
                status: card.status(),
                at_ms,
            }
        });
        let updates = updates.collect();
        Box::pin(async move { Ok(updates) })
    }

    fn acknowledge<'a>(&'a self, id: &'a str) -> ProviderFuture<'a, ()> {
        let done = Event::NewsDone { id: id.into() };
        self.journal.lock().unwrap().append(done);
        Box::pin(async { Ok(()) })
    }

    fn revoke<'a>(&'a self, credential: &'a CredentialReference) -> ProviderFuture<'a, ()> {
        Box::pin(async move {
            let credential = credential.clone();
            let mut journal = self.journal.lock().unwrap();
            journal.append(Event::Revoked { credential });
            Ok(())
        })
    }
}

/// A decline that also stores the card: a defect.
pub(super) fn stores_anyway(bank: &FileBank, request: &AuthorizationRequest<'_>) {
    if let (CardSource::Card(card), Mutant::StoresDeclined) = (request.source, bank.mutant) {
        let reference = format!("card-{}", network_transaction_id(request.reference));
        let reference = CredentialReference::new(reference).unwrap();
        let event = stored_event(reference, card);
        bank.journal.lock().unwrap().append(event);
    }
}

/// What a repeated request returns: with a defect, without the credential.
pub(super) fn repeated(mutant: Mutant, decision: ProviderDecision) -> ProviderDecision {
    match decision {
        ProviderDecision::Approved(approval) if mutant == Mutant::ForgetsCredentials => {
            ProviderDecision::Approved(Approval {
                credential: None,
                ..approval
            })
        }
        ProviderDecision::Declined(rejection) => declined(&rejection.reason),
        approved => approved,
    }
}
