//! Our own programs as real processes: started for tests, and gone with the tests.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

/// How long a program may take until it listens. A loaded machine that has just built it is slow.
const STARTING: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(20);
/// A port that was free a moment ago may be taken by somebody else before the program has it.
const PORTS_TO_TRY: u32 = 5;

/// Sends `$SIGNAL` to the program when its standard input ends, which the operating system sees to, even when
/// the tests are killed. `$FOLDER` is thrown away then, unless the last word was to keep it, and
/// so is the environment that it stood on when nothing else does. In the end nobody of the group is left,
/// such as a browser whose driver is gone.
const WATCHDOG: &str = r#"
"$@" &
program=$!
word=$(cat)
trap '' "$SIGNAL"
kill -s "$SIGNAL" 0
( sleep 5; kill -KILL $program ) > /dev/null 2>&1 &
wait $program
if [ -n "$FOLDER" ] && [ "$word" != keep ]; then
  rm -rf "$FOLDER"
  case "${FOLDER%/*}" in */sealpay-*) rmdir "${FOLDER%/*}" 2> /dev/null ;; esac
fi
kill -KILL 0
"#;

/// Whether there is time for more of everything, as in `cargo xtask test --long`.
#[must_use]
pub fn is_long_run() -> bool {
    setting("SEALPAY_LONG").is_some()
}

/// A setting of the environment that is there and not empty.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is where tests learn of programs and browsers"
)]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The root of the workspace.
#[must_use]
pub fn workspace() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests stand in the workspace")
}

/// The folder into which everything is built.
#[must_use]
pub fn target() -> PathBuf {
    let own = std::env::current_exe().expect("a process knows its program");
    // …/target/debug/deps/all-0123456789abcdef
    let target = own
        .ancestors()
        .nth(3)
        .expect("tests stand three folders deep");
    target.to_owned()
}

/// A program of ours: in `SEALPAY_BIN_DIR`, or the nearest one above the program that asks.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    if let Some(folder) = setting("SEALPAY_BIN_DIR") {
        return Path::new(&folder).join(name);
    }
    let own = std::env::current_exe().expect("a process knows its program");
    let mut found = own.ancestors().map(|folder| folder.join(name));
    let found = found.find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not there; `cargo build --workspace` makes it"))
}

/// The widget's files: in `SEALPAY_WIDGET_DIR`, or in `dist`.
#[must_use]
pub fn widget_folder() -> PathBuf {
    let folder =
        setting("SEALPAY_WIDGET_DIR").map_or_else(|| workspace().join("dist"), PathBuf::from);
    assert!(
        folder.join("index.html").is_file(),
        "there is no widget in {}; `cargo xtask widget` builds it",
        folder.display()
    );
    folder
}

/// An answer that a program prints on one line.
#[must_use]
pub fn json_of(mut command: Command) -> serde_json::Value {
    let output = command.output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}");
    serde_json::from_slice(&output.stdout).expect("the program prints JSON")
}

/// A program that runs until this is dropped.
#[derive(Debug)]
pub struct Running {
    watchdog: Child,
    leash: Option<ChildStdin>,
    log: PathBuf,
}

impl Running {
    /// Starts a program that writes to a log, and throws a folder away when it has ended.
    #[must_use]
    pub fn start(command: &Command, log: &Path, folder: Option<&Path>) -> Self {
        Self::start_with_signal("TERM", command, log, folder)
    }

    /// The same of a program that is asked to end by another signal.
    #[must_use]
    pub fn start_with_signal(
        signal: &str,
        command: &Command,
        log: &Path,
        folder: Option<&Path>,
    ) -> Self {
        let output = File::create(log).expect("the folder of the log can be written");
        let errors = output.try_clone().expect("a file has two handles");
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", WATCHDOG, "watchdog"]);
        watchdog.arg(command.get_program()).args(command.get_args());
        watchdog.env("FOLDER", folder.unwrap_or_else(|| Path::new("")));
        watchdog.env("SIGNAL", signal);
        if let Some(folder) = command.get_current_dir() {
            watchdog.current_dir(folder);
        }
        let mut watchdog = watchdog
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .expect("there is a shell");
        let leash = watchdog.stdin.take();
        Self {
            watchdog,
            leash,
            log: log.to_owned(),
        }
    }

    /// Starts a program that is told a port, on one that is free, and waits until it listens.
    #[must_use]
    pub fn listening(
        log: &Path,
        folder: Option<&Path>,
        command: impl Fn(SocketAddr) -> Command,
    ) -> (Self, SocketAddr) {
        let mut said = String::new();
        for _ in 0..PORTS_TO_TRY {
            let address = free_address();
            let mut running = Self::start(&command(address), log, folder);
            if running.wait_until_it_listens(address) {
                return (running, address);
            }
            said = running.log();
            running.keep_the_folder();
        }
        panic!("{} did not start: {said}", log.display());
    }

    fn wait_until_it_listens(&mut self, address: SocketAddr) -> bool {
        let glances = STARTING.as_millis() / GLANCE.as_millis();
        for _ in 0..glances {
            if TcpStream::connect_timeout(&address, GLANCE).is_ok() {
                return !matches!(self.watchdog.try_wait(), Ok(Some(_)));
            }
            if self.log().contains("in use") {
                return false;
            }
            std::thread::sleep(GLANCE);
        }
        false
    }

    /// What it has said so far.
    #[must_use]
    pub fn log(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(&self.log) {
            file.read_to_end(&mut bytes).ok();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The next try needs what stands in it.
    fn keep_the_folder(&mut self) {
        if let Some(leash) = &mut self.leash {
            leash.write_all(b"keep").ok();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The end of its input is what the watchdog waits for.
        drop(self.leash.take());
        self.watchdog.wait().ok();
    }
}

/// An address of this machine on which nobody listens just now.
#[must_use]
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("a listener has an address")
}

#[cfg(test)]
mod tests {
    use super::{GLANCE, Running};
    use std::path::PathBuf;
    use std::process::Command;

    #[test]
    fn a_program_ends_with_its_handle_and_its_folder_is_thrown_away() {
        let environment =
            std::env::temp_dir().join(format!("sealpay-processes-{}", std::process::id()));
        let folder = environment.join("data");
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join("log");
        let mut sleeper = Command::new("sh");
        // Its child does not end when it is asked to.
        sleeper.args([
            "-c",
            "(trap '' TERM; sleep 60) & echo $! $$ end; exec sleep 60",
        ]);
        let running = Running::start(&sleeper, &log, Some(&folder));
        while !running.log().contains("end") {
            std::thread::sleep(GLANCE);
        }
        let said = running.log();
        let processes: Vec<_> = said
            .split_whitespace()
            .take(2)
            .map(|id| PathBuf::from("/proc").join(id).join("cwd"))
            .collect();
        let is_there = |process: &PathBuf| std::fs::read_link(process).is_ok();
        assert!(processes.iter().all(is_there));
        drop(running);
        while processes.iter().any(is_there) {
            std::thread::sleep(GLANCE);
        }
        assert!(!environment.exists());
    }
}
