//! `listen`: prints a merchant's events as they occur and forwards them to a developer's machine.
//!
//! It reads the server's database and needs no endpoint of its own; forwarded events are neither
//! recorded nor retried.

use super::print;
use crate::app::Parts;
use crate::config::Config;
use crate::keys::key_ring::KeyRing;
use crate::keys::model::KeyPurpose;
use crate::keys::secret_file;
use crate::merchants::register::check_webhook_url;
use crate::webhooks::events::model::{Event, KINDS};
use crate::webhooks::outbox::forward::{Forwarded, Forwarder};
use clap::Args;
use jiff::Timestamp;
use sealpay_protocol::ids::{EventId, MerchantId};
use sealpay_protocol::webhook::{self, EndpointSecret};
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// Polling interval.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Number of polls in which an event is found that became visible late: ten seconds.
const LOOKS: usize = 20;
/// The same before the first poll, milliseconds.
const OVERLAP_MS: u64 = 10_000;
/// Events read in one query.
const PAGE: u32 = 100;

/// Which events to forward, and the destination.
#[derive(Debug, Args)]
pub(super) struct Listen {
    /// Merchant whose events to forward.
    #[arg(long)]
    merchant: MerchantId,
    /// URL to forward to, such as `http://localhost:4242/webhooks`.
    #[arg(long)]
    forward_to: String,
    /// Comma-separated event types to forward; all when left out.
    #[arg(long, value_delimiter = ',')]
    event_types: Vec<String>,
    /// `whsec_…`: the secret for `v1` signatures; a new one is printed when left out.
    /// Every user of this machine can read it here; prefer --secret-file.
    #[arg(long, conflicts_with = "secret_file")]
    secret: Option<String>,
    /// File with that secret, readable only by its owner.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

struct Listener<'a> {
    parts: &'a Parts,
    merchant: MerchantId,
    url: String,
    event_types: Vec<String>,
    secret: EndpointSecret,
    forwarder: Forwarder,
    window: Window,
}

/// The recently seen events. Events become visible out of order of their ids, so each poll starts
/// some polls before the newest one.
#[derive(Debug)]
struct Window {
    newest: VecDeque<EventId>,
    seen: BTreeSet<EventId>,
}

impl Window {
    fn from(floor: EventId) -> Self {
        Self {
            newest: VecDeque::from([floor]),
            seen: BTreeSet::new(),
        }
    }

    /// The first id of the next poll.
    fn floor(&self) -> Option<EventId> {
        self.newest.front().copied()
    }

    /// Returns whether an event is new.
    fn see(&mut self, event: EventId) -> bool {
        self.seen.insert(event)
    }

    /// Ends a poll, and drops events that cannot recur.
    fn looked(&mut self) {
        let newest = self.seen.last().copied().or_else(|| self.floor());
        self.newest.extend(newest);
        if self.newest.len() > LOOKS {
            self.newest.pop_front();
        }
        if let Some(floor) = self.floor() {
            self.seen = self.seen.split_off(&floor);
        }
    }
}

pub(super) async fn run(config: &Config, listen: Listen) -> Result<(), String> {
    let url = check_webhook_url(&listen.forward_to)?;
    if let Some(unknown) = listen
        .event_types
        .iter()
        .find(|kind| !KINDS.contains(&kind.as_str()))
    {
        let known = KINDS.join(", ");
        return Err(format!(
            "there is no event type {unknown:?}; the types are {known}"
        ));
    }
    let given = given_secret(&listen)?;
    refuse_where_nothing_is(config)?;
    let parts = Parts::open_existing(config).await?;
    let is_fresh = given.is_none();
    let listener = Listener {
        secret: given.unwrap_or_else(|| EndpointSecret::new(parts.rng.bytes())),
        parts: &parts,
        merchant: listen.merchant,
        url: url.into(),
        event_types: listen.event_types,
        forwarder: Forwarder::new()?,
        window: Window::from(EventId::new(0, [0; 10])),
    };
    let outcome = tokio::select! {
        outcome = listener.run(is_fresh) => outcome,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.map_err(|error| format!("signals cannot be received: {error}"))
        }
    };
    parts.store.close().await;
    outcome
}

fn given_secret(listen: &Listen) -> Result<Option<EndpointSecret>, String> {
    let text = match (&listen.secret, &listen.secret_file) {
        (Some(text), _) => Zeroizing::new(text.clone()),
        (None, Some(path)) => secret_file::read(path)?,
        (None, None) => return Ok(None),
    };
    let secret = EndpointSecret::parse(text.trim());
    let wrong = "the secret is not whsec_ and 32 bytes in base64";
    secret.map(Some).ok_or_else(|| wrong.to_owned())
}

/// Opening a data folder creates missing files, so a mistyped folder would get a database and a
/// master key of its own.
fn refuse_where_nothing_is(config: &Config) -> Result<(), String> {
    let url = config.database_url();
    let is_server = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let file = url.strip_prefix("sqlite:").unwrap_or(&url);
    let missing = if config.data.is_dir() {
        (!is_server && !Path::new(file).is_file()).then_some(Path::new(file))
    } else {
        Some(config.data.as_path())
    };
    missing.map_or(Ok(()), |missing| {
        let missing = missing.display();
        Err(format!(
            "there is no {missing}: listen reads the data of a server that has run"
        ))
    })
}

impl Listener<'_> {
    async fn run(mut self, is_fresh: bool) -> Result<(), String> {
        let found = self.parts.store.merchants.get(self.merchant).await;
        if found.map_err(|error| error.to_string())?.is_none() {
            return Err(format!("there is no merchant {}", self.merchant));
        }
        self.begin().await?;
        let Self { merchant, url, .. } = &self;
        print(&format!("Events of {merchant} go to {url}\n"))?;
        if is_fresh {
            let secret = self.secret.reveal();
            print(&format!("The webhook secret is {}\n", secret.as_str()))?;
        }
        loop {
            match self.unseen().await {
                Ok(events) => {
                    for event in events {
                        self.forward(&event).await?;
                    }
                }
                // The server may lock the database briefly.
                Err(error) => eprintln!("{error} Trying again."),
            }
            self.window.looked();
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Existing events are not forwarded.
    async fn begin(&mut self) -> Result<(), String> {
        let ahead = self.parts.store.clock_ahead_ms().await;
        let clock = &self.parts.clock;
        clock.move_ahead(ahead.map_err(|error| error.to_string())?);
        let floor_ms = clock.now_ms().saturating_sub(OVERLAP_MS);
        self.window = Window::from(EventId::new(floor_ms, [0; 10]));
        self.unseen().await.map(drop)
    }

    async fn unseen(&mut self) -> Result<Vec<Event>, String> {
        let mut unseen = Vec::new();
        let mut from = self.window.floor();
        while let Some(known) = from {
            let page = self
                .parts
                .store
                .events
                .newer_than(self.merchant, known, PAGE)
                .await
                .map_err(|error| error.to_string())?;
            let is_full = u32::try_from(page.len()).is_ok_and(|rows| rows >= PAGE);
            from = page.last().map(|event| event.id).filter(|_| is_full);
            for event in page {
                if self.window.see(event.id) {
                    unseen.push(event);
                }
            }
        }
        Ok(unseen)
    }

    async fn forward(&self, event: &Event) -> Result<(), String> {
        if !self.event_types.is_empty() && !self.event_types.contains(&event.kind) {
            return Ok(());
        }
        let timestamp = self.parts.clock.wall();
        let signature = self.signature(event, timestamp).await?;
        let sent = self
            .forwarder
            .forward(&self.url, event, timestamp, &signature)
            .await;
        let sent = match sent {
            Forwarded::Answered(status) => status.to_string(),
            Forwarded::Failed(reason) => reason,
        };
        let at = Timestamp::from_millisecond(event.created_at_ms);
        let at = at.map(|at| format!("{at:.0}")).unwrap_or_default();
        let Event {
            id, kind, subject, ..
        } = event;
        print(&format!("{at}  {kind}  {subject}  {id}  {sent}\n"))
    }

    /// Signs as the outbox does. A server that never ran has no keys; then only the secret signs.
    async fn signature(&self, event: &Event, timestamp: u64) -> Result<String, String> {
        let Parts {
            store,
            encryption,
            clock,
            ..
        } = self.parts;
        let ahead = store.clock_ahead_ms().await;
        clock.move_ahead(ahead.map_err(|error| error.to_string())?);
        let records = store.keys.list(KeyPurpose::Webhook).await;
        let records = records.map_err(|error| error.to_string())?;
        let now = clock.now();
        let ring = KeyRing::open(records, encryption, now).map_err(|error| error.to_string())?;
        let keys: Vec<_> = ring.webhook_keys(now).collect();
        let id = event.id.to_string();
        let body = event.body.as_bytes();
        Ok(webhook::sign(&id, timestamp, body, &keys, &[&self.secret]))
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOKS, Window};
    use sealpay_protocol::ids::EventId;

    const fn event(number: u64) -> EventId {
        EventId::new(number, [0; 10])
    }

    #[test]
    fn late_events_within_the_window_are_new_once() {
        let mut window = Window::from(event(0));
        assert!(window.see(event(5)));
        assert!(!window.see(event(5)));
        window.looked();
        assert_eq!(window.floor(), Some(event(0)), "older ones may still come");
        assert!(window.see(event(3)));
        assert!(!window.see(event(5)));
        for _ in 0..LOOKS {
            window.looked();
        }
        assert_eq!(window.floor(), Some(event(5)));
        assert_eq!(window.seen.len(), 1, "what cannot come again is forgotten");
        assert_eq!(window.newest.len(), LOOKS);
    }

    #[test]
    fn the_window_does_not_move_without_events() {
        let mut window = Window::from(event(7));
        for _ in 0..LOOKS * 3 {
            window.looked();
        }
        assert_eq!(window.floor(), Some(event(7)));
        assert!(window.see(event(8)));
    }
}
