//! How long to wait before asking again.

/// Seconds between questions about a payment whose outcome is not known, then the last one for
/// ever: quick for a bank that is merely slow, patient for one that is down.
const CHECKING_SECONDS: [u32; 8] = [1, 2, 3, 5, 8, 13, 20, 30];

/// Seconds before a request that was turned away or lost is repeated without asking the shopper.
const RESEND_SECONDS: [u32; 2] = [1, 3];

/// Seconds before what could not be sent is sent again in the background, then the last one for ever.
const RETRY_SECONDS: [u32; 4] = [5, 10, 20, 30];

/// Milliseconds before background retry number `retries`, counted from 0.
pub(super) fn retry_ms(retries: u32) -> u32 {
    let place = usize::try_from(retries)
        .unwrap_or(usize::MAX)
        .min(RETRY_SECONDS.len() - 1);
    RETRY_SECONDS[place] * 1000
}

/// Milliseconds before the question number `polls`, counted from 0.
pub(super) fn checking_ms(polls: u32) -> u32 {
    let place = usize::try_from(polls)
        .unwrap_or(usize::MAX)
        .min(CHECKING_SECONDS.len() - 1);
    CHECKING_SECONDS[place] * 1000
}

/// Milliseconds before question number `polls` about a wallet, counted from 0: a shopper who has
/// just confirmed there should not have to wait.
pub(super) const fn wallet_ms(polls: u32) -> u32 {
    match polls {
        0..30 => 2_000,
        30..90 => 5_000,
        _ => 15_000,
    }
}

/// Milliseconds before question number `polls` about a transfer, counted from 0.
pub(super) const fn transfer_ms(polls: u32) -> u32 {
    if polls < 12 { 10_000 } else { 60_000 }
}

/// Milliseconds before resend number `resends`, counted from 0; `None` when it is the shopper's
/// turn to decide.
pub(super) fn resend_ms(resends: u32) -> Option<u32> {
    let place = usize::try_from(resends).ok()?;
    RESEND_SECONDS.get(place).map(|seconds| seconds * 1000)
}
