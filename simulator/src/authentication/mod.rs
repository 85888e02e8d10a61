//! The issuer's access control (EMV 3-D Secure): it says who the shopper is, at once or after a
//! one-time code or a passkey.

mod challenge;
mod code;
mod cool_down;
mod passkey;
mod step;
#[cfg(test)]
mod tests;
mod trial;
mod webauthn;

use super::account::{Account, Enrolment};
use super::exchange::exchange;
use super::outcome::Directive;
use super::phone::{Message, masked};
use super::world::{World, silent};
use challenge::{Challenge, State};
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
use std::sync::Arc;

/// What the issuers ask of shoppers.
#[derive(Debug, Clone)]
pub struct SimulatedAuthenticator {
    world: Arc<World>,
    /// What the order asks for.
    directive: Option<Directive>,
}

/// Whether a stored state says that the shopper is asked for nothing any more.
pub(super) fn is_over(state: &str) -> bool {
    state == State::Done.name()
}

/// What is asked of a shopper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// Nothing: this is the result.
    Done(AuthenticationStatus),
    /// A one-time code.
    Code,
    /// A passkey.
    Passkey,
}

/// What the decision depends on.
#[derive(Debug, Clone, Copy)]
struct DecisionInput {
    /// What the order asked for.
    ordered: Option<Enrolment>,
    /// What the account's issuer does.
    enrolled: Enrolment,
    is_locked: bool,
    /// Five wrong codes have to be waited over.
    refuses_codes: bool,
    wants_challenge: bool,
    /// Whether the amount is too small to bother anybody by itself (PSD2 RTS article 16).
    is_small: bool,
    has_passkey: bool,
}

impl DecisionInput {
    fn decide(self) -> Decision {
        let code = match self.ordered {
            // Whoever orders a code gets one.
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
        // A locked account is asked nothing more, and is not vouched for; only an order for a
        // result without a challenge is stronger.
        if self.is_locked && (self.ordered.is_none() || !matches!(decision, Decision::Done(_))) {
            return Decision::Done(AuthenticationStatus::Rejected);
        }
        if self.refuses_codes && decision == Decision::Code {
            return Decision::Done(AuthenticationStatus::Rejected);
        }
        decision
    }
}

/// Below thirty euros a card that asks for codes is believed without one.
const SMALL_MINOR: i64 = 30_00;

fn is_small(money: Money) -> bool {
    let euro: Option<Currency> = "EUR".parse().ok();
    let amount = euro.and_then(|euro| exchange(money, euro));
    amount.is_some_and(|amount| amount < SMALL_MINOR)
}

/// The page that embeds the widget, and those that the order names besides.
fn pages_of(request: &AuthenticationRequest<'_>) -> String {
    let mut pages = vec![request.parent_origin];
    let others = request.order_origins.iter().map(String::as_str);
    pages.extend(others.filter(|page| *page != request.parent_origin));
    pages.join(" ")
}

impl SimulatedAuthenticator {
    pub(super) const fn new(world: Arc<World>, directive: Option<Directive>) -> Self {
        Self { world, directive }
    }

    async fn begin(&self, request: AuthenticationRequest<'_>) -> Result<Progress, ProviderError> {
        if let Some(stored) = self.challenge(request.reference).await? {
            return self.standing(stored).await;
        }
        let account = self.world.account_of(&request.card.number).await?;
        let decision = DecisionInput {
            ordered: self
                .directive
                .as_ref()
                .and_then(|asked| asked.outcome.enrolment),
            enrolled: account.enrolment,
            is_locked: account.locked,
            refuses_codes: account.refuses_codes(self.world.clock.now_ms_i64()),
            wants_challenge: request.wants_challenge,
            // What a persona does is promised, whatever the amount.
            is_small: account.persona.is_none() && is_small(request.money),
            has_passkey: self.passkey_of(&account.id).await?.is_some(),
        }
        .decide();
        let begun = self.challenge_for(decision, &account, request);
        let begun = self.world.database.write(begun, |tx, challenge| {
            Box::pin(challenge::begin(tx, challenge))
        });
        self.standing(begun.await.map_err(silent)?).await
    }

    /// A new challenge, with the message that goes with it.
    fn challenge_for(
        &self,
        decision: Decision,
        account: &Account,
        request: AuthenticationRequest<'_>,
    ) -> (Challenge, Option<Message>) {
        let now_ms = self.world.clock.now_ms_i64();
        let life = i64::try_from(limits::CHALLENGE_LIFETIME_SECONDS).unwrap_or(0) * 1000;
        let expires_at_ms = now_ms + life;
        let (state, expected, message, status) = match decision {
            Decision::Done(status) => (State::Done, String::new(), None, Some(status)),
            Decision::Passkey => {
                let nonce = base64url(&self.world.rng.bytes::<16>());
                (State::Passkey, nonce, None, None)
            }
            Decision::Code => {
                let code = code::draw(&self.world);
                let hash = code::hash(&self.world, request.reference, &code);
                let to = (account.phone.as_str(), account.id.as_str());
                let about = (request.reference, request.payee, request.money);
                let message = Message::with_code(&self.world, to, about, &code);
                (State::Code, hash, Some(message), None)
            }
        };
        let brand = request.card.number.brand();
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
            refused: false,
            wrong_page: false,
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
        let found = self.world.database.read(reference, |tx, reference| {
            Box::pin(challenge::find(tx, *reference))
        });
        found.await.map_err(silent)
    }

    /// Where a challenge stands now; one that was not met in time is over.
    async fn standing(&self, stored: Challenge) -> Result<Progress, ProviderError> {
        let mut stands = stored;
        if stands.is_late(self.world.clock.now_ms_i64()) {
            stands = match self.end(&stands).await? {
                Some(over) => over,
                None => self.challenge(stands.reference).await?.unwrap_or(stands),
            };
        }
        match stands.state {
            State::Done => Ok(Progress::Done(stands.result(&self.world))),
            State::Code => Ok(Progress::Code(stands.code())),
            State::Passkey => {
                let options = self.request_options(&stands).await?;
                Ok(Progress::Passkey(PasskeyChallenge {
                    options: options.ok_or_else(|| {
                        ProviderError::OutcomeUnknown("a passkey that was asked for is gone".into())
                    })?,
                    refused: stands.refused,
                    wrong_page: stands.wrong_page,
                    expires_at_ms: stands.expires_at_ms,
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
        Box::pin(self.begin(request))
    }

    fn progress(&self, reference: PaymentId) -> ProviderFuture<'_, Option<Progress>> {
        Box::pin(async move {
            match self.challenge(reference).await? {
                Some(stored) => self.standing(stored).await.map(Some),
                None => Ok(None),
            }
        })
    }

    fn step(&self, reference: PaymentId, id: AttemptId, step: Step) -> ProviderFuture<'_, Stepped> {
        Box::pin(self.take(reference, id, step))
    }

    fn enrolment(&self, reference: PaymentId) -> ProviderFuture<'_, Option<String>> {
        Box::pin(self.creation_options(reference))
    }

    fn enrol<'a>(&'a self, reference: PaymentId, credential: &'a str) -> ProviderFuture<'a, bool> {
        Box::pin(self.keep_passkey(reference, credential))
    }
}
