//! The machine: its clock and its settings.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "a server of its own has its own clock"
)]
pub(crate) fn now() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |duration| duration.as_secs())
}

/// A setting, or what holds without it.
#[expect(clippy::disallowed_methods, reason = "this is where it is configured")]
pub(crate) fn setting(name: &str, otherwise: &str) -> String {
    let value = std::env::var(name).unwrap_or_default();
    if value.is_empty() {
        otherwise.to_owned()
    } else {
        value
    }
}
