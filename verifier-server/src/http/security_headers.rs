//! Security headers of every response.

use crate::listener::Hsts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use sealpay_protocol::origin::Origin;

/// Which sites may embed the resource (Fetch, `Cross-Origin-Resource-Policy`).
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Whether a window keeps a reference to its opener (HTML, section 7.1.3).
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The headers that depend on the operator's configuration.
#[derive(Debug)]
pub struct SecurityHeaders {
    hsts: Option<HeaderValue>,
}

impl SecurityHeaders {
    /// HSTS applies to https origins only, and not to this machine: `localhost` belongs to every
    /// developer, on every port.
    #[must_use]
    pub fn new(origin: &Origin, hsts: &Hsts) -> Self {
        let value = insists_on_https(origin).then(|| HeaderValue::try_from(hsts.value()));
        Self {
            hsts: value.and_then(Result::ok),
        }
    }

    /// Adds the missing headers; those of the handler stay.
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
    fn hsts_is_not_sent_for_local_names() {
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
