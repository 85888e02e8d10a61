//! The browser's clock and its timers.

use gloo_timers::callback::Timeout;

/// The longest timeout of a browser, milliseconds: a longer one fires immediately.
const LONGEST_WAIT_MS: u32 = 2_147_483_647;

/// Milliseconds since 1970 by the browser's clock, which may be wrong.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this module is the browser clock"
)]
#[expect(
    clippy::as_conversions,
    reason = "a saturating conversion from float needs it"
)]
pub fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// Seconds since 1970 by the browser's clock, which may be wrong.
#[must_use]
pub fn now() -> u64 {
    now_ms() / 1000
}

/// Calls back later. It cannot be cancelled: a stale callback is recognized by its generation.
pub fn after(milliseconds: u32, callback: impl FnOnce() + 'static) {
    Timeout::new(milliseconds.min(LONGEST_WAIT_MS), callback).forget();
}
