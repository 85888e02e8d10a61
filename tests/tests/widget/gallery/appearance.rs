//! The form in the appearances that pages choose.

use super::rich_claims;
use crate::widget::embedding::page;
use harness::gallery::Gallery;
use harness::scenario::play_alone;
use harness::shopper::{FRAME, INSUFFICIENT_FUNDS, NOTICE, PAY};

/// The name of a look, and the options of `mount` that make it.
#[rustfmt::skip]
const LOOKS: [(&str, &str); 4] = [
    ("card", "appearance: { frame: 'card' }"),
    ("bare", "summary: false, appearance: { accent: '#a33d1f', radius: 4, density: 'compact' }"),
    (
        "paper",
        "appearance: { background: '#faf6ee', text: '#2b2520', border: '#8f8172', \
         danger: '#9c2b1c', accent: '#a33d1f', font: 'serif', size: 18, spacing: 20 }",
    ),
    ("night", "appearance: { background: '#10131a', accent: '#ffd58a', radius: 24, size: 14 }"),
];

#[tokio::test(flavor = "multi_thread")]
async fn appearances_are_accessible() {
    play_alone("looks", async move |session, environment| {
        let mut gallery = Gallery::new(&session, Some(FRAME));
        for (name, options) in LOOKS {
            let claims = rich_claims(&environment, &format!("look-{name}"));
            let order = environment.merchant.sign(&claims);
            let body = "<div id=\"form\"></div><script src=\"{verifier}/checkout.js\"></script>";
            let script = format!("Sealpay.mount('#form', {{ order: '{order}', {options} }});");
            let address = environment
                .site
                .publish(name, page(&environment, body, &script));
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
