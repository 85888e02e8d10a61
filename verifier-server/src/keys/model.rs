//! The server's keys, for sealed cards and for webhooks.

/// A key pair of the server; the private key is encrypted under the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKey {
    /// The key id.
    pub key_id: String,
    /// Its purpose.
    pub purpose: KeyPurpose,
    /// The public key in base64url.
    pub public_key: String,
    /// The encrypted private key; empty once destroyed.
    pub private_key_encrypted: String,
    /// Valid from, seconds since 1970.
    pub not_before: i64,
    /// Used for sealing or signing until, seconds since 1970.
    pub not_after: i64,
    /// When the private key is destroyed, seconds since 1970.
    pub destroy_at: i64,
}

/// The purpose of a server key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Opening sealed cards.
    Sealing,
    /// Signing webhooks.
    Webhook,
}

sealpay_protocol::names! {
    KeyPurpose {
        Sealing = "sealing",
        Webhook = "webhook",
    }
}
