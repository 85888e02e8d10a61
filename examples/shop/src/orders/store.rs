//! The file that the orders are kept in.

mod rows;

use super::{Attempt, AttemptState, Order, OrderState, PaymentEvent, Terms, schema};
pub(super) use rows::find;
use rows::stored;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
        let mut connection = Connection::open(path)?;
        // An event is acknowledged only when it is on the disk.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        )?;
        schema::bring_up_to_date(&mut connection)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves no half-done transaction: dropping it rolled it back.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a new order.
    pub(crate) fn place(&self, order: &Order) -> rusqlite::Result<()> {
        let terms = &order.terms;
        self.lock().execute(
            "INSERT INTO orders
                (reference, product, pieces, amount_minor, currency, capture, simulate, methods,
                 billing_country, requires_authentication, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                order.reference,
                order.product.id,
                order.pieces,
                order.total.amount_minor(),
                order.total.currency().code(),
                terms.capture.name(),
                terms.simulate,
                terms.method_names(),
                terms.billing_country,
                terms.requires_authentication,
                stored(order.created_at),
            ],
        )?;
        Ok(())
    }

    /// The order of that number, with its attempts.
    pub(crate) fn find(&self, reference: &str) -> rusqlite::Result<Option<Order>> {
        find(&self.lock(), reference)
    }

    /// Lets a tester choose; the order is signed anew the next time its page is opened. False when
    /// there is no such order, or a payment is under way or made.
    pub(crate) fn choose(&self, reference: &str, terms: &Terms) -> rusqlite::Result<bool> {
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let order = find(&tx, reference)?;
        if !order.is_some_and(|order| order.state().can_be_signed()) {
            return Ok(false);
        }
        tx.execute(
            "UPDATE orders SET capture = ?2, simulate = ?3, methods = ?4, billing_country = ?5,
                requires_authentication = ?6, signed = NULL
             WHERE reference = ?1",
            params![
                reference,
                terms.capture.name(),
                terms.simulate,
                terms.method_names(),
                terms.billing_country,
                terms.requires_authentication,
            ],
        )?;
        tx.commit()?;
        Ok(true)
    }

    /// The signed order for the page: the one that is out already, while it is good, or else a new
    /// one. None when there is no such order, or when it must not be paid now.
    pub(crate) fn signed(
        &self,
        reference: &str,
        now: u64,
        lifetime_seconds: u64,
        sign: impl FnOnce(&Order) -> rusqlite::Result<String>,
    ) -> rusqlite::Result<Option<String>> {
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(order) = find(&tx, reference)? else {
            return Ok(None);
        };
        let state = order.state();
        if !order.can_be_paid(state, now) {
            return Ok(None);
        }
        let typing = if state.can_be_signed() {
            TYPING_SECONDS
        } else {
            0
        };
        let kept: Option<String> = tx.query_row(
            "SELECT CASE WHEN signed_until > ?2 THEN signed END FROM orders WHERE reference = ?1",
            params![reference, stored(now.saturating_add(typing))],
            |row| row.get(0),
        )?;
        if kept.is_some() {
            return Ok(kept);
        }
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

    /// Takes a signed order back that is over for its form, so that another one may go out. Only the
    /// one that is out: the second of two forms that are over gets the order that the first one got,
    /// because two signed orders could both be paid.
    pub(crate) fn take_back(&self, reference: &str, signed: &str) -> rusqlite::Result<()> {
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let order = find(&tx, reference)?;
        if order.is_some_and(|order| order.state().can_be_signed()) {
            tx.execute(
                "UPDATE orders SET signed = NULL WHERE reference = ?1 AND signed = ?2",
                [reference, signed],
            )?;
        }
        tx.commit()
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
        write_down(&tx, webhook_id, event, now)?;
        if changed && event.attempt.state == AttemptState::Expired {
            take_back_signed(&tx, &event.order_reference)?;
        }
        tx.commit()?;
        Ok(if changed {
            Recorded::New
        } else {
            Recorded::Stale
        })
    }
}

/// One line of the payment's diary, whatever became of the payment since.
fn write_down(
    tx: &Transaction<'_>,
    webhook_id: &str,
    event: &PaymentEvent,
    now: u64,
) -> rusqlite::Result<()> {
    let news = &event.news;
    // An id is remembered for a while only, a line for ever.
    tx.execute(
        "INSERT INTO news (webhook, payment, sequence, kind, told, told_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        params![
            webhook_id,
            event.attempt.payment,
            stored(news.sequence),
            news.kind,
            as_json(&news.told)?,
            stored(now),
        ],
    )?;
    Ok(())
}

fn as_json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
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

/// What expired is paid again with a new signed order, unless another payment is under way.
fn take_back_signed(tx: &Transaction<'_>, reference: &str) -> rusqlite::Result<()> {
    let order = find(tx, reference)?;
    if order.is_some_and(|order| order.state() == OrderState::Expired) {
        tx.execute(
            "UPDATE orders SET signed = NULL WHERE reference = ?1",
            [reference],
        )?;
    }
    Ok(())
}

/// False when what is written down is as new or newer.
fn keep_newest(
    tx: &Transaction<'_>,
    order_reference: &str,
    attempt: &Attempt,
) -> rusqlite::Result<bool> {
    let decline = attempt.decline.as_ref();
    let details = as_json(&attempt.details)?;
    let changed = tx.execute(
        "INSERT INTO attempts
            (payment, order_reference, sequence, state, method, card,
             decline_code, response_code, class, message, details, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (payment) DO UPDATE SET
            sequence = excluded.sequence, state = excluded.state, method = excluded.method,
            card = excluded.card, decline_code = excluded.decline_code,
            response_code = excluded.response_code, class = excluded.class,
            message = excluded.message, details = excluded.details
         WHERE excluded.sequence > attempts.sequence
            AND excluded.order_reference = attempts.order_reference",
        params![
            attempt.payment,
            order_reference,
            stored(attempt.sequence),
            attempt.state.name(),
            attempt.method.name(),
            attempt.card,
            decline.map(|decline| &decline.code),
            decline.and_then(|decline| decline.response_code.as_ref()),
            decline.map(|decline| &decline.class),
            decline.map(|decline| &decline.message),
            details,
            stored(attempt.created_at),
        ],
    )?;
    Ok(changed == 1)
}
