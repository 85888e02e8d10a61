//! `/sim/upcoming`: what falls due, and going there.

use super::{agreement, invoices, monthly, price, subscribe};
use crate::databases::on_both_databases;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use serde_json::{Value, json};
use verifier_server::simulation::clock::{self, ClockChange};

async fn upcoming(gateway: &TestGateway) -> Vec<Value> {
    let Value::Array(rows) = gateway.look("/sim/upcoming").await["data"].take() else {
        panic!("there is no list");
    };
    rows
}

fn of<'a>(rows: &'a [Value], resource: &Value) -> Vec<(&'a str, u64)> {
    let of_resource = rows.iter().filter(|row| row["resource"] == *resource);
    of_resource
        .map(|row| (row["type"].as_str().unwrap(), row["at"].as_u64().unwrap()))
        .collect()
}

async fn go_to(gateway: &TestGateway, at: u64) {
    let change = ClockChange {
        advance_seconds: None,
        to: Some(at),
    };
    let gateway = &gateway.server.state.gateway;
    clock::set(gateway, change)
        .await
        .expect("the clock is advanced");
}

async fn year_of_renewals_is_listed_and_each_happens_when_it_says(gateway: &TestGateway) {
    gateway.clock.stop();
    let made = monthly(gateway).await;
    let rows = upcoming(gateway).await;
    let renewals = of(&rows, &made["id"]);
    assert!((12..=13).contains(&renewals.len()), "{renewals:?}");
    assert!(renewals.iter().all(|(kind, _)| *kind == "renewal"));
    assert_eq!(renewals[0].1, made["period_end"].as_u64().unwrap());
    assert!(rows.is_sorted_by_key(|row| row["at"].as_u64()), "{rows:?}");
    let settles = rows.iter().any(|row| row["type"] == "settlement");
    assert!(settles, "the first payment is settled: {rows:?}");
    for (place, (_, at)) in renewals.iter().take(3).enumerate() {
        go_to(gateway, at - 1).await;
        assert_eq!(invoices(gateway, &made).await.len(), place + 1);
        go_to(gateway, *at).await;
        let all = invoices(gateway, &made).await;
        assert_eq!(all.len(), place + 2);
        assert_eq!(all[place + 1]["lines"][0]["period_start"], *at);
    }
}

async fn planned_retry_is_listed_until_it_is_made(gateway: &TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let declined = json!({"simulate": {"outcome": "insufficient_funds", "invoice": 2}});
    let price = price(gateway, 900, declined).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    go_to(gateway, made["period_end"].as_u64().unwrap()).await;
    let second = invoices(gateway, &made).await.remove(1);
    assert_eq!(second["failure"], "insufficient_funds");
    let planned = of(&upcoming(gateway).await, &second["id"])
        .into_iter()
        .map(|(kind, at)| (kind.to_owned(), at))
        .collect::<Vec<_>>();
    let at = second["next_attempt_at"].as_u64().unwrap();
    assert_eq!(planned, [("charge".to_owned(), at)]);
    go_to(gateway, at).await;
    let second = invoices(gateway, &made).await.remove(1);
    assert_eq!(second["attempts"], 2, "{second}");
}

async fn nothing_is_planned_for_an_empty_server(gateway: &TestGateway) {
    assert_eq!(upcoming(gateway).await, Vec::<Value>::new());
}

on_both_databases! {
    year_of_renewals_is_listed_and_each_happens_when_it_says,
    planned_retry_is_listed_until_it_is_made,
    nothing_is_planned_for_an_empty_server,
}
