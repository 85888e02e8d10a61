//! A page of another site must not pay in a shopper's wallet or move a tester's clock: browsers say
//! which page asks.

use crate::gate::refusal::{Code, Refusal};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sealpay_protocol::origin::host_of;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Set by browsers and by no page (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses what changes something and comes from a page of another origin. Programs that are no
/// browsers send neither header.
pub(super) async fn refuse_others(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let own = &state.gateway.settings().public_origin;
    let host = host(request.headers());
    let is_meant = host.is_none_or(|host| host == own.authority() || is_ours(host));
    if is_meant && (only_reads || is_own(request.headers(), |origin| origin == own.as_str())) {
        next.run(request).await
    } else {
        Problem(Refusal::new(Code::CrossSiteRefused)).into_response()
    }
}

/// The same on the operator's listener, which has no name of its own: its pages are of the origin
/// that the request names. Where requests carry a token, no browser is made to send one.
pub(super) async fn refuse_others_there(
    State(any_name): State<bool>,
    request: Request,
    next: Next,
) -> Response {
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let host = host(request.headers());
    let is_meant = any_name || host.is_none_or(is_ours);
    let of_this_host = |origin: &str| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some() && authority == host
    };
    if is_meant && (only_reads || is_own(request.headers(), of_this_host)) {
        next.run(request).await
    } else {
        Problem(Refusal::new(Code::CrossSiteRefused)).into_response()
    }
}

fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?;
    // One that is no text is nobody's.
    Some(host.to_str().unwrap_or_default())
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
    use super::{SEC_FETCH_SITE, is_ours, is_own};
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
            let said = is_own(&headers, |origin| origin == own);
            assert_eq!(said, expected, "{origins:?} {sites:?}");
        }
    }
}
