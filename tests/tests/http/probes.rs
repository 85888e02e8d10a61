//! Probes are cached for a second.

use harness::client::Prepared;
use harness::gateway::TestGateway;
use std::time::Duration;

#[tokio::test]
async fn readiness_probe_is_cached_for_one_second() {
    let gateway = TestGateway::start().await;
    let ask = async || {
        let answer = gateway.send(Prepared::get_of("/readyz", None)).await;
        answer.status.as_u16()
    };
    assert_eq!(ask().await, 200);
    // A closed store responds to no query, so a 200 comes from memory.
    gateway.server.state.gateway.store().close().await;
    for _ in 0..100 {
        assert_eq!(ask().await, 200, "from memory");
    }
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(ask().await >= 500, "the store was asked");
    // Nothing can be looked for in a store that is closed.
    gateway.abandon();
}
