//! Verifies registrations and assertions of passkeys: WebAuthn Level 3 sections 7.1 and 7.2, step by
//! step, for keys on P-256 and Ed25519.
//!
//! Libraries choose the challenge themselves; here it depends on the payment, and the passkey is used
//! in a frame of another site's page. Nothing else is accepted.

mod authenticator_data;
mod cbor;
mod key;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use key::PublicKey;

use authenticator_data::{AttestationObject, AuthenticatorData, Statement};
use sealpay_protocol::encoding::from_base64url;
use sealpay_protocol::{json, limits};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// COSE algorithms in the order of preference.
pub(crate) const ALGORITHMS: [i64; 2] = [key::ES256, key::EDDSA];

/// The values that a ceremony must have.
#[derive(Debug, Clone)]
pub(crate) struct Expected<'a> {
    pub(crate) challenge: &'a [u8],
    /// The origin of the widget, which is the verifier's.
    pub(crate) origin: &'a str,
    /// The pages that may embed the widget: the outermost page must be one of them. Empty where the
    /// ceremony is not in a frame.
    pub(crate) pages: &'a [&'a str],
    pub(crate) rp_id: &'a str,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passkey {
    pub(crate) credential_id: Vec<u8>,
    pub(crate) key: PublicKey,
    pub(crate) sign_count: u32,
    pub(crate) is_backup_eligible: bool,
}

/// Why a ceremony was refused, for the log. The shopper gets the same message for every reason but
/// [`OTHER_PAGE`].
pub(crate) type CeremonyError = &'static str;

/// Passkeys may not be used on this page: that is not the shopper's mistake.
pub(crate) const OTHER_PAGE: CeremonyError = "the page around is another one";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential<R> {
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: R,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Creation {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

/// Section 5.8.1. There may be more members, now and later.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    cross_origin: Option<bool>,
    top_origin: Option<String>,
}

/// Section 7.1. No attestation is requested, so the steps about certificates and their roots do not
/// apply.
pub(crate) fn verify_registration(
    text: &str,
    expected: &Expected<'_>,
) -> Result<Passkey, CeremonyError> {
    let credential: Credential<Creation> = credential(text)?;
    let response = credential.response;
    // Steps 5 to 11.
    let client_data = decoded(&response.client_data)?;
    check_client_data(&client_data, "webauthn.create", expected)?;
    // Step 12.
    let client_data_hash: [u8; 32] = Sha256::digest(&client_data).into();
    // Step 13.
    let object = decoded(&response.attestation_object)?;
    let object = AttestationObject::parse(&object).ok_or("the attestation object is malformed")?;
    let bytes = object.authenticator_data;
    let data = AuthenticatorData::parse(bytes).ok_or("the authenticator data is malformed")?;
    // Steps 14 to 18.
    check_authenticator_data(&data, expected)?;
    let attested = data.credential.as_ref().ok_or("there is no credential")?;
    // Step 20 is done: only keys of the two requested algorithms can be read.
    // Steps 21 to 24: no attestation, or one by the key itself.
    if let Statement::ByItself {
        algorithm,
        signature,
    } = object.statement
    {
        let message = [bytes, &client_data_hash].concat();
        if algorithm != attested.key.algorithm() || !attested.key.verify(&message, signature) {
            return Err("the attestation is not of this key");
        }
    }
    // Step 25 is done: a longer id cannot be read. The browser's id must be the signed one.
    if decoded(&credential.raw_id)? != attested.id {
        return Err("the credential id is another one");
    }
    Ok(Passkey {
        credential_id: attested.id.to_vec(),
        key: attested.key.clone(),
        sign_count: data.sign_count,
        is_backup_eligible: data.is_backup_eligible(),
    })
}

/// Section 7.2. Gives the new signature count.
pub(crate) fn verify_assertion(
    text: &str,
    expected: &Expected<'_>,
    passkey: &Passkey,
    user_handle: &[u8],
) -> Result<u32, CeremonyError> {
    let credential: Credential<Assertion> = credential(text)?;
    let response = credential.response;
    // Step 5: one of the requested credentials; there is one.
    if decoded(&credential.raw_id)? != passkey.credential_id {
        return Err("the credential is not this account's");
    }
    // Step 6: the account is known beforehand; a user handle must be its own.
    if let Some(handle) = &response.user_handle
        && decoded(handle)? != user_handle
    {
        return Err("the credential is another user's");
    }
    // Steps 8 to 14.
    let client_data = decoded(&response.client_data)?;
    check_client_data(&client_data, "webauthn.get", expected)?;
    // Steps 15 to 19.
    let bytes = decoded(&response.authenticator_data)?;
    let data = AuthenticatorData::parse(&bytes).ok_or("the authenticator data is malformed")?;
    check_authenticator_data(&data, expected)?;
    if data.credential.is_some() {
        return Err("there is a new credential in an assertion");
    }
    if data.is_backup_eligible() != passkey.is_backup_eligible {
        return Err("the credential changed its nature");
    }
    // Steps 20 and 21.
    let client_data_hash: [u8; 32] = Sha256::digest(&client_data).into();
    let message = [bytes.as_slice(), &client_data_hash].concat();
    if !passkey.key.verify(&message, &decoded(&response.signature)?) {
        return Err("the signature is wrong");
    }
    // Step 22: an authenticator that counts never has the same count twice; a copy of it does.
    let counts = data.sign_count != 0 || passkey.sign_count != 0;
    if counts && data.sign_count <= passkey.sign_count {
        return Err("the signature count did not grow");
    }
    Ok(data.sign_count)
}

/// Whether a new credential has this one's id. It is not verified.
pub(crate) fn has_same_id(text: &str, passkey: &Passkey) -> bool {
    let id = credential::<Creation>(text).and_then(|credential| decoded(&credential.raw_id));
    id.as_ref() == Ok(&passkey.credential_id)
}

fn credential<R: for<'de> Deserialize<'de>>(text: &str) -> Result<Credential<R>, CeremonyError> {
    if text.len() > limits::CREDENTIAL_BYTES {
        return Err("the credential is too long");
    }
    let credential: Credential<R> = json::object_from_slice(text.as_bytes())
        .map_err(|_| "the credential is not the JSON of one")?;
    if credential.kind != "public-key" {
        return Err("the credential is not a public key");
    }
    Ok(credential)
}

fn decoded(text: &str) -> Result<Vec<u8>, CeremonyError> {
    from_base64url(text).ok_or("a member is not base64url")
}

/// Section 7.1 steps 5 to 11 are the same as section 7.2 steps 8 to 14.
fn check_client_data(
    bytes: &[u8],
    kind: &str,
    expected: &Expected<'_>,
) -> Result<(), CeremonyError> {
    let data: ClientData =
        json::object_from_slice(bytes).map_err(|_| "the client data is malformed")?;
    // 7.1 step 7, 7.2 step 10.
    if data.kind != kind {
        return Err("the ceremony is of the other kind");
    }
    // 7.1 step 8, 7.2 step 11.
    if decoded(&data.challenge)? != expected.challenge {
        return Err("the challenge is another one");
    }
    // 7.1 step 9, 7.2 step 12.
    if data.origin != expected.origin {
        return Err("the origin is another one");
    }
    // 7.1 steps 10 and 11, 7.2 steps 13 and 14: the widget is in a frame of the shop's page, which
    // may be in a frame of another. Not every browser includes the outermost page; if it does, the
    // order must name that page.
    let is_framed = data.cross_origin == Some(true);
    match data.top_origin {
        None if is_framed != expected.pages.is_empty() => Ok(()),
        Some(top) if is_framed && expected.pages.contains(&top.as_str()) => Ok(()),
        _ => Err(OTHER_PAGE),
    }
}

/// Section 7.1 steps 14 to 18 are the same as section 7.2 steps 16 to 19.
fn check_authenticator_data(
    data: &AuthenticatorData<'_>,
    expected: &Expected<'_>,
) -> Result<(), CeremonyError> {
    let rp_id_hash: [u8; 32] = Sha256::digest(expected.rp_id.as_bytes()).into();
    if data.rp_id_hash != rp_id_hash {
        return Err("the relying party is another one");
    }
    if !data.user_is_present() {
        return Err("nobody was present");
    }
    if !data.user_is_verified() {
        return Err("the user was not verified");
    }
    if data.is_backed_up() && !data.is_backup_eligible() {
        return Err("the backup flags contradict each other");
    }
    Ok(())
}
