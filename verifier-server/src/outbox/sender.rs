//! Sending one webhook: the address is checked as it is resolved, and the checked one is used.

use super::address::{AddressPolicy, Refused};
use crate::domain::event::DueDelivery;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// The receiver answered with this status.
    Answered(u16),
    /// No answer, for this reason.
    Failed(String),
}

pub(super) struct Sender {
    client: reqwest::Client,
    policy: Arc<AddressPolicy>,
}

/// Resolves once and gives out only what the policy allows, so that the address that was checked
/// is the address that is connected to.
struct CheckingResolver(Arc<AddressPolicy>);

impl Resolve for CheckingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> = found.collect();
            // One bad address among good ones is enough: a name that points both ways is a trick.
            if addresses.is_empty() || addresses.iter().any(|a| !policy.allows(a.ip())) {
                return Err(Box::<dyn Error + Send + Sync>::from(Refused));
            }
            let checked: Addrs = Box::new(addresses.into_iter());
            Ok(checked)
        })
    }
}

impl Sender {
    pub(super) fn new(policy: AddressPolicy) -> Result<Self, String> {
        let policy = Arc::new(policy);
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(CheckingResolver(Arc::clone(&policy))))
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
        delivery: &DueDelivery,
        timestamp: u64,
        signature: &str,
    ) -> Sent {
        let url = match self.checked_url(&delivery.url) {
            Ok(url) => url,
            Err(reason) => return Sent::Failed(reason),
        };
        let sent = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", delivery.event.to_string())
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(delivery.body.clone())
            .send()
            .await;
        match sent {
            // The body of the answer is not read: nothing in it is wanted.
            Ok(answer) => Sent::Answered(answer.status().as_u16()),
            Err(error) => Sent::Failed(reason_of(&error)),
        }
    }

    /// A literal address never reaches the resolver, so it is checked here.
    fn checked_url(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        if url.scheme() != "https" && !self.policy.allows_http() {
            return Err("only https is allowed".into());
        }
        let allowed = match url.host() {
            Some(Host::Ipv4(address)) => self.policy.allows(address.into()),
            Some(Host::Ipv6(address)) => self.policy.allows(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        };
        if allowed {
            Ok(url)
        } else {
            Err(Refused.to_string())
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
