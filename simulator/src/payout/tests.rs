//! Payouts are sent once to the merchant's account, and returned once.

use super::{BankPayoutState, ReturnReason};
use crate::control::ControlError;
use crate::simulation::tests::{APPROVED, NOON, NOON_MS, TestBank, declined, money, response};
use sealpay_protocol::ids::{MerchantId, PayoutId};
use sealpay_provider::payout::{PayoutRequest, ReturnedPayout};
use sealpay_provider::{PayoutProvider, ProviderDecision, ProviderError};
use std::collections::HashSet;

fn merchant(number: u8) -> MerchantId {
    MerchantId::new(NOON_MS, [number; 10])
}

fn id(number: u64) -> PayoutId {
    PayoutId::new(number, [4; 10])
}

impl TestBank {
    fn request(&self, number: u64, amount: i64, currency: &str) -> PayoutRequest {
        PayoutRequest {
            payout: id(number),
            merchant: merchant(1),
            account: self.bank.payouts().default_account(merchant(1)).unwrap(),
            money: money(amount, currency),
        }
    }

    async fn pay(&self, request: PayoutRequest) -> Result<ProviderDecision, ProviderError> {
        response(self.bank.payouts().pay(request)).await
    }

    async fn paid_out(&self) -> Vec<(PayoutId, i64)> {
        let sent = self.bank.sent_payouts(100).await.unwrap();
        let sent = sent.iter();
        sent.map(|payout| (payout.id, payout.money.amount_minor()))
            .collect()
    }
}

#[tokio::test]
async fn a_merchant_has_one_account_with_right_check_digits() {
    let test = TestBank::new("payout-account").await;
    let payouts = test.bank.payouts();
    let accounts: HashSet<_> = (0..50)
        .map(|number| {
            let account = payouts.default_account(merchant(number)).unwrap();
            let repeated = payouts.default_account(merchant(number));
            assert_eq!(repeated.as_ref(), Some(&account));
            assert!(account.starts_with("DE") && account.len() == 22);
            // ISO 7064 MOD 97-10 by whole numbers: D is 13, E is 14.
            let turned = format!("{}1314{}", &account[4..], &account[2..4]);
            assert_eq!(turned.parse::<u128>().unwrap() % 97, 1, "{account}");
            account
        })
        .collect();
    assert_eq!(accounts.len(), 50);
}

#[tokio::test]
async fn a_repeated_payout_is_sent_once() {
    let test = TestBank::new("payout-once").await;
    let good = test.request(1, 2_490, "EUR");
    let wrong = PayoutRequest {
        account: "DE89370400440532013001".into(),
        ..good.clone()
    };
    let others = PayoutRequest {
        merchant: merchant(2),
        ..good.clone()
    };
    let rows = [
        (wrong, Ok(declined("invalid_number")), 0),
        (test.request(1, 0, "EUR"), Ok(declined("invalid_amount")), 0),
        (
            test.request(1, -1, "EUR"),
            Ok(declined("invalid_amount")),
            0,
        ),
        (good.clone(), Ok(APPROVED), 1),
        (good, Ok(APPROVED), 1),
        (
            test.request(1, 2_491, "EUR"),
            Ok(declined("duplicate_transaction")),
            1,
        ),
        (
            test.request(1, 2_490, "USD"),
            Ok(declined("duplicate_transaction")),
            1,
        ),
        (others, Ok(declined("duplicate_transaction")), 1),
        (test.request(2, 1, "JPY"), Ok(APPROVED), 2),
    ];
    for (request, expected, sent) in rows {
        let row = format!("{request:?}");
        assert_eq!(test.pay(request).await, expected, "{row}");
        assert_eq!(test.paid_out().await.len(), sent, "{row}");
    }
    assert_eq!(test.paid_out().await, [(id(2), 1), (id(1), 2_490)]);
}

#[tokio::test]
async fn only_faults_of_payouts_apply_to_payouts() {
    let test = TestBank::new("payout-faults").await;
    test.add_fault(r#"{"kind":"request_lost","next":9}"#).await;
    let paid = test.pay(test.request(1, 1, "EUR")).await;
    assert_eq!(paid, Ok(APPROVED));
    let rows = [
        (r#""kind":"request_lost","next":1"#, false),
        (r#""kind":"response_lost","next":1"#, true),
        (r#""kind":"acquirer_down","next":1"#, false),
        (r#""kind":"request_lost","share_per_mille":1000"#, false),
        (r#""kind":"response_lost","share_per_mille":1000"#, true),
    ];
    for (number, (fault, is_sent)) in (2..).zip(rows) {
        test.bank.remove_faults().await.unwrap();
        test.add_fault(&format!(r#"{{"target":"payouts",{fault}}}"#))
            .await;
        let before = test.paid_out().await.len();
        let lost = test.pay(test.request(number, 7, "EUR")).await;
        assert!(lost.is_err(), "{fault}: {lost:?}");
        let is_down = fault.contains("down");
        assert_eq!(matches!(lost, Err(ProviderError::NotSent(_))), is_down);
        let sent = test.paid_out().await.len();
        assert_eq!(sent, before + usize::from(is_sent), "{fault}");
        // A repeated request arrives, even where a share of them is lost.
        let repeated = test.pay(test.request(number, 7, "EUR")).await;
        assert_eq!(repeated, Ok(APPROVED), "{fault}");
        assert_eq!(test.paid_out().await.len(), before + 1, "{fault}");
    }
}

#[tokio::test]
async fn a_return_is_reported_until_it_is_acknowledged() {
    let test = TestBank::new("payout-returned").await;
    let payouts = test.bank.payouts();
    for number in 1..=3 {
        let paid = test.pay(test.request(number, 100, "EUR")).await;
        assert_eq!(paid, Ok(APPROVED));
    }
    let returned = async |by_ms, limit| payouts.returned(by_ms, limit).await.unwrap();
    assert_eq!(returned(NOON, 9).await, []);
    let unknown = test.bank.return_payout(id(9), ReturnReason::AccountClosed);
    assert_eq!(unknown.await, Err(ControlError::NotFound));
    let mut expected = Vec::new();
    for (number, reason) in [
        (3, ReturnReason::AccountClosed),
        (1, ReturnReason::NotSpecified),
    ] {
        let payout = test.bank.return_payout(id(number), reason);
        let returned_payout = payout.await.unwrap();
        assert_eq!(returned_payout.state, BankPayoutState::Returned);
        assert_eq!(returned_payout.reason.as_deref(), Some(reason.name()));
        // The first reason stands.
        test.advance(1);
        let repeated = test
            .bank
            .return_payout(id(number), ReturnReason::AccountUnknown);
        assert_eq!(repeated.await.unwrap(), returned_payout);
        expected.push(ReturnedPayout {
            payout: id(number),
            reason: reason.name().into(),
        });
    }
    assert_eq!(returned(NOON - 1, 9).await, []);
    assert_eq!(returned(NOON, 9).await, expected[..1]);
    assert_eq!(returned(NOON + 1, 9).await, expected);
    assert_eq!(returned(NOON + 1, 1).await, expected[..1]);
    for _ in 0..2 {
        payouts.acknowledge_return(id(3)).await.unwrap();
        // This one was not returned.
        payouts.acknowledge_return(id(2)).await.unwrap();
    }
    assert_eq!(returned(NOON + 9, 9).await, expected[1..]);
    let states: Vec<_> = test.bank.sent_payouts(9).await.unwrap();
    let states: Vec<_> = states.iter().map(|payout| payout.state.name()).collect();
    assert_eq!(states, ["acknowledged", "paid", "returned"]);
    // The payout itself stays approved.
    let repeated = test.pay(test.request(3, 100, "EUR")).await;
    assert_eq!(repeated, Ok(APPROVED));
    let returned = test.bank.return_payout(id(3), ReturnReason::AccountBlocked);
    assert_eq!(returned.await.unwrap().state, BankPayoutState::Acknowledged);
}

#[test]
fn every_reason_and_state_has_the_name_that_json_has() {
    for reason in ReturnReason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
    }
    for state in BankPayoutState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
    }
}
