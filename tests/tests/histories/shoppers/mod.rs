//! Random histories of shoppers: faults of the bank, clock jumps and crashes. The invariants are
//! checked after every step.
//!
//! `SEALPAY_HISTORIES` says how many (60 otherwise), `SEALPAY_SEED` replays one.

pub(crate) mod invariants;
mod shopper;
pub(crate) mod tripwire;
mod webhooks;

use super::system::TestSystem;
use super::{Lived, histories, number};
use harness::chance::Chance;
use harness::checkout::release_lapsed;
use invariants::Inspector;
use sealpay_simulator::control::FaultRequest;
use sealpay_simulator::fault::FaultKind;
use shopper::Shopper;
use std::sync::Arc;
use verifier_server::gateway::Gateway;
use verifier_server::payments::methods::bank_transfer;
use verifier_server::{maintain, modifications, payments};

const STEPS: u64 = 60;
const MOST_SHOPPERS: usize = 8;
/// How often it is looked whether everything has come to rest; each time the clock moves a day.
const DAYS_UNTIL_REST: u64 = 40;

/// Seconds that the clock jumps.
const JUMPS: [i64; 8] = [1, 5, 31, 120, 360, 660, 86_400, 8 * 86_400];

/// On a busy machine the bank may be too slow for once; there is another time.
async fn do_what_is_due(gateway: Arc<Gateway>) {
    let _ = maintain::refresh_keys(&gateway).await;
    let _ = bank_transfer::incoming::collect(&gateway).await;
    let _ = modifications::reconcile::recover(&gateway).await;
    let _ = modifications::expire::expire(&gateway).await;
    release_lapsed(&gateway).await;
    let _ = payments::reconcile::recover(&gateway).await;
    let _ = payments::reversals::reverse(&gateway).await;
}

async fn tick(system: &mut TestSystem, chance: &mut Chance) {
    let working = do_what_is_due(Arc::clone(&system.gateway));
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
        maintain::refresh_keys(&system.gateway).await.unwrap();
        do_what_is_due(Arc::clone(&system.gateway)).await;
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
async fn history(seed: u64, is_told: bool) -> Lived {
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
    Ok(states
        .map(|state| (state.into(), inspector.count(state)))
        .into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_history_preserves_the_invariants() {
    if let Some(seed) = number("SEALPAY_SEED") {
        let lived = history(seed, true).await;
        lived.unwrap_or_else(|found| panic!("SEALPAY_SEED={seed}: {found}"));
        return;
    }
    let count = number("SEALPAY_HISTORIES").unwrap_or(60);
    let first = number("SEALPAY_FIRST_SEED").unwrap_or(1);
    let sums = histories(first, count, 6, |seed| history(seed, false)).await;
    eprintln!("{count} histories: {sums:?}");
    // A history in which nothing is ever paid, declined or forgotten would prove nothing.
    for state in ["captured", "declined", "expired"] {
        assert!(sums[state] * 10 > count, "{sums:?}");
    }
}
