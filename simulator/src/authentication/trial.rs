//! A proof is tried: counted, compared and judged in one transaction, so that guesses at once are
//! not more than there are tries, and a crash in between forgets all of it.

use super::challenge::{self, Challenge, ChallengeUpdate, Granted};
use super::cool_down;
use super::passkey::COUNT;
use crate::account::locks;
use sealpay_provider::authentication::AuthenticationStatus::{Authenticated, NotAuthenticated};
use sealpay_storage::{Fault, Tx, Value, values};
use subtle::ConstantTimeEq;

/// What the shopper proves with.
pub(super) enum Proof {
    /// The keyed hash of what was typed.
    Code(String),
    /// What came of checking a passkey against what it had to sign: its new signature count.
    Passkey {
        rp_id: String,
        sign_count: Option<u32>,
    },
}

/// A step that is a try.
pub(super) struct Trial {
    /// Takes one try of the challenge.
    pub(super) update: ChallengeUpdate,
    pub(super) proof: Proof,
    pub(super) now_ms: i64,
}

pub(super) async fn judge(tx: &mut Tx<'_>, trial: &Trial) -> Result<Granted, Fault> {
    let tried = match challenge::take_step(tx, &trial.update).await? {
        Granted::Now(tried) => tried,
        other => return Ok(other),
    };
    // The account counts every code as wrong and forgives it when it is right: so tries at once,
    // over many payments, are not more than the account has left. Signatures are not guessed.
    let counted = match trial.proof {
        Proof::Code(_) => cool_down::count_try(tx, &tried.account, trial.now_ms).await?,
        Proof::Passkey { .. } => None,
    };
    let may_try = counted.is_some() || matches!(trial.proof, Proof::Passkey { .. });
    let is_right = may_try && is_right(tx, trial, &tried).await?;
    let last = counted.filter(|counted| locks(counted.wrong));
    if is_right {
        cool_down::forgive(tx, &tried.account).await?;
    } else if let Some(last) = last {
        cool_down::pause(tx, &tried.account, last, trial.now_ms).await?;
    }
    let end = |status: char| ending(&tried, status, trial.now_ms).to_vec();
    let (change, values) = if is_right {
        (challenge::END, end(Authenticated.letter()))
    } else if tried.attempts_left == 0 || !may_try || last.is_some() {
        (challenge::END, end(NotAuthenticated.letter()))
    } else {
        (challenge::REFUSE, values![tried.reference].to_vec())
    };
    let judged = challenge::change(tx, &(change, values)).await?;
    let judged = judged.ok_or_else(|| Fault::Retry("a challenge changed meanwhile".into()))?;
    Ok(Granted::Now(judged))
}

/// The arguments of [`challenge::END`].
pub(super) fn ending(challenge: &Challenge, status: char, now_ms: i64) -> [Value; 3] {
    values![challenge.reference, status.to_string(), now_ms]
}

async fn is_right(tx: &mut Tx<'_>, trial: &Trial, tried: &Challenge) -> Result<bool, Fault> {
    match &trial.proof {
        Proof::Code(hash) => {
            // In a time that does not depend on how much of it is right.
            let is_right = hash.as_bytes().ct_eq(tried.expected.as_bytes());
            Ok(bool::from(is_right) && trial.now_ms < tried.code_expires_at_ms)
        }
        Proof::Passkey { rp_id, sign_count } => {
            let Some(sign_count) = *sign_count else {
                return Ok(false);
            };
            let counted = values![&tried.account, rp_id, sign_count];
            Ok(tx.execute(COUNT, &counted).await? > 0)
        }
    }
}
