//! Path independence: one advance of the clock by 400 days has the events, in the order and at the
//! times, of many short ones.

use super::{DAY, HOUR, advance, id, merge, price, subscribe};
use crate::agreements::{agreed_in, agreeing};
use harness::chance::Chance;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use harness::processes::setting;
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::order::OrderClaims;
use serde_json::{Value, json};
use verifier_server::maintain;

/// Cards whose renewals end in different ways.
const CARDS: [&str; 8] = [
    APPROVED,
    "4000008001000004",
    "4000008002000003",
    "4000008003000002",
    "4000008004000001",
    "5200008006000004",
    "5200008007000003",
    "4000008005000000",
];

/// On both hemispheres, with daylight saving at midnight, of half an hour, and without.
const ZONES: [&str; 8] = [
    "Etc/UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "America/St_Johns",
];

/// What one subscription is, and what is done to it; days from the start.
#[derive(Debug, Clone)]
struct Life {
    card: &'static str,
    zone: &'static str,
    interval: Value,
    trial_days: u64,
    dunning: Value,
    events: Vec<(u64, Change)>,
}

#[derive(Debug, Clone)]
enum Change {
    Plan(i64),
    Queue(i64),
    Pause(Option<u64>),
    Resume,
    CancelLater,
    /// The customer begins to pay the oldest open invoice on its page, and goes away.
    BeginToPay,
}

fn life(chance: &mut Chance) -> Life {
    let unit = *chance.pick(&["day", "week", "month", "month", "month", "year"]);
    let count = match unit {
        "day" => *chance.pick(&[9, 30, 45]),
        "week" => *chance.pick(&[2, 5]),
        "month" => *chance.pick(&[1, 1, 2, 3]),
        _ => 1,
    };
    let later: Vec<u64> = (0..chance.between(0, 4))
        .map(|_| 1 + chance.between(0, 120))
        .collect();
    let end = *chance.pick(&["cancel", "unpaid", "keep"]);
    let mut events = Vec::new();
    for _ in 0..chance.between(0, 4) {
        let change = match chance.between(0, 7) {
            0 => Change::Plan(*chance.pick(&[100, 777, 5000])),
            1 => Change::Queue(*chance.pick(&[100, 777, 5000])),
            2 => Change::Pause(Some(10 + chance.between(0, 60))),
            3 => Change::Pause(None),
            4 | 5 => Change::BeginToPay,
            _ => Change::CancelLater,
        };
        let at = 1 + chance.between(0, 380);
        if matches!(change, Change::Pause(None)) {
            let until = (at + 1 + chance.between(0, 40)).min(399);
            events.push((until, Change::Resume));
        }
        events.push((at, change));
    }
    Life {
        card: chance.pick::<&'static str>(&CARDS),
        zone: chance.pick::<&'static str>(&ZONES),
        interval: json!({"unit": unit, "count": count}),
        trial_days: *chance.pick(&[0, 0, 0, 1, 14, 31]),
        dunning: json!({
            "delays_hours": {"later": later, "back_off": [1, 2]},
            "horizon_days": 1 + chance.between(0, 40),
            "end": end,
        }),
        events,
    }
}

/// The lives of a seed begin at any minute of these years, leap days included.
fn beginning_ms(chance: &mut Chance) -> u64 {
    let first = 1_801_526_400; // 2027-02-01
    (first + chance.between(0, 500 * 24 * 60) * 60) * 1000
}

/// Lives all lives of a seed, with the clock advanced by `steps`; every event that was published.
async fn live(gateway: &TestGateway, seed: u64, steps: impl Fn(u64) -> Vec<u64>) -> Vec<String> {
    let mut chance = Chance::of(seed);
    gateway.clock.stop_at(beginning_ms(&mut chance));
    let refreshed = maintain::refresh_keys(&gateway.server.state.gateway).await;
    refreshed.expect("there are keys for that time");
    let mut todo: Vec<(u64, u64, Change)> = Vec::new();
    let mut made = Vec::new();
    for place in 0..number("SEALPAY_LIVES").unwrap_or(5) {
        let life = life(&mut chance);
        // Each code that the issuer sends has a time of its own.
        gateway.move_clock(60);
        let of_customer = |claims: &mut OrderClaims| {
            agreeing(claims, AgreementKind::Subscription, None);
            // Some customers have two of them.
            claims.customer = Some(format!("customer-{}", place / 2));
        };
        let agreement = agreed_in(gateway, of_customer, life.card).await;
        let price = price(gateway, 900, json!({"interval": life.interval})).await;
        let mut changes = json!({
            "time_zone": life.zone,
            "dunning": life.dunning,
            "metadata": {"place": place.to_string()},
        });
        if life.trial_days > 0 {
            merge(&mut changes, json!({"trial_days": life.trial_days}));
        }
        made.push((
            subscribe(gateway, &agreement, &price, changes).await,
            life.clone(),
        ));
        let events = life.events.into_iter();
        todo.extend(events.map(|(day, change)| (day, place, change)));
    }
    todo.sort_by_key(|(day, place, _)| (*day, *place));
    let mut today = 0;
    for (day, place, change) in todo {
        for step in steps((day - today) * DAY) {
            advance(gateway, step).await;
        }
        today = day;
        let (subscription, life) = &made[usize::try_from(place).expect("a few lives")];
        change_it(gateway, subscription, life, change).await;
    }
    for step in steps((400 - today) * DAY) {
        advance(gateway, step).await;
    }
    published(gateway).await
}

/// A change that the state does not permit is refused, which is part of the life.
async fn change_it(gateway: &TestGateway, subscription: &Value, life: &Life, change: Change) {
    let path = format!("/v1/subscriptions/{}", id(subscription));
    let (verb, body) = match change {
        Change::Plan(amount) | Change::Queue(amount) => {
            let price = price(gateway, amount, json!({"interval": life.interval})).await;
            let effective = if matches!(change, Change::Plan(_)) {
                "now"
            } else {
                "period_end"
            };
            let items = json!([{"price": price["id"]}]);
            ("change", json!({"items": items, "effective": effective}))
        }
        Change::Pause(None) => ("pause", json!({})),
        Change::Pause(Some(days)) => ("pause", json!({"resumes_at": gateway.now() + days * DAY})),
        Change::Resume => ("resume", json!({})),
        Change::CancelLater => ("cancel", json!({})),
        Change::BeginToPay => return crate::invoices::begin_to_pay(gateway, subscription).await,
    };
    let _ = super::post(gateway, &format!("{path}/{verb}"), &body).await;
}

/// Every event about money or subscriptions: when, which type, about what, in which state. Ids differ
/// between two runs; what they name is the place of a subscription.
async fn published(gateway: &TestGateway) -> Vec<String> {
    let subscriptions = gateway.rows("SELECT id, metadata FROM subscriptions").await;
    let place_of = |text: &str| {
        let mut found = subscriptions.iter().filter(|row| row[0] == text);
        found.next().map_or_else(String::new, |row| row[1].clone())
    };
    let invoices = gateway.rows("SELECT id, subscription FROM invoices").await;
    let subscription_of = |invoice: &str| {
        let mut found = invoices.iter().filter(|row| row[0] == invoice);
        found.next().map_or("", |row| row[1].as_str())
    };
    let mut published = Vec::new();
    let events = "SELECT kind, body FROM events ORDER BY created_at_ms, id";
    for row in gateway.rows(events).await {
        let (kind, body) = (&row[0], &row[1]);
        let body: Value = serde_json::from_str(body).expect("an event is JSON");
        let (time, data) = (&body["timestamp"], &body["data"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let line = if let Some(one) = data.get("subscription") {
            let place = place_of(&text(&one["id"]));
            format!(
                "{place} {} {} {}",
                one["state"], one["period_start"], one["period_end"]
            )
        } else if let Some(one) = data.get("invoice") {
            let place = place_of(&text(&one["subscription"]));
            format!(
                "{place} {} {} {} {} {} {} {}",
                one["state"],
                one["total"],
                one["amount_due"],
                one["attempts"],
                one["next_attempt_at"],
                one["failure"],
                one["lines"]
            )
        } else if let Some(one) = data.get("payment") {
            let place = place_of(subscription_of(&text(&one["invoice"])));
            format!(
                "{place} {} {} {}",
                one["state"], one["amount"], one["decline"]["reason"]
            )
        } else {
            let one = data.get("settlement").or_else(|| data.get("payout"));
            let amount = one.map(|one| (one["gross"].clone(), one["amount"].clone()));
            format!("{amount:?}")
        };
        // Prices differ between two runs.
        let line = without_prices(&line);
        if !kind.starts_with("customer.") && !kind.starts_with("instrument.saved") {
            published.push(format!("{time} {kind} {line}"));
        }
    }
    published
}

/// The line without ids of prices.
fn without_prices(line: &str) -> String {
    let mut rest = line;
    let mut without = String::new();
    while let Some(found) = rest.find("pri_") {
        without.push_str(&rest[..found]);
        rest = &rest[(found + 30).min(rest.len())..];
    }
    without.push_str(rest);
    without
}

/// The events of one subscription stay in their order; at one instant, different ones have none.
fn ordered(mut published: Vec<String>) -> Vec<String> {
    // Stable: lines of one instant and place stay as they are.
    published.sort_by_key(|line| {
        let time = line.get(..22).unwrap_or_default().to_owned();
        let place = line.split("\"place\":").nth(1);
        let place = place.and_then(|rest| rest.split('}').next());
        let place = place.unwrap_or_default().to_owned();
        (time, place)
    });
    published
}

async fn compare(seed: u64, one: TestGateway, other: TestGateway) {
    let whole = live(&one, seed, |seconds| {
        Vec::from_iter((seconds > 0).then_some(seconds))
    })
    .await;
    let steps = |seconds: u64| {
        let mut chance = Chance::of(seed ^ seconds);
        let (mut left, mut steps) = (seconds, Vec::new());
        while left > 0 {
            let step = if seed.is_multiple_of(2) {
                DAY
            } else {
                1 + chance.between(0, 5 * DAY + HOUR)
            };
            steps.push(step.min(left));
            left -= step.min(left);
        }
        steps
    };
    let parts = live(&other, seed, steps).await;
    let (whole, parts) = (ordered(whole), ordered(parts));
    let missing = |from: &[String], other: &[String]| -> Vec<String> {
        let mut missing: Vec<_> = from
            .iter()
            .filter(|one| !other.contains(one))
            .cloned()
            .collect();
        missing.truncate(6);
        missing
    };
    assert!(
        whole == parts,
        "SEALPAY_SEED={seed}: of {} and {} events, only in one advance:\n{:#?}\nonly in many:\n{:#?}",
        whole.len(),
        parts.len(),
        missing(&whole, &parts),
        missing(&parts, &whole)
    );
    assert!(whole.len() > 20, "{} events are no life", whole.len());
    one.finish().await;
    other.finish().await;
}

fn number(name: &str) -> Option<u64> {
    setting(name).and_then(|text| text.parse().ok())
}

fn seeds(most: u64) -> std::ops::Range<u64> {
    match number("SEALPAY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEALPAY_PATHS").unwrap_or(most),
    }
}

mod on_sqlite {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_long_advance_equals_many_short_ones() {
        for seed in seeds(1) {
            compare(seed, TestGateway::start().await, TestGateway::start().await).await;
        }
    }
}

mod on_postgres {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_long_advance_equals_many_short_ones() {
        for seed in seeds(1) {
            let (Some(one), Some(other)) = (
                TestGateway::on_postgres().await,
                TestGateway::on_postgres().await,
            ) else {
                return eprintln!("skipped without Postgres");
            };
            compare(seed + 100, one, other).await;
        }
    }
}
