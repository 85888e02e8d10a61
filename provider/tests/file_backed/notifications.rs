//! Notifications of the file-backed bank, signed as Standard Webhooks describes.

use super::bank::FileBank;
use super::journal::Mutant;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::webhook::{EndpointSecret, WebhookHeaders, sign, verify_secret};
use sealpay_provider::NotificationReader;
use sealpay_provider::notification::{Notification, NotificationError, NotificationRequest};

fn secret() -> EndpointSecret {
    EndpointSecret::new([7; 32])
}

/// The notification that a payment has an outcome.
pub(super) fn notification(reference: PaymentId, now_ms: i64) -> (Vec<(String, String)>, Vec<u8>) {
    let body = reference.to_string().into_bytes();
    let now = now_ms.unsigned_abs() / 1000;
    let signature = sign("msg_1", now, &body, &[], &[&secret()]);
    let headers = [
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", now.to_string()),
        ("webhook-signature", signature),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value));
    (headers.to_vec(), body)
}

impl NotificationReader for FileBank {
    fn read(
        &self,
        request: NotificationRequest<'_>,
    ) -> Result<Vec<Notification>, NotificationError> {
        let header = |name| request.header(name).unwrap_or_default();
        let headers = WebhookHeaders {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
        };
        if self.mutant != Mutant::BelievesEveryone {
            verify_secret(&headers, request.body, &secret(), request.now)
                .map_err(|error| NotificationError::Unauthenticated(format!("{error:?}")))?;
        }
        let reference = std::str::from_utf8(request.body).ok();
        let reference = reference.and_then(|text| text.parse().ok());
        let malformed = || NotificationError::Malformed("no payment is named".into());
        Ok(vec![Notification::Payment(
            reference.ok_or_else(malformed)?,
        )])
    }
}
