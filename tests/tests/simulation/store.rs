//! Settings of testers in the database.

use crate::databases::on_both_databases;
use crate::storage::test_database::TestDatabase;

async fn simulated_clock_never_moves_back(database: &TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.clock_ahead_ms().await, Ok(0));
    for (ahead_ms, was_behind, now_ms) in [
        (5_000, true, 5_000),
        (4_000, false, 5_000),
        (5_000, false, 5_000),
        (6_000, true, 6_000),
    ] {
        assert_eq!(
            store.move_clock(ahead_ms).await,
            Ok(was_behind),
            "{ahead_ms}"
        );
        assert_eq!(store.clock_ahead_ms().await, Ok(now_ms), "{ahead_ms}");
    }
    // Another server on the same database has the same clock.
    assert_eq!(database.open().await.clock_ahead_ms().await, Ok(6_000));
}

async fn requested_number_of_webhooks_is_dropped(database: &TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.webhook_faults.get().await, Ok(None));
    assert_eq!(store.webhook_faults.take_drop().await, Ok(false));
    store.webhook_faults.set("{}", 3).await.unwrap();
    let takers = (0..10).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.webhook_faults.take_drop().await.unwrap() })
    });
    let mut taken = 0;
    for taker in takers.collect::<Vec<_>>() {
        taken += usize::from(taker.await.unwrap());
    }
    assert_eq!(taken, 3);
    assert_eq!(store.webhook_faults.get().await, Ok(Some(("{}".into(), 0))));
}

on_both_databases! {
    TestDatabase:
    simulated_clock_never_moves_back,
    requested_number_of_webhooks_is_dropped,
}
