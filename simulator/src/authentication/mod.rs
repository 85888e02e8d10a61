//! The issuer's access control server (EMV 3-D Secure): it authenticates the shopper, at once or
//! with a one-time code or a passkey.

mod attempt;
mod challenge;
mod code;
mod cool_down;
mod passkey;
mod step;
#[cfg(test)]
mod tests;
mod webauthn;

pub(crate) use challenge::ChallengeState;

use super::account::{Account, Enrolment};
use super::exchange::exchange;
use super::outcome::Directive;
use super::phone::{Message, masked};
use super::simulation::Simulation;
use challenge::{Challenge, Refusal};
use sealpay_protocol::card::Brand;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::limits;
use sealpay_protocol::money::Money;
use sealpay_provider::authentication::AuthenticationStatus;
use sealpay_provider::authentication::{
    AuthenticationRequest, PasskeyChallenge, Progress, Step, Stepped,
};
use sealpay_provider::{Authenticator, ProviderError, ProviderFuture};
use sealpay_storage::values;
use std::sync::Arc;

/// The issuers' authentication of shoppers.
#[derive(Debug, Clone)]
pub struct SimulatedAuthenticator {
    simulation: Arc<Simulation>,
    /// The outcome that the order asks for.
    directive: Option<Directive>,
}

/// How the shopper is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// Without a challenge, with this result.
    Done(AuthenticationStatus),
    /// By a one-time code.
    Code,
    /// By a passkey.
    Passkey,
}

/// The properties of a payment and its account that decide.
#[derive(Debug, Clone, Copy)]
struct DecisionInput {
    /// The enrolment that the order asks for.
    ordered: Option<Enrolment>,
    /// The account's enrolment.
    enrolled: Enrolment,
    is_locked: bool,
    /// No codes are accepted for a while, after five wrong ones.
    refuses_codes: bool,
    wants_challenge: bool,
    /// Whether the amount needs no challenge (PSD2 RTS article 16).
    is_small: bool,
    has_passkey: bool,
}

impl DecisionInput {
    fn decide(self) -> Decision {
        let code = match self.ordered {
            // An order for a code means a code, even where there is a passkey.
            Some(_) => Decision::Code,
            None if self.has_passkey => Decision::Passkey,
            None => Decision::Code,
        };
        let decision = match self.ordered.unwrap_or(self.enrolled) {
            Enrolment::None | Enrolment::Attempted => {
                Decision::Done(AuthenticationStatus::Attempted)
            }
            Enrolment::NotAuthenticated => Decision::Done(AuthenticationStatus::NotAuthenticated),
            Enrolment::Rejected => Decision::Done(AuthenticationStatus::Rejected),
            Enrolment::Unavailable => Decision::Done(AuthenticationStatus::Unavailable),
            Enrolment::Frictionless if self.ordered.is_none() && self.wants_challenge => code,
            Enrolment::Frictionless => Decision::Done(AuthenticationStatus::Authenticated),
            Enrolment::Code if self.ordered.is_none() && self.is_small && !self.wants_challenge => {
                Decision::Done(AuthenticationStatus::Authenticated)
            }
            Enrolment::Code => code,
            Enrolment::Passkey if self.has_passkey => Decision::Passkey,
            Enrolment::Passkey => Decision::Code,
        };
        // A locked account is rejected, unless the order asks for a result without a challenge.
        if self.is_locked && (self.ordered.is_none() || !matches!(decision, Decision::Done(_))) {
            return Decision::Done(AuthenticationStatus::Rejected);
        }
        if self.refuses_codes && decision == Decision::Code {
            return Decision::Done(AuthenticationStatus::Rejected);
        }
        decision
    }
}

/// Below thirty euros a card whose enrolment is a code needs none.
const SMALL_MINOR: i64 = 30_00;

fn is_small(money: Money) -> bool {
    let euro: Option<Currency> = "EUR".parse().ok();
    let amount = euro.and_then(|euro| exchange(money, euro));
    amount.is_some_and(|amount| amount < SMALL_MINOR)
}

/// The page that embeds the widget, and the other pages that the order names.
fn pages_of(request: &AuthenticationRequest<'_>) -> String {
    let mut pages = vec![request.parent_origin];
    let named = request.order_origins.iter().map(String::as_str);
    pages.extend(named.filter(|page| *page != request.parent_origin));
    pages.join(" ")
}

impl SimulatedAuthenticator {
    pub(crate) const fn new(simulation: Arc<Simulation>, directive: Option<Directive>) -> Self {
        Self {
            simulation,
            directive,
        }
    }

    async fn start(&self, request: AuthenticationRequest<'_>) -> Result<Progress, ProviderError> {
        if let Some(stored) = self.challenge(request.reference).await? {
            return self.progress_of(stored).await;
        }
        let account = self.simulation.account_of_source(request.source).await?;
        let decision = DecisionInput {
            ordered: self
                .directive
                .as_ref()
                .and_then(|directive| directive.outcome.enrolment),
            enrolled: account.enrolment,
            is_locked: account.is_locked(),
            refuses_codes: account.refuses_codes(self.simulation.clock.now_ms_i64()),
            wants_challenge: request.wants_challenge,
            // A persona has the same outcome for every amount.
            is_small: account.persona.is_none() && is_small(request.money),
            has_passkey: self.passkey_of(&account.id).await?.is_some(),
        }
        .decide();
        let challenge = self.new_challenge(decision, &account, request);
        let journal = &self.simulation.journal;
        let started = journal.write(challenge, |tx, challenge| {
            Box::pin(challenge::start(tx, challenge))
        });
        self.progress_of(started.await?).await
    }

    /// A new challenge, and its message.
    fn new_challenge(
        &self,
        decision: Decision,
        account: &Account,
        request: AuthenticationRequest<'_>,
    ) -> (Challenge, Option<Message>) {
        let now_ms = self.simulation.clock.now_ms_i64();
        let life = i64::try_from(limits::CHALLENGE_LIFETIME_SECONDS).unwrap_or(0) * 1000;
        let expires_at_ms = now_ms + life;
        let (state, expected, message, status) = match decision {
            Decision::Done(status) => (ChallengeState::Done, String::new(), None, Some(status)),
            Decision::Passkey => {
                let nonce = base64url(&self.simulation.rng.bytes::<16>());
                (ChallengeState::Passkey, nonce, None, None)
            }
            Decision::Code => {
                let code = code::draw(&self.simulation);
                let hash = code::hash(&self.simulation, request.reference, &code);
                let to = (account.phone.as_str(), account.id.as_str());
                let about = (request.reference, request.payee, request.money);
                let message = Message::with_code(&self.simulation, to, about, &code);
                (ChallengeState::Code, hash, Some(message), None)
            }
        };
        let brand = request.brand;
        let challenge = Challenge {
            reference: request.reference,
            account: account.id.clone(),
            payee: request.payee.into(),
            money: request.money,
            brand: brand.map_or("", Brand::slug).into(),
            pages: pages_of(&request),
            reasons: request.reasons,
            sent_to: masked(&account.phone),
            state,
            challenge: state.kind(),
            status,
            expected,
            refusal: Refusal::None,
            attempts_left: account.tries_left(),
            resends_left: limits::ONE_TIME_CODE_RESENDS,
            resend_at_ms: step::next_resend(now_ms),
            code_expires_at_ms: step::code_expiry(now_ms, expires_at_ms),
            expires_at_ms,
            decided_at_ms: status.map(|_| now_ms),
            registration: None,
        };
        (challenge, message)
    }

    async fn challenge(&self, reference: PaymentId) -> Result<Option<Challenge>, ProviderError> {
        let journal = &self.simulation.journal;
        journal
            .get(challenge::BY_REFERENCE, values![reference])
            .await
    }

    /// The progress of a challenge; an expired one is ended first.
    async fn progress_of(&self, stored: Challenge) -> Result<Progress, ProviderError> {
        let mut challenge = stored;
        if challenge.is_expired(self.simulation.clock.now_ms_i64()) {
            challenge = match self.end(&challenge).await? {
                Some(ended) => ended,
                None => {
                    let reference = challenge.reference;
                    self.challenge(reference).await?.unwrap_or(challenge)
                }
            };
        }
        match challenge.state {
            ChallengeState::Done => Ok(Progress::Done(challenge.result(&self.simulation))),
            ChallengeState::Code => Ok(Progress::Code(challenge.code())),
            ChallengeState::Passkey => {
                let options = self.request_options(&challenge).await?;
                Ok(Progress::Passkey(PasskeyChallenge {
                    options: options.ok_or_else(|| {
                        ProviderError::OutcomeUnknown("the passkey of a challenge is gone".into())
                    })?,
                    refused: challenge.refusal == Refusal::Wrong,
                    wrong_page: challenge.refusal == Refusal::OtherPage,
                    expires_at_ms: challenge.expires_at_ms,
                }))
            }
        }
    }
}

impl Authenticator for SimulatedAuthenticator {
    fn authenticate<'a>(
        &'a self,
        request: AuthenticationRequest<'a>,
    ) -> ProviderFuture<'a, Progress> {
        Box::pin(self.start(request))
    }

    fn progress(&self, reference: PaymentId) -> ProviderFuture<'_, Option<Progress>> {
        Box::pin(async move {
            match self.challenge(reference).await? {
                Some(stored) => self.progress_of(stored).await.map(Some),
                None => Ok(None),
            }
        })
    }

    fn step(&self, reference: PaymentId, id: AttemptId, step: Step) -> ProviderFuture<'_, Stepped> {
        Box::pin(self.handle(reference, id, step))
    }

    fn enrolment(&self, reference: PaymentId) -> ProviderFuture<'_, Option<String>> {
        Box::pin(self.creation_options(reference))
    }

    fn enrol<'a>(&'a self, reference: PaymentId, credential: &'a str) -> ProviderFuture<'a, bool> {
        Box::pin(self.store_passkey(reference, credential))
    }
}
