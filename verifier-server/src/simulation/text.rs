//! The pages' style sheets and scripts, and the headers of pages.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::Markup;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Scripts and styles come only from our own files, the icon from the page itself, and the pages
/// cannot be framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The favicon as a data URL, to avoid a request: a square in the page's colour.
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

/// Browsers revalidate every time.
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

/// A response for a window that the form opened. The form needs its reference to check and close
/// the window; a redirect with another opener policy would also remove that reference.
pub(super) fn window(mut response: Response) -> Response {
    let name = HeaderName::from_static("cross-origin-opener-policy");
    let value = HeaderValue::from_static("unsafe-none");
    response.headers_mut().insert(name, value);
    response
}

pub(super) fn page(markup: Markup) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Without a referrer, browsers would omit the origin of a form submission, which is
        // checked.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    let mut response = (headers, markup.into_string()).into_response();
    let permissions = HeaderValue::from_static("camera=(), microphone=(), geolocation=()");
    let name = HeaderName::from_static("permissions-policy");
    response.headers_mut().insert(name, permissions);
    response
}
