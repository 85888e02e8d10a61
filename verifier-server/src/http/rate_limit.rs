//! How much one network may ask, and how often it may guess. A shopper never notices.

use super::client::Client;
use super::guesses::{Credential, Failure, Guess, Guesses, Target};
use super::noted::NotedPrincipal;
use super::problem::Problem;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::listener::{ClientNetwork, NETWORK_TIERS, networks_of};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use sealpay_protocol::ids::SessionId;
use std::num::NonZeroU32;
use std::sync::Arc;
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

type Networks = RateLimiter<ClientNetwork, DashMapStateStore<ClientNetwork>, DefaultClock>;

/// A token bucket for each network.
#[derive(Debug)]
pub struct RateLimit {
    /// One for each of [`NETWORK_TIERS`].
    networks: Option<[Networks; NETWORK_TIERS.len()]>,
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
            networks: limit.map(|(rate, burst)| {
                NETWORK_TIERS.map(|tier| {
                    let share = |of_one: NonZeroU32| {
                        NonZeroU32::new(tier.share(of_one.get())).unwrap_or(of_one)
                    };
                    RateLimiter::dashmap(quota((share(rate), share(burst))))
                })
            }),
            unknown: limit.map(|limit| RateLimiter::direct(many(limit))),
            guesses: Guesses::new(limit),
            seen: AtomicUsize::new(0),
        }
    }

    fn allows(&self, client: Client) -> bool {
        match client {
            Client::Network(network) => self.networks.as_ref().is_none_or(|networks| {
                let seen = self.seen.fetch_add(1, Ordering::Relaxed);
                for tier in networks {
                    if seen.is_multiple_of(SWEPT_EVERY) && tier.len() > REMEMBERED {
                        tier.retain_recent();
                    }
                }
                // The smallest first: one that asks too much uses up nothing of the larger ones.
                let mut counted = networks_of(network).zip(networks);
                counted.all(|((network, _), tier)| tier.check_key(&network).is_ok())
            }),
            Client::Unknown => {
                let unknown = self.unknown.as_ref();
                unknown.is_none_or(|unknown| unknown.check().is_ok())
            }
        }
    }

    /// A guess at documents of the form, which need no credential.
    pub(crate) fn guess_at_a_form(&self, client: Client) -> Guess {
        let guesses = &self.guesses;
        guesses.guess(client, Target::Forms, Credential::NONE)
    }

    /// Whether one more may be tried.
    pub(crate) fn allows_guess(&self, guess: &Guess, now_ms: u64) -> bool {
        self.guesses.allows(guess, now_ms)
    }

    /// One has failed.
    pub(crate) fn guess_failed(&self, guess: &Guess, failure: Failure, now_ms: u64) {
        self.guesses.failed(guess, failure, now_ms);
    }

    /// What the request guesses at if it fails, and with which credential: what else it shows is looked
    /// at by nobody.
    fn guess(&self, request: &Request, client: Client) -> Option<Guess> {
        let target = target(request.method(), request.uri().path())?;
        let headers = request.headers();
        let header = |name: &str| headers.get(name).map(|value| value.as_bytes());
        let signer;
        let credential = match target {
            Target::Sessions => header("sealpay-session").map(Credential::named),
            Target::Merchants => {
                if let Some(key) = header(header::AUTHORIZATION.as_str()) {
                    let name = key.get(..KEY_PREFIX).unwrap_or(key);
                    Some(Credential { name, whole: key })
                } else if let Some(merchant) = header("sealpay-merchant") {
                    let key = key_id(header("signature-input").unwrap_or_default());
                    signer = [merchant, b" ", key].concat();
                    Some(Credential::named(&signer))
                } else {
                    None
                }
            }
            Target::Forms | Target::Simulation => None,
        };
        let credential = credential.unwrap_or(Credential::NONE);
        Some(self.guesses.guess(client, target, credential))
    }

    /// Remembers whom a request was from, where that was found out.
    fn let_in(&self, client: Client, shown: &Shown<'_>, now_ms: u64) {
        if let (Some(guess), true) = (shown.guess, shown.is_principal) {
            self.guesses.succeeded(guess, now_ms);
        }
        if let Some(session) = shown.session {
            let session = session.to_string();
            let credential = Credential::named(session.as_bytes());
            let guess = self.guesses.guess(client, Target::Sessions, credential);
            self.guesses.succeeded(&guess, now_ms);
        }
    }
}

/// What a request for this path may be guessing at. Opening a session is no guess: an order is public, and
/// a page whose order is wrong must not stop the shoppers who look at it.
pub(super) fn target(method: &Method, path: &str) -> Option<Target> {
    match (method, path) {
        (&Method::POST, "/v1/sessions") => None,
        (&Method::POST, "/v1/payments" | "/v1/authentications") => Some(Target::Sessions),
        _ if path.starts_with("/v1/") => Some(Target::Merchants),
        _ => Some(Target::Simulation),
    }
}

/// What a request has shown by the time that it is answered.
struct Shown<'a> {
    guess: Option<&'a Guess>,
    /// The credential of the guess is a merchant's.
    is_principal: bool,
    session: Option<SessionId>,
}

impl Shown<'_> {
    /// What was wrong where this was the answer; none where there was no code of an error.
    const fn failure(&self, code: Option<ErrorCode>) -> Failure {
        match code {
            Some(
                ErrorCode::ApiKeyInvalid
                | ErrorCode::UnknownMerchant
                | ErrorCode::UnknownOrderKey
                | ErrorCode::UnknownSession,
            ) => Failure::Credential,
            _ if self.is_principal || self.session.is_some() => Failure::OfProven,
            _ => Failure::OfStranger,
        }
    }
}

/// The name of the key in `Signature-Input`: all that stands behind `keyid`, where it is not closed.
fn key_id(input: &[u8]) -> &[u8] {
    const BEFORE: &[u8] = b"keyid=\"";
    let mut windows = input.windows(BEFORE.len());
    let Some(place) = windows.position(|window| window == BEFORE) else {
        return b"";
    };
    let name = &input[place + BEFORE.len()..];
    let end = name.iter().position(|byte| *byte == b'"');
    &name[..end.unwrap_or(name.len())]
}

pub(crate) async fn limit(
    State(limit): State<Arc<RateLimit>>,
    request: Request,
    next: Next,
) -> Response {
    let client = request.extensions().get::<Client>();
    if client.is_some_and(|client| !limit.allows(*client)) {
        return Problem(ApiError::new(ErrorCode::RateLimited)).into_response();
    }
    next.run(request).await
}

/// Beside an answer that is no error and still says that a code or a passkey was wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WrongGuess;

/// Beside an answer to a request that was signed by the key of this session, or that has opened it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProvenSession(pub(crate) SessionId);

/// Answers that say that there is no such thing, to whoever may be trying names or keys. They are
/// secrets, or lead to some.
const fn is_failed_guess(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NotFound
            | ErrorCode::UnknownSession
            | ErrorCode::ApiKeyInvalid
            | ErrorCode::UnknownMerchant
            | ErrorCode::UnknownOrderKey
    )
}

/// Slows down and logs whoever asks for what is not there. Goes inside of [`limit`].
pub(crate) async fn slow_guessing(
    State(gateway): State<Arc<Gateway>>,
    State(limit): State<Arc<RateLimit>>,
    request: Request,
    next: Next,
) -> Response {
    let clock = gateway.clock();
    let client = request.extensions().get::<Client>().copied();
    let guess = client.and_then(|client| limit.guess(&request, client));
    let waits = |guess: &Guess| !limit.allows_guess(guess, clock.wall_ms());
    if guess.as_ref().is_some_and(waits) {
        return Problem(ApiError::new(ErrorCode::RateLimited)).into_response();
    }
    let route = request.extensions().get::<MatchedPath>().cloned();
    let principal = request.extensions().get::<NotedPrincipal>().cloned();
    let response = next.run(request).await;
    let extensions = response.extensions();
    let error = extensions.get::<Problem>().map(|refused| &refused.0);
    let refused = error.filter(|error| is_failed_guess(error.code));
    let is_wrong = refused.is_some() || extensions.get::<WrongGuess>().is_some();
    let shown = Shown {
        guess: guess.as_ref(),
        is_principal: principal.is_some_and(|noted| noted.get().is_some()),
        session: extensions.get().map(|ProvenSession(session)| *session),
    };
    if let Some(client) = client {
        limit.let_in(client, &shown, clock.wall_ms());
    }
    if let Some(guess) = guess.as_ref().filter(|_| is_wrong) {
        let failure = shown.failure(refused.map(|error| error.code));
        limit.guess_failed(guess, failure, clock.wall_ms());
    }
    if let Some(error) = refused {
        let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
        // The address is logged here because somebody may be trying names.
        tracing::warn!(route, ?client, code = error.code.name(), "a guess failed");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{Client, Failure, RateLimit, Request, SessionId, Shown, UNKNOWN_ARE, key_id};
    use axum::body::Body;
    use std::net::IpAddr;
    use std::num::NonZeroU32;

    #[test]
    fn the_name_of_a_key_stands_behind_its_parameter() {
        let rows = [
            (
                "sealpay=(\"@method\");created=1;keyid=\"2026-11\";nonce=\"x\"",
                "2026-11",
            ),
            ("keyid=\"\"", ""),
            ("keyid=\"open", "open"),
            ("keyid=bare", ""),
            ("", ""),
        ];
        for (input, expected) in rows {
            assert_eq!(key_id(input.as_bytes()), expected.as_bytes(), "{input}");
        }
    }

    /// A page's own request may show somebody else's key beside its session: that key is not let in.
    #[test]
    fn only_what_proved_itself_is_let_in() {
        let (rate, burst) = (NonZeroU32::new(50).unwrap(), NonZeroU32::new(200).unwrap());
        let limit = RateLimit::new(Some((rate, burst)));
        let client = Client::Network(IpAddr::from([192, 0, 2, 1]));
        let (session, other) = (SessionId::new(1, [1; 10]), SessionId::new(1, [2; 10]));
        let guess = |name: &str, value: &str| {
            let request = match name {
                "sealpay-session" => Request::post("/v1/payments"),
                _ => Request::get("/v1/payments"),
            };
            let request = request.header(name, value).body(Body::empty()).unwrap();
            limit.guess(&request, client).unwrap()
        };
        for number in 0..200 {
            let key = guess("authorization", &format!("Bearer sk_test_{number:09}"));
            limit.guess_failed(&key, Failure::Credential, 0);
            let session = guess("sealpay-session", &number.to_string());
            limit.guess_failed(&session, Failure::Credential, 0);
        }
        let key = guess("authorization", "Bearer sk_test_shown_beside_a_session");
        let shown = Shown {
            guess: Some(&key),
            is_principal: false,
            session: Some(session),
        };
        limit.let_in(client, &shown, 0);
        assert!(!limit.allows_guess(&key, 0));
        let allows = |session: SessionId| {
            limit.allows_guess(&guess("sealpay-session", &session.to_string()), 0)
        };
        assert!(allows(session) && !allows(other));
        let shown = Shown {
            is_principal: true,
            ..shown
        };
        limit.let_in(client, &shown, 0);
        assert!(limit.allows_guess(&key, 0));
    }

    #[test]
    fn networks_of_a_household_have_not_as_many_limits() {
        let (rate, burst) = (NonZeroU32::MIN, NonZeroU32::new(8).unwrap());
        let limit = RateLimit::new(Some((rate, burst)));
        let answered = |text: &str| {
            let client = Client::Network(text.parse().unwrap());
            (0..100).take_while(|_| limit.allows(client)).count()
        };
        let rows = [
            ("2001:db8:1:100::", 8),
            ("2001:db8:1:101::", 4),
            ("2001:db8:1:102::", 0),
            ("2001:db8:1:200::", 4),
            ("2001:db8:1:300::", 0),
            ("2001:db8:2:100::", 8),
        ];
        for (network, expected) in rows {
            // A second may end in between.
            let answered = answered(network);
            assert!(
                (expected..=expected + 2).contains(&answered),
                "{network}: {answered}"
            );
        }
    }

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
