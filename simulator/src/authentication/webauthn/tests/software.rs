//! A software authenticator and its browser, for tests. A test can change each of their values.

use crate::authentication::webauthn::key::{EDDSA, ES256};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use sealpay_protocol::encoding::{base64url, from_base64url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

enum Key {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Appends a short text in CBOR.
fn text(cbor: &mut Vec<u8>, text: &str) {
    cbor.push(0x60 + u8::try_from(text.len()).unwrap());
    cbor.extend(text.as_bytes());
}

/// Appends up to 255 bytes in CBOR.
fn bytes(cbor: &mut Vec<u8>, bytes: &[u8]) {
    cbor.extend([0x58, u8::try_from(bytes.len()).unwrap()]);
    cbor.extend(bytes);
}

/// An authenticator with one credential, in a browser on a page.
pub(crate) struct SoftwareAuthenticator {
    key: Key,
    pub(crate) credential_id: Vec<u8>,
    pub(crate) sign_count: u32,
    pub(crate) counts: bool,
    /// Without the bits for a credential and for extensions.
    pub(crate) flags: u8,
    pub(crate) extensions: Vec<u8>,
    pub(crate) origin: String,
    pub(crate) cross_origin: Option<bool>,
    pub(crate) top_origin: Option<String>,
    pub(crate) rp_id: Option<String>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) user_handle: Option<Vec<u8>>,
    pub(crate) attests_itself: bool,
}

impl SoftwareAuthenticator {
    /// User present and verified, in a frame of the shop.
    pub(crate) fn new(algorithm: i64, origin: &str, parent: &str) -> Self {
        let key = match algorithm {
            ES256 => Key::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
            EDDSA => Key::Ed25519(Ed25519KeyPair::generate().unwrap()),
            _ => panic!("no such algorithm"),
        };
        Self {
            key,
            credential_id: vec![7; 16],
            sign_count: 0,
            counts: true,
            flags: 0b101,
            extensions: Vec::new(),
            origin: origin.into(),
            cross_origin: Some(true),
            top_origin: Some(parent.into()),
            rp_id: None,
            kind: None,
            user_handle: None,
            attests_itself: false,
        }
    }

    pub(crate) fn cose_key(&self) -> Vec<u8> {
        match &self.key {
            Key::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32];
                key.extend(&point[1..33]);
                key.extend([0x22, 0x58, 32]);
                key.extend(&point[33..]);
                key
            }
            Key::Ed25519(pair) => {
                let mut key = vec![0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 32];
                key.extend(pair.public_key().as_ref());
                key
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Es256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .unwrap()
                .as_ref()
                .to_vec(),
            Key::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        let mut data = json!({
            "type": self.kind.unwrap_or(kind),
            "challenge": challenge,
            "origin": self.origin,
            "other_keys_can_be_added_here": "and are ignored",
        });
        if let Some(cross_origin) = self.cross_origin {
            data["crossOrigin"] = cross_origin.into();
        }
        if let Some(top_origin) = &self.top_origin {
            data["topOrigin"] = top_origin.as_str().into();
        }
        data.to_string().into_bytes()
    }

    fn authenticator_data(&self, rp_id: &str, credential: bool) -> Vec<u8> {
        let rp_id = self.rp_id.as_deref().unwrap_or(rp_id);
        let mut data = Sha256::digest(rp_id.as_bytes()).to_vec();
        let mut flags = self.flags;
        if credential {
            flags |= 1 << 6;
        }
        if !self.extensions.is_empty() {
            flags |= 1 << 7;
        }
        data.push(flags);
        data.extend(self.sign_count.to_be_bytes());
        if credential {
            data.extend([0; 16]);
            let length = u16::try_from(self.credential_id.len()).unwrap();
            data.extend(length.to_be_bytes());
            data.extend(&self.credential_id);
            data.extend(self.cose_key());
        }
        data.extend(&self.extensions);
        data
    }

    /// `navigator.credentials.create()` with these options, as JSON.
    pub(crate) fn create(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        let handle = options["user"]["id"].as_str().unwrap();
        self.user_handle = from_base64url(handle);
        let client_data = self.client_data("webauthn.create", &options["challenge"]);
        let data = self.authenticator_data(options["rp"]["id"].as_str().unwrap(), true);
        let mut object = vec![0xa3];
        text(&mut object, "fmt");
        if self.attests_itself {
            let hash = Sha256::digest(&client_data);
            let signature = self.sign(&[data.as_slice(), &hash].concat());
            text(&mut object, "packed");
            text(&mut object, "attStmt");
            object.push(0xa2);
            text(&mut object, "alg");
            let is_es256 = matches!(self.key, Key::Es256(_));
            object.push(if is_es256 { 0x26 } else { 0x27 });
            text(&mut object, "sig");
            bytes(&mut object, &signature);
        } else {
            text(&mut object, "none");
            text(&mut object, "attStmt");
            object.push(0xa0);
        }
        text(&mut object, "authData");
        bytes(&mut object, &data);
        self.credential(json!({
            "clientDataJSON": base64url(&client_data),
            "attestationObject": base64url(&object),
            "transports": ["internal"],
        }))
    }

    /// `navigator.credentials.get()` with these options, as JSON.
    pub(crate) fn get(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        if self.counts {
            self.sign_count += 1;
        }
        let client_data = self.client_data("webauthn.get", &options["challenge"]);
        let data = self.authenticator_data(options["rpId"].as_str().unwrap(), false);
        let hash = Sha256::digest(&client_data);
        let signature = self.sign(&[data.as_slice(), &hash].concat());
        self.credential(json!({
            "clientDataJSON": base64url(&client_data),
            "authenticatorData": base64url(&data),
            "signature": base64url(&signature),
            "userHandle": self.user_handle.as_deref().map(base64url),
        }))
    }

    fn credential(&self, response: Value) -> String {
        let id = base64url(&self.credential_id);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        })
        .to_string()
    }
}
