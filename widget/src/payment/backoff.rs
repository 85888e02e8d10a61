//! How long to wait between retries and polls.

/// Seconds between polls of a payment whose outcome is unknown; the last one repeats. Short for a
/// bank that is merely slow, long for one that is down.
const POLLING_SECONDS: [u32; 8] = [1, 2, 3, 5, 8, 13, 20, 30];

/// Seconds before a refused or lost request is resent automatically.
const RESEND_SECONDS: [u32; 2] = [1, 3];

/// Seconds between background retries after a network failure; the last one repeats.
const RETRY_SECONDS: [u32; 4] = [5, 10, 20, 30];

/// Milliseconds before background retry number `retries`, counted from 0.
pub(super) fn retry_ms(retries: u32) -> u32 {
    seconds_or_last(&RETRY_SECONDS, retries) * 1000
}

/// Milliseconds before poll number `polls`, counted from 0.
pub(super) fn polling_ms(polls: u32) -> u32 {
    seconds_or_last(&POLLING_SECONDS, polls) * 1000
}

fn seconds_or_last(seconds: &[u32], count: u32) -> u32 {
    let index = usize::try_from(count).unwrap_or(usize::MAX);
    seconds[index.min(seconds.len() - 1)]
}

/// Milliseconds before poll number `polls` of a wallet payment, counted from 0: short at first, for
/// a shopper who has just confirmed.
pub(super) const fn wallet_ms(polls: u32) -> u32 {
    match polls {
        0..30 => 2_000,
        30..90 => 5_000,
        _ => 15_000,
    }
}

/// Milliseconds before poll number `polls` of a bank transfer, counted from 0.
pub(super) const fn transfer_ms(polls: u32) -> u32 {
    if polls < 12 { 10_000 } else { 60_000 }
}

/// Milliseconds before resend number `resends`, counted from 0; `None` when the shopper has to
/// decide.
pub(super) fn resend_ms(resends: u32) -> Option<u32> {
    let index = usize::try_from(resends).ok()?;
    RESEND_SECONDS.get(index).map(|seconds| seconds * 1000)
}
