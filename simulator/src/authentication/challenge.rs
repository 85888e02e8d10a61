//! One authentication as the issuer keeps it: what is asked, how often it may still be tried, and
//! how it ended. Every race is decided by a conditional update of its one row.

use super::{World, cool_down, trial};
use crate::phone::{self, Message};
use sealpay_protocol::card::Brand;
use sealpay_protocol::encoding::base64;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_provider::authentication::CodeChallenge;
use sealpay_provider::authentication::{Authentication, AuthenticationStatus, ChallengeKind};
use sealpay_storage::{DatabaseError, Fault, Row, Tx, Value, values};

/// Where an authentication stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Waiting for a code.
    Code,
    /// Waiting for a passkey.
    Passkey,
    /// Over.
    Done,
}

impl State {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Passkey => "passkey",
            Self::Done => "done",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Code, Self::Passkey, Self::Done]
            .into_iter()
            .find(|state| state.name() == name)
    }

    /// The kind of challenge that is open.
    pub(super) const fn kind(self) -> Option<ChallengeKind> {
        match self {
            Self::Code => Some(ChallengeKind::Code),
            Self::Passkey => Some(ChallengeKind::Passkey),
            Self::Done => None,
        }
    }
}

/// An authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) reference: PaymentId,
    pub(super) account: String,
    pub(super) payee: String,
    pub(super) money: Money,
    /// The brand's slug, or nothing.
    pub(super) brand: String,
    /// The pages where a passkey may be used, with spaces between: the one that embeds the widget,
    /// and those that the order names.
    pub(super) pages: String,
    pub(super) reasons: Vec<String>,
    pub(super) sent_to: String,
    pub(super) state: State,
    /// The kind of challenge that there is, or was last.
    pub(super) challenge: Option<ChallengeKind>,
    pub(super) status: Option<AuthenticationStatus>,
    /// What a proof is checked against: the keyed hash of a code, or the random part of what a
    /// passkey has to sign.
    pub(super) expected: String,
    pub(super) refused: bool,
    /// The last passkey was used below a page that the order does not name.
    pub(super) wrong_page: bool,
    pub(super) attempts_left: u32,
    pub(super) resends_left: u32,
    pub(super) resend_at_ms: i64,
    pub(super) code_expires_at_ms: i64,
    pub(super) expires_at_ms: i64,
    pub(super) decided_at_ms: Option<i64>,
    /// What a new passkey has to sign, once one may be made.
    pub(super) registration: Option<String>,
}

macro_rules! columns {
    () => {
        "reference, account, payee, amount, currency, brand, parent_origin, reasons, sent_to, \
         state, challenge, status, expected, refused, attempts_left, resends_left, resend_at_ms, \
         code_expires_at_ms, expires_at_ms, decided_at_ms, registration"
    };
}

const BY_REFERENCE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM bank_challenges WHERE reference = $1"
);

const BEGIN: &str = concat!(
    "INSERT INTO bank_challenges (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
     $19, $20, $21) ON CONFLICT (reference) DO NOTHING"
);

/// Takes one try before anything is compared, so that many at once are not more than there are.
/// A passkey is checked against what it had to sign, which is spent by that.
pub(super) const TRY: &str = concat!(
    "UPDATE bank_challenges SET attempts_left = attempts_left - 1, \
     expected = COALESCE($5, expected) \
     WHERE reference = $1 AND state = $2 AND attempts_left > 0 AND expires_at_ms > $3 \
     AND expected = COALESCE($4, expected) RETURNING ",
    columns!()
);

/// Puts another code in the place of the last one.
pub(super) const RESEND: &str = concat!(
    "UPDATE bank_challenges SET expected = $3, code_expires_at_ms = $4, resend_at_ms = $5, \
     resends_left = resends_left - 1, refused = 0 \
     WHERE reference = $1 AND state = 'code' AND resends_left > 0 AND resend_at_ms <= $2 \
     AND expires_at_ms > $2 RETURNING ",
    columns!()
);

/// Puts a code in the place of the passkey.
pub(super) const USE_CODE: &str = concat!(
    "UPDATE bank_challenges SET state = 'code', challenge = 'code', expected = $3, \
     code_expires_at_ms = $4, resend_at_ms = $5, refused = 0 \
     WHERE reference = $1 AND state = 'passkey' AND expires_at_ms > $2 RETURNING ",
    columns!()
);

/// Ends it, unless it is over.
pub(super) const END: &str = concat!(
    "UPDATE bank_challenges SET state = 'done', status = $2, decided_at_ms = $3, refused = 0, \
     expected = '' WHERE reference = $1 AND state <> 'done' RETURNING ",
    columns!()
);

/// Says that the last passkey was used on a page where none may be.
pub(super) const OTHER_PAGE: &str = concat!(
    "UPDATE bank_challenges SET refused = 2 \
     WHERE reference = $1 AND state = 'passkey' AND expires_at_ms > $2 RETURNING ",
    columns!()
);

/// Says that the last proof was wrong.
pub(super) const REFUSE: &str = concat!(
    "UPDATE bank_challenges SET refused = 1 WHERE reference = $1 RETURNING ",
    columns!()
);

const STEP: &str = "INSERT INTO bank_challenge_steps (reference, id, resend_not_allowed)
    VALUES ($1, $2, 0) ON CONFLICT (reference, id) DO NOTHING";

const STEP_BEFORE: &str = "SELECT resend_not_allowed FROM bank_challenge_steps
    WHERE reference = $1 AND id = $2";

const STEP_REFUSED: &str = "UPDATE bank_challenge_steps SET resend_not_allowed = 1
    WHERE reference = $1 AND id = $2";

const STEP_TAKEN_BACK: &str = "DELETE FROM bank_challenge_steps WHERE reference = $1 AND id = $2";

/// What is wanted of a challenge: one conditional update, and a message when it changes something.
pub(super) struct ChallengeUpdate {
    pub(super) reference: PaymentId,
    /// The name of the shopper's step.
    pub(super) step: Value,
    pub(super) change: &'static str,
    pub(super) values: Vec<Value>,
    pub(super) message: Option<Message>,
}

/// What became of it, with the challenge as it stands.
pub(super) enum Granted {
    /// The step came before.
    Before(Challenge),
    /// It was done.
    Now(Challenge),
    /// The challenge does not allow it.
    Not(Challenge),
    /// Another code was asked for too soon or too often, now or when the step came before.
    NotAgain(Challenge),
    /// There is no such challenge.
    Unknown,
}

/// Begins a challenge, and sends the message that belongs to it, unless there is one.
pub(super) async fn begin(
    tx: &mut Tx<'_>,
    (challenge, message): &(Challenge, Option<Message>),
) -> Result<Challenge, Fault> {
    if tx.execute(BEGIN, &challenge.values()?).await? == 0 {
        let stored = find(tx, challenge.reference).await?;
        return stored.ok_or_else(|| Fault::Retry("a challenge was there and is gone".into()));
    }
    let Some(message) = message else {
        return Ok(challenge.clone());
    };
    if cool_down::may_send(tx, &challenge.account, message.created_at_ms).await? {
        send(tx, message).await?;
        return Ok(challenge.clone());
    }
    // Nobody can be asked: the phone was sent as much as it may be.
    tracing::warn!(reference = %challenge.reference, "a phone had too many messages in an hour");
    let rejected = AuthenticationStatus::Rejected.letter();
    let ending = trial::ending(challenge, rejected, message.created_at_ms);
    let ended = change(tx, &(END, ending.to_vec())).await?;
    ended.ok_or_else(|| Fault::Retry("a challenge was there and is gone".into()))
}

/// Takes a step, once.
pub(super) async fn take_step(tx: &mut Tx<'_>, update: &ChallengeUpdate) -> Result<Granted, Fault> {
    let name = values![update.reference, update.step.clone()];
    if tx.execute(STEP, &name).await? == 0 {
        let mut row = tx.optional(STEP_BEFORE, &name).await?;
        let resend_not_allowed = match &mut row {
            Some(row) => row.integer()? != 0,
            None => return Err(Fault::Retry("a step was there and is gone".into())),
        };
        return Ok(match find(tx, update.reference).await? {
            Some(challenge) if resend_not_allowed => Granted::NotAgain(challenge),
            Some(challenge) => Granted::Before(challenge),
            None => Granted::Unknown,
        });
    }
    let may_send = match &update.message {
        Some(message) => cool_down::may_send(tx, &message.account, message.created_at_ms).await?,
        None => true,
    };
    if may_send && let Some(row) = tx.optional(update.change, &update.values).await? {
        if let Some(message) = &update.message {
            send(tx, message).await?;
        }
        return Ok(Granted::Now(Challenge::read(row)?));
    }
    let Some(challenge) = find(tx, update.reference).await? else {
        tx.execute(STEP_TAKEN_BACK, &name).await?;
        return Ok(Granted::Unknown);
    };
    if update.change == RESEND && challenge.state == State::Code {
        tx.execute(STEP_REFUSED, &name).await?;
        return Ok(Granted::NotAgain(challenge));
    }
    tx.execute(STEP_TAKEN_BACK, &name).await?;
    Ok(Granted::Not(challenge))
}

/// A change that nobody took a step for; none when it does not apply.
pub(super) async fn change(
    tx: &mut Tx<'_>,
    (sql, values): &(&'static str, Vec<Value>),
) -> Result<Option<Challenge>, Fault> {
    let row = tx.optional(sql, values).await?;
    Ok(row.map(Challenge::read).transpose()?)
}

pub(super) async fn find(
    tx: &mut Tx<'_>,
    reference: PaymentId,
) -> Result<Option<Challenge>, Fault> {
    let row = tx.optional(BY_REFERENCE, &values![reference]).await?;
    Ok(row.map(Challenge::read).transpose()?)
}

async fn send(tx: &mut Tx<'_>, message: &Message) -> Result<(), Fault> {
    cool_down::count_message(tx, &message.account, message.created_at_ms).await?;
    tx.execute(phone::FORGET, &message.oldest_kept()).await?;
    tx.execute(phone::SEND, &message.values()).await?;
    Ok(())
}

impl Challenge {
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Done
    }

    /// The pages where a passkey may be used.
    pub(super) fn pages(&self) -> impl Iterator<Item = &str> {
        self.pages.split(' ')
    }

    pub(super) fn is_late(&self, now_ms: i64) -> bool {
        !self.is_over() && now_ms >= self.expires_at_ms
    }

    pub(super) fn code(&self) -> CodeChallenge {
        CodeChallenge {
            sent_to: self.sent_to.clone(),
            refused: self.refused,
            attempts_left: self.attempts_left,
            resends_left: self.resends_left,
            resend_at_ms: self.resend_at_ms,
            expires_at_ms: self.code_expires_at_ms,
        }
    }

    /// The result, once it is over.
    pub(super) fn result(&self, world: &World) -> Authentication {
        let status = self.status.unwrap_or(AuthenticationStatus::Unavailable);
        let is_vouched_for = matches!(
            status,
            AuthenticationStatus::Authenticated | AuthenticationStatus::Attempted
        );
        let value = || {
            let named = format!("{}{}", self.reference, status.letter());
            base64(&world.keyed("authentication value", named.as_bytes())[..20])
        };
        Authentication {
            status,
            eci: status.eci(Brand::from_slug(&self.brand)).into(),
            value: is_vouched_for.then(value),
            challenge: self.challenge,
            reasons: self.reasons.clone(),
        }
    }

    fn values(&self) -> Result<[Value; 21], DatabaseError> {
        let reasons = serde_json::to_string(&self.reasons)
            .map_err(|error| DatabaseError::Corrupt(error.to_string()))?;
        Ok(values![
            self.reference,
            &self.account,
            &self.payee,
            self.money.amount_minor(),
            self.money.currency().code().to_owned(),
            &self.brand,
            &self.pages,
            reasons,
            &self.sent_to,
            self.state.name(),
            self.challenge.map(kind_name),
            self.status.map(|status| status.letter().to_string()),
            &self.expected,
            match (self.refused, self.wrong_page) {
                (_, true) => 2,
                (refused, false) => i64::from(refused),
            },
            self.attempts_left,
            self.resends_left,
            self.resend_at_ms,
            self.code_expires_at_ms,
            self.expires_at_ms,
            self.decided_at_ms,
            self.registration.clone(),
        ])
    }

    pub(super) fn read(mut row: Row) -> Result<Self, DatabaseError> {
        let mut was_refused = false;
        let mut challenge = Self {
            reference: row.parsed()?,
            account: row.text()?,
            payee: row.text()?,
            money: Money::new(row.integer()?, row.parsed()?),
            brand: row.text()?,
            pages: row.text()?,
            reasons: row.read(|text| serde_json::from_str(text).ok())?,
            sent_to: row.text()?,
            state: row.read(State::from_name)?,
            challenge: row.optional_text()?.as_deref().and_then(kind_of),
            status: row.optional_text()?.as_deref().and_then(status_of),
            expected: row.text()?,
            refused: false,
            wrong_page: row.integer().map(|refused| {
                was_refused = refused == 1;
                refused == 2
            })?,
            attempts_left: row.number()?,
            resends_left: row.number()?,
            resend_at_ms: row.integer()?,
            code_expires_at_ms: row.integer()?,
            expires_at_ms: row.integer()?,
            decided_at_ms: row.optional_integer()?,
            registration: row.optional_text()?,
        };
        challenge.refused = was_refused;
        Ok(challenge)
    }
}

const fn kind_name(kind: ChallengeKind) -> &'static str {
    match kind {
        ChallengeKind::Code => "code",
        ChallengeKind::Passkey => "passkey",
    }
}

fn kind_of(name: &str) -> Option<ChallengeKind> {
    [ChallengeKind::Code, ChallengeKind::Passkey]
        .into_iter()
        .find(|kind| kind_name(*kind) == name)
}

fn status_of(letter: &str) -> Option<AuthenticationStatus> {
    AuthenticationStatus::ALL
        .into_iter()
        .find(|status| letter.chars().eq([status.letter()]))
}
