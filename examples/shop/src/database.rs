//! The shop's own database. An order is kept as JSON, together with its payments.

use crate::integration::state::{Order, Payment};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

// An event is acknowledged only when it is on the disk.
const SCHEMA: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS orders (
        number INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS webhooks (id TEXT PRIMARY KEY) STRICT;";

/// Orders by their reference. The queries are short enough for the threads that serve requests.
pub(crate) struct Orders(Mutex<Connection>);

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    Applied,
    /// This delivery came before.
    Duplicate,
    /// A newer event of the same payment came before.
    Stale,
    /// There is no such order, or it is of another amount. The delivery is not remembered.
    Mismatch,
}

impl Orders {
    /// Opens the file, or creates it.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A transaction that a panic interrupted was rolled back.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a new order.
    pub(crate) fn insert(&self, order: &Order) -> rusqlite::Result<()> {
        save(&self.lock(), order)
    }

    pub(crate) fn find(&self, reference: &str) -> rusqlite::Result<Option<Order>> {
        find(&self.lock(), reference)
    }

    /// The newest orders first.
    pub(crate) fn list(&self, limit: u32) -> rusqlite::Result<Vec<Order>> {
        let connection = self.lock();
        let select = "SELECT json FROM orders ORDER BY number DESC LIMIT ?1";
        let mut select = connection.prepare(select)?;
        let rows = select.query_map([limit], |row| row.get::<_, String>(0))?;
        rows.map(|json| read(&json?)).collect()
    }

    /// Changes an order in a transaction. `None` when there is no such order.
    pub(crate) fn update<T>(
        &self,
        reference: &str,
        change: impl FnOnce(&mut Order) -> T,
    ) -> rusqlite::Result<Option<T>> {
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(mut order) = find(&tx, reference)? else {
            return Ok(None);
        };
        let value = change(&mut order);
        save(&tx, &order)?;
        tx.commit()?;
        Ok(Some(value))
    }

    /// Records an event once: the id of its delivery and what it changes, in one transaction.
    pub(crate) fn record(&self, webhook_id: &str, payment: Payment) -> rusqlite::Result<Recorded> {
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let insert = "INSERT INTO webhooks (id) VALUES (?1) ON CONFLICT DO NOTHING";
        if tx.execute(insert, [webhook_id])? == 0 {
            return Ok(Recorded::Duplicate);
        }
        let order = find(&tx, &payment.order_ref)?;
        let Some(mut order) = order.filter(|order| order.total == payment.amount) else {
            return Ok(Recorded::Mismatch);
        };
        let is_new = order.apply(payment);
        save(&tx, &order)?;
        tx.commit()?;
        Ok(if is_new {
            Recorded::Applied
        } else {
            Recorded::Stale
        })
    }
}

fn find(connection: &Connection, reference: &str) -> rusqlite::Result<Option<Order>> {
    let select = "SELECT json FROM orders WHERE reference = ?1";
    let json: Option<String> = connection
        .query_row(select, [reference], |row| row.get(0))
        .optional()?;
    json.map(|json| read(&json)).transpose()
}

fn read(json: &str) -> rusqlite::Result<Order> {
    serde_json::from_str(json).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}

fn save(connection: &Connection, order: &Order) -> rusqlite::Result<()> {
    let json = serde_json::to_string(order)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let insert = "INSERT INTO orders (reference, json) VALUES (?1, ?2)
                  ON CONFLICT (reference) DO UPDATE SET json = excluded.json";
    connection.execute(insert, [&order.reference, &json])?;
    Ok(())
}
