//! Shoppers who pay while the verifier is being killed, and record the responses.
//!
//! They do what the widget does: an attempt's id and body are fixed before it is sent, and when
//! no response arrives, the same attempt is sent again with a new signature until one does.

use super::money::connection::{Answer, PATIENCE, code_of, unexpected};
use harness::chance::Chance;
use harness::client::{Browser, Merchant, Prepared, attempt, card};
use harness::load::{KeepAlive, encode};
use sealpay_protocol::api::{DeclineCategory, PaymentView, SessionView, ShopperState};
use sealpay_protocol::ids::{AttemptId, PaymentId, SessionId};
use sealpay_protocol::origin::Origin;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub(crate) const APPROVED_CARD: &str = "4242424242424242";
pub(crate) const DECLINED_CARD: &str = "4000005002000009";

/// What a shopper does: the outcome that the order asks for, and the cards tried one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habit {
    outcome: Option<&'static str>,
    cards: &'static [&'static str],
    /// All cards at once, as from two windows with the same session.
    at_once: bool,
}

const fn habit(outcome: Option<&'static str>, cards: &'static [&'static str]) -> Habit {
    Habit {
        outcome,
        cards,
        at_once: false,
    }
}

const ONE_CARD: &[&str] = &[APPROVED_CARD];

/// Shoppers who usually finish quickly.
pub(crate) const QUICK: &[Habit] = &[
    habit(None, ONE_CARD),
    habit(Some("approved"), ONE_CARD),
    habit(Some("insufficient_funds"), ONE_CARD),
    habit(None, &[DECLINED_CARD, APPROVED_CARD]),
    habit(None, &[DECLINED_CARD, DECLINED_CARD, APPROVED_CARD]),
    Habit {
        outcome: None,
        cards: &[APPROVED_CARD, APPROVED_CARD],
        at_once: true,
    },
    Habit {
        outcome: None,
        cards: &[DECLINED_CARD, APPROVED_CARD, APPROVED_CARD],
        at_once: true,
    },
];

/// Shoppers whose bank responds slowly or never.
pub(crate) const PATIENT: &[Habit] = &[
    habit(Some("slow"), ONE_CARD),
    habit(Some("response_lost"), ONE_CARD),
    habit(
        Some("response_lost_declined"),
        &[APPROVED_CARD, APPROVED_CARD],
    ),
    habit(Some("never_received"), ONE_CARD),
    habit(Some("error"), &[APPROVED_CARD, APPROVED_CARD]),
    Habit {
        outcome: Some("slow"),
        cards: &[APPROVED_CARD, APPROVED_CARD],
        at_once: true,
    },
];

/// The outcome of an attempt, as reported to its shopper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// Captured or declined.
    Outcome {
        payment: PaymentId,
        state: ShopperState,
        decline: Option<DeclineCategory>,
    },
    /// Another attempt has paid for the order.
    SessionComplete,
}

/// An attempt, and the final outcome reported to its shopper.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) session: SessionId,
    pub(crate) attempt: AttemptId,
    pub(crate) told: Acknowledged,
}

/// Where shoppers send requests, and what they record.
#[derive(Debug)]
pub(crate) struct Traffic {
    merchant: Merchant,
    origin: Origin,
    addresses: Vec<SocketAddr>,
    closing: AtomicBool,
    /// The outcomes reported to shoppers.
    pub(crate) records: Mutex<Vec<Record>>,
    /// Descriptions of everything that should never have happened.
    pub(crate) complaints: Mutex<Vec<String>>,
    /// Responses that did not arrive, for any reason.
    pub(crate) broken: AtomicU64,
    /// Those of them whose request had already been sent.
    pub(crate) cut: AtomicU64,
    /// Responses that were requested again after a kill and had to be identical.
    pub(crate) asked_again: AtomicU64,
}

impl Traffic {
    pub(crate) fn new(merchant: Merchant, origin: Origin, addresses: Vec<SocketAddr>) -> Self {
        Self {
            merchant,
            origin,
            addresses,
            closing: AtomicBool::new(false),
            records: Mutex::default(),
            complaints: Mutex::default(),
            broken: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            asked_again: AtomicU64::new(0),
        }
    }

    /// Everybody finishes what they have begun, and nobody begins anything.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn complain(&self, sentence: String) {
        self.complaints.lock().unwrap().push(sentence);
    }

    /// Comes again and again until the traffic closes.
    pub(crate) async fn shopper(&self, habits: &[Habit], mut chance: Chance) {
        let mut line = Line::new(self, chance.branch());
        while !self.closing.load(Ordering::Relaxed) {
            let habit = *chance.pick(habits);
            if let Err(complaint) = self.shop(habit, &mut line, &mut chance).await {
                self.complain(complaint);
                return;
            }
        }
    }

    async fn shop(
        &self,
        habit: Habit,
        line: &mut Line<'_>,
        chance: &mut Chance,
    ) -> Result<(), String> {
        let browser = Browser::new(&self.origin);
        let order = self.merchant.order(&self.origin, habit.outcome);
        let session = line.open(&browser, &order).await?;
        let basket = Basket {
            browser: &browser,
            order: &order,
            session: &session,
        };
        if habit.at_once {
            return self.pay_at_once(habit.cards, &basket, line, chance).await;
        }
        for number in habit.cards {
            if line.pay(&basket, number).await?.captured() {
                break;
            }
        }
        Ok(())
    }

    async fn pay_at_once(
        &self,
        cards: &[&'static str],
        basket: &Basket<'_>,
        line: &mut Line<'_>,
        chance: &mut Chance,
    ) -> Result<(), String> {
        let [first, second, rest @ ..] = cards else {
            return Err("nobody races alone".into());
        };
        let mut others = [
            Line::new(self, chance.branch()),
            Line::new(self, chance.branch()),
        ];
        let [other, third] = &mut others;
        let (first, second, third) =
            tokio::join!(line.pay(basket, first), other.pay(basket, second), async {
                match rest.first() {
                    Some(number) => third.pay(basket, number).await.map(Some),
                    None => Ok(None),
                }
            },);
        let told: Vec<Acknowledged> = [Some(first?), Some(second?), third?]
            .into_iter()
            .flatten()
            .collect();
        let paid = told.iter().filter(|told| told.captured()).count();
        let refused = told.contains(&Acknowledged::SessionComplete);
        if paid > 1 || (refused && paid == 0) {
            return Err(format!("attempts at once were told {told:?}"));
        }
        Ok(())
    }
}

impl Acknowledged {
    fn captured(&self) -> bool {
        matches!(
            self,
            Self::Outcome {
                state: ShopperState::Captured,
                ..
            }
        )
    }
}

#[derive(Debug, Clone, Copy)]
struct Basket<'a> {
    browser: &'a Browser,
    order: &'a str,
    session: &'a SessionView,
}

/// An attempt with its bytes, so that it can be sent again.
#[derive(Debug, Clone)]
struct Sent {
    browser: Browser,
    session: SessionView,
    attempt: AttemptId,
    body: Vec<u8>,
}

/// A shopper's line to the verifier; it is laid anew when it breaks.
#[derive(Debug)]
struct Line<'a> {
    traffic: &'a Traffic,
    chance: Chance,
    connection: Option<KeepAlive>,
    last: Option<(Sent, Acknowledged)>,
}

impl<'a> Line<'a> {
    const fn new(traffic: &'a Traffic, chance: Chance) -> Self {
        Self {
            traffic,
            chance,
            connection: None,
            last: None,
        }
    }

    /// Sends until there is an answer; every time with what `prepare` signs anew.
    async fn ask(&mut self, prepare: impl Fn() -> Prepared) -> Result<Answer, String> {
        let started = Instant::now();
        loop {
            if let Some(answer) = self.ask_once(&prepare()).await {
                return Ok(answer);
            }
            self.traffic.broken.fetch_add(1, Ordering::Relaxed);
            if started.elapsed() > PATIENCE {
                return Err("the verifier has not answered for too long".into());
            }
            sleep(Duration::from_millis(self.chance.between(2, 40))).await;
        }
    }

    async fn ask_once(&mut self, prepared: &Prepared) -> Option<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => KeepAlive::connect(*self.chance.pick(&self.traffic.addresses))
                .await
                .ok()?,
        };
        let request = encode(prepared, self.traffic.origin.authority());
        let Ok(received) = connection.exchange(&request).await else {
            self.traffic.cut.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let answer = (received.status, received.body.to_vec());
        self.connection = Some(connection);
        Some(answer)
    }

    async fn open(&mut self, browser: &Browser, order: &str) -> Result<SessionView, String> {
        loop {
            let (status, body) = self.ask(|| browser.open_session(order)).await?;
            match status {
                200 => return serde_json::from_slice(&body).map_err(|error| error.to_string()),
                503 => sleep(Duration::from_millis(50)).await,
                _ => return Err(unexpected("opening a session", &(status, body))),
            }
        }
    }

    /// Makes one attempt, sends it until its outcome is known, and writes that down.
    async fn pay(&mut self, basket: &Basket<'_>, number: &str) -> Result<Acknowledged, String> {
        let attempt = attempt();
        let Basket {
            browser,
            order,
            session,
        } = *basket;
        let body = browser.pay_body(order, session, attempt, &card(number));
        let sent = Sent {
            browser: browser.clone(),
            session: session.clone(),
            attempt,
            body,
        };
        let broken_before = self.traffic.broken.load(Ordering::Relaxed);
        let told = self.send(&sent).await?;
        self.traffic.records.lock().unwrap().push(Record {
            session: session.session,
            attempt,
            told: told.clone(),
        });
        if broken_before != self.traffic.broken.load(Ordering::Relaxed) {
            self.ask_for_the_last_again().await?;
        }
        self.last = Some((sent, told.clone()));
        Ok(told)
    }

    /// What was answered before a kill is answered after it, word for word.
    async fn ask_for_the_last_again(&mut self) -> Result<(), String> {
        let Some((sent, told @ Acknowledged::Outcome { .. })) = self.last.take() else {
            return Ok(());
        };
        self.traffic.asked_again.fetch_add(1, Ordering::Relaxed);
        let again = self.send(&sent).await?;
        if again == told {
            return Ok(());
        }
        Err(format!(
            "{} was {told:?} and is {again:?} after a kill",
            sent.attempt
        ))
    }

    async fn send(&mut self, sent: &Sent) -> Result<Acknowledged, String> {
        let started = Instant::now();
        let prepare = || {
            sent.browser
                .send_attempt(&sent.session, sent.attempt, sent.body.clone())
        };
        loop {
            let (status, body) = self.ask(prepare).await?;
            match (status, code_of(&body).as_deref()) {
                (200, _) => return outcome(sent, &body),
                (409, Some("session_complete")) => return Ok(Acknowledged::SessionComplete),
                (202 | 503, _) | (409, Some("attempt_in_progress")) => {}
                _ => return Err(unexpected("paying", &(status, body))),
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("{} has had no outcome for too long", sent.attempt));
            }
            sleep(Duration::from_millis(self.chance.between(50, 300))).await;
        }
    }
}

fn outcome(sent: &Sent, body: &[u8]) -> Result<Acknowledged, String> {
    let view: PaymentView = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let known = matches!(view.state, ShopperState::Captured | ShopperState::Declined);
    if !known || view.attempt != sent.attempt || view.amount != sent.session.order.amount {
        return Err(format!("{} was answered {view:?}", sent.attempt));
    }
    Ok(Acknowledged::Outcome {
        payment: view.payment,
        state: view.state,
        decline: view.decline.map(|decline| decline.category),
    })
}
