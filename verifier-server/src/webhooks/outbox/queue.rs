//! Whose turn it is: an endpoint that is slow holds up its own deliveries and nobody else's, and no
//! host gets more at once than it would from one endpoint.

use crate::fair::Places;
use sealpay_protocol::ids::EndpointId;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// Deliveries on their way to one endpoint at once: fewer than to its host, so that one that hangs
/// leaves room for others there.
const AT_ONCE: usize = 12;
/// Deliveries on their way to one host at once, whosever endpoints are there.
const TO_A_HOST: usize = 16;
/// Those, and as many more as may wait here for their turn.
const SEATS: usize = 80;

/// As many as one endpoint may have on their way and waiting while so many are under way in all that
/// there could be no room for another's.
const SEATS_WHEN_CROWDED: usize = 4;

/// How long deliveries are put off whose endpoint has no seat, milliseconds: twice as long each time
/// until it has one again.
const SHORTEST_PAUSE_MS: i64 = 2_000;
const LONGEST_PAUSE_MS: i64 = 300_000;

/// The turns of every endpoint that has something on its way.
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

/// What counts as one host: the host with all its ports of http and https. Other ports are what an
/// operator has allowed, for development mostly, where one machine is everybody's host.
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

/// A place in the queue of an endpoint; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    at_once: Arc<Semaphore>,
    to_host: Arc<Semaphore>,
    _seat: OwnedSemaphorePermit,
}

impl FairQueue {
    /// A place in the queue of an endpoint, or none when too many wait there already.
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

    /// Until when an endpoint without a seat is left alone, milliseconds since 1970. Whatever comes
    /// during a pause waits for its end, and the next pause is longer.
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

    /// Forgets the endpoints that nothing is on its way to.
    pub(super) fn forget_idle(&mut self) {
        self.endpoints
            .retain(|_, lane| lane.seats.available_permits() < SEATS);
    }
}

impl Slot {
    /// Waits until it is this one's turn; none only if the queue is gone, which it never is.
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
    async fn a_host_gets_so_many_at_once_however_many_endpoints_are_there() {
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
        // The point behind a name means the same name; another port is another host of a developer's.
        assert_eq!(counts, [12, 4, 0, 0, 12]);
    }

    #[tokio::test]
    async fn an_endpoint_has_so_many_seats_and_fewer_turns() {
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
    fn when_it_is_crowded_an_endpoint_has_few_seats_and_each_still_has_some() {
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
    fn an_endpoint_without_a_seat_is_left_alone_for_longer_each_time() {
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
