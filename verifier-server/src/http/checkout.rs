//! Files for browsers: the loader, the document in the frame, and the widget's files.

use super::assets::Asset;
use super::client::Client;
use super::frame_origins::{origins_of, registered_parents};
use super::problem::Problem;
use super::state::AppState;
use crate::error::{ApiError, ErrorCode};
use crate::widget_builds;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Extension, Json, Router, body::Body};
use serde_json::json;

const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The content at the loader's URL changes, so browsers must revalidate soon.
const FIVE_MINUTES: &str = "public, max-age=300";

/// The CSP without frame ancestors. Scripts and styles come only from our own files, and no text
/// becomes markup (Trusted Types).
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors ";

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/checkout.js", get(loader))
        .route("/checkout.json", get(pinned_loader))
        .route("/checkout/{merchant}", get(document))
        .route("/assets/{digest}/{name}", get(file))
}

async fn document(
    State(state): State<AppState>,
    Path(merchant): Path<String>,
    RawQuery(query): RawQuery,
    client: Option<Extension<Client>>,
    request: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let known = (&*state.frame_origins, &*state.rate_limit);
    let client = client.map(|client| client.0);
    let registered = origins_of(&state.gateway, known, client, &merchant).await?;
    // The pages of invoices are our own.
    let own = state.gateway.settings().public_origin.to_string();
    let permitted: Vec<_> = registered.iter().cloned().chain([own]).collect();
    let parents = registered_parents(query.as_deref(), &permitted);
    let document = state.assets.document();
    let document = document.ok_or_else(|| {
        ApiError::because(
            ErrorCode::NotFound,
            "the server runs without the widget's files",
        )
    })?;
    let ancestors = if parents.is_empty() {
        "'none'".to_owned()
    } else {
        parents.join(" ")
    };
    // An origin contains neither space nor semicolon.
    let policy = HeaderValue::try_from([POLICY, &ancestors].concat())
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))?;
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (
            header::HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static(
                "camera=(), microphone=(), geolocation=(), payment=(self), \
             publickey-credentials-get=(self), publickey-credentials-create=(self)",
            ),
        ),
        // Permits the frame in cross-origin isolated pages (COEP).
        (
            header::HeaderName::from_static("cross-origin-embedder-policy"),
            HeaderValue::from_static("require-corp"),
        ),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("cross-origin"),
        ),
    ];
    let mut response = serve(document, &request, "no-cache");
    // Inserted, not appended: a repeated header, even with the same value, is invalid.
    for (name, value) in headers {
        response.headers_mut().insert(name, value);
    }
    // The document is shown in frames only; other pages must not read it.
    response
        .headers_mut()
        .remove(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    Ok(response)
}

async fn loader(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let asset = state
        .assets
        .loader()
        .ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    Ok(serve(asset, &headers, FIVE_MINUTES))
}

/// The versioned URL of the loader, and the integrity for the script tag.
async fn pinned_loader(State(state): State<AppState>) -> Result<Json<serde_json::Value>, Problem> {
    let (path, integrity) = state
        .assets
        .pinned_loader()
        .ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    let origin = &state.gateway.settings().public_origin;
    Ok(Json(
        json!({ "src": format!("{origin}{path}"), "integrity": integrity }),
    ))
}

async fn file(
    State(state): State<AppState>,
    Path((digest, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    if let Some(asset) = state.assets.file(&digest, &name) {
        return Ok(serve(asset, &headers, FOR_EVER));
    }
    let asset =
        widget_builds::routes::file(&state.gateway, &state.other_builds, &digest, &name).await?;
    let asset = asset.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    Ok(serve(&asset, &headers, FOR_EVER))
}

/// Whether `Accept-Encoding` accepts a coding (RFC 9110 section 12.5.3).
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|entry| {
        let (name, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let forbidden = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|q| q.bytes().all(|c| matches!(c, b'0' | b'.')));
        name.trim() == coding && !forbidden
    })
}

fn serve(asset: &Asset, request: &HeaderMap, caching: &'static str) -> Response<Body> {
    let compressed = [("br", &asset.brotli), ("gzip", &asset.gzip)]
        .into_iter()
        .filter(|(coding, _)| accepts(request, coding))
        .find_map(|(coding, bytes)| Some((coding, bytes.as_ref()?)));
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, caching),
        (header::VARY, "accept-encoding"),
        // Pages of any origin load the loader with `crossorigin`, to check its integrity.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ];
    match compressed {
        Some((coding, bytes)) => {
            (headers, [(header::CONTENT_ENCODING, coding)], bytes.clone()).into_response()
        }
        None => (headers, asset.identity.clone()).into_response(),
    }
}
