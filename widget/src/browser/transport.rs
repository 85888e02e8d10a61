//! Sends signed requests to the verifier, byte for byte as they were signed.

use super::answer;
use crate::pay::Answer;
use crate::pay::request::SignedRequest;
use gloo_net::http::{Method, RequestBuilder};
use js_sys::Uint8Array;
use sealpay_protocol::api::CONTENT_TYPE;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, RequestCache, RequestCredentials, RequestRedirect};

/// How long an answer may take. A simulated slow bank takes ten seconds, a real one up to twenty.
const TIMEOUT_MS: u32 = 30_000;

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

type Replying = Pin<Box<dyn Future<Output = Option<Reply>>>>;

/// How requests travel: to the verifier, or to whatever a test puts in its place.
#[derive(Clone)]
pub struct Transport(Rc<dyn Fn(SignedRequest) -> Replying>);

impl Transport {
    /// Any function of a request. It gives `None` when no whole answer came.
    pub fn new<F>(send: impl Fn(SignedRequest) -> F + 'static) -> Self
    where
        F: Future<Output = Option<Reply>> + 'static,
    {
        Self(Rc::new(move |request| Box::pin(send(request))))
    }

    /// The verifier, which is where this document came from.
    #[must_use]
    pub fn to_verifier() -> Self {
        Self::new(fetch)
    }

    /// Sends a request and reads the answer.
    pub async fn send<T>(
        &self,
        request: SignedRequest,
        read: fn(&JsValue) -> Option<T>,
    ) -> Answer<Box<T>> {
        match self.reply(request).await {
            Some((true, value)) => {
                read(&value).map_or(Answer::None, |view| Answer::Good(Box::new(view)))
            }
            Some((false, value)) => answer::refused(&value).map_or(Answer::None, Answer::Refused),
            // A proxy's error page says nothing about whether the request arrived.
            None => Answer::None,
        }
    }

    async fn reply(&self, request: SignedRequest) -> Option<(bool, JsValue)> {
        let reply = (self.0)(request).await?;
        Some((
            (200..=299).contains(&reply.status),
            answer::parse(&reply.body)?,
        ))
    }
}

async fn fetch(request: SignedRequest) -> Option<Reply> {
    let timeout = AbortSignal::timeout_with_u32(TIMEOUT_MS);
    let body = Uint8Array::from(request.body.as_ref());
    let response = RequestBuilder::new(request.path)
        .method(Method::POST)
        .header("content-type", CONTENT_TYPE)
        .header("idempotency-key", &request.idempotency_key)
        .header("sealpay-session", &request.session)
        .header("content-digest", &request.headers.content_digest)
        .header("signature-input", &request.headers.signature_input)
        .header("signature", &request.headers.signature)
        .credentials(RequestCredentials::Omit)
        .cache(RequestCache::NoStore)
        .redirect(RequestRedirect::Error)
        .abort_signal(Some(&timeout))
        .body(body)
        .ok()?
        .send()
        .await
        .ok()?;
    Some(Reply {
        status: response.status(),
        body: response.text().await.ok()?,
    })
}
