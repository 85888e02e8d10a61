//! What the verifier and the bank keep of renewals, as plain data that a test can falsify.

use crate::crash::evidence::columns;
use harness::rows::StoredState;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Visa's limit for one card and amount in thirty days.
const VISA_TRIES: usize = 20;
/// Mastercard's for one card: of a day, and of thirty-five days in all.
const MASTERCARD_TRIES: [(i64, usize); 2] = [(DAY_MS, 10), (30 * DAY_MS, 35)];
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
#[derive(Debug, Clone)]
pub(super) struct Invoice {
    pub(super) id: String,
    pub(super) subscription: String,
    pub(super) period: i64,
    pub(super) number: String,
    pub(super) state: String,
    /// Start and end of the period of its first line, milliseconds.
    pub(super) span: (i64, i64),
}

#[derive(Debug, Clone)]
pub(super) struct Try {
    pub(super) invoice: String,
    pub(super) state: String,
    pub(super) fingerprint: String,
    pub(super) brand: String,
    pub(super) money: String,
    pub(super) at_ms: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// Subscriptions and the numbers of their current periods.
    pub(super) subscriptions: BTreeMap<String, i64>,
    pub(super) invoices: Vec<Invoice>,
    pub(super) tries: Vec<Try>,
    /// Payments of invoices that the bank has taken money for.
    pub(super) approved: Vec<String>,
    pub(super) captured: BTreeSet<String>,
    /// Types and subjects of events.
    pub(super) events: Vec<(String, String)>,
}

const SUBSCRIPTIONS: &str = "SELECT id, period_number FROM subscriptions";
const INVOICES: &str = "SELECT id, subscription, period_number, COALESCE(number, ''), state, lines
    FROM invoices WHERE period_number IS NOT NULL ORDER BY subscription, period_number";
const TRIES: &str = "SELECT a.invoice, p.state, a.fingerprint, a.brand,
    a.amount_minor || ' ' || a.currency, a.at_ms
    FROM card_attempts a JOIN payments p ON p.id = a.payment
    WHERE a.invoice IS NOT NULL ORDER BY a.at_ms";
const APPROVED_BY_BANK: &str = "SELECT reference FROM bank_authorizations
    WHERE state IN ('held', 'booked') ORDER BY reference";
const CAPTURED: &str = "SELECT id FROM payments WHERE state = 'captured'";
const EVENTS: &str = "SELECT kind, subject FROM events WHERE kind LIKE 'subscription.%'
    OR kind LIKE 'invoice.%'";
impl Evidence {
    pub(super) async fn gather(stored: &StoredState, book: &StoredState) -> Self {
        let number = |text: &str| text.parse::<i64>().unwrap();
        let rows = async |sql| stored.rows(sql).await.into_iter();
        let invoice = |row| {
            let [id, subscription, period, number_of, state, lines]: [String; 6] = columns(row);
            let lines: Value = serde_json::from_str(&lines).unwrap();
            let time = |name: &str| lines[0][name].as_i64().unwrap();
            Invoice {
                id,
                subscription,
                period: number(&period),
                number: number_of,
                state,
                span: (time("period_start_ms"), time("period_end_ms")),
            }
        };
        let attempt = |row| {
            let [invoice, state, fingerprint, brand, money, at]: [String; 6] = columns(row);
            Try {
                invoice,
                state,
                fingerprint,
                brand,
                money,
                at_ms: number(&at),
            }
        };
        let first = |row| {
            let [id]: [String; 1] = columns(row);
            id
        };
        let pair = |row| {
            let [kind, subject]: [String; 2] = columns(row);
            (kind, subject)
        };
        Self {
            subscriptions: rows(SUBSCRIPTIONS)
                .await
                .map(pair)
                .map(|(id, period)| (id, number(&period)))
                .collect(),
            invoices: rows(INVOICES).await.map(invoice).collect(),
            tries: rows(TRIES).await.map(attempt).collect(),
            approved: book
                .rows(APPROVED_BY_BANK)
                .await
                .into_iter()
                .map(first)
                .collect(),
            captured: rows(CAPTURED).await.map(first).collect(),
            events: rows(EVENTS).await.map(pair).collect(),
        }
    }

    fn count(&self, kind: &str, subject: &str) -> usize {
        let same = |event: &&(String, String)| event.0 == kind && event.1 == subject;
        self.events.iter().filter(same).count()
    }

    pub(super) fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        self.judge_periods(&mut findings);
        self.judge_charges(&mut findings);
        self.judge_limits(&mut findings);
        findings
    }

    /// Each period has its invoice, and begins where the one before ended.
    fn judge_periods(&self, findings: &mut Vec<String>) {
        for (id, current) in &self.subscriptions {
            let own = self.invoices.iter().filter(|one| one.subscription == *id);
            let own: Vec<_> = own.collect();
            let periods: Vec<_> = own.iter().map(|one| one.period).collect();
            let expected: Vec<_> = (1..=*current).collect();
            if periods != expected {
                findings.push(format!("{id} is in period {current}, invoiced {periods:?}"));
            }
            for pair in own.windows(2) {
                if pair[0].span.1 != pair[1].span.0 {
                    findings.push(format!(
                        "{} does not begin where the last ended",
                        pair[1].id
                    ));
                }
            }
            let renewed = self.count("subscription.renewed", id);
            if i64::try_from(renewed).unwrap() != current - 1 {
                findings.push(format!("{id} was renewed {renewed} times by its events"));
            }
        }
        let numbers: BTreeSet<_> = self.invoices.iter().map(|one| &one.number).collect();
        for place in 1..=self.invoices.len() {
            let number = format!("INV-{place:06}");
            if !numbers.contains(&number) {
                findings.push(format!("there is no {number}"));
            }
        }
    }

    /// What is paid was taken once, and what was taken is paid.
    fn judge_charges(&self, findings: &mut Vec<String>) {
        for invoice in &self.invoices {
            let own = self.tries.iter().filter(|one| one.invoice == invoice.id);
            let captured = own.filter(|one| one.state == "captured").count();
            let is_paid = invoice.state == "paid";
            if captured != usize::from(is_paid) {
                let (id, state) = (&invoice.id, &invoice.state);
                findings.push(format!("{id} is {state} and was charged {captured} times"));
            }
            let published = self.count("invoice.paid", &invoice.id);
            if published != usize::from(is_paid) {
                findings.push(format!(
                    "{} was paid {published} times by its events",
                    invoice.id
                ));
            }
        }
        let approved: BTreeSet<_> = self.approved.iter().cloned().collect();
        if approved.len() != self.approved.len() {
            findings.push("the bank has approved one reference twice".into());
        }
        for id in approved.symmetric_difference(&self.captured) {
            findings.push(format!("only one of bank and verifier has taken {id}"));
        }
    }

    /// No try exceeds a limit of a scheme.
    fn judge_limits(&self, findings: &mut Vec<String>) {
        let mut most = |of: Vec<&Try>, (window_ms, limit): (i64, usize)| {
            for (place, first) in of.iter().enumerate() {
                let within = of[place..].iter();
                let within = within.take_while(|one| one.at_ms - first.at_ms < window_ms);
                let count = within.count();
                if count > limit {
                    findings.push(format!("{} was tried {count} times", first.fingerprint));
                    return;
                }
            }
        };
        let mut cards: BTreeMap<_, Vec<&Try>> = BTreeMap::new();
        for one in &self.tries {
            let amount = match one.brand.as_str() {
                "visa" => one.money.as_str(),
                _ => "",
            };
            let key = (one.brand.as_str(), one.fingerprint.as_str(), amount);
            cards.entry(key).or_default().push(one);
        }
        for ((brand, ..), tries) in cards {
            // A try that is approved is no repetition of another one.
            let declined: Vec<_> = tries
                .into_iter()
                .filter(|one| one.state != "captured")
                .collect();
            if brand == "visa" {
                most(declined, (30 * DAY_MS, VISA_TRIES));
            } else {
                for limit in MASTERCARD_TRIES {
                    most(declined.clone(), limit);
                }
            }
        }
    }
}
