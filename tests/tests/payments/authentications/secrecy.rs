//! Codes appear on the phone and nowhere else: in no response outside of `/sim`, no event, no log,
//! and no table but that of the phone's messages.

use super::{challenged, wrong};
use harness::client::{APPROVED, Prepared};
use harness::gateway::{Answer, TestGateway};
use harness::log;
use sealpay_protocol::api::AuthenticationStep::Resend;

/// Whether a text holds a code as a number of its own; fractions of a second are none.
fn holds(text: &str, code: &str) -> bool {
    text.match_indices(code).any(|(place, _)| {
        let before = text[..place].chars().next_back();
        let behind = text[place + code.len()..].chars().next();
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.');
        !joins(before) && !behind.is_some_and(|c| c.is_ascii_alphanumeric())
    })
}

#[test]
fn code_search_finds_whole_numbers_only() {
    for (text, expected) in [
        ("code=123456 was refused", true),
        (r#"{"code":"123456"}"#, true),
        ("12:00:00.123456Z", false),
        ("pay_01123456", false),
        ("1234567", false),
    ] {
        assert_eq!(holds(text, "123456"), expected, "{text}");
    }
}

#[tokio::test]
async fn codes_appear_on_the_phone_and_nowhere_else() {
    let gateway = TestGateway::start().await;
    let key = gateway.merchant.api_key.clone();
    let challenged = challenged(&gateway).await;
    let checkout = &challenged.checkout;
    let mut said: Vec<Answer> = Vec::new();
    let mut send = async |request: Prepared| {
        let answer = gateway.send(request).await;
        said.push(answer);
    };
    send(checkout.request(&challenged.attempt)).await;
    send(checkout.code(challenged.payment, &wrong(&challenged.code))).await;
    send(checkout.step(challenged.payment, Resend)).await;
    gateway.move_clock(31);
    send(checkout.step(challenged.payment, Resend)).await;
    let newest = gateway.newest_code().await;
    send(checkout.code(challenged.payment, &newest)).await;
    send(checkout.browser.open_session(&checkout.order)).await;
    send(checkout.request(&challenged.attempt)).await;
    send(checkout.step(challenged.payment, Resend)).await;
    send(checkout.request(&checkout.by_card(APPROVED))).await;
    for path in [
        "/v1/payments".to_owned(),
        format!("/v1/payments/{}", challenged.payment),
        "/v1/events".to_owned(),
    ] {
        send(Prepared::get_of(&path, Some(&key))).await;
    }
    send(Prepared::get_of("/metrics", None)).await;
    let codes = gateway.codes().await;
    assert_eq!(codes.len(), 2);
    for code in &codes {
        for answer in &said {
            let headers = format!("{:?}", answer.headers);
            assert!(
                !holds(&answer.text(), code) && !holds(&headers, code),
                "{}",
                answer.text()
            );
        }
        let logged = log::lines_about(code);
        let logged: Vec<_> = logged.iter().filter(|line| holds(line, code)).collect();
        assert!(logged.is_empty(), "{logged:?}");
        let tables = gateway
            .bank_rows("SELECT name FROM sqlite_master WHERE type = 'table'")
            .await;
        for table in tables.iter().filter(|table| table[0] != "bank_messages") {
            let rows = gateway
                .bank_rows(&format!("SELECT * FROM {}", table[0]))
                .await;
            let rows = format!("{rows:?}");
            assert!(!holds(&rows, code), "{}: {rows}", table[0]);
        }
        for table in ["payments", "events", "deliveries", "sessions"] {
            let rows = gateway.rows(&format!("SELECT * FROM {table}")).await;
            assert!(!holds(&format!("{rows:?}"), code), "{table}");
        }
    }
    gateway.finish().await;
}

/// Without test mode there is no phone to look at.
#[tokio::test]
async fn phone_is_not_readable_without_test_mode() {
    let gateway = TestGateway::with(|config| config.test_mode = false).await;
    for path in ["/sim/phone", "/sim/state", "/sim"] {
        assert_eq!(gateway.get(path, None).await.status, 404, "{path}");
    }
    gateway.finish().await;
}
