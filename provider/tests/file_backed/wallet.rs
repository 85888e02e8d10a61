//! The wallet of the file-backed bank: each page and each decision is a line of the file.

use super::bank::{Authorization, FileBank};
use super::journal::{Event, Mutant};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::wallet::WalletRequest;
use sealpay_provider::{Approval, Inquiry, ProviderFuture, WalletProvider};

/// A wallet's page.
struct Page {
    money: Money,
    capture: Capture,
    expires_at_ms: i64,
}

fn page_of(reference: PaymentId) -> String {
    format!("https://wallet.example/{reference}")
}

impl FileBank {
    fn find_page(&self, reference: &str) -> Option<Page> {
        let journal = self.journal.lock().unwrap();
        let mut events = journal.book.events.iter();
        events.find_map(|event| match event {
            Event::Page {
                reference: of,
                amount_minor,
                currency,
                is_captured,
                expires_at_ms,
            } if of == reference => Some(Page {
                money: Money::new(*amount_minor, currency.parse().unwrap()),
                capture: match is_captured {
                    true => Capture::Automatic,
                    false => Capture::Manual,
                },
                expires_at_ms: *expires_at_ms,
            }),
            _ => None,
        })
    }

    /// The shopper's decision on the page; ignored after the page expired.
    pub(super) fn decide_on_page(&self, address: &str, decline: Option<&str>) {
        let reference = address.rsplit('/').next().unwrap();
        let Some(page) = self.find_page(reference) else {
            return;
        };
        let is_late = self.now_ms() >= page.expires_at_ms;
        let decline = if is_late {
            Some("payment_abandoned")
        } else {
            decline
        };
        let reference = reference.to_owned();
        if self.mutant == Mutant::ConfirmsWithdrawn {
            self.journal
                .lock()
                .unwrap()
                .book
                .decisions
                .remove(&reference);
        }
        let authorization = Authorization {
            reference,
            money: page.money,
            capture: page.capture,
            decline,
            approval: Approval::NONE,
            series: None,
        };
        self.record(authorization, None);
    }

    fn wallet_inquiry(&self, reference: PaymentId, withdraws: bool) -> Inquiry {
        let page = self.find_page(&reference.to_string());
        let is_open = page.is_some_and(|page| self.now_ms() < page.expires_at_ms);
        let is_decided = {
            let journal = self.journal.lock().unwrap();
            journal.book.decisions.contains_key(&reference.to_string())
        };
        if is_open && !withdraws && !is_decided {
            return Inquiry::Waiting;
        }
        self.decide_on_page(&page_of(reference), Some("payment_abandoned"));
        self.inquire_now(reference)
    }
}

impl WalletProvider for FileBank {
    fn name(&self) -> &str {
        "file_wallet"
    }

    fn start<'a>(&'a self, request: WalletRequest<'a>) -> ProviderFuture<'a, String> {
        Box::pin(async move {
            let reference = request.reference.to_string();
            let is_known = self.find_page(&reference).is_some();
            let mut journal = self.journal.lock().unwrap();
            if !is_known && !journal.book.tombstones.contains(&reference) {
                journal.append(Event::Page {
                    reference,
                    amount_minor: request.money.amount_minor(),
                    currency: request.money.currency().code().to_owned(),
                    is_captured: request.capture == Capture::Automatic,
                    expires_at_ms: request.expires_at_ms,
                });
            }
            Ok(page_of(request.reference))
        })
    }

    fn page(&self, reference: PaymentId) -> ProviderFuture<'_, Option<String>> {
        let found = self.find_page(&reference.to_string());
        Box::pin(async move { Ok(found.map(|_| page_of(reference))) })
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move { Ok(self.wallet_inquiry(reference, false)) })
    }

    fn withdraw(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move { Ok(self.wallet_inquiry(reference, true)) })
    }
}
