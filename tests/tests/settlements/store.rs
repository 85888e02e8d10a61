//! Settlements and payouts in the database.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{NOW_MS, claimed, moved, opened, reachable, registered, seed};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::{EventId, LedgerTransferId, MerchantId, TransactionId};
use std::sync::Arc;
use tokio::sync::Barrier;
use verifier_server::balance;
use verifier_server::ledger::posting;
use verifier_server::ledger::posting::PostingContext;
use verifier_server::merchants::model::Reserve;
use verifier_server::payments::model::Payment;
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::outcome::{OutcomeEffects, Recorded};
use verifier_server::payouts::model::Payout;
use verifier_server::payouts::store::PayoutFilter;
use verifier_server::settlements::draft;
use verifier_server::settlements::draft::{BatchKey, Terms};
use verifier_server::settlements::fees::Fees;
use verifier_server::settlements::model::Settlement;
use verifier_server::settlements::store::{CloseOutcome, ComposeFn, SettlementFilter};
use verifier_server::store::{DatabaseError, Store};
use verifier_server::webhooks::events::model::Event;

const FEES: Fees = Fees {
    interchange_minor: 1,
    scheme_minor: 2,
    processor_minor: 3,
};

pub(crate) fn ids() -> PostingContext {
    let (unix_ms, random) = seed();
    let (later_ms, other) = seed();
    PostingContext {
        transfer: LedgerTransferId::new(unix_ms, random),
        overpayment: LedgerTransferId::new(later_ms, other),
        line: TransactionId::new(unix_ms, random),
        at_ms: NOW_MS,
        acquirer_country: Some("DE".into()),
    }
}

pub(crate) fn event_id() -> EventId {
    let (unix_ms, random) = seed();
    EventId::new(unix_ms, random)
}

/// A captured payment with a line that is settled on a day; six of it are fees.
pub(crate) async fn sold(
    store: &Store,
    merchant: MerchantId,
    amount_minor: i64,
    date: &str,
) -> Payment {
    let session = opened(store, merchant).await;
    let claimed = claimed(store, &session).await;
    let mut after = moved(&claimed, PaymentState::Captured, NOW_MS + 5);
    after.captured_minor = amount_minor;
    let mut posting = posting::of_capture(&ids(), &after, after.id.to_string(), amount_minor);
    if let Some(line) = &mut posting.line {
        line.settlement_date = date.parse().unwrap();
        line.fees = FEES;
        line.net_minor = line.gross_minor - FEES.total_minor();
    }
    let settled =
        store
            .payments
            .record_outcome(&claimed, &after, OutcomeEffects::new(None, Some(&posting)));
    match settled.await.unwrap() {
        Recorded::Done(payment) => payment,
        Recorded::NotInState(payment) => panic!("the payment is {}", payment.state),
    }
}

pub(crate) fn group(merchant: MerchantId, date: &str) -> BatchKey {
    BatchKey {
        settlement_date: date.parse().unwrap(),
        merchant,
        currency: "EUR".parse().unwrap(),
    }
}

/// What a settlement is, with nothing kept back unless the test wants it.
pub(crate) fn composition(group: BatchKey, reserve: Reserve) -> ComposeFn {
    let id = event_id();
    let terms = Terms {
        reserve,
        account: "DE00".into(),
    };
    Arc::new(move |sums, previous| {
        let closed = draft::close(&group, sums, previous, &terms);
        let event = Event {
            id,
            merchant: group.merchant,
            subject: closed.settlement.id.to_string(),
            kind: "settlement.closed".into(),
            sequence: 1,
            body: "{}".into(),
            created_at_ms: NOW_MS,
        };
        Ok((closed, event))
    })
}

pub(crate) async fn close(store: &Store, merchant: MerchantId, date: &str) -> CloseOutcome {
    let group = group(merchant, date);
    let compose = composition(group, Reserve::default());
    store.settlements.close(&group, compose).await.unwrap()
}

#[track_caller]
pub(crate) fn closed(closure: CloseOutcome) -> Settlement {
    match closure {
        CloseOutcome::Closed(settlement) => settlement,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn all_payouts(store: &Store, merchant: MerchantId) -> Vec<Payout> {
    let filter = PayoutFilter {
        limit: 10,
        ..PayoutFilter::default()
    };
    store.payouts.list(merchant, &filter).await.unwrap()
}

pub(crate) async fn ledger_balances(store: &Store) {
    let none: Vec<String> = Vec::new();
    assert_eq!(balance::service::check(store).await.unwrap(), none);
}

async fn settlement_includes_exactly_the_due_transactions(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let other = registered(&store).await;
    for (merchant, amount, date) in [
        (merchant.id, 1_000, "2026-11-25"),
        (merchant.id, 500, "2026-11-25"),
        (merchant.id, 700, "2026-11-26"),
        (other.id, 900, "2026-11-25"),
    ] {
        sold(&store, merchant, amount, date).await;
    }
    let due = |until: &'static str| store.settlements.due_groups(until.parse().unwrap());
    assert!(due("2026-11-24").await.unwrap().is_empty());
    let first = due("2026-11-26").await.unwrap();
    assert_eq!(
        first,
        [
            group(merchant.id, "2026-11-25"),
            group(other.id, "2026-11-25")
        ],
        "of each merchant the first day"
    );
    let pending = store.balance.pending(merchant.id).await.unwrap();
    let pending: Vec<_> = pending
        .iter()
        .map(|day| (day.settlement_date.to_string(), day.lines, day.net_minor))
        .collect();
    assert_eq!(
        pending,
        [
            ("2026-11-25".into(), 2, 1_488),
            ("2026-11-26".into(), 1, 694)
        ]
    );

    let settlement = closed(close(&store, merchant.id, "2026-11-25").await);
    assert_eq!(
        (settlement.number, settlement.lines, settlement.gross_minor),
        (1, 2, 1_500)
    );
    assert_eq!(
        (settlement.net_minor, settlement.payout_minor),
        (1_488, 1_488)
    );
    assert_eq!(settlement.fees.scheme_minor, 4);
    let read = store
        .settlements
        .get(merchant.id, settlement.id)
        .await
        .unwrap();
    assert_eq!(read.as_ref(), Some(&settlement), "what is told is kept");
    assert_eq!(
        store.settlements.get(other.id, settlement.id).await,
        Ok(None)
    );
    let lines = store
        .balance
        .of_settlement(settlement.id, None, 10)
        .await
        .unwrap();
    assert_eq!(lines.len(), 2);
    let after = Some(lines[0].id);
    let rest = store
        .balance
        .of_settlement(settlement.id, after, 10)
        .await
        .unwrap();
    assert_eq!(rest, lines[1..]);
    let payouts = all_payouts(&store, merchant.id).await;
    assert_eq!(payouts.len(), 1);
    assert_eq!(Some(payouts[0].id), settlement.payout);
    let in_transit = store.payouts.in_transit(merchant.id).await.unwrap();
    assert_eq!(in_transit, [("EUR".parse().unwrap(), 1_488)]);
    let events = store.events.list(merchant.id, None, 10).await.unwrap();
    assert_eq!(events[0].0.subject, settlement.id.to_string());
    assert_eq!(events[0].1.len(), 1, "it is delivered");
    ledger_balances(&store).await;
}

async fn settlement_numbers_are_consecutive_and_losses_carried_forward(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    // Six of each are fees.
    for (amount, date) in [(1, "2026-11-25"), (2, "2026-11-26"), (16, "2026-11-27")] {
        sold(&store, merchant, amount, date).await;
    }
    let rows = [
        ("2026-11-25", 1, 0, -5, 0),
        ("2026-11-26", 2, -5, -9, 0),
        ("2026-11-27", 3, -9, 0, 1),
    ];
    for (date, number, brought_forward, carried_forward, paid) in rows {
        let settlement = closed(close(&store, merchant, date).await);
        let balances = (
            settlement.brought_forward_minor,
            settlement.carried_forward_minor,
        );
        assert_eq!(settlement.number, number);
        assert_eq!(
            (balances, settlement.payout_minor),
            ((brought_forward, carried_forward), paid)
        );
        let kept = store.settlements.carried_over(merchant).await.unwrap();
        assert_eq!(kept, [("EUR".parse().unwrap(), carried_forward)]);
        ledger_balances(&store).await;
    }
    let filter = SettlementFilter {
        limit: 2,
        ..SettlementFilter::default()
    };
    let newest = store.settlements.list(merchant, &filter).await.unwrap();
    let numbers: Vec<_> = newest.iter().map(|settlement| settlement.number).collect();
    assert_eq!(numbers, [3, 2]);
    let next = SettlementFilter {
        after: Some(newest[1].id),
        currency: Some("EUR".parse().unwrap()),
        limit: 2,
    };
    assert_eq!(
        store.settlements.list(merchant, &next).await.unwrap()[0].number,
        1
    );
    let none = SettlementFilter {
        currency: Some("USD".parse().unwrap()),
        ..next
    };
    assert_eq!(store.settlements.list(merchant, &none).await, Ok(vec![]));
}

async fn one_of_many_concurrent_closes_succeeds(database: &TestDatabase) {
    const CLOSERS: usize = 8;
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    for amount in [1_000, 2_000, 3_000] {
        sold(&store, merchant, amount, "2026-11-25").await;
    }
    let start = Arc::new(Barrier::new(CLOSERS));
    let closing: Vec<_> = (0..CLOSERS)
        .map(|_| {
            let (store, start) = (store.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                close(&store, merchant, "2026-11-25").await
            })
        })
        .collect();
    let mut settlements = Vec::new();
    for closure in closing {
        match closure.await.unwrap() {
            CloseOutcome::Closed(settlement) => settlements.push(settlement),
            CloseOutcome::TooLate(_) | CloseOutcome::Passed => {}
        }
    }
    assert_eq!(settlements.len(), 1);
    assert_eq!(settlements[0].lines, 3);
    assert_eq!(all_payouts(&store, merchant).await.len(), 1);
    ledger_balances(&store).await;
}

async fn late_transactions_wait_for_another_date(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    sold(&store, merchant, 1_000, "2026-11-25").await;
    let first = closed(close(&store, merchant, "2026-11-25").await);
    assert_eq!(
        close(&store, merchant, "2026-11-26").await,
        CloseOutcome::Passed
    );
    sold(&store, merchant, 500, "2026-11-24").await;
    let late = close(&store, merchant, "2026-11-24").await;
    assert_eq!(late, CloseOutcome::TooLate(first.settlement_date));
    let to = "2026-11-26".parse().unwrap();
    let early = group(merchant, "2026-11-24");
    let postpone = || {
        store
            .settlements
            .postpone(&early, first.settlement_date, to)
    };
    assert_eq!(postpone().await, Ok(1));
    assert_eq!(postpone().await, Ok(0), "what is bound stays where it is");
    let second = closed(close(&store, merchant, "2026-11-26").await);
    assert_eq!(
        (second.number, second.lines, second.gross_minor),
        (2, 1, 500)
    );
    ledger_balances(&store).await;
}

async fn settlement_without_its_event_is_not_closed(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    sold(&store, merchant, 1_000, "2026-11-25").await;
    let group = group(merchant, "2026-11-25");
    let refused = store
        .settlements
        .close(&group, Arc::new(|_, _| Err("on purpose".into())))
        .await;
    assert!(
        matches!(refused, Err(DatabaseError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(
        store.settlements.due_groups(group.settlement_date).await,
        Ok(vec![group])
    );
    assert!(all_payouts(&store, merchant).await.is_empty());
    ledger_balances(&store).await;
    let settlement = closed(close(&store, merchant, "2026-11-25").await);
    assert_eq!(settlement.number, 1, "no number is lost");
}

async fn reserve_is_released(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    sold(&store, merchant, 1_006, "2026-11-25").await;
    let reserve = Reserve {
        basis_points: 1_000,
        days: 3,
    };
    let first = group(merchant, "2026-11-25");
    let closure = store
        .settlements
        .close(&first, composition(first, reserve))
        .await;
    let settlement = closed(closure.unwrap());
    assert_eq!((settlement.lines, settlement.payout_minor), (2, 900));
    ledger_balances(&store).await;
    let until = "2026-12-31".parse().unwrap();
    let due = store.settlements.due_groups(until).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].settlement_date.to_string(), "2026-11-30");
    let released = closed(
        store
            .settlements
            .close(&due[0], composition(due[0], reserve))
            .await
            .unwrap(),
    );
    // What is released is not kept back again.
    assert_eq!((released.lines, released.payout_minor), (1, 100));
    ledger_balances(&store).await;
    assert_eq!(store.settlements.due_groups(until).await, Ok(vec![]));
}

on_both_databases! {
    TestDatabase:
    settlement_includes_exactly_the_due_transactions,
    settlement_numbers_are_consecutive_and_losses_carried_forward,
    one_of_many_concurrent_closes_succeeds,
    late_transactions_wait_for_another_date,
    settlement_without_its_event_is_not_closed,
    reserve_is_released,
}
