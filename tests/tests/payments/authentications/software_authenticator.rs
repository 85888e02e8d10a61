//! A software authenticator (Ed25519) whose responses can be altered.

use ed25519_dalek::{Signer, SigningKey};
use harness::client::SHOP_ORIGIN;
use harness::time::random;
use sealpay_protocol::encoding::{base64url, from_base64url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// User present and verified (WebAuthn Level 3 section 6.1).
const PRESENT_AND_VERIFIED: u8 = 0b101;
const HAS_CREDENTIAL: u8 = 1 << 6;

/// An authenticator with one passkey, in a frame of the shop.
#[derive(Debug, Clone)]
pub(crate) struct Software {
    key: SigningKey,
    pub(crate) id: Vec<u8>,
    pub(crate) count: u32,
    pub(crate) flags: u8,
    pub(crate) origin: String,
    pub(crate) top_origin: String,
    handle: Option<Vec<u8>>,
}

impl Software {
    pub(crate) fn new(origin: &str) -> Self {
        Self {
            key: SigningKey::from_bytes(&random()),
            id: random::<16>().to_vec(),
            count: 0,
            flags: PRESENT_AND_VERIFIED,
            origin: origin.into(),
            top_origin: SHOP_ORIGIN.into(),
            handle: None,
        }
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": true,
            "topOrigin": self.top_origin,
        });
        data.to_string().into_bytes()
    }

    /// Authenticator data (WebAuthn Level 3 section 6.1), with the new key when one is made.
    fn data(&self, rp_id: &str, is_new: bool) -> Vec<u8> {
        let mut data = Sha256::digest(rp_id.as_bytes()).to_vec();
        data.push(self.flags | if is_new { HAS_CREDENTIAL } else { 0 });
        data.extend(self.count.to_be_bytes());
        if is_new {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            data.extend(&self.id);
            // A COSE key (RFC 9053): OKP, EdDSA, Ed25519.
            data.extend([0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 32]);
            data.extend(self.key.verifying_key().as_bytes());
        }
        data
    }

    /// `navigator.credentials.create()` with these options, as JSON.
    pub(crate) fn create(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        self.handle = from_base64url(options["user"]["id"].as_str().unwrap());
        let data = self.data(options["rp"]["id"].as_str().unwrap(), true);
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = vec![0xa3];
        object.extend(b"\x63fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let client_data = self.client_data("webauthn.create", &options["challenge"]);
        self.credential(&json!({
            "clientDataJSON": base64url(&client_data),
            "attestationObject": base64url(&object),
            "transports": ["internal"],
        }))
    }

    /// `navigator.credentials.get()` with these options, as JSON.
    pub(crate) fn get(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        self.count += 1;
        let client_data = self.client_data("webauthn.get", &options["challenge"]);
        let data = self.data(options["rpId"].as_str().unwrap(), false);
        let hash = Sha256::digest(&client_data);
        let signature = self.key.sign(&[data.as_slice(), &hash].concat());
        self.credential(&json!({
            "clientDataJSON": base64url(&client_data),
            "authenticatorData": base64url(&data),
            "signature": base64url(&signature.to_bytes()),
            "userHandle": self.handle.as_deref().map(base64url),
        }))
    }

    fn credential(&self, response: &Value) -> String {
        let id = base64url(&self.id);
        let credential = json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {}, "response": response,
        });
        credential.to_string()
    }
}
