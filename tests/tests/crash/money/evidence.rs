//! What merchants were told, what is stored, what the bank paid and what webhooks reported must
//! agree.
//!
//! The evidence is plain data, so that a test can falsify it and see that the falsehood is found.
//! What has to be true of money by itself is asked elsewhere, by the invariants of every history.

use super::merchant::{Acknowledged, Sale, Write};
use crate::crash::evidence::{Keys, columns};
use harness::rows::StoredState;
use harness::webhook_receiver::Arrival;
use sealpay_protocol::ids::EventId;
use std::collections::{BTreeMap, BTreeSet};
use verifier_server::webhooks::deliveries::purge::DELIVERY_RETENTION_DAYS;

#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) attempt: String,
    pub(crate) id: String,
    pub(crate) state: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Modification {
    pub(crate) reference: String,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) state: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) merchant: String,
    pub(crate) body: String,
    /// The states of its deliveries.
    pub(crate) deliveries: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Settlement {
    pub(crate) id: String,
    /// Merchant and currency.
    pub(crate) of: String,
    pub(crate) date: String,
    pub(crate) number: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Payout {
    pub(crate) id: String,
    pub(crate) settlement: String,
    /// Amount, currency and account.
    pub(crate) money: String,
    pub(crate) state: String,
}

/// Everything that is known of a run.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) merchants: Vec<String>,
    pub(crate) sales: Vec<Sale>,
    pub(crate) writes: Vec<Write>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) modifications: Vec<Modification>,
    /// Keys, and what was made by the requests that they name.
    pub(crate) requests: Vec<(String, String)>,
    pub(crate) events: Vec<Event>,
    pub(crate) settlements: Vec<Settlement>,
    pub(crate) payouts: Vec<Payout>,
    /// The same at the bank, where no settlement is known.
    pub(crate) at_the_bank: Vec<Payout>,
    pub(crate) arrivals: Vec<(usize, Arrival)>,
}

const PAYMENTS: &str = "SELECT attempt, id, state FROM payments";
const MODIFICATIONS: &str =
    "SELECT COALESCE(reference, ''), id, kind, state FROM modifications ORDER BY id";
const REQUESTS: &str = "SELECT idempotency_key, resource FROM idempotent_requests";
const EVENTS: &str = "SELECT e.id, e.merchant, e.body, (SELECT COUNT(*) || ' ' ||
    COALESCE(MIN(d.state), '') FROM deliveries d WHERE d.event = e.id) FROM events e";
const SETTLEMENTS: &str = "SELECT id, merchant || ' ' || currency, settlement_date, number
    FROM settlements ORDER BY merchant, currency, number";
const PAYOUTS: &str = "SELECT id, settlement, amount_minor || ' ' || currency || ' ' || account,
    state FROM payouts ORDER BY id";
const AT_THE_BANK: &str = "SELECT id, '', amount_minor || ' ' || currency || ' ' || account,
    CASE WHEN state = 'acknowledged' THEN 'returned' ELSE state END
    FROM bank_payouts ORDER BY id";

async fn rows<const N: usize, T>(
    kept: &StoredState,
    sql: &str,
    read: fn([String; N]) -> T,
) -> Vec<T> {
    let rows = kept.rows(sql).await.into_iter();
    rows.map(|row| read(columns(row))).collect()
}

fn payout([id, settlement, money, state]: [String; 4]) -> Payout {
    Payout {
        id,
        settlement,
        money,
        state,
    }
}

impl Evidence {
    pub(crate) async fn gather(
        (kept, book): (&StoredState, &StoredState),
        merchants: Vec<String>,
        (sales, writes): (Vec<Sale>, Vec<Write>),
        arrivals: Vec<(usize, Arrival)>,
    ) -> Self {
        let payment = |[attempt, id, state]: [String; 3]| Payment { attempt, id, state };
        let modification = |[reference, id, kind, state]: [String; 4]| Modification {
            reference,
            id,
            kind,
            state,
        };
        let event = |[id, merchant, body, deliveries]: [String; 4]| Event {
            id,
            merchant,
            body,
            deliveries,
        };
        let settlement = |[id, of, date, number]: [String; 4]| Settlement {
            id,
            of,
            date,
            number: number.parse().unwrap(),
        };
        Self {
            merchants,
            sales,
            writes,
            payments: rows(kept, PAYMENTS, payment).await,
            modifications: rows(kept, MODIFICATIONS, modification).await,
            requests: rows(kept, REQUESTS, |[key, made]: [String; 2]| (key, made)).await,
            events: rows(kept, EVENTS, event).await,
            settlements: rows(kept, SETTLEMENTS, settlement).await,
            payouts: rows(kept, PAYOUTS, payout).await,
            at_the_bank: rows(book, AT_THE_BANK, payout).await,
            arrivals,
        }
    }

    /// What is not as it must be, one sentence each.
    pub(crate) fn findings(&self, keys: &[Keys]) -> Vec<String> {
        let mut findings = Vec::new();
        self.check_sales(&mut findings);
        self.check_writes(&mut findings);
        self.check_settlements(&mut findings);
        self.check_payouts(&mut findings);
        self.check_events(&mut findings);
        self.check_arrivals(keys, &mut findings);
        findings
    }

    /// What a shopper was told is kept, once; and nothing else is.
    fn check_sales(&self, findings: &mut Vec<String>) {
        let mut kept = BTreeMap::<&str, Vec<&Payment>>::new();
        for payment in &self.payments {
            kept.entry(&payment.attempt).or_default().push(payment);
        }
        for Sale { attempt, paid } in &self.sales {
            let found = kept.remove(attempt.as_str()).unwrap_or_default();
            match (paid, found.as_slice()) {
                (Some(paid), [stored]) => {
                    let is_declined = stored.state == "declined";
                    if stored.id != paid.payment || is_declined != paid.is_declined {
                        findings.push(format!("{paid:?} was told, kept is {stored:?}"));
                    }
                }
                (Some(paid), []) => {
                    findings.push(format!("{} was acknowledged and is lost", paid.payment));
                }
                (None, []) => {}
                (_, found) => findings.push(format!(
                    "the attempt {attempt} has {} payments",
                    found.len()
                )),
            }
        }
        findings.extend(
            kept.keys()
                .map(|attempt| format!("nobody made the attempt {attempt}")),
        );
    }

    /// What was acknowledged was done once, as it was told; what was refused was not done; and
    /// nothing was done that nobody asked for but ending holds.
    fn check_writes(&self, findings: &mut Vec<String>) {
        let mut made = BTreeMap::<&str, Vec<&Modification>>::new();
        for modification in &self.modifications {
            made.entry(&modification.reference)
                .or_default()
                .push(modification);
        }
        let mut requests: BTreeMap<&str, &str> = self
            .requests
            .iter()
            .map(|(key, made)| (key.as_str(), made.as_str()))
            .collect();
        for Write { order, told, .. } in &self.writes {
            let key = order.key.as_str();
            let found = made.remove(key).unwrap_or_default();
            let request = requests.remove(key);
            let is_right = match (told, found.as_slice()) {
                (Acknowledged::Made { id, state }, [stored]) => {
                    // The key itself may have been forgotten since.
                    let is_remembered_so = request.is_none_or(|made| made == id.as_str());
                    let is_so_now = state == "pending" || *state == stored.state;
                    stored.id == *id && is_so_now && is_remembered_so
                }
                (Acknowledged::Refused(_), []) => request.is_none(),
                _ => false,
            };
            if !is_right {
                findings.push(format!("{key} was told {told:?}, made was {found:?}"));
            }
        }
        findings.extend(requests.keys().map(|key| format!("nobody sent {key}")));
        let unasked = made.into_values().flatten();
        findings.extend(
            unasked
                .filter(|modification| modification.kind != "expiry")
                .map(|modification| format!("nobody asked for {modification:?}")),
        );
    }

    /// One for each merchant, currency and date, numbered without gaps in the order of the dates.
    fn check_settlements(&self, findings: &mut Vec<String>) {
        let mut before: Option<&Settlement> = None;
        for settlement in &self.settlements {
            let is_next = match before.filter(|before| before.of == settlement.of) {
                Some(before) => {
                    settlement.number == before.number + 1 && settlement.date > before.date
                }
                None => settlement.number == 1,
            };
            if !is_next {
                findings.push(format!("{settlement:?} comes after {before:?}"));
            }
            before = Some(settlement);
        }
    }

    /// Each settlement is paid out once at most, and the bank has paid the same.
    fn check_payouts(&self, findings: &mut Vec<String>) {
        let known: BTreeSet<&str> = self.settlements.iter().map(|row| row.id.as_str()).collect();
        let mut paid = BTreeSet::new();
        for payout in &self.payouts {
            if !known.contains(payout.settlement.as_str()) {
                findings.push(format!("{payout:?} pays out no settlement"));
            }
            if !paid.insert(&payout.settlement) {
                findings.push(format!("{} is paid out twice", payout.settlement));
            }
        }
        let view = |payout: &Payout| {
            let Payout {
                id, money, state, ..
            } = payout;
            format!("{id}: {money}, {state}")
        };
        let ours: Vec<_> = self.payouts.iter().map(view).collect();
        let theirs: Vec<_> = self.at_the_bank.iter().map(view).collect();
        for (ours, theirs) in [(&ours, &theirs), (&theirs, &ours)] {
            let others: BTreeSet<_> = theirs.iter().collect();
            let missing = ours.iter().filter(|row| !others.contains(row));
            findings.extend(missing.map(|row| format!("only one side knows {row}")));
        }
        if ours.len() != theirs.len() {
            let (ours, theirs) = (ours.len(), theirs.len());
            findings.push(format!("{ours} payouts here and {theirs} at the bank"));
        }
    }

    /// Completed deliveries are purged after a while, and the clock may have jumped that far.
    fn check_events(&self, findings: &mut Vec<String>) {
        let made_ms = |event: &Event| event.id.parse::<EventId>().map_or(0, EventId::unix_ms);
        let newest_ms = self.events.iter().map(made_ms).max().unwrap_or_default();
        let retained_ms = (DELIVERY_RETENTION_DAYS - 1) * 24 * 60 * 60 * 1000;
        let is_purged = |event: &Event| {
            event.deliveries.trim() == "0" && newest_ms - made_ms(event) > retained_ms
        };
        let undelivered = self
            .events
            .iter()
            .filter(|event| event.deliveries != "1 delivered" && !is_purged(event));
        findings.extend(
            undelivered.map(|event| format!("{} was delivered {}", event.id, event.deliveries)),
        );
    }

    /// Every event reached its merchant at least once, signed, byte for byte, and nothing else did.
    fn check_arrivals(&self, keys: &[Keys], findings: &mut Vec<String>) {
        let known: BTreeMap<&str, &Event> = self
            .events
            .iter()
            .map(|event| (event.id.as_str(), event))
            .collect();
        let mut missing = known.clone();
        for (merchant, arrival) in &self.arrivals {
            let keys = &keys[*merchant];
            findings.extend(arrival.verify(&keys.key, &keys.secret).err());
            let id = arrival.id.as_str();
            match known.get(id) {
                None => findings.push(format!("{id} was delivered and is no event")),
                Some(event) if event.merchant != self.merchants[*merchant] => {
                    findings.push(format!("{id} was delivered to somebody else"));
                }
                Some(event) if event.body.as_bytes() != arrival.body => {
                    findings.push(format!("{id} was delivered with another body"));
                }
                Some(_) => {
                    missing.remove(id);
                }
            }
        }
        findings.extend(missing.keys().map(|id| format!("{id} never arrived")));
    }

    /// Deliveries of what had arrived before: a receiver knows them by their `webhook-id`.
    pub(crate) fn duplicates(&self) -> usize {
        let ids: BTreeSet<_> = self
            .arrivals
            .iter()
            .map(|(_, arrival)| &arrival.id)
            .collect();
        self.arrivals.len() - ids.len()
    }

    /// So many of a kind ended so.
    pub(crate) fn count(&self, kind: &str, state: &str) -> usize {
        let is_such = |row: &&Modification| row.kind == kind && row.state == state;
        self.modifications.iter().filter(is_such).count()
    }
}
