use super::{advance, begin_first_period, begin_trial, resume};
use crate::invoices::model::InvoiceLine;
use crate::prices::model::Metadata;
use crate::subscriptions::anchor::Anchor;
use crate::subscriptions::interval::{Interval, IntervalUnit};
use crate::subscriptions::model::{Due, Plan, PlanItem, StoredAnchor, Subscription};
use crate::subscriptions::state::SubscriptionState;
use jiff::Timestamp;
use sealpay_protocol::ids::{AgreementId, CustomerId, MerchantId, PriceId, SubscriptionId};

fn ms(time: &str) -> i64 {
    let time: Timestamp = time.parse().unwrap();
    time.as_millisecond()
}

fn plan(unit: IntervalUnit, count: u16, unit_minor: i64) -> Plan {
    Plan {
        interval: Interval::new(unit, count).unwrap(),
        currency: "EUR".into(),
        items: vec![PlanItem {
            price: PriceId::new(1, [1; 10]),
            name: "Oil".into(),
            unit_minor,
            quantity: 1,
        }],
        simulate: None,
    }
}

/// A monthly subscription that starts at a time, anchored there.
fn subscription(start: &str, zone: &str) -> Subscription {
    let anchor = Anchor::at(start.parse().unwrap(), zone).unwrap();
    let start_ms = ms(start);
    Subscription {
        id: SubscriptionId::new(1, [1; 10]),
        merchant: MerchantId::new(1, [1; 10]),
        customer: CustomerId::new(1, [1; 10]),
        agreement: Some(AgreementId::new(1, [1; 10])),
        state: SubscriptionState::Incomplete,
        plan: plan(IntervalUnit::Month, 1, 900),
        queued_plan: None,
        anchor: StoredAnchor::new(&anchor),
        period_number: 0,
        period_start_ms: start_ms,
        period_end_ms: start_ms,
        cancels_at_period_end: false,
        ended_at_ms: None,
        end_reason: None,
        paused_at_ms: None,
        resumes_at_ms: None,
        dunning: None,
        metadata: Metadata::default(),
        due: None,
        due_at_ms: 0,
        lease_until_ms: 0,
        sequence: 1,
        created_at_ms: start_ms,
        updated_at_ms: start_ms,
    }
}

/// The same, paid.
fn active(start: &str, zone: &str) -> Subscription {
    let mut subscription = subscription(start, zone);
    begin_first_period(&mut subscription).unwrap();
    subscription.state = SubscriptionState::Active;
    subscription.schedule(Some((Due::PeriodEnd, subscription.period_end_ms)));
    subscription
}

/// What is due is carried out so many times; the starts of the periods, and the amounts.
fn live(mut subscription: Subscription, times: usize) -> Vec<(i64, i64)> {
    let mut seen = Vec::new();
    for _ in 0..times {
        let Some(due) = subscription.due else { break };
        let step = advance(&subscription, due).unwrap();
        subscription = step.subscription;
        let sum = |lines: Vec<InvoiceLine>| lines.iter().map(|line| line.amount_minor).sum();
        seen.push((subscription.period_start_ms, step.lines.map_or(0, sum)));
    }
    seen
}

#[test]
fn last_day_of_the_month_returns_after_a_short_one() {
    let periods = live(active("2027-01-31T09:00:00Z", "Etc/UTC"), 4);
    let starts = [
        "2027-02-28T09:00:00Z",
        "2027-03-31T09:00:00Z",
        "2027-04-30T09:00:00Z",
        "2027-05-31T09:00:00Z",
    ];
    assert_eq!(periods, starts.map(|start| (ms(start), 900)));
}

#[test]
fn local_time_stays_when_clocks_change() {
    // 02:30 is skipped on 2027-03-28 in Berlin: the period starts at the end of the gap.
    let mut one = subscription("2027-03-26T01:30:00Z", "Europe/Berlin");
    one.plan = plan(IntervalUnit::Day, 1, 900);
    begin_first_period(&mut one).unwrap();
    one.state = SubscriptionState::Active;
    one.schedule(Some((Due::PeriodEnd, one.period_end_ms)));
    let starts = [
        "2027-03-27T01:30:00Z",
        "2027-03-28T01:00:00Z",
        "2027-03-29T00:30:00Z",
    ];
    assert_eq!(live(one, 3), starts.map(|start| (ms(start), 900)));
}

#[test]
fn trial_is_announced_three_days_before_it_ends() {
    let mut one = subscription("2027-01-01T00:00:00Z", "Etc/UTC");
    begin_trial(&mut one, ms("2027-01-15T00:00:00Z"));
    assert_eq!(one.due, Some(Due::TrialNotice));
    assert_eq!(one.due_at_ms, ms("2027-01-12T00:00:00Z"));
    let step = advance(&one, Due::TrialNotice).unwrap();
    assert_eq!(step.event, "subscription.trial_ending");
    assert_eq!(step.subscription.due, Some(Due::PeriodEnd));
    let mut short = subscription("2027-01-01T00:00:00Z", "Etc/UTC");
    begin_trial(&mut short, ms("2027-01-03T00:00:00Z"));
    assert_eq!(
        short.due,
        Some(Due::PeriodEnd),
        "it was announced when it began"
    );
}

#[test]
fn subscription_that_cancels_at_the_end_begins_no_period() {
    let mut one = active("2027-01-31T09:00:00Z", "Etc/UTC");
    one.cancels_at_period_end = true;
    let step = advance(&one, Due::PeriodEnd).unwrap();
    assert_eq!(step.event, "subscription.canceled");
    assert_eq!(step.lines, None);
    assert_eq!(step.subscription.due, None);
    assert_eq!(step.subscription.ended_at_ms, Some(one.period_end_ms));
}

#[test]
fn queued_plan_with_another_interval_is_anchored_anew() {
    let mut one = active("2027-01-31T09:00:00Z", "Etc/UTC");
    one.queued_plan = Some(plan(IntervalUnit::Week, 1, 300));
    let step = advance(&one, Due::PeriodEnd).unwrap();
    let after = step.subscription;
    assert_eq!(after.period_start_ms, ms("2027-02-28T09:00:00Z"));
    assert_eq!(after.period_end_ms, ms("2027-03-07T09:00:00Z"));
    assert_eq!(after.period_number, 2, "each number is invoiced once");
    assert_eq!(live(after, 1), [(ms("2027-03-07T09:00:00Z"), 300)]);
}

#[test]
fn resumed_subscription_goes_on_or_begins_anew() {
    let before = active("2027-01-31T09:00:00Z", "Etc/UTC");
    let mut soon = before.clone();
    assert_eq!(resume(&mut soon, ms("2027-02-10T00:00:00Z")), Ok(None));
    assert_eq!(soon.due_at_ms, before.period_end_ms);
    let mut late = before;
    let lines = resume(&mut late, ms("2027-06-10T12:00:00Z"))
        .unwrap()
        .unwrap();
    assert_eq!(lines[0].amount_minor, 900);
    assert!(!lines[0].is_prorated);
    assert_eq!(late.period_start_ms, ms("2027-06-10T12:00:00Z"));
    assert_eq!(late.period_end_ms, ms("2027-07-10T12:00:00Z"));
    assert_eq!(late.period_number, 2);
}

#[test]
fn first_period_before_the_anchor_is_prorated_and_numbered_from_one() {
    let mut one = subscription("2027-01-16T00:00:00Z", "Etc/UTC");
    let anchor = Anchor::new(
        "2027-02-01".parse().unwrap(),
        1,
        "00:00:00".parse().unwrap(),
        "UTC",
    );
    one.anchor = StoredAnchor::new(&anchor.unwrap());
    one.plan = plan(IntervalUnit::Month, 1, 3100);
    let lines = begin_first_period(&mut one).unwrap();
    assert_eq!(lines[0].amount_minor, 1600, "16 of 31 days");
    assert!(lines[0].is_prorated);
    assert_eq!(one.period_number, 1);
    one.schedule(Some((Due::PeriodEnd, one.period_end_ms)));
    one.state = SubscriptionState::Active;
    let starts = ["2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"];
    assert_eq!(live(one, 2), starts.map(|start| (ms(start), 3100)));
}
