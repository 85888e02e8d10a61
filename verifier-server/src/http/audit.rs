//! Audits every write of a merchant's credential, including rejected ones. Writes without effect,
//! and those rejected for lack of capacity, are limited to a number of rows per credential; further
//! ones are only logged, as are writes without a valid credential.

use super::client::Client;
use super::noted::{NotedPrincipal, NotedRequest};
use super::problem::Problem;
use crate::auth::audit::model::AuditEntry;
use crate::auth::principal::Principal;
use crate::gateway::Gateway;
use crate::idempotency::model::ChangedNothing;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// Rows for writes without effect of one credential, at once and then per minute, so that a client
/// that repeats rejected or redundant requests cannot fill the disk.
const ROWS_AT_ONCE: NonZeroU32 = NonZeroU32::new(100).unwrap();
const ROWS_A_MINUTE: NonZeroU32 = NonZeroU32::new(6).unwrap();

/// Limits the audit rows of writes without effect: rejected ones, and those that changed nothing.
#[derive(Debug)]
pub struct WritesWithoutEffect(RateLimiter<String, DashMapStateStore<String>, DefaultClock>);

impl Default for WritesWithoutEffect {
    fn default() -> Self {
        let quota = Quota::per_minute(ROWS_A_MINUTE).allow_burst(ROWS_AT_ONCE);
        Self(RateLimiter::dashmap(quota))
    }
}

impl WritesWithoutEffect {
    /// Only called for existing credentials, so the number of keys is bounded.
    fn leaves_a_row(&self, principal: &Principal) -> bool {
        let credential = format!("{} {}", principal.merchant, principal.credential);
        self.0.check_key(&credential).is_ok()
    }
}

/// Time limit of a write; shorter than that of all requests.
pub(super) const WRITE_WITHIN: Duration = Duration::from_secs(60);

/// Longest recorded resource id of a path.
const SUBJECT_CHARACTERS: usize = 64;

/// The first parameter of a route, if it looks like an id; a path is client input.
fn subject(route: &str, path: &str) -> Option<String> {
    let mut parts = route.split('/').zip(path.split('/'));
    let (_, named) = parts.find(|(pattern, _)| pattern.starts_with('{'))?;
    let is_a_name = (1..=SUBJECT_CHARACTERS).contains(&named.len())
        && named
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'_');
    is_a_name.then(|| named.to_owned())
}

/// Whether a write certainly had no effect. A server error may have had one, unless it occurred
/// before anything was written.
fn is_without_effect(response: &Response, changed_nothing: &ChangedNothing) -> bool {
    let (status, refused) = (response.status(), response.extensions().get::<Problem>());
    status.is_client_error()
        || refused.is_some_and(|Problem(error)| error.is_without_effect)
        || (status.is_success() && changed_nothing.is_noted())
}

/// Writes the audit row after the handler and before the response.
pub(crate) async fn audit(
    State(gateway): State<Arc<Gateway>>,
    State(without_effect): State<Arc<WritesWithoutEffect>>,
    mut request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    if matches!(method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let extensions = request.extensions();
    let noted = extensions.get::<NotedPrincipal>().cloned();
    let id = extensions.get::<NotedRequest>().copied();
    let network = extensions
        .get::<Client>()
        .and_then(|client| client.network());
    let route = extensions.get::<MatchedPath>().cloned();
    let path = request.uri().path().to_owned();
    let changed_nothing = ChangedNothing::default();
    request.extensions_mut().insert(changed_nothing.clone());
    // Ends before the general time limit, so that a write with a possible effect is audited.
    let response = tokio::time::timeout(WRITE_WITHIN, next.run(request)).await;
    let response = response.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response());
    let principal = noted.as_ref().and_then(NotedPrincipal::get);
    if let (Some(principal), Some(NotedRequest(id)), Some(route)) = (principal, id, route) {
        let route = route.as_str();
        let status = response.status().as_u16();
        let refused = response.extensions().get::<Problem>();
        if is_without_effect(&response, &changed_nothing) && !without_effect.leaves_a_row(principal)
        {
            return response;
        }
        let entry = AuditEntry {
            request: id,
            merchant: Some(principal.merchant),
            actor: principal.credential.clone(),
            action: format!("{method} {route}"),
            subject: subject(route, &path),
            source: network.map_or_else(|| "unknown".into(), |network| network.to_string()),
            outcome: match refused {
                Some(Problem(error)) => format!("{status} {}", error.code.name()),
                None => status.to_string(),
            },
            at_ms: gateway.clock().now_ms_i64(),
        };
        gateway.audit.append_or_log(entry).await;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{ChangedNothing, Problem, is_without_effect, subject};
    use crate::error::{ApiError, ErrorCode};
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use sealpay_storage::DatabaseError;

    #[test]
    fn writes_count_as_without_effect_only_if_known() {
        let problem = |error: ApiError| Problem(error).into_response();
        let first = |error| problem(ApiError::of_first_transaction(error));
        let rows = [
            (StatusCode::OK.into_response(), false),
            (StatusCode::GATEWAY_TIMEOUT.into_response(), false),
            (problem(ApiError::new(ErrorCode::ScopeMissing)), true),
            (problem(ApiError::new(ErrorCode::Overloaded)), false),
            (problem(DatabaseError::Overloaded.into()), false),
            (first(DatabaseError::Overloaded), true),
            (first(DatabaseError::Unavailable(String::new())), true),
            (first(DatabaseError::OutcomeUnknown), false),
        ];
        let changed_nothing = ChangedNothing::default();
        for (response, expected) in rows {
            let found = is_without_effect(&response, &changed_nothing);
            assert_eq!(found, expected, "{response:?}");
        }
        changed_nothing.note();
        let done = StatusCode::OK.into_response();
        assert!(is_without_effect(&done, &changed_nothing));
        let failed = problem(ApiError::new(ErrorCode::Internal));
        assert!(!is_without_effect(&failed, &changed_nothing));
    }

    #[test]
    fn only_the_id_in_a_path_is_recorded() {
        let route = "/v1/payments/{id}/refunds";
        let long = "x".repeat(65);
        for (named, is_recorded) in [
            ("pay_1", true),
            ("a%0ab", false),
            ("", false),
            (&long, false),
        ] {
            let path = format!("/v1/payments/{named}/refunds");
            let expected = is_recorded.then(|| named.to_owned());
            assert_eq!(subject(route, &path), expected, "{named}");
        }
        assert_eq!(
            subject("/v1/webhook-endpoints", "/v1/webhook-endpoints"),
            None
        );
    }
}
