//! Sending requests that are ready, from many connections at once, and timing every answer.

use harness::load::KeepAlive;
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::LocalSet;
use tokio::time::Instant;

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Blast {
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// From each request to its answer, µs, in no order.
    pub(crate) latencies_us: Vec<u64>,
    /// Place of the request, status and body of the answer, in no order.
    pub(crate) answers: Vec<(usize, u16, Vec<u8>)>,
}

impl Blast {
    pub(crate) fn per_second(&self) -> u64 {
        per_second(self.answers.len(), self.took)
    }
}

pub(crate) fn per_second(count: usize, took: Duration) -> u64 {
    let count = u128::try_from(count).unwrap_or(0);
    let rate = count * 1_000_000 / took.as_micros().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// Sends all requests; each client has one at a time on a connection that it keeps.
///
/// One thread does it all: it waits most of the time, and more would only push the server aside.
pub(crate) async fn blast(address: SocketAddr, clients: usize, requests: Vec<Vec<u8>>) -> Blast {
    let mut connections = Vec::with_capacity(clients);
    for _ in 0..clients {
        let connection = KeepAlive::connect(address).await;
        connections.push(connection.expect("the server takes connections"));
    }
    let requests: Rc<[Vec<u8>]> = requests.into();
    let next = Rc::new(Cell::new(0));
    let local = LocalSet::new();
    let started = Instant::now();
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|connection| {
            local.spawn_local(client(connection, Rc::clone(&requests), Rc::clone(&next)))
        })
        .collect();
    local.await;
    let mut all = Blast {
        took: started.elapsed(),
        ..Blast::default()
    };
    for task in tasks {
        let own = task.await.expect("a client does not stop");
        all.latencies_us.extend(own.latencies_us);
        all.answers.extend(own.answers);
    }
    all
}

async fn client(
    mut connection: KeepAlive,
    requests: Rc<[Vec<u8>]>,
    next: Rc<Cell<usize>>,
) -> Blast {
    let mut own = Blast::default();
    loop {
        let place = next.get();
        let Some(request) = requests.get(place) else {
            return own;
        };
        next.set(place + 1);
        let sent = Instant::now();
        let received = connection
            .exchange(request)
            .await
            .expect("the server answers");
        let took = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
        own.latencies_us.push(took);
        own.answers
            .push((place, received.status, received.body.to_vec()));
    }
}

/// The value below which so many percent of them lie.
pub(crate) fn percentile(values: &mut [u64], percent: usize) -> u64 {
    values.sort_unstable();
    let place = values.len() * percent / 100;
    values
        .get(place.min(values.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0)
}

pub(crate) fn median(values: &[u64]) -> u64 {
    percentile(&mut values.to_vec(), 50)
}

#[cfg(test)]
mod tests {
    use super::{median, per_second, percentile};
    use std::time::Duration;

    #[test]
    fn figures_are_what_their_names_say() {
        let mut values: Vec<u64> = (1..=200).rev().collect();
        assert_eq!(percentile(&mut values, 50), 101);
        assert_eq!(percentile(&mut values, 99), 199);
        assert_eq!(percentile(&mut values, 100), 200);
        assert_eq!(median(&[5, 1, 9]), 5);
        assert_eq!(median(&[]), 0);
        assert_eq!(per_second(3000, Duration::from_millis(1500)), 2000);
    }
}
