//! The operator's listener: `/readyz`, `/metrics` and, in test mode, `/sim`. It listens on
//! loopback, or every request needs a token.

use super::headers::single;
use super::problem::Problem;
use super::same_site::refuse_others_there;
use super::state::AppState;
use super::{alive, finish, probes};
use crate::error::{ApiError, ErrorCode};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Access to the operator's listener: unrestricted, or by token.
#[derive(Debug, Clone, Default)]
pub struct OperatorAccess {
    /// The token's hash. Hashes have equal lengths, and comparing them reveals nothing about the
    /// token.
    token_hash: Option<[u8; 32]>,
}

impl OperatorAccess {
    /// Requires this token.
    #[must_use]
    pub fn with_token(token: &str) -> Self {
        Self {
            token_hash: Some(Sha256::digest(token).into()),
        }
    }

    fn allows(&self, authorization: Option<&str>) -> bool {
        let Some(expected) = &self.token_hash else {
            return true;
        };
        // The scheme is case-insensitive (RFC 9110 section 11.1).
        let token = authorization
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let given: [u8; 32] = Sha256::digest(token.map_or("", |(_, token)| token.trim())).into();
        token.is_some() & bool::from(given.ct_eq(expected))
    }
}

/// The operator's routes; tests call it without a socket.
pub fn app(state: AppState, access: OperatorAccess) -> Router {
    let routes = Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(probes::ready))
        .route("/metrics", get(probes::metrics));
    #[cfg(feature = "simulator")]
    let routes = if state.gateway.settings().test_mode {
        routes.merge(crate::simulation::routes::router())
    } else {
        routes
    };
    // Protects against DNS rebinding: a page of another site can neither read nor change anything.
    let any_name = access.token_hash.is_some();
    let same_site = middleware::from_fn_with_state(any_name, refuse_others_there);
    finish(routes, state, |app| {
        app.layer(same_site)
            .layer(middleware::from_fn_with_state(access, ask_for_token))
    })
}

async fn ask_for_token(
    State(access): State<OperatorAccess>,
    request: Request,
    next: Next,
) -> Response {
    let authorization = single(request.headers(), header::AUTHORIZATION.as_str());
    if access.allows(authorization) {
        return next.run(request).await;
    }
    Problem(ApiError::for_param(
        ErrorCode::ControlTokenInvalid,
        "authorization",
    ))
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::OperatorAccess;

    #[test]
    fn a_listener_with_a_token_requires_the_exact_token() {
        let token = "0123456789abcdef0123456789abcdef";
        let access = OperatorAccess::with_token(token);
        let good = ["Bearer ", "bearer ", "BEARER  "].map(|scheme| [scheme, token].concat());
        for header in good {
            assert!(access.allows(Some(&header)), "{header}");
        }
        let shorter = &token[..31];
        let longer = [token, "0"].concat();
        let bad = [
            token.to_owned(),
            format!("Basic {token}"),
            format!("Bearer {shorter}"),
            format!("Bearer {longer}"),
            "Bearer ".to_owned(),
            String::new(),
        ];
        for header in bad {
            assert!(!access.allows(Some(&header)), "{header}");
        }
        assert!(!access.allows(None));
        assert!(OperatorAccess::default().allows(None));
    }
}
