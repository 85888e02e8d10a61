//! A whole verifier inside the test: the real application, called without a socket.
//!
//! A test ends with [`TestGateway::finish`], which checks everything that was stored and logged.

mod answer;
mod building;
mod keys;
mod template;

pub use self::answer::Answer;
pub use self::building::Extend;
use self::building::{build, operators_of};
pub use self::keys::admin_of;
use crate::client::{Browser, Merchant, Prepared, SHOP_ORIGIN, attempt, origin};
use crate::folder::Folder;
use crate::log;
use crate::postgres::Database;
use crate::time::{TestClock, random};
use crate::verifier_process::is_for_operators;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::Request;
use ed25519_dalek::SigningKey;
use sealpay_protocol::api::{PaymentView, SessionView};
use sealpay_protocol::card::Card;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::order::{OrderClaims, Simulate};
use sealpay_protocol::origin::Origin;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;
use tower::ServiceExt;
use verifier_server::app::Server;
use verifier_server::config::Config;
use verifier_server::http::app;
use verifier_server::merchants::register::{MerchantAdmin, NewMerchant};
use verifier_server::payments::reconcile::recover;

/// A verifier inside the test.
#[derive(Debug)]
pub struct TestGateway {
    /// The server's parts.
    pub server: Arc<Server>,
    /// A registered merchant.
    pub merchant: Merchant,
    /// The verifier's origin.
    pub origin: Origin,
    /// Its data folder.
    pub folder: Folder,
    pub(crate) finished: bool,
    /// API keys and webhook secrets of every merchant.
    secrets: Mutex<Vec<String>>,
    config: Config,
    extend: Option<Extend>,
    master_key: [u8; 32],
    app: Router,
    operators: Router,
    /// The clock of the verifier and its browsers.
    pub clock: TestClock,
    /// Last, because it can be dropped only when nobody is connected any more.
    pub(crate) database: Option<Database>,
}

/// The background tasks, until this is dropped.
#[derive(Debug)]
pub struct Beside(JoinHandle<()>);

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        assert!(
            self.finished || std::thread::panicking(),
            "a test ends with `gateway.finish().await`"
        );
    }
}

impl TestGateway {
    /// Ends a test that has closed the store, which can no longer be checked.
    pub fn abandon(mut self) {
        self.finished = true;
    }
}

impl TestGateway {
    /// On SQLite in a folder of its own.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with other settings. The provider has half a second to answer.
    pub async fn with(settings: impl FnOnce(&mut Config)) -> Self {
        Self::in_place(None, settings, None).await
    }

    /// On a fresh database of a real Postgres, if one is available.
    pub async fn on_postgres() -> Option<Self> {
        Self::on_postgres_with(|_| {}).await
    }

    /// The same with other settings.
    pub async fn on_postgres_with(settings: impl FnOnce(&mut Config)) -> Option<Self> {
        let database = template::on_postgres().await?;
        Some(Self::in_place(Some(database), settings, None).await)
    }

    /// On SQLite with a bank that has changed capabilities.
    pub async fn extended(extend: Extend) -> Self {
        Self::in_place(None, |_| {}, Some(extend)).await
    }

    /// The URL of its Postgres database, if it uses one.
    #[must_use]
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(Database::url)
    }

    async fn in_place(
        database: Option<Database>,
        settings: impl FnOnce(&mut Config),
        extend: Option<Extend>,
    ) -> Self {
        log::capture();
        let folder = Folder::new("gateway");
        let mut config = Config {
            data: folder.path().to_owned(),
            widget: folder.path().join("no-widget"),
            provider_timeout_ms: 500,
            test_mode: true,
            ..Config::default()
        };
        if let Some(database) = &database {
            config.database = database.url().to_owned();
        } else {
            template::fill(folder.path()).await;
        }
        config.rate_limit.per_second = 0;
        settings(&mut config);
        let clock = TestClock::default();
        let master_key = random();
        let server = build(&config, extend, master_key, &clock).await;
        let merchant = register(&admin_of(&server.state.gateway), None).await;
        Self {
            app: app(server.state.clone()),
            operators: operators_of(&server),
            origin: config.public_origin.clone(),
            finished: false,
            secrets: Mutex::new(secrets_of(&merchant)),
            server,
            merchant,
            folder,
            config,
            extend,
            master_key,
            clock,
            database,
        }
    }

    /// Stops the verifier and starts it again on what it kept. What it was about to do is lost.
    pub async fn restart(&mut self) {
        self.server.state.gateway.close().await;
        self.server = build(&self.config, self.extend, self.master_key, &self.clock).await;
        self.app = app(self.server.state.clone());
        self.operators = operators_of(&self.server);
    }

    /// The listener that serves a path.
    fn listener(&self, path: &str) -> Router {
        if is_for_operators(path) {
            self.operators.clone()
        } else {
            self.app.clone()
        }
    }

    /// Moves the verifier's clock, and that of its browsers.
    pub fn move_clock(&self, seconds: i64) {
        self.clock.move_by(seconds);
    }

    /// The verifier's clock, seconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.server.state.gateway.clock().now()
    }

    /// Registers another merchant.
    pub async fn register(&self, webhook_url: Option<&str>) -> Merchant {
        let merchant = register(&self.admin(), webhook_url).await;
        let mut secrets = self.secrets.lock().expect("nobody panicked with it");
        secrets.extend(secrets_of(&merchant));
        merchant
    }

    /// What was shown once and may be kept nowhere.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let secrets = self.secrets.lock().expect("nobody panicked with it");
        secrets.clone()
    }

    /// Runs recovery, housekeeping and the outbox.
    #[must_use]
    pub fn run_beside(&self) -> Beside {
        let server = Arc::clone(&self.server);
        Beside(tokio::spawn(async move { server.run_beside().await }))
    }

    /// Asks the bank about payments whose lease has run out; how many got an outcome.
    pub async fn recover(&self) -> usize {
        let recovered = recover(&self.server.state.gateway).await;
        recovered.expect("the store answers")
    }

    /// A browser with a fresh key and the verifier's clock.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::with_clock(&self.origin, self.clock.clone())
    }

    /// The claims of a good order by the verifier's clock.
    #[must_use]
    pub fn claims(&self) -> OrderClaims {
        let now = self.now();
        OrderClaims {
            iat: now,
            exp: now + 1800,
            ..self.merchant.claims(&self.origin)
        }
    }

    /// A good order by the verifier's clock, perhaps asking for an outcome.
    #[must_use]
    pub fn order(&self, outcome: Option<&str>) -> String {
        let mut claims = self.claims();
        claims.simulate = outcome.map(|outcome| Simulate {
            outcome: outcome.into(),
        });
        self.merchant.sign(&claims)
    }

    /// Sends a request, to the operator's listener where that serves it.
    pub async fn send(&self, prepared: Prepared) -> Answer {
        send(self.listener(&prepared.path), prepared, None).await
    }

    /// Sends a request to the public listener, whatever it is about.
    pub async fn send_as_stranger(&self, prepared: Prepared) -> Answer {
        send(self.app.clone(), prepared, None).await
    }

    /// Sends a request to the operator's listener, whatever it is about.
    pub async fn send_as_operator(&self, prepared: Prepared) -> Answer {
        send(self.operators.clone(), prepared, None).await
    }

    /// Sends a request as if it came over a connection from an address.
    pub async fn send_from(&self, address: SocketAddr, prepared: Prepared) -> Answer {
        send(self.listener(&prepared.path), prepared, Some(address)).await
    }

    /// Sends requests at the same moment; the answers are in their order.
    pub async fn send_together(&self, requests: Vec<Prepared>) -> Vec<Answer> {
        let start = Arc::new(Barrier::new(requests.len()));
        let sending = requests.into_iter().map(|request| {
            let (app, start) = (self.listener(&request.path), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                send(app, request, None).await
            })
        });
        let sending: Vec<_> = sending.collect();
        let mut answers = Vec::with_capacity(sending.len());
        for answer in sending {
            answers.push(answer.await.expect("the request was sent"));
        }
        answers
    }

    /// What a merchant reads there, as JSON.
    pub async fn read(&self, merchant: &Merchant, path: &str) -> Value {
        self.get(path, Some(&merchant.api_key)).await.json()
    }

    /// Sends a GET, perhaps with an API key.
    pub async fn get(&self, path: &str, api_key: Option<&str>) -> Answer {
        self.send(Prepared::get_of(path, api_key)).await
    }

    /// Opens a session that is expected to open.
    pub async fn open(&self, browser: &Browser, order: &str) -> SessionView {
        let answer = self.send(browser.open_session(order)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Pays a fresh order in a fresh browser, and the answer is expected to tell of a payment.
    pub async fn pay(&self, outcome: Option<&str>, card: &Card) -> PaymentView {
        let order = self.order(outcome);
        let browser = self.browser();
        let session = self.open(&browser, &order).await;
        let request = browser.pay(&order, &session, attempt(), card);
        let answer = self.send(request).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        answer.json()
    }

    /// The payment as its merchant sees it.
    pub async fn payment(&self, payment: impl ToString) -> Value {
        let path = format!("/v1/payments/{}", payment.to_string());
        let answer = self.get(&path, Some(&self.merchant.api_key)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The events of the merchant, the first one first.
    pub async fn events(&self) -> Vec<Value> {
        let key = Some(self.merchant.api_key.as_str());
        let mut events: Vec<Value> = Vec::new();
        loop {
            let after = events.last().and_then(|event| event["id"].as_str());
            let after = after.map(|id| ["&after=", id].concat());
            let path = ["/v1/events?limit=100", &after.unwrap_or_default()].concat();
            let mut page: Value = self.get(&path, key).await.json();
            if let Value::Array(rows) = page["data"].take() {
                events.extend(rows);
            }
            if page["has_more"] != true {
                events.reverse();
                return events;
            }
        }
    }

    /// The events of a payment, the first one first.
    pub async fn events_of(&self, payment: impl ToString) -> Vec<Value> {
        let payment = payment.to_string();
        let mut events = self.events().await;
        events.retain(|event| event["payment"] == payment.as_str());
        events
    }
}

async fn send(app: Router, prepared: Prepared, from: Option<SocketAddr>) -> Answer {
    let mut request = Request::builder()
        .method(prepared.method.as_str())
        .uri(&prepared.path);
    for (name, value) in &prepared.headers {
        request = request.header(name, value.as_bytes());
    }
    let request = request.body(Body::from(prepared.body));
    let mut request = request.expect("the request is one");
    if let Some(address) = from {
        request.extensions_mut().insert(ConnectInfo(address));
    }
    let answered = app.oneshot(request).await;
    let (parts, body) = answered.expect("the application answers").into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the body arrives");
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    });
    Answer {
        status: parts.status,
        headers: headers.collect(),
        body: body.to_vec(),
    }
}

fn secrets_of(merchant: &Merchant) -> Vec<String> {
    let webhook_secret = merchant.webhook_secret.iter().cloned();
    webhook_secret.chain([merchant.api_key.clone()]).collect()
}

/// Registers a merchant with a fresh key and the shop's origin.
pub async fn register(admin: &MerchantAdmin<'_>, webhook_url: Option<&str>) -> Merchant {
    let key = SigningKey::from_bytes(&random());
    let new = NewMerchant {
        creditor_identifier: None,
        name: "Paper Lantern".into(),
        key_id: "test-key".into(),
        public_key: base64url(key.verifying_key().as_bytes()),
        key_scopes: "*".into(),
        origins: vec![origin(SHOP_ORIGIN).to_string()],
        webhook_url: webhook_url.map(str::to_owned),
    };
    let made = admin.add_merchant(new).await;
    let made = made.expect("the merchant is registered");
    Merchant {
        id: made.merchant.parse().expect("the merchant has an id"),
        key_id: made.key_id,
        key,
        api_key: made.api_key.to_string(),
        webhook_secret: made.webhook_secret.map(|secret| secret.to_string()),
    }
}
