//! The outbox delivers every event at least once to every endpoint that subscribes to it.
//!
//! The event was written in the same transaction as the change that it reports, so nothing that was
//! acknowledged can be lost between the two. A delivery is claimed by moving its time forward, so
//! two servers do not both send it; if a server crashes meanwhile, it is tried again.

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

use super::events::model::{DeliveryState, DueDelivery, Event};
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
use tokio::sync::Notify;
use tokio::task::JoinSet;
use webhook_faults::DeliveryFault;

/// Deliveries on their way or waiting for their endpoint's turn.
const IN_FLIGHT: usize = 1024;
/// Deliveries claimed in one transaction.
const CLAIMED_AT_ONCE: usize = 64;
/// How long a delivery is put off whose secret does not open, milliseconds: an operator has to give
/// the server the right master key.
const SEALED_MS: i64 = 300_000;
/// How long a claimed delivery is left alone, milliseconds: a third of it for its turn, five seconds
/// for the name, fifteen for the request, and some.
const LEASE_MS: i64 = 40_000;
/// How long the outbox sleeps when nobody wakes it.
const IDLE: Duration = Duration::from_millis(500);

/// Gives the value of `webhook-signature` for a delivery that bears a time in seconds, or nothing
/// when its secret does not open. Receivers check that time by their own clocks, so it is the
/// wall's; which keys are in use is asked by the world's.
pub type Sign = dyn Fn(&DueDelivery, u64) -> Option<String> + Send + Sync;

/// Is told of every attempt: whether it was delivered, will be tried again, or was given up.
pub type Observe = dyn Fn(DeliveryState) + Send + Sync;

/// Gives the event that tells of an endpoint that is being switched off, with the number that it has
/// to bear.
pub type DescribeDisabling =
    dyn Fn(&WebhookEndpoint, Reason, i64) -> Result<Option<EndpointEvent>, ApiError> + Send + Sync;

/// Gives what an endpoint is asked to prove whose it is, or nothing when it cannot be written.
pub type Challenge = dyn Fn(&WebhookEndpoint, &str) -> Option<Event> + Send + Sync;

/// The outbox.
pub struct Outbox {
    store: Store,
    sender: Sender,
    recorder: AttemptRecorder,
    /// Endpoints that are being switched off, each by one delivery at a time.
    disabling: Places<EndpointId>,
    sign: Box<Sign>,
    observe: Box<Observe>,
    clock: Clock,
    rng: Rng,
    /// What a tester has set, in test mode.
    webhook_faults: Option<webhook_faults::Settings>,
    /// Where there is none, endpoints are never switched off.
    describe: Option<Arc<DescribeDisabling>>,
    /// Where there is none, endpoints that have yet to be verified stay so.
    challenge: Option<Box<Challenge>>,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outbox")
    }
}

impl Outbox {
    /// Puts the parts together.
    ///
    /// # Errors
    /// A sentence when the HTTP client cannot be made.
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

    /// Switches endpoints off that have failed for five days or want to be told nothing more.
    #[must_use]
    pub fn with_disabling(mut self, describe: Arc<DescribeDisabling>) -> Self {
        self.describe = Some(describe);
        self
    }

    /// Asks endpoints to prove that they are their merchants'.
    #[must_use]
    pub fn with_challenges(mut self, challenge: Box<Challenge>) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// Lets testers make webhooks misbehave; without this they never do.
    #[must_use]
    pub fn with_webhook_faults(mut self) -> Self {
        self.webhook_faults = Some(webhook_faults::Settings::default());
        self
    }

    /// Delivers until dropped. A slow endpoint holds up only its own deliveries.
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
            for delivery in due {
                let is_crowded = in_flight.len() >= IN_FLIGHT / 2;
                if let Some(slot) = queue.slot(delivery.endpoint, &delivery.url, is_crowded) {
                    in_flight.spawn(in_background(
                        Arc::clone(&self).deliver_in_turn(delivery, slot),
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

    async fn claim(&self, room: usize) -> Vec<DueDelivery> {
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
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "due deliveries could not be read; trying again");
                Vec::new()
            }
        }
    }

    async fn deliver_in_turn(self: Arc<Self>, delivery: DueDelivery, slot: Slot) {
        let claimed_at_ms = self.clock.now_ms_i64();
        let _turn = slot.lane().await;
        // Too late to be done before the lease runs out: then it is claimed again.
        let waited_ms = self.clock.now_ms_i64().saturating_sub(claimed_at_ms);
        if waited_ms < LEASE_MS / 3 {
            match self.fault(&delivery).await {
                DeliveryFault::HoldUntil(next_at_ms) => {
                    self.hold(&delivery, next_at_ms, "held back on purpose")
                        .await;
                }
                DeliveryFault::Send { twice } => self.deliver(delivery, twice).await,
            }
        }
    }

    /// What a tester wants done with a delivery.
    async fn fault(&self, delivery: &DueDelivery) -> DeliveryFault {
        match &self.webhook_faults {
            None => DeliveryFault::Send { twice: false },
            Some(settings) => {
                let webhook_faults = settings.current(&self.store).await;
                webhook_faults::decide(webhook_faults, delivery, self.clock.now_ms_i64())
            }
        }
    }

    /// An endpoint has enough on its way: others go first, and all that is due there waits, so that
    /// it is not claimed one by one only to be put off.
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
            tracing::error!(%error, %endpoint, "deliveries could not be put off");
        }
    }

    /// Not yet: it is due again at another moment, and no attempt was made.
    async fn hold(&self, delivery: &DueDelivery, next_at_ms: i64, why: &'static str) {
        let held = self.store.deliveries.hold(delivery, next_at_ms, why).await;
        if let Err(error) = held {
            tracing::error!(%error, event = %delivery.event, "a delivery could not be put off");
        }
    }

    async fn deliver(&self, delivery: DueDelivery, twice: bool) {
        // Asked once: what is signed is what is sent, also when a second ends in between.
        let timestamp = self.clock.wall();
        let Some(signature) = (self.sign)(&delivery, timestamp) else {
            tracing::error!(
                event = %delivery.event, endpoint = %delivery.endpoint,
                "the endpoint's secret does not open: is it the right master key?"
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
            // What came of the first one counts.
            self.send(&delivery, signed).await;
            tracing::info!(event = %delivery.event, "a webhook was sent twice on purpose");
        }
        if let Err(error) = self.note(&delivery, attempted).await {
            // The lease runs out and the delivery is made again: at least once, not exactly once.
            tracing::error!(%error, event = %delivery.event, "a delivery could not be noted");
        }
    }

    /// The wall's time, which nobody moves while something is sent.
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
