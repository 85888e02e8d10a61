//! Verifying a delivery: this file can be pasted as it is.

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::fmt;

const TOLERANCE_SECONDS: u64 = 300;
const SIGNATURE_CHARACTERS: usize = 4096;

/// The three headers of a delivery; one that is missing, or there twice, is empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery<'a> {
    /// `webhook-id`
    pub(crate) id: &'a str,
    /// `webhook-timestamp`
    pub(crate) timestamp: &'a str,
    /// `webhook-signature`
    pub(crate) signature: &'a str,
}

/// Whose events are taken, and the secrets and keys of which a signature may be; it cannot be
/// printed.
pub(crate) struct Accepted {
    /// You, `mer_…`. The verifier signs for every merchant with the same keys.
    pub(crate) merchant: String,
    /// Whether events of real money are taken, or those of a test.
    pub(crate) livemode: bool,
    /// The endpoint's secrets: two while one is rotated.
    pub(crate) secrets: Vec<[u8; 32]>,
    /// The verifier's keys.
    pub(crate) keys: Vec<VerifyingKey>,
}

/// A delivery that is not to be believed; the sentence may be told to the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Reads `whsec_…`.
pub(crate) fn read_secret(text: &str) -> Option<[u8; 32]> {
    from_base64(text.strip_prefix("whsec_")?)
}

/// Reads `whpk_…`.
pub(crate) fn read_key(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&from_base64(text.strip_prefix("whpk_")?)?).ok()
}

/// Standard base64 of exactly so many bytes, and nothing that merely decodes to them.
fn from_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let decoded = Base64::decode(text, &mut bytes).ok()?;
    (decoded.len() == N).then_some(bytes)
}

/// Verifies a delivery over its raw body and returns the event in it.
///
/// Both signatures have to fit: a `v1` one of the accepted secrets and a `v1a` one of the accepted
/// keys. The header may list several of each, and schemes that are not known yet. The event has to
/// be the merchant's: `v1a` proves who sent it and not to whom. And it has to be of the mode that is
/// taken: a test's event pays for nothing. `now` is in seconds since 1970.
///
/// # Errors
/// What does not fit, in a few words.
pub(crate) fn verify(
    delivery: Delivery<'_>,
    body: &[u8],
    accepted: &Accepted,
    now: u64,
) -> Result<Value, Refused> {
    let Delivery {
        id,
        timestamp,
        signature,
    } = delivery;
    let of_an_id = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
    if !(1..=64).contains(&id.len()) || !id.bytes().all(of_an_id) {
        return Err(Refused("webhook-id is missing or malformed"));
    }
    // Digits only: the parser alone would take a plus sign too.
    let digits = Some(timestamp).filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
    let sent: u64 = digits
        .and_then(|text| text.parse().ok())
        .ok_or(Refused("webhook-timestamp is missing or malformed"))?;
    if !(1..=SIGNATURE_CHARACTERS).contains(&signature.len()) {
        return Err(Refused("webhook-signature is missing or malformed"));
    }
    if sent.abs_diff(now) > TOLERANCE_SECONDS {
        return Err(Refused("the timestamp is too far from the clock"));
    }
    let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let mac_fits = |given: [u8; 32]| {
        let mut secrets = accepted.secrets.iter();
        secrets.any(|secret| mac_fits(secret, &message, &given))
    };
    if !listed(signature, "v1").any(mac_fits) {
        return Err(Refused("no v1 signature fits an accepted secret"));
    }
    let key_fits = |given: [u8; 64]| {
        let given = Signature::from_bytes(&given);
        let mut keys = accepted.keys.iter();
        keys.any(|key| key.verify_strict(&message, &given).is_ok())
    };
    if !listed(signature, "v1a").any(key_fits) {
        return Err(Refused("no v1a signature fits an accepted key"));
    }
    let event = read_event(body).ok_or(Refused("the body is signed, but it is not an event"))?;
    if event["merchant"] != accepted.merchant.as_str() {
        return Err(Refused("the event is of another merchant"));
    }
    // An event that does not say that money moved is a test's.
    if (event["livemode"] == true) != accepted.livemode {
        return Err(Refused("the event is of the other mode"));
    }
    Ok(event)
}

/// The signatures of one scheme in the list.
fn listed<'a, const N: usize>(
    list: &'a str,
    scheme: &'a str,
) -> impl Iterator<Item = [u8; N]> + 'a {
    list.split(' ')
        .filter_map(move |entry| entry.strip_prefix(scheme)?.strip_prefix(','))
        .filter_map(from_base64)
}

/// In constant time.
fn mac_fits(secret: &[u8; 32], message: &[u8], given: &[u8; 32]) -> bool {
    Hmac::<Sha256>::new_from_slice(secret).is_ok_and(|mut mac| {
        mac.update(message);
        mac.verify_slice(given).is_ok()
    })
}

fn read_event(body: &[u8]) -> Option<Value> {
    let event: Value = serde_json::from_slice(body).ok()?;
    let is_event = event["type"].is_string() && event["data"].is_object();
    (is_event && event["merchant"].is_string()).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::{Accepted, Delivery, Refused, read_key, read_secret, verify};
    use serde_json::Value;

    const VECTORS: &str = include_str!("../../../../protocol/vectors/sealpay-v1.json");

    fn texts(list: &Value) -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_vectors_of_the_protocol_are_verified_at_their_time_and_refused_at_others() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let keys = vectors["webhook_keys"].as_array().unwrap().iter();
        let keys: Vec<_> = keys
            .map(|key| read_key(key["public_key"].as_str().unwrap()).unwrap())
            .collect();
        for vector in vectors["webhooks"].as_array().unwrap() {
            let sent = vector["timestamp"].as_u64().unwrap();
            let (timestamp, body) = (sent.to_string(), vector["body"].as_str().unwrap());
            let delivery = Delivery {
                id: vector["id"].as_str().unwrap(),
                timestamp: &timestamp,
                signature: vector["signature"].as_str().unwrap(),
            };
            // Each secret and each key by itself: so it is while one of them is rotated.
            for secret in texts(&vector["secrets"]) {
                for key in &keys[..texts(&vector["seeds"]).len()] {
                    let accepted = Accepted {
                        merchant: "mer_01k9xft7g0041061050r3gg28a".into(),
                        livemode: false,
                        secrets: vec![read_secret(&secret).unwrap()],
                        keys: vec![*key],
                    };
                    let at = |now| verify(delivery, body.as_bytes(), &accepted, now).map(drop);
                    let signed = at(sent);
                    let is_event = body.contains("\"type\"");
                    let not_event = Refused("the body is signed, but it is not an event");
                    assert_eq!(signed, if is_event { Ok(()) } else { Err(not_event) });
                    assert_eq!((at(sent + 300), at(sent - 300)), (signed, signed));
                    let late = Err(Refused("the timestamp is too far from the clock"));
                    assert_eq!((at(sent + 301), at(sent - 301)), (late, late));
                }
            }
        }
    }
}
