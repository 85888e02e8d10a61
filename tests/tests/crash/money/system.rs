//! A system that earns and settles money: merchants, verifiers, a bank and a clock that moves.

use super::connection::Network;
use super::evidence::Evidence;
use super::merchant::{Shops, index};
use crate::crash::evidence::Keys;
use crate::crash::{on_ports_of_their_own, seed, stored_in};
use crate::histories::money::database_reader::DatabaseReader;
use crate::histories::money::invariants;
use harness::chance::Chance;
use harness::client::Prepared;
use harness::folder::Folder;
use harness::rows::StoredState;
use harness::verifier_process::Setup;
use harness::webhook_receiver::WebhookReceiver;
use sealpay_protocol::webhook::{EndpointSecret, public_key};
use serde_json::{Value, json};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const MERCHANTS: usize = 3;
const CLERKS: usize = 10;

/// The longest that an answer to a webhook takes: a kill finds deliveries in progress.
const SLOWEST_WEBHOOK_MS: u64 = 60;

/// An answer that is lost on purpose is not waited for longer.
const PROVIDER_TIMEOUT_MS: &str = "800";

const DAY: u64 = 24 * 60 * 60;

/// Seconds that the clock jumps: the hours and days between a sale and its payout.
const JUMPS: [u64; 8] = [
    3_600,
    6 * 3_600,
    12 * 3_600,
    DAY,
    DAY,
    DAY,
    2 * DAY,
    3 * DAY,
];

/// How long is waited between two looks.
const A_MOMENT: Duration = Duration::from_millis(300);

/// Days that everything has to come to rest in: a hold ends after seven, and a settlement may be
/// some business days away.
const DAYS_UNTIL_REST: u32 = 40;

/// What is not at rest.
const OPEN: &str = "SELECT id || ' ' || state FROM payments WHERE state IN
      ('authorizing', 'requires_action', 'unknown', 'authorized', 'partially_captured')
    UNION ALL SELECT id FROM modifications WHERE state = 'pending'
    UNION ALL SELECT id || ' ' || kind || ' ' || settlement_date FROM balance_transactions
      WHERE settlement IS NULL
    UNION ALL SELECT id FROM payouts WHERE state = 'pending'
    UNION ALL SELECT event || ' ' || attempts FROM deliveries WHERE state = 'pending'";

/// The day that is settled next.
const NEXT: &str = "SELECT MIN(settlement_date) FROM balance_transactions WHERE settlement IS NULL";

pub(crate) struct TestSystem {
    pub(crate) folder: Folder,
    stored: StoredState,
    pub(crate) setups: Vec<Setup>,
    pub(crate) shops: Arc<Shops>,
    receiver: WebhookReceiver,
    pub(crate) chance: Chance,
    pub(crate) seed: u64,
    /// What was ordered of the system and may be under way.
    tasks: JoinSet<()>,
    /// Commands that settle, beside the verifiers.
    settling: Vec<Child>,
}

impl TestSystem {
    /// As many verifiers as there are to be, on one database; none of them runs yet.
    pub(crate) async fn build(database: Option<&str>, verifiers: usize) -> Self {
        let seed = seed();
        let mut chance = Chance::of(seed);
        let folder = Folder::new("crash-money");
        let mut setup = Setup::on_sqlite(folder.path())
            .with("--provider-timeout-ms", PROVIDER_TIMEOUT_MS)
            .with("--widget-dir", "no-widget");
        folder.path().clone_into(&mut setup.data);
        if let Some(url) = database {
            url.clone_into(&mut setup.database);
        }
        let stored = stored_in(&setup, "sealpay.sqlite");
        let receiver = WebhookReceiver::start_slow(chance.branch(), SLOWEST_WEBHOOK_MS).await;
        let merchants: Vec<_> = (0..MERCHANTS)
            .map(|place| setup.add_merchant(Some(&format!("{}/{place}", receiver.url()))))
            .collect();
        // Of one of them something is kept back for a while.
        let first = merchants[0].id.to_string();
        let reserve = ["merchant", "set-reserve", &first];
        let mut reserve = setup.command(&reserve);
        reserve.args(["--basis-points", "1000", "--days", "3"]);
        assert!(reserve.output().unwrap().status.success());
        let setups = on_ports_of_their_own(&setup, verifiers);
        let addresses = setups.iter().map(|setup| setup.listen).collect();
        let network = Network::new(addresses, setup.origin.authority().to_owned());
        let shops = Arc::new(Shops::new(merchants, setup.origin, network));
        Self {
            folder,
            stored,
            setups,
            shops,
            receiver,
            chance,
            seed,
            tasks: JoinSet::new(),
            settling: Vec::new(),
        }
    }

    pub(crate) fn open_the_shops(&mut self) -> JoinSet<()> {
        let mut merchants_at_work = JoinSet::new();
        for _ in 0..CLERKS {
            let (shops, chance) = (Arc::clone(&self.shops), self.chance.branch());
            merchants_at_work.spawn(async move { shops.work(chance).await });
        }
        merchants_at_work
    }

    /// The bank is slow to pay merchants, and now and then the answer is lost.
    pub(crate) async fn slow_the_bank_down(&self) {
        let slow = json!({"target": "payouts", "kind": "latency", "min_ms": 0, "max_ms": 25,
            "share_per_mille": 1000});
        let lost = json!({"target": "payouts", "kind": "response_lost", "share_per_mille": 40});
        for order in [slow, lost] {
            let ordered = sim("POST", "/sim/faults", &order);
            let address = self.setups[0].listen;
            let answer = self.shops.network.ask_once(address, &ordered).await;
            assert_eq!(answer.map(|(status, _)| status), Some(200), "{order}");
        }
    }

    fn somebody(&mut self) -> std::net::SocketAddr {
        let place = index(&mut self.chance, self.setups.len());
        self.setups[place].listen
    }

    /// Time passes, a payout is returned, an operator settles by hand: started here, so that the next
    /// kill happens in the middle of it.
    pub(crate) async fn make_something_due(&mut self) {
        if !self.chance.once_in(4) {
            let order = json!({"advance_seconds": *self.chance.pick(&JUMPS)});
            // Both at once where there are two, and each of them moves it.
            let both = self.setups.len() > 1 && self.chance.once_in(3);
            let addresses: Vec<_> = if both {
                self.setups.iter().map(|setup| setup.listen).collect()
            } else {
                vec![self.somebody()]
            };
            for address in addresses {
                let shops = Arc::clone(&self.shops);
                let request = sim("POST", "/sim/clock", &order);
                self.tasks.spawn(async move {
                    shops.network.ask_once(address, &request).await;
                });
            }
        }
        if self.chance.once_in(3) {
            let (shops, address) = (Arc::clone(&self.shops), self.somebody());
            let chance = self.chance.branch();
            self.tasks
                .spawn(async move { return_a_payout(&shops.network, address, chance).await });
        }
        if self.chance.once_in(6) {
            self.settle_by_hand().await;
        }
    }

    /// The day that is settled next, if there is any.
    async fn next(&self) -> Option<String> {
        let next = self.stored.rows(NEXT).await.remove(0).remove(0);
        (next != "NULL").then_some(next)
    }

    /// Starts two commands that settle the next day before its time.
    async fn settle_by_hand(&mut self) {
        if let Some(next) = self.next().await {
            let both = [0, 1].map(|_| settling(&self.setups[0], &next));
            self.settling.extend(both);
        }
    }

    /// Some of the commands are killed too; the others have to succeed.
    pub(crate) async fn end_settling(&mut self) {
        for mut settling in std::mem::take(&mut self.settling) {
            if self.chance.once_in(2) {
                let pause_ms = self.chance.between(0, 200);
                sleep(Duration::from_millis(pause_ms)).await;
                settling.kill().await.unwrap();
                continue;
            }
            let ended = settling.wait_with_output().await.unwrap();
            if !ended.status.success() {
                let said = String::from_utf8_lossy(&ended.stderr);
                self.shops.complain(format!("settling failed: {said}"));
            }
        }
    }

    /// Everybody finishes, time passes, and then nothing is on its way any more.
    pub(crate) async fn come_to_rest(
        &mut self,
        mut merchants_at_work: JoinSet<()>,
        running: &Setup,
    ) {
        self.shops.close();
        while !merchants_at_work.is_empty() {
            // A verifier that was killed while it reconciled an old payment has left a lease of several
            // minutes, and a merchant waits for the outcome.
            self.pass(running, 15 * 60).await;
            while let Ok(Some(ended)) = timeout(A_MOMENT, merchants_at_work.join_next()).await {
                ended.unwrap();
            }
        }
        while self.tasks.join_next().await.is_some() {}
        self.shops.repeat_all(self.chance.branch()).await;
        let network = &self.shops.network;
        // An answer without a body has no length, which such a line takes for a broken one.
        let no_faults = sim("DELETE", "/sim/faults", &Value::Null);
        network.ask_once(running.listen, &no_faults).await;
        let faults = sim("GET", "/sim/faults", &Value::Null);
        let answer = network.ask_once(running.listen, &faults).await;
        let (status, body) = answer.unwrap();
        let list: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, &list["data"]), (200, &json!([])));
        let mut rests = 0;
        for _ in 0..DAYS_UNTIL_REST {
            self.pass(running, DAY).await;
            // What the bank ends by itself ends a little later than what is seen here.
            rests += u32::from(self.stored.rows(OPEN).await.is_empty());
            if rests == 2 {
                return;
            }
            sleep(A_MOMENT).await;
        }
        let open = self.stored.rows(OPEN).await.concat().join(", ");
        panic!("after {DAYS_UNTIL_REST} days there is still {open}");
    }

    async fn pass(&self, running: &Setup, seconds: u64) {
        let order = sim("POST", "/sim/clock", &json!({"advance_seconds": seconds}));
        let answer = self.shops.network.ask_once(running.listen, &order).await;
        assert_eq!(answer.map(|(status, _)| status), Some(200));
    }

    async fn reader(&self) -> DatabaseReader {
        match &self.stored {
            StoredState::Sqlite(_) => DatabaseReader::on_sqlite(&self.folder),
            StoredState::Postgres(url) => DatabaseReader::on_postgres(url).await,
        }
    }

    /// What is not as it has to be at any moment. On SQLite the last reader cleans up after the
    /// verifier that was killed, so the next one has less to do at its start: not after every kill.
    pub(crate) async fn look(&self) {
        for finding in invariants::always(&self.reader().await).await {
            self.shops.complain(finding);
        }
    }

    pub(crate) async fn keys(&self, running: &Setup) -> Vec<Keys> {
        let request = Prepared::get_of("/v1/keys", None);
        let answer = self.shops.network.ask_once(running.listen, &request).await;
        let keys: Value = serde_json::from_slice(&answer.unwrap().1).unwrap();
        let key = keys["webhook_keys"][0]["public_key"].as_str().unwrap();
        let of = |secret: &str| Keys {
            key: public_key(key).unwrap(),
            secret: EndpointSecret::parse(secret).unwrap(),
        };
        let merchants = self.shops.merchants.iter();
        merchants
            .map(|merchant| of(merchant.webhook_secret.as_deref().unwrap()))
            .collect()
    }

    pub(crate) async fn evidence(&self) -> Evidence {
        let book = stored_in(&self.setups[0], "simulated-bank.sqlite");
        let shops = &self.shops;
        let merchants = shops.merchants.iter();
        let arrivals = self.receiver.arrivals().into_iter().map(|arrival| {
            let place = arrival.path.rsplit('/').next().unwrap_or_default();
            (place.parse().unwrap(), arrival)
        });
        let told = (
            shops.sales.lock().unwrap().clone(),
            shops.writes.lock().unwrap().clone(),
        );
        Evidence::gather(
            (&self.stored, &book),
            merchants.map(|merchant| merchant.id.to_string()).collect(),
            told,
            arrivals.collect(),
        )
        .await
    }

    /// What is wrong at the end, of the evidence, of the books and of the money.
    pub(crate) async fn findings(&self, evidence: &Evidence, keys: &[Keys]) -> Vec<String> {
        let mut findings = self.shops.complaints.lock().unwrap().clone();
        findings.extend(evidence.findings(keys));
        findings.extend(invariants::at_rest(&self.reader().await).await);
        // A killed process writes nothing, so every logged error was seen by a running one.
        let log = std::fs::read(&self.setups[0].log).unwrap();
        let log = String::from_utf8_lossy(&log);
        let is_error = |line: &&str| line.contains("ERROR");
        findings.extend(log.lines().filter(is_error).map(str::to_owned));
        let ledger = self.setups[0].command(&["ledger"]).output().unwrap();
        if !ledger.status.success() {
            findings.push(String::from_utf8_lossy(&ledger.stderr).into_owned());
        }
        findings
    }

    /// How often a request was cut off, and how often one was sent again.
    pub(crate) fn cut_and_repeated(&self) -> (u64, u64) {
        (
            self.shops.network.cut.load(Ordering::Relaxed),
            self.shops.repeated.load(Ordering::Relaxed),
        )
    }

    /// Two commands at the same moment, beside verifiers that run; what they have closed.
    pub(crate) async fn settled_by_two(&self) -> Vec<Value> {
        let Some(next) = self.next().await else {
            return Vec::new();
        };
        let both = [0, 1].map(|_| settling(&self.setups[0], &next));
        let mut closed = Vec::new();
        for settling in both {
            let Output {
                status,
                stdout,
                stderr,
            } = settling.wait_with_output().await.unwrap();
            assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
            let said = String::from_utf8(stdout).unwrap();
            closed.extend(said.lines().map(|line| serde_json::from_str(line).unwrap()));
        }
        closed
    }
}

fn settling(setup: &Setup, until: &str) -> Child {
    let command = setup.command(&["settle", "--until", until]);
    let mut command = Command::from(command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

fn sim(method: &str, path: &str, order: &Value) -> Prepared {
    if order.is_null() {
        let mut request = Prepared::get_of(path, None);
        request.method = method.into();
        return request;
    }
    Prepared::with_json(method, path, order)
}

/// The merchant's bank sends one of the newest payouts back.
async fn return_a_payout(network: &Network, address: std::net::SocketAddr, mut chance: Chance) {
    let list = sim("GET", "/sim/payouts", &Value::Null);
    let Some((200, body)) = network.ask_once(address, &list).await else {
        return;
    };
    let listed: Value = serde_json::from_slice(&body).unwrap();
    let paid: Vec<&str> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|payout| payout["state"] == "paid")
        .filter_map(|payout| payout["id"].as_str())
        .collect();
    if !paid.is_empty() {
        let path = format!("/sim/payouts/{}/return", chance.pick(&paid));
        let order = json!({"reason": "account_closed"});
        network.ask_once(address, &sim("POST", &path, &order)).await;
    }
}
