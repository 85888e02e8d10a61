//! Lists, counts and leases of payments.

use super::on_both_databases;
use super::place::Place;
use super::world::{ATTEMPTS, NOW_MS, claimed, nonce, opened, paid, payment, registered, settled};
use verifier_server::domain::payment::Payment;
use verifier_server::domain::state::PaymentState;
use verifier_server::store::{Claim, PaymentFilter};

const EVERYTHING: PaymentFilter = PaymentFilter {
    order_ref: None,
    after: None,
    limit: 100,
};

async fn payments_are_listed_newest_first_page_by_page(place: &Place) {
    let store = place.open().await;
    let (merchant, somebody_else) = (registered(&store).await, registered(&store).await);
    let mut newest_first = Vec::new();
    for _ in 0..5 {
        newest_first.insert(0, paid(&store, merchant.id, PaymentState::Captured).await);
        paid(&store, somebody_else.id, PaymentState::Captured).await;
    }
    let all = store.payments(merchant.id, &EVERYTHING).await;
    assert_eq!(all, Ok(newest_first.clone()));
    let mut seen = Vec::new();
    let mut filter = PaymentFilter {
        limit: 2,
        ..EVERYTHING
    };
    loop {
        let page = store.payments(merchant.id, &filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some(last.id);
        seen.extend(page);
    }
    assert_eq!(seen, newest_first);
    let nothing = PaymentFilter {
        limit: 0,
        ..EVERYTHING
    };
    assert_eq!(store.payments(merchant.id, &nothing).await, Ok(Vec::new()));
}

async fn payments_of_one_order_are_listed_alone(place: &Place) {
    let store = place.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let first = claimed(&store, &session).await;
    settled(&store, &first, PaymentState::Declined).await;
    let odd = Payment {
        order_ref: "B' OR 1=1 --".into(),
        ..payment(&session)
    };
    assert_eq!(
        store.claim(&odd, &nonce(), ATTEMPTS).await,
        Ok(Claim::Claimed)
    );
    let filter = PaymentFilter {
        order_ref: Some(odd.order_ref.clone()),
        ..EVERYTHING
    };
    assert_eq!(
        store.payments(merchant.id, &filter).await,
        Ok(vec![odd.clone()])
    );
    let older = PaymentFilter {
        after: Some(odd.id),
        ..filter.clone()
    };
    assert_eq!(store.payments(merchant.id, &older).await, Ok(Vec::new()));
    let unknown = PaymentFilter {
        order_ref: Some("C".into()),
        ..EVERYTHING
    };
    assert_eq!(store.payments(merchant.id, &unknown).await, Ok(Vec::new()));
    assert_eq!(
        store
            .payments(merchant.id, &EVERYTHING)
            .await
            .unwrap()
            .len(),
        2
    );
}

async fn open_payments_are_found_when_their_lease_has_ended(place: &Place) {
    let store = place.open().await;
    let merchant = registered(&store).await;
    let mut open = Vec::new();
    for lease_until_ms in [NOW_MS + 300, NOW_MS + 100, NOW_MS + 200] {
        let session = opened(&store, merchant.id).await;
        let payment = Payment {
            lease_until_ms,
            ..payment(&session)
        };
        assert_eq!(
            store.claim(&payment, &nonce(), ATTEMPTS).await,
            Ok(Claim::Claimed)
        );
        open.push(payment);
    }
    let unknown = settled(&store, &open[1], PaymentState::Unknown).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    paid(&store, merchant.id, PaymentState::Declined).await;
    assert_eq!(store.open_payments(NOW_MS + 99, 10).await, Ok(Vec::new()));
    assert_eq!(
        store.open_payments(NOW_MS + 100, 10).await,
        Ok(vec![unknown.clone()])
    );
    let in_order = vec![unknown.clone(), open[2].clone(), open[0].clone()];
    assert_eq!(store.open_payments(i64::MAX, 10).await, Ok(in_order));
    assert_eq!(store.open_payments(i64::MAX, 1).await, Ok(vec![unknown]));
}

async fn a_lease_is_taken_over_from_what_was_seen(place: &Place) {
    let store = place.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let payment = claimed(&store, &session).await;
    let (seen, next) = (payment.lease_until_ms, payment.lease_until_ms + 1000);
    assert_eq!(
        store.extend_lease(payment.id, seen - 1, next).await,
        Ok(None)
    );
    let taken = store.extend_lease(payment.id, seen, next).await.unwrap();
    assert_eq!(taken.unwrap().lease_until_ms, next);
    assert_eq!(store.extend_lease(payment.id, seen, next).await, Ok(None));
    let stored = store
        .payment(merchant.id, payment.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.lease_until_ms, next);
    settled(&store, &stored, PaymentState::Captured).await;
    assert_eq!(
        store.extend_lease(payment.id, next, next + 1).await,
        Ok(None)
    );
}

async fn payments_are_counted_by_state(place: &Place) {
    use PaymentState::{Authorizing, Captured, Declined, Unknown};
    let store = place.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    claimed(&store, &session).await;
    for state in [Captured, Captured, Declined, Declined, Declined, Unknown] {
        paid(&store, merchant.id, state).await;
    }
    for state in PaymentState::ALL {
        let expected = match state {
            Authorizing | Unknown => 1,
            Captured => 2,
            Declined => 3,
            _ => 0,
        };
        assert_eq!(store.count_in_state(state).await, Ok(expected), "{state}");
    }
}

async fn the_newest_payments_of_everybody_are_listed_and_each_is_found_by_its_name(place: &Place) {
    let store = place.open().await;
    let (one, other) = (registered(&store).await, registered(&store).await);
    let mut newest_first = Vec::new();
    for merchant in [one.id, other.id, one.id] {
        newest_first.insert(0, paid(&store, merchant, PaymentState::Captured).await);
    }
    assert_eq!(
        store.newest_payments(2).await,
        Ok(newest_first[..2].to_vec())
    );
    assert_eq!(store.newest_payments(100).await, Ok(newest_first.clone()));
    assert_eq!(store.newest_payments(0).await, Ok(Vec::new()));
    for payment in newest_first {
        assert_eq!(store.payment_by_id(payment.id).await, Ok(Some(payment)));
    }
    let nobody = payment(&opened(&store, one.id).await);
    assert_eq!(store.payment_by_id(nobody.id).await, Ok(None));
}

on_both_databases! {
    the_newest_payments_of_everybody_are_listed_and_each_is_found_by_its_name,
    payments_are_listed_newest_first_page_by_page,
    payments_of_one_order_are_listed_alone,
    open_payments_are_found_when_their_lease_has_ended,
    a_lease_is_taken_over_from_what_was_seen,
    payments_are_counted_by_state,
}
