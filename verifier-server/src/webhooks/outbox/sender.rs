//! Sends one webhook: resolves the name, checks its addresses, and connects to one of them.

use super::address::{AddressPolicy, Refused, literal};
use super::failure;
use super::resolver::{CheckedOnly, NotFound, Pinned, Resolver};
use super::response;
use reqwest::redirect;
use sealpay_protocol::ids::{EventId, MerchantId};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// The receiver responded.
    Answered {
        status: u16,
        /// The beginning of the response, if it is stored.
        response: Option<String>,
        /// The requested retry delay, milliseconds.
        retry_after_ms: Option<i64>,
    },
    /// No response, for this reason.
    Failed(String),
    /// No connection was attempted, for this reason. The duration is not disclosed: it could reveal
    /// internal names and addresses.
    Unreached(String),
}

/// A webhook request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    /// The owner of the webhook.
    pub(super) merchant: MerchantId,
    pub(super) url: &'a str,
    /// `webhook-id`
    pub(super) event: EventId,
    /// The signed bytes.
    pub(super) body: &'a str,
    /// Seconds since 1970.
    pub(super) timestamp: u64,
    /// `webhook-signature`
    pub(super) signature: &'a str,
}

pub(super) struct Sender {
    client: reqwest::Client,
    policy: Arc<AddressPolicy>,
    names: Arc<Resolver>,
}

/// A checked destination.
struct Target {
    url: Url,
    addresses: Vec<IpAddr>,
    _pinned: Option<Pinned>,
}

impl Sender {
    pub(super) fn new(policy: AddressPolicy) -> Result<Self, String> {
        let names = Arc::new(Resolver::new());
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(CheckedOnly(Arc::clone(&names))))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .user_agent(concat!("sealpay-webhook/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("the webhook client cannot be made: {error}"))?;
        Ok(Self {
            client,
            policy: Arc::new(policy),
            names,
        })
    }

    /// Sends once. Redirects are not followed.
    pub(super) async fn send(&self, message: Message<'_>) -> Sent {
        let target = match self.target(message).await {
            Ok(target) => target,
            Err(reason) => return Sent::Unreached(reason),
        };
        match self.post(message, &target).await {
            Ok(answered) => {
                let keeps = self.policy.stores_responses_of(&target.addresses);
                Sent::Answered {
                    status: answered.status().as_u16(),
                    retry_after_ms: response::retry_after_ms(answered.headers(), message.timestamp),
                    response: if keeps {
                        response::beginning(answered).await
                    } else {
                        None
                    },
                }
            }
            Err(error) => Sent::Failed(failure::reason(&error).into()),
        }
    }

    /// Sends once and returns status and beginning of the response, for callers that need it.
    pub(super) async fn ask(&self, message: Message<'_>) -> Result<(u16, String), String> {
        let target = self.target(message).await?;
        let answered = self.post(message, &target).await;
        let answered = answered.map_err(|error| failure::reason(&error).to_owned())?;
        let status = answered.status().as_u16();
        let response = response::beginning(answered).await;
        Ok((status, response.unwrap_or_default()))
    }

    /// Whether all addresses of a name are in networks that the operator allows.
    pub(super) async fn vouches_for(&self, merchant: MerchantId, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else {
            return false;
        };
        if let Some(Host::Domain(name)) = url.host() {
            let found = self.names.addresses(merchant, name).await;
            let found = found.map(|all| self.policy.usable(all));
            let vouched = found.is_ok_and(|all| self.policy.vouches_for_all(&all));
            return self.policy.check(&url).is_ok() && vouched;
        }
        self.policy.check(&url).is_ok() && self.policy.vouches_for(&url)
    }

    async fn target(&self, message: Message<'_>) -> Result<Target, String> {
        let url = Url::parse(message.url).map_err(|error| error.to_string())?;
        let refused = |why: Refused| why.to_string();
        self.policy.check(&url).map_err(refused)?;
        let Some(Host::Domain(name)) = url.host() else {
            let addresses = literal(&url).into_iter().collect();
            return Ok(Target {
                url,
                addresses,
                _pinned: None,
            });
        };
        let found = self.names.addresses(message.merchant, name).await;
        let addresses = found.map_err(|missing| match missing {
            NotFound::NoAddress => Refused::Name.to_string(),
            NotFound::Late => "the name was not found in time".to_owned(),
            NotFound::Failed => "the name could not be looked up".to_owned(),
        })?;
        let addresses = self.policy.usable(addresses);
        let port = url.port_or_known_default().unwrap_or_default();
        self.policy
            .check_addresses(&addresses, port)
            .map_err(refused)?;
        let pinned = Some(self.names.pin(name, addresses.clone()));
        Ok(Target {
            url,
            addresses,
            _pinned: pinned,
        })
    }

    async fn post(
        &self,
        message: Message<'_>,
        target: &Target,
    ) -> reqwest::Result<reqwest::Response> {
        self.client
            .post(target.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", message.event.to_string())
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", message.signature)
            .body(message.body.to_owned())
            .send()
            .await
    }
}
