//! How much one network may ask, and how often it may guess. A shopper never notices.

use super::client::Client;
use super::guesses::{Guess, Guesses, Target};
use super::problem::Problem;
use super::state::AppState;
use crate::gate::refusal::{Code, Refusal};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Networks remembered before the quiet ones are forgotten.
const REMEMBERED: usize = 10_000;
/// Beyond that, the quiet ones are looked for once in so many requests.
const SWEPT_EVERY: usize = 1_000;

/// How many networks those are whom a trusted proxy does not name. They share one limit, so that it
/// is not the limit of one household, and not none either.
const UNKNOWN_ARE: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// As much of an API key as tells two of them apart: `Bearer sk_test_` and nine characters.
const KEY_PREFIX: usize = 24;

/// A token bucket for each network.
#[derive(Debug)]
pub struct RateLimit {
    networks: Option<RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock>>,
    unknown: Option<DefaultDirectRateLimiter>,
    guesses: Guesses,
    seen: AtomicUsize,
}

impl RateLimit {
    /// So many requests a second, and so many at once; none for no limit.
    #[must_use]
    pub fn new(limit: Option<(NonZeroU32, NonZeroU32)>) -> Self {
        let quota = |(rate, burst)| Quota::per_second(rate).allow_burst(burst);
        let many = |(rate, burst): (NonZeroU32, NonZeroU32)| {
            let (rate, burst) = (
                rate.saturating_mul(UNKNOWN_ARE),
                burst.saturating_mul(UNKNOWN_ARE),
            );
            quota((rate, burst))
        };
        Self {
            networks: limit.map(|limit| RateLimiter::dashmap(quota(limit))),
            unknown: limit.map(|limit| RateLimiter::direct(many(limit))),
            guesses: Guesses::new(limit),
            seen: AtomicUsize::new(0),
        }
    }

    fn allows(&self, client: Client) -> bool {
        match client {
            Client::Network(network) => self.networks.as_ref().is_none_or(|networks| {
                let seen = self.seen.fetch_add(1, Ordering::Relaxed);
                if seen.is_multiple_of(SWEPT_EVERY) && networks.len() > REMEMBERED {
                    networks.retain_recent();
                }
                networks.check_key(&network).is_ok()
            }),
            Client::Unknown => {
                let unknown = self.unknown.as_ref();
                unknown.is_none_or(|unknown| unknown.check().is_ok())
            }
        }
    }

    /// A guess at documents of the form, which need no credential.
    pub(super) fn guess_at_a_form(&self, client: Client) -> Guess {
        self.guesses.guess(client.network(), Target::Forms, b"")
    }

    /// Whether one more may be tried.
    pub(super) fn allows_guess(&self, guess: &Guess, now_ms: u64) -> bool {
        self.guesses.allows(guess, now_ms)
    }

    /// One has failed.
    pub(super) fn guess_failed(&self, guess: &Guess, now_ms: u64) {
        self.guesses.failed(guess, now_ms);
    }

    /// What the request guesses at if it fails. Opening a session is none: an order is public, and
    /// a page whose order is wrong must not stop the shoppers who look at it.
    fn guess(&self, request: &Request, client: Client) -> Option<Guess> {
        let headers = request.headers();
        let path = request.uri().path();
        let header = |name: &str| headers.get(name).map(|value| value.as_bytes());
        if path == "/v1/sessions" {
            return None;
        }
        let (target, credential) = if !path.starts_with("/v1/") {
            (Target::Simulation, &b""[..])
        } else if let Some(key) = header(header::AUTHORIZATION.as_str()) {
            (Target::Merchants, key.get(..KEY_PREFIX).unwrap_or(key))
        } else if let Some(merchant) = header("sealpay-merchant") {
            (Target::Merchants, merchant)
        } else if let Some(session) = header("sealpay-session") {
            (Target::Sessions, session)
        } else {
            (Target::Merchants, &b""[..])
        };
        Some(self.guesses.guess(client.network(), target, credential))
    }
}

pub(super) async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let client = request.extensions().get::<Client>();
    if client.is_some_and(|client| !state.rate_limit.allows(*client)) {
        return Problem(Refusal::new(Code::RateLimited)).into_response();
    }
    next.run(request).await
}

/// Beside an answer that is no refusal and still says that a code or a passkey was wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrongGuess;

/// Answers that say that there is no such thing, to whoever may be trying names or keys. They are
/// secrets, or lead to some.
const fn is_failed_guess(code: Code) -> bool {
    matches!(
        code,
        Code::NotFound
            | Code::UnknownSession
            | Code::ApiKeyInvalid
            | Code::UnknownMerchant
            | Code::UnknownOrderKey
    )
}

/// Slows down and logs whoever asks for what is not there. Goes inside of [`limit`].
pub(super) async fn slow_guessing(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let (clock, limit) = (state.gateway.clock(), &state.rate_limit);
    let client = request.extensions().get::<Client>().copied();
    let guess = client.and_then(|client| limit.guess(&request, client));
    let waits = |guess: &Guess| !limit.allows_guess(guess, clock.wall_ms());
    if guess.as_ref().is_some_and(waits) {
        return Problem(Refusal::new(Code::RateLimited)).into_response();
    }
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let refusal = response
        .extensions()
        .get::<Problem>()
        .map(|refused| &refused.0);
    let refused = refusal.filter(|refusal| is_failed_guess(refusal.code));
    let is_wrong = refused.is_some() || response.extensions().get::<WrongGuess>().is_some();
    if let Some(guess) = guess.filter(|_| is_wrong) {
        limit.guess_failed(&guess, clock.wall_ms());
    }
    if let Some(refusal) = refused {
        let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
        // The address is logged here because somebody may be trying names.
        tracing::warn!(route, ?client, code = refusal.code.name(), "a guess failed");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{Client, RateLimit, UNKNOWN_ARE};
    use std::net::IpAddr;
    use std::num::NonZeroU32;

    #[test]
    fn clients_that_nobody_names_are_not_limited_like_one() {
        let (rate, burst) = (NonZeroU32::MIN, NonZeroU32::new(3).unwrap());
        let limit = RateLimit::new(Some((rate, burst)));
        let answered = |client| (0..1000).take_while(|_| limit.allows(client)).count();
        let network = |last| Client::Network(IpAddr::from([192, 0, 2, last]));
        assert_eq!(answered(network(1)), 3);
        assert_eq!(answered(network(2)), 3);
        let most = usize::try_from(3 * UNKNOWN_ARE.get()).unwrap();
        let unknown = answered(Client::Unknown);
        assert!((most..=most + 1).contains(&unknown), "{unknown}");
        let unlimited = RateLimit::new(None);
        assert!((0..1000).all(|_| unlimited.allows(network(1))));
    }
}
