//! Deliberate webhook faults: duplicates, delays, reordering and dropped attempts.
//!
//! Receivers must handle all of these, because real networks cause them too.

use crate::store::Store;
use crate::webhooks::deliveries::model::DueDelivery;
use crate::webhooks::faults::{MOST_PER_MILLE, READ_EVERY_MS, WebhookFaults};
use sealpay_protocol::ids::EventId;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long an event is held so that the next one of its payment overtakes it, milliseconds.
const OVERTAKEN_WITHIN_MS: i64 = 1_500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeliveryFault {
    /// Wait until this time, milliseconds since 1970.
    HoldUntil(i64),
    /// Send once or twice.
    Send {
        /// Whether it is sent twice.
        twice: bool,
    },
}

/// Decides from the settings and the event alone, so that all servers and runs decide alike. Only
/// the first attempt is held.
pub(super) fn decide(
    webhook_faults: WebhookFaults,
    delivery: &DueDelivery,
    now_ms: i64,
) -> DeliveryFault {
    let mut hold_ms = i64::from(webhook_faults.delay_ms);
    if webhook_faults.reorder && sequence_of(&delivery.body) % 2 == 1 {
        hold_ms += OVERTAKEN_WITHIN_MS;
    }
    let held_until_ms = delivery.created_at_ms.saturating_add(hold_ms);
    if delivery.attempts == 0 && now_ms < held_until_ms {
        return DeliveryFault::HoldUntil(held_until_ms);
    }
    DeliveryFault::Send {
        twice: lot_of(delivery.event) < webhook_faults.duplicate,
    }
}

/// A pseudo-random number below a thousand, derived from the event.
fn lot_of(event: EventId) -> u32 {
    let mut hash = Sha256::new();
    hash.update(b"sealpay webhook");
    hash.update(event.to_string());
    let [a, b, c, d, ..]: [u8; 32] = hash.finalize().into();
    u32::from_be_bytes([a, b, c, d]) % MOST_PER_MILLE
}

/// The sequence number of the event in a body.
fn sequence_of(body: &str) -> i64 {
    #[derive(Deserialize)]
    struct Body {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        sequence: i64,
    }
    serde_json::from_str::<Body>(body).map_or(0, |body| body.data.sequence)
}

/// The settings as last read; none if that is too long ago.
#[derive(Debug, Default)]
pub(super) struct Settings(Arc<Mutex<Option<Read>>>);

#[derive(Debug, Clone, Copy, Default)]
struct Read {
    webhook_faults: WebhookFaults,
    drops: u32,
}

impl Settings {
    /// The current settings.
    pub(super) async fn current(&self, store: &Store) -> WebhookFaults {
        self.read(store).await.webhook_faults
    }

    /// Caches the settings for a second; concurrent callers share one read.
    async fn read(&self, store: &Store) -> Read {
        let mut last = self.0.lock().await;
        if let Some(read) = *last {
            return read;
        }
        let read = match store.webhook_faults.get().await {
            Ok(set) => {
                let (text, drops) = set.unwrap_or_default();
                Read {
                    webhook_faults: WebhookFaults::from_text(&text),
                    drops,
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the webhook fault settings could not be read");
                Read::default()
            }
        };
        *last = Some(read);
        tokio::spawn(forget_later(Arc::clone(&self.0)));
        read
    }

    /// Whether to drop this attempt; the number of drops is shared by all servers.
    pub(super) async fn drops(&self, store: &Store) -> bool {
        if self.read(store).await.drops == 0 {
            return false;
        }
        match store.webhook_faults.take_drop().await {
            Ok(true) => true,
            Ok(false) => {
                if let Some(read) = self.0.lock().await.as_mut() {
                    read.drops = 0;
                }
                false
            }
            Err(error) => {
                tracing::warn!(%error,
                    "the drop counter could not be read: a webhook is sent that should perhaps be \
                     dropped");
                false
            }
        }
    }
}

async fn forget_later(settings: Arc<Mutex<Option<Read>>>) {
    tokio::time::sleep(Duration::from_millis(READ_EVERY_MS)).await;
    *settings.lock().await = None;
}

#[cfg(test)]
mod tests {
    use super::{DeliveryFault, WebhookFaults, decide, lot_of};
    use crate::webhooks::deliveries::model::DueDelivery;
    use sealpay_protocol::ids::{EndpointId, EventId, MerchantId};

    fn delivery(sequence: i64, attempts: i64) -> DueDelivery {
        DueDelivery {
            merchant: MerchantId::new(1, [0; 10]),
            round: 0,
            event: EventId::new(1, [1; 10]),
            endpoint: EndpointId::new(1, [2; 10]),
            attempts,
            url: String::new(),
            is_farewell: false,
            secret_encrypted: String::new(),
            previous_secret: None,
            former_secrets: Vec::new(),
            body: format!(r#"{{"type":"x","data":{{"sequence":{sequence},"payment":{{}}}}}}"#),
            created_at_ms: 10_000,
        }
    }

    const NONE: WebhookFaults = WebhookFaults {
        duplicate: 0,
        reorder: false,
        delay_ms: 0,
    };

    #[test]
    fn faults_depend_on_settings_and_event_only() {
        let once = DeliveryFault::Send { twice: false };
        let (reorder, delay_ms) = (true, 500);
        let rows = [
            (NONE, 1, 0, 10_000, once),
            (
                WebhookFaults { reorder, ..NONE },
                1,
                0,
                10_000,
                DeliveryFault::HoldUntil(11_500),
            ),
            (
                WebhookFaults { reorder, ..NONE },
                1,
                0,
                11_499,
                DeliveryFault::HoldUntil(11_500),
            ),
            (WebhookFaults { reorder, ..NONE }, 1, 0, 11_500, once),
            (WebhookFaults { reorder, ..NONE }, 2, 0, 10_000, once),
            (
                WebhookFaults { reorder, ..NONE },
                3,
                0,
                10_000,
                DeliveryFault::HoldUntil(11_500),
            ),
            (WebhookFaults { reorder, ..NONE }, 1, 1, 10_000, once),
            (
                WebhookFaults { delay_ms, ..NONE },
                2,
                0,
                10_000,
                DeliveryFault::HoldUntil(10_500),
            ),
            (WebhookFaults { delay_ms, ..NONE }, 2, 1, 10_000, once),
            (
                WebhookFaults {
                    delay_ms,
                    reorder,
                    ..NONE
                },
                1,
                0,
                10_000,
                DeliveryFault::HoldUntil(12_000),
            ),
            (
                WebhookFaults {
                    duplicate: 1000,
                    ..NONE
                },
                1,
                0,
                10_000,
                DeliveryFault::Send { twice: true },
            ),
        ];
        for (webhook_faults, sequence, attempts, now_ms, expected) in rows {
            let decided = decide(webhook_faults, &delivery(sequence, attempts), now_ms);
            assert_eq!(
                decided, expected,
                "{webhook_faults:?} {sequence} {attempts} {now_ms}"
            );
        }
    }

    #[test]
    fn the_share_of_duplicated_events_is_deterministic() {
        let lots = || (0..=255_u8).map(|number| lot_of(EventId::new(1, [number; 10])));
        let half = lots().filter(|lot| *lot < 500).count();
        assert!((90..170).contains(&half), "{half}");
        assert!(lots().eq(lots()) && lots().all(|lot| lot < 1000));
    }

    #[test]
    fn bodies_without_a_sequence_are_never_held() {
        let mut delivery = delivery(1, 0);
        delivery.body = "not JSON".into();
        let reorder = WebhookFaults {
            reorder: true,
            ..NONE
        };
        let sent = decide(reorder, &delivery, 10_000);
        assert_eq!(sent, DeliveryFault::Send { twice: false });
    }
}
