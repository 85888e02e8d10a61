//! What the shop's people may do about a payment, and who else may not.

use super::delivery::of_payment;
use super::{Answer, Scene, scene, scene_of, verifier_key};
use crate::desk::Desk;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;
use std::sync::{Arc, Mutex};

pub(super) const SHOP: &str = "http://localhost:4242";

pub(super) type RecordedRequests = Arc<Mutex<Vec<String>>>;

/// A shop with an API key, and a verifier that writes down what it is asked and answers this.
pub(super) async fn scene_with_desk(
    name: &str,
    status: u16,
    answer: serde_json::Value,
) -> (Scene, RecordedRequests) {
    let heard = RecordedRequests::default();
    let ear = Arc::clone(&heard);
    let router = Router::new().fallback(async move |request: Request| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1000).await.unwrap();
        let key = parts.headers["idempotency-key"].to_str().unwrap();
        let body = String::from_utf8_lossy(&body);
        ear.lock()
            .unwrap()
            .push(format!("{} {key} {body}", parts.uri.path()));
        let status = StatusCode::from_u16(status).unwrap();
        (status, answer.to_string()).into_response()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    let desk = Desk::new(origin.parse().unwrap(), "sk_test_1".into()).unwrap();
    let scene = scene_of(name, &[verifier_key()], Vec::new(), Some(desk));
    (scene, heard)
}

/// What a form of the page carries.
pub(super) struct Page {
    pub(super) cookie: String,
    pub(super) token: String,
    pub(super) key: String,
}

pub(super) fn value_of(page: &str, name: &str) -> String {
    let after = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
    let value = after.unwrap_or_else(|| panic!("{name}")).split('"').next();
    value.unwrap().to_owned()
}

impl Scene {
    pub(super) async fn tell(
        &self,
        reference: &str,
        sequence: u64,
        state: &str,
        told: serde_json::Value,
    ) {
        let id = format!("{state}-{sequence}");
        let told = of_payment(&id, reference, sequence, state, told);
        let answer = self.deliver(&told).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    }

    pub(super) async fn open_desk(&self, reference: &str) -> Page {
        let answer = self.get(&format!("/orders/{reference}")).await;
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.ends_with("; Path=/orders; HttpOnly; SameSite=Lax"));
        Page {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            token: value_of(&answer.text, "token"),
            key: value_of(&answer.text, "key"),
        }
    }

    async fn send(
        &self,
        reference: &str,
        form: String,
        headers: &[(header::HeaderName, &str)],
    ) -> Answer {
        let path = format!("/orders/{reference}/desk");
        self.send_to(&path, form, headers).await
    }

    pub(super) async fn send_to(
        &self,
        path: &str,
        form: String,
        headers: &[(header::HeaderName, &str)],
    ) -> Answer {
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        self.ask(request.body(Body::from(form)).unwrap()).await
    }
}

#[tokio::test]
async fn only_what_is_possible_is_offered() {
    let (scene, _) = scene_with_desk("offered", 200, json!({})).await;
    let reference = scene.order().await;
    let rows = [
        ("requires_action", json!({}), &[][..]),
        (
            "authorized",
            json!({}),
            &["capture €49.80", "void €49.80"][..],
        ),
        (
            "partially_captured",
            json!({ "amount_captured": 1_000 }),
            &["capture €39.80", "void €39.80", "refund €10.00"],
        ),
        ("captured", json!({}), &["refund €49.80"]),
        (
            "partially_refunded",
            json!({ "amount_captured": 4_980, "amount_refunded": 500, "amount_disputed": 480 }),
            &["refund €40.00"],
        ),
        (
            "refunded",
            json!({ "amount_captured": 4_980, "amount_refunded": 4_980 }),
            &[],
        ),
        ("voided", json!({}), &[]),
        ("declined", json!({}), &[]),
    ];
    for (sequence, (state, told, offered)) in (1..).zip(rows) {
        scene.tell(&reference, sequence, state, told).await;
        let page = scene.get(&format!("/orders/{reference}")).await.text;
        let forms: Vec<_> = page.split("<form class=\"deed\"").skip(1).collect();
        assert_eq!(forms.len(), offered.len(), "{state}");
        for (form, offered) in forms.iter().zip(offered) {
            let (deed, most) = offered.split_once(' ').unwrap();
            assert_eq!(value_of(form, "deed"), deed, "{state}");
            assert!(
                form.split("</form>").next().unwrap().contains(most),
                "{state} {offered}"
            );
        }
    }
    let without = super::scene("no-desk", &[verifier_key()]);
    let reference = without.order().await;
    without.tell(&reference, 1, "authorized", json!({})).await;
    let page = without.get(&format!("/orders/{reference}")).await.text;
    assert!(!page.contains("Back office"));
}

#[tokio::test]
async fn a_form_of_another_site_or_another_browser_does_nothing() {
    let (scene, heard) = scene_with_desk("strangers", 200, json!({ "state": "succeeded" })).await;
    let reference = scene.order().await;
    scene.tell(&reference, 1, "authorized", json!({})).await;
    let page = scene.open_desk(&reference).await;
    let other = scene.open_desk(&reference).await;
    let form = |token: &str| {
        let (key, confirmed) = (&page.key, "confirmed=yes");
        format!("token={token}&key={key}&payment=pay_1&deed=void&{confirmed}")
    };
    let own = [
        (header::ORIGIN, SHOP),
        (header::COOKIE, page.cookie.as_str()),
    ];
    let rows = [
        ("no origin", &page.token, vec![own[1].clone()]),
        ("no cookie", &page.token, vec![own[0].clone()]),
        (
            "another site",
            &page.token,
            vec![(header::ORIGIN, "http://localhost:8787"), own[1].clone()],
        ),
        (
            "a hidden site",
            &page.token,
            vec![(header::ORIGIN, "null"), own[1].clone()],
        ),
        ("another browser's token", &other.token, own.to_vec()),
    ];
    for (name, token, headers) in rows {
        let answer = scene.send(&reference, form(token), &headers).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
    }
    let wrong = [
        form(&page.token).replace("pay_1", "pay_2"),
        form(&page.token).replace("void", "burn"),
        form(&page.token) + "&amount=12.345",
        form(&page.token).replace(&page.key, "a%0Ab"),
    ];
    for form in wrong {
        let answer = scene.send(&reference, form.clone(), &own).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
    }
    assert_eq!(*heard.lock().unwrap(), Vec::<String>::new());
    let answer = scene.send(&reference, form(&page.token), &own).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(
        answer.headers[header::LOCATION],
        format!("/orders/{reference}?done=void")
    );
    let flash = scene.get(&format!("/orders/{reference}?done=void")).await;
    assert!(flash.text.contains("Hold released."), "{}", flash.text);
    let expected = format!("/v1/payments/pay_1/void {} {{}}", page.key);
    assert_eq!(*heard.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn every_answer_is_told_and_a_lost_one_is_asked_for_with_the_same_request() {
    let failed = json!({ "state": "failed", "failure": {
        "code": "account_closed", "message": "The account is closed." } });
    let refused = json!({ "code": "amount_too_large", "detail": "Only 5 is left." });
    let rows = [
        ("succeeded", 200, json!({ "state": "succeeded" }), 303, ""),
        (
            "pending",
            200,
            json!({ "state": "pending" }),
            202,
            "Not finished yet",
        ),
        (
            "failed",
            200,
            failed,
            409,
            "The refund failed, and nothing was changed. The account is closed.",
        ),
        ("refused", 422, refused, 409, "Only 5 is left."),
        ("broken", 500, json!({}), 502, "it can’t happen twice"),
    ];
    for (name, status, body, answered, words) in rows {
        let (scene, heard) = scene_with_desk(name, status, body).await;
        let reference = scene.order().await;
        scene.tell(&reference, 1, "captured", json!({})).await;
        let page = scene.open_desk(&reference).await;
        let own = [
            (header::ORIGIN, SHOP),
            (header::COOKIE, page.cookie.as_str()),
        ];
        let form = format!(
            "token={}&key={}&payment=pay_1&deed=refund&amount=5,05&confirmed=yes",
            page.token, page.key
        );
        let answer = scene.send(&reference, form, &own).await;
        assert_eq!(answer.status.as_u16(), answered, "{name}");
        assert!(answer.text.contains(words), "{name}: {}", answer.text);
        if answered == 502 {
            let again = ["token", "key", "payment", "deed", "amount", "confirmed"]
                .map(|name| format!("{name}={}", value_of(&answer.text, name)))
                .join("&");
            scene.send(&reference, again, &own).await;
            let heard = heard.lock().unwrap();
            assert_eq!(heard[0], heard[1], "the same request");
        }
        let expected = format!("/v1/payments/pay_1/refunds {} {{\"amount\":505}}", page.key);
        assert_eq!(heard.lock().unwrap()[0], expected, "{name}");
    }
    let without = scene("nothing-to-ask", &[verifier_key()]);
    let reference = without.order().await;
    let answer = without.send(&reference, String::new(), &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_void_or_a_refund_is_asked_about_before_it_is_sent() {
    let (scene, heard) = scene_with_desk("asked", 200, json!({ "state": "succeeded" })).await;
    let reference = scene.order().await;
    let told = json!({ "amount_captured": 1_000 });
    scene.tell(&reference, 1, "partially_captured", told).await;
    let page = scene.open_desk(&reference).await;
    let own = [
        (header::ORIGIN, SHOP),
        (header::COOKIE, page.cookie.as_str()),
    ];
    let rows = [
        ("void", "", "Release the €39.80 hold?"),
        (
            "refund",
            "5.05",
            "This also releases the remaining €39.80 hold.",
        ),
    ];
    for (deed, amount, question) in rows {
        let form = format!(
            "token={}&key={}-{deed}&payment=pay_1&deed={deed}&amount={amount}",
            page.token, page.key
        );
        let asked = scene.send(&reference, form, &own).await;
        assert_eq!(asked.status, StatusCode::OK, "{deed}");
        assert!(asked.text.contains(question), "{}", asked.text);
        assert_eq!(*heard.lock().unwrap(), Vec::<String>::new(), "{deed}");
    }
    let capture = format!(
        "token={}&key={}&payment=pay_1&deed=capture&amount=5",
        page.token, page.key
    );
    let answer = scene.send(&reference, capture, &own).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_amount_that_cannot_be_read_leads_back_to_its_order() {
    let (scene, _) = scene_with_desk("unreadable", 200, json!({})).await;
    let reference = scene.order().await;
    scene.tell(&reference, 1, "captured", json!({})).await;
    let page = scene.open_desk(&reference).await;
    let own = [
        (header::ORIGIN, SHOP),
        (header::COOKIE, page.cookie.as_str()),
    ];
    let form = format!(
        "token={}&key={}&payment=pay_1&deed=refund&amount=abc",
        page.token, page.key
    );
    let answer = scene.send(&reference, form, &own).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("Enter an amount such as 49.80."));
    assert!(
        answer
            .text
            .contains(&format!("href=\"/orders/{reference}\""))
    );
}
