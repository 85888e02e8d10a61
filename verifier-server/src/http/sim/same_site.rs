//! A page of another site must not move a tester's clock: browsers say which page asks.

use crate::gate::refusal::{Code, Refusal};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

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
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let is_meant = host.is_none_or(|host| is_ours(host, own.authority()));
    if is_meant && (only_reads || is_own(request.headers(), own.as_str())) {
        next.run(request).await
    } else {
        Problem(Refusal::new(Code::CrossSiteRefused)).into_response()
    }
}

/// Whether a host is the verifier's, or this machine by a name that nobody else can point elsewhere: a
/// page of another site whose name was made to lead here (DNS rebinding) has its own name in `Host`.
fn is_ours(host: &str, own: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    host == own || matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// Whether every header that says who asks says that it is a page of ours, or nobody's.
fn is_own(headers: &HeaderMap, own: &str) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    // `none` is a shopper who typed the address.
    origins.all(|origin| origin == own) && sites.all(|site| site == "same-origin" || site == "none")
}

#[cfg(test)]
mod tests {
    use super::{SEC_FETCH_SITE, is_ours, is_own};
    use axum::http::{HeaderMap, HeaderValue, header};

    #[test]
    fn only_the_verifiers_own_name_and_this_machine_are_ours() {
        let rows = [
            ("pay.example:8443", true),
            ("localhost:8787", true),
            ("127.0.0.1", true),
            ("[::1]:8787", true),
            ("pay.example", false),
            ("evil.example:8443", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:8443", false),
            ("", false),
        ];
        for (host, expected) in rows {
            assert_eq!(is_ours(host, "pay.example:8443"), expected, "{host}");
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
            assert_eq!(is_own(&headers, own), expected, "{origins:?} {sites:?}");
        }
    }
}
