//! A whole verifier inside the test: the real application, called without a socket.

use crate::client::{Browser, Merchant, Prepared, SHOP_ORIGIN, origin};
use crate::folder::Folder;
use crate::time::{now_ms, random};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use ed25519_dalek::SigningKey;
use sealpay_protocol::api::{Problem, SessionView};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::origin::Origin;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt;
use verifier_server::config::Config;
use verifier_server::edge::{Clock, Entropy};
use verifier_server::flow::register::{NewMerchant, Registrar};
use verifier_server::gate::master_key::MasterKey;
use verifier_server::gate::vault::Vault;
use verifier_server::http::app;
use verifier_server::serve::{Parts, Server};
use verifier_server::store::{Options, Store};

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Header names in lowercase, and their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON of a type.
    #[must_use]
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!(
                "{error}: {} {}",
                self.status,
                String::from_utf8_lossy(&self.body)
            ),
        }
    }

    /// The code of a refusal.
    #[must_use]
    #[track_caller]
    pub fn code(&self) -> String {
        self.json::<Problem>().code
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A verifier inside the test.
#[derive(Debug)]
pub struct TestGateway {
    /// The server's parts.
    pub server: Arc<Server>,
    /// A merchant that is registered.
    pub merchant: Merchant,
    /// The verifier's origin.
    pub origin: Origin,
    /// What it keeps.
    pub folder: Folder,
    app: Router,
    clock_offset_ms: Arc<AtomicI64>,
}

impl TestGateway {
    /// On SQLite in a folder of its own.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with other settings. The provider has half a second to answer.
    #[expect(
        clippy::expect_used,
        reason = "a test whose verifier does not start has to stop"
    )]
    pub async fn with(settings: impl FnOnce(&mut Config)) -> Self {
        let folder = Folder::new("gateway");
        let mut config = Config {
            data: folder.path().to_owned(),
            widget: folder.path().join("no-widget"),
            provider_timeout_ms: 500,
            ..Config::default()
        };
        config.rate_limit.per_second = 0;
        settings(&mut config);
        let clock_offset_ms = Arc::new(AtomicI64::new(0));
        let offset = Arc::clone(&clock_offset_ms);
        let clock =
            Clock::new(move || now_ms().saturating_add_signed(offset.load(Ordering::Relaxed)));
        let entropy = Entropy::system();
        let vault = Vault::new(&MasterKey::new(random()));
        let store = Store::open(&config.database_url(), &Options::default())
            .await
            .expect("the store opens");
        let merchant = register(&store, &vault, &clock, &entropy, None).await;
        let parts = Parts {
            store,
            vault,
            clock,
            entropy,
        };
        let server = Server::new(&config, parts)
            .await
            .expect("the server starts");
        let server = Arc::new(server);
        let app = app(server.state.clone());
        Self {
            server,
            merchant,
            origin: config.public_origin,
            folder,
            app,
            clock_offset_ms,
        }
    }

    /// Moves the verifier's clock.
    pub fn move_clock(&self, seconds: i64) {
        self.clock_offset_ms
            .fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// Registers another merchant.
    pub async fn register(&self, webhook_url: Option<&str>) -> Merchant {
        let gateway = &self.server.state.gateway;
        register(
            gateway.store(),
            gateway.vault(),
            gateway.clock(),
            gateway.entropy(),
            webhook_url,
        )
        .await
    }

    /// A browser with a fresh key.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(&self.origin)
    }

    /// Sends a request.
    #[expect(
        clippy::expect_used,
        reason = "a test that cannot build a request has to stop"
    )]
    pub async fn send(&self, prepared: Prepared) -> Answer {
        let mut request = Request::builder()
            .method(prepared.method.as_str())
            .uri(&prepared.path);
        for (name, value) in &prepared.headers {
            request = request.header(name, value.as_bytes());
        }
        let request = request
            .body(Body::from(prepared.body))
            .expect("the request is one");
        let response = self
            .app
            .clone()
            .oneshot(request)
            .await
            .expect("the application answers");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX)
            .await
            .expect("the body arrives")
            .to_vec();
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into(),
                )
            })
            .collect();
        Answer {
            status: parts.status,
            headers,
            body,
        }
    }

    /// Sends a GET, perhaps with an API key.
    pub async fn get(&self, path: &str, api_key: Option<&str>) -> Answer {
        let headers = api_key
            .map(|key| ("authorization".to_owned(), format!("Bearer {key}")))
            .into_iter()
            .collect();
        let prepared = Prepared {
            method: "GET".into(),
            path: path.into(),
            headers,
            body: Vec::new(),
        };
        self.send(prepared).await
    }

    /// Opens a session that is expected to open.
    #[track_caller]
    pub fn open<'a>(
        &'a self,
        browser: &'a Browser,
        order: &'a str,
    ) -> impl Future<Output = SessionView> + 'a {
        async move {
            let answer = self.send(browser.open_session(order)).await;
            assert_eq!(
                answer.status,
                200,
                "{}",
                String::from_utf8_lossy(&answer.body)
            );
            answer.json()
        }
    }
}

/// Registers a merchant with a fresh key and the shop's origin.
#[expect(
    clippy::expect_used,
    reason = "a test whose merchant cannot be registered has to stop"
)]
pub async fn register(
    store: &Store,
    vault: &Vault,
    clock: &Clock,
    entropy: &Entropy,
    webhook_url: Option<&str>,
) -> Merchant {
    let key = SigningKey::from_bytes(&random());
    let new = NewMerchant {
        name: "Paper Lantern".into(),
        key_id: "test-key".into(),
        public_key: base64url(key.verifying_key().as_bytes()),
        origins: vec![origin(SHOP_ORIGIN).to_string()],
        webhook_url: webhook_url.map(str::to_owned),
    };
    let registrar = Registrar {
        store,
        vault,
        clock,
        entropy,
    };
    let made = registrar
        .add_merchant(new)
        .await
        .expect("the merchant is registered");
    Merchant {
        id: made.merchant.parse().expect("the merchant has an id"),
        key_id: made.key_id,
        key,
        api_key: made.api_key.to_string(),
        webhook_secret: made.webhook_secret.map(|secret| secret.to_string()),
    }
}
