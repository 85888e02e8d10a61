//! A bank in one file: a line of JSON for each event, replayed when the file is opened.

use sealpay_provider::modification::ModificationKind::{self, Capture, Expiry, Refund, Void};
use sealpay_provider::{Approval, CredentialReference, ProviderDecision};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;

/// A defect that the suite has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutant {
    /// No defect.
    None,
    /// Does not check whether a reference is already recorded.
    ForgetsReferences,
    /// Repeats the first response but reserves the money again.
    ReservesDuplicates,
    /// Checks for the reference, then waits before recording it: a race.
    LooksTooEarly,
    /// Reports a request as never received, and accepts it later.
    IgnoresTombstones,
    /// Stores decisions in memory only.
    ForgetsOnRestart,
    /// Executes a repeated refund again.
    RepeatsRefunds,
    /// Captures more than was authorized.
    CapturesTooMuch,
    /// Authorizes payments that its terms exclude.
    IgnoresItsTerms,
    /// Reports a returned payout only once, even if it is not acknowledged.
    ReportsReturnsOnce,
    /// Reports an acknowledged credit again after a restart.
    ForgetsAcknowledgements,
    /// Lets a withdrawn request be confirmed.
    ConfirmsWithdrawn,
    /// Accepts unauthenticated notifications.
    BelievesEveryone,
    /// Stores the card of a declined payment.
    StoresDeclined,
    /// Repeats an approval without the credential that it stored.
    ForgetsCredentials,
    /// Charges a revoked credential.
    ChargesRevoked,
    /// Charges a stored card for a merchant that does not name the series.
    ChargesWithoutSeries,
    /// Reports news of the account updater only once, even if it is not acknowledged.
    ReportsNewsOnce,
    /// Collects a repeated direct debit again.
    CollectsTwice,
    /// Collects from a revoked account.
    CollectsRevoked,
    /// Returns a collection that the merchant has refunded.
    ReturnsRefunded,
}

/// An event of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    /// A card or wallet payment was requested.
    Authorization {
        reference: String,
        amount_minor: i64,
        currency: String,
        is_captured: bool,
        decline: Option<String>,
        /// The codes, if it was approved.
        approval: Approval,
        /// The stored card that the shopper paid with, or that the payment stored.
        series: Option<CredentialReference>,
    },
    /// A card was stored.
    Stored {
        credential: CredentialReference,
        brand: String,
        last4: String,
        expiry: String,
        account: String,
        declines_later: bool,
    },
    /// A stored card was revoked.
    Revoked { credential: CredentialReference },
    /// The account updater has news about a stored card.
    News {
        id: String,
        credential: CredentialReference,
        kind: String,
        at_ms: i64,
    },
    /// News was acknowledged.
    NewsDone { id: String },
    /// A reference was tombstoned before it arrived.
    Tombstone { reference: String },
    /// A payment was captured, voided or refunded, or that was declined.
    Operation {
        id: String,
        reference: String,
        kind: ModificationKind,
        amount_minor: i64,
        is_final: bool,
        decline: Option<String>,
    },
    /// A wallet's page was opened.
    Page {
        reference: String,
        amount_minor: i64,
        currency: String,
        is_captured: bool,
        expires_at_ms: i64,
    },
    /// A collection account was assigned, under the number of this line.
    Collection { reference: String, number: usize },
    /// A credit arrived.
    Credit {
        id: String,
        reference: String,
        amount_minor: i64,
        currency: String,
        at_ms: i64,
    },
    /// A credit was acknowledged.
    CreditDone { id: String, is_returned: bool },
    /// A direct debit was submitted: the place of its account, and when it is collected.
    Debit {
        reference: String,
        amount_minor: i64,
        date: String,
        account: usize,
        credential: Option<CredentialReference>,
        decline: Option<String>,
    },
    /// A direct debit was voided or refunded, or that was declined.
    DebitOperation {
        id: String,
        reference: String,
        kind: ModificationKind,
        amount_minor: i64,
        at_ms: i64,
        decline: Option<String>,
    },
    /// A payout was sent.
    Payout {
        id: String,
        merchant: String,
        amount_minor: i64,
    },
    /// A payout was returned.
    PayoutReturned { id: String, at_ms: i64 },
    /// A returned payout was acknowledged.
    ReturnDone { id: String },
}

/// An authorized payment.
#[derive(Debug, Clone, Default)]
pub(super) struct Authorized {
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    pub(super) captured_minor: i64,
    pub(super) refunded_minor: i64,
    pub(super) is_open: bool,
}

/// The state after all events.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) events: Vec<Event>,
    pub(super) decisions: HashMap<String, ProviderDecision>,
    pub(super) tombstones: Vec<String>,
    pub(super) payments: HashMap<String, Authorized>,
    pub(super) operations: HashMap<String, ProviderDecision>,
    /// Reserved a second time by a defect.
    pub(super) doubled_minor: i64,
}

pub(super) fn decision(decline: Option<&String>) -> ProviderDecision {
    match decline {
        None => ProviderDecision::approved(),
        Some(reason) => ProviderDecision::declined(reason),
    }
}

impl Book {
    fn apply(&mut self, event: Event) {
        match &event {
            Event::Authorization {
                reference,
                amount_minor,
                currency,
                is_captured,
                decline,
                approval,
                ..
            } => {
                let answer = match decline {
                    None => ProviderDecision::Approved(approval.clone()),
                    Some(reason) => ProviderDecision::declined(reason),
                };
                if answer.is_approved() {
                    let authorized = Authorized {
                        amount_minor: *amount_minor,
                        currency: currency.clone(),
                        captured_minor: if *is_captured { *amount_minor } else { 0 },
                        refunded_minor: 0,
                        is_open: !is_captured,
                    };
                    if let Some(before) = self.payments.insert(reference.clone(), authorized) {
                        self.doubled_minor += before.amount_minor;
                    }
                }
                self.decisions.insert(reference.clone(), answer);
            }
            Event::Tombstone { reference } => self.tombstones.push(reference.clone()),
            Event::Operation {
                id,
                reference,
                kind,
                amount_minor,
                is_final,
                decline,
            } => {
                let answer = decision(decline.as_ref());
                let is_done = answer.is_approved();
                self.operations.insert(id.clone(), answer);
                if is_done {
                    let payment = self.payments.entry(reference.clone()).or_default();
                    match kind {
                        Capture => payment.captured_minor += amount_minor,
                        Refund => payment.refunded_minor += amount_minor,
                        Void | Expiry => payment.is_open = false,
                    }
                    let is_whole = payment.captured_minor >= payment.amount_minor;
                    payment.is_open &= !is_final && !is_whole && *kind != Refund;
                }
            }
            _ => {}
        }
        self.events.push(event);
    }
}

/// The file and its state.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    pub(super) book: Book,
}

impl Journal {
    pub(super) fn open(path: &Path, mutant: Mutant) -> Self {
        let options = OpenOptions::new()
            .append(true)
            .create(true)
            .read(true)
            .open(path);
        let file = options.expect("the journal opens");
        let mut book = Book::default();
        for line in BufReader::new(&file).lines() {
            let line = line.expect("the journal is read");
            let event = serde_json::from_str(&line).expect("the journal is well formed");
            let is_forgotten = match &event {
                Event::Authorization { .. } => mutant == Mutant::ForgetsOnRestart,
                Event::CreditDone { .. } => mutant == Mutant::ForgetsAcknowledgements,
                _ => false,
            };
            if !is_forgotten {
                book.apply(event);
            }
        }
        Self { file, book }
    }

    pub(super) fn append(&mut self, event: Event) {
        let mut line = serde_json::to_string(&event).expect("an event is JSON");
        line.push('\n');
        self.file
            .write_all(line.as_bytes())
            .expect("the journal is written");
        self.book.apply(event);
    }
}
