//! A merchant's webhook endpoint that verifies what arrives and keeps all of it.

use crate::time::now;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ed25519_dalek::VerifyingKey;
use sealpay_protocol::webhook::{EndpointSecret, WebhookHeaders, verify_key, verify_secret};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// What arrived once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// `webhook-id`
    pub id: String,
    /// `webhook-timestamp`
    pub timestamp: String,
    /// `webhook-signature`
    pub signature: String,
    /// The raw body.
    pub body: Vec<u8>,
    /// The receiver's clock then, seconds since 1970.
    pub at: u64,
}

impl Arrival {
    /// Verifies both signatures as of the time of arrival.
    ///
    /// # Errors
    /// A sentence that says which of them does not fit.
    pub fn verify(&self, key: &VerifyingKey, secret: &EndpointSecret) -> Result<(), String> {
        let headers = WebhookHeaders {
            id: &self.id,
            timestamp: &self.timestamp,
            signature: &self.signature,
        };
        verify_key(&headers, &self.body, key, self.at)
            .map_err(|error| format!("{}, v1a: {error}", self.id))?;
        verify_secret(&headers, &self.body, secret, self.at)
            .map_err(|error| format!("{}, v1: {error}", self.id))
    }
}

type Arrivals = Arc<Mutex<Vec<Arrival>>>;

/// The endpoint; it answers 204 to everything.
#[derive(Debug)]
pub struct WebhookReceiver {
    url: String,
    arrivals: Arrivals,
    serving: tokio::task::JoinHandle<()>,
}

impl WebhookReceiver {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let arrivals = Arrivals::default();
        let router = Router::new()
            .route("/webhook", post(keep))
            .with_state(Arc::clone(&arrivals));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("the endpoint is served");
        });
        Self {
            url: format!("http://{address}/webhook"),
            arrivals,
            serving,
        }
    }

    /// Where webhooks are to go.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that arrived so far.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for WebhookReceiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn keep(State(arrivals): State<Arrivals>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let arrival = Arrival {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
        body: body.to_vec(),
        at: now(),
    };
    arrivals
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(arrival);
    StatusCode::NO_CONTENT
}
