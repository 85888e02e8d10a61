//! Checkout sessions: an order is opened once, by the first key that comes with it.

use super::model::Session;
use crate::auth::nonces;
use crate::auth::nonces::Nonce;
use crate::payments;
use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use sealpay_protocol::encoding::{array_from_base64url, base64url};
use sealpay_protocol::ids::SessionId;
use sealpay_protocol::limits;
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::{Capture, OrderItem};
use sealpay_storage::{Database, DatabaseError, Fault, Row, Tx, Value, integer, values};

/// What became of the wish to open a session, in order of precedence.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionOpened {
    /// The signature was used before. Nothing else was looked at.
    NonceReplayed,
    /// The order was not seen before.
    New(Session),
    /// The order's `jti` came before with other content, or may not be opened with another key.
    Reused,
    /// The same order and the same key; the session as it stands.
    Same(Session),
    /// The same order with another key, while the outcome of an attempt is open.
    AttemptInProgress(Session),
    /// The same order with another key, which from now on is the only one.
    Rebound(Session),
}

/// How many columns a session has.
const COLUMNS: usize = 23;

macro_rules! columns {
    () => {
        "id, merchant, jti, order_digest, order_ref, amount_minor, currency, capture, description, \
         items, customer, simulate, parent_origin, public_key, key_rebind_count, attempts, active_attempt, \
         expires_at, created_at_ms, methods, billing_country, requires_authentication, \
         order_origins"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO sessions (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
     $19, $20, $21, $22, $23) ON CONFLICT (merchant, jti) DO NOTHING"
);

const TAKE_BACK: &str = "DELETE FROM sessions WHERE id = $1";

const BY_ID: &str = concat!("SELECT ", columns!(), " FROM sessions WHERE id = $1");

const BY_ORDER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE merchant = $1 AND jti = $2"
);

/// Decides between two pages that want to go on with one order, and against an attempt.
const REBIND: &str = "UPDATE sessions
    SET public_key = $3, parent_origin = $4, key_rebind_count = key_rebind_count + 1
    WHERE id = $1 AND public_key = $2 AND COALESCE(active_attempt, '') = $6 AND key_rebind_count < $5";

fn insert_values(session: &Session) -> Result<[Value; COLUMNS], DatabaseError> {
    Ok(values![
        session.id,
        session.merchant,
        &session.jti,
        base64url(&session.order_digest),
        &session.order_ref,
        session.money.amount_minor(),
        session.money.currency().code().to_owned(),
        session.capture.name(),
        session.description.as_ref(),
        session
            .items
            .as_ref()
            .map(|items| items_text(items))
            .transpose()?,
        session.customer.as_ref(),
        session.simulate.as_ref(),
        &session.parent_origin,
        base64url(&session.public_key),
        session.key_rebind_count,
        session.attempts,
        session.active_attempt,
        integer(session.expires_at)?,
        session.created_at_ms,
        methods_text(&session.methods),
        session.billing_country.as_ref(),
        i64::from(session.requires_authentication),
        origins_text(&session.order_origins)?,
    ])
}

fn session(mut row: Row) -> Result<Session, DatabaseError> {
    Ok(Session {
        id: row.parsed()?,
        merchant: row.parsed()?,
        jti: row.text()?,
        order_digest: row.read(array_from_base64url)?,
        order_ref: row.text()?,
        money: Money::new(row.integer()?, row.parsed()?),
        capture: row.read(Capture::from_name)?,
        description: row.optional_text()?,
        items: row.optional_text()?.map(|text| items(&text)).transpose()?,
        customer: row.optional_text()?,
        simulate: row.optional_text()?,
        parent_origin: row.text()?,
        public_key: row.read(array_from_base64url)?,
        key_rebind_count: row.number()?,
        attempts: row.number()?,
        active_attempt: row.optional_parsed()?,
        expires_at: row.number()?,
        created_at_ms: row.integer()?,
        methods: row.read(methods)?,
        billing_country: row.optional_text()?,
        requires_authentication: row.integer()? != 0,
        order_origins: row.read(|text| serde_json::from_str(text).ok())?,
    })
}

fn origins_text(origins: &[String]) -> Result<String, DatabaseError> {
    serde_json::to_string(origins).map_err(|error| DatabaseError::Corrupt(error.to_string()))
}

fn items_text(items: &[OrderItem]) -> Result<String, DatabaseError> {
    serde_json::to_string(items).map_err(|error| DatabaseError::Corrupt(error.to_string()))
}

fn items(text: &str) -> Result<Vec<OrderItem>, DatabaseError> {
    serde_json::from_str(text).map_err(|error| DatabaseError::Corrupt(error.to_string()))
}

/// The names with a space between them.
fn methods_text(methods: &[Method]) -> String {
    let names: Vec<_> = methods.iter().map(|method| method.name()).collect();
    names.join(" ")
}

fn methods(text: &str) -> Option<Vec<Method>> {
    text.split(' ').map(Method::from_name).collect()
}

/// The session, and the payment of the attempt that holds it.
pub(crate) async fn with_active(
    tx: &mut Tx<'_>,
    id: SessionId,
) -> Result<Option<(Session, Option<Payment>)>, Fault> {
    let Some(row) = tx.optional(BY_ID, &values![id]).await? else {
        return Ok(None);
    };
    let session = session(row)?;
    let active = match session.active_attempt {
        Some(attempt) => payments::store::of_attempt(tx, id, attempt).await?,
        None => None,
    };
    Ok(Some((session, active)))
}

/// The statements of an opening, made ready by whoever asks, so that the one writer has less to do.
struct NewSession {
    session: Session,
    nonce: [Value; 3],
    row: [Value; COLUMNS],
}

async fn open(tx: &mut Tx<'_>, new: &NewSession) -> Result<SessionOpened, Fault> {
    // Both are sent at once; what should not stay is taken back, which is rare.
    let statements = [(nonces::SPEND, &new.nonce[..]), (INSERT, &new.row[..])];
    match tx.execute_together(&statements).await?[..] {
        [1, 1] => Ok(SessionOpened::New(new.session.clone())),
        [1, _] => open_again(tx, &new.session).await,
        [_, 1] => {
            tx.execute(TAKE_BACK, &values![new.session.id]).await?;
            Ok(SessionOpened::NonceReplayed)
        }
        _ => Ok(SessionOpened::NonceReplayed),
    }
}

/// The order came before: with which content, and with which key?
async fn open_again(tx: &mut Tx<'_>, wanted: &Session) -> Result<SessionOpened, Fault> {
    let row = tx
        .optional(BY_ORDER, &values![wanted.merchant, &wanted.jti])
        .await?;
    let Some(row) = row else {
        return Err(Fault::Retry("a session was there and is gone".into()));
    };
    let mut stored = session(row)?;
    if stored.order_digest != wanted.order_digest {
        return Ok(SessionOpened::Reused);
    }
    if stored.public_key == wanted.public_key {
        return Ok(SessionOpened::Same(stored));
    }
    if let Some(attempt) = stored.active_attempt {
        let active = payments::store::of_attempt(tx, stored.id, attempt).await?;
        match active.map(|payment| payment.state) {
            // The shopper has something to do, and may do it, or give it up, after a reload too.
            Some(PaymentState::RequiresAction) => {}
            Some(state) if state.is_open() => return Ok(SessionOpened::AttemptInProgress(stored)),
            // Postgres reads the two one after the other: the decline came in between.
            Some(PaymentState::Declined | PaymentState::Expired) => {
                return Err(Fault::Retry("a session was let go in between".into()));
            }
            // It is paid: a page that was reloaded may read the receipt, and nothing else.
            _ => {}
        }
    }
    if stored.key_rebind_count >= limits::SESSION_REBINDS {
        return Ok(SessionOpened::Reused);
    }
    let values = values![
        stored.id,
        base64url(&stored.public_key),
        base64url(&wanted.public_key),
        &wanted.parent_origin,
        limits::SESSION_REBINDS,
        stored
            .active_attempt
            .map(|attempt| attempt.to_string())
            .unwrap_or_default(),
    ];
    if tx.execute(REBIND, &values).await? == 0 {
        return Err(Fault::Retry(
            "a session was changed by somebody else".into(),
        ));
    }
    stored.public_key = wanted.public_key;
    stored.parent_origin.clone_from(&wanted.parent_origin);
    stored.key_rebind_count += 1;
    Ok(SessionOpened::Rebound(stored))
}

/// What is stored of checkout sessions.
#[derive(Debug, Clone)]
pub struct SessionStore {
    pub(crate) database: Database,
}

impl SessionStore {
    /// Spends the nonce and opens a session for an order, or finds the one that it has.
    ///
    /// # Errors
    /// The database did not do its work; then the nonce is not spent either, unless the outcome is
    /// unknown.
    pub async fn open(
        &self,
        wanted: &Session,
        nonce: &Nonce,
    ) -> Result<SessionOpened, DatabaseError> {
        let new = NewSession {
            nonce: nonce.values()?,
            row: insert_values(wanted)?,
            session: wanted.clone(),
        };
        self.database
            .write(new, |tx, new| Box::pin(open(tx, new)))
            .await
    }

    /// A session.
    pub async fn get(&self, id: SessionId) -> Result<Option<Session>, DatabaseError> {
        self.database
            .row(BY_ID, values![id])
            .await?
            .map(session)
            .transpose()
    }
}
