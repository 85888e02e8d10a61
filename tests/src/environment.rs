//! The whole environment: a verifier, the demo's shop and a merchant of the tests' own, each on its own
//! origin, as real processes with a fresh data folder.

use crate::client::{Merchant, origin};
use crate::merchant_site::MerchantSite;
use crate::network::Network;
use crate::processes::{Running, json_of, program, widget_folder};
use crate::time::random;
use crate::verifier_process::{control_of, is_for_operators};
use ed25519_dalek::SigningKey;
use reqwest::Method;
use sealpay_protocol::encoding::{base64url, hex};
use sealpay_protocol::order::OrderClaims;
use sealpay_protocol::origin::Origin;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

/// What may be chosen about a environment.
#[derive(Debug, Clone, Copy)]
pub struct EnvironmentOptions {
    /// How long the verifier waits for its bank.
    pub provider_timeout_ms: u64,
    /// Where the verifier has a name, which passkeys need: an address has none.
    pub verifier_is_named: bool,
}

impl Default for EnvironmentOptions {
    fn default() -> Self {
        Self {
            provider_timeout_ms: 10_000,
            verifier_is_named: false,
        }
    }
}

/// The environment. It is shut down when dropped.
#[derive(Debug)]
pub struct TestEnvironment {
    folder: PathBuf,
    /// In front of the verifier.
    pub verifier_network: Network,
    /// In front of the shop.
    pub shop_network: Network,
    /// Pages that the tests write, on an origin that is registered for [`TestEnvironment::merchant`].
    pub site: MerchantSite,
    /// Pages on an origin that nobody registered.
    pub foreign_site: MerchantSite,
    /// The merchant of the tests' own.
    pub merchant: Merchant,
    verifier_origin: String,
    shop_origin: String,
    shop_api_key: String,
    control_origin: String,
    shop: Running,
    verifier: Running,
}

impl TestEnvironment {
    /// One environment for every test that changes nothing about it.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<TestEnvironment> = OnceLock::new();
        SHARED.get_or_init(|| Self::set_up(EnvironmentOptions::default()))
    }

    /// One of a test's own, which may change everything about it.
    #[must_use]
    pub fn own() -> Arc<Self> {
        Arc::new(Self::set_up(EnvironmentOptions::default()))
    }

    /// Sets up a environment of one's own.
    #[must_use]
    pub fn set_up(staging: EnvironmentOptions) -> Self {
        let name = format!("sealpay-environment-{}", hex(&random::<8>()));
        let folder = std::env::temp_dir().join(name);
        for part in ["verifier", "shop"] {
            std::fs::create_dir_all(folder.join(part)).expect("a temporary folder can be made");
        }
        let mut verifier_network = Network::reserve();
        let mut shop_network = Network::reserve();
        let (site, foreign_site) = (MerchantSite::open(), MerchantSite::open());
        // Under two hosts, so that page and form are of two sites.
        let hosts = ["127.0.0.1", "localhost"];
        let [verifier_host, shop_host] = if staging.verifier_is_named {
            [hosts[1], hosts[0]]
        } else {
            hosts
        };
        let shop_origin = format!("http://{shop_host}:{}", shop_network.port());

        let shop_api_key = register_shop(&folder, &shop_origin);
        let merchant = register_merchant(&folder, &site.origin());
        let verifier_origin = format!("http://{verifier_host}:{}", verifier_network.port());
        let (verifier, address) =
            start_verifier(&folder.join("verifier"), &verifier_origin, staging);
        verifier_network.carry_to(address);
        let control_origin = format!("http://{}", control_of(address));
        let origins = [&shop_origin, &verifier_origin, &control_origin];
        let (shop, address) = start_shop(&folder.join("shop"), origins);
        shop_network.carry_to(address);
        Self {
            folder,
            verifier_network,
            shop_network,
            site,
            foreign_site,
            merchant,
            verifier_origin,
            shop_origin,
            shop_api_key,
            control_origin,
            shop,
            verifier,
        }
    }

    /// The verifier's origin.
    #[must_use]
    pub fn verifier(&self) -> Origin {
        origin(&self.verifier_origin)
    }

    /// The shop's origin.
    #[must_use]
    pub fn shop(&self) -> String {
        self.shop_origin.clone()
    }

    /// The shop's page about an order.
    #[must_use]
    pub fn order_page(&self, order: &str) -> String {
        format!("{}/orders/{order}", self.shop_origin)
    }

    /// The shop's page on which an order is paid.
    #[must_use]
    pub fn checkout_page(&self, order: &str) -> String {
        format!("{}/checkout/{order}", self.shop_origin)
    }

    /// Claims for an order that a page of [`TestEnvironment::site`] may show.
    #[must_use]
    pub fn claims(&self, order_ref: &str) -> OrderClaims {
        OrderClaims {
            order_ref: order_ref.to_owned(),
            parent_origins: vec![origin(&self.site.origin())],
            ..self.merchant.claims(&self.verifier())
        }
    }

    /// Everything that both servers keep and say.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The last lines of both servers, for a test that fails.
    #[must_use]
    pub fn last_words(&self) -> String {
        let tail = |name: &str, log: String| {
            let lines: Vec<_> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(15)..].join("\n    ");
            format!("  {name}:\n    {last}\n")
        };
        [
            tail("verifier", self.verifier.log()),
            tail("shop", self.shop.log()),
        ]
        .concat()
    }

    /// The payments that the verifier has for an order, of the shop or of the tests' merchant.
    pub async fn payments_of(&self, order_ref: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for api_key in [&self.shop_api_key, &self.merchant.api_key] {
            let path = format!("/v1/payments?order_ref={order_ref}");
            let answer = self.ask(Method::GET, &path, Some(api_key), None).await;
            let answer: Value = serde_json::from_str(&answer).expect("payments are JSON");
            all.extend(answer["data"].as_array().expect("a list").iter().cloned());
        }
        all
    }

    /// Modifies the payment of an order as its merchant's server does: `captures`, `void` or
    /// `refunds`.
    pub async fn modify(&self, order_ref: &str, operation: &str, body: &Value) {
        let payment = self.payments_of(order_ref).await.remove(0);
        let api_key = if payment["merchant"] == self.merchant.id.to_string() {
            &self.merchant.api_key
        } else {
            &self.shop_api_key
        };
        let path = format!("/v1/payments/{}/{operation}", text(&payment, "id"));
        self.ask(Method::POST, &path, Some(api_key), Some(body))
            .await;
    }

    /// Refunds an order of the shop with the shop's own command; the state of the refund.
    #[must_use]
    pub fn refund(&self, order: &str, amount_minor: Option<i64>, reference: &str) -> String {
        let mut refund = Command::new(program("shop"));
        refund.args(["refund", "--order", order, "--reference", reference]);
        if let Some(amount) = amount_minor {
            refund.args(["--amount", &amount.to_string()]);
        }
        let data = self.folder.join("shop");
        configure_shop(&mut refund, &data, &self.shop_origin, &self.verifier_origin);
        text(&json_of(refund), "state")
    }

    /// How many authorizations the bank has in its own book.
    #[must_use]
    pub fn authorizations(&self) -> i64 {
        let book = self.folder.join("verifier/simulated-bank.sqlite");
        let book = rusqlite::Connection::open(book).expect("the bank has a book");
        let count = "SELECT COUNT(*) FROM bank_authorizations WHERE state IN ('held', 'booked')";
        book.query_row(count, [], |row| row.get(0))
            .expect("the book can be read")
    }

    /// The origin of the verifier's listener for operators.
    #[must_use]
    pub fn control(&self) -> &str {
        &self.control_origin
    }

    /// What the verifier gives without a credential under a path.
    pub async fn public(&self, path: &str) -> String {
        self.ask(Method::GET, path, None, None).await
    }

    /// Sends a request to `/sim`.
    pub async fn command(&self, method: Method, path: &str, order: &Value) -> Value {
        let answer = self.ask(method, path, None, Some(order)).await;
        serde_json::from_str(&answer).expect("the response is JSON")
    }

    /// Sends a request of the tests' own merchant to its API.
    pub async fn api(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let key = Some(self.merchant.api_key.as_str());
        let answer = self.ask(method, path, key, body).await;
        serde_json::from_str(&answer).expect("the response is JSON")
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        api_key: Option<&str>,
        body: Option<&Value>,
    ) -> String {
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let origin = if is_for_operators(path) {
            &self.control_origin
        } else {
            &self.verifier_origin
        };
        let mut request = client.request(method, format!("{origin}{path}"));
        if let Some(api_key) = api_key {
            request = request.bearer_auth(api_key);
        }
        if let Some(body) = body {
            let key = hex(&random::<8>());
            request = request.header("idempotency-key", key).json(body);
        }
        let answer = request.send().await.expect("the verifier answers");
        let status = answer.status();
        let text = answer.text().await.expect("the answer is text");
        assert!(status.is_success(), "{path}: {status} {text}");
        text
    }
}

/// An example: no creditor has it.
const CREDITOR_IDENTIFIER: &str = "DE98ZZZ09999999999";

fn merchant_file(folder: &Path) -> PathBuf {
    folder.join("merchant.json")
}

fn text(answer: &Value, member: &str) -> String {
    let text = answer[member].as_str();
    text.unwrap_or_else(|| panic!("{member} is missing in {answer}"))
        .to_owned()
}

fn add_merchant(folder: &Path, arguments: &[&str]) -> Value {
    let mut add = Command::new(program("verifier-server"));
    add.args(["merchant", "add", "--json", "--data"])
        .arg(folder.join("verifier"));
    add.args(arguments);
    json_of(add)
}

/// As the demo does it; the shop's API key.
fn register_shop(folder: &Path, shop_origin: &str) -> String {
    let mut keygen = Command::new(program("shop"));
    keygen.args(["keygen", "--data"]).arg(folder.join("shop"));
    let key = json_of(keygen);
    let registered = add_merchant(
        folder,
        &[
            "--name",
            "Paper Lantern",
            "--key-id",
            &text(&key, "kid"),
            // As one word, because it may begin with a hyphen.
            &format!("--public-key={}", text(&key, "public_key")),
            "--origin",
            shop_origin,
            "--creditor-identifier",
            CREDITOR_IDENTIFIER,
            "--webhook-url",
            &format!("{shop_origin}/webhooks/sealpay"),
        ],
    );
    let file = merchant_file(&folder.join("shop"));
    std::fs::write(file, registered.to_string()).expect("the shop's folder can be written");
    text(&registered, "api_key")
}

fn register_merchant(folder: &Path, site: &str) -> Merchant {
    let key = SigningKey::from_bytes(&random());
    let public_key = base64url(key.verifying_key().as_bytes());
    let registered = add_merchant(
        folder,
        &[
            "--name",
            "Harbour Books",
            "--key-id",
            "harbour-1",
            &format!("--public-key={public_key}"),
            "--origin",
            site,
            "--creditor-identifier",
            CREDITOR_IDENTIFIER,
        ],
    );
    Merchant {
        id: text(&registered, "merchant")
            .parse()
            .expect("a merchant's id"),
        key_id: "harbour-1".into(),
        key,
        api_key: text(&registered, "api_key"),
        webhook_secret: None,
    }
}

fn start_verifier(
    data: &Path,
    public_origin: &str,
    staging: EnvironmentOptions,
) -> (Running, std::net::SocketAddr) {
    let timeout = staging.provider_timeout_ms.to_string();
    Running::listening(&data.join("log"), Some(data), |address| {
        let mut serve = Command::new(program("verifier-server"));
        serve.arg("serve").arg("--data").arg(data);
        serve.args([
            "--listen",
            &address.to_string(),
            "--public-origin",
            public_origin,
        ]);
        serve.args(["--control-listen", &control_of(address).to_string()]);
        serve.arg("--test-mode");
        serve.arg("--widget-dir").arg(widget_folder());
        serve.args([
            "--webhook-allow",
            "127.0.0.0/8",
            "--webhook-allow",
            "::1/128",
        ]);
        serve.arg("--webhook-allow-http");
        serve.args(["--provider-timeout-ms", &timeout]);
        // Every test comes from one and the same address.
        serve.args(["--rate-limit-per-second", "0"]);
        // Everything that a careless line could tell, tells it here.
        serve.args([
            "--log-filter",
            "info,verifier_server=trace,tower_http=debug",
        ]);
        serve
    })
}

fn start_shop(
    data: &Path,
    [origin, verifier, control]: [&String; 3],
) -> (Running, std::net::SocketAddr) {
    Running::listening(&data.join("log"), Some(data), |address| {
        let mut serve = Command::new(program("shop"));
        serve.args(["serve", "--listen", &address.to_string()]);
        serve.args(["--verifier-control", control]);
        configure_shop(&mut serve, data, origin, verifier);
        serve
    })
}

fn configure_shop(shop: &mut Command, data: &Path, origin: &str, verifier: &str) {
    shop.arg("--data").arg(data);
    shop.args(["--public-origin", origin, "--verifier", verifier]);
}
