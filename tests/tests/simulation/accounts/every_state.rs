//! Every state of an account × every amount around each limit × every step-up: the expected state,
//! reason, response code and effect on the account.

use super::{Ledger, ledger, number_of};
use harness::checkout::Checkout;
use harness::gateway::TestGateway;
use harness::processes::is_long_run;
use sealpay_protocol::api::{ActionView, PaymentView, ShopperState};
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};

/// How the shopper is asked who they are, by what the account's issuer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asking {
    enrolment: &'static str,
    /// From 250.00 EUR on the issuer is asked.
    amount: i64,
    /// The result; nothing where nobody is asked.
    status: Option<&'static str>,
    eci: &'static str,
    needs_code: bool,
}

const fn asking(
    enrolment: &'static str,
    amount: i64,
    status: Option<&'static str>,
    eci: &'static str,
) -> Asking {
    Asking {
        enrolment,
        amount,
        status,
        eci,
        needs_code: false,
    }
}

const SMALL: i64 = 5_000;
const LARGE: i64 = 30_000;

const ASKINGS: [Asking; 9] = [
    asking("code", SMALL, None, ""),
    asking("frictionless", LARGE, Some("authenticated"), "05"),
    asking("none", LARGE, Some("attempted"), "06"),
    asking("attempted", LARGE, Some("attempted"), "06"),
    asking("unavailable", LARGE, Some("unavailable"), "07"),
    asking("not_authenticated", LARGE, Some("not_authenticated"), "07"),
    asking("rejected", LARGE, Some("rejected"), "07"),
    Asking {
        needs_code: true,
        ..asking("code", LARGE, Some("authenticated"), "05")
    },
    // Without a passkey a code is sent.
    Asking {
        needs_code: true,
        ..asking("passkey", LARGE, Some("authenticated"), "05")
    },
];

/// An account's status with the reason that it gives, if any.
const STATES: [(&str, Option<&str>); 8] = [
    ("active", None),
    ("blocked", Some("restricted_card")),
    ("lost", Some("lost_card")),
    ("stolen", Some("stolen_card")),
    ("closed", Some("closed_account")),
    ("expired", Some("expired_card")),
    ("not_activated", Some("blocked_first_use")),
    ("locked", Some("pin_tries_exceeded")),
];

/// A limit, by how much the amount is over it, and the reason that it gives.
const LIMITS: [(&str, i64, Option<&str>); 13] = [
    ("none", 0, None),
    ("payment", -1, None),
    ("payment", 0, None),
    ("payment", 1, Some("amount_limit_exceeded")),
    ("count", -1, None),
    ("count", 0, None),
    ("count", 1, Some("count_limit_exceeded")),
    ("sum", -1, None),
    ("sum", 0, None),
    ("sum", 1, Some("amount_limit_exceeded")),
    ("available", -1, None),
    ("available", 0, None),
    ("available", 1, Some("insufficient_funds")),
];

const RESPONSE_CODES: [(&str, Option<&str>); 11] = [
    ("restricted_card", Some("62")),
    ("lost_card", Some("41")),
    ("stolen_card", Some("43")),
    ("closed_account", Some("46")),
    ("expired_card", Some("54")),
    ("blocked_first_use", Some("78")),
    ("pin_tries_exceeded", Some("75")),
    ("amount_limit_exceeded", Some("61")),
    ("count_limit_exceeded", Some("65")),
    ("insufficient_funds", Some("51")),
    ("threeds_failed", None),
];

fn response_code_of(reason: &str) -> Option<&'static str> {
    let row = RESPONSE_CODES.iter().find(|(key, _)| *key == reason);
    row.expect("the reason stands in the table").1
}

/// An account with as much in use as it is going to be needed.
struct Setting {
    state: &'static str,
    limit: &'static str,
    over: i64,
    asking: Asking,
}

/// What is ordered of the account, so that the amount is as near to the limit as it has to be.
/// Limits of a day stand on what was counted before.
fn order(setting: &Setting, before: Ledger, is_credit: bool) -> Value {
    let Setting {
        state,
        limit,
        over,
        asking,
    } = *setting;
    let amount = asking.amount;
    let at = |name: &str, value: i64| (limit == name).then_some(value);
    let available = at("available", amount - over).unwrap_or(900_000);
    let mut order = json!({
        "status": if state == "locked" { "active" } else { state },
        "wrong_codes": if state == "locked" { 5 } else { 0 },
        "enrolment": asking.enrolment,
        "balance_minor": available + before.held,
        "per_transaction_limit_minor": at("payment", amount - over),
        "daily_count_limit": at("count", before.count + 1 - over),
        "daily_sum_limit_minor": at("sum", before.sum + amount - over),
    });
    if is_credit {
        order["balance_minor"] = json!(-7_000);
        order["credit_limit_minor"] = json!(7_000 + available + before.held);
    }
    order
}

/// Why not, if not; and whether the issuer's word alone decided.
fn expected_reason(
    setting: &Setting,
    of_state: Option<&'static str>,
    of_limit: Option<&'static str>,
) -> Option<&'static str> {
    let refused = matches!(
        setting.asking.status,
        Some("not_authenticated" | "rejected")
    );
    // A locked card is not even asked for a code.
    let is_locked = setting.state == "locked" && setting.asking.status.is_some();
    if refused || is_locked {
        Some("threeds_failed")
    } else {
        of_state.or(of_limit)
    }
}

async fn paid(checkout: &Checkout<'_>, number: &str, setting: &Setting) -> PaymentView {
    let attempt = checkout.by_card(number);
    let view = checkout.pay(&attempt).await;
    if !(setting.asking.needs_code && setting.state != "locked") {
        return view;
    }
    assert_eq!(view.state, ShopperState::RequiresAction);
    let code = checkout.gateway.newest_code().await;
    let known = checkout.type_code(view.payment, &code).await;
    assert_eq!(known.action, Some(ActionView::Continue));
    checkout.pay(&attempt).await
}

fn check_authentication(what: &str, setting: &Setting, told: &Value) {
    let Some(status) = setting.asking.status else {
        assert_eq!(*told, Value::Null, "{what}");
        return;
    };
    let asking = setting.asking;
    let is_locked = setting.state == "locked";
    let status = if is_locked { "rejected" } else { status };
    let eci = if is_locked { "07" } else { asking.eci };
    let challenge = (asking.needs_code && !is_locked).then_some("code");
    assert_eq!(
        (&told["status"], &told["eci"], &told["challenge"]),
        (&json!(status), &json!(eci), &json!(challenge)),
        "{what}"
    );
    let is_vouched_for = matches!(status, "authenticated" | "attempted");
    assert_eq!(told["value"].is_string(), is_vouched_for, "{what}");
    assert_eq!(told["reasons"], json!(["amount"]), "{what}");
}

/// Pays once with the account so set, and compares everything that anybody can see.
async fn check(
    gateway: &TestGateway,
    persona: &str,
    setting: &Setting,
    reason: Option<&'static str>,
    capture: Capture,
) {
    let what = format!(
        "{persona}: {} account, {} over {} limit, {capture:?}, {:?}",
        setting.state, setting.over, setting.limit, setting.asking
    );
    let counted = ledger(gateway, persona).await;
    let is_credit = persona != "lena_all_limits";
    let ordered = order(setting, counted, is_credit);
    gateway.change_account(persona, &ordered).await;
    let before = ledger(gateway, persona).await;
    let checkout = gateway
        .checkout(|claims| {
            claims.amount = setting.asking.amount;
            claims.capture = capture;
        })
        .await;
    let view = paid(&checkout, number_of(persona), setting).await;
    let payment = gateway.payment(view.payment).await;
    let after = ledger(gateway, persona).await;
    check_authentication(&what, setting, &payment["authentication"]);
    let amount = setting.asking.amount;
    let (state, expected) = match (reason, capture) {
        (Some(_), _) => ("declined", before),
        (None, Capture::Automatic) => (
            "captured",
            Ledger {
                balance: before.balance - amount,
                count: before.count + 1,
                sum: before.sum + amount,
                ..before
            },
        ),
        (None, Capture::Manual) => (
            "authorized",
            Ledger {
                held: before.held + amount,
                count: before.count + 1,
                sum: before.sum + amount,
                ..before
            },
        ),
    };
    assert_eq!(payment["state"], state, "{what}: {payment}");
    assert_eq!(after, expected, "{what}");
    match reason {
        None => assert_eq!(payment["decline"], Value::Null, "{what}"),
        Some(reason) => {
            let decline = &payment["decline"];
            assert_eq!(decline["code"], reason, "{what}");
            let response_code = response_code_of(reason);
            assert_eq!(decline["response_code"], json!(response_code), "{what}");
        }
    }
    // Whom the issuer does not vouch for is not in the book at all.
    let sql = format!(
        "SELECT state, decline FROM bank_authorizations WHERE reference = '{}'",
        view.payment
    );
    let entry = match (reason, capture) {
        (Some("threeds_failed"), _) => vec![],
        (Some(reason), _) => vec![["declined".to_owned(), reason.into()].to_vec()],
        (None, Capture::Automatic) => vec![["booked".to_owned(), "NULL".into()].to_vec()],
        (None, Capture::Manual) => vec![["held".to_owned(), "NULL".into()].to_vec()],
    };
    assert_eq!(gateway.bank_rows(&sql).await, entry, "{what}");
}

/// Goes on at the next noon (UTC), so that no day ends in the middle of a test.
async fn wait_for_noon(gateway: &TestGateway) {
    const HALF_A_DAY: i64 = 12 * 60 * 60;
    let since_noon = i64::try_from(gateway.now()).unwrap() - HALF_A_DAY;
    gateway.pass((-since_noon).rem_euclid(2 * HALF_A_DAY)).await;
}

/// Every combination on one account. With another step-up than the first, states are combined with
/// limits in long runs alone: each is checked by itself.
async fn check_all(gateway: &TestGateway, persona: &str, askings: &[Asking]) {
    wait_for_noon(gateway).await;
    // The account is made.
    gateway
        .change_account(persona, &json!({"wrong_codes": 0}))
        .await;
    let mut capture = Capture::Automatic;
    for (place, &asking) in askings.iter().enumerate() {
        let is_whole = place == 0 || is_long_run();
        for (state, of_state) in STATES {
            for (limit, over, of_limit) in LIMITS {
                if !is_whole && state != "active" && limit != "none" {
                    continue;
                }
                let setting = Setting {
                    state,
                    limit,
                    over,
                    asking,
                };
                let reason = expected_reason(&setting, of_state, of_limit);
                check(gateway, persona, &setting, reason, capture).await;
                capture = match capture {
                    Capture::Automatic => Capture::Manual,
                    Capture::Manual => Capture::Automatic,
                };
            }
        }
    }
}

#[tokio::test]
async fn debit_account_in_every_state_around_each_limit_with_each_step_up() {
    let gateway = TestGateway::start().await;
    check_all(&gateway, "lena_all_limits", &ASKINGS).await;
    gateway.finish().await;
}

#[tokio::test]
async fn credit_account_in_every_state_around_each_limit() {
    let gateway = TestGateway::start().await;
    check_all(&gateway, "paul_payment_limit", &ASKINGS[..2]).await;
    gateway.finish().await;
}

#[tokio::test]
async fn first_exceeded_limit_gives_the_decline_reason() {
    let gateway = TestGateway::start().await;
    let persona = "lena_all_limits";
    let mut limits = json!({
        "status": "lost", "wrong_codes": 5, "balance_minor": 0,
        "per_transaction_limit_minor": 0, "daily_count_limit": 0, "daily_sum_limit_minor": 0,
    });
    #[rustfmt::skip]
    let rows = [
        ("status", json!("active"), "lost_card"),
        ("wrong_codes", json!(0), "pin_tries_exceeded"),
        ("per_transaction_limit_minor", Value::Null, "amount_limit_exceeded"),
        ("daily_count_limit", Value::Null, "count_limit_exceeded"),
        ("daily_sum_limit_minor", Value::Null, "amount_limit_exceeded"),
        ("balance_minor", json!(2490), "insufficient_funds"),
    ];
    for (next, value, reason) in rows {
        gateway.change_account(persona, &limits).await;
        let view = gateway
            .pay(None, &harness::client::card(number_of(persona)))
            .await;
        let payment = gateway.payment(view.payment).await;
        assert_eq!(
            payment["decline"]["code"], reason,
            "until {next} is put right"
        );
        limits[next] = value;
    }
    gateway.change_account(persona, &limits).await;
    let view = gateway
        .pay(None, &harness::client::card(number_of(persona)))
        .await;
    assert_eq!(view.state, ShopperState::Captured);
    gateway.finish().await;
}
