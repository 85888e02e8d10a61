//! Daily limits of endpoints and redeliveries.

use super::receiver::{Endpoint, Reaction};
use super::{gateway, pay_for, post};
use harness::back_office::{key, write};
use serde_json::{Value, json};
use verifier_server::maintain::purge_deliveries;
use verifier_server::webhooks::endpoints::store::usage::ENDPOINTS_A_DAY;

const PATH: &str = "/v1/webhook-endpoints";

#[tokio::test]
async fn endpoint_limits_are_daily_and_leave_no_rows() {
    let gateway = gateway().await;
    if gateway.now() % 86_400 > 80_000 {
        // The day does not end in the middle of this.
        gateway.move_clock(10_000);
    }
    let merchant = gateway.register(None).await;
    for _ in 0..3 {
        pay_for(&gateway, &merchant, None).await;
    }
    let target = Endpoint::start(vec![Reaction::Status(200)]).await;
    let mut rounds = 0;
    let refused = loop {
        let body = json!({"url": target.url(), "event_types": ["payment.captured"]});
        let made = post(&gateway, &merchant.api_key, PATH, &body).await;
        if made.status != 201 {
            break made;
        }
        let id = made.json::<Value>()["id"].as_str().unwrap().to_owned();
        let body = json!({"from": 0, "until": 4_102_444_800_u64});
        let path = format!("{PATH}/{id}/redeliver");
        let begun = post(&gateway, &merchant.api_key, &path, &body).await;
        assert_eq!(begun.json::<Value>()["scheduled"], 3);
        let mut delete = write(
            &merchant.api_key,
            &format!("{PATH}/{id}"),
            &key(),
            &json!({}),
        );
        delete.method = "DELETE".into();
        assert_eq!(gateway.send(delete).await.status, 204);
        rounds += 1;
    };
    assert_eq!((refused.status.as_u16(), rounds), (429, ENDPOINTS_A_DAY));
    assert_eq!(refused.code(), "limit_reached");
    let count = "SELECT COUNT(*) FROM deliveries";
    assert_eq!(gateway.rows(count).await, [["150"]]);
    gateway.move_clock(600);
    let server = &gateway.server.state.gateway;
    purge_deliveries(server).await.unwrap();
    for table in ["deliveries", "delivery_attempts", "webhook_endpoints"] {
        let count = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(gateway.rows(&count).await, [["0"]], "{table}");
    }
    // Deleting gave nothing back, and another merchant is not concerned.
    let body = json!({"url": target.url()});
    let refused = post(&gateway, &merchant.api_key, PATH, &body).await;
    assert_eq!(refused.code(), "limit_reached");
    let other = gateway.register(None).await;
    assert_eq!(
        post(&gateway, &other.api_key, PATH, &body).await.status,
        201
    );
    gateway.move_clock(86_400);
    purge_deliveries(server).await.unwrap();
    let made = post(&gateway, &merchant.api_key, PATH, &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    gateway.finish().await;
}
