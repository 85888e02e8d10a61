//! The pages' own style sheets and scripts, and the headers that go with a page.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::Markup;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Scripts and styles come only from files of our own, the icon from the page itself, and nobody
/// frames these pages.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The icon of a tab, without a request of its own: a square in the colour of the page's mark.
macro_rules! icon {
    ($colour:literal) => {
        concat!(
            "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
             %3Crect width='32' height='32' rx='9' fill='%23",
            $colour,
            "'/%3E%3C/svg%3E"
        )
    };
}

pub(super) const CONTROL_ICON: &str = icon!("0f5e63");
pub(super) const WALLET_ICON: &str = icon!("2f4ac0");

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
    text(CSS, include_str!("../../assets/sim/control.css"))
}

pub(super) async fn control_js() -> Text {
    text(JS, include_str!("../../assets/sim/control.js"))
}

pub(super) async fn wallet_css() -> Text {
    text(CSS, include_str!("../../assets/sim/wallet.css"))
}

pub(super) async fn wallet_js() -> Text {
    text(JS, include_str!("../../assets/sim/wallet.js"))
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
