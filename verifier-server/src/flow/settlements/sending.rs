//! A report on its way to whoever asked for it.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;

/// How long it may take to be sent. Afterwards it is forgotten, however much of it is missing: who
/// reads slowly, or not at all, does not keep everybody else from their reports.
const SENT_WITHIN: Duration = Duration::from_secs(30);

/// So much of it is handed on at once, bytes. It is copied: what is on its way does not keep the
/// whole in memory.
const PIECE_BYTES: usize = 64 * 1024;

#[derive(Debug)]
struct Held {
    text: String,
    _turn: OwnedSemaphorePermit,
}

/// The text of a report and the turn to have one. Both end with the last piece, when this is
/// dropped, or when the time is over.
#[derive(Debug)]
pub struct Sending {
    held: Arc<Mutex<Option<Held>>>,
    bytes: usize,
    sent: usize,
    deadline: AbortHandle,
}

impl Sending {
    pub(super) fn new(text: String, turn: OwnedSemaphorePermit) -> Self {
        Self::within(SENT_WITHIN, text, turn)
    }

    fn within(time: Duration, text: String, turn: OwnedSemaphorePermit) -> Self {
        let bytes = text.len();
        let held = Arc::new(Mutex::new(Some(Held { text, _turn: turn })));
        let forgotten = Arc::clone(&held);
        // The body is not asked for anything while the other side reads nothing.
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

    /// How long the whole is, bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The next piece; nothing after the last one.
    ///
    /// # Errors
    /// The time is over.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.sent >= self.bytes {
            return Ok(None);
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = held
            .as_ref()
            .and_then(|held| held.text.as_bytes().get(self.sent..));
        let Some(rest) = rest else {
            return Err(Error::new(
                ErrorKind::TimedOut,
                "the report was read too slowly",
            ));
        };
        let piece = rest.get(..PIECE_BYTES).unwrap_or(rest).to_vec();
        self.sent = self.sent.saturating_add(piece.len());
        if self.sent >= self.bytes {
            *held = None;
        }
        Ok(Some(piece))
    }
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
    use super::{PIECE_BYTES, Sending};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::Semaphore;

    const LONG: Duration = Duration::from_secs(60);

    fn sending(turns: &Arc<Semaphore>, time: Duration, bytes: usize) -> Sending {
        let turn = Arc::clone(turns).try_acquire_owned().unwrap();
        Sending::within(time, "x".repeat(bytes), turn)
    }

    #[tokio::test]
    async fn it_is_sent_in_pieces_and_the_last_one_ends_the_turn() {
        let turns = Arc::new(Semaphore::new(1));
        for (bytes, pieces) in [
            (0, vec![]),
            (1, vec![1]),
            (PIECE_BYTES, vec![PIECE_BYTES]),
            (2 * PIECE_BYTES + 1, vec![PIECE_BYTES, PIECE_BYTES, 1]),
        ] {
            let mut sending = sending(&turns, LONG, bytes);
            assert_eq!(sending.bytes(), bytes);
            for expected in pieces {
                assert_eq!(turns.available_permits(), 0, "{bytes}");
                let piece = sending.next_piece().unwrap().unwrap();
                assert_eq!(piece.len(), expected, "{bytes}");
            }
            assert_eq!(sending.next_piece().unwrap(), None, "{bytes}");
            drop(sending);
            assert_eq!(turns.available_permits(), 1, "{bytes}");
        }
        let mut whole = sending(&turns, LONG, 1);
        whole.next_piece().unwrap();
        assert_eq!(
            turns.available_permits(),
            1,
            "the last piece is out of hand"
        );
    }

    #[tokio::test]
    async fn who_hangs_up_or_reads_nothing_keeps_nobody_waiting() {
        let turns = Arc::new(Semaphore::new(1));
        drop(sending(&turns, LONG, 1));
        assert_eq!(turns.available_permits(), 1);
        let mut slow = sending(&turns, Duration::from_millis(20), 2 * PIECE_BYTES);
        assert!(slow.next_piece().unwrap().is_some());
        // Nobody asks for the next piece, and the turn is over all the same.
        let next = tokio::time::timeout(LONG, turns.acquire()).await;
        assert!(next.unwrap().is_ok());
        assert!(slow.next_piece().is_err());
    }
}
