//! What the verifier logs while tests run: all of it is kept, to be searched for secrets.

use std::io::{Result, Write};
use std::sync::{Mutex, Once, PoisonError};
use tracing_subscriber::EnvFilter;

/// Everything of our own, and what others say at the level that operators see.
const FILTER: &str = "info,verifier_server=trace,sealpay_protocol=trace";

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Takes a log line.
#[derive(Debug, Clone, Copy)]
struct Keep;

impl Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Keeps the log of this process from now on.
pub fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(FILTER))
            .with_ansi(false)
            .with_writer(|| Keep);
        // Where somebody else has the log already, there is nothing to keep.
        drop(log.try_init());
    });
}

/// How far the log was searched, and what was found.
static SEARCHED: Mutex<(usize, Vec<String>)> = Mutex::new((0, Vec::new()));

/// What the log of this process must not hold, one sentence each. No line is searched twice.
#[must_use]
pub fn search(search: impl FnOnce(&[u8]) -> Vec<String>) -> Vec<String> {
    let mut searched = SEARCHED.lock().unwrap_or_else(PoisonError::into_inner);
    let (place, found) = &mut *searched;
    let fresh = {
        let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(*place..).unwrap_or_default().to_vec()
    };
    let whole_lines = fresh
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    found.extend(search(&fresh[..whole_lines]));
    *place += whole_lines;
    found.clone()
}

/// How much of the end of the log is looked at for the lines of one request, bytes.
const RECENT: usize = 1 << 18;

/// The lines about a request that was just answered.
#[must_use]
pub fn lines_about(name: &str) -> Vec<String> {
    let recent = {
        let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        lines[lines.len().saturating_sub(RECENT)..].to_vec()
    };
    let text = String::from_utf8_lossy(&recent);
    let about = text.lines().filter(|line| line.contains(name));
    about.map(str::to_owned).collect()
}
