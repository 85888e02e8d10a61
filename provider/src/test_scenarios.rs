//! Test cards and requested outcomes: an extension for simulations only.
//!
//! The requested outcome is not part of a provider's requests. A payment with `simulate` goes to
//! [directed](TestScenarios::directed) providers, so a live provider never sees it.

use crate::Capabilities;
use sealpay_protocol::card::CardNumber;

/// The supported scenarios of a simulation. Without one, no order may set `simulate`.
pub trait TestScenarios: Send + Sync {
    /// Whether an order may request this outcome.
    fn knows_outcome(&self, outcome: &str) -> bool;

    /// Whether a card belongs to a test persona, whose outcome is fixed.
    fn is_persona(&self, number: &CardNumber) -> bool;

    /// Whether the tester wants to see an authentication, whatever the amount: a persona for
    /// authentication, or such an outcome. Looks nothing up.
    fn stages_authentication(&self, number: &CardNumber, outcome: Option<&str>) -> bool;

    /// The providers for a payment whose order requests this outcome. Missing capabilities come
    /// from the regular providers.
    fn directed(&self, outcome: &str) -> Capabilities;
}
