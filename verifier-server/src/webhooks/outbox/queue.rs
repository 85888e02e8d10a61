//! Fair scheduling: a slow endpoint delays only its own deliveries, and several endpoints on one
//! host get no more concurrency than the host's limit.

use crate::fair::Places;
use sealpay_protocol::ids::EndpointId;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// Concurrent deliveries to one endpoint. Less than for its host, so that one that hangs leaves
/// room for others there.
const AT_ONCE: usize = 12;
/// Concurrent deliveries to one host, across all merchants.
const TO_A_HOST: usize = 16;
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
}

impl Default for FairQueue {
    fn default() -> Self {
        Self {
            endpoints: HashMap::new(),
            hosts: Places::new(TO_A_HOST),
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
    to_host: Arc<Semaphore>,
    _seat: OwnedSemaphorePermit,
}

impl FairQueue {
    /// A slot in an endpoint's queue; none if too many deliveries wait there.
    pub(super) fn slot(
        &mut self,
        endpoint: EndpointId,
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
        Some(Slot {
            at_once: Arc::clone(&lane.at_once),
            to_host: self.hosts.for_owner(host(url)),
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

impl Slot {
    /// Waits for a lane; none only if the queue is closed, which never happens.
    pub(super) async fn lane(&self) -> Option<[OwnedSemaphorePermit; 2]> {
        let of_endpoint = Arc::clone(&self.at_once).acquire_owned().await.ok()?;
        let to_host = Arc::clone(&self.to_host).acquire_owned().await.ok()?;
        Some([of_endpoint, to_host])
    }
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, FairQueue, LONGEST_PAUSE_MS, SEATS, SEATS_WHEN_CROWDED};
    use sealpay_protocol::ids::EndpointId;

    const URL: &str = "https://shop.example/webhooks";

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
        for (number, url) in (1..).zip(urls) {
            let endpoint = EndpointId::new(1, [number; 10]);
            let before = taken.len();
            for _ in 0..AT_ONCE {
                let slot = queue.slot(endpoint, url, false).unwrap();
                let no_time = std::time::Duration::ZERO;
                let lane = tokio::time::timeout(no_time, slot.lane()).await;
                taken.extend(lane.ok().flatten());
            }
            counts.push(taken.len() - before);
        }
        // A trailing dot names the same host; another port is another host of a developer's.
        assert_eq!(counts, [12, 4, 0, 0, 12]);
    }

    #[tokio::test]
    async fn slots_and_lanes_are_limited_per_endpoint() {
        let (slow, quick) = (EndpointId::new(1, [1; 10]), EndpointId::new(1, [2; 10]));
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
            taken.push(slot.lane().await.unwrap());
        }
        let waiting = seats[AT_ONCE].lane();
        let no_time = std::time::Duration::ZERO;
        assert!(
            tokio::time::timeout(no_time, waiting).await.is_err(),
            "nobody else's turn"
        );
        taken.pop();
        assert!(seats[AT_ONCE].lane().await.is_some());
        seats.pop();
        assert!(queue.slot(slow, URL, false).is_some());
        drop(seats);
        queue.forget_idle();
        assert!(queue.endpoints.is_empty());
    }

    #[test]
    fn endpoints_get_fewer_slots_when_the_queue_is_crowded() {
        let mut queue = FairQueue::default();
        let hanging = (1..=100).map(|endpoint| EndpointId::new(1, [endpoint; 10]));
        let mut seats = Vec::new();
        for endpoint in hanging {
            for _ in 0..SEATS_WHEN_CROWDED {
                seats.push(queue.slot(endpoint, URL, true).unwrap());
            }
            assert!(queue.slot(endpoint, URL, true).is_none());
        }
        assert!(
            queue
                .slot(EndpointId::new(1, [200; 10]), URL, true)
                .is_some()
        );
    }
    #[test]
    fn pauses_of_an_endpoint_without_slots_grow() {
        let (slow, other) = (EndpointId::new(1, [1; 10]), EndpointId::new(1, [2; 10]));
        let mut queue = FairQueue::default();
        let mut seats: Vec<_> = (0..SEATS)
            .map(|_| queue.slot(slow, URL, false).unwrap())
            .collect();
        let mut now_ms = 7;
        for length_ms in [
            2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000,
        ] {
            assert!(queue.slot(slow, URL, false).is_none());
            assert_eq!(queue.put_off_until(slow, now_ms), now_ms + length_ms);
            let within = queue.put_off_until(slow, now_ms + length_ms - 1);
            assert_eq!(within, now_ms + length_ms, "the pause goes on");
            now_ms += length_ms;
        }
        for _ in 0..2 {
            assert_eq!(queue.put_off_until(slow, now_ms), now_ms + LONGEST_PAUSE_MS);
            now_ms += LONGEST_PAUSE_MS;
        }
        assert_eq!(queue.put_off_until(other, now_ms), now_ms + 2_000);
        seats.pop();
        seats.extend(queue.slot(slow, URL, false));
        assert_eq!(queue.put_off_until(slow, now_ms), now_ms + 2_000);
    }
}
