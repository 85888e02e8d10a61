//! The ledger in the database, and its audit.

use crate::databases::on_both_databases;
use crate::settlements::store::{close, sold};
use crate::storage::fixtures::registered;
use crate::storage::test_database::TestDatabase;
use verifier_server::balance;
use verifier_server::ledger::model::Account;
use verifier_server::settlements::store::CloseOutcome;
use verifier_server::store::Store;

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

async fn violations(store: &Store) -> String {
    balance::service::check(store).await.unwrap().join("\n")
}

/// What is done to the books, and a part of a sentence that has to tell of it.
#[rustfmt::skip]
const WRONGS: [(&str, &str); 14] = [
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
        amount_minor, cause, cause_id, created_at_ms)
    VALUES ('led_00000000000000000000000001', 'MERCHANT', 'EUR', 'shopper_clearing',
        'merchant_payable', 10000000, 'capture', 'all', 0)";

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
    every_ledger_discrepancy_is_detected,
    hundred_thousand_transactions_are_settled_at_once,
}
