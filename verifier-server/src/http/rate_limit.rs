//! How much one address may ask. Guessing at speed is slowed down; a shopper never notices.

use super::problem::Problem;
use super::state::AppState;
use crate::gate::refusal::{Code, Refusal};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

/// Addresses remembered before the quiet ones are forgotten.
const REMEMBERED: usize = 10_000;

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

    fn allows(&self, address: IpAddr) -> bool {
        let Some(limiter) = &self.limiter else {
            return true;
        };
        if limiter.len() > REMEMBERED {
            limiter.retain_recent();
        }
        limiter.check_key(&network_of(address)).is_ok()
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

pub(super) async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match state.rate_limit.address(&request) {
        Some(address) if !state.rate_limit.allows(address) => {
            Problem(Refusal::new(Code::RateLimited)).into_response()
        }
        _ => next.run(request).await,
    }
}
