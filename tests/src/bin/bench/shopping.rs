//! What shoppers' browsers do before anything is timed: orders, sessions, sealed and signed cards.

use crate::blast::{Blast, blast};
use crate::machine::cores;
use harness::client::{APPROVED, Browser, Merchant, attempt, card, fresh_address};
use harness::load::encode;
use harness::time::{TestClock, random};
use sealpay_protocol::api::SessionView;
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::origin::Origin;
use std::net::SocketAddr;

/// Connections over which sessions are opened.
const OPENING_CLIENTS: usize = 32;

/// Where payments are made.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) merchant: Merchant,
    pub(crate) origin: Origin,
    pub(crate) address: SocketAddr,
    /// The time of the verifier.
    pub(crate) clock: TestClock,
}

/// Which cards the shoppers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cards {
    /// All of them a persona's, whose outcome is promised: nothing is assessed.
    Persona,
    /// Each another one that nobody knows, from an address of its own: the fraud rules look at it,
    /// and its account comes into being.
    Fresh,
}

impl Cards {
    fn number(self) -> String {
        match self {
            Self::Persona => APPROVED.to_owned(),
            Self::Fresh => fresh_number(),
        }
    }
}

/// Fifteen digits of a Visa card and the one that makes it right (ISO/IEC 7812-1 annex B).
pub(crate) fn fresh_number() -> String {
    let mut digits = vec![4];
    digits.extend(random::<14>().map(|byte| u32::from(byte % 10)));
    let doubled = |(place, digit): (usize, &u32)| match place % 2 {
        0 => digit * 2 / 10 + digit * 2 % 10,
        _ => *digit,
    };
    let sum: u32 = digits.iter().enumerate().map(doubled).sum();
    digits.push((10 - sum % 10) % 10);
    digits.iter().map(u32::to_string).collect()
}

/// A sealed card in an open session, to be signed and sent.
#[derive(Debug)]
pub(crate) struct Basket {
    browser: Browser,
    session: SessionView,
    attempt: AttemptId,
    body: Vec<u8>,
}

/// Does something with each of them, on all cores.
pub(crate) fn on_all_cores<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let share = items.len().div_ceil(cores()).max(1);
    let mut items = items.into_iter();
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores())
            .map(|_| {
                let own: Vec<T> = items.by_ref().take(share).collect();
                scope.spawn(move || own.into_iter().map(work).collect::<Vec<R>>())
            })
            .collect();
        let done = threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread ends"));
        done.flatten().collect()
    })
}

impl Shop {
    /// Opens sessions over HTTP and seals a card in each; also what the opening measured.
    pub(crate) async fn fill_baskets(&self, count: usize, cards: Cards) -> (Vec<Basket>, Blast) {
        let opened = on_all_cores((0..count).collect(), |_| {
            let browser = Browser::with_clock(&self.origin, self.clock.clone());
            let order = self.merchant.order(&self.origin, None);
            let request = encode(&browser.open_session(&order), self.origin.authority());
            (browser, order, request)
        });
        let requests = opened
            .iter()
            .map(|(_, _, request)| request.clone())
            .collect();
        let opening = blast(self.address, OPENING_CLIENTS, requests).await;
        let answers = opening.answers.iter().map(|(place, status, body)| {
            let (browser, order, _) = &opened[*place];
            assert_eq!(*status, 200, "{}", String::from_utf8_lossy(body));
            (browser, order, body)
        });
        let baskets = on_all_cores(answers.collect(), |(browser, order, body)| {
            let session: SessionView = serde_json::from_slice(body).expect("a session is JSON");
            let attempt = attempt();
            let body = browser.pay_body(order, &session, attempt, &card(&cards.number()));
            Basket {
                browser: browser.clone(),
                session,
                attempt,
                body,
            }
        });
        (baskets, opening)
    }

    /// Signs them all, which is good for a minute.
    pub(crate) fn sign(&self, baskets: Vec<Basket>) -> Vec<Vec<u8>> {
        on_all_cores(baskets, |basket| {
            let Basket {
                browser,
                session,
                attempt,
                body,
            } = basket;
            let mut request = browser.send_attempt(&session, attempt, body);
            request.set("x-forwarded-for", &fresh_address());
            encode(&request, self.origin.authority())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{fresh_number, on_all_cores};
    use sealpay_protocol::card::CardNumber;

    #[test]
    fn a_fresh_card_is_a_card() {
        for _ in 0..100 {
            let number = fresh_number();
            assert!(CardNumber::parse(&number).is_ok(), "{number}");
        }
    }

    #[test]
    fn everything_is_done_once_and_in_order() {
        for count in [0, 1, 2, 3, 1000] {
            let done = on_all_cores((0..count).collect(), |number: u32| number * 2);
            let expected: Vec<u32> = (0..count).map(|number| number * 2).collect();
            assert_eq!(done, expected);
        }
    }
}
