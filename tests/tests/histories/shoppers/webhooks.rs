//! The merchant of a history: an endpoint that fails now and then, and an outbox with faults. In
//! the end every event has arrived, and a receiver that ignores stale events knows what the
//! database knows.

use crate::histories::system::TestSystem;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use harness::chance::Chance;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use verifier_server::app::signer;
use verifier_server::config::Config;
use verifier_server::webhooks::faults::WebhookFaults;
use verifier_server::webhooks::outbox::Outbox;

/// How often time is moved until everything has to have arrived.
const ROUNDS: u32 = 400;

/// What the merchant believes.
#[derive(Debug, Default)]
struct Record {
    refusing: Option<Chance>,
    arrived: BTreeSet<String>,
    /// Of each payment the newest state that was told, and its sequence.
    newest: BTreeMap<String, (i64, String)>,
    deliveries: usize,
}

pub(crate) struct Merchant {
    address: std::net::SocketAddr,
    record: Arc<Mutex<Record>>,
    serving: JoinHandle<()>,
}

impl Drop for Merchant {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(
    State(record): State<Arc<Mutex<Record>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut record = record.lock().unwrap();
    if record
        .refusing
        .as_mut()
        .is_some_and(|chance| chance.once_in(3))
    {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let payment = &event["data"]["payment"];
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let sequence = event["data"]["sequence"].as_i64().unwrap();
    record.deliveries += 1;
    record
        .arrived
        .insert(headers["webhook-id"].to_str().unwrap().to_owned());
    let newest = record.newest.entry(text(&payment["id"])).or_default();
    if newest.0 < sequence {
        *newest = (sequence, text(&payment["state"]));
    }
    StatusCode::NO_CONTENT
}

impl Merchant {
    pub(crate) async fn start(chance: &mut Chance) -> Self {
        let record = Arc::new(Mutex::new(Record {
            refusing: Some(chance.branch()),
            ..Record::default()
        }));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/webhooks", post(take))
            .with_state(Arc::clone(&record));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            record,
            serving,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhooks", self.address)
    }

    /// Runs an outbox that misbehaves until nothing is left to be delivered; what is wrong then.
    pub(crate) async fn deliver_everything(
        &self,
        system: &TestSystem,
        chance: &mut Chance,
    ) -> Vec<String> {
        let store = system.gateway.store();
        let webhook_faults = WebhookFaults {
            duplicate: 300,
            reorder: chance.once_in(2),
            delay_ms: 0,
        };
        store
            .webhook_faults
            .set(&webhook_faults.to_text(), 3)
            .await
            .unwrap();
        let mut config = Config::default();
        config.webhooks.allow = vec!["127.0.0.0/8".into()];
        config.webhooks.allow_http = true;
        let outbox = Outbox::new(
            store.clone(),
            config.address_policy().unwrap(),
            signer(&system.gateway),
            Box::new(|_| {}),
            system.gateway.clock().clone(),
            system.gateway.rng().clone(),
        );
        let outbox = Arc::new(outbox.unwrap().with_webhook_faults());
        // Nothing is delivered to an endpoint before it counts as its merchant's.
        let verifying = tokio::spawn(Arc::clone(&outbox).run_verification());
        let gateway = Arc::clone(&system.gateway);
        let delivering = tokio::spawn(async move { outbox.run(gateway.outbox()).await });
        for _ in 0..ROUNDS {
            if store.deliveries.pending().await.unwrap() == 0 {
                break;
            }
            system.clock.move_by(1_800);
            system.gateway.wake_outbox();
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        delivering.abort();
        verifying.abort();
        self.differences(system).await
    }

    async fn differences(&self, system: &TestSystem) -> Vec<String> {
        let store = system.gateway.store();
        let mut found = Vec::new();
        let left = store.deliveries.pending().await.unwrap();
        if left > 0 {
            found.push(format!("{left} deliveries are left"));
        }
        let mut after = None;
        loop {
            let page = store
                .events
                .list(system.merchant.id, after, 100)
                .await
                .unwrap();
            let Some((last, _)) = page.last() else { break };
            after = Some(last.id);
            for (event, _) in &page {
                let record = self.record.lock().unwrap();
                if !record.arrived.contains(&event.id.to_string()) {
                    found.push(format!("{} never arrived", event.id));
                }
            }
        }
        let believed = self.record.lock().unwrap().newest.clone();
        for (payment, (_, state)) in believed {
            let id = payment.parse().unwrap();
            let stored = store
                .payments
                .get_owned(system.merchant.id, id)
                .await
                .unwrap()
                .unwrap();
            if stored.state.name() != state {
                found.push(format!(
                    "{payment} is {}, and the merchant believes {state}",
                    stored.state
                ));
            }
        }
        found
    }
}
