//! Payouts of the file-backed bank.

use super::bank::{FileBank, declined};
use super::journal::{Event, Mutant};
use sealpay_protocol::iban;
use sealpay_protocol::ids::PayoutId;
use sealpay_provider::payout::{PayoutRequest, ReturnedPayout};
use sealpay_provider::{PayoutProvider, ProviderDecision, ProviderFuture};

impl FileBank {
    fn pay_now(&self, request: &PayoutRequest) -> ProviderDecision {
        if iban::parse(&request.account).is_err() {
            return declined("invalid_number");
        }
        if request.money.amount_minor() <= 0 {
            return declined("invalid_amount");
        }
        let sent = Event::Payout {
            id: request.payout.to_string(),
            merchant: request.merchant.to_string(),
            amount_minor: request.money.amount_minor(),
        };
        let mut journal = self.journal.lock().unwrap();
        let mut events = journal.book.events.iter();
        let is_known = events.any(
            |event| matches!(event, Event::Payout { id, .. } if *id == request.payout.to_string()),
        );
        if !is_known {
            journal.append(sent);
        }
        ProviderDecision::approved()
    }
}

impl PayoutProvider for FileBank {
    fn pay(&self, request: PayoutRequest) -> ProviderFuture<'_, ProviderDecision> {
        self.send(move || self.pay_now(&request))
    }

    fn returned(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<ReturnedPayout>> {
        let journal = self.journal.lock().unwrap();
        let events = &journal.book.events;
        let is_done = |payout: &str| {
            let mut events = events.iter();
            events.any(|event| matches!(event, Event::ReturnDone { id } if id == payout))
        };
        let returned = events.iter().filter_map(|event| match event {
            Event::PayoutReturned { id, at_ms } if *at_ms <= by_ms && !is_done(id) => {
                Some(ReturnedPayout {
                    payout: id.parse().unwrap(),
                    reason: "account_closed".into(),
                })
            }
            _ => None,
        });
        let returned: Vec<_> = returned.take(usize::try_from(limit).unwrap()).collect();
        if self.mutant == Mutant::ReportsReturnsOnce {
            drop(journal);
            for returned in &returned {
                let id = returned.payout.to_string();
                self.journal
                    .lock()
                    .unwrap()
                    .append(Event::ReturnDone { id });
            }
        }
        Box::pin(async move { Ok(returned) })
    }

    fn acknowledge_return(&self, payout: PayoutId) -> ProviderFuture<'_, ()> {
        let done = Event::ReturnDone {
            id: payout.to_string(),
        };
        self.journal.lock().unwrap().append(done);
        Box::pin(async { Ok(()) })
    }
}
