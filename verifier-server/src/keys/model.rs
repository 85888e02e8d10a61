//! Keys of the server: for sealed cards and for webhooks.

/// A key of the verifier, private half encrypted under the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKey {
    /// Names the key.
    pub key_id: String,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// The public half in base64url.
    pub public_key: String,
    /// The private half, encrypted; empty once it was destroyed.
    pub private_key_encrypted: String,
    /// Used from, seconds since 1970.
    pub not_before: i64,
    /// Sealed to (or signed with) until, seconds since 1970.
    pub not_after: i64,
    /// Destroyed from, seconds since 1970.
    pub destroy_at: i64,
}

/// What a key of the verifier is for.
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
