//! Passkeys: what a browser is asked to sign, and the keys that accounts have.

use super::SimulatedAuthenticator;
use super::challenge::Challenge;
use super::webauthn::{self, ALGORITHMS, Expected, OTHER_PAGE, Passkey, PublicKey};
use crate::account::Account;
use crate::phone::{self, Message};
use crate::world::silent;
use sealpay_protocol::encoding::{base64url, from_base64url};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::limits;
use sealpay_protocol::origin::Origin;
use sealpay_provider::ProviderError;
use sealpay_provider::authentication::{AuthenticationStatus, ChallengeKind};
use sealpay_storage::{Addition, DatabaseError, Row, values};
use serde_json::json;

/// How long after a right code a passkey may be made.
const ENROLMENT_MS: i64 = 10 * 60 * 1000;

/// The bank's name on the browser's own window.
const RELYING_PARTY: &str = "Sealpay test bank";

const BY_ACCOUNT: &str = "SELECT credential_id, algorithm, public_key, sign_count, backup_eligible
    FROM bank_passkeys WHERE account = $1 AND rp_id = $2";

/// Two browsers that make a passkey at once do not both keep one.
const KEEP: &str = "INSERT INTO bank_passkeys (account, rp_id, credential_id, algorithm,
    public_key, sign_count, backup_eligible, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";

/// A signature that was used does not count again, unless the authenticator never counts.
pub(super) const COUNT: &str = "UPDATE bank_passkeys SET sign_count = $3
    WHERE account = $1 AND rp_id = $2 AND (sign_count < $3 OR (sign_count = 0 AND $3 = 0))";

const ALLOW_REGISTRATION: &str = "UPDATE bank_challenges SET registration = $2
    WHERE reference = $1 AND registration IS NULL";

/// What was to be signed is good for one passkey, right or wrong.
const SPEND_REGISTRATION: &str = "UPDATE bank_challenges SET registration = NULL
    WHERE reference = $1 AND registration = $2";

/// The relying party id (WebAuthn Level 3 section 5.1.3) of an origin where passkeys work: a domain
/// in a secure context. A browser knows no passkeys for addresses.
pub(super) fn relying_party(origin: &Origin) -> Option<&str> {
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

/// What came of checking what a passkey signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checked {
    /// It is right; its new signature count.
    Right(u32),
    /// It is not.
    Wrong,
    /// It was used below a page that the order does not name.
    OtherPage,
}

fn passkey(mut row: Row) -> Result<Passkey, DatabaseError> {
    let corrupt = || DatabaseError::Corrupt("a passkey cannot be read".into());
    let credential_id = row.read(from_base64url)?;
    let algorithm = row.integer()?;
    let key = row.read(from_base64url)?;
    Ok(Passkey {
        credential_id,
        key: PublicKey::from_parts(algorithm, &key).ok_or_else(corrupt)?,
        sign_count: row.number()?,
        is_backup_eligible: row.integer()? != 0,
    })
}

impl SimulatedAuthenticator {
    /// The passkey of an account here.
    pub(super) async fn passkey_of(&self, account: &str) -> Result<Option<Passkey>, ProviderError> {
        let Some(rp_id) = relying_party(&self.world.origin) else {
            return Ok(None);
        };
        let values = values![account.to_owned(), rp_id.to_owned()];
        let row = self.world.database.row(BY_ACCOUNT, values).await;
        let row = row.map_err(silent)?;
        row.map(passkey).transpose().map_err(silent)
    }

    /// What has to be signed: the random part, and a keyed hash of who is paid how much for which
    /// payment, taken from the row. So a signature is for this payment and no other.
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
        let bound = self.world.keyed("passkey challenge", &message);
        let mut bytes = from_base64url(&challenge.expected).unwrap_or_default();
        bytes.extend(bound);
        bytes
    }

    fn user_handle(&self, account: &str) -> [u8; 32] {
        self.world.keyed("passkey user", account.as_bytes())
    }

    /// `PublicKeyCredentialRequestOptionsJSON`; none when the account has no passkey any more.
    pub(super) async fn request_options(
        &self,
        challenge: &Challenge,
    ) -> Result<Option<String>, ProviderError> {
        let Some(rp_id) = relying_party(&self.world.origin) else {
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

    /// Checks what a passkey signed.
    pub(super) async fn check_passkey(
        &self,
        challenge: &Challenge,
        credential: &str,
    ) -> Result<Checked, ProviderError> {
        let Some(rp_id) = relying_party(&self.world.origin) else {
            return Ok(Checked::Wrong);
        };
        let Some(passkey) = self.passkey_of(&challenge.account).await? else {
            return Ok(Checked::Wrong);
        };
        let pages: Vec<_> = challenge.pages().collect();
        let expected = Expected {
            challenge: &self.challenge_bytes(challenge),
            origin: self.world.origin.as_str(),
            pages: &pages,
            rp_id,
        };
        let handle = self.user_handle(&challenge.account);
        match webauthn::used(credential, &expected, &passkey, &handle) {
            Ok(sign_count) => Ok(Checked::Right(sign_count)),
            Err(reason) => {
                tracing::info!(reference = %challenge.reference, reason, "a passkey was refused");
                Ok(match reason {
                    OTHER_PAGE => Checked::OtherPage,
                    _ => Checked::Wrong,
                })
            }
        }
    }

    /// Whether the code of this payment was right a moment ago.
    fn was_right_lately(&self, challenge: &Challenge) -> bool {
        let since = challenge
            .decided_at_ms
            .map(|decided| self.world.clock.now_ms_i64() - decided);
        challenge.is_over()
            && challenge.status == Some(AuthenticationStatus::Authenticated)
            && challenge.challenge == Some(ChallengeKind::Code)
            && since.is_some_and(|since| (0..ENROLMENT_MS).contains(&since))
    }

    pub(super) async fn creation_options(
        &self,
        reference: PaymentId,
    ) -> Result<Option<String>, ProviderError> {
        let Some(rp_id) = relying_party(&self.world.origin) else {
            return Ok(None);
        };
        let Some(found) = self.challenge(reference).await? else {
            return Ok(None);
        };
        let has_one = self.passkey_of(&found.account).await?.is_some();
        if has_one || !self.was_right_lately(&found) {
            return Ok(None);
        }
        let Some(account) = self.world.account(&found.account).await? else {
            return Ok(None);
        };
        // Whoever asks again gets what was asked for first.
        let fresh = base64url(&self.world.rng.bytes::<32>());
        let allow = values![reference, fresh];
        let database = &self.world.database;
        database
            .execute(ALLOW_REGISTRATION, allow)
            .await
            .map_err(silent)?;
        let registration = self
            .challenge(reference)
            .await?
            .and_then(|c| c.registration);
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

    pub(super) async fn keep_passkey(
        &self,
        reference: PaymentId,
        credential: &str,
    ) -> Result<bool, ProviderError> {
        let Some(rp_id) = relying_party(&self.world.origin) else {
            return Ok(false);
        };
        let Some(found) = self.challenge(reference).await? else {
            return Ok(false);
        };
        if let Some(kept) = self.passkey_of(&found.account).await? {
            // Whoever asks again, because the answer was lost, hears that it is kept.
            return Ok(webauthn::names(credential, &kept));
        }
        let Some(registration) = &found.registration else {
            return Ok(false);
        };
        if !self.was_right_lately(&found) {
            return Ok(false);
        }
        let pages: Vec<_> = found.pages().collect();
        let expected = Expected {
            challenge: &from_base64url(registration).unwrap_or_default(),
            origin: self.world.origin.as_str(),
            pages: &pages,
            rp_id,
        };
        let spend = values![reference, registration];
        let database = &self.world.database;
        let is_first = database.change(SPEND_REGISTRATION, spend).await;
        if !is_first.map_err(silent)? {
            return Ok(false);
        }
        let passkey = match webauthn::created(credential, &expected) {
            Ok(passkey) => passkey,
            Err(reason) => {
                tracing::info!(%reference, reason, "a new passkey was refused");
                return Ok(false);
            }
        };
        let values = values![
            &found.account,
            rp_id.to_owned(),
            base64url(&passkey.credential_id),
            passkey.key.algorithm(),
            base64url(passkey.key.bytes()),
            passkey.sign_count,
            u32::from(passkey.is_backup_eligible),
            self.world.clock.now_ms_i64(),
        ];
        let added = database.add(KEEP, values).await.map_err(silent)?;
        if added == Addition::Added {
            self.tell_of_passkey(&found.account).await?;
        }
        Ok(added == Addition::Added)
    }

    /// Whoever got one code out of a cardholder could keep a passkey for good: the phone says so.
    /// A second code with its first use would go the way of the first one.
    async fn tell_of_passkey(&self, account: &str) -> Result<(), ProviderError> {
        let Some(account) = self.world.account(account).await? else {
            return Ok(());
        };
        let message = Message::of_passkey(&self.world, &account);
        let database = &self.world.database;
        let sent = database.execute(phone::SEND, message.values()).await;
        sent.map(drop).map_err(silent)
    }
}
