//! What a provider sends by itself, to the address that the gateway has for it.

use sealpay_protocol::ids::PaymentId;

/// A request of the provider's, as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct NotificationRequest<'a> {
    /// Headers with their names in lowercase; a value that is not text is left out.
    pub headers: &'a [(String, String)],
    /// The body, byte for byte: what is signed.
    pub body: &'a [u8],
    /// Seconds since 1970.
    pub now: u64,
}

impl<'a> NotificationRequest<'a> {
    /// The header of a name, where the request has one and no other of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self.headers.iter().filter(|(given, _)| given == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

/// What a notification is about. It says that there is something to ask for, and never what: the
/// gateway asks, so that a notification that is late, repeated or out of order does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notification {
    /// A payment may have an outcome.
    Payment(PaymentId),
    /// Credits have arrived.
    Credits,
    /// Payouts were returned.
    Payouts,
}

/// Why a notification is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationError {
    /// It is not shown to be the provider's. The text is for logs.
    Unauthenticated(String),
    /// It is the provider's and cannot be read. The text is for logs.
    Malformed(String),
}

/// Someone who sends notifications.
pub trait NotificationReader: Send + Sync {
    /// Checks that a request is the provider's, over the bytes of its body and in constant time, and
    /// says what it is about. It may come before the gateway has the response to its own request,
    /// and more than once. What concerns nobody here is an empty list and no error.
    ///
    /// # Errors
    /// [`NotificationError`].
    fn read(
        &self,
        request: NotificationRequest<'_>,
    ) -> Result<Vec<Notification>, NotificationError>;
}
