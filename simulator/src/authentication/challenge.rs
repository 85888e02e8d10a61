//! An authentication at the issuer: its challenge, the attempts that are left, and its result. The
//! conditional update of its one row decides every race.

use super::{Simulation, attempt, cool_down};
use crate::phone::{self, Message};
use sealpay_protocol::card::Brand;
use sealpay_protocol::encoding::base64;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::authentication::CodeChallenge;
use sealpay_provider::authentication::{Authentication, AuthenticationStatus, ChallengeKind};
use sealpay_storage::{AsJson, ByName, Codec, Column, DatabaseError, Entity, Fault, Projection};
use sealpay_storage::{Row, Tx, Value, entity, sql, values};

/// The state of an authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChallengeState {
    /// The shopper must enter a code.
    Code,
    /// The shopper must use a passkey.
    Passkey,
    /// It has a result.
    Done,
}

sealpay_protocol::names! {
    ChallengeState {
        Code = "code",
        Passkey = "passkey",
        Done = "done",
    }
}

impl ChallengeState {
    /// The kind of the open challenge.
    pub(crate) const fn kind(self) -> Option<ChallengeKind> {
        match self {
            Self::Code => Some(ChallengeKind::Code),
            Self::Passkey => Some(ChallengeKind::Passkey),
            Self::Done => None,
        }
    }
}

/// Why the last response was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It was not refused.
    None,
    /// It was wrong.
    Wrong,
    /// The passkey was used below a page that the order does not name.
    OtherPage,
}

impl Column for Refusal {
    fn to_value(&self) -> Result<Value, DatabaseError> {
        Ok(match self {
            Self::None => 0_u32.into(),
            Self::Wrong => 1_u32.into(),
            Self::OtherPage => 2_u32.into(),
        })
    }

    fn from_value(value: Value) -> Option<Self> {
        match u32::from_value(value)? {
            0 => Some(Self::None),
            1 => Some(Self::Wrong),
            2 => Some(Self::OtherPage),
            _ => None,
        }
    }
}

/// A [`ChallengeKind`] by its name.
struct KindByName;

impl Codec<Option<ChallengeKind>, 1> for KindByName {
    fn write(kind: &Option<ChallengeKind>) -> Result<[Value; 1], DatabaseError> {
        Ok(values![kind.map(|kind| match kind {
            ChallengeKind::Code => ChallengeState::Code.name(),
            ChallengeKind::Passkey => ChallengeState::Passkey.name(),
        })])
    }

    fn read(row: &mut Row) -> Result<Option<ChallengeKind>, DatabaseError> {
        let name: Option<String> = row.take()?;
        let state = name.as_deref().and_then(ChallengeState::from_name);
        Ok(state.and_then(ChallengeState::kind))
    }
}

/// An [`AuthenticationStatus`] by its letter.
struct ByLetter;

impl Codec<Option<AuthenticationStatus>, 1> for ByLetter {
    fn write(status: &Option<AuthenticationStatus>) -> Result<[Value; 1], DatabaseError> {
        Ok(values![status.map(|status| status.letter().to_string())])
    }

    fn read(row: &mut Row) -> Result<Option<AuthenticationStatus>, DatabaseError> {
        let letter: Option<String> = row.take()?;
        let is_it = |status: &AuthenticationStatus| {
            letter.as_deref() == Some(status.letter().encode_utf8(&mut [0; 4]))
        };
        Ok(AuthenticationStatus::ALL.into_iter().find(is_it))
    }
}

/// An authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) reference: PaymentId,
    pub(crate) account: String,
    pub(crate) payee: String,
    pub(crate) money: Money,
    /// The brand's slug; empty where it is unknown.
    pub(crate) brand: String,
    /// The pages where a passkey may be used, separated by spaces: the one that embeds the widget, and
    /// those that the order names.
    pub(crate) pages: String,
    pub(crate) reasons: Vec<String>,
    pub(crate) sent_to: String,
    pub(crate) state: ChallengeState,
    /// The kind of the open challenge, or of the last one.
    pub(crate) challenge: Option<ChallengeKind>,
    pub(crate) status: Option<AuthenticationStatus>,
    /// The keyed hash of the code, or the random part of the challenge that the passkey must sign.
    pub(crate) expected: String,
    pub(crate) refusal: Refusal,
    pub(crate) attempts_left: u32,
    pub(crate) resends_left: u32,
    pub(crate) resend_at_ms: i64,
    pub(crate) code_expires_at_ms: i64,
    pub(crate) expires_at_ms: i64,
    pub(crate) decided_at_ms: Option<i64>,
    /// The challenge that a new passkey must sign, once one may be created.
    pub(crate) registration: Option<String>,
}

entity! {
    Challenge in "bank_challenges" {
        reference,
        account,
        payee,
        money: (amount, currency),
        brand,
        pages: (parent_origin),
        reasons as AsJson,
        sent_to,
        state as ByName,
        challenge as KindByName,
        status as ByLetter,
        expected,
        refusal: (refused),
        attempts_left,
        resends_left,
        resend_at_ms,
        code_expires_at_ms,
        expires_at_ms,
        decided_at_ms,
        registration,
    }
}

pub(crate) const BY_REFERENCE: &str = sql!(Challenge::SELECT, "WHERE reference = $1");

const START: &str = sql!(Challenge::INSERT, "ON CONFLICT (reference) DO NOTHING");

/// Uses up one attempt before anything is compared, so that attempts at once are no more than are
/// left. A passkey is checked against the challenge that it must sign, which is used up by that.
pub(crate) const ATTEMPT: &str = sql!(
    "UPDATE bank_challenges SET attempts_left = attempts_left - 1, \
     expected = COALESCE($5, expected) \
     WHERE reference = $1 AND state = $2 AND attempts_left > 0 AND expires_at_ms > $3 \
     AND expected = COALESCE($4, expected) RETURNING ",
    Challenge::COLUMNS
);

/// Replaces the code.
pub(crate) const RESEND: &str = sql!(
    "UPDATE bank_challenges SET expected = $3, code_expires_at_ms = $4, resend_at_ms = $5, \
     resends_left = resends_left - 1, refused = 0 \
     WHERE reference = $1 AND state = 'code' AND resends_left > 0 AND resend_at_ms <= $2 \
     AND expires_at_ms > $2 RETURNING ",
    Challenge::COLUMNS
);

/// Replaces the passkey by a code.
pub(crate) const USE_CODE: &str = sql!(
    "UPDATE bank_challenges SET state = 'code', challenge = 'code', expected = $3, \
     code_expires_at_ms = $4, resend_at_ms = $5, refused = 0 \
     WHERE reference = $1 AND state = 'passkey' AND expires_at_ms > $2 RETURNING ",
    Challenge::COLUMNS
);

/// Ends the challenge unless it has ended.
pub(crate) const END: &str = sql!(
    "UPDATE bank_challenges SET state = 'done', status = $2, decided_at_ms = $3, refused = 0, \
     expected = '' WHERE reference = $1 AND state <> 'done' RETURNING ",
    Challenge::COLUMNS
);

/// The last passkey was used below a page that the order does not name.
pub(crate) const OTHER_PAGE: &str = sql!(
    "UPDATE bank_challenges SET refused = 2 \
     WHERE reference = $1 AND state = 'passkey' AND expires_at_ms > $2 RETURNING ",
    Challenge::COLUMNS
);

/// The last response was wrong.
pub(crate) const REFUSE: &str = sql!(
    "UPDATE bank_challenges SET refused = 1 WHERE reference = $1 RETURNING ",
    Challenge::COLUMNS
);

const STEP: &str = "INSERT INTO bank_challenge_steps (reference, id, resend_not_allowed)
    VALUES ($1, $2, 0) ON CONFLICT (reference, id) DO NOTHING";

const EARLIER_STEP: &str = "SELECT resend_not_allowed FROM bank_challenge_steps
    WHERE reference = $1 AND id = $2";

const REFUSE_STEP: &str = "UPDATE bank_challenge_steps SET resend_not_allowed = 1
    WHERE reference = $1 AND id = $2";

const REMOVE_STEP: &str = "DELETE FROM bank_challenge_steps WHERE reference = $1 AND id = $2";

/// A shopper's step: one conditional update, and a message if it applies.
pub(crate) struct ChallengeUpdate {
    pub(crate) reference: PaymentId,
    /// The id of the step.
    pub(crate) step: Value,
    pub(crate) change: &'static str,
    pub(crate) values: Vec<Value>,
    pub(crate) message: Option<Message>,
}

/// The result of a step, with the challenge after it.
pub(crate) enum StepResult {
    /// The step was taken earlier.
    Repeated(Challenge),
    /// It was applied.
    Applied(Challenge),
    /// The challenge does not allow it.
    NotAllowed(Challenge),
    /// Another code is not allowed yet, or any more.
    ResendNotAllowed(Challenge),
    /// There is no such challenge.
    Unknown,
}

/// Starts a challenge and sends its message, unless there is one.
pub(crate) async fn start(
    tx: &mut Tx<'_>,
    (challenge, message): &(Challenge, Option<Message>),
) -> Result<Challenge, Fault> {
    if tx.execute(START, &challenge.to_row()?).await? == 0 {
        let stored = find(tx, challenge.reference).await?;
        return stored.ok_or_else(|| Fault::Retry("a challenge is gone".into()));
    }
    let Some(message) = message else {
        return Ok(challenge.clone());
    };
    if cool_down::may_send(tx, &challenge.account, message.created_at_ms).await? {
        send(tx, message).await?;
        return Ok(challenge.clone());
    }
    // The phone had the maximum number of messages: the shopper cannot be authenticated.
    tracing::warn!(reference = %challenge.reference, "a phone had too many messages in an hour");
    let rejected = AuthenticationStatus::Rejected.letter();
    let ending = attempt::ending(challenge, rejected, message.created_at_ms);
    let ended = tx.get(END, &ending).await?;
    ended.ok_or_else(|| Fault::Retry("a challenge is gone".into()))
}

/// Takes a step, once.
pub(crate) async fn take_step(
    tx: &mut Tx<'_>,
    update: &ChallengeUpdate,
) -> Result<StepResult, Fault> {
    let id = values![update.reference, update.step.clone()];
    if tx.execute(STEP, &id).await? == 0 {
        let Some((resend_not_allowed,)) = tx.get(EARLIER_STEP, &id).await? else {
            return Err(Fault::Retry("a step is gone".into()));
        };
        return Ok(match find(tx, update.reference).await? {
            Some(challenge) if resend_not_allowed => StepResult::ResendNotAllowed(challenge),
            Some(challenge) => StepResult::Repeated(challenge),
            None => StepResult::Unknown,
        });
    }
    let may_send = match &update.message {
        Some(message) => cool_down::may_send(tx, &message.account, message.created_at_ms).await?,
        None => true,
    };
    if may_send && let Some(challenge) = tx.get(update.change, &update.values).await? {
        if let Some(message) = &update.message {
            send(tx, message).await?;
        }
        return Ok(StepResult::Applied(challenge));
    }
    let found = find(tx, update.reference).await?;
    if let Some(challenge) = &found
        && update.change == RESEND
        && challenge.state == ChallengeState::Code
    {
        tx.execute(REFUSE_STEP, &id).await?;
        return Ok(StepResult::ResendNotAllowed(challenge.clone()));
    }
    tx.execute(REMOVE_STEP, &id).await?;
    Ok(found.map_or(StepResult::Unknown, StepResult::NotAllowed))
}

async fn find(tx: &mut Tx<'_>, reference: PaymentId) -> Result<Option<Challenge>, Fault> {
    tx.get(BY_REFERENCE, &values![reference]).await
}

async fn send(tx: &mut Tx<'_>, message: &Message) -> Result<(), Fault> {
    cool_down::count_message(tx, &message.account, message.created_at_ms).await?;
    tx.execute(phone::PURGE, &message.purge_before()).await?;
    tx.execute(Message::INSERT, &message.to_row()?).await?;
    Ok(())
}

impl Challenge {
    pub(crate) fn is_over(&self) -> bool {
        self.state == ChallengeState::Done
    }

    /// The pages where a passkey may be used.
    pub(crate) fn pages(&self) -> impl Iterator<Item = &str> {
        self.pages.split(' ')
    }

    pub(crate) fn is_expired(&self, now_ms: i64) -> bool {
        !self.is_over() && now_ms >= self.expires_at_ms
    }

    pub(crate) fn code(&self) -> CodeChallenge {
        CodeChallenge {
            sent_to: self.sent_to.clone(),
            refused: self.refusal == Refusal::Wrong,
            attempts_left: self.attempts_left,
            resends_left: self.resends_left,
            resend_at_ms: self.resend_at_ms,
            expires_at_ms: self.code_expires_at_ms,
        }
    }

    /// The result of an authentication that is over.
    pub(crate) fn result(&self, simulation: &Simulation) -> Authentication {
        let status = self.status.unwrap_or(AuthenticationStatus::Unavailable);
        let has_value = matches!(
            status,
            AuthenticationStatus::Authenticated | AuthenticationStatus::Attempted
        );
        let value = || {
            let named = format!("{}{}", self.reference, status.letter());
            base64(&simulation.keyed("authentication value", named.as_bytes())[..20])
        };
        Authentication {
            status,
            eci: status.eci(Brand::from_slug(&self.brand)).into(),
            value: has_value.then(value),
            challenge: self.challenge,
            reasons: self.reasons.clone(),
        }
    }
}
