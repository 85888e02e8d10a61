//! Renewals: many subscriptions that are due in one moment, shoppers who pay meanwhile, and a year in
//! one advance of the clock.

use crate::blast::{Blast, blast, per_second, percentile};
use crate::options::Options;
use crate::shopping::{Cards, Shop, fresh_number};
use harness::client::Merchant;
use harness::processes::free_address;
use harness::rows::StoredState;
use harness::subscribers::Subscribers;
use harness::time::{TestClock, now};
use harness::verifier_process::{Setup, VerifierProcess};
use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Subscriptions of a customer.
const EACH: usize = 10;
/// One in so many is due in one moment; the others, much later.
const DUE_ONE_IN: usize = 5;
/// Connections that subscribe customers.
const MERCHANTS: usize = 16;
/// Shoppers beside the renewals, and as many alone.
const BESIDE: usize = 4;
/// Shoppers whose rate renewals are compared with.
const SHOPPERS: usize = 64;
/// Payments of [`SHOPPERS`].
const PAYMENTS: usize = 8000;
/// Before the moment: until sessions are open and cards sealed.
const EARLY_SECONDS: u64 = 30;
/// Monthly subscriptions, each of another customer, in the jump of [`JUMP_DAYS`].
const JUMPING: usize = 1000;
const JUMP_DAYS: u64 = 400;
const GLANCE: Duration = Duration::from_millis(500);

struct System {
    shop: Shop,
    setup: Setup,
    merchant: Merchant,
    stored: StoredState,
    running: Vec<VerifierProcess>,
}

/// With so many verifiers on one database.
pub(crate) async fn measure(
    name: &str,
    options: &Options,
    setup: Setup,
    verifiers: usize,
    stored: StoredState,
) -> Value {
    eprintln!(
        "{name}, renewals of {} subscriptions",
        options.subscriptions
    );
    let merchant = setup.add_merchant(None);
    let mut running = Vec::new();
    for place in 0..verifiers {
        let listen = if place == 0 {
            setup.listen
        } else {
            free_address()
        };
        let own = Setup {
            listen,
            ..setup.clone()
        };
        running.push(own.started().await.0);
    }
    let shop = Shop {
        merchant: merchant.clone(),
        origin: setup.origin.clone(),
        address: setup.listen,
        clock: TestClock::default(),
    };
    let system = System {
        shop,
        setup,
        merchant,
        stored,
        running,
    };
    let mut report = system.renew(options).await;
    report["database"] = json!(name);
    report["verifiers"] = json!(verifiers);
    report["subscriptions"] = json!(options.subscriptions);
    report
}

impl System {
    async fn renew(&self, options: &Options) -> Value {
        let due = options.subscriptions.div_ceil(DUE_ONE_IN);
        let today = Timestamp::from_second(now().cast_signed()).expect("a time");
        let today = today.to_zoned(TimeZone::UTC).datetime();
        let first = today
            .first_of_month()
            .date()
            .to_datetime(jiff::civil::time(9, 0, 0, 0));
        let moment = |months: i64| first + months.months();
        let anchor = json!({"date": moment(1).date().to_string(), "time": "09:00:00"});
        self.fill(options.subscriptions, &anchor).await;
        let at_start = self.resident_kib();
        let shoppers = self.pay(PAYMENTS, SHOPPERS).await.per_second();
        let alone = self.pay_until(moment(1), 0, due).await.1;
        let (beside, renewed_beside) = self.pay_until(moment(2), PAYMENTS, due).await;
        let mut quiet = self.pay(PAYMENTS, BESIDE).await;
        let mut busy = beside.expect("shoppers have paid");
        let p99 = |blast: &mut Blast| percentile(&mut blast.latencies_us, 99);
        let (quiet_us, busy_us) = (p99(&mut quiet), p99(&mut busy));
        json!({
            "due_at_once": due,
            "renewals_per_second": alone,
            "shoppers_payments_per_second": shoppers,
            "share_of_shoppers_percent": alone * 100 / shoppers.max(1),
            "renewals_per_second_beside_shoppers": renewed_beside,
            "shoppers_p99_us": quiet_us,
            "shoppers_p99_us_beside_renewals": busy_us,
            "p99_percent": busy_us * 100 / quiet_us.max(1),
            "resident_kib_before": at_start,
            "resident_kib_after": self.resident_kib(),
        })
    }

    /// Subscribes customers, each with [`EACH`] subscriptions, of which some renew at the anchor.
    async fn fill(&self, count: usize, anchor: &Value) {
        let mut subscribers = Subscribers::of(&self.merchant, &self.setup).await;
        let month = json!({"unit": "month", "count": 1});
        let price = subscribers.price(100, month, &Value::Null).await;
        let mut requests = Vec::with_capacity(count);
        for customer in 0..count.div_ceil(EACH) {
            let reference = format!("customer-{customer}");
            let (customer, agreement) = subscribers.agree(&reference, &fresh_number()).await;
            for _ in 0..EACH.min(count - requests.len()) {
                let mut body = json!({"customer": customer, "agreement": agreement,
                    "items": [{"price": price}]});
                if requests.len().is_multiple_of(DUE_ONE_IN) {
                    body["anchor"] = anchor.clone();
                } else {
                    body["trial_days"] = json!(700);
                }
                requests.push(subscribers.prepared("/v1/subscriptions", &body));
            }
        }
        let made = blast(self.setup.listen, MERCHANTS, requests).await;
        for (_, status, body) in &made.answers {
            assert_eq!(*status, 201, "{}", String::from_utf8_lossy(body));
        }
        eprintln!("  {} subscribed a second", made.per_second());
    }

    async fn pay(&self, count: usize, clients: usize) -> Blast {
        let (baskets, _) = self.shop.fill_baskets(count, Cards::Persona).await;
        blast(self.setup.listen, clients, self.shop.sign(baskets)).await
    }

    /// Waits for the moment at which subscriptions renew, with shoppers who pay before and after it,
    /// and until all are charged: what the shoppers saw, and renewals per second.
    async fn pay_until(
        &self,
        moment: DateTime,
        payments: usize,
        due: usize,
    ) -> (Option<Blast>, u64) {
        let moment = moment.to_zoned(TimeZone::UTC).expect("a time").timestamp();
        let moment_ms = moment.as_millisecond();
        self.advance_to(moment.as_second().unsigned_abs() - EARLY_SECONDS)
            .await;
        let charged = format!(
            "SELECT COUNT(*), MAX(closed_at_ms) - {moment_ms} FROM invoices
             WHERE state = 'paid' AND created_at_ms = {moment_ms}"
        );
        let paying = async {
            if payments == 0 {
                return None;
            }
            let (baskets, _) = self.shop.fill_baskets(payments, Cards::Persona).await;
            let requests = self.shop.sign(baskets);
            // The moment is near the beginning of what is paid.
            self.wait_until(moment_ms - 1000).await;
            Some(blast(self.setup.listen, BESIDE, requests).await)
        };
        let renewing = async {
            loop {
                let rows = self.stored.rows(&charged).await;
                let number = |place: usize| rows[0][place].parse::<u64>().unwrap_or(0);
                if number(0) >= u64::try_from(due).unwrap_or(u64::MAX) {
                    return Duration::from_millis(number(1));
                }
                sleep(GLANCE).await;
            }
        };
        let (paid, took) = tokio::join!(paying, renewing);
        let rate = per_second(due, took);
        eprintln!(
            "  {due} renewals in {} ms: {rate} a second",
            took.as_millis()
        );
        (paid, rate)
    }

    async fn ahead_seconds(&self) -> u64 {
        let mut subscribers = Subscribers::of(&self.merchant, &self.setup).await;
        let clock = subscribers.look("/sim/clock").await;
        clock["ahead_seconds"].as_u64().expect("an offset")
    }

    async fn wait_until(&self, at_ms: i64) {
        let at = u64::try_from(at_ms / 1000).expect("a time");
        let until = at.saturating_sub(now() + self.ahead_seconds().await);
        sleep(Duration::from_secs(until)).await;
    }

    async fn advance_to(&self, at: u64) {
        let until = at.saturating_sub(now() + self.ahead_seconds().await);
        let mut subscribers = Subscribers::of(&self.merchant, &self.setup).await;
        let order = json!({"advance_seconds": until});
        subscribers.order("/sim/clock", &order).await;
        self.shop.clock.move_by(until.cast_signed());
    }

    fn resident_kib(&self) -> Option<u64> {
        self.running
            .iter()
            .map(VerifierProcess::resident_kib)
            .max()
            .flatten()
    }
}

/// How long a verifier takes to live a year and more with many subscriptions.
pub(crate) async fn jump(setup: Setup) -> Value {
    let merchant = setup.add_merchant(None);
    let (running, _) = setup.started().await;
    let mut subscribers = Subscribers::of(&merchant, &setup).await;
    let month = json!({"unit": "month", "count": 1});
    let price = subscribers.price(100, month, &Value::Null).await;
    for customer in 0..JUMPING {
        let reference = format!("customer-{customer}");
        let (customer, agreement) = subscribers.agree(&reference, &fresh_number()).await;
        let body = json!({"customer": customer, "agreement": agreement,
            "items": [{"price": price}]});
        subscribers.write("/v1/subscriptions", &body).await;
    }
    let started = Instant::now();
    let order = json!({"advance_seconds": JUMP_DAYS * 24 * 60 * 60});
    subscribers.order("/sim/clock", &order).await;
    let took = started.elapsed();
    drop(running);
    eprintln!("  {JUMP_DAYS} days in {} ms", took.as_millis());
    json!({
        "days": JUMP_DAYS,
        "subscriptions": JUMPING,
        "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    })
}
