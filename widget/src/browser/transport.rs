//! Sends signed requests to the verifier, byte for byte as they were signed.

use super::{clock, responses};
use crate::payment::ApiResponse;
use crate::payment::request::SignedRequest;
use gloo_net::http::Request;
use js_sys::Uint8Array;
use sealpay_protocol::api::CONTENT_TYPE;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::{AbortController, RequestCache, RequestCredentials, RequestRedirect};

/// How long a response may take. A simulated slow bank takes ten seconds, a real one up to twenty.
const TIMEOUT_MS: u32 = 30_000;

/// An HTTP response.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

type Replying = Pin<Box<dyn Future<Output = Option<Reply>>>>;

/// Sends requests to the verifier, or to a test's substitute.
#[derive(Clone)]
pub struct Transport(Rc<dyn Fn(SignedRequest) -> Replying>);

impl Transport {
    /// Any function of a request. It returns `None` when no complete response arrived.
    pub fn new<F>(send: impl Fn(SignedRequest) -> F + 'static) -> Self
    where
        F: Future<Output = Option<Reply>> + 'static,
    {
        Self(Rc::new(move |request| Box::pin(send(request))))
    }

    /// To the verifier, which served this document.
    #[must_use]
    pub fn to_verifier() -> Self {
        Self::new(fetch)
    }

    /// Sends a request and reads the response.
    pub async fn send<T>(
        &self,
        request: SignedRequest,
        read: fn(&JsValue) -> Option<T>,
    ) -> ApiResponse<Box<T>> {
        match self.reply(request).await {
            Some((true, value)) => read(&value).map_or(ApiResponse::Missing, |view| {
                ApiResponse::Success(Box::new(view))
            }),
            Some((false, value)) => {
                responses::problem(&value).map_or(ApiResponse::Missing, ApiResponse::Problem)
            }
            // A proxy's error page says nothing about whether the request arrived.
            None => ApiResponse::Missing,
        }
    }

    async fn reply(&self, request: SignedRequest) -> Option<(bool, JsValue)> {
        let reply = (self.0)(request).await?;
        Some((
            (200..=299).contains(&reply.status),
            responses::parse(&reply.body)?,
        ))
    }
}

/// Without cookies, cache or redirects: only the signature authenticates a request.
async fn fetch(request: SignedRequest) -> Option<Reply> {
    // Not `AbortSignal.timeout`, which browsers before 2022 do not have.
    let controller = AbortController::new().ok()?;
    let signal = controller.signal();
    clock::after(TIMEOUT_MS, move || controller.abort());
    let response = Request::post(request.path)
        .header("content-type", CONTENT_TYPE)
        .header("idempotency-key", &request.idempotency_key)
        .header("sealpay-session", &request.session)
        .header("content-digest", &request.headers.content_digest)
        .header("signature-input", &request.headers.signature_input)
        .header("signature", &request.headers.signature)
        .credentials(RequestCredentials::Omit)
        .cache(RequestCache::NoStore)
        .redirect(RequestRedirect::Error)
        .abort_signal(Some(&signal))
        .body(Uint8Array::from(request.body.as_ref()))
        .ok()?
        .send()
        .await
        .ok()?;
    Some(Reply {
        status: response.status(),
        body: response.text().await.ok()?,
    })
}
