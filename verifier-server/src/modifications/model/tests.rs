//! Tables of permitted modifications, their amounts, and the resulting payments.

use super::{Modification, ModificationError, ModificationKind, ModificationState};
use crate::payments::methods::bank_transfer::model::TransferInstructions;
use crate::payments::methods::details::PaymentDetails;
use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use sealpay_protocol::ids::{AttemptId, MerchantId, ModificationId, PaymentId, SessionId};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

/// A payment of 100 in a state, with captured, refunded and disputed amounts.
fn payment(state: PaymentState, captured: i64, refunded: i64, disputed: i64) -> Payment {
    Payment {
        id: PaymentId::new(1, [1; 10]),
        session: Some(SessionId::new(1, [1; 10])),
        agreement: None,
        invoice: None,
        merchant: MerchantId::new(1, [1; 10]),
        attempt: AttemptId::new(1, [1; 10]),
        owner: String::new(),
        body_digest: String::new(),
        order_ref: "A-1".into(),
        money: Money::new(100, "EUR".parse().unwrap()),
        capture: Capture::Manual,
        details: PaymentDetails::Wallet,
        state,
        decline: None,
        provider: "harbor".into(),
        route_reason: String::new(),
        captured_minor: captured,
        refunded_minor: refunded,
        disputed_minor: disputed,
        returned_minor: 0,
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
        created_by: None,
        created_at_ms: 0,
        updated_at_ms: 0,
        lease_until_ms: 0,
    }
}

#[test]
fn permitted_modifications_and_amounts_follow_the_table() {
    use ModificationKind::{Capture, Expiry, Refund, Void};
    use PaymentState::{
        Authorized, Captured, Declined, PartiallyCaptured, PartiallyRefunded, Refunded, Voided,
    };
    let (state, amount) = (Err(ModificationError::State), |left| {
        Err(ModificationError::Amount(left))
    });
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

/// A bank transfer of 130 with 100 due.
fn overpaid(state: PaymentState, refunded: i64) -> Payment {
    Payment {
        details: PaymentDetails::BankTransfer {
            transfer: Some(TransferInstructions {
                holder: String::new(),
                iban: String::new(),
                bic: String::new(),
                reference: String::new(),
                received_minor: 130,
                arrivals: Vec::new(),
            }),
        },
        ..payment(state, 100, refunded, 0)
    }
}

#[test]
fn overpayments_are_refundable_and_refunded_first() {
    use PaymentState::{Captured, PartiallyRefunded, Refunded};
    let refund = |amount| modification(ModificationKind::Refund, amount, false);
    // Before: state and refunded. Requested. After: state, refunded, and the refunded part of the
    // overpayment.
    let rows = [
        (Captured, 0, 1, (PartiallyRefunded, 1, 1)),
        (Captured, 0, 30, (PartiallyRefunded, 30, 30)),
        (Captured, 0, 31, (PartiallyRefunded, 31, 30)),
        (Captured, 0, 100, (PartiallyRefunded, 100, 30)),
        (Captured, 0, 130, (Refunded, 130, 30)),
        (PartiallyRefunded, 20, 10, (PartiallyRefunded, 30, 30)),
        (PartiallyRefunded, 30, 100, (Refunded, 130, 30)),
        (PartiallyRefunded, 100, 30, (Refunded, 130, 30)),
    ];
    for (state, refunded, asked, expected) in rows {
        let before = overpaid(state, refunded);
        let possible = before.modifiable(ModificationKind::Refund, Some(asked));
        assert_eq!(possible, Ok(asked), "{state} {refunded}");
        let after = before.modified(&refund(asked));
        let share = after.overpayment_refunded_minor(after.refunded_minor);
        let is = (after.state, after.refunded_minor, share);
        assert_eq!(is, expected, "{state} {refunded} {asked}");
    }
    let all = overpaid(Captured, 0).modifiable(ModificationKind::Refund, None);
    assert_eq!(all, Ok(130));
    let more = overpaid(Captured, 0).modifiable(ModificationKind::Refund, Some(131));
    assert_eq!(more, Err(ModificationError::Amount(130)));
    let rest = overpaid(PartiallyRefunded, 100);
    let more = rest.modifiable(ModificationKind::Refund, Some(31));
    assert_eq!(more, Err(ModificationError::Amount(30)));
    assert_eq!(overpaid(Captured, 0).disputable_minor(), 100);
    assert_eq!(overpaid(PartiallyRefunded, 30).disputable_minor(), 100);
    assert_eq!(rest.disputable_minor(), 30);
}

#[test]
fn resulting_payments_follow_the_table() {
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
