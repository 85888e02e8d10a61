//! A merchant's webhook endpoint that verifies what arrives and keeps all of it.

use crate::chance::Chance;
use crate::time::now;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ed25519_dalek::VerifyingKey;
use sealpay_protocol::webhook::{EndpointSecret, WebhookHeaders, verify_key, verify_secret};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// What arrived once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The path that it came to.
    pub path: String,
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

#[derive(Debug, Default)]
struct Desk {
    arrivals: Mutex<Vec<Arrival>>,
    /// How long an answer takes, up to so many milliseconds.
    pauses: Option<(Mutex<Chance>, u64)>,
}

/// An endpoint under every path; it answers 204 to everything.
#[derive(Debug)]
pub struct WebhookReceiver {
    url: String,
    desk: Arc<Desk>,
    serving: tokio::task::JoinHandle<()>,
}

impl WebhookReceiver {
    /// Listens on a free port.
    pub async fn start() -> Self {
        Self::with(Desk::default()).await
    }

    /// The same with answers that take up to so many milliseconds.
    pub async fn start_slow(chance: Chance, slowest_ms: u64) -> Self {
        let desk = Desk {
            pauses: Some((Mutex::new(chance), slowest_ms)),
            ..Desk::default()
        };
        Self::with(desk).await
    }

    async fn with(desk: Desk) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let desk = Arc::new(desk);
        let router = Router::new()
            .route("/{*path}", post(keep))
            .with_state(Arc::clone(&desk));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("the endpoint is served");
        });
        Self {
            url: format!("http://{address}/webhook"),
            desk,
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
        self.desk
            .arrivals
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

async fn keep(
    State(desk): State<Arc<Desk>>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let arrival = Arrival {
        path,
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
        body: body.to_vec(),
        at: now(),
    };
    desk.arrivals
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(arrival);
    if let Some((chance, slowest_ms)) = &desk.pauses {
        let pause_ms = {
            let mut chance = chance.lock().unwrap_or_else(PoisonError::into_inner);
            chance.between(0, *slowest_ms)
        };
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    }
    StatusCode::NO_CONTENT
}
