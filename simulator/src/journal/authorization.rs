//! An authorization as the journal has it, and what it is after a capture, a void or a refund.
//!
//! Amounts on the account are shares of the whole, rounded up, and each part is the difference of
//! two such shares: parts that add up to the whole cost the whole, whatever the rates.

use super::Journal;
use crate::exchange::share;
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::{Approval, CredentialReference, ProviderDecision, ProviderError, Rejection};
use sealpay_storage::{ByName, Entity, Fault, Projection, Tx, Value, entity, sql, values};

/// The state of an authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationState {
    /// Approved; a part may be captured.
    Authorized,
    /// Approved and captured; no amount is held any more.
    Captured,
    /// Approved, and the whole amount was released.
    Released,
    /// Declined.
    Declined,
    /// An inquiry or a void came before the request, which is declined if it still arrives.
    Tombstoned,
}

sealpay_protocol::names! {
    AuthorizationState {
        Authorized = "held",
        Captured = "booked",
        Released = "released",
        Declined = "declined",
        Tombstoned = "struck_out",
    }
}

/// An authorization, or a tombstone. Amounts are minor units, of the payment's currency or, where the
/// name says so, of the account's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The payment.
    pub reference: PaymentId,
    /// The acquirer or wallet.
    pub provider: String,
    /// Empty for a tombstone.
    pub account: String,
    /// The requested amount.
    pub amount_minor: i64,
    /// Empty for a tombstone.
    pub currency: String,
    /// The requested amount on the account.
    pub account_minor: i64,
    /// Whether it counts in the account's totals; accounts without limits have none.
    pub counted: bool,
    /// The state.
    pub state: AuthorizationState,
    /// The key of the reason, where it was declined.
    pub decline: Option<String>,
    /// The merchant advice code of a decline.
    pub advice_code: Option<String>,
    /// The issuer's code of an approval (ISO 8583).
    pub authorization_code: Option<String>,
    /// The acquirer reference number, where the authorization captured the money.
    pub acquirer_reference: Option<String>,
    /// The scheme's id of an approval.
    pub network_transaction_id: Option<String>,
    /// The credential that was stored.
    pub credential: Option<String>,
    /// The captured amount.
    pub booked_minor: i64,
    /// The captured amount on the account.
    pub booked_account_minor: i64,
    /// The refunded amount.
    pub refunded_minor: i64,
    /// The refunded amount on the account.
    pub refunded_account_minor: i64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub changed_at_ms: i64,
    /// When it expires, milliseconds since 1970.
    pub hold_until_ms: Option<i64>,
}

entity! {
    Authorization in "bank_authorizations" {
        reference,
        provider,
        account,
        amount_minor,
        currency,
        account_minor,
        counted,
        state as ByName,
        decline,
        advice_code,
        authorization_code,
        acquirer_reference,
        network_transaction_id,
        credential,
        booked_minor,
        booked_account_minor,
        refunded_minor,
        refunded_account_minor,
        created_at_ms,
        changed_at_ms,
        hold_until_ms,
    }
}

/// The first decision stands.
pub(super) const ADD: &str = sql!(
    Authorization::INSERT,
    "ON CONFLICT (reference, provider) DO NOTHING"
);

pub(super) const BY_KEY: &str = sql!(
    Authorization::SELECT,
    "WHERE reference = $1 AND provider = $2"
);

const NEWEST: &str = sql!(
    Authorization::SELECT,
    "ORDER BY reference DESC, provider LIMIT $1"
);

/// The arguments of [`BY_KEY`].
pub(super) fn key(reference: PaymentId, provider: &str) -> [Value; 2] {
    values![reference, provider.to_owned()]
}

pub(super) async fn find(
    tx: &mut Tx<'_>,
    reference: PaymentId,
    provider: &str,
) -> Result<Option<Authorization>, Fault> {
    tx.get(BY_KEY, &key(reference, provider)).await
}

impl Authorization {
    /// A row without an amount: a request with this reference is declined if it still arrives.
    pub(super) fn tombstone(reference: PaymentId, provider: &str, now_ms: i64) -> Self {
        Self {
            reference,
            provider: provider.to_owned(),
            account: String::new(),
            amount_minor: 0,
            currency: String::new(),
            account_minor: 0,
            counted: false,
            state: AuthorizationState::Tombstoned,
            decline: None,
            advice_code: None,
            authorization_code: None,
            acquirer_reference: None,
            network_transaction_id: None,
            credential: None,
            booked_minor: 0,
            booked_account_minor: 0,
            refunded_minor: 0,
            refunded_account_minor: 0,
            created_at_ms: now_ms,
            changed_at_ms: now_ms,
            hold_until_ms: None,
        }
    }

    /// The original decision: a released authorization was approved, too. None for a tombstone.
    pub(super) fn decision(self) -> Option<ProviderDecision> {
        match self.state {
            AuthorizationState::Authorized
            | AuthorizationState::Captured
            | AuthorizationState::Released => Some(ProviderDecision::Approved(Approval {
                authorization_code: self.authorization_code,
                acquirer_reference: self.acquirer_reference,
                network_transaction_id: self.network_transaction_id,
                credential: self
                    .credential
                    .and_then(|text| CredentialReference::new(text).ok()),
                ..Approval::NONE
            })),
            AuthorizationState::Declined => Some(ProviderDecision::Declined(Rejection {
                // A decline always has a reason. The fallback is the most general one.
                reason: self.decline.unwrap_or_else(|| "do_not_honor".into()),
                advice_code: self.advice_code,
            })),
            AuthorizationState::Tombstoned => None,
        }
    }

    /// The held amount, minor units of the account's currency.
    pub(super) const fn held_account_minor(&self) -> i64 {
        match self.state {
            AuthorizationState::Authorized => {
                self.account_minor.saturating_sub(self.booked_account_minor)
            }
            _ => 0,
        }
    }

    pub(super) const fn held_minor(&self) -> i64 {
        match self.state {
            AuthorizationState::Authorized => self.amount_minor.saturating_sub(self.booked_minor),
            _ => 0,
        }
    }

    pub(super) const fn refundable_minor(&self) -> i64 {
        self.booked_minor.saturating_sub(self.refunded_minor)
    }

    pub(super) fn is_expired(&self, now_ms: i64) -> bool {
        self.hold_until_ms.is_some_and(|until| until <= now_ms)
    }

    /// The same once nothing is held any more.
    pub(super) fn closed(&self) -> Self {
        let state = match self.state {
            AuthorizationState::Authorized if self.booked_minor > 0 => AuthorizationState::Captured,
            AuthorizationState::Authorized => AuthorizationState::Released,
            other => other,
        };
        Self {
            state,
            hold_until_ms: None,
            ..self.clone()
        }
    }

    /// The same after a capture; the rest stays held.
    pub(super) fn captured(&self, amount_minor: i64) -> Option<Self> {
        let booked_minor = self.booked_minor.checked_add(amount_minor)?;
        let booked_account_minor = share(self.account_minor, booked_minor, self.amount_minor)?;
        Some(Self {
            booked_minor,
            booked_account_minor,
            ..self.clone()
        })
    }

    /// The same after a refund. What remains is rounded up, as a capture is.
    pub(super) fn refunded(&self, amount_minor: i64) -> Option<Self> {
        let refunded_minor = self.refunded_minor.checked_add(amount_minor)?;
        let left_minor = self.booked_minor.checked_sub(refunded_minor)?;
        let left = share(self.booked_account_minor, left_minor, self.booked_minor)?;
        Some(Self {
            refunded_minor,
            refunded_account_minor: self.booked_account_minor.checked_sub(left)?,
            ..self.clone()
        })
    }

    /// What it costs the account, minor units of its currency.
    pub(super) const fn spent_account_minor(&self) -> i64 {
        self.booked_account_minor
            .saturating_sub(self.refunded_account_minor)
    }
}

impl Journal {
    /// The newest authorizations.
    pub(crate) async fn authorizations(
        &self,
        limit: u32,
    ) -> Result<Vec<Authorization>, ProviderError> {
        self.list(NEWEST, values![limit]).await
    }
}
