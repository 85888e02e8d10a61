//! What every answer tells browsers about how far it may be used.

use crate::listener::Hsts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use sealpay_protocol::origin::Origin;

/// Who may load it into a page (Fetch, `Cross-Origin-Resource-Policy`).
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Whether a window keeps a handle on the one that opened it (HTML, section 7.1.3).
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The headers that depend on the operator.
#[derive(Debug)]
pub struct SecurityHeaders {
    hsts: Option<HeaderValue>,
}

impl SecurityHeaders {
    /// The promise of HTTPS is given under an https origin only, and not for this machine:
    /// `localhost` is every developer's, on every port.
    #[must_use]
    pub fn new(origin: &Origin, hsts: &Hsts) -> Self {
        let value = insists_on_https(origin).then(|| HeaderValue::try_from(hsts.value()));
        Self {
            hsts: value.and_then(Result::ok),
        }
    }

    /// Adds what is missing: what a handler says itself stays.
    pub(crate) fn add(&self, response: &mut Response) {
        let headers = response.headers_mut();
        if let Some(hsts) = &self.hsts {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        let usual = [
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (RESOURCE_POLICY, "same-origin"),
            (OPENER_POLICY, "same-origin"),
        ];
        for (name, value) in usual {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
    }
}

fn insists_on_https(origin: &Origin) -> bool {
    origin.as_str().starts_with("https://") && !origin.is_local()
}

#[cfg(test)]
mod tests {
    use super::insists_on_https;

    #[test]
    fn strict_transport_security_is_for_names_that_are_not_this_machines() {
        let rows = [
            ("https://pay.example", true),
            ("https://pay.example:8443", true),
            ("http://pay.example", false),
            ("https://localhost:8443", false),
            ("https://pay.localhost", false),
            ("https://127.0.0.1:8443", false),
            ("https://[::1]", false),
        ];
        for (origin, expected) in rows {
            assert_eq!(
                insists_on_https(&origin.parse().unwrap()),
                expected,
                "{origin}"
            );
        }
    }
}
