//! Verifiers are killed while they settle, pay out and deliver webhooks.
//!
//! Merchants sell, capture, void and refund; the system's clock jumps by hours and days; payouts come
//! back; commands settle beside the verifiers. `SEALPAY_CRASH_KILLS` and `SEALPAY_CRASH_SEED` are
//! those of the other crash tests.

pub(crate) mod connection;
mod evidence;
mod falsified;
mod merchant;
mod system;

pub(crate) use merchant::index;

use super::{fail, kills};
use harness::leaks;
use harness::postgres::fresh_database;
use harness::verifier_process::{Setup, VerifierProcess};
use std::collections::BTreeSet;
use std::time::Duration;
use system::TestSystem;
use tokio::time::{Instant, sleep};

/// So many kills are between two looks at everything.
const KILLS_BETWEEN_LOOKS: u64 = 7;

impl TestSystem {
    async fn start_all(&self) -> Vec<VerifierProcess> {
        let mut running = Vec::new();
        for setup in &self.setups {
            running.push(setup.started().await.0);
        }
        running
    }

    /// A moment in the middle of the start, under load, or while what has become due is done.
    async fn wait_for_a_bad_moment(&mut self, victim: &mut VerifierProcess) {
        if self.chance.once_in(6) {
            sleep(Duration::from_millis(self.chance.between(0, 150))).await;
            return;
        }
        victim.first_answer().await;
        sleep(Duration::from_millis(self.chance.between(20, 250))).await;
        self.make_something_due().await;
        sleep(Duration::from_millis(self.chance.between(0, 250))).await;
    }

    /// Kills one of those that run.
    async fn kill_one(&mut self, running: &mut Vec<VerifierProcess>, place: usize, number: u64) {
        let mut victim = running.remove(place);
        self.wait_for_a_bad_moment(&mut victim).await;
        victim.kill();
        self.end_settling().await;
        if number % KILLS_BETWEEN_LOOKS == KILLS_BETWEEN_LOOKS - 1 {
            self.look().await;
        }
        sleep(Duration::from_millis(self.chance.between(0, 100))).await;
    }

    /// Says what was seen, and fails where something is not as it must be.
    async fn judge(self, keys: &[super::evidence::Keys], kills: u64, since: Instant) {
        let evidence = self.evidence().await;
        let mut findings = self.findings(&evidence, keys).await;
        findings.extend(leaks::in_folder(self.folder.path(), &[]));
        let (cut, repeated) = self.cut_and_repeated();
        let returned = evidence
            .payouts
            .iter()
            .filter(|row| row.state == "returned");
        let done = |kind| evidence.count(kind, "succeeded");
        eprintln!(
            "{kills} kills in {} s: {} payments, {} modifications ({} captures, {} refunds, {} \
             voids, {} holds ended), {} settlements, {} payouts ({} came back), {} events, {} \
             deliveries ({} of them again), {cut} requests cut off under way, {repeated} sent \
             again after their answer, {} findings",
            since.elapsed().as_secs(),
            evidence.payments.len(),
            evidence.modifications.len(),
            done("capture"),
            done("refund"),
            done("void"),
            done("expiry"),
            evidence.settlements.len(),
            evidence.payouts.len(),
            returned.count(),
            evidence.events.len(),
            evidence.arrivals.len(),
            evidence.duplicates(),
            findings.len(),
        );
        if findings.is_empty() {
            // Without these the kills would have hit nothing.
            let seen = [
                done("capture") + done("refund"),
                evidence.settlements.len(),
                evidence.payouts.len(),
            ];
            assert!(cut > 0 && seen.iter().all(|count| *count > 0), "{seen:?}");
            return;
        }
        fail(self.folder, self.seed, findings);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_verifier_settles_once_and_publishes_each_event_once() {
    let since = Instant::now();
    let mut system = TestSystem::build(None, 1).await;
    let kills = kills();
    let setup = system.setups[0].clone();
    let mut running = system.start_all().await;
    system.slow_the_bank_down().await;
    let merchants_at_work = system.open_the_shops();
    system.shops.first_capture_or_refund().await;
    for number in 0..kills {
        system.kill_one(&mut running, 0, number).await;
        running.push(setup.start());
    }
    running[0].first_answer().await;
    system.come_to_rest(merchants_at_work, &setup).await;
    let keys = system.keys(&setup).await;
    drop(running);
    system.judge(&keys, kills, since).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alternately_killed_verifiers_settle_each_day_once_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    let since = Instant::now();
    let mut system = TestSystem::build(Some(database.url()), 2).await;
    let kills = kills();
    let setups: Vec<Setup> = system.setups.clone();
    let mut running = system.start_all().await;
    system.slow_the_bank_down().await;
    let merchants_at_work = system.open_the_shops();
    system.shops.first_capture_or_refund().await;
    for number in 1..kills {
        let place = merchant::index(&mut system.chance, 2);
        system.kill_one(&mut running, place, number).await;
        running.insert(place, setups[place].start());
    }
    // The first is never started again: what it has begun is the other's to finish.
    system.kill_one(&mut running, 0, 0).await;
    running[0].first_answer().await;
    system.come_to_rest(merchants_at_work, &setups[1]).await;
    let keys = system.keys(&setups[1]).await;
    drop(running);
    system.judge(&keys, kills, since).await;
}

/// Two commands beside verifiers that run, while everybody goes on selling.
async fn two_commands_settle_once(mut system: TestSystem) {
    let running = system.start_all().await;
    let setup = system.setups[0].clone();
    let merchants_at_work = system.open_the_shops();
    let mut printed = Vec::new();
    for _ in 0..4 {
        sleep(Duration::from_millis(500)).await;
        printed.extend(system.settled_by_two().await);
    }
    let closed: BTreeSet<_> = printed
        .iter()
        .filter_map(|row| row["id"].as_str())
        .collect();
    assert_eq!(closed.len(), printed.len(), "each is closed by one of them");
    assert!(!closed.is_empty());
    system.come_to_rest(merchants_at_work, &setup).await;
    let keys = system.keys(&setup).await;
    drop(running);
    let evidence = system.evidence().await;
    assert_eq!(
        system.findings(&evidence, &keys).await,
        Vec::<String>::new()
    );
    let kept = evidence.settlements.iter().map(|row| row.id.as_str());
    assert!(closed.is_subset(&kept.collect()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_settle_commands_beside_a_verifier_close_each_day_once() {
    two_commands_settle_once(TestSystem::build(None, 1).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_settle_commands_alongside_two_verifiers_close_each_day_once_on_postgres() {
    if let Some(database) = fresh_database().await {
        two_commands_settle_once(TestSystem::build(Some(database.url()), 2).await).await;
    }
}
