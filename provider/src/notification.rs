//! Notifications that a provider sends to the gateway.

use sealpay_protocol::ids::PaymentId;

/// A notification request, as received.
#[derive(Debug, Clone, Copy)]
pub struct NotificationRequest<'a> {
    /// Headers with lowercase names; values that are not text are omitted.
    pub headers: &'a [(String, String)],
    /// The raw body, which the signature covers.
    pub body: &'a [u8],
    /// Seconds since 1970.
    pub now: u64,
}

impl<'a> NotificationRequest<'a> {
    /// The header with this name, if it occurs exactly once.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self.headers.iter().filter(|(given, _)| given == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

/// The subject of a notification, never its outcome. The gateway queries the outcome, so late,
/// repeated and reordered notifications do no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notification {
    /// A payment may have an outcome.
    Payment(PaymentId),
    /// Credits have arrived.
    Credits,
    /// Payouts were returned.
    Payouts,
    /// There is news about direct debits.
    DirectDebits,
}

/// Why a notification is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationError {
    /// It is not authenticated as the provider's. The text is for logs.
    Unauthenticated(String),
    /// It is authenticated but cannot be parsed. The text is for logs.
    Malformed(String),
}

/// Parses notifications.
pub trait NotificationReader: Send + Sync {
    /// Authenticates a request over the bytes of its body, in constant time, and returns its
    /// subjects. It may arrive before the response to the gateway's own request, and more than
    /// once. A notification about other subjects is an empty list, not an error.
    ///
    /// # Errors
    /// [`NotificationError`].
    fn read(
        &self,
        request: NotificationRequest<'_>,
    ) -> Result<Vec<Notification>, NotificationError>;
}
