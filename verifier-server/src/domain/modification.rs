//! What is done to a payment after its authorization: captures, voids, refunds, and holds that end.
//!
//! Everything that decides whether one is possible, and what the payment is afterwards, is here.

use super::payment::Payment;
use super::state::PaymentState;
use sealpay_protocol::ids::{MerchantId, ModificationId, PaymentId};
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModificationKind {
    /// Held money is taken, all of it or part.
    Capture,
    /// What is still held is let go.
    Void,
    /// Taken money goes back, all of it or part.
    Refund,
    /// What is still held is let go because it was held too long.
    Expiry,
}

impl ModificationKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Capture, Self::Void, Self::Refund, Self::Expiry];

    /// The name in JSON and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
            Self::Expiry => "expiry",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The event that tells that it failed; none for what nobody asked for.
    #[must_use]
    pub const fn failure_event(self) -> Option<&'static str> {
        match self {
            Self::Capture => Some("payment.capture_failed"),
            Self::Void => Some("payment.void_failed"),
            Self::Refund => Some("payment.refund_failed"),
            Self::Expiry => None,
        }
    }
}

/// How far a modification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModificationState {
    /// The provider is being asked, until it is known.
    Pending,
    /// Done.
    Succeeded,
    /// The provider said no; nothing was changed.
    Failed,
}

impl ModificationState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Succeeded, Self::Failed];

    /// The name in JSON and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A modification as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modification {
    /// The modification; the provider never does the same one twice.
    pub id: ModificationId,
    /// The payment.
    pub payment: PaymentId,
    /// The merchant.
    pub merchant: MerchantId,
    /// What is done.
    pub kind: ModificationKind,
    /// How much is taken, let go or given back.
    pub money: Money,
    /// For a capture: whether what is left is let go.
    pub is_final: bool,
    /// The merchant's name for it.
    pub reference: Option<String>,
    /// How far it is.
    pub state: ModificationState,
    /// Key of the provider's reason, when it failed.
    pub failure: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
    /// Until when it is somebody's: afterwards the provider is asked again.
    pub lease_until_ms: i64,
}

/// Why a payment cannot be modified so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Not in the payment's state.
    State,
    /// It is more than there is; so much is left, minor units.
    Amount(i64),
}

impl Payment {
    /// What is still held, minor units.
    #[must_use]
    pub const fn capturable_minor(&self) -> i64 {
        match self.state {
            PaymentState::Authorized | PaymentState::PartiallyCaptured => self
                .money
                .amount_minor()
                .saturating_sub(self.captured_minor),
            _ => 0,
        }
    }

    /// What may still go back, minor units: what was taken, without what went back and without
    /// what the shopper's bank has taken or wants back.
    #[must_use]
    pub const fn refundable_minor(&self) -> i64 {
        self.captured_minor
            .saturating_sub(self.refunded_minor)
            .saturating_sub(self.disputed_minor)
    }

    /// How much a modification is about: what was asked for, or all there is.
    ///
    /// # Errors
    /// The obstacle, where it is not possible now.
    pub fn modifiable(
        &self,
        kind: ModificationKind,
        asked_minor: Option<i64>,
    ) -> Result<i64, Obstacle> {
        use PaymentState::{Authorized, Captured, PartiallyCaptured, PartiallyRefunded};
        let (is_possible, left) = match kind {
            ModificationKind::Capture | ModificationKind::Void | ModificationKind::Expiry => (
                matches!(self.state, Authorized | PartiallyCaptured),
                self.capturable_minor(),
            ),
            ModificationKind::Refund => (
                matches!(self.state, PartiallyCaptured | Captured | PartiallyRefunded),
                self.refundable_minor(),
            ),
        };
        if !is_possible {
            return Err(Obstacle::State);
        }
        let amount = asked_minor.unwrap_or(left);
        if (1..=left).contains(&amount) {
            Ok(amount)
        } else {
            Err(Obstacle::Amount(left))
        }
    }

    /// The payment after a modification that the provider has done.
    #[must_use]
    pub fn modified(&self, modification: &Modification) -> Self {
        let amount = modification.money.amount_minor();
        let mut after = self.clone();
        match modification.kind {
            ModificationKind::Capture => {
                after.captured_minor = self.captured_minor.saturating_add(amount);
                let is_all = after.captured_minor == self.money.amount_minor();
                after.state = if is_all || modification.is_final {
                    PaymentState::Captured
                } else {
                    PaymentState::PartiallyCaptured
                };
            }
            // What was taken stays taken; there only is no more to come.
            ModificationKind::Void | ModificationKind::Expiry if self.captured_minor > 0 => {
                after.state = PaymentState::Captured;
            }
            ModificationKind::Void => after.state = PaymentState::Voided,
            ModificationKind::Expiry => after.state = PaymentState::Expired,
            ModificationKind::Refund => {
                after.refunded_minor = self.refunded_minor.saturating_add(amount);
                after.state = if after.refunded_minor == self.captured_minor {
                    PaymentState::Refunded
                } else {
                    PaymentState::PartiallyRefunded
                };
            }
        }
        after
    }
}

#[cfg(test)]
mod tests {
    use super::{Modification, ModificationKind, ModificationState, Obstacle};
    use crate::domain::payment::Payment;
    use crate::domain::state::PaymentState;
    use sealpay_protocol::ids::{AttemptId, MerchantId, ModificationId, PaymentId, SessionId};
    use sealpay_protocol::method::Method;
    use sealpay_protocol::money::Money;
    use sealpay_protocol::order::Capture;

    /// A payment over 100 in a state, of which so much was captured, refunded and disputed.
    fn payment(state: PaymentState, captured: i64, refunded: i64, disputed: i64) -> Payment {
        Payment {
            id: PaymentId::new(1, [1; 10]),
            session: SessionId::new(1, [1; 10]),
            merchant: MerchantId::new(1, [1; 10]),
            attempt: AttemptId::new(1, [1; 10]),
            claimant: String::new(),
            body_digest: String::new(),
            order_ref: "A-1".into(),
            money: Money::new(100, "EUR".parse().unwrap()),
            capture: Capture::Manual,
            method: Method::Card,
            card: None,
            address: None,
            state,
            decline: None,
            provider: "harbor".into(),
            route_reason: String::new(),
            risk: None,
            authentication: None,
            transfer: None,
            captured_minor: captured,
            refunded_minor: refunded,
            disputed_minor: disputed,
            modification: None,
            simulate: None,
            sequence: 1,
            created_at_ms: 0,
            updated_at_ms: 0,
            lease_until_ms: 0,
        }
    }

    fn modification(kind: ModificationKind, amount: i64, is_final: bool) -> Modification {
        Modification {
            id: ModificationId::new(1, [1; 10]),
            payment: PaymentId::new(1, [1; 10]),
            merchant: MerchantId::new(1, [1; 10]),
            kind,
            money: Money::new(amount, "EUR".parse().unwrap()),
            is_final,
            reference: None,
            state: ModificationState::Succeeded,
            failure: None,
            created_at_ms: 0,
            updated_at_ms: 0,
            lease_until_ms: 0,
        }
    }

    #[test]
    fn what_is_possible_and_how_much_is_as_the_table_says() {
        use ModificationKind::{Capture, Expiry, Refund, Void};
        use PaymentState::{
            Authorized, Captured, Declined, PartiallyCaptured, PartiallyRefunded, Refunded, Voided,
        };
        let (state, amount) = (Err(Obstacle::State), |left| Err(Obstacle::Amount(left)));
        let rows = [
            (payment(Authorized, 0, 0, 0), Capture, None, Ok(100)),
            (payment(Authorized, 0, 0, 0), Capture, Some(100), Ok(100)),
            (
                payment(Authorized, 0, 0, 0),
                Capture,
                Some(101),
                amount(100),
            ),
            (payment(Authorized, 0, 0, 0), Capture, Some(0), amount(100)),
            (payment(Authorized, 0, 0, 0), Capture, Some(-1), amount(100)),
            (payment(Authorized, 0, 0, 0), Void, None, Ok(100)),
            (payment(Authorized, 0, 0, 0), Refund, None, state),
            (payment(PartiallyCaptured, 30, 0, 0), Capture, None, Ok(70)),
            (
                payment(PartiallyCaptured, 30, 0, 0),
                Capture,
                Some(71),
                amount(70),
            ),
            (payment(PartiallyCaptured, 30, 0, 0), Void, None, Ok(70)),
            (payment(PartiallyCaptured, 30, 0, 0), Expiry, None, Ok(70)),
            (payment(PartiallyCaptured, 30, 0, 0), Refund, None, Ok(30)),
            (payment(Captured, 100, 0, 0), Capture, None, state),
            (payment(Captured, 100, 0, 0), Void, None, state),
            (payment(Captured, 100, 0, 0), Refund, None, Ok(100)),
            (payment(Captured, 30, 0, 0), Refund, Some(31), amount(30)),
            (payment(Captured, 100, 0, 100), Refund, None, amount(0)),
            (payment(Captured, 100, 0, 60), Refund, Some(41), amount(40)),
            (payment(PartiallyRefunded, 100, 60, 0), Refund, None, Ok(40)),
            (
                payment(PartiallyRefunded, 100, 60, 40),
                Refund,
                Some(1),
                amount(0),
            ),
            (payment(Refunded, 100, 100, 0), Refund, None, state),
            (payment(Voided, 0, 0, 0), Capture, None, state),
            (payment(Declined, 0, 0, 0), Refund, None, state),
        ];
        for (payment, kind, asked, expected) in rows {
            assert_eq!(
                payment.modifiable(kind, asked),
                expected,
                "{kind:?} {asked:?} {payment:?}"
            );
        }
    }

    #[test]
    fn the_payment_afterwards_is_as_the_table_says() {
        use ModificationKind::{Capture, Expiry, Refund, Void};
        use PaymentState::{
            Authorized, Captured, Expired, PartiallyCaptured, PartiallyRefunded, Refunded, Voided,
        };
        let held = || payment(Authorized, 0, 0, 0);
        let part = || payment(PartiallyCaptured, 30, 0, 0);
        let rows = [
            (
                held(),
                modification(Capture, 100, false),
                (Captured, 100, 0),
            ),
            (
                held(),
                modification(Capture, 30, false),
                (PartiallyCaptured, 30, 0),
            ),
            (held(), modification(Capture, 30, true), (Captured, 30, 0)),
            (held(), modification(Void, 100, false), (Voided, 0, 0)),
            (held(), modification(Expiry, 100, false), (Expired, 0, 0)),
            (part(), modification(Capture, 70, false), (Captured, 100, 0)),
            (
                part(),
                modification(Capture, 1, false),
                (PartiallyCaptured, 31, 0),
            ),
            (part(), modification(Void, 70, false), (Captured, 30, 0)),
            (part(), modification(Expiry, 70, false), (Captured, 30, 0)),
            (part(), modification(Refund, 30, false), (Refunded, 30, 30)),
            (
                part(),
                modification(Refund, 1, false),
                (PartiallyRefunded, 30, 1),
            ),
            (
                payment(PartiallyRefunded, 100, 60, 0),
                modification(Refund, 40, false),
                (Refunded, 100, 100),
            ),
        ];
        for (before, modification, (state, captured, refunded)) in rows {
            let after = before.modified(&modification);
            assert_eq!(
                (after.state, after.captured_minor, after.refunded_minor),
                (state, captured, refunded),
                "{modification:?}"
            );
            let moves = before.state == after.state || before.state.may_become(after.state);
            assert!(moves, "{} -> {}", before.state, after.state);
        }
    }
}
