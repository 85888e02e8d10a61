//! Lists, counts and leases of payments.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{
    ATTEMPTS, NOW_MS, claimed, nonce, opened, paid, payment, registered, settled,
};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use verifier_server::payments::methods::details::PaymentDetails;
use verifier_server::payments::model::Payment;
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::claim::Claim;
use verifier_server::payments::store::list::PaymentFilter;

fn everything() -> PaymentFilter {
    PaymentFilter {
        limit: 100,
        ..PaymentFilter::default()
    }
}

async fn payments_are_paged_newest_first(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, somebody_else) = (registered(&store).await, registered(&store).await);
    let mut newest_first = Vec::new();
    for _ in 0..5 {
        newest_first.insert(0, paid(&store, merchant.id, PaymentState::Captured).await);
        paid(&store, somebody_else.id, PaymentState::Captured).await;
    }
    let all = store.payments.list(merchant.id, &everything()).await;
    assert_eq!(all, Ok(newest_first.clone()));
    let mut seen = Vec::new();
    let mut filter = PaymentFilter {
        limit: 2,
        ..everything()
    };
    loop {
        let page = store.payments.list(merchant.id, &filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some(last.id);
        seen.extend(page);
    }
    assert_eq!(seen, newest_first);
    let nothing = PaymentFilter {
        limit: 0,
        ..everything()
    };
    assert_eq!(
        store.payments.list(merchant.id, &nothing).await,
        Ok(Vec::new())
    );
}

async fn payments_are_filtered_by_order(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let first = claimed(&store, &session).await;
    settled(&store, &first, PaymentState::Declined).await;
    let odd = Payment {
        order_ref: "B' OR 1=1 --".into(),
        ..payment(&session)
    };
    assert_eq!(
        store.payments.claim(&odd, &nonce(), ATTEMPTS).await,
        Ok(Claim::Claimed)
    );
    let filter = PaymentFilter {
        order_ref: Some(odd.order_ref.clone()),
        ..everything()
    };
    assert_eq!(
        store.payments.list(merchant.id, &filter).await,
        Ok(vec![odd.clone()])
    );
    let older = PaymentFilter {
        after: Some(odd.id),
        ..filter.clone()
    };
    assert_eq!(
        store.payments.list(merchant.id, &older).await,
        Ok(Vec::new())
    );
    let unknown = PaymentFilter {
        order_ref: Some("C".into()),
        ..everything()
    };
    assert_eq!(
        store.payments.list(merchant.id, &unknown).await,
        Ok(Vec::new())
    );
    assert_eq!(
        store
            .payments
            .list(merchant.id, &everything())
            .await
            .unwrap()
            .len(),
        2
    );
}

async fn payments_are_filtered_by_each_column(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, somebody_else) = (registered(&store).await, registered(&store).await);
    paid(&store, somebody_else.id, PaymentState::Captured).await;
    let mut made = Vec::new();
    for (seconds, amount, currency, method) in [
        (10, 500, "EUR", Method::Card),
        (20, 1000, "JPY", Method::Card),
        (30, 1500, "EUR", Method::Wallet),
    ] {
        let created_at_ms = NOW_MS + seconds * 1000 + 999;
        let unix_ms = created_at_ms.unsigned_abs();
        let session = opened(&store, merchant.id).await;
        let payment = Payment {
            id: PaymentId::new(unix_ms, [9; 10]),
            money: Money::new(amount, currency.parse().unwrap()),
            details: match method {
                Method::Wallet => PaymentDetails::Wallet,
                _ => payment(&session).details,
            },
            created_at_ms,
            ..payment(&session)
        };
        assert_eq!(
            store.payments.claim(&payment, &nonce(), ATTEMPTS).await,
            Ok(Claim::Claimed)
        );
        made.push(payment);
    }
    let declined = settled(&store, &made[1], PaymentState::Declined).await;
    assert_eq!(declined.state, PaymentState::Declined);
    let second = |seconds: i64| Some(((NOW_MS + seconds * 1000) / 1000).unsigned_abs());
    type Narrow = Box<dyn Fn(&mut PaymentFilter)>;
    let rows: Vec<(Narrow, &[usize])> = vec![
        (Box::new(|_| ()), &[2, 1, 0]),
        (Box::new(|f| f.state = Some(PaymentState::Declined)), &[1]),
        (
            Box::new(|f| f.state = Some(PaymentState::Authorizing)),
            &[2, 0],
        ),
        (Box::new(|f| f.currency = "JPY".parse().ok()), &[1]),
        (Box::new(|f| f.method = Some(Method::Wallet)), &[2]),
        (Box::new(|f| f.method = Some(Method::BankTransfer)), &[]),
        (Box::new(|f| f.amount_from_minor = Some(1000)), &[2, 1]),
        (Box::new(|f| f.amount_until_minor = Some(999)), &[0]),
        (Box::new(move |f| f.created_from = second(20)), &[2, 1]),
        (Box::new(move |f| f.created_from = second(31)), &[]),
        (Box::new(move |f| f.created_until = second(20)), &[1, 0]),
        (Box::new(move |f| f.created_until = second(9)), &[]),
        (Box::new(|f| f.created_from = Some(u64::MAX)), &[]),
        (Box::new(|f| f.created_until = Some(u64::MAX)), &[2, 1, 0]),
        (Box::new(|f| f.limit = 1), &[2]),
    ];
    let order_ref = made[0].order_ref.clone();
    for (place, (narrow, expected)) in rows.iter().enumerate() {
        for order_ref in [None, Some(order_ref.clone())] {
            let mut filter = PaymentFilter {
                order_ref,
                ..everything()
            };
            narrow(&mut filter);
            let found = store.payments.list(merchant.id, &filter).await.unwrap();
            let found: Vec<_> = found.iter().map(|payment| payment.id).collect();
            let expected: Vec<_> = expected.iter().map(|index| made[*index].id).collect();
            assert_eq!(found, expected, "row {place}: {filter:?}");
        }
    }
}

async fn open_payments_are_found_after_their_lease_expired(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let mut open = Vec::new();
    for lease_until_ms in [NOW_MS + 300, NOW_MS + 100, NOW_MS + 200] {
        let session = opened(&store, merchant.id).await;
        let payment = Payment {
            lease_until_ms,
            ..payment(&session)
        };
        assert_eq!(
            store.payments.claim(&payment, &nonce(), ATTEMPTS).await,
            Ok(Claim::Claimed)
        );
        open.push(payment);
    }
    let unknown = settled(&store, &open[1], PaymentState::Unknown).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    paid(&store, merchant.id, PaymentState::Declined).await;
    assert_eq!(store.payments.open(NOW_MS + 99, 10).await, Ok(Vec::new()));
    assert_eq!(
        store.payments.open(NOW_MS + 100, 10).await,
        Ok(vec![unknown.clone()])
    );
    let in_order = vec![unknown.clone(), open[2].clone(), open[0].clone()];
    assert_eq!(store.payments.open(i64::MAX, 10).await, Ok(in_order));
    assert_eq!(store.payments.open(i64::MAX, 1).await, Ok(vec![unknown]));
}

async fn lease_is_taken_over_only_from_the_seen_state(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let payment = claimed(&store, &session).await;
    let (seen, next) = (payment.lease_until_ms, payment.lease_until_ms + 1000);
    assert_eq!(
        store
            .payments
            .extend_lease(payment.id, seen - 1, next)
            .await,
        Ok(None)
    );
    let taken = store
        .payments
        .extend_lease(payment.id, seen, next)
        .await
        .unwrap();
    assert_eq!(taken.unwrap().lease_until_ms, next);
    assert_eq!(
        store.payments.extend_lease(payment.id, seen, next).await,
        Ok(None)
    );
    let stored = store
        .payments
        .get_owned(merchant.id, payment.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.lease_until_ms, next);
    settled(&store, &stored, PaymentState::Captured).await;
    assert_eq!(
        store
            .payments
            .extend_lease(payment.id, next, next + 1)
            .await,
        Ok(None)
    );
}

async fn payments_are_counted_by_state(database: &TestDatabase) {
    use PaymentState::{Authorizing, Captured, Declined, Unknown};
    let store = database.open().await;
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
        assert_eq!(
            store.payments.count_in_state(state).await,
            Ok(expected),
            "{state}"
        );
    }
}

async fn newest_payments_of_all_merchants_are_listed_and_found_by_id(database: &TestDatabase) {
    let store = database.open().await;
    let (one, other) = (registered(&store).await, registered(&store).await);
    let mut newest_first = Vec::new();
    for merchant in [one.id, other.id, one.id] {
        newest_first.insert(0, paid(&store, merchant, PaymentState::Captured).await);
    }
    assert_eq!(
        store.payments.newest(2).await,
        Ok(newest_first[..2].to_vec())
    );
    assert_eq!(store.payments.newest(100).await, Ok(newest_first.clone()));
    assert_eq!(store.payments.newest(0).await, Ok(Vec::new()));
    for payment in newest_first {
        assert_eq!(store.payments.get(payment.id).await, Ok(Some(payment)));
    }
    let nobody = payment(&opened(&store, one.id).await);
    assert_eq!(store.payments.get(nobody.id).await, Ok(None));
}

on_both_databases! {
    TestDatabase:
    newest_payments_of_all_merchants_are_listed_and_found_by_id,
    payments_are_paged_newest_first,
    payments_are_filtered_by_order,
    payments_are_filtered_by_each_column,
    open_payments_are_found_after_their_lease_expired,
    lease_is_taken_over_only_from_the_seen_state,
    payments_are_counted_by_state,
}
