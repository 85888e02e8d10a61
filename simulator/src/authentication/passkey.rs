//! Passkeys: the options for the browser, and the keys of accounts.

use super::SimulatedAuthenticator;
use super::challenge::Challenge;
use super::webauthn::{self, ALGORITHMS, Expected, OTHER_PAGE, Passkey, PublicKey};
use crate::account::Account;
use crate::phone::Message;
use sealpay_protocol::encoding::{base64url, from_base64url};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::limits;
use sealpay_protocol::origin::Origin;
use sealpay_provider::ProviderError;
use sealpay_provider::authentication::{AuthenticationStatus, ChallengeKind};
use sealpay_storage::{Codec, DatabaseError, Entity, Plain, Projection, Row, Value};
use sealpay_storage::{entity, sql, values};
use serde_json::json;

/// How long after a right code a passkey may be created.
const ENROLMENT_MS: i64 = 10 * 60 * 1000;

/// The bank's name in the browser's dialog.
const RELYING_PARTY: &str = "Sealpay test bank";

impl Codec<Passkey, 5> for Plain {
    fn write(passkey: &Passkey) -> Result<[Value; 5], DatabaseError> {
        Ok(values![
            base64url(&passkey.credential_id),
            passkey.key.algorithm(),
            base64url(passkey.key.bytes()),
            passkey.sign_count,
            passkey.is_backup_eligible,
        ])
    }

    fn read(row: &mut Row) -> Result<Passkey, DatabaseError> {
        let bytes = |text: String| from_base64url(&text);
        let credential_id = row.take_as(bytes)?;
        let algorithm = row.take()?;
        let key = row.take_as(|text| PublicKey::from_parts(algorithm, &bytes(text)?))?;
        Ok(Passkey {
            credential_id,
            key,
            sign_count: row.take()?,
            is_backup_eligible: row.take()?,
        })
    }
}

struct StoredPasskey {
    account: String,
    rp_id: String,
    passkey: Passkey,
    created_at_ms: i64,
}

entity! {
    StoredPasskey in "bank_passkeys" {
        account,
        rp_id,
        passkey: (credential_id, algorithm, public_key, sign_count, backup_eligible),
        created_at_ms,
    }
}

const BY_ACCOUNT: &str = sql!(StoredPasskey::SELECT, "WHERE account = $1 AND rp_id = $2");

/// Of two passkeys that are created at once, one is stored.
const ADD: &str = sql!(StoredPasskey::INSERT, "ON CONFLICT DO NOTHING");

/// A signature counts once, unless the authenticator does not count.
pub(crate) const COUNT: &str = "UPDATE bank_passkeys SET sign_count = $3
    WHERE account = $1 AND rp_id = $2 AND (sign_count < $3 OR (sign_count = 0 AND $3 = 0))";

const ALLOW_REGISTRATION: &str = "UPDATE bank_challenges SET registration = $2
    WHERE reference = $1 AND registration IS NULL";

/// A registration challenge may be used once, for a valid passkey or not.
const USE_REGISTRATION: &str = "UPDATE bank_challenges SET registration = NULL
    WHERE reference = $1 AND registration = $2";

/// The relying party id (WebAuthn Level 3 section 5.1.3) of an origin where passkeys work: a domain
/// in a secure context. A browser knows no passkeys for addresses.
pub(crate) fn relying_party(origin: &Origin) -> Option<&str> {
    let authority = origin.authority();
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    let is_local = host == "localhost" || host.ends_with(".localhost");
    let is_secure = origin.as_str().starts_with("https://");
    // A last label of digits makes a host an IPv4 address (URL Standard section 3.5).
    let last_label = host.rsplit('.').next().unwrap_or(host);
    let is_address = host.starts_with('[') || last_label.bytes().all(|byte| byte.is_ascii_digit());
    ((is_secure || is_local) && !is_address).then_some(host)
}

/// The result of checking an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasskeyCheck {
    /// It is valid; its new signature count.
    Valid(u32),
    /// It is not.
    Invalid,
    /// The passkey was used below a page that the order does not name.
    OtherPage,
}

impl SimulatedAuthenticator {
    /// The passkey of an account at this relying party.
    pub(crate) async fn passkey_of(&self, account: &str) -> Result<Option<Passkey>, ProviderError> {
        let Some(rp_id) = relying_party(&self.simulation.origin) else {
            return Ok(None);
        };
        let values = values![account.to_owned(), rp_id.to_owned()];
        let journal = &self.simulation.journal;
        let stored: Option<StoredPasskey> = journal.get(BY_ACCOUNT, values).await?;
        Ok(stored.map(|stored| stored.passkey))
    }

    /// The challenge that the passkey must sign: a random part, and a keyed hash of the payment, its
    /// payee and amount, so that a signature is for this payment and no other.
    fn challenge_bytes(&self, challenge: &Challenge) -> Vec<u8> {
        let mut message = Vec::new();
        for field in [
            challenge.reference.to_string(),
            challenge.payee.clone(),
            challenge.money.amount_minor().to_string(),
            challenge.money.currency().to_string(),
            challenge.expected.clone(),
        ] {
            let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
            message.extend(length.to_be_bytes());
            message.extend(field.as_bytes());
        }
        let bound = self.simulation.keyed("passkey challenge", &message);
        let mut bytes = from_base64url(&challenge.expected).unwrap_or_default();
        bytes.extend(bound);
        bytes
    }

    fn user_handle(&self, account: &str) -> [u8; 32] {
        self.simulation.keyed("passkey user", account.as_bytes())
    }

    /// `PublicKeyCredentialRequestOptionsJSON`; none where the account has no passkey.
    pub(crate) async fn request_options(
        &self,
        challenge: &Challenge,
    ) -> Result<Option<String>, ProviderError> {
        let Some(rp_id) = relying_party(&self.simulation.origin) else {
            return Ok(None);
        };
        let Some(passkey) = self.passkey_of(&challenge.account).await? else {
            return Ok(None);
        };
        let options = json!({
            "challenge": base64url(&self.challenge_bytes(challenge)),
            "timeout": limits::CHALLENGE_LIFETIME_SECONDS * 1000,
            "rpId": rp_id,
            "allowCredentials": [
                {"type": "public-key", "id": base64url(&passkey.credential_id)}
            ],
            "userVerification": "required",
        });
        Ok(Some(options.to_string()))
    }

    /// Checks an assertion.
    pub(crate) async fn check_passkey(
        &self,
        challenge: &Challenge,
        credential: &str,
    ) -> Result<PasskeyCheck, ProviderError> {
        let Some(rp_id) = relying_party(&self.simulation.origin) else {
            return Ok(PasskeyCheck::Invalid);
        };
        let Some(passkey) = self.passkey_of(&challenge.account).await? else {
            return Ok(PasskeyCheck::Invalid);
        };
        let pages: Vec<_> = challenge.pages().collect();
        let expected = Expected {
            challenge: &self.challenge_bytes(challenge),
            origin: self.simulation.origin.as_str(),
            pages: &pages,
            rp_id,
        };
        let handle = self.user_handle(&challenge.account);
        match webauthn::verify_assertion(credential, &expected, &passkey, &handle) {
            Ok(sign_count) => Ok(PasskeyCheck::Valid(sign_count)),
            Err(reason) => {
                tracing::info!(reference = %challenge.reference, reason, "a passkey was refused");
                Ok(match reason {
                    OTHER_PAGE => PasskeyCheck::OtherPage,
                    _ => PasskeyCheck::Invalid,
                })
            }
        }
    }

    /// Whether the shopper entered the right code for this payment recently.
    fn is_recently_authenticated(&self, challenge: &Challenge) -> bool {
        let since = challenge
            .decided_at_ms
            .map(|decided| self.simulation.clock.now_ms_i64() - decided);
        challenge.is_over()
            && challenge.status == Some(AuthenticationStatus::Authenticated)
            && challenge.challenge == Some(ChallengeKind::Code)
            && since.is_some_and(|since| (0..ENROLMENT_MS).contains(&since))
    }

    pub(crate) async fn creation_options(
        &self,
        reference: PaymentId,
    ) -> Result<Option<String>, ProviderError> {
        let Some(rp_id) = relying_party(&self.simulation.origin) else {
            return Ok(None);
        };
        let Some(found) = self.challenge(reference).await? else {
            return Ok(None);
        };
        let has_one = self.passkey_of(&found.account).await?.is_some();
        if has_one || !self.is_recently_authenticated(&found) {
            return Ok(None);
        }
        let Some(account) = self.simulation.account(&found.account).await? else {
            return Ok(None);
        };
        // A repeated request gets the first challenge.
        let fresh = base64url(&self.simulation.rng.bytes::<32>());
        let allow = values![reference, fresh];
        let journal = &self.simulation.journal;
        journal.change(ALLOW_REGISTRATION, allow).await?;
        let allowed = self.challenge(reference).await?;
        let registration = allowed.and_then(|challenge| challenge.registration);
        Ok(registration.map(|challenge| self.creation(rp_id, &challenge, &account)))
    }

    /// `PublicKeyCredentialCreationOptionsJSON`.
    fn creation(&self, rp_id: &str, challenge: &str, account: &Account) -> String {
        let algorithms = ALGORITHMS.map(|alg| json!({"type": "public-key", "alg": alg}));
        let options = json!({
            "rp": {"id": rp_id, "name": RELYING_PARTY},
            "user": {
                "id": base64url(&self.user_handle(&account.id)),
                "name": format!("{} •••• {}", account.brand, account.last4),
                "displayName": account.holder,
            },
            "challenge": challenge,
            "pubKeyCredParams": algorithms,
            "timeout": ENROLMENT_MS,
            "excludeCredentials": [],
            "authenticatorSelection": {
                "residentKey": "preferred",
                "requireResidentKey": false,
                "userVerification": "required",
            },
            "attestation": "none",
        });
        options.to_string()
    }

    pub(crate) async fn store_passkey(
        &self,
        reference: PaymentId,
        credential: &str,
    ) -> Result<bool, ProviderError> {
        let Some(rp_id) = relying_party(&self.simulation.origin) else {
            return Ok(false);
        };
        let Some(found) = self.challenge(reference).await? else {
            return Ok(false);
        };
        if let Some(stored) = self.passkey_of(&found.account).await? {
            // The request is repeated because its response was lost.
            return Ok(webauthn::has_same_id(credential, &stored));
        }
        let Some(registration) = &found.registration else {
            return Ok(false);
        };
        if !self.is_recently_authenticated(&found) {
            return Ok(false);
        }
        let pages: Vec<_> = found.pages().collect();
        let expected = Expected {
            challenge: &from_base64url(registration).unwrap_or_default(),
            origin: self.simulation.origin.as_str(),
            pages: &pages,
            rp_id,
        };
        let registration = values![reference, registration];
        let journal = &self.simulation.journal;
        if !journal.change(USE_REGISTRATION, registration).await? {
            return Ok(false);
        }
        let passkey = match webauthn::verify_registration(credential, &expected) {
            Ok(passkey) => passkey,
            Err(reason) => {
                tracing::info!(%reference, reason, "a new passkey was refused");
                return Ok(false);
            }
        };
        let stored = StoredPasskey {
            account: found.account,
            rp_id: rp_id.to_owned(),
            passkey,
            created_at_ms: self.simulation.clock.now_ms_i64(),
        };
        let is_added = journal.add(ADD, &stored).await?;
        if is_added {
            self.notify_of_passkey(&stored.account).await?;
        }
        Ok(is_added)
    }

    /// A stranger who obtains one code from a cardholder could use the passkey from then on, so the
    /// phone gets a message. A second code would be obtained in the same way.
    async fn notify_of_passkey(&self, account: &str) -> Result<(), ProviderError> {
        let Some(account) = self.simulation.account(account).await? else {
            return Ok(());
        };
        let message = Message::about_passkey(&self.simulation, &account);
        let journal = &self.simulation.journal;
        journal.add(Message::INSERT, &message).await.map(drop)
    }
}
