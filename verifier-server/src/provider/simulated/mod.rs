//! The simulated bank: every outcome a bank can give, on purpose.
//!
//! The order may ask for an outcome (`simulate`), a persona's card has one of its own, and every
//! other card is approved. The bank keeps a book of its own, as a bank would, so that what it
//! answered survives a crash of the verifier and can be asked for. No card number is in it.

mod book;
pub mod outcome;
pub mod persona;

use super::{Answer, AuthorizationRequest, Inquiry, PaymentProvider, Pending, Silence};
use crate::edge::Clock;
use book::{Book, Booked};
use outcome::{Arrival, Outcome};
use sealpay_protocol::ids::PaymentId;
use std::path::Path;
use std::time::Duration;

/// How long the bank takes when it is told to be slow.
const SLOW: Duration = Duration::from_secs(3);

/// The bank.
#[derive(Debug)]
pub struct SimulatedBank {
    book: Book,
    clock: Clock,
}

impl SimulatedBank {
    /// Opens the bank's book, making it when it is not there.
    ///
    /// # Errors
    /// A sentence when the book cannot be opened.
    pub fn open(book: &Path, clock: Clock) -> Result<Self, String> {
        let opened = Book::open(book);
        let book = opened.map_err(|error| format!("cannot open the bank's book: {error}"))?;
        Ok(Self { book, clock })
    }

    async fn decide(&self, request: AuthorizationRequest<'_>) -> Result<Answer, Silence> {
        let outcome = outcome_of(&request);
        if outcome.slow {
            tokio::time::sleep(SLOW).await;
        }
        if outcome.arrival == Arrival::Lost {
            return never().await;
        }
        let now_ms = self.clock.now_ms_i64();
        let booked = self
            .book
            .enter(request.reference, request.money, &outcome.answer, now_ms)
            .map_err(|error| Silence(format!("the bank's book failed: {error}")))?;
        match booked {
            // The reference was given up before it arrived: a late message must not book anything.
            Booked::NeverReceived => Ok(Answer::Declined("duplicate_transaction".into())),
            Booked::Answered(_) if outcome.arrival == Arrival::AnswerLost => never().await,
            Booked::Answered(answer) => Ok(answer),
        }
    }
}

/// A connection on which nothing ever comes back.
async fn never<T>() -> T {
    std::future::pending().await
}

fn outcome_of(request: &AuthorizationRequest<'_>) -> Outcome {
    let persona = || persona::outcome_of(request.card.number.digits());
    let name = request.simulate.or_else(persona).unwrap_or("approved");
    // Orders with unknown names were refused when the session was opened.
    outcome::find(name).unwrap_or_else(Outcome::approved)
}

impl PaymentProvider for SimulatedBank {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn knows_outcome(&self, outcome: &str) -> bool {
        outcome::find(outcome).is_some()
    }

    fn authorize<'a>(&'a self, request: AuthorizationRequest<'a>) -> Pending<'a, Answer> {
        Box::pin(self.decide(request))
    }

    fn inquire(&self, reference: PaymentId) -> Pending<'_, Inquiry> {
        let found = self.book.ask(reference, self.clock.now_ms_i64());
        Box::pin(async move {
            match found {
                Ok(Booked::Answered(answer)) => Ok(Inquiry::Answered(answer)),
                Ok(Booked::NeverReceived) => Ok(Inquiry::NeverReceived),
                Err(error) => Err(Silence(format!("the bank's book failed: {error}"))),
            }
        })
    }
}
