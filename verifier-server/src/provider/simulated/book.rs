//! The bank's book: which references it answered and how. One small SQLite file of its own.
//!
//! It is not flushed at every entry: the bank stands for a system elsewhere, whose durability is
//! not the verifier's. A killed process loses nothing of it; a power cut may.

use crate::provider::Answer;
use rusqlite::{Connection, OptionalExtension, params};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What the book says of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Booked {
    /// It was answered like this, now or before.
    Answered(Answer),
    /// Somebody asked for it before it arrived, and was told that it never will.
    NeverReceived,
}

#[derive(Debug)]
pub(super) struct Book(Mutex<Connection>);

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS authorization_book (
  reference TEXT NOT NULL PRIMARY KEY,
  answer    TEXT NOT NULL,
  amount    INTEGER NOT NULL,
  currency  TEXT NOT NULL,
  booked_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;";

const APPROVED: &str = "approved";
const NEVER_RECEIVED: &str = "never_received";

impl Book {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        make_private(path);
        Self::of(Connection::open(path)?)
    }

    fn of(connection: Connection) -> rusqlite::Result<Self> {
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Enters an answer unless the reference has one already, and says what stands.
    pub(super) fn enter(
        &self,
        reference: PaymentId,
        money: Money,
        answer: &Answer,
        now_ms: i64,
    ) -> rusqlite::Result<Booked> {
        let text = match answer {
            Answer::Approved => APPROVED,
            Answer::Declined(key) => key,
        };
        let currency = money.currency();
        self.settle(
            reference,
            (text, money.amount_minor(), currency.code(), now_ms),
        )
    }

    /// What became of a reference; an unknown one is struck out, so that it cannot arrive later.
    pub(super) fn ask(&self, reference: PaymentId, now_ms: i64) -> rusqlite::Result<Booked> {
        self.settle(reference, (NEVER_RECEIVED, 0, "", now_ms))
    }

    fn settle(
        &self,
        reference: PaymentId,
        (answer, amount, currency, now_ms): (&str, i64, &str, i64),
    ) -> rusqlite::Result<Booked> {
        // A panic while the lock was held leaves the connection as it was: SQLite rolled back.
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reference = reference.to_string();
        let inserted = connection
            .prepare_cached(
                "INSERT INTO authorization_book (reference, answer, amount, currency, booked_at_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (reference) DO NOTHING",
            )?
            .execute(params![reference, answer, amount, currency, now_ms])?;
        if inserted == 1 {
            return Ok(booked(answer));
        }
        let stored: Option<String> = connection
            .prepare_cached("SELECT answer FROM authorization_book WHERE reference = ?1")?
            .query_row([reference], |row| row.get(0))
            .optional()?;
        stored
            .map(|answer| booked(&answer))
            .ok_or(rusqlite::Error::QueryReturnedNoRows)
    }
}

/// Makes the file readable by its owner alone, before SQLite makes it readable by everybody.
fn make_private(path: &Path) {
    let made = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    if let Err(error) = made {
        // Opening the database tells the same, with more words.
        tracing::debug!(%error, "the bank's book cannot be made beforehand");
    }
}

fn booked(answer: &str) -> Booked {
    match answer {
        NEVER_RECEIVED => Booked::NeverReceived,
        APPROVED => Booked::Answered(Answer::Approved),
        key => Booked::Answered(Answer::Declined(key.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Book, Booked, Connection, PaymentId};
    use sealpay_protocol::money::Money;

    fn book() -> (Book, Money) {
        (
            Book::of(Connection::open_in_memory().unwrap()).unwrap(),
            Money::new(2490, "EUR".parse().unwrap()),
        )
    }

    #[test]
    fn the_first_answer_stands() {
        let (book, money) = book();
        let reference = PaymentId::new(1, [1; 10]);
        let declined = Answer::Declined("lost_card".into());
        let first = book.enter(reference, money, &declined, 1).unwrap();
        assert_eq!(first, Booked::Answered(declined.clone()));
        let second = book.enter(reference, money, &Answer::Approved, 2).unwrap();
        assert_eq!(second, Booked::Answered(declined.clone()));
        assert_eq!(book.ask(reference, 3).unwrap(), Booked::Answered(declined));
    }

    #[test]
    fn a_reference_that_was_given_up_cannot_arrive_later() {
        let (book, money) = book();
        let reference = PaymentId::new(1, [1; 10]);
        assert_eq!(book.ask(reference, 1).unwrap(), Booked::NeverReceived);
        let late = book.enter(reference, money, &Answer::Approved, 2).unwrap();
        assert_eq!(late, Booked::NeverReceived);
    }
}
