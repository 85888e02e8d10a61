//! The protocol's two base64 alphabets, decoded strictly: one text for one byte string.
//!
//! The library is constant-time, because keys are encoded here.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};

/// Encodes as RFC 4648 section 5 without padding.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Decodes RFC 4648 section 5 without padding; trailing bits must be zero.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// Decodes exactly `N` bytes of RFC 4648 section 5 without padding.
#[must_use]
pub fn array_from_base64url<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_base64url(text)?.try_into().ok()
}

/// Encodes as RFC 4648 section 4 with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Decodes RFC 4648 section 4 with padding.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}

/// Encodes as lowercase hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| {
        char::from(if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' - 10 + nibble
        })
    };
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{base64, base64url, from_base64, from_base64url, hex};
    use proptest::prelude::*;

    #[test]
    fn examples_of_rfc_4648_section_10() {
        assert_eq!(base64(b"fooba"), "Zm9vYmE=");
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
        assert_eq!(hex(&[0x00, 0x9f, 0xff]), "009fff");
    }

    #[test]
    fn non_canonical_encodings_are_rejected() {
        for text in [
            "Zm9vYmE=",
            "Zm9vYmF",
            "Zm9vYm E",
            "Zm9vYmE\n",
            "Zm9v+mE",
            "Z",
            "Zm9vYm/",
        ] {
            assert_eq!(from_base64url(text), None, "{text:?}");
        }
        for text in [
            "Zm9vYmE",
            "Zm9vYmF=",
            "Zm9vYmE==",
            "Zm9v YmE=",
            "Zm9vYmE=\n",
            "Zm9-YmE=",
        ] {
            assert_eq!(from_base64(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn encoding_round_trips(bytes: Vec<u8>) {
            prop_assert_eq!(from_base64url(&base64url(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(from_base64(&base64(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(hex(&bytes), data_encoding::HEXLOWER.encode(&bytes));
        }
    }
}
