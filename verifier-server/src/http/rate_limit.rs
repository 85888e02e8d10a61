//! Rate limits for each network: requests and failed guesses. Honest shoppers stay far below them.

use super::client::Client;
use super::guesses::{Credential, Failure, Guess, Guesses, Target};
use super::noted::NotedPrincipal;
use super::problem::Problem;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::listener::{ClientNetwork, NETWORK_TIERS, TIERS, networks_of};
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

/// Maximum number of networks before idle ones are dropped.
const REMEMBERED: usize = 10_000;
/// Beyond that, idle ones are dropped once in this many requests.
const SWEPT_EVERY: usize = 1_000;

/// The limit of clients that a trusted proxy does not name, as a multiple of one network's. They
/// share it, because a single household's limit would be too low for all of them.
const UNKNOWN_ARE: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// The part of an API key that identifies it: `Bearer sk_test_` and nine characters.
const KEY_PREFIX: usize = 24;

type Networks = RateLimiter<ClientNetwork, DashMapStateStore<ClientNetwork>, DefaultClock>;

/// A token bucket for each network.
#[derive(Debug)]
pub struct RateLimit {
    /// One for each of [`NETWORK_TIERS`].
    networks: Option<[Networks; TIERS]>,
    unknown: Option<DefaultDirectRateLimiter>,
    guesses: Guesses,
    seen: AtomicUsize,
}

impl RateLimit {
    /// Requests per second, and burst; none without a limit.
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
                // Smallest network first: a rejected request must not count for the larger ones.
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

    /// Whether another guess is permitted.
    pub(crate) fn allows_guess(&self, guess: &Guess, now_ms: u64) -> bool {
        self.guesses.allows(guess, now_ms)
    }

    /// Records a failed guess.
    pub(crate) fn guess_failed(&self, guess: &Guess, failure: Failure, now_ms: u64) {
        self.guesses.failed(guess, failure, now_ms);
    }

    /// The guess that the request makes if it fails, with the credential that is checked; other
    /// credentials of the request are ignored.
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
            Target::Forms | Target::Notifications | Target::Simulation => None,
        };
        let credential = credential.unwrap_or(Credential::NONE);
        Some(self.guesses.guess(client, target, credential))
    }

    /// Records the authenticated credential of a request.
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

/// The target that a request for this path may be guessing at. Opening a session is no guess:
/// orders are public, and a page with an invalid order must not slow down its shoppers.
pub(super) fn target(method: &Method, path: &str) -> Option<Target> {
    match (method, path) {
        (&Method::POST, "/v1/sessions") => None,
        (&Method::POST, "/v1/payments" | "/v1/authentications" | "/v1/instruments/remove") => {
            Some(Target::Sessions)
        }
        _ if path.starts_with("/v1/providers/") => Some(Target::Notifications),
        _ if path.starts_with("/v1/") => Some(Target::Merchants),
        _ if path.starts_with("/pay/") => Some(Target::Forms),
        _ => Some(Target::Simulation),
    }
}

/// The authentication result of a request.
struct Shown<'a> {
    guess: Option<&'a Guess>,
    /// Whether the guess's credential is a merchant's.
    is_principal: bool,
    session: Option<SessionId>,
}

impl Shown<'_> {
    /// The failure that a response stands for; none without an error code.
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

/// The key id in `Signature-Input`: everything after `keyid` if the quote is not closed.
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

/// Response extension: the response is not an error, but a code or passkey was wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WrongGuess;

/// Response extension: the request was signed with the key of this session, or opened it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProvenSession(pub(crate) SessionId);

/// Error codes that tell an attacker that a key or id does not exist.
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

/// Slows down and logs failed guesses. Applied inside of [`limit`].
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
        // Logs the address, because this may be an attack.
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
    fn the_key_id_is_read_from_its_parameter() {
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

    /// A widget request may also present a merchant's key, which is not authenticated by it.
    #[test]
    fn only_authenticated_credentials_are_remembered() {
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
    fn networks_of_one_household_share_a_limit() {
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
    fn unidentified_clients_have_a_higher_limit() {
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
