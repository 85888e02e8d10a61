//! Authenticator data (WebAuthn Level 3 section 6.1) and the attestation object (section 6.5.4).

use super::cbor::Reader;
use super::key::PublicKey;

/// Longest credential id (section 7.1 step 25).
const CREDENTIAL_ID_BYTES: usize = 1023;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// Authenticator data.
pub(crate) struct AuthenticatorData<'a> {
    pub(crate) rp_id_hash: &'a [u8],
    flags: u8,
    pub(crate) sign_count: u32,
    pub(crate) credential: Option<AttestedCredential<'a>>,
}

/// A new credential.
pub(crate) struct AttestedCredential<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) key: PublicKey,
}

impl<'a> AuthenticatorData<'a> {
    /// None where bytes are left over.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (rp_id_hash, rest) = bytes.split_at_checked(32)?;
        let (flags, rest) = rest.split_first()?;
        let (sign_count, mut rest) = rest.split_first_chunk::<4>()?;
        let credential = if flags & HAS_CREDENTIAL == 0 {
            None
        } else {
            let (credential, after) = attested(rest)?;
            rest = after;
            Some(credential)
        };
        if flags & HAS_EXTENSIONS != 0 {
            // None were requested. A browser may still add some, and they are ignored.
            let mut extensions = Reader::new(rest);
            extensions.item()?.map()?;
            if !extensions.is_at_end() {
                return None;
            }
        } else if !rest.is_empty() {
            return None;
        }
        Some(Self {
            rp_id_hash,
            flags: *flags,
            sign_count: u32::from_be_bytes(*sign_count),
            credential,
        })
    }

    pub(crate) const fn user_is_present(&self) -> bool {
        self.flags & USER_PRESENT != 0
    }

    pub(crate) const fn user_is_verified(&self) -> bool {
        self.flags & USER_VERIFIED != 0
    }

    pub(crate) const fn is_backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    pub(crate) const fn is_backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }
}

/// Section 6.5.1: sixteen bytes for the model, the id with its length, the key.
fn attested(bytes: &[u8]) -> Option<(AttestedCredential<'_>, &[u8])> {
    let (_model, rest) = bytes.split_at_checked(16)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    if !(1..=CREDENTIAL_ID_BYTES).contains(&length) {
        return None;
    }
    let (id, rest) = rest.split_at_checked(length)?;
    let mut reader = Reader::new(rest);
    let key = PublicKey::from_cose(reader.item()?)?;
    Some((AttestedCredential { id, key }, reader.rest()))
}

/// The attestation of a new credential.
pub(crate) enum Statement<'a> {
    /// None (section 8.7).
    None,
    /// By a signature of its own key (section 8.2, without certificates).
    ByItself { algorithm: i64, signature: &'a [u8] },
}

/// An attestation object.
pub(crate) struct AttestationObject<'a> {
    pub(crate) statement: Statement<'a>,
    pub(crate) authenticator_data: &'a [u8],
}

impl<'a> AttestationObject<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let (mut format, mut statement, mut data) = (None, None, None);
        for _ in 0..reader.map()? {
            let is_first = match reader.text()? {
                "fmt" => format.replace(reader.text()?).is_none(),
                "attStmt" => statement.replace(reader.item()?).is_none(),
                "authData" => data.replace(reader.bytes()?).is_none(),
                _ => false,
            };
            if !is_first {
                return None;
            }
        }
        if !reader.is_at_end() {
            return None;
        }
        Some(Self {
            statement: Statement::parse(format?, statement?)?,
            authenticator_data: data?,
        })
    }
}

impl<'a> Statement<'a> {
    fn parse(format: &str, mut reader: Reader<'a>) -> Option<Self> {
        let members = reader.map()?;
        match (format, members) {
            ("none", 0) => Some(Self::None),
            ("packed", 2) => {
                let (mut algorithm, mut signature) = (None, None);
                for _ in 0..members {
                    match reader.text()? {
                        "alg" => algorithm = Some(reader.integer()?),
                        "sig" => signature = Some(reader.bytes()?),
                        _ => return None,
                    }
                }
                Some(Self::ByItself {
                    algorithm: algorithm?,
                    signature: signature?,
                })
            }
            // No certificates were requested, so the browser removes them.
            _ => None,
        }
    }
}
