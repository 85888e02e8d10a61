//! Faults of captures, voids and refunds.

use super::{Response, YES, acquirer, declined, number_of, payment, reference};
use crate::SimulatedBank;
use crate::simulation::tests::{TestBank, euros, modification, response, without_codes};
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{PaymentProvider, ProviderError};

const REFUND: ModificationKind = ModificationKind::Refund;

/// Modifies one cent of the first payment.
async fn modify(acquirer: &dyn PaymentProvider, kind: ModificationKind, number: u64) -> Response {
    let request = modification(number, reference(1), kind, euros(1));
    response(acquirer.modify(request)).await.map(without_codes)
}

async fn balance(bank: &SimulatedBank) -> i64 {
    bank.account("ben_balance").await.unwrap().balance_minor
}

#[tokio::test]
async fn a_repeated_modification_is_done_once() {
    let test = TestBank::new("lost-modifications").await;
    let bank = &test.bank;
    let harbor = acquirer(bank, "harbor");
    let paid = payment(number_of("ben_balance"))
        .at(bank, "harbor", 1)
        .await;
    assert_eq!(paid, YES);
    let rows = [
        (r#""kind":"request_lost","next":1"#, 0),
        (r#""kind":"response_lost","next":1"#, 1),
        (r#""kind":"acquirer_down","next":1"#, 0),
        (r#""kind":"request_lost","share_per_mille":1000"#, 0),
        (r#""kind":"response_lost","share_per_mille":1000"#, 1),
    ];
    for (number, (fault, done)) in (1..).zip(rows) {
        bank.remove_faults().await.unwrap();
        test.add_fault(&format!(r#"{{"target":"harbor",{fault}}}"#))
            .await;
        let before = balance(bank).await;
        let lost = modify(&*harbor, REFUND, number).await;
        let is_down = fault.contains("down");
        assert!(lost.is_err(), "{fault}: {lost:?}");
        assert_eq!(matches!(lost, Err(ProviderError::NotSent(_))), is_down);
        assert_eq!(balance(bank).await, before + done, "{fault}");
        for _ in 0..2 {
            let repeated = modify(&*harbor, REFUND, number).await;
            assert_eq!(repeated, YES, "{fault}");
            assert_eq!(balance(bank).await, before + 1, "{fault}");
        }
    }
}

#[tokio::test]
async fn an_issuer_that_is_down_declines_refunds_alone() {
    let test = TestBank::new("issuer-down").await;
    let bank = &test.bank;
    let harbor = acquirer(bank, "harbor");
    let paid = payment(number_of("ben_balance"))
        .at(bank, "harbor", 1)
        .await;
    assert_eq!(paid, YES);
    test.add_fault(r#"{"kind":"issuer_down","target":"issuer","next":1}"#)
        .await;
    // Declined because the whole amount was captured.
    for (number, kind) in [(1, ModificationKind::Capture), (2, ModificationKind::Void)] {
        let refused = modify(&*harbor, kind, number).await;
        assert_eq!(refused, declined("invalid_transaction"), "{kind:?}");
    }
    for _ in 0..2 {
        let refused = modify(&*harbor, REFUND, 3).await;
        assert_eq!(refused, declined("issuer_unavailable"));
    }
    assert_eq!(modify(&*harbor, REFUND, 4).await, YES);
    assert_eq!(balance(bank).await, 10_000 - 2_490 + 1);
}

#[tokio::test]
async fn a_refund_fails_while_the_account_is_closed() {
    let test = TestBank::new("closed-account").await;
    let bank = &test.bank;
    let harbor = acquirer(bank, "harbor");
    for (name, id) in [("ben_balance", 1), ("ada_approved", 2)] {
        let paid = payment(number_of(name)).at(bank, "harbor", id).await;
        assert_eq!(paid, YES);
    }
    let rows = [
        ("blocked", YES),
        ("lost", YES),
        ("expired", YES),
        ("closed", declined("closed_account")),
        ("active", YES),
    ];
    for (number, (status, expected)) in (1..).zip(rows) {
        let request = serde_json::from_str(&format!(r#"{{"status":"{status}"}}"#)).unwrap();
        bank.change_account("ben_balance", request).await.unwrap();
        let decision = modify(&*harbor, REFUND, number).await;
        assert_eq!(decision, expected, "{status}");
    }
    assert_eq!(balance(bank).await, 10_000 - 2_490 + 4);
}
