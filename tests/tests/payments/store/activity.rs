//! Recent payments as the fraud rules read them.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{claimed_as, opened, registered};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::PaymentId;
use verifier_server::payments::methods::card::risk::LOOKED_AT;
use verifier_server::payments::model::Payment;

/// A payment of a card from an address, made at a moment.
fn of(payment: Payment, made_at_ms: u64, number: u8, card: &str, address: Option<&str>) -> Payment {
    let mut details = payment.details.clone();
    let by_card = details.card_mut().unwrap();
    card.clone_into(&mut by_card.card.fingerprint);
    by_card.address = address.map(str::to_owned);
    Payment {
        id: PaymentId::new(made_at_ms, [number; 10]),
        created_at_ms: i64::try_from(made_at_ms).unwrap(),
        details,
        ..payment
    }
}

async fn activity_is_found_by_card_and_address(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let rows = [
        (1_000, 1, "card a", Some("home")),
        (2_000, 2, "card a", Some("work")),
        (3_000, 3, "card b", Some("home")),
        // Its address is not known.
        (4_000, 4, "card a", None),
    ];
    for (at, number, card, address) in rows {
        let session = opened(&store, merchant.id).await;
        claimed_as(&store, &session, |payment| {
            of(payment, at, number, card, address)
        })
        .await;
    }
    let session = opened(&store, merchant.id).await;
    claimed_as(&store, &session, |payment| {
        let mut unassessed = of(payment, 5_000, 5, "card a", None);
        unassessed.details.card_mut().unwrap().risk = None;
        unassessed
    })
    .await;
    let times = |rows: Vec<verifier_server::payments::methods::card::risk::PriorPayment>| {
        rows.iter().map(|row| row.created_at_ms).collect::<Vec<_>>()
    };
    let of_card = |card: &'static str, since| store.payments.earlier_of_card(card, since);
    assert_eq!(
        times(of_card("card a", 0).await.unwrap()),
        [4_000, 2_000, 1_000],
        "what was not assessed does not count"
    );
    assert_eq!(
        times(of_card("card a", 1_001).await.unwrap()),
        [4_000, 2_000]
    );
    assert_eq!(times(of_card("card c", 0).await.unwrap()), [0_i64; 0]);
    let of_address = store.payments.earlier_of_address("home", 0).await.unwrap();
    let cards: Vec<_> = of_address
        .iter()
        .map(|row| row.fingerprint.as_str())
        .collect();
    assert_eq!(cards, ["card b", "card a"]);
}

async fn activity_is_limited_to_the_newest_payments(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    for number in 0..=u8::try_from(LOOKED_AT).unwrap() {
        let session = opened(&store, merchant.id).await;
        let at = 1_000 + u64::from(number);
        claimed_as(&store, &session, |payment| {
            of(payment, at, number, "card", Some("home"))
        })
        .await;
    }
    let rows = store.payments.earlier_of_card("card", 0).await.unwrap();
    assert_eq!(rows.len(), usize::try_from(LOOKED_AT).unwrap());
    assert_eq!(rows.last().unwrap().created_at_ms, 1_001);
    let rows = store.payments.earlier_of_address("home", 0).await.unwrap();
    assert_eq!(rows.len(), usize::try_from(LOOKED_AT).unwrap());
}

on_both_databases! {
    TestDatabase:
    activity_is_found_by_card_and_address,
    activity_is_limited_to_the_newest_payments,
}
