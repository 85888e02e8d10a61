//! A request to the wallet. Its one row decides every race.

use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::ProviderDecision;
use sealpay_storage::{ByName, Entity, Fault, Projection, Tx, Value, entity, sql, values};

const APPROVED: &str = "approved";

/// The stored decision of a confirmation that an inquiry has tombstoned before it arrived.
const NEVER_RECEIVED: &str = "never_received";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestState {
    Open,
    /// The decision is in the journal.
    Confirmed,
    Refused,
    Withdrawn,
    NeverReceived,
}

sealpay_protocol::names! {
    RequestState {
        Open = "open",
        Confirmed = "confirmed",
        Refused = "refused",
        Withdrawn = "withdrawn",
        NeverReceived = "never_received",
    }
}

/// A stored request.
#[derive(Debug, Clone)]
pub(crate) struct StoredRequest {
    pub(crate) reference: PaymentId,
    pub(crate) token_hash: String,
    pub(crate) state: RequestState,
    pub(crate) money: Money,
    pub(crate) capture: Capture,
    pub(crate) payee: String,
    pub(crate) simulate: Option<String>,
    pub(crate) expires_at_ms: i64,
    pub(crate) account: Option<String>,
    pub(crate) decision: Option<String>,
    pub(crate) decided_at_ms: Option<i64>,
}

entity! {
    StoredRequest in "bank_wallet_requests" {
        reference,
        token_hash,
        state as ByName,
        money: (amount, currency),
        capture as ByName,
        payee,
        simulate,
        expires_at_ms,
        account,
        decision: (answer),
        decided_at_ms,
    }
}

pub(crate) const START: &str = sql!(StoredRequest::INSERT, "ON CONFLICT DO NOTHING");

/// An unknown reference is refused if it still arrives.
const TOMBSTONE: &str = "INSERT INTO bank_wallet_requests
    (reference, token_hash, state, amount, currency, capture, payee, expires_at_ms)
    VALUES ($1, $2, 'never_received', 0, 'EUR', 'automatic', '', 0) ON CONFLICT DO NOTHING";

pub(crate) const BY_REFERENCE: &str = sql!(StoredRequest::SELECT, "WHERE reference = $1");

pub(crate) const BY_TOKEN: &str = sql!(
    StoredRequest::SELECT,
    "WHERE token_hash = $1 AND state <> 'never_received'"
);

/// The shopper decides, once and in time.
pub(crate) const DECIDE: &str =
    "UPDATE bank_wallet_requests SET state = $2, account = $3, decided_at_ms = $4
    WHERE reference = $1 AND state = 'open' AND expires_at_ms > $4";

/// With `$3` only a request that has expired is withdrawn.
const WITHDRAW: &str = "UPDATE bank_wallet_requests SET state = 'withdrawn', decided_at_ms = $2
    WHERE reference = $1 AND state = 'open' AND expires_at_ms <= COALESCE($3, expires_at_ms)";

pub(crate) const RECORD: &str = "UPDATE bank_wallet_requests SET answer = $2
    WHERE reference = $1 AND state = 'confirmed' AND answer IS NULL";

/// A decision as [`RECORD`] stores it; none is a tombstone's.
pub(crate) fn stored_decision(decision: Option<ProviderDecision>) -> String {
    match decision {
        Some(ProviderDecision::Approved(_)) => APPROVED.into(),
        Some(ProviderDecision::Declined(rejection)) => rejection.reason,
        None => NEVER_RECEIVED.into(),
    }
}

impl StoredRequest {
    pub(crate) fn is_tombstoned(&self) -> bool {
        self.state == RequestState::NeverReceived
            || (self.state == RequestState::Confirmed
                && self.decision.as_deref() == Some(NEVER_RECEIVED))
    }

    /// The decision, if it is known without the journal.
    pub(crate) fn decision(&self) -> Option<ProviderDecision> {
        let key = match (self.state, self.decision.as_deref()) {
            (RequestState::Confirmed, Some(APPROVED)) => {
                return Some(ProviderDecision::approved());
            }
            (RequestState::Confirmed, Some(NEVER_RECEIVED)) => "duplicate_transaction",
            (RequestState::Confirmed, key) => key?,
            (RequestState::Refused, _) => "wallet_refused",
            (RequestState::Withdrawn, _) => "payment_abandoned",
            (RequestState::Open | RequestState::NeverReceived, _) => return None,
        };
        Some(ProviderDecision::declined(key))
    }
}

/// The values of the statements that close a request.
pub(crate) struct Closing {
    pub(crate) reference: PaymentId,
    pub(crate) now_ms: i64,
    /// Whether a request that has not expired stays open.
    pub(crate) only_expired: bool,
    pub(crate) token_hash: String,
}

/// Withdraws a request that is open, or tombstones an unknown reference; gives what is stored then.
pub(crate) async fn close(tx: &mut Tx<'_>, closing: &Closing) -> Result<StoredRequest, Fault> {
    let expired_at_ms: Value = closing.only_expired.then_some(closing.now_ms).into();
    let withdraw = values![closing.reference, closing.now_ms, expired_at_ms];
    if tx.execute(WITHDRAW, &withdraw).await? == 0 {
        let tombstone = values![closing.reference, &closing.token_hash];
        tx.execute(TOMBSTONE, &tombstone).await?;
    }
    let stored = tx.get(BY_REFERENCE, &values![closing.reference]).await?;
    stored.ok_or_else(|| Fault::Retry("a request is gone".into()))
}
