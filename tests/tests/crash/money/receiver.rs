//! Webhook endpoints that answer slowly, so that a kill finds deliveries in progress.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use harness::chance::Chance;
use harness::time::now;
use harness::webhook_receiver::Arrival;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The longest that an answer takes, milliseconds.
const SLOWEST_MS: u64 = 60;

struct Desk {
    chance: Mutex<Chance>,
    arrivals: Mutex<Vec<(usize, Arrival)>>,
}

/// One endpoint for each merchant; all of them answer 204 to everything, sooner or later.
pub(crate) struct Receiver {
    url: String,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start(chance: Chance) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/of", listener.local_addr().unwrap());
        let desk = Arc::new(Desk {
            chance: Mutex::new(chance),
            arrivals: Mutex::default(),
        });
        let router = Router::new()
            .route("/of/{merchant}", post(keep))
            .with_state(Arc::clone(&desk));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { url, desk, serving }
    }

    pub(crate) fn url_of(&self, merchant: usize) -> String {
        format!("{}/{merchant}", self.url)
    }

    /// What arrived so far, and for which merchant.
    pub(crate) fn arrivals(&self) -> Vec<(usize, Arrival)> {
        self.desk.arrivals.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn keep(
    State(desk): State<Arc<Desk>>,
    Path(merchant): Path<usize>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
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
    desk.arrivals.lock().unwrap().push((merchant, arrival));
    let pause_ms = desk.chance.lock().unwrap().between(0, SLOWEST_MS);
    sleep(Duration::from_millis(pause_ms)).await;
    StatusCode::NO_CONTENT
}
