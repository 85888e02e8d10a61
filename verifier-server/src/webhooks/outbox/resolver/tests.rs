//! Hanging names, shared lookups and caching.

use super::{Found, IN_ALL, LOOKUP, NotFound, OF_ONE_MERCHANT, PATIENCE, Resolver};
use sealpay_protocol::ids::MerchantId;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};

fn merchant(number: u64) -> MerchantId {
    MerchantId::new(number, [0; 10])
}

fn public() -> Found {
    Ok(vec!["93.184.216.34".parse().unwrap()])
}

/// A resolver that counts its lookups: names that begin with `hangs` never resolve, those with
/// `slow` after fifty milliseconds, and those with `no` do not exist.
fn counting() -> (Arc<Resolver>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let resolver = Resolver::with(Box::new(move |name| {
        counted.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if name.starts_with("hangs") {
                std::future::pending().await
            } else if name.starts_with("slow") {
                sleep(Duration::from_millis(50)).await;
                public()
            } else if name.starts_with("no") {
                Err(NotFound::NoAddress)
            } else {
                public()
            }
        })
    }));
    (Arc::new(resolver), asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hanging_names_of_one_merchant_do_not_delay_others() {
    let (resolver, asked) = counting();
    let mut hanging = Vec::new();
    for number in 0..16 {
        let resolver = Arc::clone(&resolver);
        hanging.push(tokio::spawn(async move {
            let name = format!("hangs-{number}.example");
            resolver.addresses(merchant(1), &name).await
        }));
    }
    while asked.load(Ordering::SeqCst) < OF_ONE_MERCHANT {
        tokio::task::yield_now().await;
    }
    for number in 0..50 {
        let name = format!("good-{number}.example");
        let found = timeout(LOOKUP / 4, resolver.addresses(merchant(2), &name)).await;
        assert_eq!(found.unwrap(), public(), "{name}");
    }
    assert_eq!(
        asked.load(Ordering::SeqCst),
        OF_ONE_MERCHANT + 50,
        "the merchant's other names wait"
    );
    for hanging in hanging {
        let found = timeout(PATIENCE * 2, hanging).await.unwrap();
        assert_eq!(found.unwrap(), Err(NotFound::Late), "nobody waits for ever");
    }
    sleep(LOOKUP).await;
    assert_eq!(
        resolver.in_all.available_permits(),
        IN_ALL,
        "all places are free"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_callers_of_one_name_share_one_lookup() {
    let (resolver, asked) = counting();
    let callers = (0..256).map(|caller| {
        let resolver = Arc::clone(&resolver);
        // Including callers whose merchant has other running lookups.
        tokio::spawn(async move {
            resolver
                .addresses(merchant(caller % 3), "slow.example")
                .await
        })
    });
    let callers: Vec<_> = callers.collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), public());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn sharing_a_host_name_does_not_delay_its_other_users() {
    let (resolver, asked) = counting();
    let mut ids = Vec::new();
    let hanging = (0..OF_ONE_MERCHANT).map(|number| format!("hangs-{number}.example"));
    for name in hanging.chain(["shop.example".to_owned()]) {
        let resolver = Arc::clone(&resolver);
        ids.push(tokio::spawn(async move {
            resolver.addresses(merchant(1), &name).await
        }));
    }
    while asked.load(Ordering::SeqCst) < OF_ONE_MERCHANT {
        tokio::task::yield_now().await;
    }
    let found = timeout(LOOKUP / 4, resolver.addresses(merchant(2), "shop.example")).await;
    assert_eq!(found.unwrap(), public());
    for ids in ids {
        ids.abort();
    }
}

#[tokio::test]
async fn found_and_missing_names_are_cached() {
    let (resolver, asked) = counting();
    for _ in 0..3 {
        let found = resolver.addresses(merchant(1), "good.example").await;
        assert_eq!(found, public());
        let found = resolver.addresses(merchant(2), "none.example").await;
        assert_eq!(found, Err(NotFound::NoAddress));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn reqwest_gets_addresses_only_while_they_are_pinned() {
    let (resolver, _) = counting();
    assert!(resolver.pinned("shop.example").is_err());
    let first = resolver.pin("shop.example", public().unwrap());
    let second = resolver.pin("shop.example", public().unwrap());
    drop(first);
    let addresses = resolver.pinned("shop.example").unwrap();
    assert_eq!(addresses, ["93.184.216.34:0".parse().unwrap()]);
    drop(second);
    assert!(resolver.pinned("shop.example").is_err());
}
