//! Finds Node.js and Python, installs pinned packages below the target folder, and calls the peers.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::{env, fs, io, thread};

/// A language with libraries of other people.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) packages: &'static [&'static str],
    pub(crate) script: (&'static str, &'static str),
    /// Tells whether the tools are there, and installs the packages into a folder.
    pub(crate) needs: fn() -> Result<(), String>,
    pub(crate) install: fn(&Path, &[&str]) -> Command,
    pub(crate) run: fn(&Path) -> Command,
    pub(crate) ready: OnceLock<Result<PathBuf, String>>,
}

pub(crate) static NODE: Peer = Peer {
    name: "Node.js",
    packages: &[
        "@hpke/core@1.9.0",
        "@hpke/hybridkem-x-wing@0.7.0",
        "@hpke/chacha20poly1305@1.8.0",
        "http-message-signatures@1.0.6",
        "jose@6.2.17",
        "standardwebhooks@1.1.1",
    ],
    script: ("peer.mjs", include_str!("peer.mjs")),
    needs: || {
        // Ed25519 in the Web Cryptography of Node.js needs version 20.
        let version = said("node", &["--version"])?;
        let major = version.trim_start_matches('v').split('.').next();
        let major = major.and_then(|text| text.parse::<u32>().ok());
        if major.is_none_or(|major| major < 20) {
            return Err(format!("Node.js {} is older than 20", version.trim()));
        }
        said("npm", &["--version"]).map(drop)
    },
    install: |folder, packages| {
        let mut command = Command::new("npm");
        command.args([
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--save-exact",
        ]);
        command.arg("--prefix").arg(folder).args(packages);
        command
    },
    run: |folder| {
        let mut command = Command::new("node");
        command.arg(folder.join("peer.mjs"));
        command
    },
    ready: OnceLock::new(),
};

pub(crate) static PYTHON: Peer = Peer {
    name: "Python",
    packages: &[
        "cryptography==50.0.2",
        "http-message-signatures==3.0.0",
        "python-dateutil==2.9.0.post0",
        "schwifty==2026.10.1",
        "standardwebhooks==1.1.0",
        "tzdata==2026.6",
    ],
    script: ("peer.py", include_str!("peer.py")),
    needs: || said("python3", &["-m", "pip", "--version"]).map(drop),
    install: |folder, packages| {
        let mut command = Command::new("python3");
        command.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        command.arg("--target").arg(folder).args(packages);
        command
    },
    run: |folder| {
        let mut command = Command::new("python3");
        command
            .arg(folder.join("peer.py"))
            .env("PYTHONPATH", folder)
            // Time zones come from the pinned package and not from this machine.
            .env("PYTHONTZPATH", "");
        command
    },
    ready: OnceLock::new(),
};

impl Peer {
    /// Asks the questions in one process; `None`, said loudly, when the peer cannot be had.
    ///
    /// With `CI=true` a peer whose tools are there has to be had.
    pub(crate) fn ask(&self, test: &str, questions: &[Value]) -> Option<Vec<Value>> {
        let folder = self.folder(test)?;
        Some(self.answers(folder, questions))
    }

    /// Where the packages are; `None`, said loudly, when the peer cannot be had.
    pub(crate) fn folder(&self, test: &str) -> Option<&Path> {
        match self.ready.get_or_init(|| self.prepare()) {
            Ok(folder) => Some(folder),
            Err(reason) => {
                skip(test, self.name, reason);
                None
            }
        }
    }

    fn prepare(&self) -> Result<PathBuf, String> {
        (self.needs)()?;
        let test = env::current_exe().unwrap();
        let target = test.ancestors().nth(3).unwrap();
        let folder = target.join("interop").join(self.name);
        fs::create_dir_all(&folder).unwrap();
        let pins = self.packages.join("\n");
        let marker = folder.join("installed.txt");
        if fs::read_to_string(&marker).is_ok_and(|installed| installed == pins) {
            return self.with_script(folder);
        }
        let installed = (self.install)(&folder, self.packages).output();
        if let Err(reason) = succeeded(installed) {
            let in_ci = env::var_os("CI").is_some_and(|value| value == "true");
            assert!(
                !in_ci,
                "{} is here, but its packages are not: {reason}",
                self.name
            );
            return Err(format!("its packages could not be installed: {reason}"));
        }
        fs::write(marker, pins).unwrap();
        self.with_script(folder)
    }

    /// The script lies beside the packages, because Node.js looks for them from there.
    fn with_script(&self, folder: PathBuf) -> Result<PathBuf, String> {
        let (name, text) = self.script;
        fs::write(folder.join(name), text).unwrap();
        Ok(folder)
    }

    fn answers(&self, folder: &Path, questions: &[Value]) -> Vec<Value> {
        let mut child = (self.run)(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let lines: String = questions
            .iter()
            .map(|question| format!("{question}\n"))
            .collect();
        let writing = thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        assert!(
            output.status.success(),
            "{} ended with {}",
            self.name,
            output.status
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            answers.len(),
            questions.len(),
            "{} answers each line once",
            self.name
        );
        answers
    }
}

/// Says that a test was skipped. The test runner keeps what `eprintln!` says to itself when a test
/// passes.
pub(crate) fn skip(test: &str, needed: &str, reason: &str) {
    let needed = needed.to_uppercase();
    let notice = format!("\n*** SKIPPED 1 TEST: {test} NEEDS {needed}: {reason} ***\n");
    io::stderr().write_all(notice.as_bytes()).unwrap();
}

fn succeeded(output: io::Result<Output>) -> Result<String, String> {
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        let mut lines = said.lines().filter(|line| !line.trim().is_empty());
        let telling = lines
            .clone()
            .find(|line| line.to_lowercase().contains("error"));
        let line = telling.or_else(|| lines.next_back());
        Err(line.unwrap_or("it failed without a word").to_owned())
    }
}

/// What a program says, or why it could not be asked.
pub(crate) fn said(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).output();
    succeeded(output).map_err(|reason| format!("{program}: {reason}"))
}
