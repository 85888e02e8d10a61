//! `/pay/{token}`: the page of an invoice, its link and order, and payments on it.

mod crash;
mod links;
mod orders;
mod pay;
mod races;
mod subscribe;

use crate::agreements::CONSENT;
use crate::subscriptions::{
    DAY, advance, agreement, done, get, id, invoices, price, subscribe as subscribe_by,
};
use harness::checkout::{Attempt, Checkout};
use harness::client::{APPROVED, Browser, Prepared};
use harness::gateway::{Answer, TestGateway};
use harness::time::TestClock;
use sealpay_protocol::api::{PaymentView, ShopperState};
use serde_json::{Value, json};

/// Declined for insufficient funds.
const INSUFFICIENT_FUNDS: &str = "4000000000009995";

/// From the third charge on, the issuer wants the customer.
const CONFIRMED_RENEWAL: &str = "4000008003000002";

/// The path of an invoice's page.
fn path_of(gateway: &TestGateway, invoice: &Value) -> String {
    let url = invoice["hosted_url"].as_str().expect("an open invoice");
    let path = url.strip_prefix(gateway.origin.as_str());
    path.expect("a page of the verifier").to_owned()
}

/// The page of an invoice.
pub(crate) async fn page(gateway: &TestGateway, invoice: &Value) -> Answer {
    gateway.get(&path_of(gateway, invoice), None).await
}

/// The order on a page.
fn order_on(page: &Answer) -> Option<String> {
    let text = page.text();
    let (_, rest) = text.split_once(" order=\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The order on the page of an invoice that can be paid.
async fn order_of(gateway: &TestGateway, invoice: &Value) -> String {
    let page = page(gateway, invoice).await;
    assert_eq!(page.status, 200, "{}", page.text());
    order_on(&page).unwrap_or_else(|| panic!("{}", page.text()))
}

/// A browser whose clock is the simulated one, as the widget's is.
fn browser(gateway: &TestGateway) -> Browser {
    let clock = TestClock::default();
    let ahead =
        i64::try_from(gateway.now()).unwrap() - i64::try_from(clock.now_ms() / 1000).unwrap();
    clock.move_by(ahead);
    Browser::with_clock(&gateway.origin, clock)
}

/// The request of a page that opens an order.
fn opening(gateway: &TestGateway, browser: &Browser, order: &str) -> Prepared {
    browser.open_with(browser.open_body(order, gateway.origin.as_str()))
}

/// The form on the page of an invoice.
async fn checkout<'g>(gateway: &'g TestGateway, invoice: &Value) -> Checkout<'g> {
    let order = order_of(gateway, invoice).await;
    let browser = browser(gateway);
    let opened = gateway.send(opening(gateway, &browser, &order)).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    Checkout {
        gateway,
        browser,
        order,
        session: opened.json(),
    }
}

/// The same browser at the simulated time of now.
fn later(gateway: &TestGateway, checkout: &mut Checkout<'_>) {
    let key = checkout.browser.key.clone();
    checkout.browser = browser(gateway);
    checkout.browser.key = key;
}

/// An attempt with a card, whose holder agrees to later payments.
fn by_card(checkout: &Checkout<'_>, card: &str) -> Attempt {
    checkout.agreeing(card, CONSENT)
}

/// Pays an invoice on its page with a card, through the challenge.
async fn pay(gateway: &TestGateway, invoice: &Value, card: &str) -> PaymentView {
    let checkout = checkout(gateway, invoice).await;
    checkout.pay_through(&by_card(&checkout, card)).await
}

/// The same, which is expected to succeed.
async fn paid(gateway: &TestGateway, invoice: &Value, card: &str) -> PaymentView {
    let payment = pay(gateway, invoice, card).await;
    assert_eq!(payment.state, ShopperState::Captured, "{payment:?}");
    payment
}

/// The invoice as it is now.
async fn again(gateway: &TestGateway, invoice: &Value) -> Value {
    get(gateway, &format!("/v1/invoices/{}", id(invoice))).await
}

/// A subscription of a customer who has not agreed to it, and its first invoice.
async fn unagreed(gateway: &TestGateway, customer: &Value) -> (Value, Value) {
    let price = price(gateway, 900, json!({})).await;
    let body = json!({"customer": customer, "items": [{"price": price["id"]}]});
    let made = done(gateway, "/v1/subscriptions", body).await;
    let first = invoices(gateway, &made).await.remove(0);
    (made, first)
}

/// The same for a new customer.
async fn without_agreement(gateway: &TestGateway) -> (Value, Value) {
    let agreement = agreement(gateway, APPROVED).await;
    unagreed(gateway, &agreement["customer"]).await
}

/// Subscriptions whose second invoices end in these ways when they are charged by themselves, a minute
/// after that.
async fn with_declined_renewals(gateway: &TestGateway, outcomes: &[&str]) -> Vec<(Value, Value)> {
    let agreement = agreement(gateway, APPROVED).await;
    let mut made = Vec::new();
    for outcome in outcomes {
        // Once: what is tried again would be approved.
        let simulate = json!({"simulate": {"outcome": outcome, "invoice": 2, "payments": 1}});
        let price = price(gateway, 900, simulate).await;
        made.push(subscribe_by(gateway, &agreement, &price, json!({})).await);
    }
    let ends = made.iter().map(|one| one["period_end"].as_u64().unwrap());
    advance(gateway, ends.max().unwrap() - gateway.now() + 60).await;
    let mut all = Vec::new();
    for one in made {
        let renewal = invoices(gateway, &one).await.remove(1);
        assert_eq!(renewal["state"], "open", "{renewal}");
        all.push((one, renewal));
    }
    all
}

/// The same for one.
async fn with_declined_renewal(gateway: &TestGateway, outcome: &str) -> (Value, Value) {
    with_declined_renewals(gateway, &[outcome]).await.remove(0)
}

/// The number of approvals in the bank's own book.
async fn approvals(gateway: &TestGateway) -> usize {
    let approved = "SELECT reference FROM bank_authorizations WHERE state IN ('held', 'booked')";
    gateway.bank_rows(approved).await.len()
}

/// Longer than a challenge, and than the lease of a payment.
const A_WHILE: u64 = DAY / 24;

/// The customer begins to pay the oldest open invoice of a subscription, and goes away when the bank
/// asks for a code.
pub(crate) async fn begin_to_pay(gateway: &TestGateway, subscription: &Value) {
    let all = invoices(gateway, subscription).await;
    let open = all.iter().find(|one| one["hosted_url"].is_string());
    let Some(invoice) = open else {
        return;
    };
    let page = page(gateway, invoice).await;
    // The link may have expired meanwhile.
    if order_on(&page).is_some() {
        let checkout = checkout(gateway, invoice).await;
        // Without an agreement the bank asks for nothing.
        if checkout.session.agreement.is_some() {
            let asked = checkout.pay(&by_card(&checkout, APPROVED)).await;
            assert_eq!(asked.state, ShopperState::RequiresAction, "{asked:?}");
        }
    }
}
