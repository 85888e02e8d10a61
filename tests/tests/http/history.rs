//! A short history with one of every resource of the API.

use crate::agreements::agreed_by;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use harness::webhook_receiver::WebhookReceiver;
use jiff::civil::{Weekday, date};
use jiff::{Timestamp, tz::TimeZone};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use verifier_server::invoices::collect::collect;
use verifier_server::maintain::refresh_keys;
use verifier_server::settlements::close::{Cutoff, settle};
use verifier_server::subscriptions::renew::renew;

const DAY: i64 = 24 * 60 * 60;

/// What happened, by the names of what it happened to.
#[derive(Debug)]
pub(crate) struct History {
    /// What `{id}` is in the operations below a path.
    ids: BTreeMap<&'static str, String>,
    receiver: WebhookReceiver,
}

impl History {
    /// What stands in the contract for the address of the receiver.
    pub(crate) const PUBLIC_URL: &str = "https://shop.example/webhooks/sealpay";

    /// A verifier whose webhooks may go to the receiver of this test.
    pub(crate) async fn gateway() -> TestGateway {
        let gateway = TestGateway::with(|config| {
            config.webhooks.allow = vec!["127.0.0.0/8".into()];
            config.webhooks.allow_http = true;
        })
        .await;
        // What is settled in the history depends on the hour, the day of the week and bank holidays.
        let now = gateway.now().cast_signed();
        gateway.move_clock(monday_in_february(now) - now);
        refresh_keys(&gateway.server.state.gateway).await.unwrap();
        gateway
    }

    /// Makes it happen.
    pub(crate) async fn of(gateway: &TestGateway) -> Self {
        let receiver = WebhookReceiver::start().await;
        let mut ids = BTreeMap::new();
        let endpoint = json!({"url": receiver.url(), "description": "the back office"});
        let made = gateway.write("/v1/webhook-endpoints", &endpoint).await;
        ids.insert("whe", id_of(&made.json()));
        let other = json!({"url": Self::PUBLIC_URL, "event_types": ["ping"]});
        let made = gateway.write("/v1/webhook-endpoints", &other).await;
        ids.insert("DELETE whe", id_of(&made.json()));

        let settled = gateway.approved(Capture::Automatic, 4980, |_| ()).await;
        gateway.move_clock(7 * DAY);
        let inner = &gateway.server.state.gateway;
        refresh_keys(inner).await.unwrap();
        let closed = settle(inner, Cutoff::Now).await;
        assert_eq!(closed.unwrap().len(), 1, "the payment {settled} is settled");

        for name in ["evidence", "accept"] {
            let payment = gateway.approved(Capture::Automatic, 2490, |_| ()).await;
            let disputed = json!({"payment": payment.to_string(), "reason": "fraudulent"});
            let dispute = gateway.command("POST", "/sim/disputes", &disputed).await;
            ids.insert(name, id_of(&dispute));
            ids.insert("disputed", payment.to_string());
        }
        for name in ["captures", "the rest", "void"] {
            let held = gateway.approved(Capture::Manual, 2490, |_| ()).await;
            ids.insert(name, held.to_string());
        }
        let paid = gateway.approved(Capture::Automatic, 2490, |_| ()).await;
        ids.insert("pay", paid.to_string());
        gateway
            .modify(paid, "refunds", &json!({"amount": 500}))
            .await;
        agree(gateway, &mut ids).await;
        subscribe(gateway, &mut ids).await;
        let history = Self { ids, receiver };
        history.told(gateway).await
    }

    /// Waits until everything is settled and paid out, and the newest capture has been told.
    async fn told(mut self, gateway: &TestGateway) -> Self {
        let beside = gateway.run_beside();
        for _ in 0..600 {
            let payouts = rows(gateway, "/v1/payouts?limit=1").await;
            let settlements = rows(gateway, "/v1/settlements?limit=1").await;
            let events = rows(gateway, "/v1/events?type=payment.captured&limit=1").await;
            let balance = rows(gateway, "/v1/balance").await;
            let is_told = events[0]["deliveries"][0]["state"] == "delivered";
            if payouts[0]["state"] == "paid" && balance[0]["pending"] == 0 && is_told {
                self.ids.insert("payout", id_of(&payouts[0]));
                self.ids.insert("settlement", id_of(&settlements[0]));
                self.ids.insert("evt", id_of(&events[0]));
                drop(beside);
                return self;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the payout was not paid, or the capture was not told");
    }

    /// The address that is told.
    pub(crate) fn receiver(&self) -> &str {
        self.receiver.url()
    }

    /// What `{id}` is in an operation.
    pub(crate) fn id_in(&self, operation: &str) -> &str {
        let (method, path) = operation.split_once(' ').unwrap();
        let parts: Vec<_> = path.split('/').collect();
        let last = parts.last().copied().unwrap_or_default();
        let name = match (parts.get(2).copied().unwrap_or_default(), last) {
            ("payments", "captures") => "captures",
            ("payments", "void") => "void",
            ("payments", _) => "pay",
            ("disputes", "accept") => "accept",
            ("disputes", _) => "evidence",
            ("settlements", _) => "settlement",
            ("payouts", _) => "payout",
            ("customers", _) if method == "DELETE" => "DELETE cus",
            ("customers", _) => "cus",
            ("instruments", _) if method == "DELETE" => "DELETE ins",
            ("instruments", _) => "ins",
            ("agreements", "revoke") => "revoke",
            ("agreements", _) => "agr",
            ("prices", "archive") => "archive",
            ("prices", _) => "pri",
            ("subscriptions", "resume") => "paused",
            ("subscriptions", "pause") => "pause",
            ("subscriptions", "cancel") => "cancel",
            ("subscriptions", _) => "sub",
            ("invoices", "finalize") => "draft",
            ("invoices", "void") => "void inv",
            ("invoices", "mark-uncollectible") => "uncollectible",
            ("invoices", "pay") => "open",
            ("invoices", _) => "inv",
            ("events", _) => "evt",
            ("webhook-endpoints", _) if method == "DELETE" => "DELETE whe",
            ("webhook-endpoints", _) => "whe",
            _ => return "",
        };
        &self.ids[name]
    }

    /// A text with the names of this history in the place of those in the contract, which were
    /// another's.
    pub(crate) fn named(&self, text: &str) -> String {
        let mut named = text.to_owned();
        for (prefix, name) in [
            ("pay_", "disputed"),
            ("evt_", "evt"),
            ("cus_", "cus"),
            ("agr_", "agr"),
            ("pri_", "pri"),
        ] {
            if let Some(begin) = named.find(prefix) {
                let is_part = |c: char| c.is_ascii_alphanumeric();
                let rest = &named[begin + prefix.len()..];
                let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                let end = begin + prefix.len() + length;
                named.replace_range(begin..end, &self.ids[name]);
            }
        }
        named
    }
}

/// The morning of the next first Monday of February: no bank holiday is near.
fn monday_in_february(now: i64) -> i64 {
    let today = Timestamp::from_second(now).unwrap().to_zoned(TimeZone::UTC);
    let february = date(today.year() + 1, 2, 1);
    let monday = february.nth_weekday_of_month(1, Weekday::Monday).unwrap();
    let morning = monday.at(9, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap();
    morning.timestamp().as_second()
}

/// A customer with two saved cards and their agreements, and one who goes.
async fn agree(gateway: &TestGateway, ids: &mut BTreeMap<&'static str, String>) {
    let (subscription, other) = (AgreementKind::Subscription, AgreementKind::Unscheduled);
    let agreement = agreed_by(gateway, subscription, Some(5000), APPROVED).await;
    ids.insert("agr", id_of(&agreement));
    for (name, member) in [("cus", "customer"), ("ins", "instrument")] {
        ids.insert(name, agreement[member].as_str().unwrap().to_owned());
    }
    let agreement = agreed_by(gateway, other, None, APPROVED).await;
    ids.insert("revoke", id_of(&agreement));
    let agreement = agreed_by(gateway, other, None, "4111111111111111").await;
    let instrument = agreement["instrument"].as_str().unwrap();
    ids.insert("DELETE ins", instrument.to_owned());
    let customer = json!({"reference": "customer-9"});
    let made = gateway.write("/v1/customers", &customer).await;
    ids.insert("DELETE cus", id_of(&made.json()));
}

/// Subscriptions and invoices in the states that the operations need.
async fn subscribe(gateway: &TestGateway, ids: &mut BTreeMap<&'static str, String>) {
    let price = async |changes: Value| {
        let mut price = json!({
            "name": "Lantern oil",
            "amount": 900,
            "currency": "EUR",
            "interval": {"unit": "month", "count": 1},
        });
        for (name, value) in changes.as_object().unwrap() {
            price[name] = value.clone();
        }
        id_of(&gateway.write("/v1/prices", &price).await.json())
    };
    let (customer, agreement) = (ids["cus"].clone(), ids["agr"].clone());
    let made = async |price: &str, changes: Value| {
        let mut body = json!({
            "customer": customer, "agreement": agreement, "items": [{"price": price}],
        });
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = gateway.write("/v1/subscriptions", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        id_of(&answer.json())
    };
    let monthly = price(json!({})).await;
    for name in ["sub", "pause", "cancel", "paused"] {
        ids.insert(name, made(&monthly, json!({})).await);
    }
    let pause = format!("/v1/subscriptions/{}/pause", ids["paused"]);
    gateway.write(&pause, &json!({})).await;
    let daily = json!({
        "interval": {"unit": "day", "count": 1},
        "simulate": {"outcome": "insufficient_funds", "invoice": 2},
    });
    let daily = price(daily).await;
    let policy = json!({"delays_hours": {}, "horizon_days": 1, "end": "unpaid"});
    let subscription = made(&daily, json!({"dunning": policy})).await;
    let server = &gateway.server.state.gateway;
    gateway.move_clock(2 * DAY + 60);
    for _ in 0..2 {
        renew(server).await.unwrap();
        collect(server).await.unwrap();
    }
    let path = format!("/v1/invoices?subscription={subscription}&state=draft");
    ids.insert("draft", id_of(&rows(gateway, &path).await[0]));
    ids.insert(
        "inv",
        id_of(&rows(gateway, "/v1/invoices?state=paid&limit=1").await[0]),
    );
    let declined = json!({"outcome": "insufficient_funds", "invoice": 1, "payments": 1});
    let declined = price(json!({"simulate": declined})).await;
    for name in ["open", "void inv", "uncollectible"] {
        let subscription = made(&declined, json!({})).await;
        let path = format!("/v1/invoices?subscription={subscription}");
        ids.insert(name, id_of(&rows(gateway, &path).await[0]));
    }
    ids.insert("archive", price(json!({})).await);
    ids.insert("pri", monthly);
}

fn id_of(record: &Value) -> String {
    let id = record["id"].as_str();
    id.unwrap_or_else(|| panic!("a record has an id: {record}"))
        .to_owned()
}

async fn rows(gateway: &TestGateway, path: &str) -> Value {
    let answer = gateway.get(path, Some(&gateway.merchant.api_key)).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json::<Value>()["data"].take()
}
