//! Name resolution with a time limit, shared lookups, and a concurrency limit for each merchant, so
//! that hanging names delay only the merchant that uses them.

use crate::fair::Places;
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use sealpay_protocol::ids::MerchantId;
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

/// Concurrent lookups of one merchant.
const OF_ONE_MERCHANT: usize = 4;
/// Concurrent lookups in total: each needs a socket or two.
const IN_ALL: usize = 128;
/// Time limit of a lookup, both address families and all name servers together.
const LOOKUP: Duration = Duration::from_secs(2);
/// How long to wait for a result, including the merchant's earlier lookups.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long found addresses are cached; deliveries of one event share them.
const FOUND_LIFETIME: Duration = Duration::from_secs(5);
/// How long a failed lookup is cached.
const FAILED_LIFETIME: Duration = Duration::from_secs(30);
/// Cache size in names; when it is full, all but the running lookups are dropped.
const NAMES: usize = 1024;

/// Why there are no addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFound {
    /// The name does not exist or has no address.
    NoAddress,
    /// The name servers did not respond in time, or too many lookups were waiting.
    Late,
    /// The name servers failed.
    Failed,
}

type Found = Result<Vec<IpAddr>, NotFound>;
type Looking = Pin<Box<dyn Future<Output = Found> + Send>>;
type LookUp = dyn Fn(String) -> Looking + Send + Sync;
/// None while the lookup is running.
type Answer = watch::Receiver<Option<Found>>;

/// Resolves names, and gives reqwest only addresses that were checked.
pub(super) struct Resolver {
    look_up: Box<LookUp>,
    in_all: Arc<Semaphore>,
    of_merchants: Places<MerchantId>,
    names: Mutex<HashMap<String, Answer>>,
    pinned: Arc<Mutex<HashMap<String, Checked>>>,
}

/// Addresses that running requests may connect to.
#[derive(Default)]
struct Checked {
    addresses: Vec<IpAddr>,
    requests: usize,
}

/// While held, requests to the name get the checked addresses.
pub(super) struct Pinned {
    name: String,
    pins: Arc<Mutex<HashMap<String, Checked>>>,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = pins.get_mut(&self.name).is_some_and(|pin| {
            pin.requests = pin.requests.saturating_sub(1);
            pin.requests == 0
        });
        if ended {
            pins.remove(&self.name);
        }
    }
}

impl Resolver {
    pub(super) fn new() -> Self {
        Self::with(Box::new(|name| Box::pin(by_system(name))))
    }

    fn with(look_up: Box<LookUp>) -> Self {
        Self {
            look_up,
            in_all: Arc::new(Semaphore::new(IN_ALL)),
            of_merchants: Places::new(OF_ONE_MERCHANT),
            names: Mutex::default(),
            pinned: Arc::default(),
        }
    }

    /// The addresses of a name, for a merchant's webhook.
    pub(super) async fn addresses(self: &Arc<Self>, merchant: MerchantId, name: &str) -> Found {
        let found = timeout(PATIENCE, self.shared(merchant, name)).await;
        found.unwrap_or(Err(NotFound::Late))
    }

    async fn shared(self: &Arc<Self>, merchant: MerchantId, name: &str) -> Found {
        if let Some(response) = self.known(name) {
            return answered(response).await;
        }
        let places = self.places(merchant).await.ok_or(NotFound::Failed)?;
        // A shared lookup starts only after a permit was acquired, so that callers sharing it do
        // not wait for the permit.
        let (response, begun) = self.begin(name);
        if let Some(begun) = begun {
            tokio::spawn(Arc::clone(self).look(name.to_owned(), begun, places));
        } else {
            drop(places);
        }
        answered(response).await
    }

    async fn places(&self, merchant: MerchantId) -> Option<[OwnedSemaphorePermit; 2]> {
        let of_merchant = self
            .of_merchants
            .for_owner(merchant)
            .acquire_owned()
            .await
            .ok()?;
        let in_all = Arc::clone(&self.in_all).acquire_owned().await.ok()?;
        Some([of_merchant, in_all])
    }

    fn known(&self, name: &str) -> Option<Answer> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        usable(&names, name)
    }

    /// The cached or running lookup, or a new one with its sender.
    fn begin(&self, name: &str) -> (Answer, Option<watch::Sender<Option<Found>>>) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(response) = usable(&names, name) {
            return (response, None);
        }
        let (sender, response) = watch::channel(None);
        if names.len() >= NAMES {
            names.retain(|_, known| known.borrow().is_none());
        }
        names.insert(name.to_owned(), response.clone());
        (response, Some(sender))
    }

    async fn look(
        self: Arc<Self>,
        name: String,
        begun: watch::Sender<Option<Found>>,
        places: [OwnedSemaphorePermit; 2],
    ) {
        let found = timeout(LOOKUP, (self.look_up)(name.clone())).await;
        let found = found.unwrap_or(Err(NotFound::Late));
        drop(places);
        let lifetime = if found.is_ok() {
            FOUND_LIFETIME
        } else {
            FAILED_LIFETIME
        };
        begun.send_replace(Some(found));
        sleep(lifetime).await;
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(&name);
    }

    /// Lets requests to a name connect to these addresses.
    pub(super) fn pin(&self, name: &str, addresses: Vec<IpAddr>) -> Pinned {
        let mut pins = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        let pin = pins.entry(name.to_owned()).or_default();
        pin.addresses = addresses;
        pin.requests = pin.requests.saturating_add(1);
        Pinned {
            name: name.to_owned(),
            pins: Arc::clone(&self.pinned),
        }
    }

    fn pinned(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let pins = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        let pin = pins.get(name);
        let pin = pin.ok_or_else(|| io::Error::other("the name was not checked"))?;
        let addresses = pin.addresses.iter();
        Ok(addresses
            .map(|address| SocketAddr::new(*address, 0))
            .collect())
    }
}

/// The lookup task lives as long as its result is cached, unless it failed.
fn usable(names: &HashMap<String, Answer>, name: &str) -> Option<Answer> {
    let response = names.get(name)?;
    response.has_changed().is_ok().then(|| response.clone())
}

async fn answered(mut response: Answer) -> Found {
    let found = response.wait_for(Option::is_some).await;
    found.map_or(Err(NotFound::Failed), |found| {
        found.clone().unwrap_or(Err(NotFound::Failed))
    })
}

/// The resolver of reqwest: returns the checked addresses and resolves nothing.
pub(super) struct CheckedOnly(pub(super) Arc<Resolver>);

impl Resolve for CheckedOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let checked = self.0.pinned(name.as_str());
        Box::pin(async move {
            let checked: Addrs = Box::new(checked?.into_iter());
            Ok(checked)
        })
    }
}

/// Resolves with the system's configuration (`/etc/hosts`, `/etc/resolv.conf`). It is read each
/// time, because it may have changed and the cost is small compared with a network request.
async fn by_system(name: String) -> Found {
    let resolver = TokioResolver::builder_tokio()
        .and_then(|builder| builder.build())
        .map_err(|error| {
            tracing::error!(%error, "the system's name servers could not be read");
            NotFound::Failed
        })?;
    match resolver.lookup_ip(name).await {
        Ok(found) => Ok(found.iter().collect()),
        Err(error) => Err(not_found(&error)),
    }
}

fn not_found(error: &NetError) -> NotFound {
    if error.is_no_records_found() {
        NotFound::NoAddress
    } else {
        NotFound::Failed
    }
}

#[cfg(test)]
mod tests;
