use super::{HOSTILE, hostile, story};
use crate::settlements::report::json::{report, write};
use serde_json::Value;

#[test]
fn totals_of_json_reports_add_up() {
    for seed in 0..60 {
        let story = story(seed);
        let report = report(&story.statement());
        let trailer = &report.trailer;
        let (mut gross, mut fees, mut net) = (0, 0, 0);
        for line in &report.lines {
            let parts = line.fees.interchange + line.fees.scheme + line.fees.processor;
            assert_eq!(line.fees.total, parts);
            assert_eq!(line.amount - line.fees.total, line.net);
            gross += line.amount;
            fees += line.fees.total;
            net += line.net;
        }
        assert_eq!(
            (gross, fees, net),
            (trailer.gross, trailer.fees.total, trailer.net)
        );
        assert_eq!(usize::try_from(trailer.lines).unwrap(), report.lines.len());
        let (before, after) = (
            net + trailer.brought_forward,
            trailer.payout + trailer.carried_forward,
        );
        assert_eq!(before, after, "seed {seed}");
    }
}

#[test]
fn hostile_references_round_trip_in_json() {
    let story = hostile();
    let report: Value = serde_json::from_str(&write(&story.statement())).unwrap();
    for (line, expected) in report["lines"].as_array().unwrap().iter().zip(HOSTILE) {
        assert_eq!(line["order_ref"], *expected);
    }
    assert_eq!(report["merchant_name"], *story.merchant_name);
    assert_eq!(report["lines"].as_array().unwrap().len(), HOSTILE.len());
}

#[test]
fn the_text_equals_the_serialized_report() {
    let story = story(5);
    let report = report(&story.statement());
    assert_eq!(
        serde_json::to_string(&report).unwrap(),
        write(&story.statement())
    );
    assert_eq!(report.trailer.sha256.len(), 64);
}
