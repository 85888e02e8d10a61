//! Sending one webhook: the address is checked as it is resolved, and the checked one is used.

use super::address::{AddressPolicy, Refused};
use super::answer;
use super::resolver::CheckingResolver;
use reqwest::redirect;
use sealpay_protocol::ids::EventId;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// The receiver answered.
    Answered {
        /// The status.
        status: u16,
        /// How the answer began.
        answer: Option<String>,
        /// How long the receiver asks to be left alone, milliseconds.
        retry_after_ms: Option<i64>,
    },
    /// No answer, for this reason.
    Failed(String),
}

pub(super) struct Sender {
    client: reqwest::Client,
    policy: Arc<AddressPolicy>,
}

impl Sender {
    pub(super) fn new(policy: AddressPolicy) -> Result<Self, String> {
        let policy = Arc::new(policy);
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(CheckingResolver::new(Arc::clone(&policy))))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .user_agent(concat!("sealpay-webhook/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("the webhook client cannot be made: {error}"))?;
        Ok(Self { client, policy })
    }

    pub(super) async fn send(
        &self,
        url: &str,
        event: EventId,
        body: &str,
        timestamp: u64,
        signature: &str,
    ) -> Sent {
        let checked = Url::parse(url).map_err(|error| error.to_string());
        let checked = checked.and_then(|url| self.policy.check(&url).map(|()| url));
        let url = match checked {
            Ok(url) => url,
            Err(reason) => return Sent::Failed(reason),
        };
        let sent = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", event.to_string())
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body.to_owned())
            .send()
            .await;
        match sent {
            Ok(answered) => Sent::Answered {
                status: answered.status().as_u16(),
                retry_after_ms: answer::retry_after_ms(answered.headers(), timestamp),
                answer: answer::beginning(answered).await,
            },
            Err(error) => Sent::Failed(reason_of(&error)),
        }
    }
}

/// A few words; the address and what the client library says of it stay inside.
fn reason_of(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<Refused>() {
            return Refused.to_string();
        }
        cause = inner.source();
    }
    let reason = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    reason.into()
}
