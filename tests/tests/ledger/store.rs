//! The ledger in the database, and its audit.

use crate::databases::on_both_databases;
use crate::settlements::store::{close, ids, sold};
use crate::storage::fixtures::{NOW_MS, claimed, moved, opened, registered};
use crate::storage::test_database::TestDatabase;
use harness::postgres::connect;
use harness::rows::of_postgres;
use std::time::Duration;
use tokio::task::JoinHandle;
use verifier_server::balance;
use verifier_server::ledger::model::{Account, AccountBalance};
use verifier_server::ledger::posting;
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::outcome::OutcomeEffects;
use verifier_server::settlements::store::CloseOutcome;
use verifier_server::store::{DatabaseError, Store};

async fn balances_are_sums_of_ledger_transfers(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    sold(&store, merchant, 1_000, "2026-11-25").await;
    sold(&store, merchant, 500, "2026-11-26").await;
    let closed = close(&store, merchant, "2026-11-25").await;
    assert!(matches!(closed, CloseOutcome::Closed(_)));
    let balances = store.ledger.account_balances(merchant).await.unwrap();
    let rows: Vec<_> = balances
        .iter()
        .map(|row| (row.account, row.debited_minor, row.credited_minor))
        .collect();
    assert_eq!(
        rows,
        [
            (Account::Fees, 0, 6),
            (Account::MerchantPayable, 1_000, 1_500),
            (Account::ProviderReceivable, 1_000, 994),
            (Account::ShopperClearing, 1_500, 1_000),
        ]
    );
    let trial = balance::service::audit(&store).await.unwrap();
    assert!(trial.violations.is_empty(), "{:?}", trial.violations);
    let sum: i64 = trial.trial_balance.iter().map(|line| line.balance).sum();
    assert_eq!(sum, 0);
    let other = registered(&store).await.id;
    assert_eq!(store.ledger.account_balances(other).await, Ok(vec![]));
    assert!(!store.ledger.discrepancies().await.unwrap().is_empty());
}

async fn balances_do_not_depend_on_the_period(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    let other = registered(&store).await.id;
    let balances = async |merchant| store.ledger.account_balances(merchant).await.unwrap();
    let update_totals = async || store.ledger.update_totals(merchant).await.unwrap();
    store.ledger.close_period().await.unwrap();
    assert!(!update_totals().await, "no transfers");
    sold(&store, other, 50, "2026-11-25").await;
    sold(&store, merchant, 1_000, "2026-11-25").await;
    let of_other = balances(other).await;
    let first = balances(merchant).await;
    assert!(!update_totals().await, "the period is open");
    store.ledger.close_period().await.unwrap();
    assert!(update_totals().await);
    assert!(!update_totals().await, "each transfer is added once");
    assert_eq!(balances(merchant).await, first);
    sold(&store, merchant, 500, "2026-11-26").await;
    let closed = close(&store, merchant, "2026-11-25").await;
    assert!(matches!(closed, CloseOutcome::Closed(_)));
    let second = balances(merchant).await;
    assert_eq!(payable(&second), (1_000, 1_500));
    assert_eq!(violations(&store).await, "");
    // Of several servers, one adds the transfers.
    store.ledger.close_period().await.unwrap();
    let updates: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.ledger.update_totals(merchant).await })
        })
        .collect();
    let mut updated = 0;
    for one in updates {
        updated += usize::from(one.await.unwrap().unwrap());
    }
    assert_eq!(updated, 1);
    assert_eq!(balances(merchant).await, second);
    assert_eq!(balances(other).await, of_other);
    assert_eq!(violations(&store).await, "");
}

fn payable(balances: &[AccountBalance]) -> (i64, i64) {
    let payable = |row: &&AccountBalance| row.account == Account::MerchantPayable;
    let row = balances.iter().find(payable).unwrap();
    (row.debited_minor, row.credited_minor)
}

async fn totals_are_right_while_payments_are_recorded(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    let selling: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..25 {
                    sold(&store, merchant, 10, "2026-11-25").await;
                }
            })
        })
        .collect();
    while !selling.iter().all(JoinHandle::is_finished) {
        match store.ledger.close_period().await {
            Ok(()) | Err(DatabaseError::Overloaded) => {}
            Err(error) => panic!("{error}"),
        }
        store.ledger.update_totals(merchant).await.unwrap();
    }
    for one in selling {
        one.await.unwrap();
    }
    let balances = store.ledger.account_balances(merchant).await.unwrap();
    assert_eq!(payable(&balances), (0, 1_000));
    assert_eq!(violations(&store).await, "");
}

/// As if a payment had been recorded by another server whose transaction is still open.
const OPEN_POSTING: &str = "BEGIN; INSERT INTO ledger_transfers (id, merchant, currency,
        debit_account, credit_account, amount_minor, cause, cause_id, created_at_ms, period)
    VALUES ('led_00000000000000000000000001', 'MERCHANT', 'EUR', 'shopper_clearing',
        'merchant_payable', 7, 'capture', 'one', 0, 0)";

/// As if another server were closing the period.
const OPEN_CLOSING: &str = "BEGIN; LOCK TABLE ledger_transfers IN SHARE MODE;
    INSERT INTO ledger_period (id, number) VALUES (1, 1)";

const WAITING: &str = "SELECT COUNT(*) FROM pg_locks
    WHERE relation = 'ledger_transfers'::regclass AND NOT granted";

/// Postgres alone has several writers.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn closed_period_gets_no_transfer() {
    for (other, is_posting) in [(OPEN_POSTING, true), (OPEN_CLOSING, false)] {
        let Some(database) = TestDatabase::on_postgres().await else {
            return eprintln!("skipped without Postgres: closed_period_gets_no_transfer");
        };
        let store = database.open().await;
        let merchant = registered(&store).await.id;
        let client = connect(&database.url()).await.unwrap();
        let other = other.replace("MERCHANT", &merchant.to_string());
        client.batch_execute(&other).await.unwrap();
        if is_posting {
            let closed = store.ledger.close_period().await;
            assert_eq!(closed, Err(DatabaseError::Overloaded));
            client.batch_execute("COMMIT").await.unwrap();
            store.ledger.close_period().await.unwrap();
            assert_eq!(store.ledger.update_totals(merchant).await, Ok(true));
        } else {
            let selling = {
                let store = store.clone();
                tokio::spawn(async move { sold(&store, merchant, 7, "2026-11-25").await })
            };
            while of_postgres(&client, WAITING).await == [["0"]] {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            client.batch_execute("COMMIT").await.unwrap();
            selling.await.unwrap();
            let periods = of_postgres(&client, "SELECT period FROM ledger_transfers").await;
            assert_eq!(periods, [["1"]]);
        }
        let balances = store.ledger.account_balances(merchant).await.unwrap();
        assert_eq!(payable(&balances), (0, 7));
    }
}

async fn nothing_is_settled_twice(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    let session = opened(&store, merchant).await;
    let claimed = claimed(&store, &session).await;
    let mut after = moved(&claimed, PaymentState::Captured, NOW_MS + 5);
    after.captured_minor = 1_000;
    // Another payment's balance transaction has this one's source and type.
    let sold = sold(&store, merchant, 500, "2026-11-25").await;
    let posting = posting::of_capture(&ids(), &after, sold.id.to_string(), 1_000);
    let recorded =
        store
            .payments
            .record_outcome(&claimed, &after, OutcomeEffects::new(None, Some(&posting)));
    let error = recorded.await.unwrap_err();
    assert!(matches!(error, DatabaseError::Corrupt(_)), "{error}");
    let stored = store.payments.get(claimed.id).await.unwrap().unwrap();
    assert_eq!(stored.state, claimed.state);
    assert_eq!(violations(&store).await, "");
}

async fn violations(store: &Store) -> String {
    balance::service::check(store).await.unwrap().join("\n")
}

/// What is done to the books, and a part of a sentence that has to tell of it.
#[rustfmt::skip]
const WRONGS: [(&str, &str); 19] = [
    ("UPDATE ledger_transfers SET amount_minor = amount_minor + 1 WHERE cause = 'capture'", "What captures moved"),
    ("UPDATE ledger_transfers SET debit_account = 'reserve' WHERE cause = 'fees'", "No fees goes as"),
    ("DELETE FROM ledger_transfers WHERE cause = 'payout'", "Merchant payable"),
    ("DELETE FROM ledger_transfers WHERE cause = 'settlement'", "Shopper clearing"),
    ("UPDATE balance_transactions SET net_minor = net_minor + 1", "should have one of"),
    ("UPDATE balance_transactions SET settlement = NULL", "and its lines say"),
    (
        "UPDATE balance_transactions SET settlement_date = '2027-01-01'
         WHERE settlement IS NOT NULL",
        "where it does not belong",
    ),
    ("DELETE FROM balance_transactions WHERE settlement IS NULL", "and its lines have 0"),
    ("UPDATE settlements SET payout_minor = payout_minor - 1 WHERE number = 1", "to pay out or carry on"),
    (
        "UPDATE settlements SET brought_forward_minor = -1, carried_forward_minor = -1 WHERE number = 2",
        "brings forward -1 and the one before carried forward 0",
    ),
    ("UPDATE settlements SET number = 3 WHERE number = 2", "has the number 3"),
    ("UPDATE settlements SET settlement_date = '2026-11-24' WHERE number = 2", "does not follow the one before it"),
    ("DELETE FROM payouts", "its payout is of 0"),
    ("UPDATE payouts SET state = 'returned'", "has come back with"),
    ("UPDATE ledger_totals SET amount_minor = amount_minor + 1", "The total shopper_clearing:merchant_payable of mer_"),
    ("DELETE FROM ledger_totals", "is 0 and should be 1600."),
    ("DELETE FROM ledger_checkpoints", "is 1600 and should be 0."),
    ("UPDATE ledger_checkpoints SET period = period + 1", "is 0 and should be 12."),
    ("UPDATE ledger_transfers SET period = 0 WHERE cause = 'payout'", "The total merchant_payable:provider_receivable"),
];

async fn every_ledger_discrepancy_is_detected(database: &TestDatabase) {
    let store = database.open().await;
    for (wrong, sentence) in WRONGS {
        let merchant = registered(&store).await.id;
        for (amount, date) in [
            (1_000, "2026-11-25"),
            (500, "2026-11-26"),
            (100, "2026-11-27"),
        ] {
            sold(&store, merchant, amount, date).await;
        }
        store.ledger.close_period().await.unwrap();
        assert_eq!(store.ledger.update_totals(merchant).await, Ok(true));
        for date in ["2026-11-25", "2026-11-26"] {
            let closed = close(&store, merchant, date).await;
            assert!(matches!(closed, CloseOutcome::Closed(_)));
        }
        assert_eq!(violations(&store).await, "", "before {wrong}");
        database.tamper(wrong).await;
        let found = violations(&store).await;
        assert!(found.contains(sentence), "{wrong}: {found}");
        for table in [
            "ledger_transfers",
            "ledger_period",
            "ledger_checkpoints",
            "ledger_totals",
            "balance_transactions",
            "settlements",
            "payouts",
            "payments",
        ] {
            database.tamper(&format!("DELETE FROM {table}")).await;
        }
    }
}

/// As many lines as a large merchant has in a day.
const MANY: &str = "INSERT INTO balance_transactions
    (id, merchant, currency, kind, source, payment, order_ref, method, brand, region, gross_minor,
     interchange_minor, scheme_minor, processor_minor, net_minor, business_date, settlement_date,
     settlement, created_at_ms)
    WITH RECURSIVE numbers(number) AS (
        SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 100000)
    SELECT 'txn_0000000000' || (1000000000000000 + number), 'MERCHANT', 'EUR', 'capture',
        'mod_' || number, NULL, NULL, 'card', 'visa', 'domestic', 100, 1, 2, 3, 94, '2026-11-23',
        '2026-11-25', NULL, 0
    FROM numbers;
    INSERT INTO ledger_transfers (id, merchant, currency, debit_account, credit_account,
        amount_minor, cause, cause_id, created_at_ms, period)
    VALUES ('led_00000000000000000000000001', 'MERCHANT', 'EUR', 'shopper_clearing',
        'merchant_payable', 10000000, 'capture', 'all', 0, 0)";

async fn hundred_thousand_transactions_are_settled_at_once(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    database
        .tamper(&MANY.replace("MERCHANT", &merchant.to_string()))
        .await;
    let settlement = match close(&store, merchant, "2026-11-25").await {
        CloseOutcome::Closed(settlement) => settlement,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (settlement.lines, settlement.payout_minor),
        (100_000, 9_400_000)
    );
    assert_eq!(violations(&store).await, "");
    let mut read = 0;
    let mut after = None;
    loop {
        let lines = store
            .balance
            .of_settlement(settlement.id, after, 5_000)
            .await
            .unwrap();
        let Some(last) = lines.last() else { break };
        after = Some(last.id);
        read += lines.len();
    }
    assert_eq!(read, 100_000);
}

on_both_databases! {
    TestDatabase:
    balances_are_sums_of_ledger_transfers,
    balances_do_not_depend_on_the_period,
    totals_are_right_while_payments_are_recorded,
    nothing_is_settled_twice,
    every_ledger_discrepancy_is_detected,
    hundred_thousand_transactions_are_settled_at_once,
}
