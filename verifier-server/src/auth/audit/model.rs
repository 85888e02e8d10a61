//! Rows of the audit trail: who did what, from where, and with which result. Rows are appended and
//! never changed; each has a keyed hash of itself and of the previous row, so that tampering is
//! detected.

use hmac::{Hmac, KeyInit, Mac};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::{MerchantId, RequestId};
use sealpay_protocol::secret::Secret;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// The actor of commands on the server's own machine.
pub const OPERATOR: &str = "operator";

/// An executed or rejected action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The request; also the id of the row.
    pub request: RequestId,
    /// The affected merchant, if there is one.
    pub merchant: Option<MerchantId>,
    /// The credential, as in [`crate::auth::principal::Principal`], or [`OPERATOR`].
    pub actor: String,
    /// Method and route, or the command.
    pub action: String,
    /// The affected resource, if there is one.
    pub subject: Option<String>,
    /// The network of the request, or `command line`.
    pub source: String,
    /// The HTTP status and the error code; `done` or `failed` for a command.
    pub outcome: String,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

/// A row of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Counts all rows from 1, without a gap.
    pub sequence: i64,
    /// The action.
    pub entry: AuditEntry,
    /// The hash of the previous row; empty in the first.
    pub previous_hash: String,
    /// The hash of this row and the previous one.
    pub hash: String,
}

/// Computes the hashes of the trail. The key is not in the database, so write access to the
/// database is not enough to forge a row.
pub struct AuditChain(Secret<[u8; 32]>);

impl fmt::Debug for AuditChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditChain")
    }
}

impl AuditChain {
    /// Creates a chain with a key.
    #[must_use]
    pub const fn new(key: Secret<[u8; 32]>) -> Self {
        Self(key)
    }

    /// The hash of a row: of the previous hash and every field, each prefixed with its length, so
    /// that field boundaries are unambiguous.
    #[must_use]
    pub fn hash(&self, sequence: i64, entry: &AuditEntry, previous_hash: &str) -> String {
        // A key shorter than a block is padded with zeros (RFC 2104 section 2).
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(self.0.expose());
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
        let merchant = entry.merchant.map(|merchant| merchant.to_string());
        let fields = [
            previous_hash,
            &sequence.to_string(),
            &entry.request.to_string(),
            merchant.as_deref().unwrap_or_default(),
            &entry.actor,
            &entry.action,
            entry.subject.as_deref().unwrap_or_default(),
            &entry.source,
            &entry.outcome,
            &entry.at_ms.to_string(),
        ];
        for field in fields {
            mac.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(field.as_bytes());
        }
        base64url(&mac.finalize().into_bytes())
    }

    /// Whether a row follows the previous one and is unaltered.
    #[must_use]
    pub fn fits(&self, row: &AuditRow, sequence: i64, previous_hash: &str) -> bool {
        row.sequence == sequence
            && row.previous_hash == previous_hash
            && row.hash == self.hash(sequence, &row.entry, previous_hash)
    }
}
