//! Checks what a browser and an authenticator say of a passkey: WebAuthn Level 3 sections 7.1 and
//! 7.2, step by step, for keys on P-256 and Ed25519.
//!
//! Libraries that do this draw the challenge themselves; here it says what is paid, to whom, and
//! the passkey is used in a frame of another site's page. Only what is needed for that is accepted.

mod authenticator_data;
mod cbor;
mod key;
#[cfg(test)]
pub(super) mod tests;

pub(super) use key::PublicKey;

use authenticator_data::{AttestationObject, AuthenticatorData, Statement};
use sealpay_protocol::encoding::from_base64url;
use sealpay_protocol::{json, limits};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// COSE algorithms in the order of preference.
pub(super) const ALGORITHMS: [i64; 2] = [key::ES256, key::EDDSA];

/// What a ceremony has to be about.
#[derive(Debug, Clone)]
pub(super) struct Expected<'a> {
    pub(super) challenge: &'a [u8],
    /// The page that asks: the widget, at the verifier's origin.
    pub(super) origin: &'a str,
    /// The pages that the ceremony may be below: the outermost has to be one of them. None where it
    /// is of a page by itself.
    pub(super) pages: &'a [&'a str],
    pub(super) rp_id: &'a str,
}

/// A passkey that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passkey {
    pub(super) credential_id: Vec<u8>,
    pub(super) key: PublicKey,
    pub(super) sign_count: u32,
    pub(super) is_backup_eligible: bool,
}

/// Why a ceremony was refused, for the log. The shopper hears the same of every reason but one.
pub(super) type CeremonyError = &'static str;

/// The page around is none where passkeys may be used: that is nothing that the shopper did wrong.
pub(super) const OTHER_PAGE: CeremonyError = "the page around is another one";

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

/// Section 7.1: a passkey that was just made. It asks for no attestation, so steps about
/// certificates and their roots are not there.
pub(super) fn created(text: &str, expected: &Expected<'_>) -> Result<Passkey, CeremonyError> {
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
    let made = data.credential.as_ref().ok_or("there is no credential")?;
    // Step 20 is done: only keys of the two algorithms that were asked for can be read.
    // Steps 21 to 24: no attestation, or one by the key itself.
    if let Statement::ByItself {
        algorithm,
        signature,
    } = object.statement
    {
        let message = [bytes, &client_data_hash].concat();
        if algorithm != made.key.algorithm() || !made.key.has_signed(&message, signature) {
            return Err("the attestation is not of this key");
        }
    }
    // Step 25 is done: a longer id cannot be read. What the browser says is what was signed.
    if decoded(&credential.raw_id)? != made.id {
        return Err("the credential id is another one");
    }
    Ok(Passkey {
        credential_id: made.id.to_vec(),
        key: made.key.clone(),
        sign_count: data.sign_count,
        is_backup_eligible: data.is_backup_eligible(),
    })
}

/// Section 7.2: a passkey that was just used. Gives its new signature count.
pub(super) fn used(
    text: &str,
    expected: &Expected<'_>,
    passkey: &Passkey,
    user_handle: &[u8],
) -> Result<u32, CeremonyError> {
    let credential: Credential<Assertion> = credential(text)?;
    let response = credential.response;
    // Step 5: one of those that were asked for; there is one.
    if decoded(&credential.raw_id)? != passkey.credential_id {
        return Err("the credential is not this account's");
    }
    // Step 6: the account is known beforehand; an answer with a name has to name it.
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
    if !passkey
        .key
        .has_signed(&message, &decoded(&response.signature)?)
    {
        return Err("the signature is wrong");
    }
    // Step 22: an authenticator that counts never says the same number twice; a copy of it does.
    let counts = data.sign_count != 0 || passkey.sign_count != 0;
    if counts && data.sign_count <= passkey.sign_count {
        return Err("the signature count did not grow");
    }
    Ok(data.sign_count)
}

/// Whether a new credential is this one. Nothing of it is checked.
pub(super) fn names(text: &str, passkey: &Passkey) -> bool {
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

/// Section 7.1 steps 5 to 11 and section 7.2 steps 8 to 14, which are the same.
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
    // may be in a frame of another. Not every browser tells which page is the outermost; one that
    // does has to tell one of those that the order names.
    let is_framed = data.cross_origin == Some(true);
    match data.top_origin {
        None if is_framed != expected.pages.is_empty() => Ok(()),
        Some(top) if is_framed && expected.pages.contains(&top.as_str()) => Ok(()),
        _ => Err(OTHER_PAGE),
    }
}

/// Section 7.1 steps 14 to 18 and section 7.2 steps 16 to 19, which are the same.
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
