//! Slow queries are cancelled, and the connection is reused.

use super::fixtures::{paid, registered};
use super::test_database::TestDatabase;
use crate::databases::on_both_databases;
use harness::copies;
use std::time::Duration;
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::list::PaymentFilter;
use verifier_server::store::{DatabaseError, Options};

on_both_databases! {
    TestDatabase:
    slow_query_is_cancelled_and_the_connection_is_reused,
}

async fn slow_query_is_cancelled_and_the_connection_is_reused(database: &TestDatabase) {
    let options = Options {
        list_readers: 1,
        postgres_lists: 1,
        list_limit: Duration::from_millis(10),
        ..Options::default()
    };
    let store = database.open_with(&options).await;
    let merchant = registered(&store).await;
    let made = paid(&store, merchant.id, PaymentState::Captured).await;
    database.tamper(&copies::of_payments(100_000)).await;
    let page = PaymentFilter {
        limit: 1,
        ..PaymentFilter::default()
    };
    let nothing_fits = PaymentFilter {
        amount_from_minor: Some(i64::MAX),
        ..page.clone()
    };
    for _ in 0..3 {
        let ended = store.payments.list(merchant.id, &nothing_fits).await;
        assert_eq!(ended, Err(DatabaseError::TooLong));
        // What a payment waits for has no such limit.
        let read = store.payments.get_owned(merchant.id, made.id).await;
        assert_eq!(read, Ok(Some(made.clone())));
    }
    // A busy machine may take longer than that for a page as well, but not each time.
    let mut read = Err(DatabaseError::TooLong);
    for _ in 0..100 {
        read = store.payments.list(merchant.id, &page).await;
        if read != Err(DatabaseError::TooLong) {
            break;
        }
    }
    assert_eq!(read.map(|payments| payments.len()), Ok(1));
    store.close().await;
    let patient = database.open().await;
    let read = patient.payments.list(merchant.id, &nothing_fits).await;
    assert_eq!(read, Ok(Vec::new()));
}
