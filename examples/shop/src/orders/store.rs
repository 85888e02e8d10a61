//! The file that the orders are kept in.

use super::{Attempt, AttemptState, Decline, Order, PaymentEvent};
use crate::products;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS orders (
        reference TEXT PRIMARY KEY, product TEXT NOT NULL, pieces INTEGER NOT NULL,
        amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, capture TEXT NOT NULL,
        simulate TEXT, signed TEXT, signed_until INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS attempts (
        payment TEXT PRIMARY KEY, order_reference TEXT NOT NULL REFERENCES orders,
        sequence INTEGER NOT NULL, state TEXT NOT NULL, card TEXT NOT NULL,
        decline_code TEXT, response_code TEXT, class TEXT, message TEXT,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS attempts_of_order ON attempts (order_reference);
    CREATE TABLE IF NOT EXISTS webhooks (
        id TEXT PRIMARY KEY, received_at INTEGER NOT NULL
    ) STRICT;
";

/// How long the id of a webhook is remembered, seconds: longer than anything is redelivered.
const REMEMBERED_SECONDS: u64 = 30 * 24 * 60 * 60;

/// Signed orders are not handed out in their last moments: the shopper needs time to type.
const TYPING_SECONDS: u64 = 120;

/// The orders, in one SQLite file.
#[derive(Clone)]
pub(crate) struct OrderFile(Arc<Mutex<Connection>>);

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is written down.
    New,
    /// This delivery was here before.
    Duplicate,
    /// A newer event of the same payment was here before.
    Stale,
    /// No such order; nothing was remembered.
    UnknownOrder,
    /// The order asks for another amount; nothing was remembered.
    OtherAmount,
}

impl OrderFile {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        // An event is acknowledged only when it is on the disk.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        )?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves no half-done transaction: dropping it rolled it back.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a new order.
    pub(crate) fn place(&self, order: &Order) -> rusqlite::Result<()> {
        self.lock().execute(
            "INSERT INTO orders
                (reference, product, pieces, amount_minor, currency, capture, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                order.reference,
                order.product.id,
                order.pieces,
                order.total.amount_minor(),
                order.total.currency().code(),
                capture_name(order.capture),
                stored(order.created_at),
            ],
        )?;
        Ok(())
    }

    /// The order of that number, with its attempts.
    pub(crate) fn find(&self, reference: &str) -> rusqlite::Result<Option<Order>> {
        find(&self.lock(), reference)
    }

    /// The newest orders, with their attempts.
    pub(crate) fn newest(&self, count: u32) -> rusqlite::Result<Vec<Order>> {
        let connection = self.lock();
        let references: Vec<String> = connection
            .prepare_cached(
                "SELECT reference FROM orders ORDER BY created_at DESC, rowid DESC LIMIT ?1",
            )?
            .query_map([count], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let orders = references
            .iter()
            .map(|reference| find(&connection, reference));
        orders.filter_map(Result::transpose).collect()
    }

    /// Lets a tester choose; the order is signed anew the next time its page is opened.
    pub(crate) fn choose(
        &self,
        reference: &str,
        capture: Capture,
        simulate: Option<&str>,
    ) -> rusqlite::Result<()> {
        self.lock().execute(
            "UPDATE orders SET capture = ?2, simulate = ?3, signed = NULL WHERE reference = ?1",
            params![reference, capture_name(capture), simulate],
        )?;
        Ok(())
    }

    /// The signed order for the page: the one that is out already, while it is good.
    ///
    /// One signed order at a time, or two open tabs could pay the same thing twice.
    pub(crate) fn signed(
        &self,
        reference: &str,
        now: u64,
        lifetime_seconds: u64,
        sign: impl FnOnce(&Order) -> rusqlite::Result<String>,
    ) -> rusqlite::Result<Option<String>> {
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let kept: Option<Option<String>> = tx
            .query_row(
                "SELECT CASE WHEN signed_until > ?2 THEN signed END
                 FROM orders WHERE reference = ?1",
                params![reference, stored(now.saturating_add(TYPING_SECONDS))],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(Some(signed)) = kept {
            return Ok(Some(signed));
        }
        let Some(order) = find(&tx, reference)? else {
            return Ok(None);
        };
        let signed = sign(&order)?;
        tx.execute(
            "UPDATE orders SET signed = ?2, signed_until = ?3 WHERE reference = ?1",
            params![
                reference,
                signed,
                stored(now.saturating_add(lifetime_seconds))
            ],
        )?;
        tx.commit()?;
        Ok(Some(signed))
    }

    /// Writes an event down, once: the delivery's id and the change it tells, in one transaction.
    pub(crate) fn record(
        &self,
        webhook_id: &str,
        event: &PaymentEvent,
        now: u64,
    ) -> rusqlite::Result<Recorded> {
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !remember(&tx, webhook_id, now)? {
            return Ok(Recorded::Duplicate);
        }
        let asked: Option<(i64, String)> = tx
            .query_row(
                "SELECT amount_minor, currency FROM orders WHERE reference = ?1",
                [&event.order_reference],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        // Leaving without a commit forgets the id too: a later delivery is looked at again.
        let Some(asked) = asked else {
            return Ok(Recorded::UnknownOrder);
        };
        if asked
            != (
                event.amount.amount_minor(),
                event.amount.currency().to_string(),
            )
        {
            return Ok(Recorded::OtherAmount);
        }
        let changed = keep_newest(&tx, &event.order_reference, &event.attempt)?;
        tx.commit()?;
        Ok(if changed {
            Recorded::New
        } else {
            Recorded::Stale
        })
    }
}

/// False when the id is known already.
fn remember(tx: &Transaction<'_>, webhook_id: &str, now: u64) -> rusqlite::Result<bool> {
    tx.execute(
        "DELETE FROM webhooks WHERE received_at < ?1",
        [stored(now.saturating_sub(REMEMBERED_SECONDS))],
    )?;
    let rows = tx.execute(
        "INSERT INTO webhooks (id, received_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![webhook_id, stored(now)],
    )?;
    Ok(rows == 1)
}

/// False when what is written down is as new or newer.
fn keep_newest(
    tx: &Transaction<'_>,
    order_reference: &str,
    attempt: &Attempt,
) -> rusqlite::Result<bool> {
    let decline = attempt.decline.as_ref();
    let rows = tx.execute(
        "INSERT INTO attempts
            (payment, order_reference, sequence, state, card,
             decline_code, response_code, class, message, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (payment) DO UPDATE SET
            sequence = excluded.sequence, state = excluded.state, card = excluded.card,
            decline_code = excluded.decline_code, response_code = excluded.response_code,
            class = excluded.class, message = excluded.message
         WHERE excluded.sequence > attempts.sequence
            AND excluded.order_reference = attempts.order_reference",
        params![
            attempt.payment,
            order_reference,
            stored(attempt.sequence),
            attempt.state.name(),
            attempt.card,
            decline.map(|decline| &decline.code),
            decline.and_then(|decline| decline.response_code.as_ref()),
            decline.map(|decline| &decline.class),
            decline.map(|decline| &decline.message),
            stored(attempt.created_at),
        ],
    )?;
    Ok(rows == 1)
}

fn find(connection: &Connection, reference: &str) -> rusqlite::Result<Option<Order>> {
    let order = connection
        .prepare_cached(
            "SELECT reference, product, pieces, amount_minor, currency, capture, simulate,
                    created_at
             FROM orders WHERE reference = ?1",
        )?
        .query_row([reference], read_order)
        .optional()?;
    let Some(mut order) = order else {
        return Ok(None);
    };
    order.attempts = connection
        .prepare_cached(
            "SELECT payment, sequence, state, card, decline_code, response_code, class, message,
                    created_at
             FROM attempts WHERE order_reference = ?1 ORDER BY created_at DESC, payment DESC",
        )?
        .query_map([reference], read_attempt)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(order))
}

fn read_order(row: &Row<'_>) -> rusqlite::Result<Order> {
    let currency: String = row.get("currency")?;
    let currency = currency
        .parse()
        .map_err(|error| unreadable("currency", error))?;
    let product: String = row.get("product")?;
    Ok(Order {
        reference: row.get("reference")?,
        product: products::find(&product).ok_or_else(|| unreadable("product", product))?,
        pieces: row.get("pieces")?,
        total: Money::new(row.get("amount_minor")?, currency),
        capture: match row.get::<_, String>("capture")?.as_str() {
            "manual" => Capture::Manual,
            _ => Capture::Automatic,
        },
        simulate: row.get("simulate")?,
        created_at: moment(row.get("created_at")?),
        attempts: Vec::new(),
    })
}

fn read_attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let state: String = row.get("state")?;
    let code: Option<String> = row.get("decline_code")?;
    let decline = match code {
        Some(code) => Some(Decline {
            code,
            response_code: row.get("response_code")?,
            class: row.get("class")?,
            message: row.get("message")?,
        }),
        None => None,
    };
    Ok(Attempt {
        payment: row.get("payment")?,
        sequence: moment(row.get("sequence")?),
        state: AttemptState::parse(&state).ok_or_else(|| unreadable("state", state))?,
        card: row.get("card")?,
        decline,
        created_at: moment(row.get("created_at")?),
    })
}

const fn capture_name(capture: Capture) -> &'static str {
    match capture {
        Capture::Automatic => "automatic",
        Capture::Manual => "manual",
    }
}

/// SQLite's integers have a sign; no moment and no sequence needs the upper half.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn moment(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn unreadable(
    column: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    let told = format!("The stored {column} cannot be read: {}", error.into());
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, told.into())
}
