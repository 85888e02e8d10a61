//! Durable payments per second through HTTP, and the share of what the cryptography alone allows.

use crate::blast::{Blast, blast, median, percentile};
use crate::bound::{self, Bound};
use crate::machine::Ticks;
use crate::options::Options;
use crate::shopping::{Cards, Shop};
use harness::client::Merchant;
use harness::time::TestClock;
use harness::verifier_process::{Setup, VerifierProcess};
use sealpay_protocol::api::{PaymentView, ShopperState};
use serde_json::{Map, Value, json};

/// Connections that are kept alive, each with one request at a time, and the cards that are paid
/// with.
const KINDS: [(usize, Cards); 3] = [
    (16, Cards::Persona),
    (64, Cards::Persona),
    (16, Cards::Fresh),
];
/// Payments that nobody counts, until caches and memory are what they stay.
const WARM_UP: usize = 500;

#[derive(Debug, Default)]
struct Series {
    per_second: Vec<u64>,
    latencies_us: Vec<u64>,
    spent: Ticks,
}

pub(crate) async fn measure(
    options: &Options,
    setup: &Setup,
    merchant: Merchant,
    process: &VerifierProcess,
) -> Value {
    let shop = Shop {
        merchant,
        origin: setup.origin.clone(),
        address: setup.listen,
        clock: TestClock::default(),
    };
    let resident_at_start = process.resident_kib();
    let mut series: Vec<Series> = KINDS.iter().map(|_| Series::default()).collect();
    let (mut sessions, mut bounds, mut stock_bounds) = (Vec::new(), Vec::new(), Vec::new());
    pay(&shop, WARM_UP, KINDS[0].0).await;
    for round in 1..=options.rounds {
        for ((clients, cards), series) in KINDS.into_iter().zip(&mut series) {
            let (baskets, opening) = shop.fill_baskets(options.payments, cards).await;
            sessions.push(opening.per_second());
            let requests = shop.sign(baskets);
            eprintln!("  round {round}: paying with {clients} clients, {cards:?} cards");
            let before = Ticks::now(process.id());
            let paid = blast(shop.address, clients, requests).await;
            series.spent.add_since(before, Ticks::now(process.id()));
            check(&paid);
            series.per_second.push(paid.per_second());
            series.latencies_us.extend(paid.latencies_us);
        }
        bounds.push(bound::of_server());
        stock_bounds.push(bound::of_stock_crates());
        let latest: Vec<_> = series
            .iter()
            .filter_map(|series| series.per_second.last())
            .collect();
        eprintln!("  round {round}: {latest:?} payments per second with {KINDS:?}");
    }
    let (bound, stock_bound) = (middle(&bounds), middle(&stock_bounds));
    let mut by_clients = Map::new();
    for ((clients, cards), mut series) in KINDS.into_iter().zip(series) {
        let name = match cards {
            Cards::Persona => clients.to_string(),
            Cards::Fresh => format!("{clients}, cards that are assessed"),
        };
        by_clients.insert(name, describe(&mut series, bound, stock_bound));
    }
    json!({
        "clients": by_clients,
        "bound": { "per_second": bound.per_second, "cpu_us_per_payment": bound.cpu_us },
        "stock_bound": {
            "per_second": stock_bound.per_second,
            "cpu_us_per_payment": stock_bound.cpu_us,
        },
        "sessions_per_second": median(&sessions),
        "resident_kib_at_start": resident_at_start,
        "resident_kib_after": process.resident_kib(),
    })
}

fn middle(bounds: &[Bound]) -> Bound {
    let median_of =
        |figure: fn(&Bound) -> u64| median(&bounds.iter().map(figure).collect::<Vec<_>>());
    Bound {
        per_second: median_of(|bound| bound.per_second),
        cpu_us: median_of(|bound| bound.cpu_us),
    }
}

async fn pay(shop: &Shop, count: usize, clients: usize) -> Blast {
    let (baskets, _) = shop.fill_baskets(count, Cards::Persona).await;
    let paid = blast(shop.address, clients, shop.sign(baskets)).await;
    check(&paid);
    paid
}

/// Only what was captured counts, and so everything has to be.
fn check(paid: &Blast) {
    for (_, status, body) in &paid.answers {
        let said = String::from_utf8_lossy(body);
        assert_eq!(*status, 200, "{said}");
        let view: PaymentView = serde_json::from_slice(body).expect("a payment is JSON");
        assert_eq!(view.state, ShopperState::Captured, "{said}");
    }
}

fn describe(series: &mut Series, bound: Bound, stock_bound: Bound) -> Value {
    let payments = u64::try_from(series.latencies_us.len()).unwrap_or(u64::MAX);
    let per_second = median(&series.per_second);
    let share = |bound: Bound| per_second * 100 / bound.per_second.max(1);
    let server_cpu_us = series.spent.server_us_per(payments);
    json!({
        "payments_per_second": per_second,
        "rounds": series.per_second,
        "p50_us": percentile(&mut series.latencies_us, 50),
        "p99_us": percentile(&mut series.latencies_us, 99),
        "share_of_bound_percent": share(bound),
        "share_of_stock_bound_percent": share(stock_bound),
        "server_cpu_us_per_payment": server_cpu_us,
        "bound_share_of_server_cpu_percent": bound.cpu_us * 100 / server_cpu_us.max(1),
        "generator_cpu_us_per_payment": series.spent.own_us_per(payments),
        "cores_used_by_others_percent": series.spent.others_percent(),
    })
}
