//! The page at `/sim` and the wallet's page, in Chromium: both themes, phone and desktop,
//! accessible and by keyboard.

use super::{checkout, order, read, wallet};
use harness::browser::{Isolation, Session, eventually};
use harness::client::card;
use harness::gallery::Gallery;
use harness::gateway::{Beside, TestGateway};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use thirtyfour::Key;
use tokio::net::TcpListener;
use verifier_server::http::app;
use verifier_server::http::operator::{self, OperatorAccess};

/// A verifier that browsers reach.
struct Served {
    gateway: TestGateway,
    control: SocketAddr,
    _beside: Beside,
}

impl Served {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let gateway = TestGateway::with(|config| {
            config.public_origin = format!("http://{address}").parse().unwrap();
        })
        .await;
        let app = app(gateway.server.state.clone());
        tokio::spawn(async move {
            let app = app.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, app).await.unwrap();
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let control = listener.local_addr().unwrap();
        let operators = operator::app(gateway.server.state.clone(), OperatorAccess::default());
        tokio::spawn(async move { axum::serve(listener, operators).await.unwrap() });
        let beside = gateway.run_beside();
        Self {
            gateway,
            control,
            _beside: beside,
        }
    }

    fn address(&self, path: &str) -> String {
        if path.starts_with("/sim") {
            return format!("http://{}{path}", self.control);
        }
        [self.gateway.origin.as_str(), path].concat()
    }

    /// Something of everything.
    async fn lively(&self) {
        let numbers = [
            "4242424242424242",
            "4000000000009995",
            "378282246310005",
            "4111111111111111",
        ];
        for number in numbers {
            self.gateway.pay(None, &card(number)).await;
        }
        for number in ["4000007017000008", "4111111111111111"] {
            self.gateway
                .pay(Some("challenge_code"), &card(number))
                .await;
        }
        for (method, outcome) in [
            (Method::Wallet, None),
            (Method::BankTransfer, Some("transfer_never")),
        ] {
            let capture = Capture::Automatic;
            checkout(&self.gateway, (method, capture, outcome)).await;
        }
        #[rustfmt::skip]
        let rows = [
            ("/sim/faults", r#"{"kind":"latency","min_ms":1,"max_ms":5,"share_per_mille":250}"#),
            ("/sim/faults", r#"{"kind":"acquirer_down","target":"harbor","next":3}"#),
            ("/sim/transfers", r#"{"reference":"thank you","amount":500,"currency":"EUR"}"#),
        ];
        for (path, body) in rows {
            let answer = self.gateway.send(order("POST", path, body)).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
}

async fn open(isolation: Isolation) -> Option<Session> {
    let session = Session::open(isolation).await;
    if session.is_none() {
        eprintln!("skipped without Chromium");
    }
    session
}

/// Presses Enter on an element.
async fn press(session: &Session, selector: &str) {
    let element = session.see(selector).await;
    element.focus().await.unwrap();
    element.send_keys(Key::Enter).await.unwrap();
}

async fn value(session: &Session, selector: &str, value: &str) {
    let script = "const field = document.querySelector(arguments[0]);
        field.value = arguments[1];
        field.dispatchEvent(new Event('input', { bubbles: true }));
        field.dispatchEvent(new Event('change', { bubbles: true }));";
    session
        .run(script, vec![selector.into(), value.into()])
        .await;
}

async fn end(session: Session, served: Served) {
    let complaints = session.complaints().await;
    assert_eq!(complaints, Vec::<String>::new());
    session.close().await;
    served.gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simulation_page_is_accessible() {
    let Some(session) = open(Isolation::None).await else {
        return;
    };
    let served = Served::start().await;
    session.go(&served.address("/sim")).await;
    session.read("#live", "Live").await;
    let mut gallery = Gallery::new(&session, None);
    gallery.show("sim-empty").await;
    served.lively().await;
    session.read("#payment-rows", "insufficient_funds").await;
    session.read("#payment-rows", "Requires action").await;
    session.read("#transfer-rows", "Returned").await;
    session.read("#fault-list", "acquirer down").await;
    session.read("#code", "Copy").await;
    gallery.show("sim-lively").await;
    press(&session, "[data-key='persona:ada_approved']").await;
    session.read("#account-title", "Ada Approved").await;
    gallery.show("sim-account").await;
    press(&session, "#account-close").await;
    press(&session, "#payment-rows tr:last-child button").await;
    session.read("#payment-events", "payment.captured").await;
    gallery.show("sim-payment").await;
    gallery.close();
    end(session, served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simulation_page_works_by_keyboard() {
    let Some(session) = open(Isolation::None).await else {
        return;
    };
    let served = Served::start().await;
    let gateway = &served.gateway;
    served.lively().await;
    session.go(&served.address("/sim")).await;
    session.read("#live", "Live").await;
    press(&session, "[data-advance='86400']").await;
    session.read("#ahead", "1 day").await;
    assert!(read(gateway, "/sim/clock").await["ahead_seconds"] == 86400);
    // The captured payments are settled next.
    session.read("#upcoming-rows", "settlement").await;
    press(&session, "#upcoming-rows button").await;
    session
        .wait_until("!document.querySelector('#ahead').textContent.startsWith('1 day ahead')")
        .await;
    let ahead = read(gateway, "/sim/clock").await["ahead_seconds"].as_u64();
    assert!(ahead > Some(86400), "{ahead:?}");
    press(&session, "#mend").await;
    session.read("#notice", "cleared").await;
    assert_eq!(
        read(gateway, "/sim/faults").await["data"],
        serde_json::json!([])
    );
    value(&session, "#fault-kind", "acquirer_down").await;
    value(&session, "#fault-target", "harbor").await;
    press(&session, "#fault-count").await;
    session.read("#fault-list", "acquirer down").await;
    let fault = read(gateway, "/sim/faults").await["data"][0].clone();
    assert_eq!(
        (&fault["target"], &fault["remaining"]),
        (&"harbor".into(), &1.into())
    );
    press(&session, "[data-key='persona:ada_approved']").await;
    value(&session, "#account-status", "blocked").await;
    value(&session, "#account-each", "1.005").await;
    press(&session, "#account-each").await;
    let said = session.read("#account-problem", "Per-payment limit").await;
    assert!(said.contains("an amount such as 12.50"), "{said}");
    value(&session, "#account-each", "1,00").await;
    value(&session, "#account-balance", "-0.05").await;
    press(&session, "#account-each").await;
    session.read("#notice", "Account saved").await;
    let account: Value = read(gateway, "/sim/accounts/ada_approved").await;
    assert_eq!(account["status"], "blocked");
    assert_eq!(account["per_transaction_limit_minor"], 100);
    assert_eq!(account["balance_minor"], -5);
    // What is refused is said where it was typed.
    press(&session, "[data-key='persona:ada_approved']").await;
    value(&session, "#account-phone", "+12345678901234567").await;
    session
        .run(
            "document.querySelector('#account-phone').removeAttribute('pattern')",
            vec![],
        )
        .await;
    press(&session, "#account-phone").await;
    session.read("#account-problem", "phone").await;
    press(&session, "#account-close").await;
    press(&session, "#awaited button").await;
    press(&session, "#send-amount").await;
    session.read("#notice", "matched to a payment").await;
    // A refused command is no fault of the page's.
    let complaints = session.complaints().await;
    assert!(
        complaints.iter().all(|said| said.contains("400")),
        "{complaints:?}"
    );
    session.close().await;
    served.gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wallet_page_works_without_scripts_and_by_keyboard() {
    let Some(session) = open(Isolation::None).await else {
        return;
    };
    let served = Served::start().await;
    let gateway = &served.gateway;
    let mut gallery = Gallery::new(&session, None);
    for (name, button, state) in [
        ("confirmed", "button.confirm", "captured"),
        ("refused", "button.refuse", "declined"),
    ] {
        let (method, capture) = (Method::Wallet, Capture::Automatic);
        let outcome = None;
        let checkout = checkout(gateway, (method, capture, outcome)).await;
        let path = wallet::path(&checkout.payment);
        session.go(&served.address(&path)).await;
        session.read("h1", "Confirm this payment").await;
        if name == "confirmed" {
            gallery.show("sim-wallet").await;
        }
        press(&session, button).await;
        session.see(".result").await;
        gallery.show(&format!("sim-wallet-{name}")).await;
        let id = checkout.payment.payment;
        eventually("the payment's state", async || {
            (gateway.payment(id).await["state"] == state).then_some(())
        })
        .await;
    }
    gallery.close();
    end(session, served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wallet_window_closes_when_finished() {
    let Some(session) = open(Isolation::None).await else {
        return;
    };
    let served = Served::start().await;
    let (method, capture) = (Method::Wallet, Capture::Automatic);
    let outcome = None;
    let purchase = (method, capture, outcome);
    let checkout = checkout(&served.gateway, purchase).await;
    let path = wallet::path(&checkout.payment);
    // A page that keeps a handle on what it opens, which most of the verifier's do not.
    session.go(&served.address(&path)).await;
    let script = "window.wallet = window.open(arguments[0], 'sealpay-test');
        window.wallet.opener = null;";
    session.run(script, vec![path.into()]).await;
    let is_there = "return window.wallet?.document.querySelector('.confirm') !== null";
    eventually("the wallet's window", async || {
        (session.run(is_there, vec![]).await == true).then_some(())
    })
    .await;
    let confirm = "window.wallet.document.querySelector('.confirm').click()";
    session.run(confirm, vec![]).await;
    eventually("a window that is closed", async || {
        let closed = session.run("return window.wallet.closed", vec![]).await;
        (closed == true).then_some(())
    })
    .await;
    let paid = served.gateway.payment(checkout.payment.payment).await;
    assert_eq!(paid["state"], "captured");
    end(session, served).await;
}
