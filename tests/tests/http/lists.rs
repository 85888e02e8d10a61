//! Lists are read page by page: `GET /v1/payments` and `GET /v1/events`.

use crate::databases::on_both_databases;
use harness::client::{APPROVED, card};
use harness::gateway::TestGateway;
use serde_json::Value;

on_both_databases! {
    lists_are_paged_newest_first,
}

/// Reads a list to its end and returns the identifiers in list order.
async fn read_all(gateway: &TestGateway, list: &str, limit: usize) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let after = ids
            .last()
            .map(|id| format!("&after={id}"))
            .unwrap_or_default();
        let path = format!("{list}?limit={limit}{after}");
        let answer = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
        let page: Value = answer.json();
        let rows = page["data"].as_array().unwrap();
        ids.extend(
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        let more = page["has_more"].as_bool().unwrap();
        assert!(rows.len() == limit || !more, "{path}");
        if !more {
            return ids;
        }
    }
}

async fn lists_are_paged_newest_first(gateway: &TestGateway) {
    let mut paid = Vec::new();
    for _ in 0..7 {
        paid.push(gateway.pay(None, &card(APPROVED)).await.payment.to_string());
    }
    paid.reverse();
    for limit in [1, 3, 6, 7, 8, 100] {
        let mut read = read_all(gateway, "/v1/payments", limit).await;
        assert_eq!(read.len(), 7, "pages of {limit}");
        // Ids from the same millisecond are ordered by their random part.
        let mut newest_first = read.clone();
        newest_first.sort_by(|a, b| b.cmp(a));
        assert_eq!(read, newest_first, "pages of {limit}");
        read.sort();
        let mut expected = paid.clone();
        expected.sort();
        assert_eq!(read, expected, "pages of {limit}");
        assert_eq!(read_all(gateway, "/v1/events", limit).await.len(), 7);
    }
}
