//! The real verifier as a process of its own, to be killed and started again on what it kept.

use crate::client::{Merchant, SHOP_ORIGIN, origin};
use crate::load::{KeepAlive, get};
use crate::processes::{self, free_address, json_of};
use crate::time::random;
use ed25519_dalek::SigningKey;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::origin::Origin;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a start may take: a loaded machine may have to read back a long log first.
const STARTING: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(1);

/// The program.
#[must_use]
pub fn program() -> PathBuf {
    processes::program("verifier-server")
}

/// Whether a path belongs to the operator's listener.
#[must_use]
pub fn is_for_operators(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    matches!(path, "/sim" | "/metrics" | "/readyz") || path.starts_with("/sim/")
}

/// Where the operator's listener of a verifier is: the same port of another loopback address, so that
/// nobody has to be told.
#[must_use]
pub fn control_of(listen: SocketAddr) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 2], listen.port()))
}

/// Which of a verifier's two listeners serves a path.
#[must_use]
pub fn listener_of(listen: SocketAddr, path: &str) -> SocketAddr {
    if is_for_operators(path) {
        control_of(listen)
    } else {
        listen
    }
}

/// How a verifier is run; the same again after it was killed.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The folder for what it keeps.
    pub data: PathBuf,
    /// `sqlite`, or a Postgres URL.
    pub database: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The origin that orders and signatures name.
    pub origin: Origin,
    /// Where its log is written to, behind what is there.
    pub log: PathBuf,
    /// Further flags of `serve`.
    pub flags: Vec<String>,
}

impl Setup {
    /// A test on SQLite, on a free port, without a rate limit; webhooks may go to this machine.
    #[must_use]
    pub fn on_sqlite(folder: &Path) -> Self {
        let listen = free_address();
        let flags = [
            "--test-mode",
            "--rate-limit-per-second",
            "0",
            "--webhook-allow",
            "127.0.0.0/8",
            "--webhook-allow-http",
        ];
        Self {
            data: folder.join("data"),
            database: "sqlite".into(),
            listen,
            origin: origin(&format!("http://{listen}")),
            log: folder.join("verifier.log"),
            flags: flags.map(str::to_owned).to_vec(),
        }
    }

    /// Adds a flag with its value.
    #[must_use]
    pub fn with(mut self, flag: &str, value: &str) -> Self {
        self.flags.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// Another command of the program on the same data, such as `ledger`.
    #[must_use]
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(words).arg("--data").arg(&self.data);
        command.args(["--database", &self.database]);
        command
    }

    /// Registers a merchant whose pages are those of [`SHOP_ORIGIN`].
    #[must_use]
    pub fn add_merchant(&self, webhook_url: Option<&str>) -> Merchant {
        self.add_merchant_on(SHOP_ORIGIN, webhook_url)
    }

    /// Registers a merchant by the command line, as an operator does.
    #[must_use]
    pub fn add_merchant_on(&self, site: &str, webhook_url: Option<&str>) -> Merchant {
        let key = SigningKey::from_bytes(&random());
        let mut add = self.command(&["merchant", "add", "--json"]);
        add.args(["--name", "Paper Lantern", "--key-id", "order-key"]);
        add.args(["--public-key", &base64url(key.verifying_key().as_bytes())]);
        add.args(["--origin", site]);
        if let Some(url) = webhook_url {
            add.args(["--webhook-url", url]);
        }
        let made = json_of(add);
        let text = |member: &str| made[member].as_str().map(str::to_owned);
        let id = text("merchant").and_then(|id| id.parse().ok());
        Merchant {
            id: id.expect("the merchant has an id"),
            key_id: text("key_id").expect("the key has a name"),
            key,
            api_key: text("api_key").expect("there is an API key"),
            webhook_secret: text("webhook_secret"),
        }
    }

    /// Starts the verifier.
    #[must_use]
    pub fn start(&self) -> VerifierProcess {
        let log = OpenOptions::new().append(true).create(true).open(&self.log);
        let mut serve = self.command(&["serve"]);
        serve.args(["--listen", &self.listen.to_string()]);
        serve.args(["--public-origin", self.origin.as_str()]);
        serve.args(["--control-listen", &control_of(self.listen).to_string()]);
        serve.args(&self.flags);
        serve.stdin(Stdio::null()).stdout(Stdio::null());
        serve.stderr(log.expect("the log can be written"));
        let started = Instant::now();
        VerifierProcess {
            child: serve.spawn().expect("the verifier starts"),
            address: self.listen,
            log: self.log.clone(),
            started,
        }
    }

    /// Starts the verifier, waits for its first answer, and says how long that took.
    pub async fn started(&self) -> (VerifierProcess, Duration) {
        let mut process = self.start();
        let took = process.first_answer().await;
        (process, took)
    }
}

/// A running verifier. It is killed when this is dropped.
#[derive(Debug)]
pub struct VerifierProcess {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
    started: Instant,
}

impl VerifierProcess {
    /// Waits for the first answer; how long it took since the start.
    pub async fn first_answer(&mut self) -> Duration {
        loop {
            if let Ok(mut connection) = KeepAlive::connect(self.address).await
                && let Ok(answer) = connection.exchange(&get("/healthz", self.address)).await
                && answer.status == 200
            {
                return self.started.elapsed();
            }
            let ended = !matches!(self.child.try_wait(), Ok(None));
            let late = self.started.elapsed() > STARTING;
            assert!(
                !ended && !late,
                "the verifier does not answer:\n{}",
                self.last_words()
            );
            sleep(GLANCE).await;
        }
    }

    /// Ends it in the middle of whatever it does (SIGKILL).
    pub fn kill(mut self) {
        let running = matches!(self.child.try_wait(), Ok(None));
        assert!(
            running,
            "the verifier ended by itself:\n{}",
            self.last_words()
        );
        drop(self);
    }

    /// Memory that it occupies now, KiB.
    #[must_use]
    pub fn resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) {
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            let late = began.elapsed() > STARTING;
            assert!(!late, "the verifier does not end:\n{}", self.last_words());
            sleep(GLANCE).await;
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of its log.
    #[must_use]
    pub fn last_words(&self) -> String {
        last_lines(&self.log)
    }
}

impl Drop for VerifierProcess {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The last lines of a log.
#[must_use]
pub fn last_lines(log: &Path) -> String {
    let said = std::fs::read(log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
