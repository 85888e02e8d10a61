//! What becomes of each thing that a shopper can do about a challenge.

use super::challenge::{self, Challenge, ChallengeUpdate, Granted, State};
use super::passkey::{self, Checked};
use super::trial::{self, Proof, Trial};
use super::{SimulatedAuthenticator, code};
use crate::phone::Message;
use crate::world::silent;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::limits;
use sealpay_provider::ProviderError;
use sealpay_provider::authentication::AuthenticationStatus::{Authenticated, NotAuthenticated};
use sealpay_provider::authentication::{Progress, Step, Stepped};
use sealpay_storage::{Value, values};

const SECOND_MS: i64 = 1000;

/// When a code that is sent now expires: after its own life, or with the whole challenge.
pub(super) fn code_expiry(now_ms: i64, challenge_expires_at_ms: i64) -> i64 {
    let life = i64::try_from(limits::ONE_TIME_CODE_LIFETIME_SECONDS).unwrap_or(0) * SECOND_MS;
    (now_ms + life).min(challenge_expires_at_ms)
}

/// When another code may be asked for after one that is sent now.
pub(super) fn next_resend(now_ms: i64) -> i64 {
    let wait = i64::try_from(limits::ONE_TIME_CODE_RESEND_AFTER_SECONDS).unwrap_or(0);
    now_ms + wait * SECOND_MS
}

impl SimulatedAuthenticator {
    pub(super) async fn take(
        &self,
        reference: PaymentId,
        id: AttemptId,
        step: Step,
    ) -> Result<Stepped, ProviderError> {
        let Some(found) = self.challenge(reference).await? else {
            return Ok(Stepped::Closed);
        };
        let id = Value::from(id);
        match step {
            Step::Code(code) => self.try_code(&found, id, &code).await,
            Step::Passkey(credential) => self.try_passkey(&found, id, &credential).await,
            Step::Resend => self.send_code(&found, id, challenge::RESEND).await,
            Step::UseCode => self.send_code(&found, id, challenge::USE_CODE).await,
            Step::Cancel => self.cancel(&found, id).await,
        }
    }

    async fn try_code(
        &self,
        found: &Challenge,
        id: Value,
        code: &str,
    ) -> Result<Stepped, ProviderError> {
        let none = None::<String>;
        let hash = code::hash(&self.world, found.reference, code);
        self.try_proof(
            found,
            id,
            State::Code,
            [none.clone(), none],
            Proof::Code(hash),
        )
        .await
    }

    pub(super) async fn try_passkey(
        &self,
        found: &Challenge,
        id: Value,
        credential: &str,
    ) -> Result<Stepped, ProviderError> {
        // What comes of checking counts only if the challenge still asks for what was checked;
        // the next try has something new to sign.
        let sign_count = match self.check_passkey(found, credential).await? {
            Checked::Right(sign_count) => Some(sign_count),
            Checked::Wrong => None,
            // A code may be asked for instead, and no try is used up.
            Checked::OtherPage => {
                let values = values![found.reference, self.world.clock.now_ms_i64()];
                let change = challenge::OTHER_PAGE;
                return self
                    .granted(update(found.reference, id, change, &values, None))
                    .await;
            }
        };
        let proof = Proof::Passkey {
            rp_id: passkey::relying_party(&self.world.origin)
                .unwrap_or_default()
                .to_owned(),
            sign_count,
        };
        let next = base64url(&self.world.rng.bytes::<16>());
        let expected = [Some(found.expected.clone()), Some(next)];
        self.try_proof(found, id, State::Passkey, expected, proof)
            .await
    }

    async fn try_proof(
        &self,
        found: &Challenge,
        id: Value,
        state: State,
        [compared, next]: [Option<String>; 2],
        proof: Proof,
    ) -> Result<Stepped, ProviderError> {
        let now_ms = self.world.clock.now_ms_i64();
        let values = values![found.reference, state.name(), now_ms, compared, next];
        let trial = Trial {
            update: update(found.reference, id, challenge::TRY, &values, None),
            proof,
            now_ms,
        };
        let judged = self
            .world
            .database
            .write(trial, |tx, trial| Box::pin(trial::judge(tx, trial)));
        let judged = judged.await.map_err(silent)?;
        if let Granted::Now(challenge) = &judged
            && challenge.status != Some(Authenticated)
        {
            let (reference, left) = (challenge.reference, challenge.attempts_left);
            tracing::info!(%reference, left, "a proof of identity was refused");
        }
        self.answered(judged).await
    }

    async fn send_code(
        &self,
        found: &Challenge,
        id: Value,
        change: &'static str,
    ) -> Result<Stepped, ProviderError> {
        let Some(account) = self.world.account(&found.account).await? else {
            return Ok(Stepped::Closed);
        };
        let now_ms = self.world.clock.now_ms_i64();
        let code = code::draw(&self.world);
        let values = values![
            found.reference,
            now_ms,
            code::hash(&self.world, found.reference, &code),
            code_expiry(now_ms, found.expires_at_ms),
            next_resend(now_ms),
        ];
        let to = (account.phone.as_str(), account.id.as_str());
        let about = (found.reference, found.payee.as_str(), found.money);
        let message = Message::with_code(&self.world, to, about, &code);
        let update = update(found.reference, id, change, &values, Some(message));
        self.granted(update).await
    }

    async fn cancel(&self, found: &Challenge, id: Value) -> Result<Stepped, ProviderError> {
        let now_ms = self.world.clock.now_ms_i64();
        let values = trial::ending(found, NotAuthenticated.letter(), now_ms);
        self.granted(update(found.reference, id, challenge::END, &values, None))
            .await
    }

    /// Ends a challenge that nobody met in time; none when it is over already.
    pub(super) async fn end(
        &self,
        challenge: &Challenge,
    ) -> Result<Option<Challenge>, ProviderError> {
        let now_ms = self.world.clock.now_ms_i64();
        let values = trial::ending(challenge, NotAuthenticated.letter(), now_ms);
        let change = (challenge::END, values.to_vec());
        let ended = self
            .world
            .database
            .write(change, |tx, change| Box::pin(challenge::change(tx, change)));
        ended.await.map_err(silent)
    }

    async fn granted(&self, update: ChallengeUpdate) -> Result<Stepped, ProviderError> {
        let taken = self.world.database.write(update, |tx, update| {
            Box::pin(challenge::take_step(tx, update))
        });
        self.answered(taken.await.map_err(silent)?).await
    }

    /// What the shopper hears.
    async fn answered(&self, granted: Granted) -> Result<Stepped, ProviderError> {
        match granted {
            Granted::Unknown => Ok(Stepped::Closed),
            Granted::Not(challenge) if challenge.is_over() => Ok(Stepped::Closed),
            Granted::NotAgain(challenge) => match self.standing(challenge).await? {
                Progress::Code(code) => Ok(Stepped::ResendNotAllowed(code)),
                // It was too late for all of it.
                progress => Ok(Stepped::Progress(progress)),
            },
            Granted::Before(challenge) | Granted::Now(challenge) | Granted::Not(challenge) => {
                Ok(Stepped::Progress(self.standing(challenge).await?))
            }
        }
    }
}

fn update(
    reference: PaymentId,
    step: Value,
    change: &'static str,
    values: &[Value],
    message: Option<Message>,
) -> ChallengeUpdate {
    ChallengeUpdate {
        reference,
        step,
        change,
        values: values.to_vec(),
        message,
    }
}
