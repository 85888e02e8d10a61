//! The shopper's steps in a challenge.

use super::attempt::{self, Attempt, ChallengeResponse};
use super::challenge::{self, Challenge, ChallengeState, ChallengeUpdate, StepResult};
use super::passkey::{self, PasskeyCheck};
use super::{SimulatedAuthenticator, code};
use crate::phone::Message;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::limits;
use sealpay_provider::ProviderError;
use sealpay_provider::authentication::AuthenticationStatus::{Authenticated, NotAuthenticated};
use sealpay_provider::authentication::{Progress, Step, Stepped};
use sealpay_storage::{Value, values};

const SECOND_MS: i64 = 1000;

/// When a code that is sent now expires: after its own lifetime, or with the challenge.
pub(crate) fn code_expiry(now_ms: i64, challenge_expires_at_ms: i64) -> i64 {
    let life = i64::try_from(limits::ONE_TIME_CODE_LIFETIME_SECONDS).unwrap_or(0) * SECOND_MS;
    (now_ms + life).min(challenge_expires_at_ms)
}

/// When another code may be requested after one that is sent now.
pub(crate) fn next_resend(now_ms: i64) -> i64 {
    let wait = i64::try_from(limits::ONE_TIME_CODE_RESEND_AFTER_SECONDS).unwrap_or(0);
    now_ms + wait * SECOND_MS
}

impl SimulatedAuthenticator {
    pub(crate) async fn handle(
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
        let hash = code::hash(&self.simulation, found.reference, code);
        let response = ChallengeResponse::Code(hash);
        self.respond(found, id, ChallengeState::Code, [None, None], response)
            .await
    }

    pub(crate) async fn try_passkey(
        &self,
        found: &Challenge,
        id: Value,
        credential: &str,
    ) -> Result<Stepped, ProviderError> {
        // The check counts only if the challenge is still the one that was checked. The next attempt
        // has another challenge to sign.
        let sign_count = match self.check_passkey(found, credential).await? {
            PasskeyCheck::Valid(sign_count) => Some(sign_count),
            PasskeyCheck::Invalid => None,
            // No attempt is used up, and the shopper may use a code instead.
            PasskeyCheck::OtherPage => {
                let values = values![found.reference, self.simulation.clock.now_ms_i64()];
                return self
                    .apply(found, id, challenge::OTHER_PAGE, &values, None)
                    .await;
            }
        };
        let response = ChallengeResponse::Passkey {
            rp_id: passkey::relying_party(&self.simulation.origin)
                .unwrap_or_default()
                .to_owned(),
            sign_count,
        };
        let next = base64url(&self.simulation.rng.bytes::<16>());
        let expected = [Some(found.expected.clone()), Some(next)];
        self.respond(found, id, ChallengeState::Passkey, expected, response)
            .await
    }

    async fn respond(
        &self,
        found: &Challenge,
        id: Value,
        state: ChallengeState,
        [compared, next]: [Option<String>; 2],
        response: ChallengeResponse,
    ) -> Result<Stepped, ProviderError> {
        let now_ms = self.simulation.clock.now_ms_i64();
        let values = values![found.reference, state.name(), now_ms, compared, next];
        let attempt = Attempt {
            update: ChallengeUpdate {
                reference: found.reference,
                step: id,
                change: challenge::ATTEMPT,
                values: values.to_vec(),
                message: None,
            },
            response,
            now_ms,
        };
        let journal = &self.simulation.journal;
        let checked = journal.write(attempt, |tx, attempt| Box::pin(attempt::check(tx, attempt)));
        let checked = checked.await?;
        if let StepResult::Applied(challenge) = &checked
            && challenge.status != Some(Authenticated)
        {
            let (reference, left) = (challenge.reference, challenge.attempts_left);
            tracing::info!(%reference, left, "an authentication attempt was refused");
        }
        self.stepped(checked).await
    }

    async fn send_code(
        &self,
        found: &Challenge,
        id: Value,
        change: &'static str,
    ) -> Result<Stepped, ProviderError> {
        let Some(account) = self.simulation.account(&found.account).await? else {
            return Ok(Stepped::Closed);
        };
        let now_ms = self.simulation.clock.now_ms_i64();
        let code = code::draw(&self.simulation);
        let values = values![
            found.reference,
            now_ms,
            code::hash(&self.simulation, found.reference, &code),
            code_expiry(now_ms, found.expires_at_ms),
            next_resend(now_ms),
        ];
        let to = (account.phone.as_str(), account.id.as_str());
        let about = (found.reference, found.payee.as_str(), found.money);
        let message = Message::with_code(&self.simulation, to, about, &code);
        self.apply(found, id, change, &values, Some(message)).await
    }

    async fn cancel(&self, found: &Challenge, id: Value) -> Result<Stepped, ProviderError> {
        let now_ms = self.simulation.clock.now_ms_i64();
        let values = attempt::ending(found, NotAuthenticated.letter(), now_ms);
        self.apply(found, id, challenge::END, &values, None).await
    }

    /// Ends a challenge that has expired; none where it has ended.
    pub(crate) async fn end(
        &self,
        challenge: &Challenge,
    ) -> Result<Option<Challenge>, ProviderError> {
        let now_ms = self.simulation.clock.now_ms_i64();
        let values = attempt::ending(challenge, NotAuthenticated.letter(), now_ms);
        let journal = &self.simulation.journal;
        let ended = journal.write(values, |tx, values| {
            Box::pin(tx.get(challenge::END, values))
        });
        ended.await
    }

    async fn apply(
        &self,
        found: &Challenge,
        step: Value,
        change: &'static str,
        values: &[Value],
        message: Option<Message>,
    ) -> Result<Stepped, ProviderError> {
        let update = ChallengeUpdate {
            reference: found.reference,
            step,
            change,
            values: values.to_vec(),
            message,
        };
        let taken = self.simulation.journal.write(update, |tx, update| {
            Box::pin(challenge::take_step(tx, update))
        });
        self.stepped(taken.await?).await
    }

    async fn stepped(&self, result: StepResult) -> Result<Stepped, ProviderError> {
        match result {
            StepResult::Unknown => Ok(Stepped::Closed),
            StepResult::NotAllowed(challenge) if challenge.is_over() => Ok(Stepped::Closed),
            StepResult::ResendNotAllowed(challenge) => match self.progress_of(challenge).await? {
                Progress::Code(code) => Ok(Stepped::ResendNotAllowed(code)),
                // The challenge has expired.
                progress => Ok(Stepped::Progress(progress)),
            },
            StepResult::Repeated(challenge)
            | StepResult::Applied(challenge)
            | StepResult::NotAllowed(challenge) => {
                Ok(Stepped::Progress(self.progress_of(challenge).await?))
            }
        }
    }
}
