//! Protection against cross-site requests: a page of another site must not pay with a shopper's
//! wallet or advance a tester's clock.

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

/// Set by browsers, not by pages (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Rejects state-changing requests from pages of other origins. Programs that are not browsers send
/// neither header.
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

/// The same on the operator's listener, which has no configured origin: the request's own host is
/// accepted. With a token any host name is accepted, because a page cannot make a browser send the
/// token.
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

/// Every host that the request names: `:authority` of HTTP/2 or the absolute URL of HTTP/1.1, and
/// `Host`.
fn hosts(request: &Request) -> impl Iterator<Item = &str> {
    let authority = request.uri().authority().map(Authority::as_str);
    let headers = request.headers().get_all(header::HOST).iter();
    // A host that is not text matches nothing.
    let headers = headers.map(|host| host.to_str().unwrap_or_default());
    authority.into_iter().chain(headers)
}

/// Whether a request only reads, or comes from our own page or from no page.
fn may(request: &Request, is_own_origin: impl Fn(&str) -> bool) -> bool {
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD);
    only_reads || is_own(request.headers(), is_own_origin)
}

/// Whether a host is a name of this machine that nobody else can control, or an address. With DNS
/// rebinding, `Host` is the name of the other site.
fn is_ours(host: &str) -> bool {
    let name = host_of(host);
    let literal = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    name == "localhost"
        || name.parse::<Ipv4Addr>().is_ok()
        || literal.is_some_and(|literal| literal.parse::<Ipv6Addr>().is_ok())
}

/// Whether every header about the origin names our own origin, or none.
fn is_own(headers: &HeaderMap, is_own_origin: impl Fn(&str) -> bool) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    // `none` means that the user typed the URL.
    origins.all(|origin| origin.to_str().is_ok_and(&is_own_origin))
        && sites.all(|site| site == "same-origin" || site == "none")
}

#[cfg(test)]
mod tests {
    use super::{Request, SEC_FETCH_SITE, hosts, is_ours, is_own};
    use axum::body::Body;
    use axum::http::{HeaderMap, HeaderValue, header};

    #[test]
    fn only_local_names_and_addresses_are_accepted_as_host() {
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
    fn every_host_of_a_request_is_checked() {
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
    fn only_same_origin_pages_and_programs_may_write() {
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
