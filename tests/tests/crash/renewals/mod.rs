//! Verifiers are killed while subscriptions renew and their invoices are charged.
//!
//! `SEALPAY_CRASH_KILLS` and `SEALPAY_CRASH_SEED` are those of the other crash tests.

mod evidence;

use super::money::connection::Network;
use super::{
    Falsehood, expect_each_to_be_found, fail, kills, on_ports_of_their_own, seed, stored_in,
};
use evidence::{Evidence, Invoice, Try};
use harness::chance::Chance;
use harness::client::{APPROVED, Merchant, Prepared};
use harness::folder::Folder;
use harness::postgres::fresh_database;
use harness::rows::StoredState;
use harness::subscribers::Subscribers;
use harness::verifier_process::{Setup, VerifierProcess};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// An answer that is lost on purpose is not waited for longer.
const PROVIDER_TIMEOUT_MS: &str = "800";
const DAY: u64 = 24 * 60 * 60;
/// Seconds that the clock jumps.
const JUMPS: [u64; 5] = [6 * 3600, DAY, DAY, 2 * DAY, 4 * DAY];
/// The first one is always approved; the others are declined on the second charge, wanted confirmed
/// from the third on, revoked, told to wait by advice codes, or closed.
const CARDS: [&str; 7] = [
    APPROVED,
    "4000008001000004",
    "4000008003000002",
    "4000008004000001",
    "5200008006000004",
    "5200008007000003",
    "4000008005000000",
];
/// Until everything that was begun has ended, days.
const DAYS_UNTIL_REST: u32 = 30;
const OPEN: &str = "SELECT id FROM payments WHERE state IN ('authorizing', 'unknown')";

struct TestSystem {
    folder: Folder,
    setups: Vec<Setup>,
    merchant: Merchant,
    network: Arc<Network>,
    chance: Chance,
    seed: u64,
    tasks: JoinSet<()>,
}

impl TestSystem {
    fn build(database: Option<&str>, verifiers: usize) -> Self {
        let seed = seed();
        let folder = Folder::new("crash-renewals");
        let mut setup = Setup::on_sqlite(folder.path())
            .with("--provider-timeout-ms", PROVIDER_TIMEOUT_MS)
            .with("--widget-dir", "no-widget");
        if let Some(url) = database {
            url.clone_into(&mut setup.database);
        }
        let merchant = setup.add_merchant(None);
        let setups = on_ports_of_their_own(&setup, verifiers);
        let addresses = setups.iter().map(|setup| setup.listen).collect();
        let network = Network::new(addresses, setup.origin.authority().to_owned());
        Self {
            folder,
            setups,
            merchant,
            network: Arc::new(network),
            chance: Chance::of(seed),
            seed,
            tasks: JoinSet::new(),
        }
    }

    /// Customers with each card and subscriptions of different lengths; and a slow bank whose answer
    /// is sometimes lost.
    async fn fill(&self) {
        let mut subscribers = Subscribers::of(&self.merchant, &self.setups[0]).await;
        let declined = json!({"simulate":
            {"outcome": "insufficient_funds", "invoice": 2, "payments": 3}});
        let mut prices = Vec::new();
        for (unit, count, changes) in [
            ("day", 1, json!({})),
            ("day", 2, declined.clone()),
            ("day", 3, json!({})),
            ("week", 1, declined),
            ("month", 1, json!({})),
        ] {
            let interval = json!({"unit": unit, "count": count});
            prices.push(subscribers.price(900, interval, &changes).await);
        }
        let dunning = json!({"delays_hours": {"later": [6, 12, 24, 24], "back_off": [1, 1]},
            "horizon_days": 10, "end": "keep"});
        for (place, card) in CARDS.iter().enumerate() {
            let reference = format!("customer-{place}");
            let (customer, agreement) = subscribers.agree(&reference, card).await;
            for price in &prices {
                let body = json!({"customer": customer, "agreement": agreement,
                    "items": [{"price": price}], "dunning": dunning});
                subscribers.write("/v1/subscriptions", &body).await;
            }
        }
        let slow = json!({"kind": "latency", "min_ms": 0, "max_ms": 25, "share_per_mille": 1000});
        let lost = json!({"kind": "response_lost", "share_per_mille": 40});
        for fault in [slow, lost] {
            subscribers.order("/sim/faults", &fault).await;
        }
    }

    /// The clock jumps, at one of the verifiers or at all of them.
    fn jump(&mut self) {
        let seconds = *self.chance.pick(&JUMPS);
        let all = self.chance.once_in(3);
        let first = super::money::index(&mut self.chance, self.setups.len());
        for (place, setup) in self.setups.iter().enumerate() {
            if all || place == first {
                let (network, address) = (Arc::clone(&self.network), setup.listen);
                self.tasks.spawn(async move {
                    advance(&network, address, seconds).await;
                });
            }
        }
    }

    /// Kills one of those that run, in the middle of what has become due.
    async fn kill_one(&mut self, running: &mut Vec<VerifierProcess>, place: usize) {
        let mut victim = running.remove(place);
        victim.first_answer().await;
        self.jump();
        sleep(Duration::from_millis(self.chance.between(0, 900))).await;
        victim.kill();
        sleep(Duration::from_millis(self.chance.between(0, 100))).await;
    }

    /// Everything that was begun ends, and what is due is done.
    async fn come_to_rest(&mut self, address: SocketAddr) {
        while self.tasks.join_next().await.is_some() {}
        let stored = self.stored();
        for day in 0.. {
            assert!(day < DAYS_UNTIL_REST, "there is no rest");
            let moved = advance(&self.network, address, DAY).await;
            assert!(moved, "the clock can be moved");
            if day > 2 && stored.rows(OPEN).await.is_empty() {
                return;
            }
        }
    }

    fn stored(&self) -> StoredState {
        stored_in(&self.setups[0], "sealpay.sqlite")
    }

    async fn evidence(&self) -> Evidence {
        let book = stored_in(&self.setups[0], "simulated-bank.sqlite");
        Evidence::gather(&self.stored(), &book).await
    }

    async fn judge(self, kills: u64, since: Instant) {
        let evidence = self.evidence().await;
        let mut findings = evidence.findings();
        let log = std::fs::read(&self.setups[0].log).unwrap();
        let log = String::from_utf8_lossy(&log);
        let is_error = |line: &&str| line.contains("ERROR");
        findings.extend(log.lines().filter(is_error).map(str::to_owned));
        let declined = evidence.tries.iter().filter(|one| one.state == "declined");
        let declined = declined.count();
        eprintln!(
            "{kills} kills in {} s: {} subscriptions, {} invoices, {} tries ({declined} declined), \
             {} events, {} findings",
            since.elapsed().as_secs(),
            evidence.subscriptions.len(),
            evidence.invoices.len(),
            evidence.tries.len(),
            evidence.events.len(),
            findings.len(),
        );
        if !findings.is_empty() {
            fail(self.folder, self.seed, findings);
        }
        let renewed = evidence.invoices.len() - evidence.subscriptions.len();
        assert!(renewed > 10 && declined > 0, "{renewed} renewals");
    }
}

/// Whether the clock was moved, as far as is known.
async fn advance(network: &Network, address: SocketAddr, seconds: u64) -> bool {
    let order = json!({"advance_seconds": seconds});
    let request = Prepared::with_json("POST", "/sim/clock", &order);
    let answer = network.ask_once(address, &request).await;
    answer.is_some_and(|(status, _)| status == 200)
}

async fn kill_and_judge(mut system: TestSystem) {
    let since = Instant::now();
    let kills = kills();
    let setups = system.setups.clone();
    let mut running = Vec::new();
    for setup in &setups {
        running.push(setup.started().await.0);
    }
    system.fill().await;
    for _ in 0..kills {
        let place = super::money::index(&mut system.chance, setups.len());
        system.kill_one(&mut running, place).await;
        running.insert(place, setups[place].start());
    }
    for process in &mut running {
        process.first_answer().await;
    }
    system.come_to_rest(setups[0].listen).await;
    drop(running);
    system.judge(kills, since).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_verifier_bills_each_period_once() {
    kill_and_judge(TestSystem::build(None, 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alternately_killed_verifiers_bill_each_period_once_on_postgres() {
    if let Some(database) = fresh_database().await {
        kill_and_judge(TestSystem::build(Some(database.url()), 2)).await;
    }
}

#[rustfmt::skip]
const FALSEHOODS: [Falsehood<Evidence>; 10] = [
    (|e| drop(e.invoices.remove(1)), "invoiced"),
    (|e| e.invoices.push(e.invoices[0].clone()), "invoiced"),
    (|e| e.invoices[1].span.0 += 1, "does not begin where"),
    (|e| e.invoices[1].number.clear(), "there is no INV-"),
    (|e| drop(e.events.iter().position(|one| one.0 == "subscription.renewed").map(|place| e.events.remove(place))), "by its events"),
    (|e| paid(e).state = "open".into(), "and was charged 1 times"),
    (|e| { let again = captured(e).clone(); e.tries.push(again); }, "and was charged 2 times"),
    (|e| e.approved.push(e.approved[0].clone()), "approved one reference twice"),
    (|e| drop(e.approved.remove(0)), "only one of bank and verifier"),
    (|e| { let mut one = captured(e).clone(); one.state = "declined".into(); e.tries.extend(vec![one; 21]); }, "was tried 2"),
];

fn paid(evidence: &mut Evidence) -> &mut Invoice {
    let mut invoices = evidence.invoices.iter_mut();
    invoices.find(|one| one.state == "paid").unwrap()
}

fn captured(evidence: &Evidence) -> &Try {
    let mut tries = evidence.tries.iter();
    let visa = |one: &&Try| one.state == "captured" && one.brand == "visa";
    tries.find(visa).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_falsified_renewal_is_detected() {
    let mut system = TestSystem::build(None, 1);
    let setup = system.setups[0].clone();
    let (process, _) = setup.started().await;
    system.fill().await;
    system.come_to_rest(setup.listen).await;
    drop(process);
    let evidence = system.evidence().await;
    assert_eq!(evidence.findings(), Vec::<String>::new());
    expect_each_to_be_found(&evidence, &FALSEHOODS, Evidence::findings);
}
