//! The loader in pages as they are: frameworks, optimizers, headers of the page's own, browsers that
//! lack something.

use super::embedding::{page, page_with_tag};
use harness::browser::Session;
use harness::merchant_site::Page;
use harness::scenario::Scenario;
use harness::shopper::{FRAME, PANEL, PAY, VISA};
use harness::stage::Stage;
use serde_json::json;

async fn expect_to_pay(session: &Session) {
    session.pay_with(VISA).await;
    session.read(PANEL, "Payment complete").await;
}

/// Runs in the form before anything of the form's own.
async fn prepare_the_form(session: &Session, script: &str) {
    let source = format!("if (window !== window.top) {{ {script} }}");
    session
        .developer_tools(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": source }),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_takes_properties_and_ids_that_frameworks_make() {
    let stage = Stage::shared();
    let order = stage.merchant.sign(&stage.claims("frameworks"));
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
    let address = stage.site.publish("frameworks", page(stage, body, &script));
    let scenario = Scenario::new("frameworks");
    scenario
        .play(stage, async move |session| {
            session.go(&address).await;
            session.enter_form_in("#later iframe").await;
            session.enter_page().await;
            let seen = session
                .run("return [window.codes, window.attributes]", Vec::new())
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
async fn a_page_can_forbid_elements_to_mount_by_themselves() {
    let stage = Stage::shared();
    let order = stage.merchant.sign(&stage.claims("manual"));
    let body = format!(
        "<sealpay-checkout id=\"injected\" order=\"{order}\"></sealpay-checkout>\
         <div id=\"form\"></div><script src=\"{{verifier}}/checkout.js\" data-manual></script>"
    );
    let script = format!("Sealpay.mount('#form', {{ order: '{order}' }});");
    let address = stage.site.publish("manual", page(stage, &body, &script));
    let scenario = Scenario::new("manual");
    scenario
        .play(stage, async move |session| {
            session.go(&address).await;
            session.enter_form_in("#form iframe").await;
            session.enter_page().await;
            assert_eq!(session.count("#injected iframe").await, 0);
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_loader_says_so_soon_or_is_told_where_the_verifier_is() {
    let stage = Stage::shared();
    let loader = stage.public("/checkout.js").await;
    let copy = Page {
        script: loader,
        ..Page::default()
    };
    let _ = stage.site.publish("copied", copy);
    for (name, attribute) in [
        ("copy", String::new()),
        (
            "named-copy",
            format!("data-verifier=\"{}\"", stage.verifier()),
        ),
    ] {
        let order = stage.merchant.sign(&stage.claims(name));
        let body = format!(
            "<div id=\"form\"></div><script src=\"/copied.js\" data-target=\"#form\" \
             data-order=\"{order}\" {attribute}></script>"
        );
        let mut page = page(stage, &body, "");
        page.frames = format!("{} {}", page.frames, stage.site.origin());
        let address = stage.site.publish(name, page);
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
            .play(stage, async move |session| {
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
async fn an_optimizer_that_makes_a_module_of_the_loader_leaves_the_form() {
    let stage = Stage::shared();
    let order = stage.merchant.sign(&stage.claims("module"));
    let body = format!(
        "<div id=\"form\"></div><script type=\"module\" src=\"{{verifier}}/checkout.js\" \
         data-target=\"#form\" data-order=\"{order}\"></script>"
    );
    let address = stage.site.publish("module", page(stage, &body, ""));
    let scenario = Scenario::new("module");
    scenario
        .play(stage, async move |session| {
            session.go(&address).await;
            expect_to_pay(&session).await;
        })
        .await;
}

/// Comments and product texts of others may hold elements, though no script: their names must not
/// say where the form comes from.
#[tokio::test(flavor = "multi_thread")]
async fn elements_that_bear_the_names_of_properties_do_not_lead_the_form_elsewhere() {
    let stage = Stage::shared();
    let elsewhere = stage.site.origin();
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
        let order = stage.merchant.sign(&stage.claims(name));
        let body = format!(
            "<div id=\"form\"></div>{hiding} src=\"{elsewhere}/checkout.js\" hidden>\
             <script src=\"{{verifier}}/checkout.js\"></script>"
        );
        let script = format!("Sealpay.mount('#form', {{ order: '{order}' }});");
        let mut page = page(stage, &body, &script);
        page.frames = format!("{} {elsewhere}", page.frames);
        let address = stage.site.publish(name, page);
        let scenario = Scenario::new("clobbered loader").with_complaints(&["404 (Not Found)"]);
        scenario
            .play(stage, async move |session| {
                session.go(&address).await;
                session.see("iframe").await;
                let source = "return document.querySelector('iframe').src";
                let source = session.run(source, Vec::new()).await;
                let own = stage.verifier().to_string();
                let source = source.as_str().unwrap_or_default();
                assert!(source.starts_with(&own), "{name}: {source}");
                expect_to_pay(&session).await;
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_prepared_in_advance_loads_the_form_when_it_is_shown() {
    let stage = Stage::shared();
    let order = stage.merchant.sign(&stage.claims("prerendered"));
    let body = "<div id=\"form\"></div><script src=\"{verifier}/checkout.js\"></script>";
    let script = format!(
        "Object.defineProperty(Document.prototype, 'prerendering', {{ value: true, configurable: true }});
         Sealpay.mount('#form', {{ order: '{order}', timeout: 2000 }});"
    );
    let address = stage
        .site
        .publish("prerendered", page(stage, body, &script));
    let scenario = Scenario::new("prerendered");
    scenario
        .play(stage, async move |session| {
            session.go(&address).await;
            tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
            assert_eq!(session.count("iframe, [role=alert]").await, 0);
            let shown = "document.dispatchEvent(new Event('prerenderingchange'))";
            session.run(shown, Vec::new()).await;
            session.see("iframe").await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_without_webassembly_says_so_at_once() {
    let stage = Stage::shared();
    let order = stage.merchant.sign(&stage.claims("no-wasm"));
    let address = stage
        .site
        .publish("no-wasm", page_with_tag(stage, &order, ""));
    let scenario = Scenario::new("no webassembly");
    scenario
        .play(stage, async move |session| {
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
async fn a_browser_of_2021_pays() {
    let stage = Stage::shared();
    let order = stage.merchant.sign(&stage.claims("older"));
    let address = stage
        .site
        .publish("older", page_with_tag(stage, &order, ""));
    let scenario = Scenario::new("older browser");
    scenario
        .play(stage, async move |session| {
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
async fn a_page_that_keeps_windows_apart_leads_to_the_wallet_by_a_link() {
    let stage = Stage::shared();
    let mut claims = stage.claims("apart");
    claims.methods = Some(vec![sealpay_protocol::api::Method::Wallet]);
    let order = stage.merchant.sign(&claims);
    let apart = Page {
        headers: vec![("cross-origin-opener-policy", "same-origin")],
        ..page_with_tag(stage, &order, "")
    };
    let address = stage.site.publish("apart", apart);
    let scenario = Scenario::new("windows apart").with_site_isolation();
    scenario
        .play(stage, async move |session| {
            session.go(&address).await;
            session.enter_frame(FRAME).await;
            session.see(".summary h1").await;
            session.press(PAY).await;
            session.read(PANEL, "Confirm in your wallet").await;
            let link = session.see(".panel .link").await;
            let href = link.prop("href").await.unwrap().unwrap();
            session.enter_page().await;
            let tab = session.driver().new_tab().await.unwrap();
            session.driver().switch_to_window(tab).await.unwrap();
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
async fn a_page_that_is_isolated_from_other_origins_shows_the_form() {
    let stage = Stage::shared();
    let order = stage.merchant.sign(&stage.claims("isolated"));
    let isolated = Page {
        headers: vec![
            ("cross-origin-embedder-policy", "require-corp"),
            ("cross-origin-opener-policy", "same-origin"),
        ],
        ..page_with_tag(stage, &order, "")
    };
    let address = stage.site.publish("isolated", isolated);
    let scenario = Scenario::new("isolated page").with_site_isolation();
    scenario
        .play(stage, async move |session| {
            session.go(&address).await;
            expect_to_pay(&session).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_whose_clock_is_wrong_pays() {
    let stage = Stage::shared();
    for (name, hours) in [("slow", -3), ("fast", 3), ("years", 2 * 365 * 24)] {
        let order = stage.merchant.sign(&stage.claims(name));
        let address = stage.site.publish(name, page_with_tag(stage, &order, ""));
        let scenario = Scenario::new("wrong clock").with_complaints(&["401 (Unauthorized)"]);
        scenario
            .play(stage, async move |session| {
                let clock = format!(
                    "const now = Date.now.bind(Date); Date.now = () => now() + {hours} * 3600000;"
                );
                prepare_the_form(&session, &clock).await;
                session.go(&address).await;
                expect_to_pay(&session).await;
            })
            .await;
        assert_eq!(stage.payments_of(name).await.len(), 1, "{name}");
    }
}

/// How far the first height may be from the form's own, CSS pixels.
const NEAR: i64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn the_frame_has_the_height_of_the_form_before_the_form_is_there() {
    use sealpay_protocol::api::Method;
    let stage = Stage::shared();
    let rows: [(&str, &[Method], usize, bool); 4] = [
        ("high-card", &[Method::Card], 0, false),
        ("high-all", &Method::ALL, 0, true),
        ("high-items", &[Method::Card], 4, true),
        ("high-wallet", &[Method::Wallet], 1, false),
    ];
    let mut far = Vec::new();
    for (name, methods, items, is_described) in rows {
        let mut claims = stage.claims(name);
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
        let order = stage.merchant.sign(&claims);
        let body = "<div id=\"form\"></div><script src=\"{verifier}/checkout.js\"></script>";
        let script = format!(
            "Sealpay.mount('#form', {{ order: '{order}', on: {{ ready() {{ window.isReady = true; }} }} }});
             queueMicrotask(() => {{
               window.first = document.querySelector('iframe').offsetHeight;
             }});"
        );
        let address = stage.site.publish(name, page(stage, body, &script));
        for width in [390_u32, 1280] {
            let (address, found) = (
                address.clone(),
                std::sync::Arc::new(std::sync::Mutex::new(None)),
            );
            let own = std::sync::Arc::clone(&found);
            let scenario = Scenario::new("height");
            scenario
                .play(stage, async move |session| {
                    let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1,
                                       "mobile": false });
                    session
                        .developer_tools("Emulation.setDeviceMetricsOverride", size)
                        .await;
                    session.go(&address).await;
                    harness::browser::eventually("a form", async || {
                        session.is_true("window.isReady").await.then_some(())
                    })
                    .await;
                    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                    let heights = session
                        .run(
                            "return [window.first, document.querySelector('iframe').offsetHeight]",
                            Vec::new(),
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
