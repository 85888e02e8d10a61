//! An attempt at a challenge is counted, compared and decided in one transaction, so that attempts
//! at once are no more than are left, and a crash meanwhile undoes all of it.

use super::challenge::{self, Challenge, ChallengeUpdate, StepResult};
use super::cool_down;
use super::passkey::COUNT;
use crate::account::locks;
use sealpay_provider::authentication::AuthenticationStatus::{Authenticated, NotAuthenticated};
use sealpay_storage::{Fault, Tx, Value, values};
use subtle::ConstantTimeEq;

/// The shopper's response to a challenge.
pub(crate) enum ChallengeResponse {
    /// The keyed hash of the code.
    Code(String),
    /// A passkey, with its new signature count if the signature is valid.
    Passkey {
        rp_id: String,
        sign_count: Option<u32>,
    },
}

/// A step that uses up an attempt.
pub(crate) struct Attempt {
    /// Uses up the challenge's attempt.
    pub(crate) update: ChallengeUpdate,
    pub(crate) response: ChallengeResponse,
    pub(crate) now_ms: i64,
}

pub(crate) async fn check(tx: &mut Tx<'_>, attempt: &Attempt) -> Result<StepResult, Fault> {
    let challenge = match challenge::take_step(tx, &attempt.update).await? {
        StepResult::Applied(challenge) => challenge,
        other => return Ok(other),
    };
    // The account counts every code as wrong until it turns out to be right: so attempts at once,
    // over many payments, are no more than the account has left. Signatures cannot be guessed.
    let counted = match attempt.response {
        ChallengeResponse::Code(_) => {
            cool_down::count_attempt(tx, &challenge.account, attempt.now_ms).await?
        }
        ChallengeResponse::Passkey { .. } => None,
    };
    let is_allowed =
        counted.is_some() || matches!(attempt.response, ChallengeResponse::Passkey { .. });
    let is_right = is_allowed && is_right(tx, attempt, &challenge).await?;
    let last = counted.filter(|counted| locks(counted.wrong));
    if is_right {
        cool_down::reset(tx, &challenge.account).await?;
    } else if let Some(last) = last {
        cool_down::pause(tx, &challenge.account, last, attempt.now_ms).await?;
    }
    let end = |status: char| ending(&challenge, status, attempt.now_ms).to_vec();
    let (change, values) = if is_right {
        (challenge::END, end(Authenticated.letter()))
    } else if challenge.attempts_left == 0 || !is_allowed || last.is_some() {
        (challenge::END, end(NotAuthenticated.letter()))
    } else {
        (challenge::REFUSE, values![challenge.reference].to_vec())
    };
    let checked = tx.get(change, &values).await?;
    let checked = checked.ok_or_else(|| Fault::Retry("a challenge changed meanwhile".into()))?;
    Ok(StepResult::Applied(checked))
}

/// The arguments of [`challenge::END`].
pub(crate) fn ending(challenge: &Challenge, status: char, now_ms: i64) -> [Value; 3] {
    values![challenge.reference, status.to_string(), now_ms]
}

async fn is_right(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    challenge: &Challenge,
) -> Result<bool, Fault> {
    match &attempt.response {
        ChallengeResponse::Code(hash) => {
            // In constant time.
            let is_right = hash.as_bytes().ct_eq(challenge.expected.as_bytes());
            Ok(bool::from(is_right) && attempt.now_ms < challenge.code_expires_at_ms)
        }
        ChallengeResponse::Passkey { rp_id, sign_count } => {
            let Some(sign_count) = *sign_count else {
                return Ok(false);
            };
            let counted = values![&challenge.account, rp_id, sign_count];
            Ok(tx.execute(COUNT, &counted).await? > 0)
        }
    }
}
