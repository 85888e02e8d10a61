//! Scripts and frames that do not load, and orders that expire: the page stays usable and reports
//! the error.

use super::embedding::{page, show_form_for};
use harness::browser::{Session, eventually};
use harness::environment::TestEnvironment;
use harness::merchant_site::Page;
use harness::network::Fault;
use harness::scenario::{Scenario, play_alone, play_shared};
use harness::shopper::{FRAME, PANEL, PAY, VISA};
use std::sync::Arc;

/// How the browser complains of a file that something on the way has blocked.
const MISSING: &str = "404 (Not Found)";
/// Of a file that is there while the one that would use it is blocked.
const UNUSED: &str = "was preloaded using link preload but not used within a few seconds";

/// A page that mounts a form by its own script, keeps the promise's end, and has work of its own.
fn page_with_promise(environment: &TestEnvironment, order: &str) -> Page {
    let body = "<p><button id=\"own\" type=\"button\">0</button></p><div id=\"form\"></div>\
                <script src=\"{verifier}/checkout.js\"></script>";
    let script = format!(
        "own.onclick = () => {{ own.textContent = Number(own.textContent) + 1; }};
         Sealpay.mount('#form', {{ order: '{order}' }}).ready
           .then(() => {{ window.ended = 'ready'; }}, (error) => {{ window.ended = error.code; }});"
    );
    page(environment, body, &script)
}

async fn expect_the_page_to_work(session: &Session) {
    session.press("#own").await;
    session.read("#own", "1").await;
}

async fn expect_the_promise_to_end(session: &Session, expected: &str) {
    session.enter_page().await;
    let ended = eventually("the end of the promise", async || {
        session
            .evaluate("return window.ended ?? null")
            .await
            .as_str()
            .map(str::to_owned)
    })
    .await;
    assert_eq!(ended, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_widget_script_is_reported_and_a_retry_loads_the_form() {
    let environment = TestEnvironment::own();
    let unspoken: &[&str] = &[MISSING, "[Sealpay] load_failed"];
    #[rustfmt::skip]
    let rows: [(&str, &str, &[&str]); 4] = [
        ("sealpay-widget_bg.wasm", "start_failed", &[MISSING, "could not start"]),
        ("sealpay-widget.js", "start_failed", &[MISSING, "could not start"]),
        ("boot.js", "load_failed", unspoken),
        ("/checkout/mer_", "load_failed", unspoken),
    ];
    for (blocked, code, complaints) in rows {
        let name = format!("blocked-{}", blocked.replace(['/', '.', '_'], "-"));
        let order = environment.merchant.sign(&environment.claims(&name));
        let address = environment
            .site
            .publish(&name, page_with_promise(&environment, &order));
        let scenario = Scenario::new("blocked script")
            .with_complaints(complaints)
            .with_possible_complaint(UNUSED);
        let own = Arc::clone(&environment);
        scenario
            .play(&environment, async move |session| {
                own.verifier_network
                    .fail(blocked, Fault::NotFound, u32::MAX);
                session.go(&address).await;
                expect_the_promise_to_end(&session, code).await;
                let error = session.hear("error").await;
                assert_eq!(
                    (&error["code"], &error["recoverable"]),
                    (&code.into(), &true.into())
                );
                expect_the_page_to_work(&session).await;
                own.verifier_network.mend();
                if code == "start_failed" {
                    // The document is ours: it says so itself, at once.
                    session.enter_frame(FRAME).await;
                    session.read("[role=alert]", "could not start").await;
                } else {
                    session.read("[role=alert]", "could not be loaded").await;
                }
                session.press("[role=alert] button").await;
                session.pay_with(VISA).await;
                session.read(PANEL, "Payment complete").await;
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_loader_is_reported_by_the_shop() {
    let scenario = Scenario::new("blocked loader").with_complaints(&[MISSING]);
    play_alone(scenario, async move |session, environment| {
        environment
            .verifier_network
            .fail("/checkout.js", Fault::NotFound, u32::MAX);
        session.go(&environment.shop()).await;
        session.press(".product form button[type=submit]").await;
        session
            .read("[data-payment-missing]", "could not be loaded")
            .await;
        environment.verifier_network.mend();
        session.press("[data-payment-missing] a").await;
        session.pay_with(VISA).await;
        session.see_order("paid").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_whose_policy_forbids_frames_is_reported_at_once() {
    let environment = TestEnvironment::shared();
    let order = environment.merchant.sign(&environment.claims("no-frames"));
    let page = Page {
        frames: "'none'".into(),
        ..page_with_promise(environment, &order)
    };
    let address = environment.site.publish("no-frames", page);
    let scenario =
        Scenario::new("no frames").with_complaints(&["[Sealpay] blocked_by_policy", "frame-src"]);
    play_shared(scenario, async move |session, _| {
        session.go(&address).await;
        expect_the_promise_to_end(&session, "blocked_by_policy").await;
        session.read("[role=alert]", "could not be loaded").await;
        expect_the_page_to_work(&session).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_order_is_reported_without_a_retry() {
    let environment = TestEnvironment::shared();
    let address = environment
        .site
        .publish("no-order", page_with_promise(environment, "not.an.order"));
    let scenario = Scenario::new("no order").with_complaints(&["[Sealpay] malformed_order"]);
    play_shared(scenario, async move |session, _| {
        session.go(&address).await;
        expect_the_promise_to_end(&session, "malformed_order").await;
        session.read("[role=alert]", "Something is wrong").await;
        assert_eq!(session.count("[role=alert] button").await, 0);
        expect_the_page_to_work(&session).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_checkout_shows_its_expiry() {
    let environment = TestEnvironment::shared();
    play_shared("expires", async move |session, _| {
        // Signed when the browser is ready, so that the form is open well before the order expires.
        let mut claims = environment.claims("expires");
        claims.exp = claims.iat + 8;
        session.go(&show_form_for(&claims, "")).await;
        session.enter_form().await;
        session.type_into("#number", VISA.number).await;
        session.read(PANEL, "This checkout has timed out").await;
        assert_eq!(session.count("form, input").await, 0);
        assert_eq!(session.hear("error").await["code"], "session_expired");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_order_opens_no_form() {
    let environment = TestEnvironment::shared();
    let mut claims = environment.claims("expired");
    (claims.iat, claims.exp) = (claims.iat - 900, claims.iat - 1);
    let order = environment.merchant.sign(&claims);
    let address = environment
        .site
        .publish("expired", page_with_promise(environment, &order));
    let scenario = Scenario::new("expired").with_complaints(&["410 (Gone)"]);
    play_shared(scenario, async move |session, _| {
        session.go(&address).await;
        expect_the_promise_to_end(&session, "session_expired").await;
        session.enter_frame(FRAME).await;
        session.read(PANEL, "This checkout has timed out").await;
        assert_eq!(session.count(PAY).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn form_document_opened_alone_explains_itself() {
    let environment = TestEnvironment::shared();
    let address = format!(
        "{}/checkout/{}",
        environment.verifier(),
        environment.merchant.id
    );
    play_shared("not embedded", async move |session, _| {
        session.go(&address).await;
        session.read("#failure", "Open this form from a shop").await;
    })
    .await;
}
