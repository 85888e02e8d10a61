//! Saved cards in Chromium; `engines` has the same in Firefox and WebKit.

use super::engines::flows::pay_by_saved_card;
use harness::engine::Engine;

#[tokio::test(flavor = "multi_thread")]
async fn saved_card_pays_the_next_order_and_is_removed() {
    pay_by_saved_card(Engine::Chromium).await;
}
