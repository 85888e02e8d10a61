//! The form embedded in merchants' pages, and pages that may not embed it.

use harness::browser::{Session, eventually};
use harness::environment::TestEnvironment;
use harness::merchant_site::Page;
use harness::scenario::{Scenario, play_shared};
use harness::shopper::{FRAME, INSUFFICIENT_FUNDS, NOTICE, PANEL, PAY, VISA, persona_for};
use sealpay_protocol::order::OrderClaims;
use serde_json::{Value, json};

/// A page whose policy lets the verifier in, with the loader by its plain address.
pub(crate) fn page(environment: &TestEnvironment, body: &str, script: &str) -> Page {
    let verifier = environment.verifier().to_string();
    Page {
        body: body.replace("{verifier}", &verifier),
        script: script.to_owned(),
        scripts: verifier.clone(),
        frames: verifier,
        is_light_only: false,
        headers: Vec::new(),
    }
}

/// A page with one form, made by the script tag alone.
pub(crate) fn page_with_tag(environment: &TestEnvironment, order: &str, attributes: &str) -> Page {
    let tag = format!(
        "<div id=\"form\"></div><script src=\"{{verifier}}/checkout.js\" data-target=\"#form\" \
         data-order=\"{order}\" {attributes} async></script>"
    );
    page(environment, &tag, "")
}

/// A signed order of this reference in the environment that all share.
pub(crate) fn signed(order_ref: &str) -> String {
    let environment = TestEnvironment::shared();
    environment.merchant.sign(&environment.claims(order_ref))
}

/// Shows a page of the merchant of that environment; its address.
pub(crate) fn show_page(name: &str, body: &str, script: &str) -> String {
    let environment = TestEnvironment::shared();
    environment
        .site
        .publish(name, page(environment, body, script))
}

/// Shows a page with one form for an order of this reference; its address.
pub(crate) fn show_form(order_ref: &str) -> String {
    show_form_for(&TestEnvironment::shared().claims(order_ref), "")
}

/// The same for other claims, with further attributes of the script tag.
pub(crate) fn show_form_for(claims: &OrderClaims, attributes: &str) -> String {
    let environment = TestEnvironment::shared();
    let order = environment.merchant.sign(claims);
    let page = page_with_tag(environment, &order, attributes);
    environment.site.publish(&claims.order_ref, page)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_forms_on_one_page_work_independently() {
    let environment = TestEnvironment::shared();
    let orders = ["three-a", "three-b", "three-c"].map(signed);
    let [first, second, third] = &orders;
    let body = format!(
        "<div id=\"first\"></div>\
         <script src=\"{{verifier}}/checkout.js\" data-target=\"#first\" data-order=\"{first}\"></script>\
         <sealpay-checkout id=\"second\" order=\"{second}\"></sealpay-checkout>\
         <div id=\"third\"></div>"
    );
    let script = format!(
        "window.mounted = Sealpay.mount('#third', {{ order: '{third}', locale: 'de-DE',
           appearance: {{ accent: '#7a1f5c', radius: 4, density: 'compact' }},
           on: {{ ready() {{ window.readyBy = 'handler'; }} }} }});
         window.mounted.ready.then((own) => {{ window.settled = own === window.mounted; }});"
    );
    let address = show_page("three", &body, &script);
    play_shared("three forms", async move |session, environment| {
        session.go(&address).await;
        session.enter_form_in("#third iframe").await;
        session.read(PAY, "€24.90").await;
        session.type_into("#number", "5555").await;
        let look = "const { backgroundColor, borderRadius } =
                      getComputedStyle(document.querySelector(arguments[0]));
                    return [backgroundColor, borderRadius]";
        let look = session.run(look, vec![PAY.into()]).await;
        assert_eq!(look, json!(["rgb(122, 31, 92)", "4px"]));

        session.enter_form_in("#first iframe").await;
        session.fill_in(VISA).await;
        session.enter_form_in("#second iframe").await;
        session.fill_in(INSUFFICIENT_FUNDS).await;
        session.press(PAY).await;
        session.enter_frame("#first iframe").await;
        session.press(PAY).await;
        session.read(PANEL, "Payment complete").await;
        session.enter_frame("#second iframe").await;
        session.read(NOTICE, "declined").await;
        session.enter_frame("#third iframe").await;
        assert_eq!(session.value_of("#number").await, "5555");
        assert_eq!(session.count(&format!("{NOTICE}, {PANEL}")).await, 0);

        session.enter_page().await;
        let by = session
            .evaluate("return [window.readyBy, window.settled]")
            .await;
        assert_eq!(by, json!(["handler", true]));
        for (event, targets) in [
            ("ready", vec!["first", "second", "third"]),
            ("complete", vec!["first"]),
            ("decline", vec!["second"]),
            ("error", vec![]),
        ] {
            assert_eq!(targets_of(&session, event).await, targets, "{event}");
        }
        expect_only_the_greeting_on_the_window(&session, environment).await;

        // A form that is taken away takes nothing with it.
        session.evaluate("window.mounted.unmount()").await;
        assert_eq!(session.count("#third iframe").await, 0);
        assert_eq!(session.count("iframe").await, 2);
    })
    .await;
    for (name, expected) in [
        ("three-a", vec!["captured"]),
        ("three-b", vec!["declined"]),
        ("three-c", vec![]),
    ] {
        let payments = environment.payments_of(name).await;
        let states: Vec<_> = payments.iter().map(|payment| &payment["state"]).collect();
        assert_eq!(states, expected, "{name}");
    }
}

async fn targets_of(session: &Session, event: &str) -> Vec<String> {
    let heard = session.recorded_events().await;
    let events = heard["events"].as_array().unwrap();
    let of_type = events.iter().filter(|heard| heard["type"] == event);
    let mut targets: Vec<_> = of_type
        .map(|heard| heard["target"].as_str().unwrap().to_owned())
        .collect();
    targets.sort();
    targets
}

/// Everything but the greeting without data goes through a port that only the loader has.
async fn expect_only_the_greeting_on_the_window(session: &Session, environment: &TestEnvironment) {
    let heard = session.recorded_events().await;
    let messages = heard["messages"].as_array().unwrap();
    assert!(!messages.is_empty());
    for message in messages {
        let hello = |from| json!({ "sealpay": "hello", "version": 1, "from": from });
        let data = &message["data"];
        assert!(
            [hello("document"), hello("widget")].contains(data),
            "{data}"
        );
        assert_eq!(message["origin"], environment.verifier().to_string());
    }
    let port = heard["port"].as_array().unwrap();
    let known = [
        "ready", "change", "resize", "reveal", "complete", "decline", "error",
    ];
    for message in port {
        let kind = message["type"].as_str().unwrap();
        assert!(known.contains(&kind), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_content_security_policy_with_a_pinned_loader_blocks_nothing() {
    let environment = TestEnvironment::shared();
    let pinned: Value = serde_json::from_str(&environment.public("/checkout.json").await).unwrap();
    let (src, integrity) = (
        pinned["src"].as_str().unwrap(),
        pinned["integrity"].as_str().unwrap(),
    );
    let order = signed("strict");
    let body = format!(
        "<script src=\"{src}\" integrity=\"{integrity}\" crossorigin=\"anonymous\" \
         data-order=\"{order}\"></script>"
    );
    let address = show_page("strict", &body, "");
    play_shared("strict page", async move |session, _| {
        session.go(&address).await;
        session.pay_with(VISA).await;
        session.read(PANEL, "Payment complete").await;
        assert_eq!(session.hear("complete").await["order_ref"], "strict");
        // The frame is as high as what stands in it: nothing is cut off and nothing scrolls.
        session.enter_frame(FRAME).await;
        eventually("a frame of the right height", async || {
            let script = "const { scrollHeight, clientHeight } = document.documentElement;
                          return scrollHeight === clientHeight && scrollHeight - document.querySelector('.sheet').offsetHeight < 2";
            (session.evaluate(script).await == true).then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_after_payment_shows_the_receipt() {
    let environment = TestEnvironment::shared();
    let address = show_form("reloaded");
    play_shared("reloaded", async move |session, _| {
        session.go(&address).await;
        session.pay_with(VISA).await;
        session.read(PANEL, "Payment complete").await;
        session.enter_page().await;
        session.go(&address).await;
        session.enter_frame(FRAME).await;
        session.read(PANEL, "Payment complete").await;
        session.read(".receipt", "Visa •••• 4242").await;
        assert_eq!(session.count("form").await, 0);
        assert_eq!(session.hear("complete").await["order_ref"], "reloaded");
    })
    .await;
    assert_eq!(environment.payments_of("reloaded").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_during_authorization_shows_the_outcome() {
    let environment = TestEnvironment::shared();
    let address = show_form("impatient");
    play_shared("reloaded while processing", async move |session, _| {
        session.go(&address).await;
        session.pay_with(persona_for("slow")).await;
        session.read(PAY, "Processing").await;
        session.enter_page().await;
        session.go(&address).await;
        session.enter_frame(FRAME).await;
        session.read(PANEL, "We’re checking your payment").await;
        session.read(PANEL, "Payment complete").await;
    })
    .await;
    assert_eq!(environment.payments_of("impatient").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn unregistered_origin_gets_no_form() {
    let environment = TestEnvironment::shared();
    let order = signed("foreign");
    let tag = page_with_tag(environment, &order, "");
    let address = environment.foreign_site.publish("foreign", tag);
    let scenario = Scenario::new("foreign origin")
        .with_complaints(&["frame-ancestors", "[Sealpay] load_failed"]);
    play_shared(scenario, async move |session, environment| {
        session.go(&address).await;
        let error = session.hear("error").await;
        assert_eq!(error["code"], "load_failed");
        // What a developer has to register is named, and the shopper never sees the error page.
        let detail = error["detail"].as_str().unwrap();
        assert!(
            detail.contains(&environment.foreign_site.origin()) && detail.contains("add-origin"),
            "{detail}"
        );
        session.read("[role=alert]", "could not be loaded").await;
        assert_eq!(session.count("iframe").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn origin_missing_from_the_order_gets_no_form() {
    let environment = TestEnvironment::shared();
    let mut claims = environment.claims("elsewhere");
    claims.parent_origins = vec![harness::client::origin(&environment.foreign_site.origin())];
    let address = show_form_for(&claims, "");
    play_shared("not named in the order", async move |session, _| {
        session.go(&address).await;
        assert_eq!(session.hear("error").await["code"], "origin_not_allowed");
        session.enter_frame(FRAME).await;
        session.read(PANEL, "set up to take payments here").await;
        assert_eq!(session.count("input").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn order_with_an_unregistered_origin_is_rejected() {
    let environment = TestEnvironment::shared();
    let mut claims = environment.claims("both");
    claims
        .parent_origins
        .push(harness::client::origin(&environment.foreign_site.origin()));
    let address = show_form_for(&claims, "");
    let scenario = Scenario::new("not registered")
        .with_complaints(&["403 (Forbidden)", "[Sealpay] origin_not_allowed"]);
    play_shared(scenario, async move |session, _| {
        session.go(&address).await;
        assert_eq!(session.hear("error").await["code"], "origin_not_allowed");
        session.enter_frame(FRAME).await;
        session.read(PANEL, "set up to take payments here").await;
    })
    .await;
}

/// The colour of the form's letters.
const LETTERS: &str = "return getComputedStyle(document.querySelector('label')).color";

async fn prefer(session: &Session, scheme: &str) {
    let features = json!({ "features": [ { "name": "prefers-color-scheme", "value": scheme } ] });
    session
        .developer_tools("Emulation.setEmulatedMedia", features)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn light_page_has_a_light_form_on_every_device() {
    let environment = TestEnvironment::shared();
    let order = signed("noon");
    let page = Page {
        is_light_only: true,
        ..page_with_tag(environment, &order, "")
    };
    let address = environment.site.publish("noon", page);
    play_shared("noon", async move |session, _| {
        let mut letters = Vec::new();
        for scheme in ["light", "dark"] {
            prefer(&session, scheme).await;
            session.go(&address).await;
            session.enter_form().await;
            letters.push(session.evaluate(LETTERS).await);
            session.enter_page().await;
        }
        assert_eq!(letters[0], letters[1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_that_follows_the_device_theme_passes_it_to_the_form() {
    let address = show_form("dusk");
    play_shared("dusk", async move |session, _| {
        let color = LETTERS;
        prefer(&session, "light").await;
        session.go(&address).await;
        session.enter_form().await;
        let by_day = session.evaluate(color).await;
        prefer(&session, "dark").await;
        eventually("light letters on a dark page", async || {
            (session.evaluate(color).await != by_day).then_some(())
        })
        .await;
    })
    .await;
}

/// Holds the greeting of the document back until the widget's is there, as when the widget comes from
/// a cache and the page is busy: the answers to both arrive while the widget listens.
const LATE_GREETING: &str = "
    let held = null;
    addEventListener('message', (event) => {
      if (event.data?.sealpay !== 'hello' || !event.isTrusted) return;
      if (held) {
        const { data, origin, source } = held;
        dispatchEvent(new MessageEvent('message', { data, origin, source }));
      } else {
        held = event;
        event.stopImmediatePropagation();
      }
    }, true);";

#[tokio::test(flavor = "multi_thread")]
async fn widget_started_before_the_handshake_response_is_still_connected() {
    let order = signed("late greeting");
    let body = "<div id=\"form\"></div><script src=\"{verifier}/checkout.js\"></script>";
    let script = format!("{LATE_GREETING} Sealpay.mount('#form', {{ order: '{order}' }});");
    let address = show_page("late-greeting", body, &script);
    play_shared("late greeting", async move |session, _| {
        session.go(&address).await;
        session.enter_form().await;
        session.read(PAY, "€24.90").await;
        session.enter_page().await;
        eventually("the event ready", async || {
            (targets_of(&session, "ready").await == ["form"]).then_some(())
        })
        .await;
        let messages = session.recorded_events().await["messages"].clone();
        let from: Vec<_> = messages
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["data"]["from"].clone())
            .collect();
        // The document's is seen once more when it is released.
        assert_eq!(from, ["document", "widget", "document"]);
    })
    .await;
}
