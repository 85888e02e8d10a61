//! Verifies the ownership of an endpoint before it gets events: it must return a challenge that
//! only it received. A host that a stranger registered does not, and gets no events.

use super::sender::Message;
use super::{Outbox, Reason};
use crate::store::DatabaseError;
use crate::webhooks::deliveries::model::DueDelivery;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use crate::webhooks::endpoints::store::verification::{DueVerification, VerificationFailed};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::EventId;
use sealpay_storage::in_background;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Interval of looking for endpoints to verify.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Concurrent verifications: many times what one merchant may have.
const AT_ONCE: usize = 256;

/// Endpoints claimed in one transaction.
const CLAIMED_AT_ONCE: usize = 32;

/// Time limit of a verification, including name resolution.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lease of a claimed endpoint, milliseconds: the time limit plus a margin.
const LEASE_MS: i64 = 30_000;

/// Pauses between verifications, milliseconds: short at first, while the secret is being deployed,
/// and a day and a half in total. After the last the endpoint is disabled.
const PAUSES_MS: [i64; 8] = [
    10_000, 30_000, 60_000, 300_000, 1_800_000, 7_200_000, 28_800_000, 86_400_000,
];

impl Outbox {
    /// Verifies endpoints until dropped.
    pub async fn run_verification(self: Arc<Self>) {
        let mut under_way = JoinSet::new();
        loop {
            while under_way.try_join_next().is_some() {}
            let room = AT_ONCE.saturating_sub(under_way.len());
            match self.claim_unverified(room.min(CLAIMED_AT_ONCE)).await {
                Ok(due) => {
                    for due in due {
                        under_way.spawn(in_background(Arc::clone(&self).verify(due)));
                    }
                }
                Err(error) => {
                    tracing::error!(%error,
                        "endpoints to verify could not be read and will be retried");
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn claim_unverified(&self, room: usize) -> Result<Vec<DueVerification>, DatabaseError> {
        let now_ms = self.clock.now_ms_i64();
        // Usually none is due, and a read-only check does not occupy the writer.
        if room == 0 || !self.store.endpoints.verification_is_due(now_ms).await? {
            return Ok(Vec::new());
        }
        let limit = u32::try_from(room).unwrap_or(u32::MAX);
        let lease_until_ms = now_ms.saturating_add(LEASE_MS);
        self.store
            .endpoints
            .due_verifications(now_ms, lease_until_ms, limit)
            .await
    }

    async fn verify(self: Arc<Self>, due: DueVerification) {
        let DueVerification { endpoint, attempts } = due;
        let asked = timeout(PATIENCE, self.ask(&endpoint)).await;
        let proved = asked.unwrap_or_else(|_| Err("no response in time".into()));
        let id = endpoint.id;
        let error = proved.as_ref().err();
        tracing::info!(endpoint = %id, attempts, error,
            "a webhook endpoint was sent a verification challenge");
        let recorded = match proved {
            Ok(()) => self.record_verified(&endpoint).await,
            Err(why) => self.record_unverified(&endpoint, attempts, why).await,
        };
        if let Err(error) = recorded {
            // The lease ends and the endpoint is verified again.
            tracing::error!(%error, endpoint = %id, "a verification could not be recorded");
        }
    }

    /// Verifies an endpoint; an error is a reason in a few words.
    async fn ask(&self, endpoint: &WebhookEndpoint) -> Result<(), String> {
        let (merchant, url) = (endpoint.merchant, &endpoint.url);
        if self.sender.vouches_for(merchant, url).await {
            return Ok(());
        }
        let challenge = base64url(&self.rng.bytes::<32>());
        let asked = self.challenge.as_deref();
        let asked = asked.and_then(|asked| asked(endpoint, &challenge));
        let asked = asked.ok_or("the challenge could not be written")?;
        let delivery = unsent(endpoint, asked.id, asked.body);
        let timestamp = self.clock.wall();
        let signature = (self.sign)(&delivery, timestamp);
        let signature = signature.ok_or("the endpoint's secret cannot be read")?;
        let message = Message {
            merchant,
            url,
            event: delivery.event,
            body: &delivery.body,
            timestamp,
            signature: &signature,
        };
        let (status, response) = self.sender.ask(message).await?;
        judge(status, &response, &challenge)
    }

    async fn record_verified(&self, endpoint: &WebhookEndpoint) -> Result<(), DatabaseError> {
        let now_ms = self.clock.now_ms_i64();
        let verified = self
            .store
            .endpoints
            .verified(endpoint.id, &endpoint.url, now_ms);
        verified.await.map(drop)
    }

    async fn record_unverified(
        &self,
        endpoint: &WebhookEndpoint,
        attempts: i64,
        why: String,
    ) -> Result<(), DatabaseError> {
        let now_ms = self.clock.now_ms_i64();
        let next_at_ms = pause_ms(attempts).map(|pause_ms| now_ms.saturating_add(pause_ms));
        let failed = VerificationFailed {
            endpoint: endpoint.id,
            url: endpoint.url.clone(),
            why,
            next_at_ms,
        };
        let is_so = self.store.endpoints.verification_failed(&failed).await?;
        if is_so && next_at_ms.is_none() {
            let nothing = EventId::new(0, [0; 10]);
            let delivery = unsent(endpoint, nothing, String::new());
            self.switch_off(&delivery, Reason::Unverified, None).await?;
        }
        Ok(())
    }
}

/// The pause after this number of attempts; none after the last.
fn pause_ms(attempts: i64) -> Option<i64> {
    let place = usize::try_from(attempts.saturating_sub(1)).ok()?;
    PAUSES_MS.get(place).copied()
}

/// A delivery for the challenge, so that it is signed with the endpoint's secret.
fn unsent(endpoint: &WebhookEndpoint, event: EventId, body: String) -> DueDelivery {
    DueDelivery {
        event,
        endpoint: endpoint.id,
        merchant: endpoint.merchant,
        round: 0,
        attempts: 0,
        url: endpoint.url.clone(),
        is_farewell: false,
        secret_encrypted: endpoint.secret_encrypted.clone(),
        previous_secret: endpoint.previous_secret.clone(),
        former_secrets: Vec::new(),
        body,
        created_at_ms: endpoint.created_at_ms,
    }
}

/// Whether a response proves ownership. A host that echoes the request fails: the challenge is at
/// another place in it.
fn judge(status: u16, response: &str, challenge: &str) -> Result<(), String> {
    if !(200..=299).contains(&status) {
        return Err(format!("it answered {status}"));
    }
    // A `Value`, because a struct would also accept an array. Other members are ignored.
    let response: Value = serde_json::from_str(response).unwrap_or_default();
    if response.get("challenge").and_then(Value::as_str) == Some(challenge) {
        Ok(())
    } else {
        Err("the response is not {\"challenge\": …} with the challenge that was sent".into())
    }
}

#[cfg(test)]
mod tests {
    use super::{PAUSES_MS, judge, pause_ms};

    #[test]
    fn only_the_challenge_member_proves_ownership() {
        let rows = [
            (200, r#"{"challenge":"abc"}"#, true),
            (201, r#" {"challenge": "abc", "more": 1} "#, true),
            (204, "", false),
            (200, "abc", false),
            (200, r#""abc""#, false),
            (200, r#"["abc"]"#, false),
            (200, r#"{"challenge":"abd"}"#, false),
            (200, r#"{"challenge":"abc"}}"#, false),
            (200, r#"{"challenge":null}"#, false),
            (200, r#"{"data":{"challenge":"abc"}}"#, false),
            (302, r#"{"challenge":"abc"}"#, false),
            (400, r#"{"challenge":"abc"}"#, false),
            (500, "", false),
        ];
        for (status, response, proves) in rows {
            assert_eq!(
                judge(status, response, "abc").is_ok(),
                proves,
                "{status} {response}"
            );
        }
    }

    #[test]
    fn endpoints_are_verified_for_a_day_and_a_half() {
        assert_eq!(pause_ms(1), Some(10_000));
        assert_eq!(pause_ms(8), Some(86_400_000));
        assert_eq!(pause_ms(9), None);
        assert_eq!(pause_ms(0), None);
        assert_eq!(PAUSES_MS.iter().sum::<i64>() / 3_600_000, 34);
    }
}
