//! One-time codes.

use super::World;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::limits;

/// How many codes there are.
const CODES: u32 = 1_000_000;

/// The largest multiple of [`CODES`] below 2³²: numbers from here on would favour small codes.
const UNBIASED: u32 = u32::MAX / CODES * CODES;

/// Draws a code; each is as likely as any other.
pub(super) fn draw(world: &World) -> String {
    let seed: [u8; 32] = world.rng.bytes();
    let mut turn = 0_u8;
    loop {
        let bytes = world.keyed("one-time code", &[seed.as_slice(), &[turn]].concat());
        let number = bytes.first_chunk::<4>().copied().map(u32::from_be_bytes);
        if let Some(number) = number.filter(|number| *number < UNBIASED) {
            let width = limits::ONE_TIME_CODE_DIGITS;
            return format!("{:0width$}", number % CODES);
        }
        turn = turn.wrapping_add(1);
    }
}

/// What is kept of a code. The key is the pepper: a million codes are quickly tried without one.
pub(super) fn hash(world: &World, reference: PaymentId, code: &str) -> String {
    let message = format!("{reference} {code}");
    base64url(&world.keyed("one-time code hash", message.as_bytes()))
}
