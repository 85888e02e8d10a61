//! A verifier is killed under load, again and again, at random moments.
//!
//! The real program with a real database, shoppers on real connections and a merchant who takes
//! webhooks. `SEALPAY_CRASH_KILLS` says how often (6 otherwise), `SEALPAY_CRASH_SEED` repeats a run
//! as far as the operating system allows.

mod evidence;
mod money;
mod renewals;
mod shopper;

use evidence::{Evidence, Keys};
use harness::chance::Chance;
use harness::folder::Folder;
use harness::leaks;
use harness::load::{KeepAlive, get};
use harness::postgres::fresh_database;
use harness::processes::{free_address, setting};
use harness::rows::StoredState;
use harness::time::random;
use harness::verifier_process::{Setup, VerifierProcess};
use harness::webhook_receiver::WebhookReceiver;
use sealpay_protocol::webhook::{EndpointSecret, public_key};
use shopper::{Acknowledged, PATIENT, QUICK, Traffic};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const QUICK_SHOPPERS: usize = 12;
const PATIENT_SHOPPERS: usize = 24;

/// Longer than the bank takes when it is slow, so that a kill finds it thinking.
const PROVIDER_TIMEOUT_MS: &str = "3500";

/// A delivery that was begun by a verifier that is dead is tried again when its lease has run out.
const UNTIL_QUIET: Duration = Duration::from_secs(60);

/// One system: what is kept, who shops, who is told.
struct TestSystem {
    folder: Folder,
    stored: StoredState,
    setups: Vec<Setup>,
    traffic: Arc<Traffic>,
    receiver: WebhookReceiver,
    secret: EndpointSecret,
    chance: Chance,
    seed: u64,
}

impl TestSystem {
    /// As many verifiers as there are to be, on one database; none of them runs yet.
    async fn build(database: Option<&str>, verifiers: usize) -> Self {
        let seed = seed();
        let folder = Folder::new("crash");
        let mut setup = Setup::on_sqlite(folder.path())
            .with("--provider-timeout-ms", PROVIDER_TIMEOUT_MS)
            .with("--widget-dir", "no-widget");
        if let Some(url) = database {
            url.clone_into(&mut setup.database);
        }
        let stored = stored_in(&setup, "sealpay.sqlite");
        let receiver = WebhookReceiver::start().await;
        let merchant = setup.add_merchant(Some(receiver.url()));
        let secret = merchant
            .webhook_secret
            .as_deref()
            .and_then(EndpointSecret::parse)
            .unwrap();
        let setups = on_ports_of_their_own(&setup, verifiers);
        let addresses = setups.iter().map(|setup| setup.listen).collect();
        let traffic = Arc::new(Traffic::new(merchant, setup.origin.clone(), addresses));
        let chance = Chance::of(seed);
        Self {
            folder,
            stored,
            setups,
            traffic,
            receiver,
            secret,
            chance,
            seed,
        }
    }

    fn send_shoppers_out(&mut self) -> JoinSet<()> {
        let mut shoppers = JoinSet::new();
        let kinds = [(QUICK_SHOPPERS, QUICK), (PATIENT_SHOPPERS, PATIENT)];
        for (number, habits) in kinds {
            for _ in 0..number {
                let (traffic, chance) = (Arc::clone(&self.traffic), self.chance.branch());
                shoppers.spawn(async move { traffic.shopper(habits, chance).await });
            }
        }
        shoppers
    }

    /// Everybody finishes, and then everything: nothing is open and nothing is to be delivered.
    async fn come_to_rest(&self, shoppers: JoinSet<()>) {
        self.traffic.close();
        shoppers.join_all().await;
        const OPEN: &str = "SELECT COUNT(*) FROM payments
            WHERE state NOT IN ('captured', 'declined')";
        const PENDING: &str = "SELECT COUNT(*) FROM deliveries WHERE state = 'pending'";
        let started = Instant::now();
        loop {
            let (open, pending) = (
                self.stored.number(OPEN).await,
                self.stored.number(PENDING).await,
            );
            if (open, pending) == (0, 0) {
                return;
            }
            let late = started.elapsed() > UNTIL_QUIET;
            assert!(
                !late,
                "{open} payments and {pending} deliveries are open for too long"
            );
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn keys(&self, running: &Setup) -> Keys {
        let mut connection = KeepAlive::connect(running.listen).await.unwrap();
        let answer = connection
            .exchange(&get("/v1/keys", running.listen))
            .await
            .unwrap();
        let keys: serde_json::Value = serde_json::from_slice(answer.body).unwrap();
        let key = public_key(keys["webhook_keys"][0]["public_key"].as_str().unwrap());
        let secret = EndpointSecret::new(*self.secret.bytes());
        Keys {
            key: key.unwrap(),
            secret,
        }
    }

    async fn evidence(&self) -> Evidence {
        let records = self.traffic.records.lock().unwrap().clone();
        let book = stored_in(&self.setups[0], "simulated-bank.sqlite");
        Evidence::gather(&self.stored, &book, records, self.receiver.arrivals()).await
    }

    /// Says what was seen, and fails where something is not as it must be.
    async fn judge(self, keys: &Keys, kills: u64) {
        let evidence = self.evidence().await;
        let mut findings = self.traffic.complaints.lock().unwrap().clone();
        findings.extend(evidence.findings(keys));
        findings.extend(leaks::in_folder(self.folder.path(), &[]));
        let captured = evidence
            .payments
            .values()
            .filter(|payment| payment.state == "captured");
        let events: usize = evidence.events.values().map(Vec::len).sum();
        let cut = self.traffic.cut.load(Ordering::Relaxed);
        let again = self.traffic.asked_again.load(Ordering::Relaxed);
        eprintln!(
            "{kills} kills: {} answers acknowledged, {} payments ({} captured), {events} events, \
             {} deliveries, {cut} requests cut off under way, {again} earlier answers asked for \
             again, {} findings",
            evidence.records.len(),
            evidence.payments.len(),
            captured.count(),
            evidence.arrivals.len(),
            findings.len(),
        );
        if findings.is_empty() {
            assert!(cut > 0, "no kill hit a request: there was no load");
            return;
        }
        fail(self.folder, self.seed, findings);
    }
}

/// The number that decides a run.
fn seed() -> u64 {
    let seed = setting("SEALPAY_CRASH_SEED").and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(u32::from_be_bytes(random())));
    eprintln!("SEALPAY_CRASH_SEED={seed}");
    seed
}

/// A file of the verifier's, or its Postgres database.
fn stored_in(setup: &Setup, file: &str) -> StoredState {
    match setup.database.as_str() {
        "sqlite" => StoredState::Sqlite(setup.data.join(file)),
        url => StoredState::Postgres(url.to_owned()),
    }
}

/// So many verifiers on the same data.
fn on_ports_of_their_own(setup: &Setup, verifiers: usize) -> Vec<Setup> {
    let another = |_| Setup {
        listen: free_address(),
        ..setup.clone()
    };
    (0..verifiers).map(another).collect()
}

/// Says what was found, and keeps what is needed to find out why.
fn fail(folder: Folder, seed: u64, mut findings: Vec<String>) -> ! {
    let path = folder.path().to_owned();
    std::mem::forget(folder);
    findings.truncate(40);
    let shown = findings.join("\n");
    panic!("seed {seed}, kept in {}:\n{shown}", path.display());
}

fn kills() -> u64 {
    setting("SEALPAY_CRASH_KILLS")
        .and_then(|text| text.parse().ok())
        .unwrap_or(6)
}

/// A moment that is sometimes in the middle of the start, and mostly under full load.
async fn wait_for_a_bad_moment(process: &mut VerifierProcess, chance: &mut Chance) {
    if chance.once_in(5) {
        sleep(Duration::from_millis(chance.between(0, 80))).await;
        return;
    }
    process.first_answer().await;
    sleep(Duration::from_millis(chance.between(50, 900))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_verifier_loses_nothing_and_charges_nothing_twice() {
    let mut system = TestSystem::build(None, 1).await;
    let kills = kills();
    let setup = system.setups[0].clone();
    let (mut process, _) = setup.started().await;
    let shoppers = system.send_shoppers_out();
    for _ in 0..kills {
        wait_for_a_bad_moment(&mut process, &mut system.chance).await;
        process.kill();
        sleep(Duration::from_millis(system.chance.between(0, 100))).await;
        process = setup.start();
    }
    process.first_answer().await;
    system.come_to_rest(shoppers).await;
    let keys = system.keys(&setup).await;
    drop(process);
    system.judge(&keys, kills).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verifier_finishes_the_work_of_a_killed_one_on_the_same_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    let mut system = TestSystem::build(Some(database.url()), 2).await;
    let kills = kills();
    let setups = system.setups.clone();
    let mut processes = Vec::new();
    for setup in &setups {
        processes.push(setup.started().await.0);
    }
    let shoppers = system.send_shoppers_out();
    for _ in 1..kills {
        let victim = usize::try_from(system.chance.between(0, 2)).unwrap();
        let mut process = processes.remove(victim);
        wait_for_a_bad_moment(&mut process, &mut system.chance).await;
        process.kill();
        sleep(Duration::from_millis(system.chance.between(0, 1000))).await;
        processes.insert(victim, setups[victim].start());
    }
    // The first is never started again: what it has begun is the other's to finish.
    let mut first = processes.remove(0);
    wait_for_a_bad_moment(&mut first, &mut system.chance).await;
    first.kill();
    processes[0].first_answer().await;
    system.come_to_rest(shoppers).await;
    let keys = system.keys(&setups[1]).await;
    drop(processes);
    system.judge(&keys, kills).await;
}

/// A change that makes evidence false, and a part of the sentence that has to report it.
type Falsehood<E> = (fn(&mut E), &'static str);

#[rustfmt::skip]
const FALSEHOODS: [Falsehood<Evidence>; 14] = [
    (|e| drop(e.payments.pop_first()), "is lost"),
    (|e| first_payment(e, "captured").state = "declined".into(), "was told"),
    (|e| first_payment(e, "captured").state = "authorizing".into(), "is left authorizing"),
    (|e| first_payment(e, "declined").state = "unknown".into(), "is left unknown"),
    (pay_twice, "was paid 2 times"),
    (|e| first_booked(e).answer = "lost_card".into(), "the bank says lost_card"),
    (|e| first_booked(e).money = "1 EUR".into(), "the bank took 1 EUR"),
    (|e| drop(e.book.pop_first()), "the bank knows nothing of"),
    (|e| rename(&mut e.book), "the verifier does not"),
    (|e| e.events.values_mut().for_each(|events| drop(events.remove(0))), "gap or a double"),
    (|e| first_event(e).kind = "payment.authorized".into(), "and its events are"),
    (|e| first_event(e).body = "{}".into(), "does not tell of"),
    (|e| e.arrivals[0].body.push(b' '), "No signature of the webhook fits"),
    (|e| drop(e.arrivals.remove(0)), "never arrived"),
];

fn first_payment<'a>(evidence: &'a mut Evidence, state: &str) -> &'a mut evidence::Payment {
    evidence
        .payments
        .values_mut()
        .find(|payment| payment.state == state)
        .unwrap()
}

fn first_booked(evidence: &mut Evidence) -> &mut evidence::Booked {
    evidence
        .book
        .values_mut()
        .find(|booked| booked.answer == "approved")
        .unwrap()
}

fn first_event(evidence: &mut Evidence) -> &mut evidence::Event {
    evidence
        .events
        .values_mut()
        .next()
        .unwrap()
        .first_mut()
        .unwrap()
}

fn pay_twice(evidence: &mut Evidence) {
    let payment = first_payment(evidence, "captured").clone();
    evidence.payments.insert("pay_again".into(), payment);
}

fn rename(book: &mut std::collections::BTreeMap<String, evidence::Booked>) {
    let (_, booked) = book.pop_first().unwrap();
    book.insert("pay_strange".into(), booked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_falsified_crash_record_is_detected() {
    let mut system = TestSystem::build(None, 1).await;
    let setup = system.setups[0].clone();
    let (process, _) = setup.started().await;
    let shoppers = system.send_shoppers_out();
    sleep(Duration::from_millis(500)).await;
    system.come_to_rest(shoppers).await;
    let keys = system.keys(&setup).await;
    drop(process);
    let evidence = system.evidence().await;
    assert_eq!(evidence.findings(&keys), Vec::<String>::new());
    assert!(
        evidence
            .records
            .iter()
            .any(|record| record.told == Acknowledged::SessionComplete)
    );
    expect_each_to_be_found(&evidence, &FALSEHOODS, |falsified| {
        falsified.findings(&keys)
    });
}

/// Each falsehood is found by itself, and the sentence about it says what it is.
fn expect_each_to_be_found<E: Clone>(
    evidence: &E,
    falsehoods: &[Falsehood<E>],
    findings: impl Fn(&E) -> Vec<String>,
) {
    for (falsify, sentence) in falsehoods {
        let mut falsified = evidence.clone();
        falsify(&mut falsified);
        let findings = findings(&falsified);
        let found = findings.iter().any(|finding| finding.contains(sentence));
        assert!(found, "{sentence}: {findings:?}");
    }
}
