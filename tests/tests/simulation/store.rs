//! What a tester has set.

use crate::storage::on_both_databases;
use crate::storage::test_database::Place;

async fn the_clock_moves_ahead_and_never_back(place: &Place) {
    let store = place.open().await;
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
    assert_eq!(place.open().await.clock_ahead_ms().await, Ok(6_000));
}

async fn so_many_webhooks_are_dropped_and_no_more(place: &Place) {
    let store = place.open().await;
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
    the_clock_moves_ahead_and_never_back,
    so_many_webhooks_are_dropped_and_no_more,
}
