//! What the shop asks the verifier for: its webhook keys and the cards to try.
//!
//! Both are kept for a while, and the shop goes on without them when the verifier does not answer.

use crate::personas::Personas;
use ed25519_dalek::VerifyingKey;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::webhook;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// The shop's page waits for the cards to try; nobody should notice.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest answer that is read, bytes: a few hundred cards and answers with long sentences.
const ANSWER_BYTES: usize = 256 * 1024;

/// How long an answer is good, seconds.
const GOOD_FOR_SECONDS: u64 = 60;

/// How long the shop leaves a verifier alone that did not answer, seconds.
const LEFT_ALONE_SECONDS: u64 = 5;

/// Asks the verifier, and remembers.
pub(crate) struct Verifier {
    origin: Origin,
    control: Option<Origin>,
    client: reqwest::Client,
    keys: Mutex<Kept<Vec<VerifyingKey>>>,
    personas: Mutex<Kept<Arc<Personas>>>,
}

#[derive(Default)]
struct Kept<T> {
    value: T,
    ask_again_at: u64,
}

#[derive(Deserialize)]
struct KeyList {
    webhook_keys: Vec<WebhookKey>,
}

#[derive(Deserialize)]
struct WebhookKey {
    public_key: String,
}

/// The body of an answer; `None` when it breaks off or is longer than anything that is expected.
pub(crate) async fn body_of(mut answer: reqwest::Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        if body.len() + chunk.len() > ANSWER_BYTES {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

impl Verifier {
    /// Knows nothing yet.
    pub(crate) fn new(origin: Origin, control: Option<Origin>) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            origin,
            control,
            client,
            keys: Mutex::default(),
            personas: Mutex::default(),
        })
    }

    /// Where it is.
    pub(crate) const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Where testers control it.
    pub(crate) const fn control(&self) -> Option<&Origin> {
        self.control.as_ref()
    }

    /// The webhook keys that are known now.
    pub(crate) async fn known_keys(&self) -> Vec<VerifyingKey> {
        self.keys.lock().await.value.clone()
    }

    /// The webhook keys after asking again, which happens at most once a minute.
    pub(crate) async fn asked_keys(&self, now: u64) -> Vec<VerifyingKey> {
        let mut kept = self.keys.lock().await;
        if now >= kept.ask_again_at {
            kept.ask_again_at = now.saturating_add(GOOD_FOR_SECONDS);
            if let Some(list) = self.ask::<KeyList>(&self.origin, "/v1/keys").await {
                let keys = list.webhook_keys.iter();
                kept.value = keys
                    .filter_map(|key| webhook::public_key(&key.public_key))
                    .collect();
            }
        }
        kept.value.clone()
    }

    /// The cards to try; the last ones that were heard of when the verifier does not answer.
    pub(crate) async fn personas(&self, now: u64) -> Arc<Personas> {
        let mut kept = self.personas.lock().await;
        if let Some(control) = self.control.as_ref().filter(|_| now >= kept.ask_again_at) {
            let answer = self.ask::<Personas>(control, "/sim/personas").await;
            let good_for = if answer.is_some() {
                GOOD_FOR_SECONDS
            } else {
                LEFT_ALONE_SECONDS
            };
            kept.ask_again_at = now.saturating_add(good_for);
            if let Some(list) = answer {
                kept.value = Arc::new(list);
            }
        }
        Arc::clone(&kept.value)
    }

    /// `None` for every kind of failure: the callers go on with what they have.
    async fn ask<T: DeserializeOwned>(&self, origin: &Origin, path: &str) -> Option<T> {
        let address = format!("{origin}{path}");
        let answer = self
            .client
            .get(address)
            .send()
            .await
            .ok()?
            .error_for_status()
            .ok()?;
        serde_json::from_slice(&body_of(answer).await?).ok()
    }

    /// Knows these things already and asks nobody.
    #[cfg(test)]
    pub(crate) fn knowing(origin: Origin, keys: Vec<VerifyingKey>, personas: Personas) -> Self {
        let control = "http://localhost:8788".parse().unwrap();
        let mut verifier = Self::new(origin, Some(control)).unwrap();
        verifier.keys = Mutex::new(Kept {
            value: keys,
            ask_again_at: u64::MAX,
        });
        verifier.personas = Mutex::new(Kept {
            value: Arc::new(personas),
            ask_again_at: u64::MAX,
        });
        verifier
    }
}

#[cfg(test)]
mod tests {
    use super::Verifier;
    use axum::routing::get;
    use axum::{Json, Router};
    use ed25519_dalek::SigningKey;
    use sealpay_protocol::webhook::public_key_text;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn keys_are_asked_for_at_most_once_a_minute_and_kept_when_nobody_answers() {
        let key = SigningKey::from_bytes(&[8; 32]).verifying_key();
        let asked = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&asked);
        let list = serde_json::json!({ "sealing_keys": [], "webhook_keys": [
            { "kid": "1", "public_key": public_key_text(&key), "not_before": 0, "not_after": null },
            { "kid": "2", "public_key": "whpk_broken", "not_before": 0, "not_after": null },
        ]});
        let keys = get(async move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Json(list)
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let router = Router::new().route("/v1/keys", keys);
        let server = tokio::spawn(async { axum::serve(listener, router).await });

        let verifier = Verifier::new(origin, None).unwrap();
        assert_eq!(verifier.known_keys().await, []);
        for (now, requests) in [(1_000, 1), (1_059, 1), (1_060, 2)] {
            assert_eq!(verifier.asked_keys(now).await, [key], "{now}");
            assert_eq!(asked.load(Ordering::Relaxed), requests, "{now}");
        }
        server.abort();
        assert!(server.await.unwrap_err().is_cancelled());
        assert_eq!(verifier.asked_keys(2_000).await, [key]);
        assert!(verifier.personas(2_000).await.is_empty());
    }
}
