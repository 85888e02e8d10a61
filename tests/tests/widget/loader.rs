//! The loader in real pages: frameworks, optimizers, headers, and browsers that lack a feature.

use super::embedding::{page, page_with_tag, show_form, show_page, signed};
use harness::browser::Session;
use harness::environment::TestEnvironment;
use harness::merchant_site::Page;
use harness::scenario::{Scenario, play_shared};
use harness::shopper::{FRAME, PANEL, PAY, VISA};
use serde_json::json;

async fn expect_to_pay(session: &Session) {
    session.pay_with(VISA).await;
    session.read(PANEL, "Payment complete").await;
}

/// Runs in the form before anything of the form's own.
async fn prepare_the_form(session: &Session, script: &str) {
    let script = format!("if (window !== window.top) {{ {script} }}");
    session.prepare(&script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn element_accepts_properties_and_ids_set_by_frameworks() {
    let order = signed("frameworks");
    let body = "<div id=\":r1:\"></div><div id=\"later\"></div>\
                <script src=\"{verifier}/checkout.js\"></script>";
    let script = format!(
        "window.codes = [null, '', '#missing', '#:', 5].map((target) => {{
           try {{ Sealpay.mount(target, {{ order: '{order}' }}); return 'mounted'; }}
           catch (error) {{ return error.code; }}
         }});
         Sealpay.mount('#:r1:', {{ order: '{order}' }});
         const element = document.createElement('sealpay-checkout');
         later.append(element);
         element.completeUrl = '/thanks';
         element.order = '{order}';
         window.attributes = [element.getAttribute('order') === '{order}',
           element.getAttribute('on-complete-url')];"
    );
    let address = show_page("frameworks", body, &script);
    play_shared("frameworks", async move |session, _| {
        session.go(&address).await;
        session.enter_form_in("#later iframe").await;
        session.enter_page().await;
        let seen = session
            .evaluate("return [window.codes, window.attributes]")
            .await;
        let missing = "target_missing";
        let expected = json!([
            [missing, missing, missing, missing, missing],
            [true, "/thanks"]
        ]);
        assert_eq!(seen, expected);
        session.enter_form_in("[id=':r1:'] iframe").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_can_disable_automatic_mounting() {
    let order = signed("manual");
    let body = format!(
        "<sealpay-checkout id=\"injected\" order=\"{order}\"></sealpay-checkout>\
         <div id=\"form\"></div><script src=\"{{verifier}}/checkout.js\" data-manual></script>"
    );
    let script = format!("Sealpay.mount('#form', {{ order: '{order}' }});");
    let address = show_page("manual", &body, &script);
    play_shared("manual", async move |session, _| {
        session.go(&address).await;
        session.enter_form_in("#form iframe").await;
        session.enter_page().await;
        assert_eq!(session.count("#injected iframe").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn self_hosted_loader_reports_a_missing_verifier_address() {
    let environment = TestEnvironment::shared();
    let loader = environment.public("/checkout.js").await;
    let copy = Page {
        script: loader,
        ..Page::default()
    };
    let _ = environment.site.publish("copied", copy);
    for (name, attribute) in [
        ("copy", String::new()),
        (
            "named-copy",
            format!("data-verifier=\"{}\"", environment.verifier()),
        ),
    ] {
        let order = signed(name);
        let body = format!(
            "<div id=\"form\"></div><script src=\"/copied.js\" data-target=\"#form\" \
             data-order=\"{order}\" {attribute}></script>"
        );
        let mut page = page(environment, &body, "");
        page.frames = format!("{} {}", page.frames, environment.site.origin());
        let address = environment.site.publish(name, page);
        let is_named = !attribute.is_empty();
        let scenario = Scenario::new("copied loader");
        let scenario = if is_named {
            scenario
        } else {
            // The frame is of the page's own origin then, which Chromium warns of.
            scenario.with_complaints(&[
                "404 (Not Found)",
                "[Sealpay] load_failed",
                "can escape its sandboxing",
            ])
        };
        scenario
            .play(environment, async move |session| {
                session.go(&address).await;
                if is_named {
                    expect_to_pay(&session).await;
                    return;
                }
                let error = session.hear("error").await;
                assert_eq!(error["code"], "load_failed");
                let detail = error["detail"].as_str().unwrap();
                assert!(detail.contains("from the verifier"), "{detail}");
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn loader_converted_to_a_module_still_shows_the_form() {
    let order = signed("module");
    let body = format!(
        "<div id=\"form\"></div><script type=\"module\" src=\"{{verifier}}/checkout.js\" \
         data-target=\"#form\" data-order=\"{order}\"></script>"
    );
    let address = show_page("module", &body, "");
    play_shared("module", async move |session, _| {
        session.go(&address).await;
        expect_to_pay(&session).await;
    })
    .await;
}

/// Comments and product texts of others may hold elements, though no script: their names must not
/// say where the form comes from.
#[tokio::test(flavor = "multi_thread")]
async fn dom_clobbering_does_not_redirect_the_form() {
    let environment = TestEnvironment::shared();
    let elsewhere = environment.site.origin();
    for (name, hiding) in [
        ("clobbered", "<img name=\"currentScript\""),
        ("clobbered-scripts", "<img name=\"scripts\""),
        ("clobbered-base", "<img name=\"baseURI\""),
        (
            "clobbered-methods",
            "<form name=\"createElement\"></form><img name=\"prerendering\"",
        ),
        ("clobbered-window", "<form id=\"Sealpay\"></form><img"),
    ] {
        let order = signed(name);
        let body = format!(
            "<div id=\"form\"></div>{hiding} src=\"{elsewhere}/checkout.js\" hidden>\
             <script src=\"{{verifier}}/checkout.js\"></script>"
        );
        let script = format!("Sealpay.mount('#form', {{ order: '{order}' }});");
        let mut page = page(environment, &body, &script);
        page.frames = format!("{} {elsewhere}", page.frames);
        let address = environment.site.publish(name, page);
        let scenario = Scenario::new("clobbered loader").with_complaints(&["404 (Not Found)"]);
        play_shared(scenario, async move |session, environment| {
            session.go(&address).await;
            session.see("iframe").await;
            let source = "return document.querySelector('iframe').src";
            let source = session.evaluate(source).await;
            let own = environment.verifier().to_string();
            let source = source.as_str().unwrap_or_default();
            assert!(source.starts_with(&own), "{name}: {source}");
            expect_to_pay(&session).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prerendered_page_loads_the_form_when_shown() {
    let order = signed("prerendered");
    let body = "<div id=\"form\"></div><script src=\"{verifier}/checkout.js\"></script>";
    let script = format!(
        "Object.defineProperty(Document.prototype, 'prerendering', {{ value: true, configurable: true }});
         Sealpay.mount('#form', {{ order: '{order}', timeout: 2000 }});"
    );
    let address = show_page("prerendered", body, &script);
    play_shared("prerendered", async move |session, _| {
        session.go(&address).await;
        tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
        assert_eq!(session.count("iframe, [role=alert]").await, 0);
        let shown = "document.dispatchEvent(new Event('prerenderingchange'))";
        session.evaluate(shown).await;
        session.see("iframe").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_without_webassembly_gets_a_message_at_once() {
    let address = show_form("no-wasm");
    play_shared("no webassembly", async move |session, _| {
        prepare_the_form(&session, "delete globalThis.WebAssembly;").await;
        session.go(&address).await;
        let error = session.hear("error").await;
        assert_eq!(error["code"], "webassembly_unavailable");
        assert_eq!(error["recoverable"], false);
        session.enter_frame(FRAME).await;
        let said = session.read("[role=alert]", "can’t show").await;
        assert!(said.contains("WebAssembly off"), "{said}");
        assert_eq!(session.count("[role=alert] button").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_of_2021_pays() {
    let address = show_form("older");
    play_shared("older browser", async move |session, _| {
        prepare_the_form(
            &session,
            // Object.hasOwn was not there either, but the driver's own scripts need it.
            "delete AbortSignal.timeout; delete Array.prototype.at;",
        )
        .await;
        session.go(&address).await;
        expect_to_pay(&session).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_with_an_opener_policy_links_to_the_wallet() {
    let environment = TestEnvironment::shared();
    let mut claims = environment.claims("apart");
    claims.methods = Some(vec![sealpay_protocol::api::Method::Wallet]);
    let order = environment.merchant.sign(&claims);
    let apart = Page {
        headers: vec![("cross-origin-opener-policy", "same-origin")],
        ..page_with_tag(environment, &order, "")
    };
    let address = environment.site.publish("apart", apart);
    let scenario = Scenario::new("windows apart").with_site_isolation();
    play_shared(scenario, async move |session, _| {
        session.go(&address).await;
        session.enter_frame(FRAME).await;
        session.see(".summary h1").await;
        session.press(PAY).await;
        session.read(PANEL, "Confirm in your wallet").await;
        let link = session.see(".panel .link").await;
        let href = link.prop("href").await.unwrap().unwrap();
        session.enter_page().await;
        session.open_tab().await;
        session.go(&href).await;
        session.read("h1", "Confirm this payment").await;
        let confirm = session.see(".confirm").await;
        drop(confirm.click().await);
        session.enter_first_window().await;
        session.enter_frame(FRAME).await;
        session.read(PANEL, "Payment complete").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cross_origin_isolated_page_shows_the_form() {
    let environment = TestEnvironment::shared();
    let order = signed("isolated");
    let isolated = Page {
        headers: vec![
            ("cross-origin-embedder-policy", "require-corp"),
            ("cross-origin-opener-policy", "same-origin"),
        ],
        ..page_with_tag(environment, &order, "")
    };
    let address = environment.site.publish("isolated", isolated);
    let scenario = Scenario::new("isolated page").with_site_isolation();
    play_shared(scenario, async move |session, _| {
        session.go(&address).await;
        expect_to_pay(&session).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shopper_with_a_wrong_clock_pays() {
    let environment = TestEnvironment::shared();
    for (name, hours) in [("slow", -3), ("fast", 3), ("years", 2 * 365 * 24)] {
        let address = show_form(name);
        let scenario = Scenario::new("wrong clock").with_complaints(&["401 (Unauthorized)"]);
        play_shared(scenario, async move |session, _| {
            let clock = format!(
                "const now = Date.now.bind(Date); Date.now = () => now() + {hours} * 3600000;"
            );
            prepare_the_form(&session, &clock).await;
            session.go(&address).await;
            expect_to_pay(&session).await;
        })
        .await;
        assert_eq!(environment.payments_of(name).await.len(), 1, "{name}");
    }
}

/// How far the first height may be from the form's own, CSS pixels.
const NEAR: i64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn frame_has_its_height_before_the_form_loads() {
    use sealpay_protocol::api::Method;
    let environment = TestEnvironment::shared();
    let rows: [(&str, &[Method], usize, bool); 4] = [
        ("high-card", &[Method::Card], 0, false),
        ("high-all", &Method::ALL, 0, true),
        ("high-items", &[Method::Card], 4, true),
        ("high-wallet", &[Method::Wallet], 1, false),
    ];
    let mut far = Vec::new();
    for (name, methods, items, is_described) in rows {
        let mut claims = environment.claims(name);
        claims.methods = Some(methods.to_vec());
        claims.description = is_described.then(|| "Two lanterns".to_owned());
        claims.items = (items > 0).then(|| {
            let amounts = (0..items).map(|place| if place == 0 { claims.amount } else { 0 });
            let item = |amount| sealpay_protocol::order::OrderItem {
                name: "Lantern".into(),
                quantity: 1,
                amount,
            };
            amounts.map(item).collect()
        });
        let order = environment.merchant.sign(&claims);
        let body = "<div id=\"form\"></div><script src=\"{verifier}/checkout.js\"></script>";
        let script = format!(
            "Sealpay.mount('#form', {{ order: '{order}', on: {{ ready() {{ window.isReady = true; }} }} }});
             queueMicrotask(() => {{
               window.first = document.querySelector('iframe').offsetHeight;
             }});"
        );
        let address = show_page(name, body, &script);
        for width in [390, 1280] {
            let (address, found) = (
                address.clone(),
                std::sync::Arc::new(std::sync::Mutex::new(None)),
            );
            let own = std::sync::Arc::clone(&found);
            play_shared("height", async move |session, _| {
                session.resize(width, 900).await;
                session.go(&address).await;
                session.wait_until("window.isReady").await;
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                let heights = session
                    .evaluate(
                        "return [window.first, document.querySelector('iframe').offsetHeight]",
                    )
                    .await;
                *own.lock().unwrap() = Some((heights[0].as_i64(), heights[1].as_i64()));
            })
            .await;
            let found = *found.lock().unwrap();
            if let Some((Some(first), Some(last))) = found
                && (first - last).abs() > NEAR
            {
                far.push(format!("{name} at {width}: {first}, then {last}"));
            }
        }
    }
    assert_eq!(far, Vec::<String>::new());
}
