//! `POST /webhooks/sealpay`

use super::delivery::{Delivery, delivery};
use super::{NOW, SECRET, merchant, scene, verifier_key};
use axum::http::{StatusCode, header};
use ed25519_dalek::SigningKey;
use sealpay_protocol::webhook::{self, EndpointSecret};

#[tokio::test]
async fn an_order_becomes_paid_by_webhook_only() {
    let scene = scene("paid", &[verifier_key()]);
    let reference = scene.order().await;
    assert_eq!(scene.state(&reference).await, "waiting");
    let declined = scene
        .deliver(&delivery("1", &reference, "declined", 4_980))
        .await;
    assert_eq!(
        (declined.status, declined.text.as_str()),
        (StatusCode::NO_CONTENT, "")
    );
    assert_eq!(scene.state(&reference).await, "declined");
    let page = scene.get(&format!("/orders/{reference}")).await.text;
    for told in [
        "Payment declined",
        "insufficient_funds",
        "51",
        "Not &lt;sufficient&gt; funds.",
    ] {
        assert!(page.contains(told), "{told}");
    }
    scene
        .deliver(&delivery("2", &reference, "captured", 4_980))
        .await;
    assert_eq!(scene.state(&reference).await, "paid");
    let form = scene.get(&format!("/checkout/{reference}")).await;
    assert_eq!(
        form.headers[header::LOCATION],
        format!("/orders/{reference}")
    );
    assert!(scene.get("/orders").await.text.contains(&reference));
}

#[tokio::test]
async fn a_challenge_of_the_verifier_is_answered_with_itself() {
    let scene = scene("challenge", &[verifier_key()]);
    let asked = |kind: &str| Delivery {
        id: "1",
        time: NOW,
        body: serde_json::json!({
            "type": kind,
            "timestamp": "2026-11-22T10:00:42Z",
            "merchant": merchant(),
            "data": { "challenge": "q-7_x", "webhook_endpoint": { "id": "whe_1" } },
        })
        .to_string(),
        signature: None,
    };
    let answer = scene.deliver(&asked("webhook_endpoint.verification")).await;
    let expected = r#"{"challenge":"q-7_x"}"#;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (StatusCode::OK, expected)
    );
    let ping = scene.deliver(&asked("ping")).await;
    assert_eq!(ping.status, StatusCode::NO_CONTENT);
    let forged = Delivery {
        signature: Some("v1,AAAA v1a,AAAA".into()),
        ..asked("webhook_endpoint.verification")
    };
    assert_eq!(
        scene.deliver(&forged).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_delivery_that_is_not_believed_changes_nothing() {
    let keys = [verifier_key()];
    let secret = EndpointSecret::new(SECRET);
    let scene = scene("refused", &keys);
    let reference = scene.order().await;
    let good = || delivery("1", &reference, "captured", 4_980);
    let sign = |body: &str, keys: &[&SigningKey], secrets: &[&EndpointSecret]| {
        Some(webhook::sign("1", NOW, body.as_bytes(), keys, secrets))
    };
    let (other_key, other_secret) = (
        SigningKey::from_bytes(&[9; 32]),
        EndpointSecret::new([9; 32]),
    );
    let body = good().body;
    let elsewhere = body.replace(&merchant().to_string(), "mer_00000000020000000000000000");
    let rows = [
        (
            "no signature",
            Delivery {
                signature: Some(String::new()),
                ..good()
            },
            401,
        ),
        (
            "another secret",
            Delivery {
                signature: sign(&body, &[&keys[0]], &[&other_secret]),
                ..good()
            },
            401,
        ),
        (
            "another key",
            Delivery {
                signature: sign(&body, &[&other_key], &[&secret]),
                ..good()
            },
            401,
        ),
        (
            "no key at all",
            Delivery {
                signature: sign(&body, &[], &[&secret]),
                ..good()
            },
            401,
        ),
        (
            "another body",
            Delivery {
                signature: sign("{}", &[&keys[0]], &[&secret]),
                ..good()
            },
            401,
        ),
        (
            "too old",
            Delivery {
                time: NOW - 301,
                ..good()
            },
            401,
        ),
        (
            "not JSON",
            Delivery {
                body: "no".into(),
                ..good()
            },
            400,
        ),
        (
            "half an event",
            Delivery {
                body: body.replace("order_ref", "order"),
                ..good()
            },
            400,
        ),
        (
            "a way to pay that nobody offered",
            Delivery {
                body: body.replace("\"method\":\"card\"", "\"method\":\"pigeon\""),
                ..good()
            },
            400,
        ),
        (
            "another merchant",
            Delivery {
                body: elsewhere,
                ..good()
            },
            409,
        ),
        (
            "another amount",
            delivery("1", &reference, "captured", 4_979),
            409,
        ),
        (
            "an unknown order",
            delivery("1", "PL-0", "captured", 4_980),
            404,
        ),
        (
            "a later kind of event",
            Delivery {
                body: body.replace("payment.captured", "payout.made"),
                ..good()
            },
            204,
        ),
    ];
    for (name, wrong, status) in rows {
        let answer = scene.deliver(&wrong).await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text);
        assert_eq!(
            answer.text.trim_end().ends_with('.'),
            status != 204,
            "{name}: {}",
            answer.text
        );
        assert_eq!(scene.state(&reference).await, "waiting", "{name}");
    }
    let answer = scene.deliver(&good()).await;
    assert_eq!(
        (answer.status, scene.state(&reference).await),
        (StatusCode::NO_CONTENT, "paid".into())
    );
}

#[tokio::test]
async fn without_a_known_key_the_shared_secret_is_enough() {
    let scene = scene("no-key", &[]);
    let reference = scene.order().await;
    let answer = scene
        .deliver(&delivery("1", &reference, "authorized", 4_980))
        .await;
    assert_eq!(
        (answer.status, scene.state(&reference).await),
        (StatusCode::NO_CONTENT, "reserved".into())
    );
}

#[tokio::test]
async fn a_webhook_of_more_than_64_kib_is_not_read() {
    let scene = scene("large", &[verifier_key()]);
    let large = Delivery {
        id: "1",
        time: NOW,
        body: "x".repeat(64 * 1024 + 1),
        signature: None,
    };
    assert_eq!(
        scene.deliver(&large).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}
