//! The one place that asks the machine for the time and for randomness.

use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

type RandomBytes = dyn Fn(&mut [u8]) -> io::Result<()> + Send + Sync;

/// Where time and randomness come from; tests hand in their own.
#[derive(Clone)]
pub(crate) struct Edge {
    unix_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
    random: Arc<RandomBytes>,
}

impl Edge {
    /// The clock and the randomness of the operating system.
    pub(crate) fn of_this_machine() -> Self {
        Self {
            unix_ms: Arc::new(clock),
            random: Arc::new(operating_system),
        }
    }

    /// A fixed moment, and bytes that count up.
    #[cfg(test)]
    pub(crate) fn fixed(unix_seconds: u64) -> Self {
        let next = std::sync::atomic::AtomicU8::new(1);
        let unix_ms = unix_seconds * 1000;
        Self {
            unix_ms: Arc::new(move || unix_ms),
            random: Arc::new(move |bytes| {
                let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                bytes.fill(number);
                // Five bits of a byte become a letter: the others of the number are in the first one.
                if let Some(first) = bytes.first_mut() {
                    *first ^= number >> 5;
                }
                Ok(())
            }),
        }
    }

    /// Whole seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        (self.unix_ms)() / 1000
    }

    /// `N` bytes that nobody can guess.
    ///
    /// # Errors
    /// When the operating system has none to give.
    pub(crate) fn random<const N: usize>(&self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        (self.random)(&mut bytes)?;
        Ok(bytes)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge that hands time in"
)]
fn clock() -> u64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge that hands randomness in"
)]
fn operating_system(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string()))
}
