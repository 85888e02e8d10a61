//! Two verifier processes on one Postgres share one bank and never exceed the balance of an
//! account.

use super::number_of;
use harness::client::{Browser, Merchant, Prepared, attempt, card};
use harness::folder::Folder;
use harness::leaks;
use harness::load::{KeepAlive, encode};
use harness::postgres::fresh_database;
use harness::processes::free_address;
use harness::verifier_process::{Setup, listener_of};
use sealpay_protocol::api::{PaymentView, SessionView, ShopperState};
use sealpay_protocol::ids::AttemptId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::Barrier;

const SHOPPERS: usize = 200;

/// A request over a connection of its own.
async fn sent(address: SocketAddr, request: &Prepared, start: Option<&Barrier>) -> (u16, Vec<u8>) {
    let mut connection = KeepAlive::connect(address).await.unwrap();
    if let Some(start) = start {
        start.wait().await;
    }
    let bytes = encode(request, &address.to_string());
    let answer = connection.exchange(&bytes).await.unwrap();
    (answer.status, answer.body.to_vec())
}

async fn told(address: SocketAddr, method: &str, path: &str, body: Option<Value>) -> Value {
    let mut request = Prepared::get_of(path, None);
    request.method = method.into();
    if let Some(body) = body {
        request.set("content-type", "application/json");
        request.body = body.to_string().into_bytes();
    }
    let (status, body) = sent(listener_of(address, path), &request, None).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// A shopper whose session was opened at one verifier.
struct Shopper {
    browser: Browser,
    session: SessionView,
    attempt: AttemptId,
    body: Vec<u8>,
}

async fn shopper(setup: &Setup, merchant: &Merchant, address: SocketAddr) -> Shopper {
    let order = merchant.order(&setup.origin, None);
    let browser = Browser::new(&setup.origin);
    let (status, body) = sent(address, &browser.open_session(&order), None).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let session: SessionView = serde_json::from_slice(&body).unwrap();
    let attempt = attempt();
    let body = browser.pay_body(&order, &session, attempt, &card(number_of("ben_balance")));
    Shopper {
        browser,
        session,
        attempt,
        body,
    }
}

impl Shopper {
    fn request(&self) -> Prepared {
        self.browser
            .send_attempt(&self.session, self.attempt, self.body.clone())
    }
}

/// Every payment is sent at the same moment to one of the two; every tenth to both.
async fn pay_together(
    shoppers: &[Shopper],
    addresses: [SocketAddr; 2],
) -> Vec<(usize, PaymentView)> {
    let mut requests = Vec::new();
    for (place, shopper) in shoppers.iter().enumerate() {
        // Not where the session was opened.
        requests.push((place, addresses[(place + 1) % 2], shopper.request()));
        if place % 10 == 0 {
            requests.push((place, addresses[place % 2], shopper.request()));
        }
    }
    let start = Arc::new(Barrier::new(requests.len()));
    let sending = requests.into_iter().map(|(place, address, request)| {
        let start = Arc::clone(&start);
        tokio::spawn(async move { (place, sent(address, &request, Some(&start)).await) })
    });
    let mut views = Vec::new();
    for sending in sending.collect::<Vec<_>>() {
        let (place, (status, body)) = sending.await.unwrap();
        let text = String::from_utf8_lossy(&body);
        assert!(matches!(status, 200 | 202), "{status}: {text}");
        views.push((place, serde_json::from_slice(&body).unwrap()));
    }
    views
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_verifiers_together_approve_exactly_the_balance_of_one_account() {
    let Some(database) = fresh_database().await else {
        return;
    };
    let folder = Folder::new("two-verifiers");
    let mut one = Setup::on_sqlite(folder.path())
        .with("--provider-timeout-ms", "30000")
        .with("--widget-dir", "no-widget");
    database.url().clone_into(&mut one.database);
    let merchant = one.add_merchant(None);
    let other = Setup {
        listen: free_address(),
        ..one.clone()
    };
    let (first, _) = one.started().await;
    let (second, _) = other.started().await;
    let addresses = [one.listen, other.listen];
    let order = json!({"balance_minor": 249_000});
    told(
        addresses[0],
        "PUT",
        "/sim/accounts/ben_balance",
        Some(order),
    )
    .await;

    let mut shoppers = Vec::new();
    for place in 0..SHOPPERS {
        shoppers.push(shopper(&one, &merchant, addresses[place % 2]).await);
    }
    let views = pay_together(&shoppers, addresses).await;
    let mut outcomes: BTreeMap<usize, PaymentView> = BTreeMap::new();
    for (place, view) in views {
        let known = outcomes.entry(place).or_insert_with(|| view.clone());
        assert_eq!(known.payment, view.payment);
        // The second request may get its response before the first.
        if view.state != ShopperState::Processing {
            *known = view;
        }
    }
    assert_eq!(outcomes.len(), SHOPPERS);
    let count = |state| outcomes.values().filter(|view| view.state == state).count();
    let (yes, no) = (count(ShopperState::Captured), count(ShopperState::Declined));
    assert_eq!((yes, no), (100, 100));
    let account = told(addresses[1], "GET", "/sim/accounts/ben_balance", None).await;
    assert_eq!(
        (
            &account["balance_minor"],
            &account["held_minor"],
            &account["day_count"]
        ),
        (&json!(0), &json!(0), &json!(100))
    );
    drop((first, second));
    assert_eq!(leaks::in_folder(folder.path(), &[]), Vec::<String>::new());
}
