//! What must hold once the system is idle again.
//!
//! The evidence is plain data, so that a test can falsify it and see that the falsehood is found.

use super::shopper::{Acknowledged, Record};
use ed25519_dalek::VerifyingKey;
use harness::rows::{Row, StoredState};
use harness::webhook_receiver::Arrival;
use sealpay_protocol::api::ShopperState;
use sealpay_protocol::webhook::EndpointSecret;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) session: String,
    pub(crate) attempt: String,
    pub(crate) state: String,
    pub(crate) money: String,
    pub(crate) sequence: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Booked {
    pub(crate) answer: String,
    pub(crate) money: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) sequence: usize,
    pub(crate) body: String,
}

/// Everything that is known of a run, from four sides: shoppers, database, bank and merchant.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) records: Vec<Record>,
    pub(crate) payments: BTreeMap<String, Payment>,
    pub(crate) book: BTreeMap<String, Booked>,
    /// Of each payment, by sequence.
    pub(crate) events: BTreeMap<String, Vec<Event>>,
    pub(crate) arrivals: Vec<Arrival>,
}

/// With which the merchant verifies its webhooks.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) key: VerifyingKey,
    pub(crate) secret: EndpointSecret,
}

const PAYMENTS: &str = "SELECT id, session, attempt, state, amount_minor, currency, sequence
    FROM payments";
const BOOK: &str = "SELECT reference,
    CASE WHEN state IN ('held', 'booked', 'released') THEN 'approved'
         ELSE COALESCE(decline, state) END,
    amount_minor, currency FROM bank_authorizations ORDER BY state";
const EVENTS: &str = "SELECT subject, id, kind, sequence, body FROM events
    ORDER BY subject, sequence, id";

/// The last event of a payment says what its state is.
const FINAL: [(&str, &str); 2] = [
    ("captured", "payment.captured"),
    ("declined", "payment.declined"),
];

impl Evidence {
    pub(crate) async fn gather(
        kept: &StoredState,
        book: &StoredState,
        records: Vec<Record>,
        arrivals: Vec<Arrival>,
    ) -> Self {
        let mut events = BTreeMap::<String, Vec<Event>>::new();
        for row in kept.rows(EVENTS).await {
            let [payment, id, kind, sequence, body] = columns(row);
            let sequence = sequence.parse().unwrap();
            events.entry(payment).or_default().push(Event {
                id,
                kind,
                sequence,
                body,
            });
        }
        let payments = kept.rows(PAYMENTS).await.into_iter().map(|row| {
            let [id, session, attempt, state, amount, currency, sequence] = columns(row);
            let money = format!("{amount} {currency}");
            let sequence = sequence.parse().unwrap();
            (
                id,
                Payment {
                    session,
                    attempt,
                    state,
                    money,
                    sequence,
                },
            )
        });
        let payments = payments.collect();
        let book = book.rows(BOOK).await.into_iter().map(|row| {
            let [reference, answer, amount, currency] = columns(row);
            (
                reference,
                Booked {
                    answer,
                    money: format!("{amount} {currency}"),
                },
            )
        });
        Self {
            records,
            payments,
            book: book.collect(),
            events,
            arrivals,
        }
    }

    /// What is not as it must be, one sentence each.
    pub(crate) fn findings(&self, keys: &Keys) -> Vec<String> {
        let mut findings = Vec::new();
        self.check_answers(&mut findings);
        self.check_sessions(&mut findings);
        self.check_bank(&mut findings);
        self.check_events(&mut findings);
        self.check_arrivals(keys, &mut findings);
        findings
    }

    /// What a shopper was told is what the database says.
    fn check_answers(&self, findings: &mut Vec<String>) {
        let by_attempt: BTreeMap<&str, (&String, &Payment)> = self
            .payments
            .iter()
            .map(|(id, payment)| (payment.attempt.as_str(), (id, payment)))
            .collect();
        if by_attempt.len() != self.payments.len() {
            findings.push("an attempt has two payments".into());
        }
        for Record {
            session,
            attempt,
            told,
        } in &self.records
        {
            let stored = by_attempt.get(attempt.to_string().as_str());
            match (told, stored) {
                (Acknowledged::Outcome { payment, state, .. }, Some((id, stored))) => {
                    let state = match state {
                        ShopperState::Captured => "captured",
                        ShopperState::Declined => "declined",
                        other => panic!("{other:?} is not an outcome"),
                    };
                    let same = **id == payment.to_string()
                        && stored.session == session.to_string()
                        && stored.state == state;
                    if !same {
                        findings.push(format!("{attempt} was told {told:?}, kept is {stored:?}"));
                    }
                }
                (Acknowledged::Outcome { payment, .. }, None) => {
                    findings.push(format!("{payment} was acknowledged and is lost"));
                }
                (Acknowledged::SessionComplete, Some(_)) => {
                    findings.push(format!("{attempt} was refused and has a payment"));
                }
                (Acknowledged::SessionComplete, None) => {
                    if !self.paid_sessions().contains(session.to_string().as_str()) {
                        findings.push(format!("{session} was called complete and is not paid"));
                    }
                }
            }
        }
    }

    fn paid_sessions(&self) -> BTreeSet<&str> {
        let paid = self
            .payments
            .values()
            .filter(|payment| payment.state == "captured");
        paid.map(|payment| payment.session.as_str()).collect()
    }

    /// Nothing is open, and nothing was paid twice.
    fn check_sessions(&self, findings: &mut Vec<String>) {
        let mut paid = BTreeMap::<&str, usize>::new();
        for (id, payment) in &self.payments {
            match payment.state.as_str() {
                "captured" => *paid.entry(&payment.session).or_default() += 1,
                "declined" => {}
                state => findings.push(format!("{id} is left {state}")),
            }
        }
        for (session, times) in paid.into_iter().filter(|(_, times)| *times > 1) {
            findings.push(format!("{session} was paid {times} times"));
        }
    }

    /// Bank and database agree about every authorization.
    fn check_bank(&self, findings: &mut Vec<String>) {
        for (reference, booked) in &self.book {
            let Some(payment) = self.payments.get(reference) else {
                findings.push(format!("the bank knows {reference}, the verifier does not"));
                continue;
            };
            let approved = booked.answer == "approved";
            if approved != (payment.state == "captured") {
                findings.push(format!(
                    "{reference}: the bank says {}, the verifier {}",
                    booked.answer, payment.state
                ));
            }
            if approved && booked.money != payment.money {
                findings.push(format!(
                    "{reference}: the bank took {}, the payment is {}",
                    booked.money, payment.money
                ));
            }
        }
        let unbooked = |id: &&String| !self.book.contains_key(*id);
        for id in self.payments.keys().filter(unbooked) {
            findings.push(format!(
                "{id} has an outcome that the bank knows nothing of"
            ));
        }
    }

    /// Every change was written down once, in order, and nothing that never was.
    fn check_events(&self, findings: &mut Vec<String>) {
        let strangers = self
            .events
            .keys()
            .filter(|id| !self.payments.contains_key(*id));
        findings
            .extend(strangers.map(|id| format!("there are events of {id}, which is not there")));
        for (id, payment) in &self.payments {
            let events = self.events.get(id).map(Vec::as_slice).unwrap_or_default();
            if !events
                .iter()
                .map(|event| event.sequence)
                .eq(1..=payment.sequence)
            {
                findings.push(format!(
                    "{id}: the sequence of events has a gap or a double"
                ));
            }
            let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
            let last = FINAL.into_iter().find(|(state, _)| *state == payment.state);
            let last = last.map_or("none", |(_, kind)| kind);
            if kinds != [last] && kinds != ["payment.unknown", last] {
                findings.push(format!(
                    "{id} is {} and its events are {kinds:?}",
                    payment.state
                ));
            }
            for event in events {
                check_body(id, payment, event, findings);
            }
        }
    }

    /// Every event reached the merchant at least once, signed, byte for byte, and nothing else did.
    fn check_arrivals(&self, keys: &Keys, findings: &mut Vec<String>) {
        let events = self.events.values().flatten();
        let mut missing: BTreeMap<&str, &Event> =
            events.map(|event| (event.id.as_str(), event)).collect();
        let known = missing.clone();
        for arrival in &self.arrivals {
            findings.extend(arrival.verify(&keys.key, &keys.secret).err());
            match known.get(arrival.id.as_str()) {
                None => findings.push(format!("{} was delivered and is no event", arrival.id)),
                Some(event) if event.body.as_bytes() != arrival.body => {
                    findings.push(format!("{} was delivered with another body", arrival.id));
                }
                Some(_) => {
                    missing.remove(arrival.id.as_str());
                }
            }
        }
        findings.extend(missing.keys().map(|id| format!("{id} never arrived")));
    }
}

pub(crate) fn columns<const N: usize>(row: Row) -> [String; N] {
    row.try_into().unwrap()
}

/// The body tells what the row says: the state at that time, and the place in the sequence.
fn check_body(id: &str, payment: &Payment, event: &Event, findings: &mut Vec<String>) {
    let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
    let told = &body["data"]["payment"];
    let state = told["state"].as_str().unwrap_or_default();
    let right = body["type"] == event.kind.as_str()
        && event.kind == format!("payment.{state}")
        && body["data"]["sequence"] == event.sequence
        && told["id"] == id
        && told["attempt"] == payment.attempt.as_str()
        && format!(
            "{} {}",
            told["amount"],
            told["currency"].as_str().unwrap_or_default()
        ) == payment.money;
    if !right {
        findings.push(format!(
            "{}: the body does not tell of {id}: {body}",
            event.id
        ));
    }
}
