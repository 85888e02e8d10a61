//! The outbox against real endpoints on the loopback: at least once, signed twice, and nowhere
//! else than where it may go.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops where it cannot go on"
)]

mod addresses;
mod deliveries;
mod endpoint;

use harness::gateway::TestGateway;
use serde_json::Value;
use std::time::Duration;

/// A verifier whose webhooks may go to the loopback.
async fn gateway() -> TestGateway {
    gateway_that_allows(&["127.0.0.0/8"], true).await
}

/// A verifier with these settings. Its clock stands still, so that nothing is tried again until
/// the test says so, however busy the machine is.
async fn gateway_that_allows(networks: &[&str], http: bool) -> TestGateway {
    let gateway = TestGateway::with(|config| {
        config.webhooks.allow = networks.iter().map(|network| (*network).into()).collect();
        config.webhooks.allow_http = http;
    })
    .await;
    gateway.clock.stop();
    gateway
}

/// The deliveries of a merchant's newest event, once they are as expected.
async fn delivery_when(
    gateway: &TestGateway,
    api_key: &str,
    expected: impl Fn(&Value) -> bool,
) -> Value {
    let mut last = Value::Null;
    for _ in 0..1000 {
        let page: Value = gateway.get("/v1/events", Some(api_key)).await.json();
        last = page["data"][0]["deliveries"][0].clone();
        if expected(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the delivery is not as expected: {last}");
}

/// Moves the clock and wakes the outbox.
fn later(gateway: &TestGateway, seconds: i64) {
    gateway.move_clock(seconds);
    gateway.server.state.gateway.wake_outbox();
}
