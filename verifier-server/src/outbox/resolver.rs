//! Looking names up: each lookup holds a thread until the system gives up, whoever has stopped
//! waiting for it, so only so many are made at once and a name that does not answer is left alone.

use super::address::{AddressPolicy, Refused};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Lookups of one name at once: one that hangs, and one beside it.
const OF_ONE_NAME: usize = 2;
/// Lookups in all, of the 512 threads that the database and files need too.
const IN_ALL: usize = 32;
/// How long a lookup is waited for: less than for a connection, so that it is seen here.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// How long a name is left alone that was not found in time.
const REST: Duration = Duration::from_secs(30);
/// Names that are known before those are forgotten that nothing is known of.
const NAMES: usize = 256;

type LookUp = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Resolves once and gives out only what the policy allows, so that the address that was checked
/// is the address that is connected to.
pub(super) struct CheckingResolver(Arc<Inner>);

struct Inner {
    policy: Arc<AddressPolicy>,
    look_up: Box<LookUp>,
    in_all: Arc<Semaphore>,
    names: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    lookups: Arc<Semaphore>,
    rests: bool,
}

impl CheckingResolver {
    pub(super) fn new(policy: Arc<AddressPolicy>) -> Self {
        let look_up = |name: &str| Ok((name, 0).to_socket_addrs()?.collect());
        Self::with(policy, Box::new(look_up))
    }

    fn with(policy: Arc<AddressPolicy>, look_up: Box<LookUp>) -> Self {
        Self(Arc::new(Inner {
            policy,
            look_up,
            in_all: Arc::new(Semaphore::new(IN_ALL)),
            names: Mutex::default(),
        }))
    }
}

impl Resolve for CheckingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let addresses = inner.addresses_of(name.as_str()).await?;
            // One bad address among good ones is enough: a name that points both ways is a trick.
            if addresses.is_empty() || addresses.iter().any(|a| !inner.policy.allows(a.ip())) {
                return Err(Box::<dyn Error + Send + Sync>::from(Refused));
            }
            let checked: Addrs = Box::new(addresses.into_iter());
            Ok(checked)
        })
    }
}

impl Inner {
    async fn addresses_of(self: &Arc<Self>, name: &str) -> io::Result<Vec<SocketAddr>> {
        let lookups = self.known(name).lookups;
        self.refuse_resting(name)?;
        let of_name = timeout(PATIENCE, lookups.acquire_owned()).await;
        let of_name = of_name.inspect_err(|_| self.leave_alone(name))?;
        let of_name = of_name.map_err(io::Error::other)?;
        // Whoever had the place before may have found nothing.
        self.refuse_resting(name)?;
        // That others fill all places is not this name's fault.
        let in_all = timeout(PATIENCE, Arc::clone(&self.in_all).acquire_owned()).await?;
        let in_all = in_all.map_err(io::Error::other)?;
        let (inner, asked) = (Arc::clone(self), name.to_owned());
        let looking = tokio::task::spawn_blocking(move || {
            // The places are free when the thread is, not when nobody waits any more.
            let _places = (in_all, of_name);
            (inner.look_up)(&asked)
        });
        let found = match timeout(PATIENCE, looking).await {
            Ok(ended) => ended.map_err(io::Error::other).flatten(),
            Err(late) => Err(late.into()),
        };
        found.inspect_err(|_| self.leave_alone(name))
    }

    fn refuse_resting(&self, name: &str) -> io::Result<()> {
        if self.known(name).rests {
            return Err(io::Error::other("the name was not found a moment ago"));
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Known {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= NAMES && !names.contains_key(name) {
            names.retain(|_, known| known.rests || known.lookups.available_permits() < OF_ONE_NAME);
        }
        let known = names.entry(name.to_owned()).or_insert_with(|| Known {
            lookups: Arc::new(Semaphore::new(OF_ONE_NAME)),
            rests: false,
        });
        known.clone()
    }

    fn leave_alone(self: &Arc<Self>, name: &str) {
        if self.rest(name, true) {
            let (inner, name) = (Arc::clone(self), name.to_owned());
            tokio::spawn(async move {
                sleep(REST).await;
                inner.rest(&name, false);
            });
        }
    }

    /// Says whether that is new.
    fn rest(&self, name: &str, rests: bool) -> bool {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names
            .get_mut(name)
            .is_some_and(|known| std::mem::replace(&mut known.rests, rests) != rests)
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressPolicy, CheckingResolver, IN_ALL, OF_ONE_NAME, PATIENCE};
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};

    /// A resolver that counts what it is asked.
    fn counting(
        answer: impl Fn(&str) -> io::Result<Vec<std::net::SocketAddr>> + Send + Sync + 'static,
    ) -> (CheckingResolver, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let look_up = move |name: &str| {
            counted.fetch_add(1, Ordering::SeqCst);
            answer(name)
        };
        let policy = Arc::new(AddressPolicy::default());
        let resolver = CheckingResolver::with(policy, Box::new(look_up));
        (resolver, asked)
    }

    #[tokio::test]
    async fn a_name_that_was_not_found_is_not_asked_again_at_once() {
        let (resolver, asked) = counting(|name| match name {
            "good.example" => Ok(vec!["93.184.216.34:0".parse().unwrap()]),
            _ => Err(io::Error::other("no such name")),
        });
        for _ in 0..3 {
            assert!(resolver.0.addresses_of("bad.example").await.is_err());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        for _ in 0..3 {
            assert!(resolver.0.addresses_of("good.example").await.is_ok());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn a_name_that_hangs_holds_few_threads_and_others_are_found_beside_it() {
        let end = Arc::new(Barrier::new(OF_ONE_NAME + 1));
        let hung = Arc::clone(&end);
        let (resolver, asked) = counting(move |name| {
            if name == "hangs.example" {
                hung.wait();
            }
            Ok(vec!["93.184.216.34:0".parse().unwrap()])
        });
        let waiting: Vec<_> = (0..IN_ALL / 2)
            .map(|_| {
                let inner = Arc::clone(&resolver.0);
                tokio::spawn(async move { inner.addresses_of("hangs.example").await })
            })
            .collect();
        while asked.load(Ordering::SeqCst) < OF_ONE_NAME {
            tokio::task::yield_now().await;
        }
        assert!(resolver.0.addresses_of("good.example").await.is_ok());
        for waiting in waiting {
            let found = tokio::time::timeout(PATIENCE * 2, waiting).await;
            assert!(found.unwrap().unwrap().is_err(), "nobody waits for ever");
        }
        assert_eq!(asked.load(Ordering::SeqCst), OF_ONE_NAME + 1);
        end.wait();
    }
}
