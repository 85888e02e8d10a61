//! Fair scheduling: a slow endpoint delays only its own deliveries, several endpoints on one host get
//! no more concurrency than the host's limit, and one merchant cannot use all of that.

use crate::fair::Places;
use sealpay_protocol::ids::{EndpointId, MerchantId};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// Concurrent deliveries to one endpoint. Less than for its host, so that one that hangs leaves
/// room for others there.
const AT_ONCE: usize = 12;
/// Concurrent deliveries to one host, across all merchants.
const TO_A_HOST: usize = 16;
/// Concurrent deliveries of one merchant to one host. The rest is for merchants whose receivers are
/// on the same host, such as a shop platform.
const OF_A_MERCHANT: usize = 14;
/// Running plus waiting deliveries of one endpoint.
const SEATS: usize = 80;

/// Running plus waiting deliveries of one endpoint when the queue is nearly full, to leave room for
/// other endpoints.
const SEATS_WHEN_CROWDED: usize = 4;

/// Initial pause of deliveries whose endpoint has no free slot, milliseconds; doubled each time
/// until it has one again.
const SHORTEST_PAUSE_MS: i64 = 2_000;
const LONGEST_PAUSE_MS: i64 = 300_000;

/// The lanes of every endpoint with running deliveries.
#[derive(Debug)]
pub(super) struct FairQueue {
    endpoints: HashMap<EndpointId, Lane>,
    hosts: Places<String>,
    merchants: Places<(MerchantId, String)>,
    heads: Places<(MerchantId, String)>,
}

impl Default for FairQueue {
    fn default() -> Self {
        Self {
            endpoints: HashMap::new(),
            hosts: Places::new(TO_A_HOST),
            merchants: Places::new(OF_A_MERCHANT),
            heads: Places::new(1),
        }
    }
}

/// The key of a host: its name, for all ports of http and https. Other ports, allowed by operators
/// mostly for development, are keys of their own, because several developers' receivers may share a
/// machine.
fn host(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let host = parsed.as_ref().and_then(|url| {
        let host = url.host_str()?.trim_end_matches('.');
        Some(match url.port() {
            None | Some(80 | 443 | 8443) => host.to_owned(),
            Some(port) => format!("{host}:{port}"),
        })
    });
    host.unwrap_or_default()
}

#[derive(Debug)]
struct Lane {
    seats: Arc<Semaphore>,
    at_once: Arc<Semaphore>,
    pause: Option<Pause>,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    length_ms: i64,
    until_ms: i64,
}

impl Lane {
    fn new() -> Self {
        Self {
            seats: Arc::new(Semaphore::new(SEATS)),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            pause: None,
        }
    }
}

/// A slot in an endpoint's queue; released on drop.
#[derive(Debug)]
pub(super) struct Slot {
    at_once: Arc<Semaphore>,
    of_merchant: Arc<Semaphore>,
    /// Held by the one delivery of the merchant that waits for the host.
    head: Arc<Semaphore>,
    to_host: Arc<Semaphore>,
    _seat: OwnedSemaphorePermit,
}

impl FairQueue {
    /// A slot in an endpoint's queue; none if too many deliveries wait there.
    pub(super) fn slot(
        &mut self,
        (merchant, endpoint): (MerchantId, EndpointId),
        url: &str,
        is_crowded: bool,
    ) -> Option<Slot> {
        let lane = self.endpoints.entry(endpoint).or_insert_with(Lane::new);
        let taken = SEATS.saturating_sub(lane.seats.available_permits());
        if is_crowded && taken >= SEATS_WHEN_CROWDED {
            return None;
        }
        let slot = Arc::clone(&lane.seats).try_acquire_owned().ok()?;
        lane.pause = None;
        let host = host(url);
        Some(Slot {
            at_once: Arc::clone(&lane.at_once),
            of_merchant: self.merchants.for_owner((merchant, host.clone())),
            head: self.heads.for_owner((merchant, host.clone())),
            to_host: self.hosts.for_owner(host),
            _seat: slot,
        })
    }

    /// The end of an endpoint's pause, milliseconds since 1970. Deliveries that come during a pause
    /// wait for its end, and the next pause is longer.
    pub(super) fn put_off_until(&mut self, endpoint: EndpointId, now_ms: i64) -> i64 {
        let lane = self.endpoints.entry(endpoint).or_insert_with(Lane::new);
        let length_ms = match lane.pause {
            Some(pause) if now_ms < pause.until_ms => return pause.until_ms,
            Some(pause) => pause.length_ms.saturating_mul(2).min(LONGEST_PAUSE_MS),
            None => SHORTEST_PAUSE_MS,
        };
        let until_ms = now_ms.saturating_add(length_ms);
        lane.pause = Some(Pause {
            length_ms,
            until_ms,
        });
        until_ms
    }

    /// Removes endpoints without running deliveries.
    pub(super) fn forget_idle(&mut self) {
        self.endpoints
            .retain(|_, lane| lane.seats.available_permits() < SEATS);
    }
}

/// Permits to send, of the endpoint, the merchant and the host.
pub(super) type Permits = [OwnedSemaphorePermit; 3];

impl Slot {
    /// Waits for a lane and keeps the place meanwhile: `claimed` is renewed every `period`. None if
    /// it cannot be renewed.
    pub(super) async fn lane<T, F: Future<Output = Option<T>>>(
        &self,
        mut claimed: T,
        period: Duration,
        renew: impl Fn(T) -> F,
    ) -> Option<(T, Permits)> {
        let mut turn = pin!(self.turn());
        loop {
            match tokio::time::timeout(period, &mut turn).await {
                Ok(permits) => return Some((claimed, permits?)),
                Err(_) => claimed = renew(claimed).await?,
            }
        }
    }

    /// None only if the queue is closed, which never happens. Each merchant has one delivery in the
    /// host's queue, so that a backlog of one delays no other: merchants take turns.
    async fn turn(&self) -> Option<Permits> {
        let of_endpoint = Arc::clone(&self.at_once).acquire_owned().await.ok()?;
        let of_merchant = Arc::clone(&self.of_merchant).acquire_owned().await.ok()?;
        let _head = self.head.acquire().await.ok()?;
        let to_host = Arc::clone(&self.to_host).acquire_owned().await.ok()?;
        Some([of_endpoint, of_merchant, to_host])
    }
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, FairQueue, LONGEST_PAUSE_MS, SEATS, SEATS_WHEN_CROWDED, Slot, TO_A_HOST};
    use sealpay_protocol::ids::{EndpointId, MerchantId};
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::sync::OwnedSemaphorePermit;

    const URL: &str = "https://shop.example/webhooks";

    fn endpoint(merchant: u64, number: u8) -> (MerchantId, EndpointId) {
        let endpoint = EndpointId::new(merchant, [number; 10]);
        (MerchantId::new(merchant, [0; 10]), endpoint)
    }

    /// The lane, if one is free.
    async fn free_lane(slot: &Slot) -> Option<[OwnedSemaphorePermit; 3]> {
        let lane = tokio::time::timeout(Duration::ZERO, slot.turn()).await;
        lane.ok().flatten()
    }

    #[tokio::test]
    async fn concurrency_is_limited_per_host() {
        let mut queue = FairQueue::default();
        let urls = [
            "https://shop.example/a",
            "https://shop.example:8443/b",
            "https://shop.example./c",
            "https://shop.example/d",
            "https://shop.example:9443/e",
        ];
        let mut counts = Vec::new();
        let mut taken = Vec::new();
        for (merchant, url) in (1..).zip(urls) {
            let before = taken.len();
            for _ in 0..AT_ONCE {
                let slot = queue.slot(endpoint(merchant, 1), url, false).unwrap();
                taken.extend(free_lane(&slot).await);
            }
            counts.push(taken.len() - before);
        }
        // A trailing dot names the same host; another port is another host of a developer's.
        assert_eq!(counts, [12, 4, 0, 0, 12]);
    }

    #[tokio::test]
    async fn merchant_with_hanging_endpoints_leaves_lanes_to_others_on_the_host() {
        let mut queue = FairQueue::default();
        let mut hanging = Vec::new();
        for number in 1..=3 {
            for _ in 0..AT_ONCE {
                let slot = queue.slot(endpoint(1, number), URL, false).unwrap();
                hanging.extend(free_lane(&slot).await);
            }
        }
        assert_eq!(hanging.len(), 14);
        let slot = queue.slot(endpoint(2, 1), URL, false).unwrap();
        assert!(free_lane(&slot).await.is_some());
    }

    #[tokio::test]
    async fn merchants_take_turns_at_a_host_that_is_full() {
        let mut queue = FairQueue::default();
        let mut running = Vec::new();
        for merchant in [1, 2] {
            for _ in 0..TO_A_HOST / 2 {
                let slot = queue.slot(endpoint(merchant, 1), URL, false).unwrap();
                running.push(free_lane(&slot).await.unwrap());
            }
        }
        let (ready, mut order) = tokio::sync::mpsc::unbounded_channel();
        for merchant in [1, 1, 1, 2, 2, 3] {
            let slot = queue.slot(endpoint(merchant, 1), URL, false).unwrap();
            let ready = ready.clone();
            tokio::spawn(async move {
                let lane = slot.turn().await;
                ready.send((merchant, lane)).ok();
            });
            tokio::task::yield_now().await;
        }
        running.truncate(TO_A_HOST - 3);
        let mut served = Vec::new();
        for _ in 0..3 {
            let (merchant, lane) = order.recv().await.unwrap();
            running.extend(lane);
            served.push(merchant);
        }
        assert_eq!(served, [1, 2, 3]);
    }

    /// Requests of each of them hang until the time limit, and new ones wait all the time.
    #[tokio::test]
    async fn twenty_hanging_merchants_delay_another_by_one_turn_each() {
        const HANGING: u64 = 20;
        const HEALTHY: u64 = 21;
        let mut queue = FairQueue::default();
        let (ready, mut order) = tokio::sync::mpsc::unbounded_channel();
        let renewals = Arc::new(AtomicUsize::new(0));
        let mut wait = |merchant: u64| {
            let slot = queue.slot(endpoint(merchant, 1), URL, false).unwrap();
            let (ready, renewals) = (ready.clone(), Arc::clone(&renewals));
            // The healthy one renews its lease several times before each turn, and keeps its place.
            let period = match merchant {
                HEALTHY => Duration::from_millis(1),
                _ => Duration::from_secs(60),
            };
            tokio::spawn(async move {
                let renew = |merchant| {
                    renewals.fetch_add(1, Ordering::Relaxed);
                    std::future::ready(Some(merchant))
                };
                let lane = slot.lane(merchant, period, renew).await;
                ready.send((slot, lane.unwrap())).ok();
            });
        };
        for merchant in (1..=HANGING).cycle().take(20 * AT_ONCE) {
            wait(merchant);
        }
        let mut running = VecDeque::new();
        for _ in 0..TO_A_HOST {
            running.push_back(order.recv().await.unwrap());
        }
        wait(HEALTHY);
        wait(HEALTHY);
        let mut waited = Vec::new();
        let mut turns = 0;
        while waited.len() < 2 && turns < 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            running.pop_front();
            let (slot, (merchant, permits)) = order.recv().await.unwrap();
            turns += 1;
            if merchant == HEALTHY {
                waited.push(turns);
                turns = 0;
            }
            running.push_back((slot, (merchant, permits)));
        }
        assert!(
            matches!(waited[..], [1..=21, 1..=21]),
            "{waited:?} and {turns}"
        );
        assert!(renewals.load(Ordering::Relaxed) > 20);
    }

    #[tokio::test]
    async fn delivery_that_cannot_be_renewed_gives_up_its_place() {
        let mut queue = FairQueue::default();
        let mut running = Vec::new();
        for _ in 0..AT_ONCE {
            let slot = queue.slot(endpoint(1, 1), URL, false).unwrap();
            running.push(slot.turn().await.unwrap());
        }
        let slot = queue.slot(endpoint(1, 1), URL, false).unwrap();
        let renew = |()| std::future::ready(None);
        let lane = slot.lane((), Duration::from_millis(1), renew).await;
        assert!(lane.is_none());
    }

    #[tokio::test]
    async fn slots_and_lanes_are_limited_per_endpoint() {
        let (slow, quick) = (endpoint(1, 1), endpoint(1, 2));
        let mut queue = FairQueue::default();
        let mut seats: Vec<_> = (0..SEATS)
            .map(|_| queue.slot(slow, URL, false).unwrap())
            .collect();
        assert!(
            queue.slot(slow, URL, false).is_none(),
            "all seats are taken"
        );
        assert!(
            queue.slot(quick, URL, false).is_some(),
            "another endpoint has its own"
        );
        let mut taken = Vec::new();
        for slot in &seats[..AT_ONCE] {
            taken.push(slot.turn().await.unwrap());
        }
        assert!(free_lane(&seats[AT_ONCE]).await.is_none());
        taken.pop();
        assert!(seats[AT_ONCE].turn().await.is_some());
        seats.pop();
        assert!(queue.slot(slow, URL, false).is_some());
        drop(seats);
        queue.forget_idle();
        assert!(queue.endpoints.is_empty());
    }

    #[test]
    fn endpoints_get_fewer_slots_when_the_queue_is_crowded() {
        let mut queue = FairQueue::default();
        let hanging = (1..=100).map(|number| endpoint(1, number));
        let mut seats = Vec::new();
        for endpoint in hanging {
            for _ in 0..SEATS_WHEN_CROWDED {
                seats.push(queue.slot(endpoint, URL, true).unwrap());
            }
            assert!(queue.slot(endpoint, URL, true).is_none());
        }
        assert!(queue.slot(endpoint(1, 200), URL, true).is_some());
    }

    #[test]
    fn pauses_of_an_endpoint_without_slots_grow() {
        let (slow, other) = (endpoint(1, 1), endpoint(1, 2));
        let mut queue = FairQueue::default();
        let mut seats: Vec<_> = (0..SEATS)
            .map(|_| queue.slot(slow, URL, false).unwrap())
            .collect();
        let mut now_ms = 7;
        for length_ms in [
            2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000,
        ] {
            assert!(queue.slot(slow, URL, false).is_none());
            assert_eq!(queue.put_off_until(slow.1, now_ms), now_ms + length_ms);
            let within = queue.put_off_until(slow.1, now_ms + length_ms - 1);
            assert_eq!(within, now_ms + length_ms, "the pause goes on");
            now_ms += length_ms;
        }
        for _ in 0..2 {
            assert_eq!(
                queue.put_off_until(slow.1, now_ms),
                now_ms + LONGEST_PAUSE_MS
            );
            now_ms += LONGEST_PAUSE_MS;
        }
        assert_eq!(queue.put_off_until(other.1, now_ms), now_ms + 2_000);
        seats.pop();
        seats.extend(queue.slot(slow, URL, false));
        assert_eq!(queue.put_off_until(slow.1, now_ms), now_ms + 2_000);
    }
}
