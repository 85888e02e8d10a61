//! Balance transactions in the database.

use crate::databases::on_both_databases;
use crate::settlements::store::{close, closed, sold};
use crate::storage::fixtures::registered;
use crate::storage::test_database::TestDatabase;
use verifier_server::balance::model::TransactionKind;
use verifier_server::balance::store::TransactionFilter;

async fn balance_transactions_are_filtered(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    let mut payments = Vec::new();
    for amount in [100, 200, 300] {
        payments.push(sold(&store, merchant, amount, "2026-11-25").await);
    }
    let settlement = closed(close(&store, merchant, "2026-11-25").await);
    payments.push(sold(&store, merchant, 400, "2026-11-26").await);
    let all = TransactionFilter {
        limit: 10,
        ..TransactionFilter::default()
    };
    let lines = store.balance.list(merchant, &all).await.unwrap();
    let at = |place: usize| i64::try_from(lines[place].id.unix_ms()).unwrap();
    #[rustfmt::skip]
    let rows = [
        (all.clone(), vec![400, 300, 200, 100]),
        (TransactionFilter { limit: 2, ..all.clone() }, vec![400, 300]),
        (TransactionFilter { after: Some(lines[1].id), ..all.clone() }, vec![200, 100]),
        (TransactionFilter { currency: "USD".parse().ok(), ..all.clone() }, vec![]),
        (TransactionFilter { currency: "EUR".parse().ok(), limit: 1, ..all.clone() }, vec![400]),
        (TransactionFilter { kind: Some(TransactionKind::Refund), ..all.clone() }, vec![]),
        (TransactionFilter { kind: Some(TransactionKind::Capture), limit: 1, ..all.clone() }, vec![400]),
        (TransactionFilter { payment: Some(payments[1].id), ..all.clone() }, vec![200]),
        (TransactionFilter { settlement: Some(settlement.id), ..all.clone() }, vec![300, 200, 100]),
        (TransactionFilter { settlement: Some(settlement.id), payment: Some(payments[3].id), ..all.clone() }, vec![]),
        (
            TransactionFilter { settlement: Some(settlement.id), payment: Some(payments[1].id), ..all.clone() },
            vec![200],
        ),
        (
            TransactionFilter {
                settlement: Some(settlement.id),
                kind: Some(TransactionKind::Capture),
                after: Some(lines[1].id),
                limit: 1,
                ..all.clone()
            },
            vec![200],
        ),
        (TransactionFilter { created_from_ms: Some(at(1)), ..all.clone() }, vec![400, 300]),
        (TransactionFilter { created_until_ms: Some(at(1)), ..all.clone() }, vec![200, 100]),
        (TransactionFilter { created_until_ms: Some(at(1)), after: Some(lines[2].id), ..all.clone() }, vec![100]),
    ];
    for (filter, expected) in rows {
        let found = store.balance.list(merchant, &filter).await.unwrap();
        let amounts: Vec<_> = found.iter().map(|line| line.gross_minor).collect();
        assert_eq!(amounts, expected, "{filter:?}");
    }
    let other = registered(&store).await.id;
    let of_somebody_else = [
        all.clone(),
        TransactionFilter {
            payment: Some(payments[1].id),
            ..all.clone()
        },
        TransactionFilter {
            settlement: Some(settlement.id),
            ..all
        },
    ];
    for filter in of_somebody_else {
        let found = store.balance.list(other, &filter).await;
        assert_eq!(found, Ok(vec![]), "{filter:?}");
    }
}

on_both_databases! {
    TestDatabase:
    balance_transactions_are_filtered,
}
