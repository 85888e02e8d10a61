//! Merchants that sell, capture, void and refund while verifiers are being killed, and record the
//! responses.
//!
//! A request has its `Idempotency-Key` and its bytes before it is sent. When no answer comes the same
//! request is sent again, until there is one; what was told once has to be told again later.

use super::connection::{Line, Network, PATIENCE, code_of, unexpected};
use harness::back_office::{key, write};
use harness::browser::eventually;
use harness::chance::Chance;
use harness::client::{APPROVED, Browser, Merchant, SHOP_ORIGIN, attempt, card};
use sealpay_protocol::api::{NEW_SESSION, PaymentView, SessionView, ShopperState};
use sealpay_protocol::order::Capture;
use sealpay_protocol::origin::Origin;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const CURRENCIES: [&str; 3] = ["EUR", "USD", "GBP"];

/// So many of the last sales are still worked on: few, so that several merchants work on the same one.
const RECENT: usize = 40;

/// How long a request may be sent again by the system's clock, seconds: less than a verifier promises
/// to remember it, by more than any jump of that clock.
const REPEATABLE_SECONDS: u64 = 20 * 24 * 60 * 60;

/// An attempt to pay, and what its shopper was told at last.
#[derive(Debug, Clone)]
pub(crate) struct Sale {
    pub(crate) attempt: String,
    pub(crate) paid: Option<Paid>,
}

/// A payment that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Paid {
    merchant: usize,
    pub(crate) payment: String,
    amount_minor: i64,
    capture: Capture,
    pub(crate) is_declined: bool,
}

/// A request to capture, void or refund.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    merchant: usize,
    /// The `Idempotency-Key`, and the reference by which what it made is found again.
    pub(crate) key: String,
    path: String,
    body: Value,
}

/// The response that a merchant got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// This was made, and stands so.
    Made { id: String, state: String },
    /// Nothing was.
    Refused(String),
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) order: Order,
    pub(crate) told: Acknowledged,
    /// The system's time then, seconds since 1970.
    at: u64,
}

impl Write {
    /// Whether a capture or refund has succeeded.
    fn has_moved_money(&self) -> bool {
        let is_made =
            matches!(&self.told, Acknowledged::Made { state, .. } if state == "succeeded");
        is_made && !self.order.path.ends_with("/void")
    }
}

/// Everything that merchants know.
#[derive(Debug)]
pub(crate) struct Shops {
    pub(crate) merchants: Vec<Merchant>,
    pub(crate) network: Network,
    origin: Origin,
    closing: AtomicBool,
    pub(crate) sales: Mutex<Vec<Sale>>,
    pub(crate) writes: Mutex<Vec<Write>>,
    /// What never should have happened, in sentences.
    pub(crate) complaints: Mutex<Vec<String>>,
    /// Requests that were sent again after their answer.
    pub(crate) repeated: AtomicU64,
}

impl Shops {
    pub(crate) fn new(merchants: Vec<Merchant>, origin: Origin, network: Network) -> Self {
        Self {
            merchants,
            network,
            origin,
            closing: AtomicBool::new(false),
            sales: Mutex::default(),
            writes: Mutex::default(),
            complaints: Mutex::default(),
            repeated: AtomicU64::new(0),
        }
    }

    /// Everybody finishes what they have begun, and nobody begins anything.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Waits until the merchants are at work: kills that come earlier hit nothing.
    pub(crate) async fn first_capture_or_refund(&self) {
        eventually("a capture or a refund", async || {
            let writes = self.writes.lock().unwrap();
            writes.iter().any(Write::has_moved_money).then_some(())
        })
        .await;
    }

    pub(crate) fn complain(&self, sentence: String) {
        self.complaints.lock().unwrap().push(sentence);
    }

    /// Works until the shops close.
    pub(crate) async fn work(&self, mut chance: Chance) {
        let mut line = Line::new(&self.network, chance.branch());
        let mut last = None;
        while !self.closing.load(Ordering::Relaxed) {
            let done = self.next_step(&mut line, &mut chance, &mut last).await;
            if let Err(complaint) = done {
                self.complain(complaint);
                return;
            }
            sleep(Duration::from_millis(chance.between(0, 60))).await;
        }
    }

    async fn next_step(
        &self,
        line: &mut Line<'_>,
        chance: &mut Chance,
        last: &mut Option<Write>,
    ) -> Result<(), String> {
        let recent = self.recent(chance);
        let Some(paid) = recent.filter(|_| !chance.once_in(3)) else {
            let sale = self.sell(line, chance).await?;
            self.sales.lock().unwrap().push(sale);
            return Ok(());
        };
        let broken_before = self.network.broken.load(Ordering::Relaxed);
        let order = order(&paid, chance);
        let told = self.send(line, &order).await?;
        let write = Write {
            order,
            told,
            at: self.network.now(),
        };
        self.writes.lock().unwrap().push(write.clone());
        if broken_before != self.network.broken.load(Ordering::Relaxed)
            && let Some(last) = last
        {
            self.repeat(line, last).await?;
        }
        *last = Some(write);
        Ok(())
    }

    fn recent(&self, chance: &mut Chance) -> Option<Paid> {
        let sales = self.sales.lock().unwrap();
        let recent = &sales[sales.len().saturating_sub(RECENT)..];
        if recent.is_empty() {
            return None;
        }
        let paid = chance.pick(recent).paid.clone();
        paid.filter(|paid| !paid.is_declined)
    }

    /// A shopper pays. Where the session has run out meanwhile, nothing was sold.
    async fn sell(&self, line: &mut Line<'_>, chance: &mut Chance) -> Result<Sale, String> {
        let merchant = index(chance, self.merchants.len());
        let shop = &self.merchants[merchant];
        let mut claims = shop.claims(&self.origin);
        claims.amount = i64::try_from(chance.between(500, 20_000)).unwrap();
        claims.currency = (*chance.pick(&CURRENCIES)).into();
        claims.capture = match chance.once_in(2) {
            true => Capture::Manual,
            false => Capture::Automatic,
        };
        let order = shop.sign(&claims);
        let browser = Browser::new(&self.origin);
        let (opening, body) = (attempt(), browser.open_body(&order, SHOP_ORIGIN));
        let open = |now| {
            let id = opening.to_string();
            browser.request_at("/v1/sessions", NEW_SESSION, &id, body.clone(), now)
        };
        let answer = line.ask(open).await?;
        if answer.0 != 200 {
            return Err(unexpected("opening a session", &answer));
        }
        let session: SessionView =
            serde_json::from_slice(&answer.1).map_err(|error| error.to_string())?;
        let attempt = attempt();
        let body = browser.pay_body(&order, &session, attempt, &card(APPROVED));
        let (id, attempt) = (session.session.to_string(), attempt.to_string());
        let pay = |now| browser.request_at("/v1/payments", &id, &attempt, body.clone(), now);
        let started = Instant::now();
        let view = loop {
            if started.elapsed() > PATIENCE {
                return Err(format!("{attempt} has had no outcome for too long"));
            }
            let answer = line.ask(pay).await?;
            match (answer.0, code_of(&answer.1).as_deref()) {
                (200 | 202, _) => {}
                (_, Some("session_expired" | "sealed_card_refused")) => break None,
                _ => return Err(unexpected("paying", &answer)),
            }
            let view: PaymentView =
                serde_json::from_slice(&answer.1).map_err(|error| error.to_string())?;
            match view.state {
                ShopperState::Processing | ShopperState::Unknown => {
                    sleep(Duration::from_millis(chance.between(20, 200))).await;
                }
                ShopperState::RequiresAction => return Err(unexpected("paying", &answer)),
                _ => break Some(view),
            }
        };
        let paid = view.map(|view| Paid {
            merchant,
            payment: view.payment.to_string(),
            amount_minor: claims.amount,
            capture: claims.capture,
            is_declined: view.state == ShopperState::Declined,
        });
        Ok(Sale { attempt, paid })
    }

    async fn send(&self, line: &mut Line<'_>, order: &Order) -> Result<Acknowledged, String> {
        let api_key = &self.merchants[order.merchant].api_key;
        let request = |_| write(api_key, &order.path, &order.key, &order.body);
        let answer = line.ask(request).await?;
        match (answer.0, code_of(&answer.1)) {
            (200 | 202, _) => {
                let made: Value =
                    serde_json::from_slice(&answer.1).map_err(|error| error.to_string())?;
                let text = |name: &str| made[name].as_str().map(str::to_owned);
                let told = text("id").zip(text("state"));
                let (id, state) = told.ok_or_else(|| unexpected(&order.path, &answer))?;
                Ok(Acknowledged::Made { id, state })
            }
            (409, Some(code)) if code == "state_conflict" => Ok(Acknowledged::Refused(code)),
            (422, Some(code)) if code == "amount_too_large" => Ok(Acknowledged::Refused(code)),
            _ => Err(unexpected(&order.path, &answer)),
        }
    }

    /// The same request again: what it made is told again, and if it had ended it has ended so.
    async fn repeat(&self, line: &mut Line<'_>, write: &Write) -> Result<(), String> {
        let Acknowledged::Made { id, state } = &write.told else {
            return Ok(());
        };
        if write.at + REPEATABLE_SECONDS < self.network.now() {
            return Ok(());
        }
        self.repeated.fetch_add(1, Ordering::Relaxed);
        let again = self.send(line, &write.order).await?;
        let is_same = match &again {
            Acknowledged::Made {
                id: again,
                state: now,
            } => again == id && (state == "pending" || now == state),
            Acknowledged::Refused(_) => false,
        };
        if is_same {
            return Ok(());
        }
        let told = &write.told;
        let key = &write.order.key;
        Err(format!("{key} was told {told:?}, and later {again:?}"))
    }

    /// Sends every request again that was answered not too long ago.
    pub(crate) async fn repeat_all(&self, chance: Chance) {
        let mut line = Line::new(&self.network, chance);
        let writes = self.writes.lock().unwrap().clone();
        for write in &writes {
            if let Err(complaint) = self.repeat(&mut line, write).await {
                self.complain(complaint);
            }
        }
    }
}

pub(crate) fn index(chance: &mut Chance, length: usize) -> usize {
    let length = u64::try_from(length).unwrap();
    usize::try_from(chance.between(0, length)).unwrap()
}

/// What a merchant wants to do with a payment; not always possible.
fn order(paid: &Paid, chance: &mut Chance) -> Order {
    let key = key();
    let most = u64::try_from(paid.amount_minor / 2).unwrap();
    let part = i64::try_from(chance.between(1, most)).unwrap();
    let reference = &key;
    let all = json!({"reference": reference});
    let some = json!({"reference": reference, "amount": part});
    let last = json!({"reference": reference, "amount": part, "final": true});
    let (what, body) = match (paid.capture, chance.between(0, 12)) {
        (Capture::Manual, 0..5) => ("captures", some),
        (Capture::Manual, 5) => ("captures", all),
        (Capture::Manual, 6) => ("captures", last),
        (_, 7) => ("void", all),
        (_, 8) => ("refunds", all),
        _ => ("refunds", some),
    };
    Order {
        merchant: paid.merchant,
        path: format!("/v1/payments/{}/{what}", paid.payment),
        key,
        body,
    }
}
