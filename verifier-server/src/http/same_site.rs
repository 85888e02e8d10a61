//! A page of another site must not pay in a shopper's wallet or move a tester's clock: browsers say
//! which page asks.

use super::problem::Problem;
#[cfg(feature = "simulator")]
use super::state::AppState;
use crate::error::{ApiError, ErrorCode};
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sealpay_protocol::origin::host_of;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Set by browsers and by no page (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses what changes something and comes from a page of another origin. Programs that are no
/// browsers send neither header.
#[cfg(feature = "simulator")]
pub(crate) async fn refuse_others(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let own = &state.gateway.settings().public_origin;
    let is_meant = hosts(&request).all(|host| host == own.authority() || is_ours(host));
    if is_meant && may(&request, |origin| origin == own.as_str()) {
        next.run(request).await
    } else {
        Problem(ApiError::new(ErrorCode::CrossSiteRefused)).into_response()
    }
}

/// The same on the operator's listener, which has no name of its own: its pages are of the origin
/// that the request names. Where requests carry a token, any name leads to it, as no browser is made
/// to send one.
pub(crate) async fn refuse_others_there(
    State(any_name): State<bool>,
    request: Request,
    next: Next,
) -> Response {
    let is_meant = any_name || hosts(&request).all(is_ours);
    let of_this_host = |origin: &str| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some() && authority == hosts(&request).next()
    };
    if is_meant && may(&request, of_this_host) {
        next.run(request).await
    } else {
        Problem(ApiError::new(ErrorCode::CrossSiteRefused)).into_response()
    }
}

/// Every name that the request says it goes to: `:authority` of HTTP/2 or that of a whole address in
/// HTTP/1.1, and `Host`.
fn hosts(request: &Request) -> impl Iterator<Item = &str> {
    let authority = request.uri().authority().map(Authority::as_str);
    let headers = request.headers().get_all(header::HOST).iter();
    // One that is no text is nobody's.
    let headers = headers.map(|host| host.to_str().unwrap_or_default());
    authority.into_iter().chain(headers)
}

/// Whether a request only reads, or comes from a page of ours or from none.
fn may(request: &Request, is_own_origin: impl Fn(&str) -> bool) -> bool {
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD);
    only_reads || is_own(request.headers(), is_own_origin)
}

/// Whether a host is this machine by a name that nobody else can point elsewhere, or an address: a
/// page of another site whose name was made to lead here (DNS rebinding) has its own name in `Host`.
fn is_ours(host: &str) -> bool {
    let name = host_of(host);
    let literal = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    name == "localhost"
        || name.parse::<Ipv4Addr>().is_ok()
        || literal.is_some_and(|literal| literal.parse::<Ipv6Addr>().is_ok())
}

/// Whether every header that says who asks says that it is a page of ours, or nobody's.
fn is_own(headers: &HeaderMap, is_own_origin: impl Fn(&str) -> bool) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    // `none` is a shopper who typed the address.
    origins.all(|origin| origin.to_str().is_ok_and(&is_own_origin))
        && sites.all(|site| site == "same-origin" || site == "none")
}

#[cfg(test)]
mod tests {
    use super::{Request, SEC_FETCH_SITE, hosts, is_ours, is_own};
    use axum::body::Body;
    use axum::http::{HeaderMap, HeaderValue, header};

    #[test]
    fn only_this_machine_and_addresses_are_ours_whatever_a_name_leads_to() {
        let rows = [
            ("localhost:8787", true),
            ("127.0.0.1", true),
            ("[::1]:8787", true),
            ("192.0.2.7:8788", true),
            ("pay.example:8443", false),
            ("pay.example", false),
            ("evil.example:8443", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:8443", false),
            ("", false),
        ];
        for (host, expected) in rows {
            assert_eq!(is_ours(host), expected, "{host}");
        }
    }

    #[test]
    fn every_name_that_a_request_bears_counts() {
        let request = |uri: &str, hosts: &[&str]| {
            let mut request = Request::get(uri);
            for host in hosts {
                request = request.header(header::HOST, *host);
            }
            request.body(Body::empty()).unwrap()
        };
        let rows: [(&str, &[&str], &[&str]); 5] = [
            ("/metrics", &[], &[]),
            ("/metrics", &["localhost"], &["localhost"]),
            ("/metrics", &["localhost", "evil"], &["localhost", "evil"]),
            ("http://evil:1/metrics", &[], &["evil:1"]),
            (
                "http://evil/metrics",
                &["localhost"],
                &["evil", "localhost"],
            ),
        ];
        for (uri, given, expected) in rows {
            let request = request(uri, given);
            let found: Vec<_> = hosts(&request).collect();
            assert_eq!(found, expected, "{uri} {given:?}");
        }
    }

    #[test]
    fn only_pages_of_our_own_origin_and_programs_may_change_something() {
        let own = "https://pay.example";
        let rows: [(&[&str], &[&str], bool); 12] = [
            (&[], &[], true),
            (&[own], &["same-origin"], true),
            (&[own], &[], true),
            (&[], &["none"], true),
            (&[], &["same-site"], false),
            (&[], &["cross-site"], false),
            (&[own], &["cross-site"], false),
            (&["null"], &["same-origin"], false),
            (&["http://pay.example"], &[], false),
            (&["https://pay.example:8443"], &[], false),
            (&[own, "https://evil.example"], &[], false),
            (&[own], &["same-origin", "cross-site"], false),
        ];
        for (origins, sites, expected) in rows {
            let mut headers = HeaderMap::new();
            for origin in origins {
                headers.append(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            for site in sites {
                headers.append(SEC_FETCH_SITE, HeaderValue::from_str(site).unwrap());
            }
            let accepted = is_own(&headers, |origin| origin == own);
            assert_eq!(accepted, expected, "{origins:?} {sites:?}");
        }
    }
}
