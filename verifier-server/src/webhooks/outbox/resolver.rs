//! Looking names up. A lookup ends after a while, whatever the name server does; whoever asks for a
//! name that is being looked up shares the response; and a merchant has few lookups at once, so that
//! names that hang cost the merchant who named them, and nobody else.

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

/// Lookups of one merchant at once.
const OF_ONE_MERCHANT: usize = 4;
/// Lookups in all: each is a socket or two.
const IN_ALL: usize = 128;
/// How long a lookup may take, both families and all name servers together.
const LOOKUP: Duration = Duration::from_secs(2);
/// How long a response is waited for, with the lookups of the merchant that are before it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long addresses that were found are kept: those who are to be told of one event share them.
const FOUND_LIFETIME: Duration = Duration::from_secs(5);
/// How long a name is left alone that was not found.
const FAILED_LIFETIME: Duration = Duration::from_secs(30);
/// Names that are known before all are forgotten but those that are being looked up.
const NAMES: usize = 1024;

/// Why there are no addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFound {
    /// There is no such name, or it has no address.
    NoAddress,
    /// The name servers did not response in time, or too much was to be looked up before.
    Late,
    /// The name servers failed.
    Failed,
}

type Found = Result<Vec<IpAddr>, NotFound>;
type Looking = Pin<Box<dyn Future<Output = Found> + Send>>;
type LookUp = dyn Fn(String) -> Looking + Send + Sync;
/// Nothing while it is being looked up.
type Answer = watch::Receiver<Option<Found>>;

/// Looks names up, and gives reqwest the addresses that were checked and no others.
pub(super) struct Resolver {
    look_up: Box<LookUp>,
    in_all: Arc<Semaphore>,
    of_merchants: Places<MerchantId>,
    names: Mutex<HashMap<String, Answer>>,
    pinned: Arc<Mutex<HashMap<String, Checked>>>,
}

/// Addresses that requests under way may connect to.
#[derive(Default)]
struct Checked {
    addresses: Vec<IpAddr>,
    requests: usize,
}

/// While this is held, a request to the name finds the addresses that were checked.
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
        // Only who has a place begins a lookup that others share: they do not wait for the place.
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

    /// The response that is kept or under way, or a new one with its sender.
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

/// Who looks lives for as long as the response is kept, unless something went wrong.
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

/// What reqwest asks when it connects: it is told what was checked and looks nothing up.
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

/// Asks as the system is set up (`/etc/hosts`, `/etc/resolv.conf`), which is read anew each time: it
/// may have changed, and that is little beside a question over the network.
async fn by_system(name: String) -> Found {
    let resolver = TokioResolver::builder_tokio()
        .and_then(|builder| builder.build())
        .map_err(|error| {
            tracing::error!(%error, "the system's name servers are not known");
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
