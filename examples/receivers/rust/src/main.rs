//! Receives the webhooks of Sealpay, with crates of crates.io only.
//!
//! ```text
//! SEALPAY_MERCHANT=mer_… SEALPAY_WEBHOOK_SECRETS=whsec_… SEALPAY_VERIFIER=https://pay.example webhook-receiver
//! ```
//!
//! | Variable | Meaning |
//! |---|---|
//! | `SEALPAY_MERCHANT` | the merchant whose events are taken |
//! | `SEALPAY_MODE` | `live`, which it is when missing, or `test`: events of the other mode are refused |
//! | `SEALPAY_WEBHOOK_SECRETS` | the endpoint's secrets, separated by spaces: two in a rotation |
//! | `SEALPAY_WEBHOOK_KEYS` | the verifier's keys, `whpk_…`, separated by spaces, … |
//! | `SEALPAY_VERIFIER` | … or its origin: the keys are fetched there once, at the start |
//! | `HOST`, `PORT` | where to listen: 127.0.0.1 and 8989 |

#![expect(clippy::print_stdout, reason = "its output is what it has to show")]

mod edge;
mod inbox;
mod verify;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use edge::{now, setting};
use inbox::{Inbox, Taken, counted};
use serde_json::{Value, json};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use verify::{Accepted, Delivery, Refused, read_key, read_secret, verify};

const BODY_BYTES: usize = 64 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

struct Receiver {
    accepted: Accepted,
    inbox: Mutex<Inbox>,
}

/// What a shop does with an event: here it says that it came. Fail, and it comes again.
fn work(id: &str, event: &Value) -> Result<(), Box<dyn Error>> {
    let kind = event["type"].as_str().unwrap_or("-");
    let (subject, sequence) = counted(event).unwrap_or(("-", 0));
    println!("processed {id} {kind} {subject} {sequence}");
    Ok(())
}

/// `POST /webhooks/sealpay`
async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let delivery = Delivery {
        id: header(&headers, "webhook-id"),
        timestamp: header(&headers, "webhook-timestamp"),
        signature: header(&headers, "webhook-signature"),
    };
    let verified = raw_body(&headers, body)
        .await
        .and_then(|body| verify(delivery, &body, &receiver.accepted, now()));
    let event = match verified {
        Ok(event) => event,
        Err(refused) => return (StatusCode::BAD_REQUEST, format!("{refused}\n")).into_response(),
    };
    if let Some(challenge) = challenge(&event) {
        return axum::Json(json!({ "challenge": challenge })).into_response();
    }
    // One after the other, so that a duplicate waits for the first and does not overtake it.
    let mut inbox = receiver
        .inbox
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    match inbox.take(delivery.id, &event, work) {
        Ok(Taken::Processed) => StatusCode::NO_CONTENT.into_response(),
        Ok(Taken::Duplicate) => dropped("duplicate", delivery.id, &event),
        Ok(Taken::Stale) => dropped("stale", delivery.id, &event),
        Err(error) => {
            eprintln!("not processed: {error}");
            let again = "the event could not be processed; send it again\n";
            (StatusCode::INTERNAL_SERVER_ERROR, again).into_response()
        }
    }
}

/// What the verifier wants back before it sends anything: that proves that this endpoint is yours.
fn challenge(event: &Value) -> Option<&str> {
    let asked = event["type"] == "webhook_endpoint.verification";
    event["data"]["challenge"].as_str().filter(|_| asked)
}

fn dropped(why: &str, id: &str, event: &Value) -> Response {
    println!("{why} {id} {}", event["type"].as_str().unwrap_or("-"));
    StatusCode::NO_CONTENT.into_response()
}

/// The one value of a header: where there are two, nobody knows which was signed.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    }
}

async fn raw_body(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refused> {
    const TOO_LONG: Refused = Refused("the body is longer than 65536 bytes");
    let announced = header(headers, "content-length").parse::<usize>();
    if announced.is_ok_and(|length| length > BODY_BYTES) {
        return Err(TOO_LONG);
    }
    let reading = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_BYTES));
    match reading.await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        // It is the limit when nothing else is at the bottom of it: a connection that breaks has
        // nobody left to read this.
        Ok(Err(_)) => Err(TOO_LONG),
        Err(_) => Err(Refused("the body did not arrive")),
    }
}

async fn accepted() -> Result<Accepted, Box<dyn Error>> {
    let merchant = setting("SEALPAY_MERCHANT", "");
    if !merchant.starts_with("mer_") {
        return Err("SEALPAY_MERCHANT has to be the merchant's id, mer_…".into());
    }
    let livemode = match &*setting("SEALPAY_MODE", "live") {
        "live" => true,
        "test" => false,
        _ => return Err("SEALPAY_MODE has to be live or test".into()),
    };
    let secrets = setting("SEALPAY_WEBHOOK_SECRETS", "");
    // The text is not repeated: this message ends in a log.
    let wrong = "a secret is written whsec_ and base64 of 32 bytes";
    let secrets: Option<Vec<_>> = secrets.split_whitespace().map(read_secret).collect();
    let secrets = secrets.ok_or(wrong)?;
    let keys = setting("SEALPAY_WEBHOOK_KEYS", "");
    let mut keys: Vec<_> = keys.split_whitespace().map(str::to_owned).collect();
    let verifier = setting("SEALPAY_VERIFIER", "");
    if !verifier.is_empty() {
        keys.extend(fetched_keys(&verifier).await?);
    }
    if secrets.is_empty() {
        return Err("SEALPAY_WEBHOOK_SECRETS has no secret".into());
    }
    if keys.is_empty() {
        return Err("there is no key: set SEALPAY_WEBHOOK_KEYS or SEALPAY_VERIFIER".into());
    }
    let keys = keys.iter().map(|text| {
        read_key(text).ok_or_else(|| format!("{text} is not whpk_ and base64 of 32 bytes"))
    });
    Ok(Accepted {
        merchant,
        livemode,
        secrets,
        keys: keys.collect::<Result<_, _>>()?,
    })
}

async fn fetched_keys(verifier: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(BODY_TIMEOUT)
        .build()?;
    let url = format!("{}/v1/keys", verifier.trim_end_matches('/'));
    let answer: Value = client
        .get(url)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let keys = answer["webhook_keys"].as_array().into_iter().flatten();
    let keys = keys.filter_map(|key| key["public_key"].as_str());
    Ok(keys.map(str::to_owned).collect())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let receiver = Arc::new(Receiver {
        accepted: accepted().await?,
        inbox: Mutex::default(),
    });
    let host = setting("HOST", "127.0.0.1");
    let address = format!("{host}:{}", setting("PORT", "8989"));
    let listener = TcpListener::bind(address).await?;
    println!(
        "listening on http://{}/webhooks/sealpay",
        listener.local_addr()?
    );
    let router = Router::new()
        .route("/webhooks/sealpay", post(receive))
        .with_state(receiver);
    Ok(axum::serve(listener, router).await?)
}
