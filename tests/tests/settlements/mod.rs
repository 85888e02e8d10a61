//! Settlement from captured funds to the merchant's bank account.

mod amounts;
mod bad_requests;
pub(crate) mod crash;
mod payout_accounts;
mod processes;
mod reports;
mod schedule;
pub(crate) mod store;

use harness::gateway::TestGateway;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::Capture;
use sealpay_simulator::payout::ReturnReason;
use serde_json::Value;
use verifier_server::balance;
use verifier_server::gateway::Gateway;
use verifier_server::maintain::refresh_keys;
use verifier_server::merchants::model::Reserve;
use verifier_server::payouts::service::pay_out;
use verifier_server::settlements::close::{Cutoff, settle};
use verifier_server::settlements::model::Settlement;
use verifier_server::settlements::schedule::{
    business_date, business_days_after, closes_at_ms, settlement_date,
};

pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(crate) fn inside(gateway: &TestGateway) -> &Gateway {
    &gateway.server.state.gateway
}

pub(crate) fn signed(unix_ms: u64) -> i64 {
    i64::try_from(unix_ms).unwrap()
}

/// Stops the clock at a moment, for which there are keys. Nothing is settled: the tests do that.
pub(crate) async fn at(gateway: &TestGateway, unix_ms: u64) {
    gateway.clock.stop_at(unix_ms);
    refresh_keys(inside(gateway)).await.unwrap();
}

/// Stops the clock at ten in the morning of a Monday whose week is an ordinary one.
pub(crate) async fn on_a_monday(gateway: &TestGateway) -> u64 {
    let euro = "EUR".parse().unwrap();
    let today = harness::time::now_ms() / DAY_MS * DAY_MS + 10 * 60 * 60 * 1000;
    let mornings = (1..).map(|days| today + days * DAY_MS);
    let ordinary = |morning: &u64| {
        let day = business_date(euro, signed(*morning));
        let settled = settlement_date(euro, day);
        let friday = business_days_after(euro, day, 4);
        [day, settled, friday].map(|day| day.weekday().to_monday_one_offset()) == [1, 3, 5]
    };
    let mut mornings = mornings.filter(ordinary);
    let monday = mornings.next().unwrap();
    at(gateway, monday).await;
    monday
}

/// Lets a millisecond pass: what is made in the same one has no order.
pub(crate) async fn tick(gateway: &TestGateway) {
    at(gateway, gateway.clock.now_ms() + 1).await;
}

/// The merchant's bank sends a payout back, and the verifier has not asked yet.
pub(crate) async fn sent_back(gateway: &TestGateway, payout: &str) {
    let bank = verifier_server::simulation::bank(inside(gateway)).unwrap();
    let returned = bank.return_payout(payout.parse().unwrap(), ReturnReason::AccountClosed);
    returned.await.unwrap();
}

/// Money that is taken at once.
pub(crate) async fn sell(gateway: &TestGateway, amount_minor: i64) -> PaymentId {
    gateway
        .approved(Capture::Automatic, amount_minor, |_| ())
        .await
}

pub(crate) async fn read(gateway: &TestGateway, path: &str) -> Value {
    let answer = gateway.get(path, Some(&gateway.merchant.api_key)).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// The rows of a list, the first one first.
pub(crate) async fn listed(gateway: &TestGateway, path: &str) -> Vec<Value> {
    let mut page = read(gateway, path).await;
    assert_eq!(page["has_more"], false, "{path} fits on a page");
    let Value::Array(mut rows) = page["data"].take() else {
        panic!("{path} is a list")
    };
    rows.reverse();
    rows
}

/// The lines of a payment, the first one first.
pub(crate) async fn lines(gateway: &TestGateway, payment: PaymentId) -> Vec<Value> {
    listed(
        gateway,
        &format!("/v1/balance/transactions?payment={payment}"),
    )
    .await
}

/// The moment at which the settlements of a line's day are closed.
pub(crate) fn closes_at(line: &Value) -> u64 {
    let currency = line["currency"].as_str().unwrap().parse().unwrap();
    let date = line["settlement_date"].as_str().unwrap().parse().unwrap();
    u64::try_from(closes_at_ms(currency, date)).unwrap()
}

/// Closes what is due.
pub(crate) async fn closed(gateway: &TestGateway) -> Vec<Settlement> {
    settle(inside(gateway), Cutoff::Now).await.unwrap()
}

/// Closes what is due, which is one settlement, and pays it out.
pub(crate) async fn closed_and_paid(gateway: &TestGateway) -> Settlement {
    let mut closed = closed(gateway).await;
    assert_eq!(closed.len(), 1, "{closed:?}");
    pay_out(inside(gateway)).await.unwrap();
    closed.remove(0)
}

/// Goes on to the day on which the lines of a payment are settled, closes it and pays it out.
pub(crate) async fn settled(gateway: &TestGateway, payment: PaymentId) -> Settlement {
    let lines = lines(gateway, payment).await;
    at(gateway, closes_at(lines.last().unwrap())).await;
    closed_and_paid(gateway).await
}

pub(crate) async fn payouts(gateway: &TestGateway) -> Vec<Value> {
    listed(gateway, "/v1/payouts").await
}

/// What a merchant has in euros.
pub(crate) async fn euros(gateway: &TestGateway) -> Value {
    let mut balances = read(gateway, "/v1/balance").await;
    assert_eq!(balances["data"].as_array().map(Vec::len), Some(1));
    balances["data"][0].take()
}

/// Has a share of what is settled reserved for some days.
pub(crate) async fn reserve(gateway: &TestGateway, basis_points: u32, days: u32) {
    let reserve = Reserve { basis_points, days };
    let merchants = &inside(gateway).store().merchants;
    let set = merchants.set_reserve(gateway.merchant.id, reserve).await;
    assert_eq!(set, Ok(true));
}

/// The events that tell of something, as `type sequence`.
pub(crate) async fn published(gateway: &TestGateway, subject: &str) -> Vec<String> {
    let sql =
        format!("SELECT kind, sequence FROM events WHERE subject = '{subject}' ORDER BY sequence");
    let events = gateway.rows(&sql).await;
    events.iter().map(|row| row.join(" ")).collect()
}

pub(crate) async fn ledger_balances(gateway: &TestGateway) {
    let found = balance::service::check(inside(gateway).store())
        .await
        .unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
