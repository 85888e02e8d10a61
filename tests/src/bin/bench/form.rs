//! How soon a shopper can type: the real form on a merchant's page, in Chromium with an empty
//! cache, from the navigation to that page to the form's `ready`.

use crate::blast::median;
use harness::browser::{Isolation, Session, eventually};
use harness::client::{Merchant, origin};
use harness::folder::Folder;
use harness::merchant_site::{MerchantSite, Page};
use harness::shopper::{PAY, VISA};
use harness::verifier_process::Setup;
use sealpay_protocol::order::OrderClaims;
use serde_json::{Value, json};

const RUNS: usize = 5;

/// Runs in the page.
const LISTEN: &str = "addEventListener('sealpay:ready', () => {
    window.readyAfter = Math.round(performance.now() * 1000);
});";

/// Runs in a document: how many files it took, and how many bytes came for them, headers included.
const LOADED: &str = "const all = [...performance.getEntriesByType('navigation'),
        ...performance.getEntriesByType('resource')];
    return {
        requests: all.length,
        bytes: all.reduce((sum, entry) => sum + entry.transferSize, 0),
    };";

/// Runs in the form, before it is sent.
const WATCH: &str = "addEventListener('submit', () => {
    window.submittedAt = performance.now();
}, true);";

/// Runs in the form, after it was sent: from the press of the button to the request.
const SENT: &str = "const sent = performance.getEntriesByType('resource')
        .find((entry) => entry.name.endsWith('/v1/payments'));
    return sent ? Math.round((sent.startTime - window.submittedAt) * 1000) : null;";

#[derive(Debug, Default)]
struct Times {
    ready: Vec<u64>,
    form_requests: Vec<u64>,
    form_bytes: Vec<u64>,
    submit_to_request: Vec<u64>,
}

/// Nothing when there is no browser.
pub(crate) async fn measure() -> Value {
    eprintln!("the form in Chromium");
    let site = MerchantSite::open();
    let folder = Folder::new("bench");
    let setup = crate::setup(folder.path());
    let merchant = setup.add_merchant_on(&site.origin(), None);
    let (process, _) = setup.started().await;
    let mut times = Times::default();
    for run in 0..RUNS {
        let address = publish(&site, &setup, &merchant, run);
        let Some(session) = Session::open(Isolation::Sites).await else {
            return Value::Null;
        };
        times.take(&session, &address).await;
        session.close().await;
    }
    drop(process);
    json!({
        "runs": RUNS,
        "usable_us": median(&times.ready),
        "usable_us_of_runs": times.ready,
        "requests_of_the_form": median(&times.form_requests),
        "bytes_of_the_form": median(&times.form_bytes),
        "submit_to_request_us": median(&times.submit_to_request),
    })
}

/// A page with the script tag that a merchant copies.
fn publish(site: &MerchantSite, setup: &Setup, merchant: &Merchant, run: usize) -> String {
    let verifier = setup.origin.to_string();
    let order = merchant.sign(&OrderClaims {
        parent_origins: vec![origin(&site.origin())],
        ..merchant.claims(&setup.origin)
    });
    let page = Page {
        body: format!(
            r#"<script src="{verifier}/checkout.js" data-order="{order}" async></script>"#
        ),
        script: LISTEN.into(),
        scripts: verifier.clone(),
        frames: verifier,
        ..Page::default()
    };
    site.publish(&format!("page-{run}"), page)
}

impl Times {
    async fn take(&mut self, session: &Session, address: &str) {
        session.go(address).await;
        let ready = eventually("the form's ready", async || {
            session
                .run("return window.readyAfter", Vec::new())
                .await
                .as_u64()
        });
        self.ready.push(ready.await);
        session.enter_form().await;
        let loaded = session.run(LOADED, Vec::new()).await;
        self.form_requests.extend(loaded["requests"].as_u64());
        self.form_bytes.extend(loaded["bytes"].as_u64());
        session.run(WATCH, Vec::new()).await;
        session.fill_in(VISA).await;
        session.press(PAY).await;
        let sent = eventually("the payment's request", async || {
            session.run(SENT, Vec::new()).await.as_u64()
        });
        self.submit_to_request.push(sent.await);
    }
}
