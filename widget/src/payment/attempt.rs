//! A payment attempt, and how its outcome is polled.

use sealpay_protocol::ids::AttemptId;
use std::rc::Rc;

/// An attempt that is ready to be sent. Its bytes never change: sent again, it is the same payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The `Idempotency-Key`.
    pub id: AttemptId,
    /// The body of the request.
    pub body: Rc<[u8]>,
    /// Whether it was sent without a response. From then on it may have been paid, and the form
    /// must not claim otherwise.
    pub may_be_paid: bool,
}

impl Attempt {
    /// An attempt that was never sent.
    pub(super) const fn new(id: AttemptId, body: Rc<[u8]>) -> Self {
        Self {
            id,
            body,
            may_be_paid: false,
        }
    }
}

/// How an unknown outcome is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// By sending the same attempt again.
    Attempt(Attempt),
    /// By opening the session again: another page or an earlier load made the attempt.
    Session,
}
