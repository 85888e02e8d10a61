//! Random histories of money: payments, captures, voids, refunds, disputes, clock jumps, faults,
//! returned payouts and crashes. After every step and at the end the ledger has to balance.
//!
//! `SEALPAY_HISTORIES` says how many (40 otherwise; a tenth of them on Postgres),
//! `SEALPAY_FIRST_SEED` where they begin, and `SEALPAY_SEED` replays one.

mod backoffice;
pub(crate) mod database_reader;
pub(crate) mod invariants;

use super::system::TestSystem;
use super::{Lived, histories, number};
use backoffice::BackOffice;
use database_reader::DatabaseReader;
use harness::chance::Chance;
use harness::checkout::release_lapsed;
use harness::postgres;
use sealpay_simulator::control::FaultRequest;
use sealpay_simulator::fault::FaultKind;
use std::collections::BTreeMap;
use std::sync::Arc;
use verifier_server::gateway::Gateway;
use verifier_server::merchants::model::Reserve;
use verifier_server::payments;
use verifier_server::payments::methods::bank_transfer;
use verifier_server::settlements::close::{Cutoff, settle};
use verifier_server::{balance, disputes, maintain, modifications, payouts};

const STEPS: u64 = 70;
/// How often it is looked whether everything has come to rest; each time the clock moves a day.
const DAYS_UNTIL_REST: u64 = 40;
/// Seconds that the clock jumps.
const JUMPS: [i64; 8] = [
    1,
    60,
    3_600,
    6 * 3_600,
    86_400,
    86_400,
    2 * 86_400,
    8 * 86_400,
];

async fn do_what_is_due(gateway: Arc<Gateway>) {
    let _ = maintain::refresh_keys(&gateway).await;
    let _ = maintain::close_period(&gateway).await;
    let _ = payments::reconcile::recover(&gateway).await;
    let _ = bank_transfer::incoming::collect(&gateway).await;
    let _ = modifications::reconcile::recover(&gateway).await;
    let _ = payments::reversals::reverse(&gateway).await;
    let _ = modifications::expire::expire(&gateway).await;
    release_lapsed(&gateway).await;
    let _ = disputes::service::give_up(&gateway).await;
    let _ = settle(&gateway, Cutoff::Now).await;
    let _ = payouts::service::pay_out(&gateway).await;
}

async fn order_fault(system: &TestSystem, chance: &mut Chance) {
    if chance.once_in(3) {
        system.bank.remove_faults().await.unwrap();
        return;
    }
    let kinds = [
        FaultKind::RequestLost,
        FaultKind::ResponseLost,
        FaultKind::ResponseLost,
        FaultKind::AcquirerDown,
    ];
    let count = u32::try_from(chance.between(1, 4)).unwrap();
    let order = FaultRequest {
        target: (*chance.pick(&["harbor", "meridian", "any"])).into(),
        kind: *chance.pick(&kinds),
        min_ms: None,
        max_ms: None,
        next: Some(count),
        share_per_mille: None,
        seed: None,
    };
    system.bank.add_fault(order).await.unwrap();
}

async fn step(
    system: &mut TestSystem,
    chance: &mut Chance,
    back_office: &mut BackOffice,
) -> (&'static str, Vec<String>) {
    let mut found = Vec::new();
    let what = match chance.between(0, 100) {
        0..14 => {
            backoffice::sell(system, chance).await;
            "a shopper pays"
        }
        14..18 => {
            backoffice::sell_by_transfer(system, chance).await;
            "a shopper pays by transfer"
        }
        18..45 => {
            back_office.modify(system, chance).await;
            "a payment is modified"
        }
        45..52 => {
            found = back_office.repeat(system, chance).await;
            "a request is repeated"
        }
        52..62 => {
            back_office.dispute(system, chance).await;
            "something about a dispute"
        }
        62..66 => {
            back_office.return_payout(system, chance).await;
            "a payout comes back"
        }
        66..80 => {
            system.clock.move_by(*chance.pick(&JUMPS));
            // Moving the clock includes making the keys of the new time.
            maintain::refresh_keys(&system.gateway).await.unwrap();
            "time passes"
        }
        80..84 => {
            order_fault(system, chance).await;
            "faults are ordered"
        }
        84..86 => {
            system.restart().await;
            "the verifier restarts"
        }
        _ => {
            let working = do_what_is_due(Arc::clone(&system.gateway));
            system.perhaps_dying(chance, working).await;
            "what is due is done"
        }
    };
    (what, found)
}

/// Nobody does anything any more, and time passes.
async fn come_to_rest(system: &TestSystem, reader: &DatabaseReader) -> Vec<String> {
    system.bank.remove_faults().await.unwrap();
    let mut found = Vec::new();
    for _ in 0..DAYS_UNTIL_REST {
        do_what_is_due(Arc::clone(&system.gateway)).await;
        found = invariants::at_rest(reader).await;
        if found.is_empty() {
            return found;
        }
        system.clock.move_by(86_400);
    }
    found
}

async fn history(seed: u64, postgres: Option<&str>, is_told: bool) -> Lived {
    let mut chance = Chance::of(seed);
    let mut system = TestSystem::build_on(&mut chance, None, postgres).await;
    let reader = match postgres {
        Some(url) => DatabaseReader::on_postgres(url).await,
        None => DatabaseReader::on_sqlite(&system.folder),
    };
    if chance.once_in(3) {
        let reserve = Reserve {
            basis_points: 1_000,
            days: 3,
        };
        let set = system
            .gateway
            .store()
            .merchants
            .set_reserve(system.merchant.id, reserve);
        assert_eq!(set.await, Ok(true));
    }
    let mut back_office = BackOffice::default();
    for number in 0..STEPS {
        let (what, mut found) = step(&mut system, &mut chance, &mut back_office).await;
        if is_told {
            eprintln!("{number}: {what}");
        }
        found.extend(invariants::always(&reader).await);
        found.extend(
            balance::service::check(system.gateway.store())
                .await
                .unwrap(),
        );
        if !found.is_empty() {
            return Err(format!(
                "after step {number} ({what}): {}",
                found.join("; ")
            ));
        }
    }
    let mut found = come_to_rest(&system, &reader).await;
    found.extend(
        balance::service::check(system.gateway.store())
            .await
            .unwrap(),
    );
    if !found.is_empty() {
        return Err(format!("at rest: {}", found.join("; ")));
    }
    let counts = "SELECT 'settlements', COUNT(*) FROM settlements
        UNION ALL SELECT 'carried_forward', COUNT(*) FROM settlements WHERE carried_forward_minor < 0
        UNION ALL SELECT 'payouts', COUNT(*) FROM payouts
        UNION ALL SELECT 'returned payouts', COUNT(*) FROM payouts WHERE state = 'returned'
        UNION ALL SELECT 'disputes', COUNT(*) FROM disputes
        UNION ALL SELECT 'overpaid', COUNT(*) FROM payments WHERE overpaid_minor > 0
        UNION ALL SELECT 'overpaid and all refunded', COUNT(*) FROM payments
        WHERE overpaid_minor > 0 AND state = 'refunded'
        UNION ALL SELECT 'reserves', COUNT(*) FROM balance_transactions WHERE kind = 'reserve_hold'
        UNION ALL SELECT kind || ' ' || state, COUNT(*) FROM modifications GROUP BY kind, state";
    let rows = reader.rows(counts).await.into_iter();
    Ok(rows
        .map(|row| (row[0].clone(), row[1].parse().unwrap()))
        .collect())
}

async fn on(seed: u64, is_on_postgres: bool, is_told: bool) -> Lived {
    if !is_on_postgres {
        return history(seed, None, is_told).await;
    }
    match postgres::fresh_database().await {
        Some(database) => history(seed, Some(database.url()), is_told).await,
        None => Ok(BTreeMap::new()),
    }
}

async fn every_history(is_on_postgres: bool, unasked: u64) {
    if let Some(seed) = number("SEALPAY_SEED") {
        let lived = on(seed, is_on_postgres, true).await;
        lived.unwrap_or_else(|found| panic!("SEALPAY_SEED={seed}: {found}"));
        return;
    }
    let asked = number("SEALPAY_HISTORIES");
    let count = asked.map_or(unasked, |asked| match is_on_postgres {
        true => asked.div_ceil(10),
        false => asked,
    });
    let first = number("SEALPAY_FIRST_SEED").unwrap_or(1);
    let lives = move |seed| on(seed, is_on_postgres, false);
    let sums = histories(first, count, 4, lives).await;
    eprintln!("{count} histories: {sums:?}");
    // The few on Postgres are no sample: what happens in them is decided by chance.
    if is_on_postgres {
        return;
    }
    // Histories in which this never happens would prove nothing.
    let expected = [
        "capture succeeded",
        "carried_forward",
        "disputes",
        "expiry succeeded",
        "overpaid",
        "overpaid and all refunded",
        "payouts",
        "refund succeeded",
        "reserves",
        "returned payouts",
        "settlements",
        "void succeeded",
    ];
    for what in expected {
        assert!(
            sums.get(what).is_some_and(|count| *count > 0),
            "{what}: {sums:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ledger_balances_in_every_history() {
    every_history(false, 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ledger_balances_in_every_history_on_postgres() {
    every_history(true, 8).await;
}
