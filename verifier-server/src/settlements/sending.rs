//! Streams a report to the client.

use crate::fair::merchant_queues::SendingPlace;
use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;

/// Minimum download rate of a report, bytes a second, after a grace period. Slower clients are
/// disconnected.
const SLOWEST: u64 = 64 * 1024;
const TO_BEGIN_WITH: Duration = Duration::from_secs(10);

/// Size of a piece, bytes.
const PIECE_BYTES: usize = 64 * 1024;

#[derive(Debug)]
struct Held {
    file: File,
    _place: SendingPlace,
}

/// A report's file and the slot for reading it. Both are released after the last piece, on drop, or
/// at the time limit.
#[derive(Debug)]
pub struct Sending {
    held: Arc<Mutex<Option<Held>>>,
    bytes: usize,
    sent: usize,
    deadline: AbortHandle,
}

/// Time limit for a number of bytes.
fn time_for(bytes: usize) -> Duration {
    let seconds = u64::try_from(bytes).unwrap_or(u64::MAX) / SLOWEST;
    TO_BEGIN_WITH.saturating_add(Duration::from_secs(seconds))
}

impl Sending {
    pub(crate) fn new(file: File, bytes: usize, place: SendingPlace) -> Self {
        Self::within(time_for(bytes), file, bytes, place)
    }

    fn within(time: Duration, file: File, bytes: usize, place: SendingPlace) -> Self {
        let held = Held {
            file,
            _place: place,
        };
        let held = Arc::new(Mutex::new(Some(held)));
        let forgotten = Arc::clone(&held);
        // The body is not polled while the client reads nothing.
        let deadline = tokio::spawn(async move {
            tokio::time::sleep(time).await;
            forget(&forgotten);
        });
        Self {
            held,
            bytes,
            sent: 0,
            deadline: deadline.abort_handle(),
        }
    }

    /// The total length, bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The next piece; none after the last one.
    ///
    /// # Errors
    /// The time limit has passed, or the file cannot be read.
    pub async fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let wanted = self.bytes.saturating_sub(self.sent).min(PIECE_BYTES);
        if wanted == 0 {
            return Ok(None);
        }
        let held = Arc::clone(&self.held);
        let reading = tokio::task::spawn_blocking(move || read(&held, wanted));
        let piece = reading.await.map_err(Error::other)??;
        self.sent = self.sent.saturating_add(piece.len());
        if self.sent >= self.bytes {
            forget(&self.held);
        }
        Ok(Some(piece))
    }
}

fn read(held: &Mutex<Option<Held>>, wanted: usize) -> Result<Vec<u8>, Error> {
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(held) = held.as_mut() else {
        let late = "the report was read too slowly";
        return Err(Error::new(ErrorKind::TimedOut, late));
    };
    let mut piece = vec![0; wanted];
    held.file.read_exact(&mut piece)?;
    Ok(piece)
}

fn forget(held: &Mutex<Option<Held>>) {
    *held.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.deadline.abort();
        forget(&self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::{PIECE_BYTES, Sending, time_for};
    use crate::settlements::spool;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};
    use std::time::Duration;
    use tokio::sync::Semaphore;

    const LONG: Duration = Duration::from_secs(60);

    fn sending(places: &Arc<Semaphore>, time: Duration, bytes: usize) -> Sending {
        static FILES: AtomicU8 = AtomicU8::new(0);
        let place = Arc::clone(places).try_acquire_owned().unwrap();
        let mut name = [FILES.fetch_add(1, Ordering::SeqCst); 16];
        name[..4].copy_from_slice(&std::process::id().to_be_bytes());
        let text = "x".repeat(bytes);
        let file = spool::write(&std::env::temp_dir(), name, text.as_bytes());
        Sending::within(time, file.unwrap().0, bytes, place)
    }

    #[tokio::test]
    async fn reports_are_sent_in_pieces_and_release_the_slot() {
        let places = Arc::new(Semaphore::new(1));
        for (bytes, pieces) in [
            (0, vec![]),
            (1, vec![1]),
            (PIECE_BYTES, vec![PIECE_BYTES]),
            (2 * PIECE_BYTES + 1, vec![PIECE_BYTES, PIECE_BYTES, 1]),
        ] {
            let mut sending = sending(&places, LONG, bytes);
            assert_eq!(sending.bytes(), bytes);
            for expected in pieces {
                assert_eq!(places.available_permits(), 0, "{bytes}");
                let piece = sending.next_piece().await.unwrap().unwrap();
                assert_eq!(piece, "x".repeat(expected).into_bytes(), "{bytes}");
            }
            assert_eq!(sending.next_piece().await.unwrap(), None, "{bytes}");
            drop(sending);
            assert_eq!(places.available_permits(), 1, "{bytes}");
        }
        let mut whole = sending(&places, LONG, 1);
        whole.next_piece().await.unwrap();
        assert_eq!(
            places.available_permits(),
            1,
            "the last piece is out of hand"
        );
    }

    #[tokio::test]
    async fn disconnected_and_stalled_clients_release_the_slot() {
        let places = Arc::new(Semaphore::new(1));
        drop(sending(&places, LONG, 1));
        assert_eq!(places.available_permits(), 1);
        let mut slow = sending(&places, Duration::from_millis(20), 2 * PIECE_BYTES);
        // Nobody polls for the next piece, and the time limit applies nevertheless.
        let next = tokio::time::timeout(LONG, places.acquire()).await;
        assert!(next.unwrap().is_ok());
        assert!(slow.next_piece().await.is_err());
    }

    #[test]
    fn the_time_limit_follows_the_minimum_rate() {
        assert_eq!(time_for(0), Duration::from_secs(10));
        assert_eq!(time_for(32 << 20), Duration::from_secs(522));
    }
}
