//! How much one address may ask. Guessing at speed is slowed down; a shopper never notices.

use super::problem::Problem;
use super::state::AppState;
use crate::gate::refusal::{Code, Refusal};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

/// Addresses remembered before the quiet ones are forgotten.
const REMEMBERED: usize = 10_000;

/// What a failed guess costs, in requests. Who mistypes a code does not notice; who tries all of
/// them waits.
const GUESS_COSTS: u32 = 20;

/// A token bucket for each address.
#[derive(Debug)]
pub struct RateLimit {
    limiter: Option<RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock>>,
    forwarded_by_proxy: bool,
}

impl RateLimit {
    /// So many requests a second, and so many at once; none for no limit.
    #[must_use]
    pub fn new(limit: Option<(NonZeroU32, NonZeroU32)>, forwarded_by_proxy: bool) -> Self {
        let quota = |(rate, burst)| Quota::per_second(rate).allow_burst(burst);
        let limiter = limit.map(|limit| RateLimiter::dashmap(quota(limit)));
        Self {
            limiter,
            forwarded_by_proxy,
        }
    }

    fn allows(&self, network: IpAddr) -> bool {
        let Some(limiter) = &self.limiter else {
            return true;
        };
        if limiter.len() > REMEMBERED {
            limiter.retain_recent();
        }
        limiter.check_key(&network).is_ok()
    }

    /// Takes what a failed guess costs, as far as there is so much.
    pub(super) fn penalize(&self, network: Option<IpAddr>) {
        let (Some(limiter), Some(network)) = (&self.limiter, network) else {
            return;
        };
        for _ in 0..GUESS_COSTS {
            if limiter.check_key(&network).is_err() {
                break;
            }
        }
    }

    /// Behind a proxy every connection is the proxy's; it puts the client last into the header, or
    /// into a header of its own behind those that the client sent.
    fn address(&self, request: &Request) -> Option<IpAddr> {
        let forwarded = || {
            let headers = request.headers().get_all("x-forwarded-for");
            let last = headers.iter().next_back()?.to_str().ok()?;
            last.rsplit(',').next()?.trim().parse().ok()
        };
        let connection = || {
            let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
            connection.map(|ConnectInfo(address)| address.ip())
        };
        // A header that names nobody is answered for by the proxy: better a shared limit than none.
        let forwarded = self.forwarded_by_proxy.then(forwarded).flatten();
        forwarded.or_else(connection)
    }
}

/// One subscriber has a whole /64 of IPv6.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// The client's network, for handlers behind [`limit`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Network(pub(super) IpAddr);

pub(super) async fn limit(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(address) = state.rate_limit.address(&request) {
        let network = network_of(address);
        if !state.rate_limit.allows(network) {
            return Problem(Refusal::new(Code::RateLimited)).into_response();
        }
        request.extensions_mut().insert(Network(network));
    }
    next.run(request).await
}

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
    let network = request.extensions().get::<Network>().copied();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let refused = response.extensions().get::<Problem>();
    if let Some(Problem(refusal)) = refused.filter(|refused| is_failed_guess(refused.0.code)) {
        let network = network.map(|Network(network)| network);
        state.rate_limit.penalize(network);
        let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
        // The address is logged here because somebody may be trying names.
        tracing::warn!(
            route,
            ?network,
            code = refusal.code.name(),
            "a guess failed"
        );
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{GUESS_COSTS, RateLimit};
    use std::net::IpAddr;
    use std::num::NonZeroU32;

    #[test]
    fn a_failed_guess_costs_many_requests_and_never_more_than_there_are() {
        let one_a_second = NonZeroU32::new(1).unwrap();
        let burst = NonZeroU32::new(GUESS_COSTS + 2).unwrap();
        let limit = RateLimit::new(Some((one_a_second, burst)), false);
        let (guesser, other): (IpAddr, IpAddr) =
            ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert!(limit.allows(guesser));
        limit.penalize(Some(guesser));
        assert!(limit.allows(guesser), "one is left");
        assert!(!limit.allows(guesser));
        limit.penalize(Some(guesser));
        limit.penalize(None);
        assert!(limit.allows(other), "somebody else pays nothing");
        let unlimited = RateLimit::new(None, false);
        unlimited.penalize(Some(guesser));
        assert!(unlimited.allows(guesser));
    }
}
