//! A stranger behind a merchant's network address sees only what is public about the merchant and
//! cannot lock the merchant out.

use super::signing::Signing;
use harness::client::{APPROVED, Prepared, attempt, card};
use harness::gateway::TestGateway;
use std::net::SocketAddr;

fn names_of(signed: &Prepared) -> [(&'static str, String); 2] {
    ["sealpay-merchant", "signature-input"].map(|name| (name, signed.get(name).unwrap().to_owned()))
}

#[tokio::test]
async fn names_of_a_merchant_beside_guesses_at_sessions_do_not_lock_it_out() {
    let gateway = TestGateway::with(|config| config.rate_limit.per_second = 50).await;
    let address: SocketAddr = "198.51.100.9:4711".parse().unwrap();
    let signed = || Signing::reading(&gateway).prepared();
    let known = gateway.send_from(address, signed()).await;
    assert_eq!(known.status, 200, "{}", known.text());
    let browser = gateway.browser();
    let order = gateway.order(None);
    let session = gateway.open(&browser, &order).await;
    let pay = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let mut refused = 0;
    for number in 0..60 {
        let mut guess = pay.clone();
        for (name, value) in names_of(&signed()) {
            guess.set(name, &value);
        }
        let session = format!("chk_01jd00000000000000000000{number:02}");
        guess.set("sealpay-session", &session);
        let answer = gateway.send_from(address, guess).await;
        refused += usize::from(answer.status == 429);
        // The same with a key that is nobody's.
        let mut guess = Prepared::get_of("/v1/payments", Some("sk_test_nobody"));
        guess.set("x-number", &number.to_string());
        let answer = gateway.send_from(address, guess).await;
        refused += usize::from(answer.status == 429);
    }
    assert!(refused >= 30, "the guesser waits: {refused}");
    let answer = gateway.send_from(address, signed()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    gateway.finish().await;
}
