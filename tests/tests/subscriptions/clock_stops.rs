//! The clock and the loops of a server that runs, which take over what is due as well.

use super::{DAY, advance, invoices, monthly};
use crate::databases::on_both_databases;
use harness::gateway::TestGateway;
use serde_json::json;
use std::time::Duration;
use verifier_server::config::Config;
use verifier_server::{invoices as server_invoices, subscriptions as server_subscriptions};

/// The bank is slow on purpose.
fn patient(config: &mut Config) {
    config.provider_timeout_ms = 10_000;
}

on_both_databases! {
    with patient:
    clock_waits_for_a_charge_that_another_task_has_taken_over,
}

async fn clock_waits_for_a_charge_that_another_task_has_taken_over(gateway: &TestGateway) {
    let made = monthly(gateway).await;
    gateway.move_clock(i64::try_from(31 * DAY + 3600).unwrap());
    let server = &gateway.server.state.gateway;
    server_subscriptions::renew::renew(server).await.unwrap();
    let slow = json!({"kind": "latency", "min_ms": 1000, "max_ms": 1000, "next": 1});
    gateway.fault(&slow).await;
    let before = gateway.now();
    let charging = server_invoices::collect::collect(server);
    let moving = async {
        // The bank has been asked meanwhile.
        tokio::time::sleep(Duration::from_millis(300)).await;
        advance(gateway, 5 * DAY).await;
    };
    let (charged, ()) = tokio::join!(charging, moving);
    charged.unwrap();
    assert!(gateway.now() >= before + 5 * DAY);
    let paid_at = invoices(gateway, &made).await[1]["closed_at"].as_u64();
    let paid_at = paid_at.expect("the charge is approved");
    assert!(
        paid_at < before + 60,
        "charged {} seconds late",
        paid_at - before
    );
}
