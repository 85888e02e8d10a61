//! The audit trail: who did what, from where, and how that ended. Rows are added and never changed;
//! each carries a keyed hash of itself and of the row before, so that a change is noticed.

use hmac::{Hmac, KeyInit, Mac};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::{MerchantId, RequestId};
use sealpay_protocol::secret::Secret;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// Who acts where a command is run on the server's own machine.
pub const OPERATOR: &str = "operator";

/// What was done, or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The request; also names the row.
    pub request: RequestId,
    /// The merchant that it concerns, where it concerns one.
    pub merchant: Option<MerchantId>,
    /// The credential, as [`crate::auth::principal::Principal`] names it, or [`OPERATOR`].
    pub actor: String,
    /// Method and route, or the command.
    pub action: String,
    /// What it was done to, where one thing is named.
    pub subject: Option<String>,
    /// The network that the request came from, or `command line`.
    pub source: String,
    /// The HTTP status, behind it the code of an error; `done` or `failed` of a command.
    pub outcome: String,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

/// A row of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Counts all rows from 1, without a gap.
    pub sequence: i64,
    /// What was done.
    pub entry: AuditEntry,
    /// The hash of the row before; empty in the first.
    pub previous_hash: String,
    /// Of this row and the one before.
    pub hash: String,
}

/// Makes the hashes of the trail. Its key is not in the database: whoever can write there alone
/// cannot make a row that fits.
pub struct AuditChain(Secret<[u8; 32]>);

impl fmt::Debug for AuditChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditChain")
    }
}

impl AuditChain {
    /// Takes its key.
    #[must_use]
    pub const fn new(key: Secret<[u8; 32]>) -> Self {
        Self(key)
    }

    /// The hash of a row: of the hash before and every field, each behind its length, so that
    /// nothing slides from one into the next.
    #[must_use]
    pub fn hash(&self, sequence: i64, entry: &AuditEntry, previous_hash: &str) -> String {
        // A key shorter than a block is filled up with zeros (RFC 2104 section 2).
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

    /// Whether a row follows the one before and is as it was written.
    #[must_use]
    pub fn fits(&self, row: &AuditRow, sequence: i64, previous_hash: &str) -> bool {
        row.sequence == sequence
            && row.previous_hash == previous_hash
            && row.hash == self.hash(sequence, &row.entry, previous_hash)
    }
}
