//! Collection accounts, scheduled transfers and refunds.

use super::{SimulatedTransfers, TransferState};
use crate::outcome::Directive;
use crate::simulation::tests::{APPROVED, TestBank, declined, euros, modification, money, payment};
use sealpay_protocol::money::Money;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::transfer::{CollectionAccount, IncomingCredit, TransferRequest};
use sealpay_provider::{PaymentOperations, TransferProvider};
use std::collections::HashSet;
use std::sync::Arc;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl TestBank {
    async fn start_transfer(
        &self,
        number: u8,
        money: Money,
        simulate: Option<&str>,
    ) -> CollectionAccount {
        let request = TransferRequest {
            reference: payment(number),
            money,
        };
        let directive = simulate.and_then(Directive::from_name);
        let transfers = SimulatedTransfers::new(Arc::clone(&self.simulation), directive);
        transfers.start(request).await.unwrap()
    }

    async fn arrivals(&self) -> Vec<IncomingCredit> {
        self.bank
            .transfers()
            .arrivals(self.now_ms(), 100)
            .await
            .unwrap()
    }

    async fn states(&self) -> Vec<TransferState> {
        let list = self.bank.transfers().list(100).await.unwrap();
        list.iter().map(|transfer| transfer.state).collect()
    }
}

/// ISO 7064 MOD 97-10, digit by digit over the text with letters written as numbers.
fn is_checked(text: &str) -> bool {
    let turned = [&text[4..], &text[..4]].concat();
    let digits: String = turned
        .chars()
        .map(|character| character.to_digit(36).unwrap().to_string())
        .collect();
    let rest = digits.bytes().fold(0_u32, |rest, digit| {
        (rest * 10 + u32::from(digit - b'0')) % 97
    });
    rest == 1
}

#[tokio::test]
async fn account_and_reference_have_check_digits_and_stay_the_same() {
    let test = TestBank::new("transfer-collection").await;
    let mut references = HashSet::new();
    for number in 0..50 {
        let collection = test.start_transfer(number, euros(2490), None).await;
        assert_eq!(collection.holder, "Sealpay Collections");
        assert_eq!(collection.bic.len(), 11);
        assert!(collection.iban.starts_with("DE") && collection.iban.len() == 22);
        assert!(is_checked(&collection.iban), "{}", collection.iban);
        assert!(collection.reference.starts_with("RF"));
        assert!(collection.reference.len() <= 25);
        assert!(
            is_checked(&collection.reference),
            "{}",
            collection.reference
        );
        // A repeated request has the same response and no second transfer, even with another amount.
        let repeated = test
            .start_transfer(number, euros(1), Some("transfer_over"))
            .await;
        assert_eq!(repeated, collection);
        references.insert(collection.reference);
    }
    assert_eq!(references.len(), 50);
    assert_eq!(test.states().await.len(), 50);
    let euros = test.start_transfer(60, euros(1), None).await.iban;
    let dollars = test.start_transfer(61, money(1, "USD"), None).await.iban;
    assert_ne!(euros, dollars);
}

#[tokio::test]
async fn each_scenario_sends_its_amount_in_its_time() {
    let rows = [
        (None, 2490, "EUR", Some((2490, 1))),
        (Some("transfer_paid"), 2490, "EUR", Some((2490, 1))),
        (Some("approved"), 2490, "EUR", Some((2490, 1))),
        (Some("transfer_short"), 2490, "EUR", Some((2390, 1))),
        (Some("transfer_short"), 100, "EUR", Some((50, 1))),
        (Some("transfer_short"), 1, "EUR", None),
        (Some("transfer_short"), 500, "JPY", Some((499, 1))),
        (Some("transfer_over"), 2490, "EUR", Some((2590, 1))),
        (Some("transfer_over"), 2490, "KWD", Some((3490, 1))),
        (Some("transfer_late"), 2490, "EUR", Some((2490, 8))),
        (Some("transfer_never"), 2490, "EUR", None),
        (
            Some("transfer_wrong_reference"),
            2490,
            "EUR",
            Some((2490, 1)),
        ),
    ];
    for (number, (scenario, amount, currency, expected)) in (0_u8..).zip(rows) {
        let test = TestBank::new(&format!("transfer-scenario-{number}")).await;
        let due = money(amount, currency);
        let collection = test.start_transfer(number, due, scenario).await;
        let Some((sent, days)) = expected else {
            assert!(test.states().await.is_empty(), "{scenario:?}");
            continue;
        };
        test.advance(days * DAY_MS - 1);
        assert_eq!(test.arrivals().await, [], "{scenario:?}");
        assert_eq!(test.states().await, [TransferState::Scheduled]);
        test.advance(1);
        let arrived = test.arrivals().await;
        let [arrival] = arrived.as_slice() else {
            panic!("{scenario:?}: {arrived:?}");
        };
        assert_eq!(arrival.money, money(sent, currency), "{scenario:?}");
        assert_eq!(arrival.arrived_at_ms, test.now_ms(), "{scenario:?}");
        let is_wrong = scenario == Some("transfer_wrong_reference");
        assert_eq!(arrival.reference != collection.reference, is_wrong);
        assert_eq!(is_checked(&arrival.reference), !is_wrong, "{scenario:?}");
        assert_eq!(test.states().await, [TransferState::Arrived]);
    }
}

#[tokio::test]
async fn an_acknowledged_credit_is_not_reported_again() {
    let test = TestBank::new("transfer-acknowledged").await;
    for number in 0..3 {
        test.start_transfer(number, euros(2490), None).await;
        test.advance(1);
    }
    test.advance(DAY_MS);
    let arrived = test.arrivals().await;
    let times: Vec<_> = arrived
        .iter()
        .map(|arrival| arrival.arrived_at_ms)
        .collect();
    assert_eq!(times.len(), 3);
    assert!(times.is_sorted());
    let oldest = test
        .bank
        .transfers()
        .arrivals(test.now_ms(), 1)
        .await
        .unwrap();
    assert_eq!(oldest, arrived[..1]);
    let acknowledge = async |id: &str, returned| {
        let transfers = test.bank.transfers();
        transfers.acknowledge(id, returned).await.unwrap();
    };
    acknowledge(&arrived[0].id, false).await;
    acknowledge(&arrived[1].id, true).await;
    // A returned credit stays returned.
    acknowledge(&arrived[1].id, false).await;
    acknowledge("nothing", true).await;
    assert_eq!(test.arrivals().await, arrived[2..]);
    let expected = [
        TransferState::Arrived,
        TransferState::Returned,
        TransferState::Matched,
    ];
    assert_eq!(test.states().await, expected);
    assert_eq!(
        expected.map(TransferState::name),
        ["arrived", "returned", "matched"]
    );
    // A matched credit may be returned later.
    acknowledge(&arrived[0].id, true).await;
    let returned = test.states().await;
    assert_eq!(returned[2], TransferState::Returned);
}

#[tokio::test]
async fn a_transfer_by_hand_may_have_any_text() {
    let test = TestBank::new("transfer-by-hand").await;
    let at = test.now_ms() + 1000;
    let accepted = [
        "RF18 5390 0754 7034",
        "rf18539007547034",
        "danke für alles 💐",
        "x",
    ];
    for (count, reference) in (1..).zip(accepted) {
        let sent = test.bank.transfers().send(reference, euros(1), at).await;
        let id = sent.unwrap().unwrap();
        let list = test.bank.transfers().list(100).await.unwrap();
        assert_eq!(list.len(), count);
        let newest = list.iter().find(|transfer| transfer.id == id).unwrap();
        assert_eq!(newest.reference, reference);
        assert_eq!(
            (newest.arrives_at_ms, newest.state),
            (at, TransferState::Scheduled)
        );
    }
    let long = "x".repeat(141);
    let refused = [
        ("", 1),
        (long.as_str(), 1),
        ("a\nb", 1),
        ("a\u{0}b", 1),
        ("x", 0),
        ("x", -1),
        ("x", 1_000_000_000_000),
    ];
    for (reference, amount) in refused {
        let sent = test
            .bank
            .transfers()
            .send(reference, euros(amount), at)
            .await;
        assert_eq!(sent.unwrap(), None, "{reference} {amount}");
    }
    assert!(test.arrivals().await.is_empty());
    test.advance(1000);
    assert_eq!(test.arrivals().await.len(), accepted.len());
}

#[tokio::test]
async fn refunds_are_limited_to_the_credits_that_arrived() {
    use ModificationKind::{Capture, Expiry, Refund, Void};
    let test = TestBank::new("transfer-refunds").await;
    let never = Some("transfer_never");
    let collection = test.start_transfer(1, euros(2490), never).await;
    let other = test.start_transfer(2, euros(2490), never).await;
    let arrive = async |reference: &str, amount, currency: &str, returned| {
        let sent = money(amount, currency);
        let sent = test
            .bank
            .transfers()
            .send(reference, sent, test.now_ms())
            .await;
        let id = sent.unwrap().unwrap();
        test.bank
            .transfers()
            .acknowledge(&id, returned)
            .await
            .unwrap();
    };
    // In parts, the first with spaces; the next three do not count for the payment.
    let written = format!(" {} ", collection.reference.to_lowercase());
    arrive(&written, 1000, "EUR", false).await;
    arrive(&collection.reference, 1500, "EUR", false).await;
    arrive(&collection.reference, 5000, "EUR", true).await;
    arrive(&collection.reference, 5000, "USD", false).await;
    arrive(&other.reference, 10, "EUR", false).await;
    let tomorrow = test.now_ms() + 1;
    let late = test
        .bank
        .transfers()
        .send(&written, euros(9000), tomorrow)
        .await;
    assert!(late.unwrap().is_some());
    let rows = [
        (1, Capture, 1, "EUR", declined("invalid_transaction")),
        (1, Void, 1, "EUR", declined("invalid_transaction")),
        (1, Expiry, 1, "EUR", declined("invalid_transaction")),
        (3, Refund, 1, "EUR", declined("invalid_transaction")),
        (1, Refund, 0, "EUR", declined("invalid_amount")),
        (1, Refund, 1, "USD", declined("invalid_amount")),
        (1, Refund, 2501, "EUR", declined("invalid_amount")),
        (1, Refund, 1000, "EUR", APPROVED),
        (1, Refund, 1501, "EUR", declined("invalid_amount")),
        (1, Refund, 1500, "EUR", APPROVED),
        (1, Refund, 1, "EUR", declined("invalid_amount")),
        (2, Refund, 11, "EUR", declined("invalid_amount")),
        (2, Refund, 10, "EUR", APPROVED),
    ];
    for (number, (of, kind, amount, currency, expected)) in (1..).zip(rows) {
        let request = modification(number, payment(of), kind, money(amount, currency));
        for _ in 0..2 {
            let decision = test.bank.transfers().modify(request).await.unwrap();
            assert_eq!(decision, expected, "{number}: {kind:?} {amount}");
        }
    }
}
