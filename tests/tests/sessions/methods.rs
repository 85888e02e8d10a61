//! The payment methods that a session accepts.

use harness::client::{APPROVED, attempt};
use harness::gateway::TestGateway;
use sealpay_protocol::api::{PaymentView, Problem, ShopperState};
use sealpay_protocol::method::Method::{self, BankTransfer, Card, SepaDebit, Wallet};
use serde_json::{Value, json};

const ALL: [Method; 3] = [Card, Wallet, BankTransfer];

#[tokio::test]
async fn session_accepts_only_the_methods_of_its_order() {
    let gateway = TestGateway::start().await;
    let rows: [(Option<&[Method]>, &[Method]); 7] = [
        (None, &[Card]),
        (Some(&[Card]), &[Card]),
        (Some(&[Wallet]), &[Wallet]),
        (Some(&[BankTransfer]), &[BankTransfer]),
        (Some(&[Wallet, Card]), &[Wallet, Card]),
        (Some(&[BankTransfer, Wallet]), &[BankTransfer, Wallet]),
        (Some(&ALL), &ALL),
    ];
    for (ordered, offered) in rows {
        for method in ALL {
            let what = format!("{ordered:?}: {method:?}");
            let checkout = gateway
                .checkout(|claims| claims.methods = ordered.map(<[_]>::to_vec))
                .await;
            assert_eq!(checkout.session.methods, offered, "{what}");
            let attempt = match method {
                Card => checkout.by_card(APPROVED),
                other => checkout.by(other),
            };
            let before = gateway.stored_rows().await;
            let answer = checkout.send(&attempt).await;
            if offered.contains(&method) {
                let view: PaymentView = answer.json();
                let expected = match method {
                    Card => (200, ShopperState::Captured),
                    Wallet | BankTransfer => (202, ShopperState::RequiresAction),
                    // Offered only by merchants with a creditor identifier.
                    SepaDebit => unreachable!("no order here offers it"),
                };
                assert_eq!((answer.status.as_u16(), view.state), expected, "{what}");
                assert_eq!(view.method, method, "{what}");
                continue;
            }
            let problem: Problem = answer.json();
            assert_eq!(
                (
                    problem.status,
                    problem.code.as_str(),
                    problem.param.as_deref()
                ),
                (422, "method_not_offered", Some("method")),
                "{what}"
            );
            let changes = gateway
                .stored_rows()
                .await
                .changes_since(&before, &["nonces"]);
            assert_eq!(changes, Vec::<String>::new(), "{what}");
        }
    }
    gateway.finish().await;
}

#[tokio::test]
async fn card_data_is_accepted_only_with_the_method_card() {
    let gateway = TestGateway::start().await;
    let checkout = gateway
        .checkout(|claims| claims.methods = Some(ALL.to_vec()))
        .await;
    let sealed: Value = serde_json::from_slice(&checkout.by_card(APPROVED).body).unwrap();
    let sealed = &sealed["card"];
    #[rustfmt::skip]
    let rows = [
        (json!({"method": "card"}), Some("card")),
        (json!({"method": "wallet", "card": sealed}), Some("card")),
        (json!({"method": "bank_transfer", "card": sealed}), Some("card")),
        (json!({"method": "card", "card": null}), Some("card")),
        (json!({"method": "card", "card": {}}), None),
        (json!({"method": "cheque"}), None),
        (json!({"method": "Wallet"}), None),
        (json!({"method": null}), None),
        (json!({"method": ["wallet"]}), None),
        (json!({"card": sealed}), None),
        (json!({"method": "wallet", "account": "wallet:everyday"}), None),
        (json!({}), None),
    ];
    for (body, param) in rows {
        let bytes = body.to_string().into_bytes();
        let request = checkout
            .browser
            .send_attempt(&checkout.session, attempt(), bytes);
        let answer = gateway.send(request).await;
        let problem: Problem = answer.json();
        assert_eq!(
            (problem.status, problem.code.as_str()),
            (400, "malformed_request"),
            "{body}"
        );
        if param.is_some() {
            assert_eq!(problem.param.as_deref(), param, "{body}");
        }
    }
    let kept = gateway.stored_rows().await;
    assert_eq!((kept.rows_of("payments"), kept.rows_of("events")), (0, 0));
    let paid = checkout.pay(&checkout.by_card(APPROVED)).await;
    assert_eq!(
        (paid.state, paid.attempts_left),
        (ShopperState::Captured, 0)
    );
    gateway.finish().await;
}
