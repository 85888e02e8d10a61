//! Payouts: each once, to the merchant's account, and sent back once.

use super::{BankPayoutState, ReturnReason, SimulatedPayouts};
use crate::SimulatedBank;
use crate::control::ControlError;
use crate::world::tests::{NOON_MS, TestFolder, counting};
use sealpay_protocol::ids::{MerchantId, PayoutId};
use sealpay_protocol::money::Money;
use sealpay_protocol::secret::Secret;
use sealpay_provider::payout::{PayoutRequest, ReturnedPayout};
use sealpay_provider::{PayoutProvider, ProviderDecision, ProviderError};
use sealpay_system::Clock;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const NOON: i64 = NOON_MS.cast_signed();

struct Stage {
    bank: Arc<SimulatedBank>,
    payouts: Arc<SimulatedPayouts>,
    now: Arc<AtomicU64>,
    _folder: TestFolder,
}

async fn stage(name: &str) -> Stage {
    let folder = TestFolder::new(&format!("payout-{name}"));
    let now = Arc::new(AtomicU64::new(NOON_MS));
    let clock = Arc::clone(&now);
    let path = folder.path();
    let bank = SimulatedBank::open(
        &path,
        Secret::new([9; 32]),
        "http://127.0.0.1:8787".parse().unwrap(),
        Clock::new(move || clock.load(Ordering::Relaxed)),
        counting(),
        true,
    );
    let bank = bank.await.unwrap();
    Stage {
        payouts: bank.payouts(),
        bank,
        now,
        _folder: folder,
    }
}

fn merchant(number: u8) -> MerchantId {
    MerchantId::new(NOON_MS, [number; 10])
}

fn id(number: u64) -> PayoutId {
    PayoutId::new(number, [4; 10])
}

impl Stage {
    fn request(&self, number: u64, amount: i64, currency: &str) -> PayoutRequest {
        PayoutRequest {
            payout: id(number),
            merchant: merchant(1),
            account: self.payouts.default_account(merchant(1)).unwrap(),
            money: Money::new(amount, currency.parse().unwrap()),
        }
    }

    /// Pays, and does not wait forever.
    async fn pay(&self, request: PayoutRequest) -> Result<ProviderDecision, ProviderError> {
        let paying = self.payouts.pay(request);
        let waiting = tokio::time::timeout(Duration::from_millis(500), paying).await;
        waiting.unwrap_or_else(|_| Err(ProviderError::OutcomeUnknown("too late".into())))
    }

    async fn fault(&self, json: &str) {
        let order = serde_json::from_str(json).unwrap();
        self.bank.add_fault(order).await.unwrap();
    }

    async fn sent(&self) -> Vec<(PayoutId, i64)> {
        let sent = self.bank.sent_payouts(100).await.unwrap();
        let sent = sent.iter();
        sent.map(|payout| (payout.id, payout.money.amount_minor()))
            .collect()
    }
}

fn declined(key: &str) -> Result<ProviderDecision, ProviderError> {
    Ok(ProviderDecision::Declined(key.into()))
}

#[tokio::test]
async fn a_merchant_has_one_account_with_right_check_digits() {
    let stage = stage("account").await;
    let accounts: HashSet<_> = (0..50)
        .map(|number| {
            let account = stage.payouts.default_account(merchant(number)).unwrap();
            let again = stage.payouts.default_account(merchant(number));
            assert_eq!(again.as_ref(), Some(&account));
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
async fn a_payout_is_sent_once_whoever_asks_again() {
    let stage = stage("once").await;
    let good = stage.request(1, 2_490, "EUR");
    let wrong = PayoutRequest {
        account: "DE89370400440532013001".into(),
        ..good.clone()
    };
    let others = PayoutRequest {
        merchant: merchant(2),
        ..good.clone()
    };
    let rows = [
        (wrong, declined("invalid_number"), 0),
        (stage.request(1, 0, "EUR"), declined("invalid_amount"), 0),
        (stage.request(1, -1, "EUR"), declined("invalid_amount"), 0),
        (good.clone(), Ok(ProviderDecision::Approved), 1),
        (good, Ok(ProviderDecision::Approved), 1),
        (
            stage.request(1, 2_491, "EUR"),
            declined("duplicate_transaction"),
            1,
        ),
        (
            stage.request(1, 2_490, "USD"),
            declined("duplicate_transaction"),
            1,
        ),
        (others, declined("duplicate_transaction"), 1),
        (
            stage.request(2, 1, "JPY"),
            Ok(ProviderDecision::Approved),
            2,
        ),
    ];
    for (request, expected, sent) in rows {
        let what = format!("{request:?}");
        assert_eq!(stage.pay(request).await, expected, "{what}");
        assert_eq!(stage.sent().await.len(), sent, "{what}");
    }
    assert_eq!(stage.sent().await, [(id(2), 1), (id(1), 2_490)]);
}

#[tokio::test]
async fn payouts_are_struck_by_their_own_faults_only() {
    let stage = stage("faults").await;
    stage.fault(r#"{"kind":"request_lost","next":9}"#).await;
    let paid = stage.pay(stage.request(1, 1, "EUR")).await;
    assert_eq!(paid, Ok(ProviderDecision::Approved));
    let rows = [
        (r#""kind":"request_lost","next":1"#, false),
        (r#""kind":"response_lost","next":1"#, true),
        (r#""kind":"acquirer_down","next":1"#, false),
        (r#""kind":"request_lost","share_per_mille":1000"#, false),
        (r#""kind":"response_lost","share_per_mille":1000"#, true),
    ];
    for (number, (fault, is_booked)) in (2..).zip(rows) {
        stage.bank.remove_faults().await.unwrap();
        stage
            .fault(&format!(r#"{{"target":"payouts",{fault}}}"#))
            .await;
        let before = stage.sent().await.len();
        let struck = stage.pay(stage.request(number, 7, "EUR")).await;
        assert!(struck.is_err(), "{fault}: {struck:?}");
        let is_down = fault.contains("down");
        assert_eq!(matches!(struck, Err(ProviderError::NotSent(_))), is_down);
        let sent = stage.sent().await.len();
        assert_eq!(sent, before + usize::from(is_booked), "{fault}");
        // Whoever asks again is heard, by a share of all as well.
        let again = stage.pay(stage.request(number, 7, "EUR")).await;
        assert_eq!(again, Ok(ProviderDecision::Approved), "{fault}");
        assert_eq!(stage.sent().await.len(), before + 1, "{fault}");
    }
}

#[tokio::test]
async fn what_came_back_is_told_until_it_was_dealt_with() {
    let stage = stage("returned").await;
    for number in 1..=3 {
        let paid = stage.pay(stage.request(number, 100, "EUR")).await;
        assert_eq!(paid, Ok(ProviderDecision::Approved));
    }
    let returned = async |by_ms, limit| stage.payouts.returned(by_ms, limit).await.unwrap();
    assert_eq!(returned(NOON, 9).await, []);
    let unknown = stage.bank.return_payout(id(9), ReturnReason::AccountClosed);
    assert_eq!(unknown.await, Err(ControlError::NotFound));
    let mut expected = Vec::new();
    for (number, reason) in [
        (3, ReturnReason::AccountClosed),
        (1, ReturnReason::NotSpecified),
    ] {
        let back = stage.bank.return_payout(id(number), reason).await.unwrap();
        assert_eq!(back.state, BankPayoutState::Returned);
        assert_eq!(back.reason.as_deref(), Some(reason.name()));
        // It stays as it came back.
        stage.now.fetch_add(1, Ordering::Relaxed);
        let again = stage
            .bank
            .return_payout(id(number), ReturnReason::AccountUnknown);
        assert_eq!(again.await.unwrap(), back);
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
        stage.payouts.acknowledge_return(id(3)).await.unwrap();
        // What did not come back has nothing to be dealt with.
        stage.payouts.acknowledge_return(id(2)).await.unwrap();
    }
    assert_eq!(returned(NOON + 9, 9).await, expected[1..]);
    let states: Vec<_> = stage.bank.sent_payouts(9).await.unwrap();
    let states: Vec<_> = states.iter().map(|payout| payout.state.name()).collect();
    assert_eq!(states, ["acknowledged", "paid", "returned"]);
    // It was sent, whatever became of it.
    let again = stage.pay(stage.request(3, 100, "EUR")).await;
    assert_eq!(again, Ok(ProviderDecision::Approved));
    let back = stage
        .bank
        .return_payout(id(3), ReturnReason::AccountBlocked);
    assert_eq!(back.await.unwrap().state, BankPayoutState::Acknowledged);
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
