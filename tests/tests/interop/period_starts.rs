//! Starts of subscription periods with `zoneinfo` and `dateutil`.

use super::peers::PYTHON;
use super::{accepted, assert_refused};
use serde_json::json;

/// The table that the server's own tests compare with the server.
const STARTS: &str = include_str!("../../../verifier-server/src/subscriptions/period/starts.txt");

#[test]
fn python_computes_the_same_period_starts() {
    let rows = STARTS.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<_> = rows.filter_map(|line| line.split_once(": ")).collect();
    assert!(rows.len() > 60, "the table has {} rows", rows.len());
    let mut questions: Vec<_> = rows
        .iter()
        .map(|(row, starts)| {
            json!({"ask": "period_starts", "row": row, "count": starts.split(' ').count()})
        })
        .collect();
    let row = "Europe/Atlantis 2024-01-01 1 00:00:00 P1M 0";
    questions.push(json!({"ask": "period_starts", "row": row, "count": 1}));
    let Some(answers) = PYTHON.ask("python_computes_the_same_period_starts", &questions) else {
        return;
    };
    for ((row, starts), answer) in rows.iter().zip(&answers) {
        let starts: Vec<_> = starts.split(' ').collect();
        assert_eq!(*accepted(answer), json!(starts), "{row}");
    }
    assert_refused(&answers[rows.len()], "a zone that does not exist");
}
