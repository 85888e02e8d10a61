//! The outbox delivers every event at least once to every endpoint that subscribes to it.
//!
//! The event was written in the transaction of the change that it reports, so neither can be lost
//! without the other. A delivery is claimed by moving its due time forward, so two servers do not
//! both send it; if a server crashes meanwhile, it is sent again.

pub mod address;
mod failure;
pub mod forward;
mod outcome;
mod queue;
mod recorder;
mod resolver;
mod response;
mod retry;
mod sender;
mod verification;
mod webhook_faults;

pub use outcome::Reason;

use super::deliveries::model::{DeliveryState, DueDelivery};
use super::events::model::Event;
use crate::error::ApiError;
use crate::fair::Places;
use crate::store::Store;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use crate::webhooks::endpoints::store::event::EndpointEvent;
use address::AddressPolicy;
use outcome::Attempted;
use queue::{FairQueue, Slot};
use recorder::AttemptRecorder;
use sealpay_protocol::ids::{EndpointId, EventId};
use sealpay_storage::in_background;
use sealpay_system::{Clock, Rng};
use sender::{Message, Sender, Sent};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use webhook_faults::DeliveryFault;

/// Maximum number of deliveries that are running or waiting for their endpoint's lane.
const IN_FLIGHT: usize = 1024;
/// Deliveries claimed in one transaction.
const CLAIMED_AT_ONCE: usize = 64;
/// Pause of a delivery whose secret cannot be decrypted, milliseconds: an operator has to give the
/// server the right master key.
const SEALED_MS: i64 = 300_000;
/// Lease of a claimed delivery, milliseconds.
const LEASE_MS: i64 = 40_000;
/// The part of the lease for sending, milliseconds: five seconds for name resolution, fifteen for
/// the request, and a margin.
const SENDING_MS: i64 = 22_000;
/// How often a delivery that waits for its turn renews its lease.
const RENEWAL: Duration = Duration::from_millis((LEASE_MS - SENDING_MS).unsigned_abs());
/// How long the outbox sleeps unless it is woken.
const IDLE: Duration = Duration::from_millis(500);

/// Returns the `webhook-signature` of a delivery with a timestamp in seconds, or none if its secret
/// cannot be decrypted. Receivers compare the timestamp with their own clocks, so it is system
/// time; the active keys are selected by simulated time.
pub type Sign = dyn Fn(&DueDelivery, u64) -> Option<String> + Send + Sync;

/// Called after every attempt: delivered, pending or failed.
pub type Observe = dyn Fn(DeliveryState) + Send + Sync;

/// Writes the event about an endpoint that is being disabled, with the given sequence number.
pub type DescribeDisabling =
    dyn Fn(&WebhookEndpoint, Reason, i64) -> Result<Option<EndpointEvent>, ApiError> + Send + Sync;

/// Writes the verification challenge of an endpoint; none if it cannot be serialized.
pub type Challenge = dyn Fn(&WebhookEndpoint, &str) -> Option<Event> + Send + Sync;

/// The outbox.
pub struct Outbox {
    store: Store,
    sender: Sender,
    recorder: AttemptRecorder,
    /// Endpoints that are being disabled, each by one delivery at a time.
    disabling: Places<EndpointId>,
    /// Deliveries whose requests are running.
    sending: Places<(EventId, EndpointId, i64)>,
    sign: Box<Sign>,
    observe: Box<Observe>,
    clock: Clock,
    rng: Rng,
    /// The tester's settings, in test mode.
    webhook_faults: Option<webhook_faults::Settings>,
    /// Without it, endpoints are never disabled.
    describe: Option<Arc<DescribeDisabling>>,
    /// Without it, unverified endpoints stay unverified.
    challenge: Option<Box<Challenge>>,
}

/// A delivery that no other server claims before the lease ends.
struct Claimed {
    delivery: DueDelivery,
    lease_until_ms: i64,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outbox")
    }
}

impl Outbox {
    /// Creates an outbox.
    ///
    /// # Errors
    /// A sentence if the HTTP client cannot be created.
    pub fn new(
        store: Store,
        policy: AddressPolicy,
        sign: Box<Sign>,
        observe: Box<Observe>,
        clock: Clock,
        rng: Rng,
    ) -> Result<Self, String> {
        let sender = Sender::new(policy)?;
        Ok(Self {
            recorder: AttemptRecorder::new(store.clone()),
            disabling: Places::new(1),
            sending: Places::new(1),
            store,
            sender,
            sign,
            observe,
            clock,
            rng,
            webhook_faults: None,
            describe: None,
            challenge: None,
        })
    }

    /// Enables disabling endpoints that have failed for five days or responded 410.
    #[must_use]
    pub fn with_disabling(mut self, describe: Arc<DescribeDisabling>) -> Self {
        self.describe = Some(describe);
        self
    }

    /// Enables the verification of endpoints.
    #[must_use]
    pub fn with_challenges(mut self, challenge: Box<Challenge>) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// Enables webhook faults for testers.
    #[must_use]
    pub fn with_webhook_faults(mut self) -> Self {
        self.webhook_faults = Some(webhook_faults::Settings::default());
        self
    }

    /// Delivers until dropped. A slow endpoint delays only its own deliveries.
    pub async fn run(self: Arc<Self>, wake: &Notify) {
        let mut in_flight = JoinSet::new();
        let mut queue = FairQueue::default();
        loop {
            while in_flight.try_join_next().is_some() {}
            queue.forget_idle();
            let room = IN_FLIGHT.saturating_sub(in_flight.len());
            let due = self.claim(room.min(CLAIMED_AT_ONCE)).await;
            if due.is_empty() {
                tokio::select! {
                    () = wake.notified() => {}
                    () = tokio::time::sleep(IDLE) => {}
                    Some(_) = in_flight.join_next() => {}
                }
            }
            let mut seatless: BTreeMap<EndpointId, Vec<EventId>> = BTreeMap::new();
            for claimed in due {
                let is_crowded = in_flight.len() >= IN_FLIGHT / 2;
                let delivery = &claimed.delivery;
                let owner = (delivery.merchant, delivery.endpoint);
                if let Some(slot) = queue.slot(owner, &delivery.url, is_crowded) {
                    in_flight.spawn(in_background(
                        Arc::clone(&self).deliver_in_turn(claimed, slot),
                    ));
                } else {
                    let waiting = seatless.entry(delivery.endpoint).or_default();
                    waiting.push(delivery.event);
                }
            }
            for (endpoint, claimed) in seatless {
                self.put_off(&mut queue, endpoint, claimed).await;
            }
        }
    }

    async fn claim(&self, room: usize) -> Vec<Claimed> {
        let Ok(limit @ 1..) = u32::try_from(room) else {
            return Vec::new();
        };
        let now_ms = self.clock.now_ms_i64();
        let lease_until_ms = now_ms.saturating_add(LEASE_MS);
        match self
            .store
            .deliveries
            .due(now_ms, lease_until_ms, limit)
            .await
        {
            Ok(due) => {
                let claimed = due.into_iter().map(|delivery| Claimed {
                    delivery,
                    lease_until_ms,
                });
                claimed.collect()
            }
            Err(error) => {
                tracing::error!(%error, "due deliveries could not be read and will be retried");
                Vec::new()
            }
        }
    }

    async fn deliver_in_turn(self: Arc<Self>, claimed: Claimed, slot: Slot) {
        let renew = |claimed| self.renew(claimed);
        let Some((claimed, _turn)) = slot.lane(claimed, RENEWAL, renew).await else {
            return;
        };
        let place = self.sending_of(&claimed.delivery);
        let free = Arc::clone(&place).try_acquire_owned();
        let has_waited = free.is_err();
        let Ok(_sending) = (match free {
            Ok(sending) => Ok(sending),
            Err(_) => place.acquire_owned().await,
        }) else {
            return;
        };
        // A tester who advances the clock past the end of a lease has the same delivery claimed again
        // while its request is running, or while the attempt has been recorded and has yet to end.
        let left_ms = claimed
            .lease_until_ms
            .saturating_sub(self.clock.now_ms_i64());
        let claimed = match left_ms {
            SENDING_MS.. if !has_waited => Some(claimed),
            _ => self.renew(claimed).await,
        };
        let Some(Claimed { delivery, .. }) = claimed else {
            return;
        };
        match self.fault(&delivery).await {
            DeliveryFault::HoldUntil(next_at_ms) => {
                self.hold(&delivery, next_at_ms, "held back on purpose")
                    .await;
            }
            DeliveryFault::Send { twice } => self.deliver(delivery, twice).await,
        }
    }

    /// The one place of a delivery's request. A redelivery is another delivery.
    fn sending_of(&self, delivery: &DueDelivery) -> Arc<Semaphore> {
        let key = (delivery.event, delivery.endpoint, delivery.round);
        self.sending.for_owner(key)
    }

    /// Renews the lease of a delivery, which keeps its place. None if it is not to be sent from here:
    /// another server has it, it was cancelled, or its endpoint has moved.
    async fn renew(&self, claimed: Claimed) -> Option<Claimed> {
        let Claimed {
            delivery,
            lease_until_ms,
        } = claimed;
        let now_ms = self.clock.now_ms_i64();
        let renewed_until_ms = now_ms.saturating_add(LEASE_MS);
        let times = (lease_until_ms, renewed_until_ms);
        match self.store.deliveries.renew(&delivery, times).await {
            Ok(Some(renewed)) if renewed.url == delivery.url => Some(Claimed {
                delivery: renewed,
                lease_until_ms: renewed_until_ms,
            }),
            Ok(Some(moved)) => {
                let why = "waits for other webhooks to this endpoint";
                self.hold(&moved, now_ms, why).await;
                None
            }
            Ok(None) => None,
            Err(error) => {
                // The lease ends and the delivery is claimed again.
                tracing::error!(%error, event = %delivery.event, "a lease could not be renewed");
                None
            }
        }
    }

    /// The fault that a tester configured for a delivery.
    async fn fault(&self, delivery: &DueDelivery) -> DeliveryFault {
        match &self.webhook_faults {
            None => DeliveryFault::Send { twice: false },
            Some(settings) => {
                let webhook_faults = settings.current(&self.store).await;
                webhook_faults::decide(webhook_faults, delivery, self.clock.now_ms_i64())
            }
        }
    }

    /// Reschedules all due deliveries of an endpoint that has enough running ones, so that they are
    /// not claimed one by one only to be rescheduled.
    async fn put_off(&self, queue: &mut FairQueue, endpoint: EndpointId, claimed: Vec<EventId>) {
        let now_ms = self.clock.now_ms_i64();
        let times = (now_ms, queue.put_off_until(endpoint, now_ms));
        let why = "waits for other webhooks to this endpoint";
        let put_off = self
            .store
            .deliveries
            .reschedule(endpoint, claimed, times, why)
            .await;
        if let Err(error) = put_off {
            tracing::error!(%error, %endpoint, "deliveries could not be rescheduled");
        }
    }

    /// Reschedules a delivery without an attempt.
    async fn hold(&self, delivery: &DueDelivery, next_at_ms: i64, why: &'static str) {
        let held = self.store.deliveries.hold(delivery, next_at_ms, why).await;
        if let Err(error) = held {
            tracing::error!(%error, event = %delivery.event, "a delivery could not be rescheduled");
        }
    }

    async fn deliver(&self, delivery: DueDelivery, twice: bool) {
        // Read once, so that the signed and the sent timestamp are equal.
        let timestamp = self.clock.wall();
        let Some(signature) = (self.sign)(&delivery, timestamp) else {
            tracing::error!(
                event = %delivery.event, endpoint = %delivery.endpoint,
                "the endpoint's secret cannot be decrypted: check the master key"
            );
            let next_at_ms = self.clock.now_ms_i64().saturating_add(SEALED_MS);
            let why = "waits until the endpoint's secret can be read";
            return self.hold(&delivery, next_at_ms, why).await;
        };
        let signed = (timestamp, signature.as_str());
        let is_dropped = match &self.webhook_faults {
            Some(settings) => settings.drops(&self.store).await,
            None => false,
        };
        let (at_ms, began_ms) = (self.clock.now_ms_i64(), self.wall_ms());
        let sent = if is_dropped {
            Sent::Failed("dropped on purpose".into())
        } else {
            self.send(&delivery, signed).await
        };
        let took_ms = i64::try_from(self.wall_ms().saturating_sub(began_ms));
        let duration_ms = match sent {
            Sent::Unreached(_) => 0,
            _ => took_ms.unwrap_or(i64::MAX),
        };
        let attempted = Attempted {
            at_ms,
            duration_ms,
            sent,
        };
        if twice && !is_dropped {
            // Only the result of the first request counts.
            self.send(&delivery, signed).await;
            tracing::info!(event = %delivery.event, "a webhook was deliberately sent twice");
        }
        if let Err(error) = self.note(&delivery, attempted).await {
            // The lease ends and the delivery is sent again: at least once, not exactly once.
            tracing::error!(%error, event = %delivery.event,
                "a delivery attempt could not be recorded");
        }
    }

    /// System time, which no tester advances while a request is running.
    fn wall_ms(&self) -> u64 {
        self.clock.now_ms().saturating_sub(self.clock.ahead_ms())
    }

    async fn send(&self, delivery: &DueDelivery, (timestamp, signature): (u64, &str)) -> Sent {
        let message = Message {
            merchant: delivery.merchant,
            url: &delivery.url,
            event: delivery.event,
            body: &delivery.body,
            timestamp,
            signature,
        };
        self.sender.send(message).await
    }
}
