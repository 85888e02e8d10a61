//! Infallible keyed hashes; callers need no fallback for errors.

use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use zeroize::Zeroizing;

/// HMAC-SHA256 with a 32-byte key. RFC 2104 section 2 pads a key that is shorter than the hash's
/// block with zeros; passing the padded block avoids the fallible constructor.
#[must_use]
pub fn hmac_sha256(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; 64]);
    let (start, _) = block.split_at_mut(key.len());
    start.copy_from_slice(key);
    <Hmac<Sha256> as KeyInit>::new((&*block).into())
}

#[cfg(test)]
mod tests {
    use super::hmac_sha256;
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    #[test]
    fn a_zero_padded_key_gives_the_same_hash() {
        let key = [7; 32];
        let mut own = hmac_sha256(&key);
        let mut of_slice = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).unwrap();
        let mut of_zeros = <Hmac<Sha256> as KeyInit>::new(&[0; 64].into());
        for mac in [&mut own, &mut of_slice, &mut of_zeros] {
            mac.update(b"text");
        }
        let own = own.finalize().into_bytes();
        assert_eq!(own, of_slice.finalize().into_bytes());
        assert_ne!(own, of_zeros.finalize().into_bytes());
    }
}
