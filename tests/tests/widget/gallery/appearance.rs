//! The form in the looks that pages give it.

use super::rich_claims;
use crate::widget::embedding::page;
use harness::gallery::Gallery;
use harness::scenario::Scenario;
use harness::shopper::{FRAME, INSUFFICIENT_FUNDS, NOTICE, PAY};
use harness::stage::{Stage, Staging};
use std::sync::Arc;

/// The name of a look, and the options of `mount` that make it.
const LOOKS: [(&str, &str); 4] = [
    ("card", "appearance: { frame: 'card' }"),
    (
        "bare",
        "summary: false, appearance: { accent: '#a33d1f', radius: 4, density: 'compact' }",
    ),
    (
        "paper",
        "appearance: { background: '#faf6ee', text: '#2b2520', border: '#8f8172', \
         danger: '#9c2b1c', accent: '#a33d1f', font: 'serif', size: 18, spacing: 20 }",
    ),
    (
        "night",
        "appearance: { background: '#10131a', accent: '#ffd58a', radius: 24, size: 14 }",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_look_can_be_seen_and_used_by_everybody() {
    let stage = Arc::new(Stage::set_up(Staging::default()));
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("looks");
    scenario
        .play(&stage, async move |session| {
            let mut gallery = Gallery::new(&session, Some(FRAME));
            for (name, options) in LOOKS {
                let claims = rich_claims(&own, &format!("look-{name}"));
                let order = own.merchant.sign(&claims);
                let body =
                    "<div id=\"form\"></div><script src=\"{verifier}/checkout.js\"></script>";
                let script = format!("Sealpay.mount('#form', {{ order: '{order}', {options} }});");
                let address = own.site.publish(name, page(&own, body, &script));
                session.go(&address).await;
                session.enter_form().await;
                session.fill_in(INSUFFICIENT_FUNDS).await;
                session.press(PAY).await;
                session.read(NOTICE, "declined").await;
                session.press(PAY).await;
                gallery.show(&format!("look-{name}")).await;
            }
            gallery.close();
        })
        .await;
}
