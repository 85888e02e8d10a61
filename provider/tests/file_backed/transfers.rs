//! Credits that arrive at the file-backed bank, and refunds of them.

use super::bank::{FileBank, declined, iban};
use super::journal::Event;
use sealpay_protocol::check_digits::with_check_digits;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::creditor_reference::{meant_by, plain};
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::transfer::{CollectionAccount, IncomingCredit, TransferRequest};
use sealpay_provider::{
    ModificationRequest, PaymentOperations, ProviderDecision, ProviderFuture, TransferProvider,
};
use std::sync::Arc;

fn creditor_reference(number: usize) -> String {
    with_check_digits("RF", &format!("{number:012}"))
}

impl FileBank {
    fn collection(&self, reference: PaymentId) -> CollectionAccount {
        let mut journal = self.journal.lock().unwrap();
        let reference = reference.to_string();
        let mut events = journal.book.events.iter();
        let known = events.find_map(|event| match event {
            Event::Collection {
                reference: of,
                number,
            } if *of == reference => Some(*number),
            _ => None,
        });
        let number = known.unwrap_or_else(|| {
            let number = journal.book.events.len();
            journal.append(Event::Collection { reference, number });
            number
        });
        CollectionAccount {
            holder: "File Bank Collections".into(),
            iban: iban(0),
            bic: "FILEDEF0XXX".into(),
            reference: creditor_reference(number),
        }
    }

    /// A credit arrives; the payment that expects it can then be refunded.
    pub(super) fn credit(&self, reference: &str, money: Money) {
        let at_ms = self.now_ms();
        let mut journal = self.journal.lock().unwrap();
        let id = format!("credit-{}", journal.book.events.len());
        journal.append(Event::Credit {
            id,
            reference: reference.into(),
            amount_minor: money.amount_minor(),
            currency: money.currency().code().to_owned(),
            at_ms,
        });
    }

    fn is_done(events: &[Event], id: &str) -> Option<bool> {
        events.iter().find_map(|event| match event {
            Event::CreditDone {
                id: of,
                is_returned,
            } if of == id => Some(*is_returned),
            _ => None,
        })
    }

    fn credits(&self) -> Vec<(IncomingCredit, Option<bool>)> {
        let journal = self.journal.lock().unwrap();
        let events = &journal.book.events;
        let credits = events.iter().filter_map(|event| match event {
            Event::Credit {
                id,
                reference,
                amount_minor,
                currency,
                at_ms,
            } => Some(IncomingCredit {
                id: id.clone(),
                reference: reference.clone(),
                money: Money::new(*amount_minor, currency.parse().unwrap()),
                arrived_at_ms: *at_ms,
            }),
            _ => None,
        });
        credits
            .map(|credit| {
                let done = Self::is_done(events, &credit.id);
                (credit, done)
            })
            .collect()
    }
}

/// The bank as a transfer provider: credits can be refunded, and nothing is authorized.
pub(super) struct Collections(pub(super) Arc<FileBank>);

impl PaymentOperations for Collections {
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
        let bank = &self.0;
        bank.send(move || {
            if request.kind != ModificationKind::Refund {
                return declined("invalid_transaction");
            }
            let expected = plain(&bank.collection(request.payment).reference);
            let credits = bank.credits().into_iter();
            let arrived = credits.filter(|(credit, done)| {
                meant_by(&credit.reference).contains(&expected) && *done != Some(true)
            });
            let money: Vec<_> = arrived.map(|(credit, _)| credit.money).collect();
            let arrived_minor: i64 = money.iter().map(|money| money.amount_minor()).sum();
            let reference = request.payment.to_string();
            {
                let mut journal = bank.journal.lock().unwrap();
                let payments = &mut journal.book.payments;
                let payment = payments.entry(reference).or_default();
                payment.captured_minor = arrived_minor;
                payment.amount_minor = arrived_minor;
                payment.currency = request.money.currency().code().to_owned();
            }
            bank.modify_now(request)
        })
    }
}

impl TransferProvider for Collections {
    fn name(&self) -> &str {
        "file_transfer"
    }

    fn start(&self, request: TransferRequest) -> ProviderFuture<'_, CollectionAccount> {
        Box::pin(async move { Ok(self.0.collection(request.reference)) })
    }

    fn arrivals(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<IncomingCredit>> {
        let open = self
            .0
            .credits()
            .into_iter()
            .filter(|(_, done)| done.is_none());
        let credits = open.map(|(credit, _)| credit);
        let due = credits.filter(|credit| credit.arrived_at_ms <= by_ms);
        let due = due.take(usize::try_from(limit).unwrap()).collect();
        Box::pin(async move { Ok(due) })
    }

    fn acknowledge<'a>(&'a self, id: &'a str, returned: bool) -> ProviderFuture<'a, ()> {
        Box::pin(async move {
            let mut journal = self.0.journal.lock().unwrap();
            journal.append(Event::CreditDone {
                id: id.into(),
                is_returned: returned,
            });
            Ok(())
        })
    }
}
