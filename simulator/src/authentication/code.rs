//! One-time codes.

use super::Simulation;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::limits;

/// The number of codes.
const CODES: u32 = 1_000_000;

/// The largest multiple of [`CODES`] below 2³²: larger numbers would favour small codes.
const UNBIASED: u32 = u32::MAX / CODES * CODES;

/// Draws a code. All are equally likely.
pub(crate) fn draw(simulation: &Simulation) -> String {
    let seed: [u8; 32] = simulation.rng.bytes();
    let mut turn = 0_u8;
    loop {
        let bytes = simulation.keyed("one-time code", &[seed.as_slice(), &[turn]].concat());
        let number = bytes.first_chunk::<4>().copied().map(u32::from_be_bytes);
        if let Some(number) = number.filter(|number| *number < UNBIASED) {
            let width = limits::ONE_TIME_CODE_DIGITS;
            return format!("{:0width$}", number % CODES);
        }
        turn = turn.wrapping_add(1);
    }
}

/// A code as it is stored. The key is the pepper: without one, a million codes are quickly tried.
pub(crate) fn hash(simulation: &Simulation, reference: PaymentId, code: &str) -> String {
    let message = format!("{reference} {code}");
    base64url(&simulation.keyed("one-time code hash", message.as_bytes()))
}
