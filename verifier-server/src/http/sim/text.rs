//! The pages' own style sheets and scripts, and the headers that go with a page.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::Markup;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Scripts and styles come only from files of our own, and nobody frames these pages.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

type Text = ([(HeaderName, &'static str); 2], &'static str);

/// Browsers ask each time whether it is still the same.
const fn text(content_type: &'static str, text: &'static str) -> Text {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

pub(super) async fn control_css() -> Text {
    text(CSS, include_str!("../../../assets/sim/control.css"))
}

pub(super) async fn control_js() -> Text {
    text(JS, include_str!("../../../assets/sim/control.js"))
}

pub(super) async fn wallet_css() -> Text {
    text(CSS, include_str!("../../../assets/sim/wallet.css"))
}

pub(super) async fn wallet_js() -> Text {
    text(JS, include_str!("../../../assets/sim/wallet.js"))
}

/// A response to a window that the form has opened. The form keeps its handle on it, to know whether
/// it is still open and to close it; a redirect with another policy would take the handle away, too.
pub(super) fn window(mut response: Response) -> Response {
    let name = HeaderName::from_static("cross-origin-opener-policy");
    let value = HeaderValue::from_static("unsafe-none");
    response.headers_mut().insert(name, value);
    response
}

/// A page of ours.
pub(super) fn page(markup: Markup) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Without a referrer browsers would hide the origin of a form, which is looked at.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    let mut response = (headers, markup.into_string()).into_response();
    let permissions = HeaderValue::from_static("camera=(), microphone=(), geolocation=()");
    let name = HeaderName::from_static("permissions-policy");
    response.headers_mut().insert(name, permissions);
    response
}
