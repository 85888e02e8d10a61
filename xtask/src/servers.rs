//! Programs that run until they are told to stop.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::environment::Stopwatch;
use crate::failure::{Failure, Outcome};
use crate::process::for_each_line;

/// What a server may take to finish what it is doing.
const GRACE: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(50);

/// A running server. It is stopped, by force if need be, when it goes out of scope.
pub(crate) struct Server {
    name: &'static str,
    child: Child,
}

impl Server {
    /// Starts a server; each line that it writes is shown behind its name.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) fn start(name: &'static str, mut command: Command) -> Result<Self, Failure> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // In a group of its own, Ctrl-C reaches it only through us, in order.
            .process_group(0)
            .spawn()
            .map_err(|error| Failure::because(format!("The {name} could not be started"), error))?;
        let show = move |line| eprintln!("{name:>8} | {line}");
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            for_each_line(stdout, show);
            for_each_line(stderr, show);
        }
        Ok(Self { name, child })
    }

    /// Fails when the server has ended although nobody asked it to.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn check(&mut self) -> Outcome {
        let status = match self.child.try_wait() {
            Ok(None) => return Ok(()),
            Ok(Some(status)) => status.to_string(),
            Err(error) => error.to_string(),
        };
        // Its last words may still be on their way.
        thread::sleep(4 * GLANCE);
        Err(Failure::new(format!(
            "The {} ended by itself ({status}). Its last lines are shown above.",
            self.name
        )))
    }

    /// Asks the server to finish.
    pub(crate) fn ask_to_stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // The standard library can only kill. The shell's own `kill` is on every machine, and the number
            // belongs to this child until somebody has waited for it.
            let _not_there_any_more = Command::new("sh")
                .args(["-c", &format!("kill -TERM {}", self.child.id())])
                .stderr(Stdio::null())
                .status();
        }
    }

    /// Waits until the server has ended. `hurry` tells that somebody does not want to wait any longer.
    pub(crate) fn wait_or_kill(&mut self, mut hurry: impl FnMut() -> bool) {
        let watch = Stopwatch::start();
        while matches!(self.child.try_wait(), Ok(None)) {
            if watch.elapsed() > GRACE || hurry() {
                eprintln!("The {} did not stop in time and was killed.", self.name);
                self.kill();
                return;
            }
            thread::sleep(GLANCE);
        }
    }

    fn kill(&mut self) {
        // Both fail only when it has ended already, which is what is wanted.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ask_to_stop();
        self.wait_or_kill(|| false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_server_that_ends_by_itself_is_reported() {
        let mut server = Server::start("probe", shell("exit 4")).expect("started");
        let watch = Stopwatch::start();
        let failure = loop {
            match server.check() {
                Err(failure) => break failure.to_string(),
                Ok(()) => assert!(watch.elapsed() < GRACE, "it never ended"),
            }
            thread::sleep(GLANCE);
        };
        assert!(
            failure.contains("probe ended by itself (exit status: 4)"),
            "{failure}"
        );
    }

    #[test]
    fn a_server_is_asked_before_it_is_killed() {
        let script = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
        let mut server = Server::start("probe", shell(script)).expect("started");
        thread::sleep(4 * GLANCE);
        assert_eq!(server.check(), Ok(()));
        server.ask_to_stop();
        server.wait_or_kill(|| false);
        let status = server.child.try_wait().expect("waited for").expect("ended");
        assert!(status.success(), "{status}");
    }

    #[test]
    fn a_server_that_does_not_listen_is_killed_when_somebody_is_in_a_hurry() {
        let script = "trap '' TERM; while :; do sleep 0.05; done";
        let mut server = Server::start("probe", shell(script)).expect("started");
        thread::sleep(4 * GLANCE);
        server.ask_to_stop();
        let mut asked = 0;
        server.wait_or_kill(|| {
            asked += 1;
            asked > 3
        });
        let status = server.child.try_wait().expect("waited for").expect("ended");
        assert_eq!(status.code(), None, "killed by a signal: {status}");
    }
}
