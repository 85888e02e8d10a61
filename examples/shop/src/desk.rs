//! What a merchant's server asks for after an authorization: captures, voids, refunds, and what it
//! says to a dispute.
//!
//! Each request has a key that the page made before it was sent. However often it is sent, it is
//! done once, and a lost answer is asked for by sending the same request again.

use crate::orders::Failure;
use crate::verifier::body_of;
use reqwest::StatusCode;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::secret::Secret;
use serde::Deserialize;
use std::time::Duration;

/// A bank may think for a while.
const PATIENCE: Duration = Duration::from_secs(30);

/// The merchant's way to the verifier's interface for servers.
pub(crate) struct Desk {
    verifier: Origin,
    client: reqwest::Client,
    api_key: Secret<String>,
}

/// What may be done to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// Take what is held, or part of it.
    Capture,
    /// Let go what is held.
    Void,
    /// Give back what was taken, or part of it.
    Refund,
}

/// A deed with everything that the verifier has to know.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) payment: String,
    pub(crate) deed: Deed,
    /// Minor units; all there is when left out.
    pub(crate) amount_minor: Option<i64>,
    /// Names the request: the `Idempotency-Key`.
    pub(crate) key: String,
}

/// What the shop says to a dispute.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) dispute: String,
    /// 1 to 8000 characters, without carriage returns.
    pub(crate) text: String,
    /// Names the request: the `Idempotency-Key`.
    pub(crate) key: String,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is done; the webhook tells the order.
    Done,
    /// The bank has not answered yet; the webhook will tell.
    Pending,
    /// The bank said no, with a sentence. Nothing was changed.
    Failed(String),
    /// The verifier refused, with a sentence. Nothing was changed.
    Refused(String),
    /// No answer came. It may be done: only the same request again can tell.
    Nothing,
}

#[derive(Deserialize)]
struct Modification {
    state: String,
    failure: Option<Failure>,
}

/// An error answer (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Deed {
    const fn path(self) -> &'static str {
        match self {
            Self::Capture => "captures",
            Self::Void => "void",
            Self::Refund => "refunds",
        }
    }

    /// The deed of a name in a form or an address.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Capture, Self::Void, Self::Refund]
            .into_iter()
            .find(|deed| deed.name() == name)
    }

    /// Whether it has to be confirmed, because nothing brings the money back.
    pub(crate) const fn is_final(self) -> bool {
        matches!(self, Self::Void | Self::Refund)
    }

    /// The word on a button.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Capture => "Capture",
            Self::Void => "Void",
            Self::Refund => "Refund",
        }
    }

    /// The name in the form.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }
}

impl Desk {
    /// With the API key that the merchant got.
    pub(crate) fn new(verifier: Origin, api_key: String) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            verifier,
            client,
            api_key: Secret::new(api_key),
        })
    }

    /// Asks for it.
    pub(crate) async fn ask(&self, wish: &Wish) -> Said {
        let address = format!(
            "{}/v1/payments/{}/{}",
            self.verifier,
            wish.payment,
            wish.deed.path()
        );
        let body = wish.amount_minor.map_or_else(
            || serde_json::json!({}),
            |amount| serde_json::json!({ "amount": amount }),
        );
        match self.post(&address, &wish.key, &body).await {
            Some((status, body)) => said(status, &body),
            None => Said::Nothing,
        }
    }

    /// Answers a dispute.
    pub(crate) async fn submit(&self, evidence: &Evidence) -> Said {
        let address = format!(
            "{}/v1/disputes/{}/evidence",
            self.verifier, evidence.dispute
        );
        let body = serde_json::json!({ "evidence": evidence.text });
        match self.post(&address, &evidence.key, &body).await {
            Some((status, _)) if status.is_success() => Said::Done,
            Some((status, body)) => said(status, &body),
            None => Said::Nothing,
        }
    }

    /// None when no answer came.
    async fn post(
        &self,
        address: &str,
        key: &str,
        body: &serde_json::Value,
    ) -> Option<(StatusCode, Vec<u8>)> {
        let request = self
            .client
            .post(address)
            .bearer_auth(self.api_key.expose())
            .header("idempotency-key", key)
            .json(body);
        let answer = request.send().await.ok()?;
        let status = answer.status();
        Some((status, body_of(answer).await?))
    }
}

fn said(status: StatusCode, body: &[u8]) -> Said {
    if status.is_success() {
        let Ok(modification) = serde_json::from_slice::<Modification>(body) else {
            return Said::Nothing;
        };
        return match modification.state.as_str() {
            "succeeded" => Said::Done,
            "failed" => Said::Failed(
                modification
                    .failure
                    .map_or_else(String::new, |failure| failure.message),
            ),
            _ => Said::Pending,
        };
    }
    // Of an error on the way nobody knows whether it came before the deed or after it.
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) if status.is_client_error() => Said::Refused(problem.detail),
        _ => Said::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::{Deed, Desk, Said, Wish, said};
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use axum::{Json, Router};
    use serde_json::json;
    use std::sync::{Arc, Mutex};

    #[test]
    fn every_answer_means_one_thing() {
        let rows = [
            (
                200,
                json!({ "state": "succeeded", "failure": null }),
                Said::Done,
            ),
            (
                200,
                json!({ "state": "pending", "failure": null }),
                Said::Pending,
            ),
            (
                200,
                json!({ "state": "failed",
                        "failure": { "code": "closed", "message": "The account is closed." } }),
                Said::Failed("The account is closed.".into()),
            ),
            (
                422,
                json!({ "code": "amount_too_large", "detail": "Only 5 is left." }),
                Said::Refused("Only 5 is left.".into()),
            ),
            (
                500,
                json!({ "code": "internal", "detail": "Sorry." }),
                Said::Nothing,
            ),
            (404, json!("no problem"), Said::Nothing),
            (200, json!([]), Said::Nothing),
        ];
        for (status, body, expected) in rows {
            let status = StatusCode::from_u16(status).unwrap();
            let answered = said(status, body.to_string().as_bytes());
            assert_eq!(answered, expected, "{status} {body}");
        }
    }

    #[tokio::test]
    async fn a_wish_is_sent_with_its_key_and_only_the_amount_that_was_typed() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let router = Router::new().fallback(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let header = |name: &str| parts.headers[name].to_str().unwrap().to_owned();
            let body = axum::body::to_bytes(body, 1000).await.unwrap();
            let line = format!(
                "{} {} {} {} {}",
                parts.method,
                parts.uri.path(),
                header("authorization"),
                header("idempotency-key"),
                String::from_utf8_lossy(&body)
            );
            ear.lock().unwrap().push(line);
            Json(json!({ "state": "succeeded" })).into_response()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async { axum::serve(listener, router).await });
        let desk = Desk::new(origin.parse().unwrap(), "sk_test_1".into()).unwrap();
        let mut wish = Wish {
            payment: "pay_1".into(),
            deed: Deed::Capture,
            amount_minor: Some(1_000),
            key: "shop-1".into(),
        };
        assert_eq!(desk.ask(&wish).await, Said::Done);
        for deed in [Deed::Void, Deed::Refund] {
            (wish.deed, wish.amount_minor) = (deed, None);
            assert_eq!(desk.ask(&wish).await, Said::Done);
        }
        assert_eq!(
            *heard.lock().unwrap(),
            [
                "POST /v1/payments/pay_1/captures Bearer sk_test_1 shop-1 {\"amount\":1000}",
                "POST /v1/payments/pay_1/void Bearer sk_test_1 shop-1 {}",
                "POST /v1/payments/pay_1/refunds Bearer sk_test_1 shop-1 {}",
            ]
        );
        server.abort();
        assert!(server.await.unwrap_err().is_cancelled());
        assert_eq!(desk.ask(&wish).await, Said::Nothing);
    }
}
