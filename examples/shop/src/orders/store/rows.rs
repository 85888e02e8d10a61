//! Orders and attempts, read from their rows.

use crate::orders::terms::methods_of;
use crate::orders::{Attempt, AttemptState, Decline, News, Order, Terms};
use crate::products;
use rusqlite::{Connection, OptionalExtension, Row};
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

/// The order of that number, with its attempts.
pub(in crate::orders) fn find(
    connection: &Connection,
    reference: &str,
) -> rusqlite::Result<Option<Order>> {
    let order = connection
        .prepare_cached(
            "SELECT reference, product, pieces, amount_minor, currency, capture, simulate, methods,
                    billing_country, requires_authentication, created_at,
                    CASE WHEN signed IS NULL THEN 0 ELSE signed_until END AS signed_until
             FROM orders WHERE reference = ?1",
        )?
        .query_row([reference], read_order)
        .optional()?;
    let Some(mut order) = order else {
        return Ok(None);
    };
    let mut attempts: Vec<Attempt> = connection
        .prepare_cached(
            "SELECT payment, sequence, state, method, card, decline_code, response_code, class,
                    message, details, created_at
             FROM attempts WHERE order_reference = ?1 ORDER BY created_at DESC, payment DESC",
        )?
        .query_map([reference], read_attempt)?
        .collect::<rusqlite::Result<_>>()?;
    for attempt in &mut attempts {
        attempt.news = news_of(connection, &attempt.payment)?;
    }
    order.attempts = attempts;
    Ok(Some(order))
}

fn news_of(connection: &Connection, payment: &str) -> rusqlite::Result<Vec<News>> {
    connection
        .prepare_cached(
            "SELECT sequence, kind, told, told_at FROM news WHERE payment = ?1
             ORDER BY sequence, told_at, rowid",
        )?
        .query_map([payment], |row| {
            let told: String = row.get("told")?;
            Ok(News {
                sequence: moment(row.get("sequence")?),
                kind: row.get("kind")?,
                told: serde_json::from_str(&told).map_err(|error| unreadable("told", error))?,
                told_at: moment(row.get("told_at")?),
            })
        })?
        .collect()
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
        terms: read_terms(row)?,
        created_at: moment(row.get("created_at")?),
        signed_until: moment(row.get("signed_until")?),
        attempts: Vec::new(),
    })
}

fn read_terms(row: &Row<'_>) -> rusqlite::Result<Terms> {
    let capture: String = row.get("capture")?;
    let methods: String = row.get("methods")?;
    Ok(Terms {
        capture: Capture::from_name(&capture).ok_or_else(|| unreadable("capture", capture))?,
        methods: methods_of(&methods),
        billing_country: row.get("billing_country")?,
        requires_authentication: row.get("requires_authentication")?,
        simulate: row.get("simulate")?,
    })
}

fn read_attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let state: String = row.get("state")?;
    let method: String = row.get("method")?;
    let details: String = row.get("details")?;
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
        method: Method::from_name(&method).ok_or_else(|| unreadable("method", method))?,
        card: row.get("card")?,
        decline,
        details: serde_json::from_str(&details).map_err(|error| unreadable("details", error))?,
        created_at: moment(row.get("created_at")?),
        news: Vec::new(),
    })
}

/// SQLite's integers have a sign; no moment and no sequence needs the upper half.
pub(super) fn stored(number: u64) -> i64 {
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
