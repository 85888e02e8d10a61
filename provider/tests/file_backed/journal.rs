//! A bank in one file: a line of JSON for each thing that happened, read from the start when it is
//! opened.

use sealpay_provider::ProviderDecision;
use sealpay_provider::modification::ModificationKind::{self, Capture, Expiry, Refund, Void};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;

/// A mistake that the suite has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutant {
    /// There is none.
    None,
    /// It does not look whether it has a reference already.
    ForgetsReferences,
    /// It gives the first answer again and reserves the money again.
    ReservesDuplicates,
    /// It looks whether it has a reference, and waits before it records that.
    LooksTooEarly,
    /// It says that it never received a request, and accepts it later.
    IgnoresTombstones,
    /// Decisions are kept in memory alone.
    ForgetsOnRestart,
    /// The same refund twice is two refunds.
    RepeatsRefunds,
    /// A capture takes what it is asked for, whatever was authorized.
    CapturesTooMuch,
    /// It authorizes what its terms exclude.
    IgnoresItsTerms,
    /// A returned payout is reported once, whether that is acknowledged or not.
    ReportsReturnsOnce,
    /// An acknowledged credit is reported again after a restart.
    ForgetsAcknowledgements,
    /// A withdrawn request can still be confirmed.
    ConfirmsWithdrawn,
    /// It reads notifications of anybody.
    BelievesEveryone,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    /// A card or a wallet was asked for money.
    Authorization {
        reference: String,
        amount_minor: i64,
        currency: String,
        is_captured: bool,
        decline: Option<String>,
    },
    /// A reference was given up before it arrived.
    Tombstone { reference: String },
    /// A payment was captured, voided or refunded, or was not.
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
    /// A collection account was given out, under the number of this line.
    Collection { reference: String, number: usize },
    /// A credit arrived.
    Credit {
        id: String,
        reference: String,
        amount_minor: i64,
        currency: String,
        at_ms: i64,
    },
    /// A credit was dealt with.
    CreditDone { id: String, is_returned: bool },
    /// A payout was sent.
    Payout {
        id: String,
        merchant: String,
        amount_minor: i64,
    },
    /// A payout came back.
    PayoutReturned { id: String, at_ms: i64 },
    /// A returned payout was dealt with.
    ReturnDone { id: String },
}

/// Money that was authorized.
#[derive(Debug, Clone, Default)]
pub(super) struct Authorized {
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    pub(super) captured_minor: i64,
    pub(super) refunded_minor: i64,
    pub(super) is_open: bool,
}

/// What the lines say together.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) events: Vec<Event>,
    pub(super) decisions: HashMap<String, ProviderDecision>,
    pub(super) tombstones: Vec<String>,
    pub(super) payments: HashMap<String, Authorized>,
    pub(super) operations: HashMap<String, ProviderDecision>,
    /// Reserved a second time by a mistake.
    pub(super) doubled_minor: i64,
}

pub(super) fn decision(decline: Option<&String>) -> ProviderDecision {
    decline.map_or(ProviderDecision::Approved, |reason| {
        ProviderDecision::Declined(reason.clone())
    })
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
            } => {
                let answer = decision(decline.as_ref());
                if answer == ProviderDecision::Approved {
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
                let is_done = answer == ProviderDecision::Approved;
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

/// The file, and what it says.
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
