//! A real verifier whose webhooks go to other people's code.

use harness::client::{APPROVED, Browser, Merchant, Prepared, attempt, card};
use harness::folder::Folder;
use harness::load::{KeepAlive, encode};
use harness::time::random;
use harness::time::seen_when;
use harness::verifier_process::{Setup, VerifierProcess, listener_of};
use harness::webhook_receiver::{Arrival, WebhookReceiver};
use sealpay_protocol::api::{
    AuthenticationRequest, AuthenticationStep, PaymentView, SessionView, ShopperState,
};
use sealpay_protocol::encoding::hex;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::Capture;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

const GLANCE: Duration = Duration::from_millis(50);

/// A verifier that will run: merchants are registered first.
pub(crate) struct Shop {
    pub(crate) folder: Folder,
    pub(crate) setup: Setup,
}

/// The verifier while it runs.
pub(crate) struct OpenShop {
    pub(crate) folder: Folder,
    pub(crate) setup: Setup,
    _process: VerifierProcess,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let folder = Folder::new("interop");
        let setup = Setup::on_sqlite(folder.path()).with("--widget-dir", "no-widget");
        Self { folder, setup }
    }

    pub(crate) async fn open(self) -> OpenShop {
        let (process, _) = self.setup.started().await;
        OpenShop {
            folder: self.folder,
            setup: self.setup,
            _process: process,
        }
    }
}

impl OpenShop {
    /// Sends a request that is expected to be answered with JSON.
    pub(crate) async fn send<T: DeserializeOwned>(&self, request: &Prepared) -> T {
        let address = listener_of(self.setup.listen, &request.path);
        let mut connection = KeepAlive::connect(address).await.unwrap();
        let bytes = encode(request, &address.to_string());
        let answer = connection.exchange(&bytes).await.unwrap();
        let text = String::from_utf8_lossy(answer.body);
        assert!((200..300).contains(&answer.status), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Pays an order of a merchant.
    pub(crate) async fn pay(&self, merchant: &Merchant, outcome: Option<&str>) -> PaymentView {
        let (_, _, request) = self.shopper(merchant, outcome).await;
        self.send(&request).await
    }

    /// Pays an order as the widget does it: where the verifier cannot open the card any more, the
    /// session is opened again, and the card is sealed anew for the same attempt.
    pub(crate) async fn pay_as_the_widget_does(&self, merchant: &Merchant) -> PaymentView {
        let order = merchant.order(&self.setup.origin, None);
        let browser = Browser::new(&self.setup.origin);
        let attempt = attempt();
        for _ in 0..5 {
            let session: SessionView = self.send(&browser.open_session(&order)).await;
            // A shopper needs a moment to type, in which keys may change.
            tokio::time::sleep(GLANCE).await;
            let request = browser.pay(&order, &session, attempt, &card(APPROVED));
            let (status, text) = self.exchange(&request).await;
            if !text.contains("sealed_card_refused") {
                assert!((200..300).contains(&status), "{text}");
                return serde_json::from_str(&text).unwrap();
            }
        }
        panic!("a card was refused again and again");
    }

    async fn exchange(&self, request: &Prepared) -> (u16, String) {
        let address = self.setup.listen;
        let mut connection = KeepAlive::connect(address).await.unwrap();
        let bytes = encode(request, &address.to_string());
        let answer = connection.exchange(&bytes).await.unwrap();
        (
            answer.status,
            String::from_utf8_lossy(answer.body).into_owned(),
        )
    }

    /// Begins to pay and gives up when the bank wants to know more.
    pub(crate) async fn give_up(&self, merchant: &Merchant, outcome: &str) -> PaymentId {
        let (browser, session, request) = self.shopper(merchant, Some(outcome)).await;
        let asked: PaymentView = self.send(&request).await;
        assert_eq!(asked.state, ShopperState::RequiresAction);
        let step = AuthenticationRequest {
            payment: asked.payment,
            step: AuthenticationStep::Cancel,
            code: None,
            credential: None,
        };
        let ended: PaymentView = self.send(&browser.step(&session, &step)).await;
        assert_eq!(ended.state, ShopperState::Declined);
        asked.payment
    }

    /// Pays an order whose money is to be captured later.
    pub(crate) async fn hold(&self, merchant: &Merchant) -> PaymentView {
        let mut claims = merchant.claims(&self.setup.origin);
        claims.capture = Capture::Manual;
        let (_, _, request) = self.shopper_of(merchant.sign(&claims)).await;
        self.send(&request).await
    }

    async fn shopper(
        &self,
        merchant: &Merchant,
        outcome: Option<&str>,
    ) -> (Browser, SessionView, Prepared) {
        let order = merchant.order(&self.setup.origin, outcome);
        self.shopper_of(order).await
    }

    async fn shopper_of(&self, order: String) -> (Browser, SessionView, Prepared) {
        let browser = Browser::new(&self.setup.origin);
        let session: SessionView = self.send(&browser.open_session(&order)).await;
        let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
        (browser, session, request)
    }

    /// Tells the verifier what to do to webhooks on purpose.
    pub(crate) async fn misbehave(&self, how: &Value) {
        self.order("/sim/webhooks", how).await;
    }

    /// Sends a request to `/sim`.
    pub(crate) async fn order(&self, path: &str, how: &Value) -> Value {
        self.post(Prepared::get_of(path, None), how).await
    }

    /// Asks for something about the only endpoint of a merchant, such as `ping`.
    pub(crate) async fn of_endpoint(&self, merchant: &Merchant, what: &str, how: &Value) -> Value {
        let key = Some(merchant.api_key.as_str());
        let list = Prepared::get_of("/v1/webhook-endpoints", key);
        let list: Value = self.send(&list).await;
        let endpoint = list["data"][0]["id"].as_str().unwrap();
        let path = format!("/v1/webhook-endpoints/{endpoint}/{what}");
        self.write(merchant, &path, how).await
    }

    /// Asks for something in a merchant's name.
    pub(crate) async fn write(&self, merchant: &Merchant, path: &str, how: &Value) -> Value {
        let mut request = Prepared::get_of(path, Some(&merchant.api_key));
        request.set("idempotency-key", &hex(&random::<16>()));
        self.post(request, how).await
    }

    /// Replaces the secret of a merchant's endpoint; the new one.
    pub(crate) async fn rotate_secret(&self, merchant: &Merchant, overlap_seconds: u64) -> String {
        let how = json!({"overlap_seconds": overlap_seconds});
        let rotated = self.of_endpoint(merchant, "rotate-secret", &how).await;
        rotated["secret"].as_str().unwrap().to_owned()
    }

    async fn post(&self, mut request: Prepared, body: &Value) -> Value {
        request.method = "POST".into();
        request.set("content-type", "application/json");
        request.body = body.to_string().into_bytes();
        self.send(&request).await
    }

    /// The only event of a payment, once it was delivered.
    pub(crate) async fn delivered(&self, merchant: &Merchant, paid: &PaymentView) -> Value {
        self.all_delivered(merchant, paid.payment, 1)
            .await
            .remove(0)
    }

    /// So many events of a payment, the first one first, once all of them were delivered.
    pub(crate) async fn all_delivered(
        &self,
        merchant: &Merchant,
        payment: PaymentId,
        count: usize,
    ) -> Vec<Value> {
        let path = "/v1/events?limit=100";
        let request = Prepared::get_of(path, Some(&merchant.api_key));
        let payment = payment.to_string();
        let look = async || {
            let page: Value = self.send(&request).await;
            let events = page["data"].as_array().unwrap().iter().rev();
            let is_of_it =
                |event: &&Value| event["body"]["data"]["payment"]["id"] == payment.as_str();
            let is_there = |event: &&Value| event["deliveries"][0]["state"] == "delivered";
            let there = events.filter(is_of_it).filter(is_there);
            there.cloned().collect::<Vec<_>>()
        };
        seen_when("the list of delivered events", look, |there| {
            there.len() == count
        })
        .await
    }
}

/// The first deliveries of an endpoint, as they came over the wire.
pub(crate) async fn arrivals(receiver: &WebhookReceiver, count: usize) -> Vec<Arrival> {
    let look = async || receiver.arrivals();
    seen_when("what arrived", look, |arrivals| arrivals.len() >= count).await
}
