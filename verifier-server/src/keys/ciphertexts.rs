//! All columns with ciphertexts, for re-encryption under another key. A ciphertext begins with the
//! name of its key.

use crate::keys::store::KeyStore;
use sealpay_storage::{DatabaseError, FromRow, Row, values};

/// A column with ciphertexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncryptedColumn {
    /// The private key of a server key pair.
    ServerKey,
    /// The secret of a webhook endpoint.
    EndpointSecret,
    /// The previous secret of an endpoint.
    PreviousEndpointSecret,
    /// A secret that an endpoint had on the last day.
    FormerEndpointSecret,
    /// A stored response with a secret.
    StoredResponse,
}

/// A ciphertext and the id of its row, from which its label is derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ciphertext {
    /// The parts of the row's id.
    pub row: [String; 3],
    /// The ciphertext.
    pub text: String,
}

const SERVER_KEYS: &str = "SELECT purpose, key_id, '', private_key_encrypted FROM server_keys
    WHERE private_key_encrypted <> '' AND private_key_encrypted NOT LIKE $1
    ORDER BY key_id LIMIT $2";

const REPLACE_SERVER_KEY: &str = "UPDATE server_keys SET private_key_encrypted = $5
    WHERE purpose = $1 AND key_id = $2 AND $3 = '' AND private_key_encrypted = $4";

const SECRETS: &str = "SELECT id, '', '', secret_encrypted FROM webhook_endpoints
    WHERE secret_encrypted <> '' AND secret_encrypted NOT LIKE $1 ORDER BY id LIMIT $2";

const REPLACE_SECRET: &str = "UPDATE webhook_endpoints SET secret_encrypted = $5
    WHERE id = $1 AND $2 = '' AND $3 = '' AND secret_encrypted = $4";

const PREVIOUS: &str = "SELECT id, '', '', previous_secret_encrypted FROM webhook_endpoints
    WHERE previous_secret_encrypted <> '' AND previous_secret_encrypted NOT LIKE $1
    ORDER BY id LIMIT $2";

const REPLACE_PREVIOUS: &str = "UPDATE webhook_endpoints SET previous_secret_encrypted = $5
    WHERE id = $1 AND $2 = '' AND $3 = '' AND previous_secret_encrypted = $4";

const FORMER: &str = "SELECT endpoint, '', '', secret_encrypted FROM former_endpoint_secrets
    WHERE secret_encrypted NOT LIKE $1 ORDER BY endpoint, secret_encrypted LIMIT $2";

const REPLACE_FORMER: &str = "UPDATE former_endpoint_secrets SET secret_encrypted = $5
    WHERE endpoint = $1 AND $2 = '' AND $3 = '' AND secret_encrypted = $4";

/// Responses without a secret are not encrypted; they begin with a digit.
const RESPONSES: &str = "SELECT merchant, idempotency_key, request_digest, response
    FROM idempotent_requests WHERE response LIKE 'm%.%' AND response NOT LIKE $1
    ORDER BY merchant, idempotency_key LIMIT $2";

const REPLACE_RESPONSE: &str = "UPDATE idempotent_requests SET response = $5
    WHERE merchant = $1 AND idempotency_key = $2 AND request_digest = $3 AND response = $4";

impl EncryptedColumn {
    /// Every column.
    pub const ALL: [Self; 5] = [
        Self::ServerKey,
        Self::EndpointSecret,
        Self::PreviousEndpointSecret,
        Self::FormerEndpointSecret,
        Self::StoredResponse,
    ];

    const fn statements(self) -> (&'static str, &'static str) {
        match self {
            Self::ServerKey => (SERVER_KEYS, REPLACE_SERVER_KEY),
            Self::EndpointSecret => (SECRETS, REPLACE_SECRET),
            Self::PreviousEndpointSecret => (PREVIOUS, REPLACE_PREVIOUS),
            Self::FormerEndpointSecret => (FORMER, REPLACE_FORMER),
            Self::StoredResponse => (RESPONSES, REPLACE_RESPONSE),
        }
    }
}

impl FromRow for Ciphertext {
    fn from_row(row: &mut Row) -> Result<Self, DatabaseError> {
        Ok(Self {
            row: [row.take()?, row.take()?, row.take()?],
            text: row.take()?,
        })
    }
}

impl KeyStore {
    /// The values of a column that are encrypted under other keys.
    pub async fn ciphertexts_of_other_keys(
        &self,
        column: EncryptedColumn,
        key_id: &str,
        limit: u32,
    ) -> Result<Vec<Ciphertext>, DatabaseError> {
        let (select, _) = column.statements();
        let wanted = values![format!("{key_id}.%"), limit];
        self.database.list(select, wanted).await
    }

    /// Replaces a ciphertext unless it was changed meanwhile; returns whether it did.
    pub async fn replace_ciphertext(
        &self,
        column: EncryptedColumn,
        seen: &Ciphertext,
        new: &str,
    ) -> Result<bool, DatabaseError> {
        let (_, update) = column.statements();
        let [first, second, third] = &seen.row;
        let values = values![first, second, third, &seen.text, new.to_owned()];
        self.database.change(update, values).await
    }
}
