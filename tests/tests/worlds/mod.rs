//! Worlds: saving the whole state of a running verifier, and going back to it.

mod command_line;
mod crash;
mod requests;
mod restore;
mod under_load;

use harness::client::{APPROVED, Browser, Merchant, Prepared, attempt, card};
use harness::folder::Folder;
use harness::postgres::{Database, fresh_database};
use harness::rows::StoredState;
use harness::time::TestClock;
use harness::verifier_process::{Setup, VerifierProcess, listener_of};
use reqwest::{Method, Response};
use sealpay_protocol::api::{PaymentView, SessionView, ShopperState};
use sealpay_protocol::ids::PaymentId;
use serde_json::{Value, json};
use std::time::Duration;

/// A verifier as a process of its own, with a merchant.
pub(crate) struct Verifier {
    folder: Folder,
    setup: Setup,
    process: Option<VerifierProcess>,
    merchant: Merchant,
    client: reqwest::Client,
    _database: Option<Database>,
}

impl Verifier {
    pub(crate) async fn on_sqlite() -> Self {
        Self::on(None, "").await
    }

    pub(crate) async fn on_postgres() -> Option<Self> {
        let database = fresh_database().await?;
        Some(Self::on(Some(database), "").await)
    }

    /// One with a configuration file.
    async fn on(database: Option<Database>, configuration: &str) -> Self {
        let folder = Folder::new("worlds");
        let file = folder.path().join("verifier.toml");
        std::fs::write(&file, configuration).unwrap();
        let mut setup = Setup::on_sqlite(folder.path())
            .with("--widget-dir", "no-widget")
            .with("--config", &file.display().to_string());
        if let Some(database) = &database {
            database.url().clone_into(&mut setup.database);
        }
        let merchant = setup.add_merchant(None);
        let (process, _) = setup.started().await;
        let client = reqwest::Client::builder().no_proxy();
        Self {
            folder,
            setup,
            process: Some(process),
            merchant,
            client: client.build().unwrap(),
            _database: database,
        }
    }

    pub(crate) async fn finish(self) {
        drop(self);
    }

    async fn restart(&mut self) {
        let process = self.setup.started().await.0;
        self.process = Some(process);
    }

    fn kill(&mut self) {
        drop(self.process.take());
    }

    /// As after the twenty seconds in which a server on Postgres may still be running.
    async fn forget_killed_servers(&self) {
        let forget = "DELETE FROM running_servers";
        self.stored("sealpay.sqlite").execute(forget).await;
    }

    async fn send(&self, prepared: Prepared) -> Result<Response, reqwest::Error> {
        let listener = listener_of(self.setup.listen, &prepared.path);
        let url = format!("http://{listener}{}", prepared.path);
        let method = Method::from_bytes(prepared.method.as_bytes()).unwrap();
        let mut request = self.client.request(method, url).body(prepared.body);
        for (name, value) in &prepared.headers {
            request = request.header(name, value);
        }
        request.send().await
    }

    /// A request to `/sim`.
    async fn sim(&self, method: &str, path: &str, body: Value) -> Result<Value, Value> {
        let mut request = Prepared::get_of(path, None);
        request.method = method.into();
        request.set("content-type", "application/json");
        request.body = body.to_string().into_bytes();
        let response = self.send(request).await.unwrap();
        let is_success = response.status().is_success();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        if is_success { Ok(body) } else { Err(body) }
    }

    async fn save(&self, name: &str) -> Value {
        let saved = self.sim("POST", "/sim/worlds", json!({"name": name}));
        saved.await.unwrap()
    }

    async fn restore(&self, name: &str) -> Result<Value, Value> {
        let path = format!("/sim/worlds/{name}/restore");
        self.sim("POST", &path, Value::Null).await
    }

    async fn advance(&self, seconds: u64) {
        let body = json!({"advance_seconds": seconds});
        self.sim("POST", "/sim/clock", body).await.unwrap();
    }

    async fn ahead_seconds(&self) -> u64 {
        let clock = self.sim("GET", "/sim/clock", Value::Null).await.unwrap();
        clock["ahead_seconds"].as_u64().unwrap()
    }

    /// What the merchant reads with its API key.
    async fn get(&self, path: &str) -> Value {
        let request = Prepared::get_of(path, Some(&self.merchant.api_key));
        let response = self.send(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// A browser whose clock is as far ahead as the simulated one.
    async fn browser(&self) -> Browser {
        let clock = TestClock::default();
        let ahead = i64::try_from(self.ahead_seconds().await).unwrap();
        clock.move_by(ahead);
        Browser::with_clock(&self.setup.origin, clock)
    }

    /// Opens a session and pays, with the response as it comes.
    async fn try_to_pay(
        &self,
        browser: &Browser,
        outcome: Option<&str>,
    ) -> Result<PaymentView, String> {
        let order = self.merchant.order(&self.setup.origin, outcome);
        let session: SessionView = self.answer(browser.open_session(&order)).await?;
        let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
        self.answer(request).await
    }

    /// The body of a response, or the code of a problem.
    async fn answer<T: serde::de::DeserializeOwned>(&self, request: Prepared) -> Result<T, String> {
        let response = self.send(request).await;
        let response = response.map_err(|error| format!("no response: {error}"))?;
        if response.status().is_success() {
            return response.json().await.map_err(|error| error.to_string());
        }
        let problem: Value = response.json().await.map_err(|error| error.to_string())?;
        Err(problem["code"].as_str().unwrap_or_default().to_owned())
    }

    async fn pay(&self) -> PaymentId {
        let browser = self.browser().await;
        let paid = self.try_to_pay(&browser, None).await.unwrap();
        assert_eq!(paid.state, ShopperState::Captured);
        paid.payment
    }

    fn stored(&self, file: &str) -> StoredState {
        match self.setup.database.as_str() {
            "sqlite" => StoredState::Sqlite(self.setup.data.join(file)),
            url => StoredState::Postgres(url.to_owned()),
        }
    }

    /// Runs a command on the same data: its standard output, or the error.
    fn command(&self, words: &[&str]) -> Result<String, String> {
        let output = self.setup.command(words).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    /// The trial balance; the command fails if the ledger does not balance.
    fn ledger(&self) -> String {
        self.command(&["ledger"]).unwrap()
    }
}

/// How long a restore of a few payments may take on a machine that is busy with other tests. The
/// guide says how to measure it on a quiet one.
const RESTORE_WITHIN: Duration = Duration::from_secs(10);
