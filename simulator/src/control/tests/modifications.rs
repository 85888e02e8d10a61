//! What goes wrong on purpose with captures, voids and refunds.

use super::{acquirer, bank, declined, number_of, payment, reference};
use crate::SimulatedBank;
use crate::world::tests::TestFolder;
use sealpay_protocol::ids::ModificationId;
use sealpay_protocol::money::Money;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{ModificationRequest, PaymentProvider, ProviderDecision, ProviderError};
use std::time::Duration;

const REFUND: ModificationKind = ModificationKind::Refund;

/// Refunds a cent, or asks for it again, and does not wait forever.
async fn modify(
    acquirer: &dyn PaymentProvider,
    kind: ModificationKind,
    number: u64,
) -> Result<ProviderDecision, ProviderError> {
    let asking = acquirer.modify(ModificationRequest {
        modification: ModificationId::new(number, [2; 10]),
        payment: reference(1),
        kind,
        money: Money::new(1, "EUR".parse().unwrap()),
        is_final: false,
    });
    let waiting = tokio::time::timeout(Duration::from_millis(500), asking).await;
    waiting.unwrap_or_else(|_| Err(ProviderError::OutcomeUnknown("too late".into())))
}

async fn balance(bank: &SimulatedBank) -> i64 {
    bank.account("ben_balance").await.unwrap().balance_minor
}

#[tokio::test]
async fn a_lost_message_is_known_when_it_is_asked_for_again_and_done_once() {
    let folder = TestFolder::new("lost-modifications");
    let bank = bank(&folder).await;
    let harbor = acquirer(&bank, "harbor");
    let paid = payment(number_of("ben_balance"))
        .at(&bank, "harbor", 1)
        .await;
    assert_eq!(paid, Ok(ProviderDecision::Approved));
    let rows = [
        (r#""kind":"request_lost","next":1"#, 0),
        (r#""kind":"response_lost","next":1"#, 1),
        (r#""kind":"acquirer_down","next":1"#, 0),
        (r#""kind":"request_lost","share_per_mille":1000"#, 0),
        (r#""kind":"response_lost","share_per_mille":1000"#, 1),
    ];
    for (number, (fault, done)) in (1..).zip(rows) {
        bank.remove_faults().await.unwrap();
        let order = format!(r#"{{"target":"harbor",{fault}}}"#);
        let order = serde_json::from_str(&order).unwrap();
        bank.add_fault(order).await.unwrap();
        let before = balance(&bank).await;
        let struck = modify(&*harbor, REFUND, number).await;
        let is_down = fault.contains("down");
        assert!(struck.is_err(), "{fault}: {struck:?}");
        assert_eq!(matches!(struck, Err(ProviderError::NotSent(_))), is_down);
        assert_eq!(balance(&bank).await, before + done, "{fault}");
        for _ in 0..2 {
            let again = modify(&*harbor, REFUND, number).await;
            assert_eq!(again, Ok(ProviderDecision::Approved), "{fault}");
            assert_eq!(balance(&bank).await, before + 1, "{fault}");
        }
    }
}

#[tokio::test]
async fn an_issuer_that_is_down_refuses_refunds_and_nothing_else() {
    let folder = TestFolder::new("issuer-down");
    let bank = bank(&folder).await;
    let harbor = acquirer(&bank, "harbor");
    let paid = payment(number_of("ben_balance"))
        .at(&bank, "harbor", 1)
        .await;
    assert_eq!(paid, Ok(ProviderDecision::Approved));
    let down = r#"{"kind":"issuer_down","target":"issuer","next":1}"#;
    let down = serde_json::from_str(down).unwrap();
    bank.add_fault(down).await.unwrap();
    // The whole was taken at once: that is why.
    for (number, kind) in [(1, ModificationKind::Capture), (2, ModificationKind::Void)] {
        let refused = modify(&*harbor, kind, number).await;
        assert_eq!(refused, declined("invalid_transaction"), "{kind:?}");
    }
    for _ in 0..2 {
        let refused = modify(&*harbor, REFUND, 3).await;
        assert_eq!(refused, declined("issuer_unavailable"));
    }
    assert_eq!(
        modify(&*harbor, REFUND, 4).await,
        Ok(ProviderDecision::Approved)
    );
    assert_eq!(balance(&bank).await, 10_000 - 2_490 + 1);
}

#[tokio::test]
async fn a_refund_fails_while_the_account_is_closed() {
    let folder = TestFolder::new("closed-account");
    let bank = bank(&folder).await;
    let harbor = acquirer(&bank, "harbor");
    for (name, place) in [("ben_balance", 1), ("ada_approved", 2)] {
        let paid = payment(number_of(name)).at(&bank, "harbor", place).await;
        assert_eq!(paid, Ok(ProviderDecision::Approved));
    }
    let rows = [
        ("blocked", Ok(ProviderDecision::Approved)),
        ("lost", Ok(ProviderDecision::Approved)),
        ("expired", Ok(ProviderDecision::Approved)),
        ("closed", declined("closed_account")),
        ("active", Ok(ProviderDecision::Approved)),
    ];
    for (number, (status, expected)) in (1..).zip(rows) {
        let order = serde_json::from_str(&format!(r#"{{"status":"{status}"}}"#)).unwrap();
        bank.change_account("ben_balance", order).await.unwrap();
        let answer = modify(&*harbor, REFUND, number).await;
        assert_eq!(answer, expected, "{status}");
    }
    assert_eq!(balance(&bank).await, 10_000 - 2_490 + 4);
}
