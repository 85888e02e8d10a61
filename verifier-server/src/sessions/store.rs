//! The repository of checkout sessions. An order is opened once, by the first key that presents it.

use super::model::Session;
use crate::auth::nonces;
use crate::auth::nonces::Nonce;
use crate::payments;
use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::SessionId;
use sealpay_protocol::limits;
use sealpay_protocol::method::Method;
use sealpay_storage::{
    AsJson, AsOptionalJson, ByName, Codec, Database, DatabaseError, Entity, Fault, With,
};
use sealpay_storage::{Projection, Row, Tx, Value, entity, sql, values};

/// The result of opening a session, in order of precedence.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionOpened {
    /// The signature was used before. Nothing else was checked.
    NonceReplayed,
    /// A new order.
    New(Session),
    /// The order's `jti` was used with other content, or the order may not be opened with another
    /// key.
    Reused,
    /// The same order with the same key; the existing session.
    Same(Session),
    /// The same order with another key, while an attempt has no outcome.
    AttemptInProgress(Session),
    /// The same order with another key, which is the only valid one from now on.
    Rebound(Session),
}

entity! {
    Session in "sessions" {
        id,
        merchant,
        jti,
        order_digest,
        order_ref,
        money: (amount_minor, currency),
        capture as ByName,
        description,
        items as AsOptionalJson,
        customer,
        agreement as AsOptionalJson,
        simulate,
        invoice,
        parent_origin,
        public_key,
        key_rebind_count,
        attempts,
        active_attempt,
        expires_at,
        created_at_ms,
        methods as Names,
        billing_country,
        requires_authentication,
        order_origins as AsJson,
    }
}

const INSERT: &str = sql!(Session::INSERT, "ON CONFLICT (merchant, jti) DO NOTHING");

const DELETE: &str = "DELETE FROM sessions WHERE id = $1";

const BY_ID: &str = sql!(Session::SELECT, "WHERE id = $1");

/// A session and whether a nonce was consumed: every request of a session needs both.
const BY_ID_WITH_NONCE: &str = sql!(
    "SELECT ",
    Session::COLUMNS,
    ", (SELECT COUNT(*) FROM nonces WHERE expires_at = $2 AND nonce = $3 AND thumbprint = $4) \
     FROM sessions WHERE id = $1"
);

const BY_ORDER: &str = sql!(Session::SELECT, "WHERE merchant = $1 AND jti = $2");

/// Resolves races between two pages that open one order, and between a page and an attempt.
const REBIND: &str = "UPDATE sessions
    SET public_key = $3, parent_origin = $4, key_rebind_count = key_rebind_count + 1
    WHERE id = $1 AND public_key = $2 AND COALESCE(active_attempt, '') = $6 AND key_rebind_count < $5";

/// Stores names separated by spaces.
struct Names;

impl Codec<Vec<Method>, 1> for Names {
    fn write(methods: &Vec<Method>) -> Result<[Value; 1], DatabaseError> {
        let names: Vec<_> = methods.iter().map(|method| method.name()).collect();
        Ok([names.join(" ").into()])
    }

    fn read(row: &mut Row) -> Result<Vec<Method>, DatabaseError> {
        row.take_as(|names: String| names.split(' ').map(Method::from_name).collect())
    }
}

/// The session, and the payment of its active attempt.
pub(crate) async fn with_active(
    tx: &mut Tx<'_>,
    id: SessionId,
) -> Result<Option<(Session, Option<Payment>)>, Fault> {
    let found: Option<Session> = tx.get(BY_ID, &values![id]).await?;
    let Some(session) = found else {
        return Ok(None);
    };
    let active = match session.active_attempt {
        Some(attempt) => payments::store::of_attempt(tx, id, attempt).await?,
        None => None,
    };
    Ok(Some((session, active)))
}

/// The statements for opening a session, prepared by the caller to keep the single writer fast.
struct NewSession {
    session: Session,
    nonce: [Value; 3],
    row: <Session as Entity>::Values,
}

async fn open(tx: &mut Tx<'_>, new: &NewSession) -> Result<SessionOpened, Fault> {
    // Both statements are sent together and, in rare cases, rolled back.
    let statements = [(nonces::CONSUME, &new.nonce[..]), (INSERT, &new.row[..])];
    match tx.execute_together(&statements).await?[..] {
        [1, 1] => Ok(SessionOpened::New(new.session.clone())),
        [1, _] => open_again(tx, &new.session).await,
        [_, 1] => {
            tx.execute(DELETE, &values![new.session.id]).await?;
            Ok(SessionOpened::NonceReplayed)
        }
        _ => Ok(SessionOpened::NonceReplayed),
    }
}

/// The order was opened before: compares content and key.
async fn open_again(tx: &mut Tx<'_>, wanted: &Session) -> Result<SessionOpened, Fault> {
    let order = values![wanted.merchant, &wanted.jti];
    let stored: Option<Session> = tx.get(BY_ORDER, &order).await?;
    let gone = || Fault::Retry("a session was there and is gone".into());
    let mut stored = stored.ok_or_else(gone)?;
    if stored.order_digest != wanted.order_digest {
        return Ok(SessionOpened::Reused);
    }
    if stored.public_key == wanted.public_key {
        return Ok(SessionOpened::Same(stored));
    }
    if let Some(attempt) = stored.active_attempt {
        let active = payments::store::of_attempt(tx, stored.id, attempt).await?;
        match active.map(|payment| payment.state) {
            // The shopper may complete or cancel the action after a reload too.
            Some(PaymentState::RequiresAction) => {}
            Some(state) if state.is_open() => return Ok(SessionOpened::AttemptInProgress(stored)),
            // Postgres reads the two rows one after the other: the decline happened in between.
            Some(PaymentState::Declined | PaymentState::Expired) => {
                return Err(Fault::Retry("a session was let go in between".into()));
            }
            // Already paid: a reloaded page may only read the receipt.
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

/// The repository of checkout sessions.
#[derive(Debug, Clone)]
pub struct SessionStore {
    pub(crate) database: Database,
}

impl SessionStore {
    /// Consumes the nonce and opens a session for an order, or returns its existing one.
    ///
    /// # Errors
    /// The database failed; the nonce is not consumed either, unless the outcome is unknown.
    pub async fn open(
        &self,
        wanted: &Session,
        nonce: &Nonce,
    ) -> Result<SessionOpened, DatabaseError> {
        let new = NewSession {
            nonce: nonce.values()?,
            row: wanted.to_row()?,
            session: wanted.clone(),
        };
        self.database
            .write(new, |tx, new| Box::pin(open(tx, new)))
            .await
    }

    /// A session.
    pub async fn get(&self, id: SessionId) -> Result<Option<Session>, DatabaseError> {
        self.database.get(BY_ID, values![id]).await
    }

    /// A session, and whether a nonce was consumed before. Does not decide races between concurrent
    /// requests; [`consume`](nonces::NonceStore::consume) or the claim does.
    pub async fn get_with_nonce(
        &self,
        id: SessionId,
        nonce: &Nonce,
    ) -> Result<Option<(Session, bool)>, DatabaseError> {
        let [expires_at, value, thumbprint] = nonce.values()?;
        let wanted = values![id, expires_at, value, thumbprint];
        let found = self.database.get(BY_ID_WITH_NONCE, wanted).await?;
        Ok(found.map(|With(session, consumed): With<Session, u64>| (session, consumed > 0)))
    }
}
