//! Random histories of shoppers: faults of the bank, clock jumps and crashes. The invariants are
//! checked after every step.
//!
//! `SEALPAY_HISTORIES` says how many (60 otherwise), `SEALPAY_SEED` replays one.

pub(crate) mod invariants;
mod shopper;
pub(crate) mod tripwire;
mod webhooks;

use super::system::TestSystem;
use harness::chance::Chance;
use harness::checkout::release_lapsed;
use harness::processes::setting;
use invariants::Inspector;
use sealpay_simulator::control::FaultRequest;
use sealpay_simulator::fault::FaultKind;
use shopper::Shopper;
use std::collections::BTreeMap;
use std::sync::Arc;
use verifier_server::payments::methods::bank_transfer;
use verifier_server::{maintain, operations, payments};

const STEPS: u64 = 60;
const MOST_SHOPPERS: usize = 8;
/// How often it is looked whether everything has come to rest; each time the clock moves a day.
const DAYS_UNTIL_REST: u64 = 40;

/// Seconds that the clock jumps.
const JUMPS: [i64; 8] = [1, 5, 31, 120, 360, 660, 86_400, 8 * 86_400];

async fn tick(system: &mut TestSystem, chance: &mut Chance) {
    let gateway = Arc::clone(&system.gateway);
    let working = async move {
        let _ = maintain::refresh_keys(&gateway).await;
        let _ = bank_transfer::incoming::collect(&gateway).await;
        let _ = operations::reconcile::recover(&gateway).await;
        let _ = operations::expire::expire(&gateway).await;
        release_lapsed(&gateway).await;
        let _ = payments::reconcile::recover(&gateway).await;
        let _ = payments::reversals::reverse(&gateway).await;
    };
    system.perhaps_dying(chance, working).await;
}

async fn order_fault(system: &TestSystem, chance: &mut Chance) {
    if chance.once_in(3) {
        system.bank.remove_faults().await.unwrap();
        return;
    }
    if chance.once_in(4) {
        system.wire.lie();
    }
    let kinds = [
        FaultKind::RequestLost,
        FaultKind::ResponseLost,
        FaultKind::AcquirerDown,
        FaultKind::AcquirerDown,
        FaultKind::IssuerDown,
    ];
    let kind = *chance.pick(&kinds);
    let targets: &[&str] = match kind {
        FaultKind::IssuerDown => &["issuer", "any"],
        _ => &["harbor", "meridian", "any"],
    };
    let is_share = chance.once_in(3);
    let count = u32::try_from(chance.between(1, 4)).unwrap();
    let order = FaultRequest {
        target: (*chance.pick(targets)).into(),
        kind,
        min_ms: None,
        max_ms: None,
        next: (!is_share).then_some(count),
        share_per_mille: is_share.then_some(count * 100),
        seed: is_share.then_some(count),
    };
    system.bank.add_fault(order).await.unwrap();
}

async fn step(system: &mut TestSystem, chance: &mut Chance, shoppers: &mut Vec<Shopper>) -> String {
    let place = |chance: &mut Chance, count: usize| {
        usize::try_from(chance.between(0, u64::try_from(count).unwrap())).unwrap()
    };
    match chance.between(0, 100) {
        0..20 => {
            if let Some(shopper) = Shopper::arrive(system, chance).await {
                if shoppers.len() == MOST_SHOPPERS {
                    shoppers.remove(0);
                }
                shoppers.push(shopper);
            }
            "a shopper arrives".into()
        }
        20..75 if !shoppers.is_empty() => {
            let place = place(chance, shoppers.len());
            shoppers[place].act(system, chance).await;
            format!("shopper {place} acts")
        }
        75..85 => {
            let reach = if chance.once_in(4) { JUMPS.len() } else { 5 };
            let seconds = *chance.pick(&JUMPS[..reach]);
            system.clock.move_by(seconds);
            // Moving the clock includes making the keys of the new time.
            maintain::refresh_keys(&system.gateway).await.unwrap();
            format!("{seconds} seconds pass")
        }
        85..90 => {
            order_fault(system, chance).await;
            "faults are ordered".into()
        }
        90..92 => {
            system.restart().await;
            "the verifier restarts".into()
        }
        _ => {
            tick(system, chance).await;
            "what is due is done".into()
        }
    }
}

/// Nobody does anything any more, and time passes.
async fn come_to_rest(system: &mut TestSystem, inspector: &mut Inspector) -> Vec<String> {
    system.bank.remove_faults().await.unwrap();
    system.wire.be_honest();
    let mut calm = Chance::of(0);
    let mut found = Vec::new();
    for _ in 0..DAYS_UNTIL_REST {
        let gateway = Arc::clone(&system.gateway);
        maintain::refresh_keys(&gateway).await.unwrap();
        // On a busy machine the bank may be too slow for once; there is another day.
        let _ = bank_transfer::incoming::collect(&gateway).await;
        let _ = operations::reconcile::recover(&gateway).await;
        let _ = operations::expire::expire(&gateway).await;
        release_lapsed(&gateway).await;
        let _ = payments::reconcile::recover(&gateway).await;
        let _ = payments::reversals::reverse(&gateway).await;
        found = inspector.at_rest();
        if found.is_empty() {
            return found;
        }
        system
            .clock
            .move_by(86_400 + i64::try_from(calm.between(0, 60)).unwrap());
    }
    found
}

/// One history; what it came to, or what was wrong.
async fn history(seed: u64, is_told: bool) -> Result<BTreeMap<&'static str, u64>, String> {
    let mut chance = Chance::of(seed);
    let receiver = match seed.is_multiple_of(10) {
        true => Some(webhooks::Merchant::start(&mut chance).await),
        false => None,
    };
    let url = receiver.as_ref().map(|receiver| receiver.url());
    let mut system = TestSystem::build(&mut chance, url.as_deref()).await;
    let mut inspector = Inspector::of(&system.folder);
    let mut shoppers = Vec::new();
    for number in 0..STEPS {
        let what = step(&mut system, &mut chance, &mut shoppers).await;
        if is_told {
            eprintln!("{number}: {what}");
        }
        let found = inspector.always();
        if !found.is_empty() {
            return Err(format!(
                "after step {number} ({what}): {}",
                found.join("; ")
            ));
        }
    }
    let found = come_to_rest(&mut system, &mut inspector).await;
    if !found.is_empty() {
        return Err(format!("at rest: {}", found.join("; ")));
    }
    if let Some(receiver) = receiver {
        let found = receiver.deliver_everything(&system, &mut chance).await;
        if !found.is_empty() {
            return Err(format!("webhooks: {}", found.join("; ")));
        }
    }
    let states = ["captured", "declined", "expired"];
    Ok(states.map(|state| (state, inspector.count(state))).into())
}

/// Runs histories, many at once because most of them wait for lost answers; what all of them came
/// to.
async fn histories(first: u64, count: u64) -> BTreeMap<&'static str, u64> {
    let hands = std::thread::available_parallelism().map_or(2, usize::from) * 6;
    let turns = Arc::new(tokio::sync::Semaphore::new(hands));
    let mut running = tokio::task::JoinSet::new();
    for seed in first..first + count {
        let turns = Arc::clone(&turns);
        running.spawn(async move {
            let _turn = turns.acquire().await;
            // On a task of its own, so that a panic has a seed too.
            let lived = tokio::spawn(history(seed, false)).await;
            (seed, lived.unwrap_or_else(|error| Err(error.to_string())))
        });
    }
    let mut sums = BTreeMap::new();
    let mut failures = Vec::new();
    while let Some(ended) = running.join_next().await {
        match ended.unwrap() {
            (_, Ok(counts)) => {
                for (state, count) in counts {
                    *sums.entry(state).or_default() += count;
                }
            }
            (seed, Err(found)) => failures.push(format!("SEALPAY_SEED={seed}: {found}")),
        }
    }
    failures.sort();
    assert!(
        failures.is_empty(),
        "{} of {count}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    sums
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_history_preserves_the_invariants() {
    if let Some(seed) = setting("SEALPAY_SEED").and_then(|text| text.parse().ok()) {
        let lived = history(seed, true).await;
        lived.unwrap_or_else(|found| panic!("SEALPAY_SEED={seed}: {found}"));
        return;
    }
    let count = setting("SEALPAY_HISTORIES").and_then(|text| text.parse().ok());
    let count = count.unwrap_or(60);
    let first = setting("SEALPAY_FIRST_SEED").and_then(|text| text.parse().ok());
    let sums = histories(first.unwrap_or(1), count).await;
    eprintln!("{count} histories: {sums:?}");
    // A history in which nothing is ever paid, declined or forgotten would prove nothing.
    for state in ["captured", "declined", "expired"] {
        assert!(sums[state] * 10 > count, "{sums:?}");
    }
}
