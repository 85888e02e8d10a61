//! A receiver as a process of its own.

use crate::interop::peers::{PYTHON, said, skip};
use harness::folder::Folder;
use harness::processes::free_address;
use harness::processes::{Running, program, workspace};
use harness::time::random;
use harness::time::seen_when;
use sealpay_protocol::encoding::hex;
use std::net::SocketAddr;
use std::process::Command;

/// A language that the examples are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Node,
    Python,
    Rust,
}

/// How an example is called, with the settings that its packages need.
#[derive(Debug, Clone)]
pub(crate) struct Call(Vec<String>);

impl Language {
    /// How it is called here; `None`, said loudly, when what it needs is missing.
    pub(crate) fn call(self, test: &str) -> Option<Call> {
        let example = |path: &str| {
            let path = workspace().join("examples/receivers").join(path);
            path.to_string_lossy().into_owned()
        };
        let words = match self {
            Self::Node => {
                if let Err(reason) = node_is_new_enough() {
                    skip(test, "Node.js", &reason);
                    return None;
                }
                vec!["node".into(), example("node/receive.mjs")]
            }
            Self::Python => {
                let path = match python_has_cryptography() {
                    Ok(()) => String::new(),
                    Err(_) => PYTHON.folder(test)?.to_string_lossy().into_owned(),
                };
                let packages = format!("PYTHONPATH={path}");
                vec![packages, "python3".into(), example("python/receive.py")]
            }
            Self::Rust => vec![program("webhook-receiver").to_string_lossy().into_owned()],
        };
        Some(Call(words))
    }
}

fn node_is_new_enough() -> Result<(), String> {
    let version = said("node", &["--version"])?;
    let major = version.trim_start_matches('v').split('.').next();
    let major = major.and_then(|text| text.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 18) {
        Ok(())
    } else {
        Err(format!("Node.js {} is older than 18", version.trim()))
    }
}

fn python_has_cryptography() -> Result<(), String> {
    let question = "import sys, cryptography.hazmat.primitives.asymmetric.ed25519; \
                    sys.exit(sys.version_info < (3, 10))";
    said("python3", &["-c", question]).map(drop)
}

impl Call {
    /// Another program in the example's language, which is given the example's own path.
    pub(crate) fn script(&self, name: &str, text: &str, folder: &Folder) -> Command {
        let script = folder.path().join(name);
        std::fs::write(&script, text).unwrap();
        let (example, before) = self.0.split_last().unwrap();
        let mut command = Command::new("env");
        command.args(before).arg(script).arg(example);
        command
    }

    /// The command with settings. They are passed by `env`, because the watchdog of the tests hands
    /// on words only.
    pub(crate) fn with(&self, settings: &[(&str, String)]) -> Command {
        let mut command = Command::new("env");
        command.args(["NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"]);
        command.args(
            settings
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        );
        command.args(&self.0);
        command
    }
}

/// A receiver that runs.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    running: Running,
}

/// Where a receiver will listen, and what is registered with the verifier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address(SocketAddr);

impl Address {
    pub(crate) fn find() -> Self {
        Self(free_address())
    }

    pub(crate) fn url(self) -> String {
        format!("http://{}/webhooks/sealpay", self.0)
    }

    /// Starts a receiver here and waits until it says that it listens.
    pub(crate) async fn start(
        self,
        call: &Call,
        folder: &Folder,
        settings: &[(&str, String)],
    ) -> Receiver {
        let port = ("PORT", self.0.port().to_string());
        let settings = [settings, &[port]].concat();
        let log = folder
            .path()
            .join(format!("receiver-{}.log", hex(&random::<4>())));
        let running = Running::start(&call.with(&settings), &log, None);
        let line = format!("listening on {}\n", self.url());
        let listens = |log: &String| log.contains(&line);
        seen_when("the receiver", async || running.log(), listens).await;
        Receiver {
            address: self.0,
            running,
        }
    }
}

impl Receiver {
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        Address(self.address).url()
    }

    /// Everything it said.
    pub(crate) fn log(&self) -> String {
        self.running.log()
    }

    /// What it said of an event: `processed`, `duplicate`, `stale`, in their order.
    pub(crate) fn said_of(&self, id: &str) -> Vec<String> {
        let log = self.log();
        let lines = log.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let of_it = lines.filter(|words| words.get(1) == Some(&id));
        of_it.map(|words| words[0].to_owned()).collect()
    }

    /// Waits until it has said this of an event, because a second copy is sent after the first.
    pub(crate) async fn will_have_said_of(&self, id: &str, expected: &[&str]) {
        seen_when(id, async || self.said_of(id), |said| said == expected).await;
    }
}
