//! Where to send money, what the scripts send, and what becomes of it.

use super::{SimulatedTransfers, TransferState};
use crate::outcome::Directive;
use crate::world::World;
use crate::world::tests::{NOON_MS, TestFolder, world};
use sealpay_protocol::ids::{ModificationId, PaymentId};
use sealpay_protocol::money::Money;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::transfer::{CollectionAccount, IncomingCredit, TransferRequest};
use sealpay_provider::{
    ModificationRequest, PaymentOperations, ProviderDecision, TransferProvider,
};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

struct Stage {
    transfers: SimulatedTransfers,
    world: Arc<World>,
    now: Arc<AtomicU64>,
    _folder: TestFolder,
}

async fn stage(name: &str) -> Stage {
    let folder = TestFolder::new(&format!("transfer-{name}"));
    let (world, now) = world(&folder).await;
    Stage {
        transfers: SimulatedTransfers::new(Arc::clone(&world), None),
        world,
        now,
        _folder: folder,
    }
}

fn payment(number: u8) -> PaymentId {
    PaymentId::new(NOON_MS, [number; 10])
}

fn money(amount: i64, currency: &str) -> Money {
    Money::new(amount, currency.parse().unwrap())
}

impl Stage {
    async fn start(&self, number: u8, money: Money, simulate: Option<&str>) -> CollectionAccount {
        let request = TransferRequest {
            reference: payment(number),
            money,
        };
        let directive = simulate.and_then(Directive::of);
        let transfers = SimulatedTransfers::new(Arc::clone(&self.world), directive);
        transfers.start(request).await.unwrap()
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.now.load(Ordering::Relaxed)).unwrap()
    }

    async fn arrivals(&self) -> Vec<IncomingCredit> {
        self.transfers.arrivals(self.now_ms(), 100).await.unwrap()
    }

    async fn states(&self) -> Vec<TransferState> {
        let list = self.transfers.list(100).await.unwrap();
        list.iter().map(|transfer| transfer.state).collect()
    }

    fn pass(&self, milliseconds: u64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
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
async fn the_account_and_the_reference_are_checked_and_stay_the_same() {
    let stage = stage("collection").await;
    let mut references = HashSet::new();
    for number in 0..50 {
        let collection = stage.start(number, money(2490, "EUR"), None).await;
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
        // Again, even with another amount: the same place, and no second transfer.
        let again = stage
            .start(number, money(1, "EUR"), Some("transfer_over"))
            .await;
        assert_eq!(again, collection);
        references.insert(collection.reference);
    }
    assert_eq!(references.len(), 50);
    assert_eq!(stage.states().await.len(), 50);
    let euros = stage.start(60, money(1, "EUR"), None).await.iban;
    let dollars = stage.start(61, money(1, "USD"), None).await.iban;
    assert_ne!(euros, dollars);
}

#[tokio::test]
async fn each_script_sends_what_it_says_and_when() {
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
    for (number, (script, amount, currency, expected)) in (0_u8..).zip(rows) {
        let stage = stage(&format!("script-{number}")).await;
        let due = money(amount, currency);
        let collection = stage.start(number, due, script).await;
        let Some((sent, days)) = expected else {
            assert!(stage.states().await.is_empty(), "{script:?}");
            continue;
        };
        stage.pass(days * DAY_MS - 1);
        assert_eq!(stage.arrivals().await, [], "{script:?}");
        assert_eq!(stage.states().await, [TransferState::Scheduled]);
        stage.pass(1);
        let arrived = stage.arrivals().await;
        let [arrival] = arrived.as_slice() else {
            panic!("{script:?}: {arrived:?}");
        };
        assert_eq!(arrival.money, money(sent, currency), "{script:?}");
        assert_eq!(arrival.arrived_at_ms, stage.now_ms(), "{script:?}");
        let is_wrong = script == Some("transfer_wrong_reference");
        assert_eq!(arrival.reference != collection.reference, is_wrong);
        assert_eq!(is_checked(&arrival.reference), !is_wrong, "{script:?}");
        assert_eq!(stage.states().await, [TransferState::Arrived]);
    }
}

#[tokio::test]
async fn what_was_dealt_with_is_not_told_again() {
    let stage = stage("acknowledged").await;
    for number in 0..3 {
        stage.start(number, money(2490, "EUR"), None).await;
        stage.pass(1);
    }
    stage.pass(DAY_MS);
    let arrived = stage.arrivals().await;
    let times: Vec<_> = arrived
        .iter()
        .map(|arrival| arrival.arrived_at_ms)
        .collect();
    assert_eq!(times.len(), 3);
    assert!(times.is_sorted());
    let oldest = stage.transfers.arrivals(stage.now_ms(), 1).await.unwrap();
    assert_eq!(oldest, arrived[..1]);
    let acknowledge = async |id: &str, returned| {
        let done = stage.transfers.acknowledge(id, returned);
        done.await.unwrap();
    };
    acknowledge(&arrived[0].id, false).await;
    acknowledge(&arrived[1].id, true).await;
    // What went back does not come again.
    acknowledge(&arrived[1].id, false).await;
    acknowledge("nothing", true).await;
    assert_eq!(stage.arrivals().await, arrived[2..]);
    let expected = [
        TransferState::Arrived,
        TransferState::Returned,
        TransferState::Matched,
    ];
    assert_eq!(stage.states().await, expected);
    assert_eq!(
        expected.map(TransferState::name),
        ["arrived", "returned", "matched"]
    );
    // What was counted for a payment that ended without it goes back after all.
    acknowledge(&arrived[0].id, true).await;
    let returned = stage.states().await;
    assert_eq!(returned[2], TransferState::Returned);
}

#[tokio::test]
async fn money_is_sent_by_hand_with_whatever_somebody_writes() {
    let stage = stage("by-hand").await;
    let at = stage.now_ms() + 1000;
    let good = [
        "RF18 5390 0754 7034",
        "rf18539007547034",
        "danke für alles 💐",
        "x",
    ];
    for (count, reference) in (1..).zip(good) {
        let sent = stage.transfers.send(reference, money(1, "EUR"), at).await;
        let id = sent.unwrap().unwrap();
        let list = stage.transfers.list(100).await.unwrap();
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
        let sent = stage
            .transfers
            .send(reference, money(amount, "EUR"), at)
            .await;
        assert_eq!(sent.unwrap(), None, "{reference} {amount}");
    }
    assert!(stage.arrivals().await.is_empty());
    stage.pass(1000);
    assert_eq!(stage.arrivals().await.len(), good.len());
}

#[tokio::test]
async fn what_came_for_a_payment_goes_back_and_no_more() {
    use ModificationKind::{Capture, Expiry, Refund, Void};
    let stage = stage("refunds").await;
    let never = Some("transfer_never");
    let collection = stage.start(1, money(2490, "EUR"), never).await;
    let other = stage.start(2, money(2490, "EUR"), never).await;
    let arrive = async |reference: &str, amount, currency: &str, returned| {
        let sent = money(amount, currency);
        let sent = stage.transfers.send(reference, sent, stage.now_ms()).await;
        let id = sent.unwrap().unwrap();
        stage.transfers.acknowledge(&id, returned).await.unwrap();
    };
    // Written as people write it, by parts; and what is not counted for the payment.
    let written = format!(" {} ", collection.reference.to_lowercase());
    arrive(&written, 1000, "EUR", false).await;
    arrive(&collection.reference, 1500, "EUR", false).await;
    arrive(&collection.reference, 5000, "EUR", true).await;
    arrive(&collection.reference, 5000, "USD", false).await;
    arrive(&other.reference, 10, "EUR", false).await;
    let tomorrow = stage.now_ms() + 1;
    let late = stage.transfers.send(&written, money(9000, "EUR"), tomorrow);
    assert!(late.await.unwrap().is_some());
    let refused = |key: &str| ProviderDecision::Declined(key.into());
    let rows = [
        (1, Capture, 1, "EUR", refused("invalid_transaction")),
        (1, Void, 1, "EUR", refused("invalid_transaction")),
        (1, Expiry, 1, "EUR", refused("invalid_transaction")),
        (3, Refund, 1, "EUR", refused("invalid_transaction")),
        (1, Refund, 0, "EUR", refused("invalid_amount")),
        (1, Refund, 1, "USD", refused("invalid_amount")),
        (1, Refund, 2501, "EUR", refused("invalid_amount")),
        (1, Refund, 1000, "EUR", ProviderDecision::Approved),
        (1, Refund, 1501, "EUR", refused("invalid_amount")),
        (1, Refund, 1500, "EUR", ProviderDecision::Approved),
        (1, Refund, 1, "EUR", refused("invalid_amount")),
        (2, Refund, 11, "EUR", refused("invalid_amount")),
        (2, Refund, 10, "EUR", ProviderDecision::Approved),
    ];
    for (number, (of, kind, amount, currency, expected)) in (1..).zip(rows) {
        let request = ModificationRequest {
            modification: ModificationId::new(number, [1; 10]),
            payment: payment(of),
            kind,
            money: money(amount, currency),
            is_final: false,
        };
        for _ in 0..2 {
            let answer = stage.transfers.modify(request).await.unwrap();
            assert_eq!(answer, expected, "{number}: {kind:?} {amount}");
        }
    }
}
